//! M/M/100 at a load of 0.9: in the engine, and what Erlang says of it.

use meltpoint::queueing::Mmc;
use meltpoint::random::{Law, Seed};
use meltpoint::scenario::Scenario;

use crate::outcome::Outcome;
use crate::week;

pub(crate) const SERVERS: u64 = 100;
pub(crate) const ARRIVALS_PER_S: f64 = 90.0;

/// Relative standard deviation of the mean wait over one second of simulated time, from 300 runs of the
/// recursion over 10,000 s: waits are correlated over seconds, and a mean over T seconds has this over
/// sqrt(T).
const DEVIATION_PER_ROOT_S: f64 = 6.6;

/// So many customers, give or take a square root, in the engine.
pub(crate) fn engine(customers: u64, seed: Seed) -> Outcome {
    let service = Law::Exponential { mean: 1.0 };
    let horizon_s = customers as f64 / ARRIVALS_PER_S;
    let mut scenario = Scenario::textbook(ARRIVALS_PER_S, service, SERVERS as u32, horizon_s);
    scenario.seed = seed;
    let (outcome, trial) = week::play(scenario, 1);
    Outcome {
        wait_s: trial.summary.total.wait_s.mean,
        ..outcome
    }
}

/// A baseline that gives the sum of all waits in nanoseconds.
pub(crate) fn baseline(customers: u64, seed: Seed, play: fn(u64, Seed) -> u64) -> Outcome {
    let (outcome, waited_ns) = Outcome::of(|| (customers, play(customers, seed)));
    Outcome {
        wait_s: Some(waited_ns as f64 / 1e9 / customers as f64),
        ..outcome
    }
}

/// Mean wait by Erlang C, in seconds.
pub(crate) fn exact_wait_s() -> f64 {
    let queue = Mmc {
        arrival_rate: ARRIVALS_PER_S,
        service_rate: 1.0,
        servers: SERVERS,
    };
    queue.mean_wait()
}

/// Four standard deviations of the relative error of a mean wait over so many customers.
pub(crate) fn tolerance(customers: u64) -> f64 {
    4.0 * DEVIATION_PER_ROOT_S / libm::sqrt(customers as f64 / ARRIVALS_PER_S)
}
