//! A comparison of device profiles in each format.

use super::{MeasuredComparison, MeasuredFinding, MeasuredRow, MeasuredSide};
use crate::report::answer::{Body, Section};
use crate::report::frame::{Cells, Frame, FrameColumn};
use crate::report::grid::{Align, Grid};
use crate::report::number::{grouped, measured_s, percent, plain, rate};
use crate::report::paint::{Ink, Style};
use crate::report::{csv, escape, json, markdown, table};

/// The comparison on a terminal, ending with a line feed.
#[must_use]
pub fn measured_comparison_table(comparison: &MeasuredComparison, style: Style) -> String {
    let mut text = String::new();
    for alarm in &comparison.alarms {
        text += &format!("{}\n", style.paint(Ink::Bad, alarm));
    }
    for (name, side) in [("A", &comparison.a), ("B", &comparison.b)] {
        text += &format!("{name}  {}\n", style.paint(Ink::Strong, &words(side)));
    }
    text += &format!("\n{}\n", style.paint(Ink::Strong, &comparison.conclusion));
    for part in sections(comparison) {
        text += &table::section(&part, style);
    }
    text
}

/// The comparison as Markdown, ending with a line feed.
#[must_use]
pub fn measured_comparison_markdown(comparison: &MeasuredComparison) -> String {
    let mut text = String::from("# Comparison of device profiles\n\n");
    for alarm in &comparison.alarms {
        text += &format!("**{}**\n\n", escape::markdown(alarm));
    }
    for (name, side) in [("A", &comparison.a), ("B", &comparison.b)] {
        text += &format!("- {name}: {}\n", escape::markdown(&words(side)));
    }
    text += &format!("\n{}\n", escape::markdown(&comparison.conclusion));
    for part in sections(comparison) {
        text += &markdown::section(&part);
    }
    text
}

/// The comparison as JSON, ending with a line feed.
#[must_use]
pub fn measured_comparison_json(comparison: &MeasuredComparison) -> String {
    json::to_text(comparison)
}

/// The rows as CSV.
#[must_use]
pub fn measured_comparison_csv(comparison: &MeasuredComparison) -> String {
    let rows = &comparison.rows;
    let text = |title: &str, cell: fn(&MeasuredRow) -> String| FrameColumn {
        title: title.to_owned(),
        unit: String::new(),
        cells: Cells::Text(rows.iter().map(cell).collect()),
    };
    let number = |title: &str, cell: fn(&MeasuredRow) -> Option<f64>| FrameColumn {
        title: title.to_owned(),
        unit: String::new(),
        cells: Cells::Number(rows.iter().map(cell).collect()),
    };
    csv::write(&Frame {
        columns: vec![
            text("what", |row| row.what.to_owned()),
            number("batch", |row| row.batch.map(f64::from)),
            number("context_tokens", |row| row.context_tokens.map(|n| n as f64)),
            text("unit", |row| row.unit.to_owned()),
            number("a", |row| Some(row.a)),
            number("b", |row| Some(row.b)),
            number("ratio", |row| Some(row.ratio)),
            number("low", |row| row.low),
            number("high", |row| row.high),
            text("finding", |row| finding(row.finding).to_owned()),
        ],
    })
}

fn words(side: &MeasuredSide) -> String {
    let kind = if side.software { ", SOFTWARE" } else { "" };
    let valid = if side.valid { "" } else { ", INVALID" };
    format!(
        "{}{kind}{valid}, measured {}",
        escape::name(&side.device),
        escape::name(&side.measured_at)
    )
}

fn sections(comparison: &MeasuredComparison) -> Vec<Section> {
    let mut sections = vec![
        Section {
            title: "B against A",
            body: Body::Table(rows_grid(&comparison.rows)),
        },
        Section {
            title: "What is not the same",
            body: Body::Table(differs_grid(comparison)),
        },
        Section {
            title: "How it was judged",
            body: Body::List(vec![format!(
                "{}; {} intervals",
                comparison.method,
                percent(comparison.confidence)
            )]),
        },
    ];
    sections.retain(|section| match &section.body {
        Body::Table(grid) => !grid.is_empty(),
        Body::List(_) => true,
    });
    sections
}

fn rows_grid(rows: &[MeasuredRow]) -> Grid {
    let mut grid = Grid::new(&[
        ("", Align::Left),
        ("A", Align::Right),
        ("B", Align::Right),
        ("B / A", Align::Right),
        ("interval", Align::Right),
        ("B is", Align::Left),
    ]);
    for row in rows {
        let value = |value: f64| match row.unit {
            "s" => measured_s(value),
            unit => rate(value, unit),
        };
        let interval = row.low.zip(row.high).map_or_else(
            || "-".to_owned(),
            |(low, high)| format!("{} to {}", plain(low), plain(high)),
        );
        let ink = match row.finding {
            MeasuredFinding::Faster => Some(Ink::Good),
            MeasuredFinding::Slower => Some(Ink::Bad),
            MeasuredFinding::NoDifference => None,
            MeasuredFinding::TooFewSamples => Some(Ink::Doubt),
        };
        grid.row(
            [
                name(row),
                value(row.a),
                value(row.b),
                plain(row.ratio),
                interval,
                finding(row.finding).to_owned(),
            ],
            ink,
        );
    }
    grid
}

fn name(row: &MeasuredRow) -> String {
    let batch = row
        .batch
        .map_or_else(String::new, |batch| format!(" at batch {batch}"));
    let context = match row.context_tokens {
        None | Some(0) => String::new(),
        Some(tokens) => format!(", context {}", grouped(tokens)),
    };
    format!("{}{batch}{context}", row.what)
}

fn finding(finding: MeasuredFinding) -> &'static str {
    match finding {
        MeasuredFinding::Faster => "faster",
        MeasuredFinding::Slower => "slower",
        MeasuredFinding::NoDifference => "no different",
        MeasuredFinding::TooFewSamples => "not judged: too few samples",
    }
}

fn differs_grid(comparison: &MeasuredComparison) -> Grid {
    let mut grid = Grid::new(&[("", Align::Left), ("A", Align::Left), ("B", Align::Left)]);
    for difference in &comparison.differs {
        let cells = [&difference.what, &difference.a, &difference.b].map(Clone::clone);
        grid.row(cells, None);
    }
    grid
}
