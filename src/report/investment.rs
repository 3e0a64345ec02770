//! The money loop in each format: what came of it, month by month, and what matters most.

use crate::economics::investment::{Effect, Loop, Month};
use crate::report::answer::{Section, filled};
use crate::report::frame::{Cells, Frame, FrameColumn};
use crate::report::grid::{Align, Grid};
use crate::report::number::{percent, quantity, short, signed, signed_percent};
use crate::report::paint::{Ink, Style};
use crate::report::{csv, date, escape, inputs, json, markdown, table};
use crate::scenario::Input;

/// Effects that people see; files have all.
const EFFECTS_SHOWN: usize = 12;

/// The loop on a terminal, ending with a line feed.
#[must_use]
pub fn investment_table(found: &Loop, inputs: &[Input], style: Style) -> String {
    let mut text = format!(
        "{}: {}\n",
        style.paint(Ink::Strong, &escape::name(&found.scenario)),
        escape::text(&found.question)
    );
    for part in sections(found, inputs) {
        text += &table::section(&part, style);
    }
    text
}

/// The loop as Markdown, ending with a line feed.
#[must_use]
pub fn investment_markdown(found: &Loop, inputs: &[Input]) -> String {
    let mut text = format!(
        "# The money loop: {}\n\n{}\n",
        escape::markdown(&escape::name(&found.scenario)),
        escape::markdown(&escape::text(&found.question))
    );
    for part in sections(found, inputs) {
        text += &markdown::section(&part);
    }
    text
}

/// The loop as JSON, ending with a line feed.
#[must_use]
pub fn investment_json(found: &Loop) -> String {
    json::to_text(found)
}

/// The loop as CSV, one row a month.
#[must_use]
pub fn investment_csv(found: &Loop) -> String {
    csv::write(&frame(found))
}

fn sections(found: &Loop, inputs: &[Input]) -> Vec<Section> {
    let (table, list) = (Section::table, Section::list);
    let sections = vec![
        list("In short", in_short(found)),
        table("Demand and service, by month", service(found)),
        table("Money in USD, by month", money(found)),
        table("What the makers get in USD, over all months", makers(found)),
        table(
            "What 10 % less and more of an input changes at the end, the widest first",
            effects(&found.sensitivities),
        ),
        list("What it rests on", rests_on(inputs)),
    ];
    filled(sections)
}

fn in_short(found: &Loop) -> Vec<String> {
    let usd = |usd: f64| quantity(usd, "USD");
    let sum = |of: fn(&Month) -> f64| found.months.iter().map(of).sum::<f64>();
    let mut lines = vec![
        format!(
            "a contract of {} a year for {} is {:.4} USD a GPU-hour (365 days)",
            usd(found.contract_usd_per_year),
            quantity(found.chunk_gpus, "GPUs"),
            found.usd_per_gpu_hour
        ),
        format!(
            "a GPU makes {} images an hour with full batches, by the profile {}",
            short(found.images_per_gpu_hour),
            escape::name(&found.profile)
        ),
    ];
    if let Some(multiple) = found.revenue_multiple {
        lines.push(format!(
            "the first round pays {} times the annualised revenue and sells {} of the company",
            short(multiple),
            percent(found.round_share)
        ));
    }
    if let (Some(first), Some(last)) = (found.months.first(), found.months.last()) {
        let change = |what: &str, of: fn(&Month) -> f64, unit: &str| {
            let [from, to] = [first, last].map(|month| quantity(of(month), unit));
            format!("{what}: {from} to {to}")
        };
        lines.push(change("users", |m| m.users, ""));
        lines.push(change("GPUs in service", |m| m.fleet_gpus, ""));
        lines.push(change("revenue a month", |m| m.revenue_usd, "USD"));
        lines.push(change("valuation", |m| m.valuation_usd, "USD"));
    }
    lines.push(format!(
        "over all months: revenue {}, cloud {}, raised {}; images not served are worth {} at the price list",
        usd(sum(|m| m.revenue_usd)),
        usd(sum(|m| m.cloud_revenue_usd)),
        usd(sum(|m| m.raised_usd)),
        usd(sum(|m| m.missed_list_usd))
    ));
    if let Some(broke) = found.months.iter().find(|m| m.cash_usd < 0.0) {
        lines.push(format!(
            "the cash falls below zero in month {}: its rent is then owed",
            broke.month
        ));
    }
    lines.push(found.rest.map_or_else(
        || "there is no point of rest above zero".to_owned(),
        |rest| {
            format!(
                "with the last fleet it would come to rest at {} users, {} subscribers, {} served",
                short(rest.users),
                short(rest.subscribers),
                percent(rest.served_share)
            )
        },
    ));
    lines
}

