//! What a scenario will come to, before it is run: closed forms and a fluid model.
//!
//! The fluid model lets expected numbers flow instead of requests: demand comes as its rate, the fleet
//! serves up to its full rate, what is left waits, is refused or gives up, and delivered images bring new
//! people. It knows no randomness, no single user and no single replica, and it does not send retries
//! back, so it finds the load, the surge and what gives way first, not a percentile. Where the
//! scenario is a textbook queue, the formula is named and evaluated.
//!
//! The fleet is as it is: each demand is served by the clusters that may serve it, as well spread as can be (`assign`),
//! what fails and what is planned is missing in the mean, and autoscalers follow the load by their own rule. Patience
//! ends with the start of service here, and a tier's limit of places is that of a full fleet, whose batches are
//! slowest.

mod arrivals;
mod availability;
mod bottleneck;
mod fleet;
mod fluid;
mod forms;
mod reserve;
mod scaled;
mod service;
mod supply;
mod textbook;
mod theory;
mod uptime;

use serde::Serialize;

pub use reserve::Reserve;
pub use theory::{Quantity, theory};

use crate::metrics::deliveries;
use crate::metrics::summary::DeliverySummary;
use crate::scenario::{DemandKind, Scenario, Tier};
use crate::units::SimTime;
use fluid::{Fluid, Lost};

/// Requests a second that one thread simulates, rounded down: what the engine did on one core when
/// the whole Ghibli week ran (1.4 million); small runs, which fit in the caches, are faster. Only the
/// expected wall time depends on it.
pub const REQUESTS_PER_THREAD_S: f64 = 1.4e6;

/// Bytes of memory for each user that a quota or a population knows: four, and half as much again that
/// a growing list has in hand.
const BYTES_PER_USER: f64 = 6.0;
/// Bytes for each place in a batch and for each waiting attempt.
const BYTES_PER_ATTEMPT: f64 = 64.0;
/// Bytes of a histogram, of which each pool has a few for each tier.
const BYTES_PER_HISTOGRAM: f64 = 40_000.0;
/// Bytes of a recorded request.
const BYTES_PER_TRACE_ROW: f64 = 24.0;
/// Columns of the time series for each tier.
const SERIES_COLUMNS_PER_TIER: f64 = 16.0;
/// Of an unlimited number of retries so many are counted as events.
const MOST_RETRIES_COUNTED: u32 = 10;

/// What is expected of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// By tier, in the scenario's order.
    pub tiers: Vec<TierEstimate>,
    /// All tiers together.
    pub total: TierEstimate,
    /// People who come or wait for an opening, of all populations.
    pub interested: f64,
    /// Images a second with all batches full, from each date on at which that changes; like the loads
    /// at the standard quality, whatever is given while the fleet is full.
    pub capacity: Vec<Capacity>,
    /// Offered work over what those who may serve it can do, over the whole run, where the load of a step is that
    /// of the group that is loaded most; `None`: there is no fleet.
    pub load_mean: Option<f64>,
    /// The highest load of a step of the fluid model, from which on the queue grows if it is above 1.
    pub load_peak: Option<f64>,
    /// When that is, in seconds after the start.
    pub load_peak_at_s: f64,
    /// Seconds in which more is admitted than the fleet can do.
    pub overloaded_s: f64,
    /// The most requests that wait at once.
    pub waiting_max: f64,
    /// What gives way first, in words.
    pub bottleneck: String,
    /// Everything that keeps requests from their image, most first, in words.
    pub limits: Vec<String>,
    /// Requests to simulate; retries come on top of them.
    pub requests: f64,
    /// Events to simulate: an arrival and an end for each attempt, retries included.
    pub events: f64,
    /// Expected wall time in seconds on one thread.
    pub wall_s: f64,
    /// Expected bytes of memory.
    pub memory_bytes: f64,
    /// How the chunks are expected to come, and stand at the end, where the scenario says more than a date.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<DeliverySummary>,
    /// Closed forms, where the scenario is a textbook queue, and of failures.
    pub closed_forms: Vec<ClosedForm>,
    /// The best number of GPUs for the peak, where its demand is uncertain enough and GPUs have a price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserve: Option<Reserve>,
}

/// What is expected of a tier. `offered` is the sum of all that follows but `peak_*`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TierEstimate {
    /// Name of the tier, or `all`.
    pub name: String,
    /// Requests that users want.
    pub offered: f64,
    /// Requests that get their image.
    pub completed: f64,
    /// Requests that are lost, by cause.
    pub lost: Lost,
    /// Requests that wait at the end.
    pub waiting: f64,
    /// Most requests offered per second, averaged over a step of the fluid model.
    pub peak_per_s: f64,
    /// Middle of that step, in seconds after the start.
    pub peak_at_s: f64,
}

