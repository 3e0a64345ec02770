//! What one measured run says, and what the system tells about the process that made it.

use std::time::Instant;

use serde::{Deserialize, Serialize};

/// One measured run. Peers print the same fields.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Customers, requests or images that were simulated.
    pub count: u64,
    /// By the wall clock.
    pub seconds: f64,
    /// Of processor time; absent or 0 where the system does not tell it.
    pub cpu_s: Option<f64>,
    /// Mean wait of an M/M/100 queue.
    pub wait_s: Option<f64>,
    /// Sum of all departure times in nanoseconds, modulo 2^64: equal where departures are.
    pub departures_ns: Option<u64>,
    /// Largest resident memory of the process so far.
    pub peak_mib: Option<f64>,
}

impl Outcome {
    /// Runs `work`, which gives a count and something to keep, and measures it.
    pub(crate) fn of<T>(work: impl FnOnce() -> (u64, T)) -> (Self, T) {
        let (started, before_s) = (now(), cpu_s());
        let (count, kept) = work();
        let outcome = Self {
            count,
            seconds: started.elapsed().as_secs_f64(),
            cpu_s: cpu_s()
                .zip(before_s)
                .map(|(after_s, before_s)| after_s - before_s),
            wait_s: None,
            departures_ns: None,
            peak_mib: peak_mib(),
        };
        (outcome, kept)
    }

    /// Per second of the wall clock.
    pub(crate) fn per_s(&self) -> f64 {
        self.count as f64 / self.seconds
    }

    /// Per second of processor time, where it is known and long enough for its grain of 10 ms.
    pub(crate) fn per_cpu_s(&self) -> Option<f64> {
        let cpu_s = self.cpu_s.filter(|&cpu_s| cpu_s >= 0.1)?;
        Some(self.count as f64 / cpu_s)
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn now() -> Instant {
    Instant::now()
}

/// Processor time of all threads of this process; `None` outside Linux.
fn cpu_s() -> Option<f64> {
    const TICKS_PER_S: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field, the name, may hold blanks; user and system time are the 14th and 15th.
    let fields: Vec<&str> = stat.rsplit(") ").next()?.split(' ').collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_S)
}

/// Peak of resident memory; `None` outside Linux.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib / 1024.0)
}
