//! How much was offered: first attempts that gateways sent to some pools, in replica-seconds of work.
//!
//! A request that is tried again is the same load as before and is not counted again: the retries of a
//! melting fleet would make it order replicas for requests that nobody makes twice once it serves.

use std::collections::VecDeque;

use crate::units::{SimDuration, SimTime};

/// The work offered up to each end of a window, as long as it is needed.
#[derive(Clone, Debug)]
pub struct LoadMeter {
    /// (time, replica-seconds offered until then), by time.
    marks: VecDeque<(SimTime, f64)>,
    /// How far back somebody looks.
    memory: SimDuration,
}

impl LoadMeter {
    /// A meter that can look back so far.
    #[must_use]
    pub fn new(memory: SimDuration) -> Self {
        Self {
            marks: VecDeque::from([(SimTime::ZERO, 0.0)]),
            memory,
        }
    }

    /// So much more was offered up to the end of a window.
    pub fn add(&mut self, until: SimTime, replica_s: f64) {
        let total = self.marks.back().map_or(0.0, |mark| mark.1) + replica_s;
        self.marks.push_back((until, total));
        // The mark before the first that is needed stays, to reckon between the two.
        let oldest = until.0.saturating_sub(self.memory.0);
        while self.marks.get(1).is_some_and(|mark| mark.0.0 <= oldest) {
            self.marks.pop_front();
        }
    }

    /// The mean load in replicas over the `window` before `until`, or as much of it as the run has had.
    #[must_use]
    pub fn load(&self, until: SimTime, window: SimDuration) -> f64 {
        let from = SimTime(until.0.saturating_sub(window.0));
        let seconds = until.since(from).as_s();
        if seconds <= 0.0 {
            return 0.0;
        }
        (self.total(until) - self.total(from)) / seconds
    }

    /// Replica-seconds offered up to a time: even within a window.
    fn total(&self, at: SimTime) -> f64 {
        let after = self.marks.partition_point(|mark| mark.0 <= at);
        let Some(&(t0, w0)) = self.marks.get(after.saturating_sub(1)) else {
            return 0.0;
        };
        match self.marks.get(after) {
            Some(&(t1, w1)) if at > t0 => {
                w0 + (w1 - w0) * (at.since(t0).as_s() / t1.since(t0).as_s())
            }
            _ => w0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_work_over_time_and_even_within_a_window() {
        let s = SimTime::from_s;
        let mut meter = LoadMeter::new(SimDuration::from_s(40.0));
        meter.add(s(10.0), 50.0);
        meter.add(s(14.0), 40.0);
        meter.add(s(40.0), 0.0);
        let load = |until, window| meter.load(s(until), SimDuration::from_s(window));
        assert!((load(14.0, 4.0) - 10.0).abs() < 1e-12);
        assert!((load(12.0, 4.0) - (20.0 + 10.0) / 4.0).abs() < 1e-12);
        assert!(load(40.0, 20.0).abs() < 1e-12);
        assert!((load(14.0, 100.0) - 90.0 / 14.0).abs() < 1e-12);
        assert!(load(0.0, 5.0).abs() < 1e-12);
    }
}
