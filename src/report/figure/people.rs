//! People and images, counted from the start, against what was published.

use super::colour::{BLUE, GREEN, ORANGE, PURPLE};
use super::panel::{Level, Panel, Scale};
use crate::metrics::summary::Summary;
use crate::report::{escape, number};

pub(super) const TITLE: &str = "People and images since the start";

pub(super) fn panels(summary: &Summary) -> Vec<Panel> {
    let mut people = Panel::new("people", Scale::Linear)
        .line(summary, "interested", "wanted images", ORANGE)
        .line(summary, "served", "got an image", BLUE)
        .line(summary, "sign_ups", "new accounts", PURPLE);
    people.levels = published(summary, "users");
    let mut images =
        Panel::new("images", Scale::Linear).line(summary, "images", "delivered", GREEN);
    images.levels = published(summary, "images");
    vec![people, images]
}

/// The published totals in this unit, brought to the scale of the run.
fn published(summary: &Summary, unit: &str) -> Vec<Level> {
    let facts = summary.facts.iter().filter(|fact| fact.unit == unit);
    facts
        .map(|fact| Level {
            label: format!(
                "published: {} ({})",
                number::short(fact.published),
                escape::cut(&fact.name, 36)
            ),
            value: fact.published * summary.scale,
        })
        .collect()
}
