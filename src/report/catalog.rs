//! The catalog shown: accelerators, prices, suppliers, purchase prices, each row with its class and source.

use serde::Serialize;
use serde_json::json;

use crate::profile::catalog::{Accelerator, Catalog, Price, Provider, Purchase};
use crate::profile::mlperf::best_sdxl_rate;
use crate::report::grid::{Align, Grid};
use crate::report::inputs::provenance;
use crate::report::number::UNKNOWN;
use crate::report::paint::{Ink, Style};
use crate::report::{escape, number};

/// A table of the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatalogTable {
    /// What devices can do.
    Accelerators,
    /// What a GPU-hour costs.
    Prices,
    /// Who supplies how many.
    Providers,
    /// What an accelerator is sold for.
    Purchases,
}

const ALL: [CatalogTable; 4] = [
    CatalogTable::Accelerators,
    CatalogTable::Prices,
    CatalogTable::Providers,
    CatalogTable::Purchases,
];

impl CatalogTable {
    fn title(self) -> &'static str {
        match self {
            Self::Accelerators => "Accelerators (rates in dense TFLOP/s)",
            Self::Prices => "Prices",
            Self::Providers => "Providers",
            Self::Purchases => "Purchase prices of accelerators, without servers",
        }
    }
}

/// An accelerator with the rate that was made public of it.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    accelerator: &'a Accelerator,
    /// SDXL images a second, the best public MLPerf result.
    sdxl_images_per_s: Option<f64>,
    /// Where that was read.
    sdxl_source: String,
}

impl<'a> Shown<'a> {
    fn of(accelerator: &'a Accelerator) -> Self {
        let best = best_sdxl_rate(&accelerator.name);
        Self {
            accelerator,
            sdxl_images_per_s: best.as_ref().map(|(rate, _)| *rate),
            sdxl_source: best.map_or_else(String::new, |(_, submission)| submission.source),
        }
    }
}

/// One table, or all with headings, on a terminal; ending with a line feed.
#[must_use]
pub fn catalog_table(catalog: &Catalog, table: Option<CatalogTable>, style: Style) -> String {
    let tables = ALL
        .iter()
        .filter(|one| table.is_none_or(|table| table == **one));
    let texts = tables.map(|one| {
        let grid = grid(catalog, *one);
        let heading = style.paint(Ink::Strong, one.title());
        match grid.is_empty() {
            true => format!("{heading}\n  none\n"),
            false => format!("{heading}\n{}", grid.text(style)),
        }
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// One table as a JSON array, or all in an object; ending with a line feed.
#[must_use]
pub fn catalog_json(catalog: &Catalog, table: Option<CatalogTable>) -> String {
    let shown: Vec<Shown<'_>> = catalog.accelerators.iter().map(Shown::of).collect();
    let json = match table {
        None => json!({
            "accelerators": shown, "prices": catalog.prices, "providers": catalog.providers,
            "purchases": catalog.purchases,
        }),
        Some(CatalogTable::Accelerators) => json!(shown),
        Some(CatalogTable::Prices) => json!(catalog.prices),
        Some(CatalogTable::Providers) => json!(catalog.providers),
        Some(CatalogTable::Purchases) => json!(catalog.purchases),
    };
    serde_json::to_string_pretty(&json).expect("rows are always JSON") + "\n"
}

/// One table as CSV, with the columns of an overlay; the rate of accelerators is left to the other formats.
#[must_use]
pub fn catalog_csv(catalog: &Catalog, table: CatalogTable) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = match table {
        CatalogTable::Accelerators => all(&mut writer, &catalog.accelerators),
        CatalogTable::Prices => all(&mut writer, &catalog.prices),
        CatalogTable::Providers => all(&mut writer, &catalog.providers),
        CatalogTable::Purchases => all(&mut writer, &catalog.purchases),
    };
    written.expect("memory takes every row");
    let bytes = writer.into_inner().expect("memory takes every row");
    String::from_utf8(bytes).expect("rows are text")
}

fn all<T: Serialize>(writer: &mut csv::Writer<Vec<u8>>, rows: &[T]) -> csv::Result<()> {
    rows.iter().try_for_each(|row| writer.serialize(row))
}

fn grid(catalog: &Catalog, table: CatalogTable) -> Grid {
    match table {
        CatalogTable::Accelerators => accelerators(&catalog.accelerators),
        CatalogTable::Prices => prices(&catalog.prices),
        CatalogTable::Providers => providers(&catalog.providers),
        CatalogTable::Purchases => purchases(&catalog.purchases),
    }
}

fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| value.to_string())
}

