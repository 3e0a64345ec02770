//! Two answers side by side: what changed from A to B, and what speaks against comparing them.

use serde::Serialize;

use crate::metrics::summary::{MoneyLine, Summary, TierSummary};
use crate::report::answer::{self, Body, Section};
use crate::report::frame::{Cells, Frame, FrameColumn};
use crate::report::grid::{Align, Grid};
use crate::report::number::{self, optional, quantity, short, signed, signed_percent};
use crate::report::paint::{Ink, Style};
use crate::report::{csv, date, escape, json, markdown, table};

/// Two answers side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The first, which differences are taken from.
    pub a: Side,
    /// The second.
    pub b: Side,
    /// In what the two runs differ besides their results, so that a difference may not mean much.
    pub notes: Vec<String>,
    /// Headline numbers.
    pub headline: Vec<Row>,
    /// What became of each tier's requests.
    pub tiers: Vec<Row>,
    /// Lines of cost and income.
    pub money: Vec<Row>,
}

/// One of the two answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Name of the scenario.
    pub scenario: String,
    /// `HELD`, `MELTED` or `UNKNOWN`.
    pub verdict: &'static str,
    /// Why.
    pub reason: String,
    /// Seed.
    pub seed: u64,
    /// Share of the whole story that was simulated.
    pub scale: f64,
    /// Simulated length in seconds.
    pub simulated_s: f64,
}

/// A quantity in both answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Tier, or `cost` or `income`; `None` for headline numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// What.
    pub name: String,
    /// Unit of the values and of their difference.
    pub unit: String,
    /// Value in A; `None`: unknown, or A has no such tier or line.
    pub a: Option<f64>,
    /// Value in B, likewise.
    pub b: Option<f64>,
    /// b - a.
    pub difference: Option<f64>,
    /// (b - a) / |a|.
    pub relative: Option<f64>,
}

/// What changed from `a` to `b`.
#[must_use]
pub fn compare(a: &Summary, b: &Summary) -> Comparison {
    let headline = answer::measures(a)
        .into_iter()
        .zip(answer::measures(b))
        .map(|(a, b)| row(None, a.name, a.unit, [a.value, b.value]))
        .collect();
    Comparison {
        a: side(a),
        b: side(b),
        notes: notes(a, b),
        headline,
        tiers: tiers(a, b),
        money: money(a, b),
    }
}

fn side(summary: &Summary) -> Side {
    let verdict = answer::verdict(summary);
    Side {
        scenario: summary.scenario.clone(),
        verdict: verdict.word,
        reason: verdict.reason,
        seed: summary.seed,
        scale: summary.scale,
        simulated_s: summary.simulated_s,
    }
}

fn row(of: Option<&str>, name: &str, unit: &str, [a, b]: [Option<f64>; 2]) -> Row {
    let [a, b] = [a, b].map(|value| value.filter(|v| v.is_finite()));
    let difference = a.zip(b).map(|(a, b)| b - a);
    Row {
        of: of.map(str::to_owned),
        name: name.to_owned(),
        unit: unit.to_owned(),
        a,
        b,
        difference,
        relative: difference
            .zip(a)
            .filter(|(_, a)| *a != 0.0)
            .map(|(difference, a)| difference / a.abs()),
    }
}

/// In what the runs differ, in sentences.
fn notes(a: &Summary, b: &Summary) -> Vec<String> {
    let mut notes = Vec::new();
    if a.scale != b.scale {
        notes.push(format!(
            "the scales differ ({} and {}): counts and money cannot be compared",
            short(a.scale),
            short(b.scale)
        ));
    }
    if a.simulated_s != b.simulated_s {
        notes.push(format!(
            "the simulated lengths differ ({} and {}): counts and money cannot be compared",
            quantity(a.simulated_s, "s"),
            quantity(b.simulated_s, "s")
        ));
    }
    if a.start_unix_s != b.start_unix_s {
        notes.push(format!(
            "the starts differ ({} and {} UTC)",
            date::iso_minute(a.start_unix_s),
            date::iso_minute(b.start_unix_s)
        ));
    }
    for (name, summary) in [("A", a), ("B", b)] {
        if summary.partial {
            notes.push(format!("{name} was stopped before its horizon"));
        }
    }
    if a.seed != b.seed {
        notes.push(format!(
            "the seeds differ ({} and {}): part of the differences is chance",
            a.seed, b.seed
        ));
    }
    if a.meltpoint_version != b.meltpoint_version {
        notes.push(format!(
            "the runs were made by different versions ({} and {})",
            escape::name(&a.meltpoint_version),
            escape::name(&b.meltpoint_version)
        ));
    }
    notes
}

