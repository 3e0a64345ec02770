//! A comparison in each format.

use super::{Comparison, Finding, Method, Row, Side};
use crate::report::answer::{Body, Section};
use crate::report::frame::{Cells, Frame, FrameColumn};
use crate::report::grid::{Align, Grid};
use crate::report::number::{self, optional, percent, signed, signed_percent, spread};
use crate::report::paint::{Ink, Style};
use crate::report::{csv, escape, json, markdown, table};

/// The comparison on a terminal, ending with a line feed.
#[must_use]
pub fn comparison_table(comparison: &Comparison, style: Style) -> String {
    let mut text = String::new();
    for (name, side) in [("A", &comparison.a), ("B", &comparison.b)] {
        text += &format!(
            "{name}  {}  {}: {}\n",
            style.paint(ink(side), side.verdict),
            style.paint(Ink::Strong, &escape::name(&side.scenario)),
            side.reason
        );
    }
    text += &format!("\n{}\n", style.paint(Ink::Strong, &comparison.conclusion));
    for part in sections(comparison) {
        text += &table::section(&part, style);
    }
    text
}

fn ink(side: &Side) -> Ink {
    match side.verdict {
        "HELD" => Ink::Good,
        "MELTED" => Ink::Bad,
        _ => Ink::Doubt,
    }
}

/// The comparison as Markdown, ending with a line feed.
#[must_use]
pub fn comparison_markdown(comparison: &Comparison) -> String {
    let mut text = String::from("# Comparison\n\n");
    for (name, side) in [("A", &comparison.a), ("B", &comparison.b)] {
        text += &format!(
            "- {name}: {}: **{}**: {}\n",
            escape::markdown(&escape::name(&side.scenario)),
            side.verdict,
            escape::markdown(&side.reason)
        );
    }
    text += &format!("\n{}\n", escape::markdown(&comparison.conclusion));
    for part in sections(comparison) {
        text += &markdown::section(&part);
    }
    text
}

/// The comparison as JSON, ending with a line feed.
#[must_use]
pub fn comparison_json(comparison: &Comparison) -> String {
    json::to_text(comparison)
}

/// The comparison as CSV: `part`, `of`, `name`, `unit`, `a`, `b`, `difference`, `relative`, and of
/// replications `low`, `high`, `p_value`, `variance_saved`, `finding`.
#[must_use]
pub fn comparison_csv(comparison: &Comparison) -> String {
    let rows: Vec<(&str, &Row)> = parts(comparison)
        .into_iter()
        .flat_map(|(part, _, rows)| rows.iter().map(move |row| (part, row)))
        .collect();
    let text = |title: &str, cell: fn(&(&str, &Row)) -> String| FrameColumn {
        title: title.to_owned(),
        unit: String::new(),
        cells: Cells::Text(rows.iter().map(cell).collect()),
    };
    let number = |title: &str, cell: fn(&Row) -> Option<f64>| FrameColumn {
        title: title.to_owned(),
        unit: String::new(),
        cells: Cells::Number(rows.iter().map(|(_, row)| cell(row)).collect()),
    };
    csv::write(&Frame {
        columns: vec![
            text("part", |(part, _)| (*part).to_owned()),
            text("of", |(_, row)| {
                escape::text(row.of.as_deref().unwrap_or(""))
            }),
            text("name", |(_, row)| escape::text(&row.name)),
            text("unit", |(_, row)| row.unit.clone()),
            number("a", |row| row.a),
            number("b", |row| row.b),
            number("difference", |row| row.difference),
            number("relative", |row| row.relative),
            number("low", |row| row.low),
            number("high", |row| row.high),
            number("p_value", |row| row.p_value),
            number("variance_saved", |row| row.variance_saved),
            text("finding", |(_, row)| finding(row.finding).to_owned()),
        ],
    })
}

fn finding(finding: Finding) -> &'static str {
    match finding {
        Finding::Identical => "identical",
        Finding::NoDifference => "no difference",
        Finding::Differs => "differs",
        Finding::Untold => "cannot tell",
        Finding::Unknown => "unknown",
    }
}

