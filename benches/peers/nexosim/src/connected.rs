//! Source, station and sink are models of their own, connected by ports: a customer is two events and two messages.

use std::collections::VecDeque;
use std::time::Duration;

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::{Output, QuerySource};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use crate::{ARRIVALS_PER_S, Bench, SERVERS, exponential};

/// Sends customers to the station.
#[derive(Serialize, Deserialize)]
struct Source {
    customers: Output<()>,
    to_come: u64,
    generator: Xoshiro256PlusPlus,
}

#[Model]
impl Source {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        self.expect_arrival(context);
    }

    #[nexosim(schedulable)]
    async fn send(&mut self, _: (), context: &Context<Self>) {
        self.customers.send(()).await;
        self.expect_arrival(context);
    }

    fn expect_arrival(&mut self, context: &Context<Self>) {
        if self.to_come > 0 {
            self.to_come -= 1;
            let gap = exponential(&mut self.generator, 1.0 / ARRIVALS_PER_S);
            context
                .schedule_event(gap, schedulable!(Self::send), ())
                .expect("a gap is positive");
        }
    }
}

/// Serves customers, and sends them on with what they have waited.
#[derive(Serialize, Deserialize)]
struct Station {
    served: Output<Duration>,
    /// When those who wait came.
    line: VecDeque<MonotonicTime>,
    free: u32,
    generator: Xoshiro256PlusPlus,
}

#[Model]
impl Station {
    fn arrive(&mut self, _: (), context: &Context<Self>) {
        if self.free > 0 {
            self.free -= 1;
            self.begin(Duration::ZERO, context);
        } else {
            self.line.push_back(context.time());
        }
    }

    #[nexosim(schedulable)]
    async fn depart(&mut self, waited: Duration, context: &Context<Self>) {
        self.served.send(waited).await;
        match self.line.pop_front() {
            Some(came) => self.begin(context.time().duration_since(came), context),
            None => self.free += 1,
        }
    }

    fn begin(&mut self, waited: Duration, context: &Context<Self>) {
        let service = exponential(&mut self.generator, 1.0);
        context
            .schedule_event(service, schedulable!(Self::depart), waited)
            .expect("a service time is positive");
    }
}

/// Adds up what they have waited.
#[derive(Serialize, Deserialize)]
struct Sink {
    waited: Duration,
}

#[Model]
impl Sink {
    fn hear(&mut self, waited: Duration) {
        self.waited += waited;
    }

    /// What all have waited together.
    async fn waited(&mut self) -> Duration {
        self.waited
    }
}

pub fn bench(customers: u64, seed: u64) -> Bench {
    let mut source = Source {
        customers: Output::default(),
        to_come: customers,
        generator: Xoshiro256PlusPlus::seed_from_u64(seed),
    };
    let mut station = Station {
        served: Output::default(),
        line: VecDeque::new(),
        free: SERVERS,
        generator: Xoshiro256PlusPlus::seed_from_u64(!seed),
    };
    let sink = Sink {
        waited: Duration::ZERO,
    };
    let (at_source, at_station, at_sink) = (Mailbox::new(), Mailbox::new(), Mailbox::new());
    source.customers.connect(Station::arrive, &at_station);
    station.served.connect(Sink::hear, &at_sink);
    let mut bench = SimInit::with_num_threads(1);
    let waited = QuerySource::new()
        .connect(Sink::waited, &at_sink)
        .register(&mut bench);
    let bench = bench
        .add_model(source, at_source, "source")
        .add_model(station, at_station, "station")
        .add_model(sink, at_sink, "sink");
    (bench, waited)
}
