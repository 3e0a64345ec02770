//! Demand against capacity: the three loads that are never mixed, and what the fleet could do.

use super::colour::{BLACK, BLUE, GREEN, ORANGE};
use super::panel::{Panel, Scale};
use crate::metrics::summary::Summary;

pub(super) const TITLE: &str = "Demand against capacity";

pub(super) fn panels(summary: &Summary) -> Vec<Panel> {
    vec![
        Panel::new("requests a second", Scale::Linear)
            .line(summary, "offered", "offered", ORANGE)
            .line(summary, "admitted", "admitted, with retries", BLUE)
            .line(summary, "completed", "completed", GREEN)
            .line(summary, "capacity", "capacity, all batches full", BLACK)
            .dashed(),
    ]
}