/// What is compared of a tier: name, unit, value.
type TierMeasure = (&'static str, &'static str, fn(&TierSummary) -> Option<f64>);

const TIER_MEASURES: [TierMeasure; 8] = [
    ("offered", "requests", |t| Some(t.offered as f64)),
    ("completed", "requests", |t| Some(t.completed as f64)),
    ("shed", "requests", |t| Some(t.shed_total() as f64)),
    ("abandoned", "requests", |t| Some(t.abandoned as f64)),
    ("failed", "requests", |t| Some(t.failed as f64)),
    ("never_served", "1", TierSummary::never_served_share),
    ("response_p50", "s", |t| t.response_s.p50),
    ("response_p99", "s", |t| t.response_s.p99),
];

fn tiers(a: &Summary, b: &Summary) -> Vec<Row> {
    let find = |summary: &Summary, name: &str| {
        let tier = summary.tiers.iter().find(|tier| tier.name == name);
        tier.cloned()
    };
    names(a.tiers.iter().chain(&b.tiers).map(|tier| &tier.name))
        .flat_map(|name| {
            let sides = [find(a, name), find(b, name)];
            TIER_MEASURES.map(|(measure, unit, value)| {
                let values = [0, 1].map(|side: usize| sides[side].as_ref().and_then(value));
                row(Some(name), measure, unit, values)
            })
        })
        .collect()
}

fn money(a: &Summary, b: &Summary) -> Vec<Row> {
    let mut rows = lines("cost", &a.money.costs, &b.money.costs);
    rows.extend(lines("income", &a.money.income, &b.money.income));
    rows
}

/// Lines of the same name beside each other; of several lines of one name, their sum.
fn lines(of: &str, a: &[MoneyLine], b: &[MoneyLine]) -> Vec<Row> {
    let sum = |lines: &[MoneyLine], what: &str| {
        let matching = lines.iter().filter(|line| line.what == what);
        matching.map(|line| line.usd).reduce(|sum, usd| sum + usd)
    };
    names(a.iter().chain(b).map(|line| &line.what))
        .map(|what| row(Some(of), what, "USD", [sum(a, what), sum(b, what)]))
        .collect()
}

/// Each name once, in the order of its first appearance.
fn names<'a>(all: impl Iterator<Item = &'a String>) -> impl Iterator<Item = &'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for name in all {
        if !seen.contains(&name.as_str()) {
            seen.push(name);
        }
    }
    seen.into_iter()
}

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

/// The comparison as CSV: `part`, `of`, `name`, `unit`, `a`, `b`, `difference`, `relative`.
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
        ],
    })
}

/// The parts with their name in files and their heading.
fn parts(comparison: &Comparison) -> [(&'static str, &'static str, &[Row]); 3] {
    [
        ("headline", "In short", &comparison.headline),
        ("tiers", "Tiers", &comparison.tiers),
        ("money", "Money", &comparison.money),
    ]
}

fn sections(comparison: &Comparison) -> Vec<Section> {
    let mut sections = Vec::new();
    if !comparison.notes.is_empty() {
        sections.push(Section {
            title: "Mind that",
            body: Body::List(comparison.notes.clone()),
        });
    }
    for (_, title, rows) in parts(comparison) {
        if !rows.is_empty() {
            sections.push(Section {
                title,
                body: Body::Table(grid(rows)),
            });
        }
    }
    sections
}

