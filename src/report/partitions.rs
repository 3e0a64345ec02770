//! Who had the GPUs of divided clusters, in words and numbers for people.

use crate::metrics::summary::{PartitionSummary, Summary};
use crate::report::escape;
use crate::report::grid::{Align, Grid};
use crate::report::number::{optional, percent, quantity, short};

/// One row a partition.
pub(super) fn grid(summary: &Summary) -> Grid {
    let mut grid = Grid::new(&[
        ("partition", Align::Left),
        ("at first", Align::Right),
        ("least", Align::Right),
        ("most", Align::Right),
        ("at last", Align::Right),
        ("load", Align::Right),
        ("units in", Align::Right),
        ("units out", Align::Right),
        ("GPU-hours", Align::Right),
    ]);
    for part in &summary.partitions {
        let count = |number: u64| short(number as f64);
        let row = [
            escape::name(&part.name),
            count(part.gpus_first),
            count(part.gpus_least),
            count(part.gpus_most),
            count(part.gpus_last),
            optional(part.load_mean, ""),
            count(part.units_in),
            count(part.units_out),
            short(part.gpu_hours_held),
        ];
        grid.row(row, None);
    }
    grid
}

/// What trains beside the fleet, to follow what serves.
pub(super) fn beside(summary: &Summary) -> String {
    let train = || summary.partitions.iter().filter(|part| part.trains);
    let gpus: u64 = train().map(|part| part.gpus_last).sum();
    match train().next() {
        Some(_) => format!("; {} more train", quantity(gpus as f64, "GPUs")),
        None => String::new(),
    }
}

/// What moving cost, and what became of the training.
pub(super) fn words(summary: &Summary) -> Vec<String> {
    let parts = &summary.partitions;
    let sum = |hours: fn(&PartitionSummary) -> f64| parts.iter().map(hours).sum::<f64>();
    let starting = sum(|part| part.gpu_hours_starting);
    let draining = sum(|part| part.gpu_hours_draining);
    let mut words = Vec::new();
    if starting + draining > 0.0 {
        words.push(format!(
            "{} went into starting replicas up, {} into draining them",
            quantity(starting, "GPU-hours"),
            short(draining),
        ));
    }
    words.extend(parts.iter().filter(|part| part.trains).map(trained));
    words
}

fn trained(part: &PartitionSummary) -> String {
    let trained = part.gpu_hours_kept + part.gpu_hours_lost;
    let mut text = format!(
        "{} trained for {}",
        escape::name(&part.name),
        quantity(trained, "GPU-hours")
    );
    if part.gpu_hours_lost > 0.0 {
        let share = percent(part.gpu_hours_lost / trained);
        text += &format!("; {} ({share}) were lost", short(part.gpu_hours_lost));
    }
    if part.gpu_hours_stalled > 0.0 {
        text += &format!("; it stood still for {}", short(part.gpu_hours_stalled));
    }
    text
}
