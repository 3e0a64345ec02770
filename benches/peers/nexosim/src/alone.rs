//! One model is the station and its source: it schedules the next arrival and each departure on itself, so a
//! customer is two events and no message passes between models.

use std::collections::VecDeque;
use std::time::Duration;

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::QuerySource;
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use crate::{ARRIVALS_PER_S, Bench, SERVERS, exponential};

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
            let gap = exponential(&mut self.generator, 1.0 / ARRIVALS_PER_S);
            context
                .schedule_event(gap, schedulable!(Self::arrive), ())
                .expect("a gap is positive");
        }
    }

    fn begin(&mut self, context: &Context<Self>) {
        let service = exponential(&mut self.generator, 1.0);
        context
            .schedule_event(service, schedulable!(Self::depart), ())
            .expect("a service time is positive");
    }
}

pub fn bench(customers: u64, seed: u64) -> Bench {
    let station = Station::new(customers, seed);
    let mailbox = Mailbox::new();
    let mut bench = SimInit::with_num_threads(1);
    let waited = QuerySource::new()
        .connect(Station::waited, &mailbox)
        .register(&mut bench);
    (bench.add_model(station, mailbox, "station"), waited)
}
