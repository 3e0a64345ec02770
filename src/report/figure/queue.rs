//! Where requests are while they wait, and what becomes of those that are not served.

use super::colour::{BLACK, BLUE, ORANGE, PURPLE, SKY, VERMILION};
use super::panel::{Panel, Scale};
use crate::metrics::summary::Summary;

pub(super) const TITLE: &str = "Queue and refusals";

pub(super) fn panels(summary: &Summary) -> Vec<Panel> {
    vec![
        Panel::new("requests in the system", Scale::Linear)
            .line(summary, "waiting", "waiting in queues", ORANGE)
            .line(summary, "running", "running", BLUE)
            .line(summary, "in_orbit", "between retries", PURPLE),
        Panel::new("requests a second", Scale::Linear)
            .line(summary, "shed", "refused, all reasons", VERMILION)
            .line(summary, "shed_quota", "refused: quota", SKY)
            .line(summary, "shed_queue_full", "refused: queue full", ORANGE)
            .line(summary, "abandoned", "gave up", BLUE)
            .line(summary, "failed", "lost", BLACK)
            .line(summary, "retries", "retries", PURPLE),
    ]
}
