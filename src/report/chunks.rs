//! What each chunk costs, as tables for people: of what the cost is made, and what it is spent on.

use crate::metrics::summary::{ChunkCost, Summary};
use crate::report::escape;
use crate::report::grid::{Align, Grid};
use crate::report::number::{cents, optional, percent, quantity, short};
use crate::report::paint::Ink;

/// Of what the cost of each chunk is made; one row a chunk and their sum.
pub(super) fn costs(summary: &Summary) -> Grid {
    let mut grid = numbers(&[
        "chunk", "capital", "rent", "power", "network", "staff", "total",
    ]);
    let amounts = |row: &ChunkCost| {
        [
            row.capital_usd,
            row.rent_usd,
            row.power_usd,
            row.network_usd,
            row.staff_usd,
            row.total_usd,
        ]
    };
    let mut sums = [0.0; 6];
    for row in &summary.money.chunks {
        let of_row = amounts(row);
        sums.iter_mut()
            .zip(of_row)
            .for_each(|(sum, usd)| *sum += usd);
        let [a, b, c, d, e, f] = of_row.map(cents);
        grid.row([named(row), a, b, c, d, e, f], None);
    }
    if summary.money.chunks.len() > 1 {
        let [a, b, c, d, e, f] = sums.map(cents);
        grid.row(["all".into(), a, b, c, d, e, f], Some(Ink::Strong));
    }
    grid
}

/// What capital, rent and power went into: a split of them, no further cost.
pub(super) fn uses(summary: &Summary) -> Grid {
    let mut grid = numbers(&["chunk", "used", "busy", "idle", "failures"]);
    for row in &summary.money.chunks {
        let [busy, idle, failures] = [row.busy_usd, row.idle_usd, row.failures_usd].map(cents);
        let used = percent(row.utilisation);
        grid.row([escape::name(&row.chunk), used, busy, idle, failures], None);
    }
    grid
}

/// What each chunk delivered, at what cost, with what energy.
pub(super) fn delivered(summary: &Summary) -> Grid {
    let mut grid = numbers(&[
        "chunk",
        "images",
        "per 1000",
        "100 k GPUs a year",
        "energy",
        "CO2",
        "still owed",
    ]);
    for row in &summary.money.chunks {
        let cells = [
            named(row),
            short(row.images as f64),
            optional(row.usd_per_1000_images, "USD"),
            optional(row.usd_per_chunk_year, "USD"),
            optional(row.energy_mwh, "MWh"),
            optional(row.carbon_t, "t"),
            quantity(row.committed_usd, "USD"),
        ];
        grid.row(cells, None);
    }
    grid
}

/// What the images of each quality cost, where there is more than one.
pub(super) fn qualities(summary: &Summary) -> Grid {
    let mut grid = Grid::new(&[
        ("chunk", Align::Left),
        ("images of", Align::Left),
        ("images", Align::Right),
        ("share of cost", Align::Right),
        ("USD", Align::Right),
        ("USD per 1000", Align::Right),
    ]);
    for row in &summary.money.chunks {
        for quality in row.qualities.iter().filter(|_| row.qualities.len() > 1) {
            let cells = [
                escape::name(&row.chunk),
                escape::name(&quality.quality),
                short(quality.images as f64),
                percent(quality.usd / row.total_usd),
                cents(quality.usd),
                short(quality.usd_per_1000_images),
            ];
            grid.row(cells, None);
        }
    }
    grid
}

/// Its name, and who makes its accelerators where that is told.
fn named(row: &ChunkCost) -> String {
    let name = escape::name(&row.chunk);
    match row.vendor.is_empty() {
        true => name,
        false => format!("{name} ({})", escape::name(&row.vendor)),
    }
}

/// A table whose first column has words and the others numbers.
fn numbers(titles: &[&'static str]) -> Grid {
    let align = |index: usize| match index {
        0 => Align::Left,
        _ => Align::Right,
    };
    let columns = titles.iter().enumerate();
    let columns: Vec<_> = columns.map(|(i, title)| (*title, align(i))).collect();
    Grid::new(&columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use crate::report::paint::Style;

    #[test]
    fn the_table_adds_up_to_the_bill() {
        let summary = fixture::surge();
        let style = Style {
            colour: false,
            width: 200,
        };
        let text = costs(&summary).text(style);
        let last = text.lines().last().expect("a sum");
        assert!(last.trim_start().starts_with("all"), "{text}");
        assert!(
            last.ends_with(&cents(summary.money.cost_total_usd)),
            "{text}"
        );
        let text = qualities(&summary).text(style);
        assert!(text.contains("image high"), "{text}");
        assert!(uses(&summary).text(style).contains("1 500 000.00"));
    }
}
