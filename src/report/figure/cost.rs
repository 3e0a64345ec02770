//! What the fleet cost and what came in, counted from the start.

use super::colour::{BLUE, ORANGE};
use super::panel::{Panel, Scale};
use crate::metrics::summary::Summary;

pub(super) const TITLE: &str = "Cost and income since the start";

pub(super) fn panels(summary: &Summary) -> Vec<Panel> {
    vec![
        Panel::new("USD", Scale::Linear)
            .line(summary, "cost", "cost", ORANGE)
            .line(summary, "income", "income", BLUE),
    ]
}