/// What the fleet can do from a date on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Capacity {
    /// From, in seconds after the start.
    pub from_s: f64,
    /// Replicas in service.
    pub replicas: u64,
    /// Images a second with all batches full, at the mix of work that is asked for then.
    pub images_per_s: f64,
}

/// One exact or approximate result of queueing theory.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClosedForm {
    /// Name of the model or formula.
    pub name: &'static str,
    /// Where it is from.
    pub reference: &'static str,
    /// Which quantity it gives.
    #[serde(skip)]
    pub quantity: Quantity,
    /// Of which tier or cluster; `None`: of all.
    pub of: Option<String>,
    /// The same in words: `mean wait`, `p99 response` ...; with the tier where there are several.
    pub what: String,
    /// Its value.
    pub value: f64,
    /// Unit of the value: `s`, `requests` or `1`.
    pub unit: &'static str,
}

/// What to expect of a run of the scenario.
#[must_use]
pub fn estimate(scenario: &Scenario) -> Estimate {
    let mut fluid = Fluid::new(scenario);
    fluid.run();
    let attempts = fluid.total.offered + retries(scenario, &fluid);
    Estimate {
        interested: fluid.interested(),
        load_mean: (fluid.possible_s > 0.0).then(|| fluid.needed_s / fluid.possible_s),
        load_peak: (fluid.possible_s > 0.0).then_some(fluid.peak.load),
        load_peak_at_s: fluid.peak.at_s,
        overloaded_s: fluid.overloaded_s,
        waiting_max: fluid.waiting_max,
        bottleneck: bottleneck::first(scenario, &fluid),
        limits: bottleneck::limits(scenario, &fluid),
        requests: fluid.total.offered,
        events: 2.0 * attempts,
        wall_s: attempts / REQUESTS_PER_THREAD_S,
        memory_bytes: memory_bytes(scenario, &fluid),
        deliveries: deliveries(
            scenario,
            &scenario.expected_chunks(),
            SimTime::ZERO + scenario.horizon,
        ),
        closed_forms: closed_forms(scenario),
        reserve: reserve::reserve(scenario, &fluid),
        tiers: fluid.tiers,
        total: fluid.total,
        capacity: fluid.capacity,
    }
}

/// What theory says of a scenario: as a queue, where it is one of the textbook's, and of its failures.
fn closed_forms(scenario: &Scenario) -> Vec<ClosedForm> {
    let queue = textbook::closed_forms(scenario).into_iter();
    queue.chain(availability::closed_forms(scenario)).collect()
}

/// Further attempts of those who were refused or gave up, as far as their client makes any.
fn retries(scenario: &Scenario, fluid: &Fluid<'_>) -> f64 {
    let of_tier = |(tier, found): (&Tier, &TierEstimate)| {
        let Some(retry) = tier.client.retry else {
            return 0.0;
        };
        let shed = found.lost.shed() * f64::from(u8::from(retry.after_shed));
        let abandoned = found.lost.abandoned * f64::from(u8::from(retry.after_abandoned));
        let wanted = (shed + abandoned) * f64::from(retry.limit.min(MOST_RETRIES_COUNTED));
        wanted.min(retry.budget.unwrap_or(f64::INFINITY) * found.offered)
    };
    scenario.tiers.iter().zip(&fluid.tiers).map(of_tier).sum()
}

/// Bytes of what a run keeps: users, batches and queues, histograms, series and traces.
fn memory_bytes(scenario: &Scenario, fluid: &Fluid<'_>) -> f64 {
    let known_users = scenario.demands.iter().map(|demand| match &demand.kind {
        DemandKind::Rate { users, .. } => users.unwrap_or(0) as f64,
        DemandKind::Trace(_) | DemandKind::Population(_) => 0.0,
    });
    let rows = scenario.demands.iter().map(|demand| match &demand.kind {
        DemandKind::Trace(trace) => trace.rows.len() as f64,
        DemandKind::Rate { .. } | DemandKind::Population(_) => 0.0,
    });
    let users = known_users.sum::<f64>() + fluid.interested();
    let tiers = scenario.tiers.len() as f64;
    let intervals = scenario.horizon.as_s() / scenario.series_interval.as_s().max(1e-9);
    let series = intervals * (tiers + 1.0) * SERIES_COLUMNS_PER_TIER * 8.0;
    users * BYTES_PER_USER
        + (supply::slots_at_most(scenario) + fluid.waiting_max) * BYTES_PER_ATTEMPT
        + scenario.pools.len() as f64 * tiers * BYTES_PER_HISTOGRAM
        + series
        + rows.sum::<f64>() * BYTES_PER_TRACE_ROW
}

/// Mean time in seconds after which a client of the tier gives up; `None`: never.
fn mean_patience_s(scenario: &Scenario, tier: usize) -> Option<f64> {
    Some(scenario.tiers[tier].client.patience_s?.mean())
}

#[cfg(test)]
mod tests;
