//! What autoscalers did, in words and numbers for people.

use crate::metrics::summary::{AutoscalerSummary, Summary};
use crate::report::escape;
use crate::report::grid::{Align, Grid};
use crate::report::number::{optional, quantity, short};

/// One row an autoscaler.
pub(super) fn grid(summary: &Summary) -> Grid {
    let mut grid = Grid::new(&[
        ("autoscaler", Align::Left),
        ("offered", Align::Right),
        ("wanted", Align::Right),
        ("serving", Align::Right),
        ("delivered", Align::Right),
        ("up", Align::Right),
        ("down", Align::Right),
        ("short", Align::Right),
    ]);
    for scaler in &summary.autoscalers {
        grid.row(
            [
                escape::name(&scaler.name),
                optional(scaler.load_mean, ""),
                optional(scaler.wanted_mean, ""),
                optional(scaler.serving_mean, ""),
                optional(scaler.delivered_mean, ""),
                short(scaler.ups as f64),
                short(scaler.downs as f64),
                format!("{} h", short(scaler.short_replica_hours)),
            ],
            None,
        );
    }
    grid
}

/// A sentence or two for each.
pub(super) fn words(summary: &Summary) -> Vec<String> {
    summary
        .autoscalers
        .iter()
        .flat_map(|scaler| [saved(scaler), reacted(scaler)])
        .collect()
}

fn saved(scaler: &AutoscalerSummary) -> String {
    format!(
        "{} held {} of {}; of the rest {} cost nothing, {} were idle",
        escape::name(&scaler.name),
        short(scaler.gpu_hours_held),
        quantity(scaler.gpu_hours_static, "GPU-hours"),
        short(scaler.gpu_hours_returned),
        short(scaler.gpu_hours_idle),
    )
}

fn reacted(scaler: &AutoscalerSummary) -> String {
    let mut text = format!("{}: ", escape::name(&scaler.name));
    text += &match (scaler.crossings, scaler.crossing_open_s > 0.0) {
        (0, false) => "more was never offered than replicas served".to_owned(),
        (0, true) => "more was offered than replicas served, and no capacity came".to_owned(),
        (crossings, _) => format!(
            "capacity came after {} crossing{}, {} in the mean, {} at most",
            short(crossings as f64),
            if crossings == 1 { "" } else { "s" },
            optional(scaler.crossing_mean_s, "s"),
            optional(scaler.crossing_longest_s, "s"),
        ),
    };
    if scaler.crossing_open_s > 0.0 {
        text += &format!("; one open for {}", quantity(scaler.crossing_open_s, "s"));
    }
    text
}
