//! Who had the GPUs of divided clusters when.

use super::colour::{BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION};
use super::panel::{Panel, Scale};
use crate::metrics::summary::{PartitionSummary, Summary};

pub(super) const TITLE: &str = "Partitions";

/// One for each partition that is shown; of more, those with most GPUs.
const COLOURS: [plotters::style::RGBColor; 6] = [BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION];

pub(super) fn panels(summary: &Summary) -> Vec<Panel> {
    let mut shown: Vec<&PartitionSummary> = summary.partitions.iter().collect();
    shown.sort_by_key(|part| std::cmp::Reverse(part.gpus_most));
    shown.truncate(COLOURS.len());
    let mut gpus = Panel::new("GPUs", Scale::Linear);
    let mut loads = Panel::new("GPUs that the load asks for", Scale::Linear);
    for (part, colour) in shown.into_iter().zip(COLOURS) {
        let (name, of) = (part.name.as_str(), Some(part.name.as_str()));
        gpus = gpus.line_of(summary, ("partition_gpus", of), name, colour);
        loads = loads.line_of(summary, ("partition_load", of), name, colour);
    }
    let moving = Panel::new("GPUs on their way", Scale::Linear);
    let moving = moving.line(summary, "moving_gpus", "starting up or draining", BLACK);
    vec![gpus, loads, moving]
}