fn grid(rows: &[Row]) -> Grid {
    let mut grid = Grid::new(&[
        ("", Align::Left),
        ("A", Align::Right),
        ("B", Align::Right),
        ("B - A", Align::Right),
        ("relative", Align::Right),
    ]);
    for row in rows {
        let name = match &row.of {
            Some(of) => format!("{} {}", escape::cut(of, 24), escape::name(&row.name)),
            None => row.name.clone(),
        };
        let unknown = || number::UNKNOWN.to_owned();
        let (difference, relative, ink) = match row.difference {
            Some(0.0) => ("same".to_owned(), String::new(), Some(Ink::Faint)),
            difference => (
                difference.map_or_else(unknown, |d| signed(d, &row.unit)),
                row.relative.map_or_else(unknown, signed_percent),
                None,
            ),
        };
        let [a, b] = [row.a, row.b].map(|value| optional(value, &row.unit));
        grid.row([name.replace('_', " "), a, b, difference, relative], ink);
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    /// The surge, and the surge with a larger fleet and another set of tiers.
    fn pair() -> (Summary, Summary) {
        let a = fixture::surge();
        let mut b = a.clone();
        b.scenario = "more-chunks".into();
        b.slos.iter_mut().for_each(|slo| slo.kept = Some(true));
        b.total.completed += 100_000_000;
        b.tiers[2].name = "api".into();
        b.money.costs[1].what = "power west".into();
        b.money.cost_total_usd *= 2.0;
        (a, b)
    }

    fn find<'a>(rows: &'a [Row], of: Option<&str>, name: &str) -> &'a Row {
        let row = rows
            .iter()
            .find(|r| r.of.as_deref() == of && r.name == name);
        row.unwrap()
    }

    #[test]
    fn an_answer_does_not_differ_from_itself() {
        for summary in fixture::all() {
            let comparison = compare(&summary, &summary);
            let parts = parts(&comparison);
            let mut rows = parts.iter().flat_map(|part| part.2);
            assert!(rows.all(|row| row.difference.is_none_or(|d| d == 0.0)));
        }
    }

    #[test]
    fn differences_are_taken_from_a_to_b() {
        let (a, b) = pair();
        let comparison = compare(&a, &b);
        let completed = find(&comparison.headline, None, "completed");
        assert_eq!(completed.difference, Some(1e8));
        assert_eq!(completed.relative, Some(1e8 / 702e6));
        let back = compare(&b, &a);
        assert_eq!(
            find(&back.headline, None, "completed").difference,
            Some(-1e8)
        );
    }

    #[test]
    fn what_one_side_lacks_is_unknown_there() {
        let (a, b) = pair();
        let comparison = compare(&a, &b);
        assert_eq!(find(&comparison.tiers, Some("pro"), "offered").b, None);
        assert_eq!(find(&comparison.tiers, Some("api"), "offered").a, None);
        let power = find(&comparison.money, Some("cost"), "power west");
        assert_eq!((power.a, power.difference), (None, None));
    }

    #[test]
    fn runs_that_cannot_be_compared_say_so() {
        let (a, mut b) = pair();
        assert!(compare(&a, &b).notes.is_empty());
        b.scale = 0.01;
        b.simulated_s /= 2.0;
        b.seed = 7;
        let notes = compare(&a, &b).notes.join("\n");
        for part in [
            "scales differ (1 and 0.01)",
            "lengths differ (10 d and 5 d)",
            "chance",
        ] {
            assert!(notes.contains(part), "{notes}");
        }
    }

    #[test]
    fn every_format_shows_the_comparison() {
        let (a, b) = pair();
        for (a, b) in [(a.clone(), b), (a, fixture::huge())] {
            let comparison = compare(&a, &b);
            let style = Style {
                colour: false,
                width: 100,
            };
            let table = comparison_table(&comparison, style);
            assert!(table.starts_with("A  MELTED  ghibli-week"));
            assert!(table.chars().all(|c| c == '\n' || !c.is_control()));
            assert!(comparison_markdown(&comparison).contains("| never served | 28 % |"));
            assert!(
                comparison_csv(&comparison)
                    .contains("headline,,offered,requests,980000000,980000000,0,0")
            );
            let json: serde_json::Value =
                serde_json::from_str(&comparison_json(&comparison)).unwrap();
            assert_eq!(json["a"]["verdict"], "MELTED");
        }
    }
}
