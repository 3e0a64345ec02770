//! What autoscalers did: levels, GPU-hours against a fleet that never shrinks, and how long capacity took.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::summary::Column;
use crate::scenario::Scenario;
use crate::sim::{ScalerTally, Simulation};
use crate::units::SimDuration;

/// What one autoscaler did in the time that was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AutoscalerSummary {
    /// Name.
    pub name: String,
    /// Mean of the offered load in replicas with full batches; a retried request counts once.
    pub load_mean: Option<f64>,
    /// Mean of the replicas that its rule wanted.
    pub wanted_mean: Option<f64>,
    /// Mean of those that started up.
    pub starting_mean: Option<f64>,
    /// Mean of those kept ready.
    pub warm_mean: Option<f64>,
    /// Mean of those that served.
    pub serving_mean: Option<f64>,
    /// Mean of those that ended their last batch.
    pub draining_mean: Option<f64>,
    /// Mean of those delivered: what a fleet that never shrinks has.
    pub delivered_mean: Option<f64>,
    /// GPU-hours delivered: those of a fleet that never shrinks.
    pub gpu_hours_static: f64,
    /// GPU-hours of replicas that started, were ready, served or drained.
    pub gpu_hours_held: f64,
    /// GPU-hours released.
    pub gpu_hours_saved: f64,
    /// Those of them that cost nothing, because they are on demand.
    pub gpu_hours_returned: f64,
    /// Those of them that were idle, because they are paid for all the same.
    pub gpu_hours_idle: f64,
    /// Decisions that ordered more replicas.
    pub ups: u64,
    /// Decisions that ordered fewer.
    pub downs: u64,
    /// How often more was offered than replicas served until capacity came.
    pub crossings: u64,
    /// Mean time from such a crossing to capacity, in seconds.
    pub crossing_mean_s: Option<f64>,
    /// The longest, in seconds.
    pub crossing_longest_s: Option<f64>,
    /// For how long more has been offered at the end than replicas serve, in seconds; 0: it is not so.
    pub crossing_open_s: f64,
    /// Replica-hours of offered load beyond the replicas that served.
    pub short_replica_hours: f64,
}

/// By autoscaler, in the scenario's order.
pub(super) fn summaries(
    scenario: &Scenario,
    simulation: &Simulation,
    measured: SimDuration,
) -> Vec<AutoscalerSummary> {
    let both = scenario.autoscalers.iter().zip(simulation.autoscalers());
    both.map(|(rule, tally)| summary(&rule.name, &tally, measured))
        .collect()
}

fn summary(name: &str, tally: &ScalerTally, measured: SimDuration) -> AutoscalerSummary {
    let mean = |integral_ns: u128| mean(integral_ns, measured.as_s());
    let hours = |integral_ns: u128| integral_ns as f64 / 3.6e12;
    let released = tally.delivered_gpu_ns - tally.held_gpu_ns;
    let seconds = |ns: u64| SimDuration(ns).as_s();
    AutoscalerSummary {
        name: name.to_owned(),
        load_mean: mean(tally.load_ns),
        wanted_mean: mean(tally.wanted_ns),
        starting_mean: mean(tally.starting_ns),
        warm_mean: mean(tally.warm_ns),
        serving_mean: mean(tally.serving_ns),
        draining_mean: mean(tally.draining_ns),
        delivered_mean: mean(tally.delivered_ns),
        gpu_hours_static: hours(tally.delivered_gpu_ns),
        gpu_hours_held: hours(tally.held_gpu_ns),
        gpu_hours_saved: hours(released),
        gpu_hours_returned: hours(tally.returned_gpu_ns),
        gpu_hours_idle: hours(released - tally.returned_gpu_ns),
        ups: tally.ups,
        downs: tally.downs,
        crossings: tally.crossings,
        crossing_mean_s: (tally.crossings > 0)
            .then(|| tally.crossing_ns as f64 / 1e9 / tally.crossings as f64),
        crossing_longest_s: (tally.crossings > 0).then(|| seconds(tally.crossing_longest_ns)),
        crossing_open_s: seconds(tally.crossing_open_ns),
        short_replica_hours: hours(tally.short_ns),
    }
}

fn mean(integral_ns: u128, seconds: f64) -> Option<f64> {
    (seconds > 0.0).then(|| integral_ns as f64 / 1e9 / seconds)
}

/// What all autoscalers together did up to now; `None` where there is none.
pub(super) fn together(simulation: &Simulation) -> Option<ScalerTally> {
    simulation.autoscalers().reduce(|mut sum, tally| {
        sum.add(&tally);
        sum
    })
}

/// The columns of the series, from what was added in each interval and its length in seconds.
pub(super) fn columns(intervals: &[(Option<ScalerTally>, f64)]) -> Vec<Column> {
    type Level = fn(&ScalerTally) -> u128;
    const LEVELS: [(&str, Level); 6] = [
        ("replicas_offered", |tally| tally.load_ns),
        ("replicas_wanted", |tally| tally.wanted_ns),
        ("replicas_starting", |tally| tally.starting_ns),
        ("replicas_warm", |tally| tally.warm_ns),
        ("replicas_serving", |tally| tally.serving_ns),
        ("replicas_draining", |tally| tally.draining_ns),
    ];
    if intervals.iter().all(|interval| interval.0.is_none()) {
        return Vec::new();
    }
    let column = |(name, level): (&str, Level)| Column {
        name: name.into(),
        tier: None,
        unit: "replicas".into(),
        values: intervals
            .iter()
            .map(|(tally, seconds)| mean(level(tally.as_ref()?), *seconds))
            .collect(),
    };
    LEVELS.into_iter().map(column).collect()
}
