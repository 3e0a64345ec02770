//! What the partitions of divided clusters had: GPUs over time, and GPU-hours of products, of training and of nobody.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::summary::Column;
use crate::scenario::Scenario;
use crate::sim::{PartitionTally, Simulation};
use crate::units::SimDuration;

/// What one partition had in the time that was measured. GPUs that serve or, in a training, are held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartitionSummary {
    /// `cluster/partition`.
    pub name: String,
    /// Whether it trains rather than serves.
    pub trains: bool,
    /// GPUs that move together.
    pub gpus_per_unit: u32,
    /// GPUs at the start.
    pub gpus_first: u64,
    /// Fewest GPUs.
    pub gpus_least: u64,
    /// Most GPUs.
    pub gpus_most: u64,
    /// GPUs at the end.
    pub gpus_last: u64,
    /// Units that were ordered for it.
    pub units_in: u64,
    /// Units that were ordered away from it.
    pub units_out: u64,
    /// Mean of the offered load in GPUs with full batches; `None`: it trains.
    pub load_mean: Option<f64>,
    /// GPU-hours that served, or were held by a training.
    pub gpu_hours_held: f64,
    /// GPU-hours in which replicas for it started up: nobody's.
    pub gpu_hours_starting: f64,
    /// GPU-hours in which replicas of it ended their last batch before they left.
    pub gpu_hours_draining: f64,
    /// GPU-hours of training that were not lost.
    pub gpu_hours_kept: f64,
    /// GPU-hours of training that were lost.
    pub gpu_hours_lost: f64,
    /// GPU-hours in which a training stood still.
    pub gpu_hours_stalled: f64,
}

/// By divided cluster and partition, in the scenario's order.
pub(super) fn summaries(
    scenario: &Scenario,
    simulation: &Simulation,
    measured: SimDuration,
) -> Vec<PartitionSummary> {
    let mut summaries = Vec::new();
    for (index, tally) in simulation.divisions() {
        let cluster = &scenario.clusters[index];
        let division = cluster.division.iter();
        let parts = division.flat_map(|division| {
            let parts = division.partitions.iter();
            parts.map(|part| (division.unit_gpus, part))
        });
        for ((unit_gpus, part), tally) in parts.zip(&tally.partitions) {
            let trains = part.training.is_some();
            summaries.push(PartitionSummary {
                name: format!("{}/{}", cluster.name, part.name),
                trains,
                gpus_per_unit: unit_gpus,
                load_mean: mean(tally.load_gpu_ns, measured.as_s()).filter(|_| !trains),
                ..summary(tally)
            });
        }
    }
    summaries
}

fn summary(tally: &PartitionTally) -> PartitionSummary {
    let hours = |gpu_ns: u128| gpu_ns as f64 / 3.6e12;
    PartitionSummary {
        gpus_first: tally.gpus_first,
        gpus_least: tally.gpus_least,
        gpus_most: tally.gpus_most,
        gpus_last: tally.gpus,
        units_in: tally.moved_in,
        units_out: tally.moved_out,
        gpu_hours_held: hours(tally.serving_gpu_ns),
        gpu_hours_starting: hours(tally.starting_gpu_ns),
        gpu_hours_draining: hours(tally.draining_gpu_ns),
        // What was done just before the warm-up ended may be lost just after it.
        gpu_hours_kept: hours(tally.trained_gpu_ns.saturating_sub(tally.lost_gpu_ns)),
        gpu_hours_lost: hours(tally.lost_gpu_ns),
        gpu_hours_stalled: hours(tally.stalled_gpu_ns),
        ..PartitionSummary::default()
    }
}

fn mean(gpu_ns: u128, seconds: f64) -> Option<f64> {
    (seconds > 0.0).then(|| gpu_ns as f64 / 1e9 / seconds)
}

/// What all partitions had up to now, in the order of the summaries.
pub(super) fn tallies(simulation: &Simulation) -> Vec<PartitionTally> {
    let divisions = simulation.divisions();
    divisions.flat_map(|(_, tally)| tally.partitions).collect()
}

/// What was added in an interval; nothing was before it where the statistics began within it.
pub(super) fn since(now: &[PartitionTally], before: &[PartitionTally]) -> Vec<PartitionTally> {
    let nothing = PartitionTally::default();
    let each = now.iter().enumerate();
    each.map(|(index, now)| now.since(before.get(index).unwrap_or(&nothing)))
        .collect()
}

/// The columns of the series, from what was added in each interval and its length in seconds: by partition the
/// GPUs that it had and the load in GPUs, and of all together those that were on their way.
pub(super) fn columns(scenario: &Scenario, intervals: &[(&[PartitionTally], f64)]) -> Vec<Column> {
    type Level = fn(&PartitionTally) -> u128;
    let column = |name: &str, of: Option<&str>, level: &dyn Fn(&[PartitionTally]) -> u128| Column {
        name: name.into(),
        tier: of.map(str::to_owned),
        unit: "GPUs".into(),
        values: intervals
            .iter()
            .map(|(tallies, seconds)| mean(level(tallies), *seconds))
            .collect(),
    };
    let mut columns = Vec::new();
    let mut number = 0;
    for cluster in &scenario.clusters {
        for part in cluster
            .division
            .iter()
            .flat_map(|division| &division.partitions)
        {
            let name = format!("{}/{}", cluster.name, part.name);
            let mut add = |title: &str, level: Level| {
                let of_part = |tallies: &[PartitionTally]| tallies.get(number).map_or(0, level);
                columns.push(column(title, Some(&name), &of_part));
            };
            add("partition_gpus", |tally| tally.serving_gpu_ns);
            if part.training.is_none() {
                add("partition_load", |tally| tally.load_gpu_ns);
            }
            number += 1;
        }
    }
    if number > 0 {
        let moving = |tally: &PartitionTally| tally.starting_gpu_ns + tally.draining_gpu_ns;
        let moving = |tallies: &[PartitionTally]| tallies.iter().map(moving).sum();
        columns.push(column("moving_gpus", None, &moving));
    }
    columns
}
