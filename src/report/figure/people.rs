//! People and images, counted from the start, against what was published.

use plotters::style::RGBColor;

use super::colour::{BLUE, GREEN, ORANGE, PURPLE};
use super::panel::{Level, Panel, Scale};
use crate::metrics::summary::Summary;
use crate::report::{escape, number};

/// The columns of people: label, colour.
const PEOPLE: [(&str, &str, RGBColor); 3] = [
    ("interested", "wanted images", ORANGE),
    ("served", "got an image", BLUE),
    ("sign_ups", "new accounts", PURPLE),
];

pub(super) fn title(summary: &Summary) -> &'static str {
    match has_people(summary) {
        true => "People and images since the start",
        false => "Images since the start",
    }
}

/// Whether people are simulated: a demand that is only a rate has none, and a line at 0 would deny them.
fn has_people(summary: &Summary) -> bool {
    let columns = PEOPLE.map(|(name, _, _)| summary.series.column(name, None));
    let known = || columns.iter().flatten();
    let mut values = known().flat_map(|column| column.values.iter().flatten());
    known().next().is_none() || values.any(|&people| people > 0.0)
}

pub(super) fn panels(summary: &Summary) -> Vec<Panel> {
    let mut images =
        Panel::new("images", Scale::Linear).line(summary, "images", "delivered", GREEN);
    images.levels = published(summary, "images");
    if !has_people(summary) {
        return vec![images];
    }
    let people = Panel::new("people", Scale::Linear);
    let mut people = PEOPLE.iter().fold(people, |panel, (name, label, colour)| {
        panel.line(summary, name, label, *colour)
    });
    people.levels = published(summary, "users");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn where_nobody_is_simulated_no_panel_says_that_nobody_came() {
        let mut summary = fixture::surge();
        assert_eq!(panels(&summary).len(), 2);
        for column in &mut summary.series.columns {
            if PEOPLE.iter().any(|(name, _, _)| *name == column.name) {
                column.values.fill(Some(0.0));
            }
        }
        assert_eq!(panels(&summary).len(), 1);
        assert!(!title(&summary).contains("People"));
    }
}