fn columns(titles: &[&'static str]) -> Grid {
    let columns: Vec<_> = titles.iter().map(|title| (*title, Align::Right)).collect();
    Grid::new(&columns)
}

fn service(found: &Loop) -> Grid {
    let mut grid = columns(&[
        "month",
        "users",
        "subscribers",
        "images",
        "served",
        "GPU-hours",
        "fleet",
        "wanted",
        "affordable",
        "ordered",
    ]);
    for month in &found.months {
        let ink = (month.served_share < 1.0).then_some(Ink::Doubt);
        let cells = [
            month.month.to_string(),
            short(month.users),
            short(month.subscribers),
            short(month.wanted_images),
            percent(month.served_share),
            short(month.gpu_hours),
            short(month.fleet_gpus),
            short(month.wanted_gpus),
            short(month.affordable_gpus),
            short(month.ordered_gpus),
        ];
        grid.row(cells, ink);
    }
    grid
}

fn money(found: &Loop) -> Grid {
    let mut grid = columns(&[
        "month",
        "revenue",
        "cloud",
        "other costs",
        "raised",
        "cash",
        "makers",
        "missed",
        "valuation",
    ]);
    for month in &found.months {
        let cells = [
            month.month.to_string(),
            short(month.revenue_usd),
            short(month.cloud_revenue_usd),
            short(month.other_costs_usd),
            short(month.raised_usd),
            short(month.cash_usd),
            short(month.makers_usd.iter().sum()),
            short(month.missed_list_usd),
            short(month.valuation_usd),
        ];
        let ink = (month.cash_usd < 0.0).then_some(Ink::Bad);
        grid.row(cells, ink);
    }
    grid
}

fn makers(found: &Loop) -> Grid {
    let mut grid = Grid::new(&[("maker", Align::Left), ("revenue", Align::Right)]);
    for (index, vendor) in found.vendors.iter().enumerate() {
        let of_month = found.months.iter().map(|month| month.makers_usd[index]);
        let cells = [escape::name(vendor), quantity(of_month.sum(), "USD")];
        grid.row(cells, None);
    }
    grid
}

fn effects(effects: &[Effect]) -> Grid {
    let mut grid = Grid::new(&[
        ("input", Align::Left),
        ("revenue -10 %", Align::Right),
        ("+10 %", Align::Right),
        ("fleet -10 %", Align::Right),
        ("+10 %", Align::Right),
        ("cash -10 %", Align::Right),
        ("+10 %", Align::Right),
    ]);
    for effect in effects.iter().take(EFFECTS_SHOWN) {
        let [revenue_low, revenue_high] = effect.revenue.map(signed_percent);
        let [fleet_low, fleet_high] = effect.fleet.map(signed_percent);
        let [cash_low, cash_high] = effect.cash_usd.map(|usd| signed(usd, "USD"));
        let cells = [
            effect.input.clone(),
            revenue_low,
            revenue_high,
            fleet_low,
            fleet_high,
            cash_low,
            cash_high,
        ];
        grid.row(cells, None);
    }
    grid
}

/// The inputs of the loop with what they rest on.
fn rests_on(inputs: &[Input]) -> Vec<String> {
    let of_loop = inputs
        .iter()
        .filter(|input| input.path.starts_with("investment."));
    let words = of_loop.map(|input| {
        let class = input.provenance.map_or_else(
            || input.origin.clone(),
            |class| inputs::provenance(class).to_owned(),
        );
        let source = input.source.as_deref().unwrap_or("");
        let name = input.path.trim_start_matches("investment.");
        let (name, value) = (escape::text(name), escape::text(&input.value));
        format!("{name} = {value} ({class}) {}", escape::text(source))
    });
    words.map(|line| line.trim_end().to_owned()).collect()
}

fn frame(found: &Loop) -> Frame {
    let months = &found.months;
    let number = |title: &str, unit: &str, cell: &dyn Fn(&Month) -> f64| FrameColumn {
        title: title.to_owned(),
        unit: unit.to_owned(),
        cells: Cells::Number(months.iter().map(|month| Some(cell(month))).collect()),
    };
    let mut columns = vec![
        FrameColumn {
            title: "month".to_owned(),
            unit: String::new(),
            cells: Cells::Count(months.iter().map(|m| u64::from(m.month)).collect()),
        },
        FrameColumn {
            title: "starts_utc".to_owned(),
            unit: String::new(),
            cells: Cells::Instant(
                months
                    .iter()
                    .map(|m| date::unix_s(found.start_unix_s, starts_s(m)))
                    .collect(),
            ),
        },
        number("users", "users", &|m| m.users),
        number("subscribers", "users", &|m| m.subscribers),
        number("revenue_usd", "USD", &|m| m.revenue_usd),
        number("wanted_images", "images", &|m| m.wanted_images),
        number("served_share", "1", &|m| m.served_share),
        number("served_list_usd", "USD", &|m| m.served_list_usd),
        number("missed_list_usd", "USD", &|m| m.missed_list_usd),
        number("gpu_hours", "GPU-hours", &|m| m.gpu_hours),
        number("cloud_revenue_usd", "USD", &|m| m.cloud_revenue_usd),
        number("fleet_gpus", "GPUs", &|m| m.fleet_gpus),
        number("wanted_gpus", "GPUs", &|m| m.wanted_gpus),
        number("affordable_gpus", "GPUs", &|m| m.affordable_gpus),
        number("ordered_gpus", "GPUs", &|m| m.ordered_gpus),
        number("delivered_gpus", "GPUs", &|m| m.delivered_gpus),
        number("building_usd", "USD", &|m| m.building_usd),
        number("raised_usd", "USD", &|m| m.raised_usd),
        number("other_costs_usd", "USD", &|m| m.other_costs_usd),
        number("cash_usd", "USD", &|m| m.cash_usd),
        number("cloud_balance_usd", "USD", &|m| m.cloud_balance_usd),
        number("valuation_usd", "USD", &|m| m.valuation_usd),
    ];
    for (index, vendor) in found.vendors.iter().enumerate() {
        let title = format!("maker_usd[{}]", escape::name(vendor));
        columns.push(number(&title, "USD", &|m| m.makers_usd[index]));
    }
    Frame { columns }
}

/// When a month starts, in seconds after the first: months are twelfths of 365 days.
pub(super) fn starts_s(month: &Month) -> f64 {
    const MONTH_S: f64 = 365.0 * 86_400.0 / 12.0;
    f64::from(month.month - 1) * MONTH_S
}
