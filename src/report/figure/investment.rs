//! The money loop over its months.

use plotters::style::RGBColor;

use super::colour::{BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION};
use super::panel::{Line, Panel, Scale, Stroke};
use super::{Content, Figure, Time};
use crate::economics::investment::{Loop, Month};
use crate::report::investment::starts_s;
use crate::report::{date, escape};

/// The figure of a loop.
#[must_use]
pub fn investment_figure(found: &Loop) -> Figure {
    let raised = found.months.iter().filter(|month| month.raised_usd > 0.0);
    let words = |month: &Month| {
        let raised = crate::report::number::quantity(month.raised_usd, "USD");
        (starts_s(month), format!("raised {raised}"))
    };
    Figure {
        name: "investment",
        title: "The money loop: users, GPUs, money".to_owned(),
        subtitle: format!(
            "{}, from {} UTC, by month",
            escape::name(&found.scenario),
            date::iso_minute(found.start_unix_s)
        ),
        alarm: None,
        content: Content::OverTime {
            panels: panels(found),
            time: Time {
                start_unix_s: found.start_unix_s,
                length_s: found.months.last().map_or(1.0, starts_s).max(1.0),
                events: raised.map(words).collect(),
            },
        },
    }
}

fn panels(found: &Loop) -> Vec<Panel> {
    let line = |label: &str, colour: RGBColor, of: fn(&Month) -> f64| Line {
        label: label.to_owned(),
        colour,
        stroke: Stroke::Solid,
        points: found
            .months
            .iter()
            .map(|m| Some((starts_s(m), of(m))))
            .collect(),
    };
    let dashed = |label: &str, colour: RGBColor, of: fn(&Month) -> f64| Line {
        stroke: Stroke::Dashed,
        ..line(label, colour, of)
    };
    let panel = |axis: &str, lines: Vec<Line>| Panel {
        lines,
        ..Panel::new(axis, Scale::Linear)
    };
    vec![
        panel(
            "users",
            vec![
                line("weekly users", BLUE, |m| m.users),
                dashed("served", SKY, |m| m.users * m.served_share),
            ],
        ),
        panel(
            "subscribers",
            vec![line("subscribers", PURPLE, |m| m.subscribers)],
        ),
        panel(
            "GPUs",
            vec![
                line("in service", GREEN, |m| m.fleet_gpus),
                dashed("wanted", ORANGE, |m| m.wanted_gpus),
                line("ordered", VERMILION, |m| m.ordered_gpus),
            ],
        ),
        panel(
            "USD a month",
            vec![
                line("revenue", BLUE, |m| m.revenue_usd),
                line("the cloud's revenue", ORANGE, |m| m.cloud_revenue_usd),
                line("the makers' revenue", GREEN, |m| m.makers_usd.iter().sum()),
            ],
        ),
        panel(
            "USD",
            vec![
                line("cash", GREEN, |m| m.cash_usd),
                line("valuation", PURPLE, |m| m.valuation_usd),
            ],
        ),
    ]
}