fn accelerators(rows: &[Accelerator]) -> Grid {
    let mut grid = Grid::new(&[
        ("name", Align::Left),
        ("vendor", Align::Left),
        ("GB", Align::Right),
        ("TB/s", Align::Right),
        ("16 bit", Align::Right),
        ("8 bit", Align::Right),
        ("4 bit", Align::Right),
        ("W", Align::Right),
        ("SDXL/s", Align::Right),
        ("class", Align::Left),
        ("source", Align::Left),
    ]);
    for row in rows {
        let rate = best_sdxl_rate(&row.name).map(|(rate, _)| number::short(rate));
        let cells = [
            escape::name(&row.name),
            escape::name(&row.vendor),
            row.memory_gb.to_string(),
            row.bandwidth_tb_per_s.to_string(),
            row.tflop_per_s_16bit.to_string(),
            optional(row.tflop_per_s_8bit),
            optional(row.tflop_per_s_4bit),
            optional(row.power_w),
            rate.unwrap_or_else(|| UNKNOWN.to_owned()),
            provenance(row.provenance).to_owned(),
            escape::text(&row.source),
        ];
        grid.row(cells, None);
    }
    grid
}

fn prices(rows: &[Price]) -> Grid {
    let mut grid = Grid::new(&[
        ("provider", Align::Left),
        ("accelerator", Align::Left),
        ("term", Align::Left),
        ("USD/GPU-hour", Align::Right),
        ("from", Align::Right),
        ("to", Align::Right),
        ("as of", Align::Right),
        ("class", Align::Left),
        ("source", Align::Left),
    ]);
    for row in rows {
        let cells = [
            escape::name(&row.provider),
            escape::name(&row.accelerator),
            escape::name(&row.term),
            row.usd_per_gpu_hour.to_string(),
            optional(row.low),
            optional(row.high),
            escape::name(&row.date),
            provenance(row.provenance).to_owned(),
            escape::text(&row.source),
        ];
        grid.row(cells, None);
    }
    grid
}

fn providers(rows: &[Provider]) -> Grid {
    let mut grid = Grid::new(&[
        ("provider", Align::Left),
        ("kind", Align::Left),
        ("GPUs/month", Align::Right),
        ("lead days", Align::Right),
        ("from", Align::Right),
        ("to", Align::Right),
        ("class", Align::Left),
        ("source", Align::Left),
        ("note", Align::Left),
    ]);
    for row in rows {
        let cells = [
            escape::name(&row.name),
            escape::name(&row.kind),
            row.gpus_per_month.to_string(),
            row.lead_days_typical.to_string(),
            row.lead_days_short.to_string(),
            row.lead_days_long.to_string(),
            provenance(row.provenance).to_owned(),
            escape::text(&row.source),
            escape::text(&row.note),
        ];
        grid.row(cells, None);
    }
    grid
}

fn purchases(rows: &[Purchase]) -> Grid {
    let mut grid = Grid::new(&[
        ("accelerator", Align::Left),
        ("USD/GPU", Align::Right),
        ("from", Align::Right),
        ("to", Align::Right),
        ("as of", Align::Right),
        ("class", Align::Left),
        ("source", Align::Left),
    ]);
    for row in rows {
        let cells = [
            escape::name(&row.accelerator),
            row.usd_per_gpu.to_string(),
            optional(row.low),
            optional(row.high),
            escape::name(&row.date),
            provenance(row.provenance).to_owned(),
            escape::text(&row.source),
        ];
        grid.row(cells, None);
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::catalog::OverlayFormat;

    #[test]
    fn a_table_that_was_exported_is_an_overlay_that_changes_nothing() {
        let catalog = Catalog::built_in();
        for table in [
            CatalogTable::Prices,
            CatalogTable::Providers,
            CatalogTable::Purchases,
        ] {
            let mut over = catalog.clone();
            let text = catalog_csv(&catalog, table);
            over.overlay(&text, OverlayFormat::Csv).expect("rows");
            assert_eq!(over, catalog);
        }
    }

    #[test]
    fn the_rate_of_an_accelerator_is_its_best_public_result() {
        let (rate, submission) = best_sdxl_rate("H100-SXM-80GB").expect("there are many");
        // GPUs of one system share its result; no H100 made three images a second.
        assert!((2.0..3.0).contains(&rate), "{rate}");
        assert!(submission.source.starts_with("github.com/mlcommons/"));
        assert!(best_sdxl_rate("RTX-5090").is_none(), "nobody submitted one");
        let json = catalog_json(&Catalog::built_in(), Some(CatalogTable::Accelerators));
        assert!(json.contains(&submission.source));
    }
}
