//! What autoscalers wanted, and what came of it when.

use super::colour::{BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY};
use super::panel::{Panel, Scale};
use crate::metrics::summary::Summary;

pub(super) const TITLE: &str = "Autoscaling";

pub(super) fn panels(summary: &Summary) -> Vec<Panel> {
    vec![
        Panel::new("replicas", Scale::Linear)
            .line(summary, "replicas_offered", "offered load", ORANGE)
            .line(summary, "replicas_wanted", "wanted", BLACK)
            .dashed()
            .line(summary, "replicas_serving", "serving", BLUE),
        Panel::new("replicas on their way", Scale::Linear)
            .line(summary, "replicas_starting", "starting up", GREEN)
            .line(summary, "replicas_warm", "kept ready", SKY)
            .line(summary, "replicas_draining", "draining", PURPLE),
    ]
}
