//! M/M/100 at a load of 0.9 in NeXosim, on its single-threaded executor: `peer-nexosim CUSTOMERS SEED`.
//!
//! One model is the station and its source; it schedules the next arrival and each departure on itself,
//! so a customer is two events and no message passes between models. The generator is that of meltpoint.

use std::collections::VecDeque;
use std::error::Error;
use std::time::{Duration, Instant};

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::QuerySource;
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

const SERVERS: u32 = 100;
const ARRIVALS_PER_S: f64 = 90.0;

#[derive(Serialize, Deserialize)]
struct Station {
    waited: Duration,
    /// When those who wait came.
    line: VecDeque<MonotonicTime>,
    free: u32,
    to_come: u64,
    generator: Xoshiro256PlusPlus,
}

#[Model]
impl Station {
    fn new(customers: u64, seed: u64) -> Self {
        Self {
            waited: Duration::ZERO,
            line: VecDeque::new(),
            free: SERVERS,
            to_come: customers,
            generator: Xoshiro256PlusPlus::seed_from_u64(seed),
        }
    }

    /// What all have waited together.
    async fn waited(&mut self) -> Duration {
        self.waited
    }

    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        self.expect_arrival(context);
    }

    #[nexosim(schedulable)]
    fn arrive(&mut self, _: (), context: &Context<Self>) {
        if self.free > 0 {
            self.free -= 1;
            self.begin(context);
        } else {
            self.line.push_back(context.time());
        }
        self.expect_arrival(context);
    }

    #[nexosim(schedulable)]
    fn depart(&mut self, _: (), context: &Context<Self>) {
        match self.line.pop_front() {
            Some(came) => {
                self.waited += context.time().duration_since(came);
                self.begin(context);
            }
            None => self.free += 1,
        }
    }

    fn expect_arrival(&mut self, context: &Context<Self>) {
        if self.to_come > 0 {
            self.to_come -= 1;
            let gap = self.exponential(1.0 / ARRIVALS_PER_S);
            context
                .schedule_event(gap, schedulable!(Self::arrive), ())
                .expect("a gap is positive");
        }
    }

    fn begin(&mut self, context: &Context<Self>) {
        let service = self.exponential(1.0);
        context
            .schedule_event(service, schedulable!(Self::depart), ())
            .expect("a service time is positive");
    }

    fn exponential(&mut self, mean_s: f64) -> Duration {
        let unit = ((self.generator.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
        Duration::from_nanos(((-unit.ln() * mean_s * 1e9) as u64).max(1))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || -> Result<u64, Box<dyn Error>> {
        Ok(arguments.next().ok_or("usage: CUSTOMERS SEED")?.parse()?)
    };
    let (count, seed) = (next()?, next()?);
    let station = Station::new(count, seed);
    let mailbox = Mailbox::new();
    let mut bench = SimInit::with_num_threads(1);
    let waited = QuerySource::new()
        .connect(Station::waited, &mailbox)
        .register(&mut bench);
    let (started, cpu_before_s) = (Instant::now(), cpu_s());
    let mut simulation = bench
        .add_model(station, mailbox, "station")
        .init(MonotonicTime::EPOCH)?;
    simulation.run()?;
    let (seconds, cpu_s) = (started.elapsed().as_secs_f64(), cpu_s() - cpu_before_s);
    let waited = simulation.process_query(&waited, ())?;
    let wait_s = waited.as_secs_f64() / count as f64;
    println!(
        r#"{{"count": {count}, "seconds": {seconds}, "cpu_s": {cpu_s}, "wait_s": {wait_s}}}"#
    );
    Ok(())
}

/// Processor time of this process in seconds; 0 where the system does not tell it.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or("");
    let ticks = after_name.split(' ').skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
