//! The table of chunks put together by provider and by vendor: who supplies, and what it brings them.

use crate::metrics::summary::{Summary, SupplierCost, SupplierKind};
use crate::report::escape;
use crate::report::grid::{Align, Grid};
use crate::report::number::{cents, grouped, optional, short};
use crate::report::paint::Ink;

/// One row a provider: what has arrived, and its revenue, which is the rent of the GPU-hours.
pub(super) fn providers(summary: &Summary) -> Grid {
    let mut grid = columns(
        "provider",
        &[
            "GPUs",
            "arrived",
            "GPU-hours",
            "images",
            "revenue",
            "all costs",
            "per 1000",
        ],
    );
    let cells = |row: &SupplierCost| {
        [
            grouped(row.gpus),
            grouped(row.arrived_gpus),
            short(row.gpu_hours),
            short(row.images as f64),
            cents(row.rent_usd),
            cents(row.total_usd),
            optional(row.usd_per_1000_images, "USD"),
        ]
    };
    fill(&mut grid, summary, SupplierKind::Provider, cells);
    grid
}

/// One row a vendor: what its accelerators made, at which cost and energy, and what they were sold for.
pub(super) fn vendors(summary: &Summary) -> Grid {
    let mut grid = columns(
        "vendor",
        &[
            "GPUs",
            "images",
            "all costs",
            "per 1000",
            "energy",
            "per 1000",
            "sold for",
        ],
    );
    let cells = |row: &SupplierCost| {
        let kwh = row.energy_mwh.filter(|_| row.images > 0);
        let kwh = kwh.map(|mwh| 1000.0 * mwh / (row.images as f64 / 1000.0));
        [
            grouped(row.gpus),
            short(row.images as f64),
            cents(row.total_usd),
            optional(row.usd_per_1000_images, "USD"),
            optional(row.energy_mwh, "MWh"),
            optional(kwh, "kWh"),
            optional(row.purchase_usd, "USD"),
        ]
    };
    fill(&mut grid, summary, SupplierKind::Vendor, cells);
    grid
}

fn columns(first: &'static str, others: &[&'static str]) -> Grid {
    let others = others.iter().map(|title| (*title, Align::Right));
    let columns: Vec<_> = std::iter::once((first, Align::Left))
        .chain(others)
        .collect();
    Grid::new(&columns)
}

/// A row for each of a kind, and their sum where there are several.
fn fill(
    grid: &mut Grid,
    summary: &Summary,
    kind: SupplierKind,
    cells: impl Fn(&SupplierCost) -> [String; 7],
) {
    let mut row = |name: String, of: &SupplierCost, ink| {
        let [a, b, c, d, e, f, g] = cells(of);
        grid.row([name, a, b, c, d, e, f, g], ink);
    };
    let all = summary.money.suppliers.iter();
    let rows: Vec<&SupplierCost> = all.filter(|row| row.kind == kind).collect();
    for supplier in &rows {
        row(escape::name(&supplier.name), supplier, None);
    }
    if let [first, others @ ..] = &rows[..]
        && !others.is_empty()
    {
        let mut sum = SupplierCost::clone(first);
        others.iter().for_each(|other| sum.add(other));
        row("all".to_owned(), &sum, Some(Ink::Strong));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use crate::report::paint::Style;

    #[test]
    fn both_tables_end_with_the_sum_of_their_rows() {
        let summary = fixture::surge();
        let style = Style {
            colour: false,
            width: 200,
        };
        let total = cents(summary.money.cost_total_usd);
        for grid in [providers(&summary), vendors(&summary)] {
            let text = grid.text(style);
            let last = text.lines().last().expect("a sum");
            assert!(last.trim_start().starts_with("all"), "{text}");
            assert!(last.contains(&total), "{text}");
        }
        // 12 000 at 30 000 USD; the other's purchase price is not stated.
        let text = vendors(&summary).text(style);
        assert!(text.contains("360 M USD"), "{text}");
    }
}
