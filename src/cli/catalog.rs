//! `meltpoint catalog`: accelerators, prices, suppliers and purchase prices, with a user's own rows over them.

use std::path::Path;

use super::args::{self, CatalogTable, DataFormat};
use super::error::Failure;
use super::{load, output, report};
use crate::profile::catalog::{Catalog, OverlayFormat};
use crate::report::{self as formats, printable_path};

/// Largest overlay.
const OVERLAY_BYTES_MAX: u64 = 16 << 20;

pub(super) fn run(arguments: &args::Catalog) -> Result<u8, Failure> {
    let mut catalog = Catalog::built_in();
    for path in &arguments.overlay {
        overlay(&mut catalog, path)?;
    }
    filter(&mut catalog, arguments);
    let table = arguments.table.map(|table| match table {
        CatalogTable::Accelerators => formats::CatalogTable::Accelerators,
        CatalogTable::Prices => formats::CatalogTable::Prices,
        CatalogTable::Providers => formats::CatalogTable::Providers,
        CatalogTable::Purchases => formats::CatalogTable::Purchases,
    });
    output::result(&match (arguments.format, table) {
        (DataFormat::Table, table) => formats::catalog_table(&catalog, table, report::style()),
        (DataFormat::Json, table) => formats::catalog_json(&catalog, table),
        (DataFormat::Csv, Some(table)) => formats::catalog_csv(&catalog, table),
        (DataFormat::Csv, None) => {
            let hint = "say which: `meltpoint catalog prices --format csv`, or accelerators, providers, purchases";
            return Err(Failure::usage("a CSV file holds one table", hint));
        }
    })?;
    Ok(0)
}

fn overlay(catalog: &mut Catalog, path: &Path) -> Result<(), Failure> {
    let name = printable_path(path);
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    let format = match extension.as_deref() {
        Some("csv") => OverlayFormat::Csv,
        Some("toml") => OverlayFormat::Toml,
        _ => {
            let message = format!("`{name}` is neither a .csv nor a .toml file");
            return Err(Failure::usage(
                message,
                "name the overlay after what it holds",
            ));
        }
    };
    let bytes = load::read_file(path, OVERLAY_BYTES_MAX)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("`{name}` is not UTF-8 text"), "save it as UTF-8"))?;
    catalog.overlay(&text, format).map_err(|problem| {
        let message = formats::printable_text(&problem.message);
        let hint = formats::printable_text(&problem.hint);
        Failure::usage(format!("{name}:{}: {message}", problem.line), hint)
    })
}

/// Leaves the rows that are asked for; upper and lower case are one, a part of a name will do.
fn filter(catalog: &mut Catalog, arguments: &args::Catalog) {
    let fits = |wanted: &Option<String>, found: &str| {
        let within = |wanted: &String| {
            let found = found.to_ascii_lowercase();
            found.contains(&wanted.trim().to_ascii_lowercase())
        };
        wanted.as_ref().is_none_or(within)
    };
    catalog.accelerators.retain(|row| {
        fits(&arguments.vendor, &row.vendor) && fits(&arguments.accelerator, &row.name)
    });
    let of_vendor = |accelerator: &str| {
        let mut accelerators = catalog.accelerators.iter();
        arguments.vendor.is_none() || accelerators.any(|row| row.name == accelerator)
    };
    catalog.prices.retain(|row| {
        of_vendor(&row.accelerator)
            && fits(&arguments.accelerator, &row.accelerator)
            && fits(&arguments.provider, &row.provider)
            && fits(&arguments.term, &row.term)
    });
    catalog.purchases.retain(|row| {
        of_vendor(&row.accelerator) && fits(&arguments.accelerator, &row.accelerator)
    });
    catalog
        .providers
        .retain(|row| fits(&arguments.provider, &row.name));
}
