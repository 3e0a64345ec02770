//! How busy the fleet was, and how large.

use super::colour::{BLACK, BLUE};
use super::panel::{Panel, Scale};
use crate::metrics::summary::Summary;

pub(super) const TITLE: &str = "Utilisation of the fleet";

pub(super) fn panels(summary: &Summary) -> Vec<Panel> {
    vec![
        Panel::new("share of the replicas' time with work", Scale::Share).line(
            summary,
            "utilisation",
            "utilisation",
            BLUE,
        ),
        Panel::new("GPUs in service", Scale::Linear).line(summary, "gpus", "GPUs", BLACK),
    ]
}