/// The parts with their name in files and their heading.
fn parts(comparison: &Comparison) -> [(&'static str, &'static str, &[Row]); 6] {
    [
        ("headline", "In short", &comparison.headline),
        ("tiers", "Tiers", &comparison.tiers),
        ("pools", "Pools", &comparison.pools),
        ("promises", "Promises", &comparison.promises),
        ("money", "Money", &comparison.money),
        ("chunks", "Chunks", &comparison.chunks),
    ]
}

fn sections(comparison: &Comparison) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut list = |title, lines: Vec<String>| {
        if !lines.is_empty() {
            sections.push(Section {
                title,
                body: Body::List(lines),
            });
        }
    };
    list("Mind that", comparison.notes.clone());
    list("How it is judged", method_words(comparison));
    for (_, title, rows) in parts(comparison) {
        if !rows.is_empty() {
            sections.push(Section {
                title,
                body: Body::Table(grid(rows, comparison.method)),
            });
        }
    }
    sections
}

/// What the columns mean, and what the pairing was good for.
fn method_words(comparison: &Comparison) -> Vec<String> {
    if comparison.method == Method::SingleRuns {
        return Vec::new();
    }
    let each = percent(comparison.confidence);
    let chance = percent(1.0 - comparison.confidence);
    let mut words = vec![format!(
        "values are means; each interval is at {each} for itself, so of measures that do not differ \
         about {chance} seem to; the sentence above judges all of them together (Holm)"
    )];
    if comparison.method == Method::PairedT {
        let saved = |row: &Row| {
            let share = row.variance_saved?;
            Some(format!(
                "{} of {}",
                percent(share),
                row.name.replace('_', " ")
            ))
        };
        let main = ["completed", "goodput", "response_mean", "response_p99"];
        let rows = comparison.headline.iter();
        let main = rows.filter(|row| main.contains(&row.name.as_str()));
        let saved: Vec<String> = main.filter_map(saved).collect();
        if !saved.is_empty() {
            words.push(format!(
                "common random numbers took away this share of the variance of the difference: {}",
                saved.join(", ")
            ));
        }
    }
    words
}

/// The rows of a part; with replications also how sure each difference is.
fn grid(rows: &[Row], method: Method) -> Grid {
    let columns = [
        ("", Align::Left),
        ("A", Align::Right),
        ("B", Align::Right),
        ("B - A", Align::Right),
        ("relative", Align::Right),
        ("±", Align::Right),
    ];
    let is_judged = method != Method::SingleRuns;
    let mut grid = Grid::new(&columns[..if is_judged { 6 } else { 5 }]);
    for row in rows {
        let name = match &row.of {
            Some(of) => format!("{} {}", escape::cut(of, 24), escape::name(&row.name)),
            None => row.name.clone(),
        };
        let name = name.replace('_', " ");
        let unknown = || number::UNKNOWN.to_owned();
        let (difference, relative) = match row.finding {
            Finding::Identical => ("same".to_owned(), String::new()),
            Finding::NoDifference => ("no difference".to_owned(), String::new()),
            _ => (
                row.difference
                    .map_or_else(unknown, |d| signed(d, &row.unit)),
                row.relative.map_or_else(unknown, signed_percent),
            ),
        };
        let ink = matches!(row.finding, Finding::Identical | Finding::NoDifference);
        let ink = ink.then_some(Ink::Faint);
        let [a, b] = [row.a, row.b].map(|value| optional(value, &row.unit));
        let half_width = row.low.zip(row.high).map(|(low, high)| (high - low) / 2.0);
        let half_width = match row.finding {
            Finding::Identical => String::new(),
            _ => half_width.map_or_else(unknown, |half| spread(half, &row.unit)),
        };
        match is_judged {
            true => grid.row([name, a, b, difference, relative, half_width], ink),
            false => grid.row([name, a, b, difference, relative], ink),
        }
    }
    grid
}
