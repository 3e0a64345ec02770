//! Latency: for each tier the spread of response times from the median to the 99.9 % quantile, with
//! what was promised.

use super::colour::BLUE;
use super::panel::{Band, Level, Line, Panel, Scale, Stroke, points};
use crate::metrics::summary::Summary;
use crate::report::{escape, number};

pub(super) const TITLE: &str = "Response time of completed requests";

/// More panels than this would be too low to read.
const MOST_PANELS: usize = 4;

/// Each band reaches from one quantile to the next; the rarer, the lighter.
const BANDS: [(&str, &str, &str, f64); 3] = [
    ("p50 to p90", "response_p50", "response_p90", 0.55),
    ("p90 to p99", "response_p90", "response_p99", 0.32),
    ("p99 to p99.9", "response_p99", "response_p999", 0.16),
];

/// One panel a tier; with more than four tiers, those with the most requests, served or not.
pub(super) fn panels(summary: &Summary) -> Vec<Panel> {
    let mut tiers: Vec<_> = summary.tiers.iter().collect();
    if tiers.len() > MOST_PANELS {
        tiers.sort_by_key(|tier| std::cmp::Reverse(tier.offered));
        tiers.truncate(MOST_PANELS);
    }
    match tiers.is_empty() {
        true => vec![panel(summary, None, "all")],
        false => tiers
            .iter()
            .map(|tier| panel(summary, Some(&tier.name), &tier.name))
            .collect(),
    }
}

fn panel(summary: &Summary, tier: Option<&str>, name: &str) -> Panel {
    let never_served = summary
        .tiers
        .iter()
        .find(|t| Some(t.name.as_str()) == tier)
        .and_then(|t| t.never_served_share())
        .map_or_else(String::new, |share| {
            format!(" ({} never served)", number::percent(share))
        });
    let mut panel = Panel::new(
        format!("{}{never_served}", escape::cut(name, 24)),
        Scale::LogTime,
    );
    for (label, lower, upper, opacity) in BANDS {
        let lower = summary.series.column(lower, tier);
        let upper = summary.series.column(upper, tier);
        if let (Some(lower), Some(upper)) = (lower, upper) {
            let lower = points(summary, lower);
            let between = lower.into_iter().zip(points(summary, upper));
            panel.bands.push(Band {
                label: label.to_owned(),
                colour: BLUE,
                opacity,
                points: between
                    .map(|(lower, upper)| Some((lower?.0, lower?.1, upper?.1)))
                    .collect(),
            });
        }
    }
    if let Some(median) = summary.series.column("response_p50", tier) {
        panel.lines.push(Line {
            label: "p50".to_owned(),
            colour: BLUE,
            stroke: Stroke::Solid,
            points: points(summary, median),
        });
    }
    let promises = summary.slos.iter().filter(|slo| {
        // Promises of the whole run stand in its table; here they are levels to compare with.
        slo.unit == "s" && Some(slo.tier.as_str()) == tier
    });
    panel.levels.extend(promises.map(|slo| Level {
        label: format!("promised: {}", escape::cut(&slo.promise, 40)),
        value: slo.promised,
    }));
    panel
}
