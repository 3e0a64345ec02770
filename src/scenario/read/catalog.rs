//! What a scenario takes from the catalog: vendors and prices of chunks, perhaps with the user's own rows over it.

use super::World;
use super::notes::Notes;
use super::problem::shown;
use super::supply::ChunkParts;
use crate::profile::catalog::{Catalog, OverlayFormat};
use crate::scenario::Chunk;

/// The catalog with the rows of a file over its own; notes a problem with the file.
pub(super) fn catalog(notes: &Notes, overlay: Option<&str>, world: &World<'_>) -> Catalog {
    const PATH: &str = "scenario.catalog";
    let mut catalog = Catalog::built_in();
    let Some(file) = overlay else {
        return catalog;
    };
    let format = match file.rsplit_once('.') {
        Some((_, extension)) if extension.eq_ignore_ascii_case("toml") => OverlayFormat::Toml,
        _ => OverlayFormat::Csv,
    };
    let text = (world.files)(file)
        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned()));
    match text {
        Err(problem) => {
            let message = format!("`{PATH}` \"{}\" cannot be read: {problem}", shown(file));
            notes.problem_at(PATH, message, "correct its path");
        }
        Ok(text) => {
            if let Err(problem) = catalog.overlay(&text, format) {
                let message = format!(
                    "{}:{}: {}",
                    shown(file),
                    problem.line,
                    shown(&problem.message)
                );
                notes.problem_at(PATH, message, problem.hint);
            }
        }
    }
    catalog
}

/// The chunks of which some GPUs are ordered, with their vendors, and with prices from the catalog where they want that.
pub(super) fn priced(notes: &Notes, catalog: &Catalog, parts: Vec<ChunkParts>) -> Vec<Chunk> {
    let ordered = parts.into_iter().filter(|part| part.chunk.gpus > 0);
    ordered.map(|part| one(notes, catalog, part)).collect()
}

fn one(notes: &Notes, catalog: &Catalog, part: ChunkParts) -> Chunk {
    let mut chunk = part.chunk;
    let vendor = catalog.vendor(&chunk.accelerator).unwrap_or_default();
    vendor.clone_into(&mut chunk.vendor);
    if part.purchase_from_catalog {
        purchase(notes, catalog, &mut chunk);
    }
    if part.from_catalog {
        price(notes, catalog, &mut chunk);
    }
    chunk
}

/// What the catalog says that the vendor gets for a GPU.
fn purchase(notes: &Notes, catalog: &Catalog, chunk: &mut Chunk) {
    let path = format!("chunk.{}.purchase_price", chunk.name);
    let Some(row) = catalog.purchase(&chunk.accelerator) else {
        let message = format!(
            "the catalog has no purchase price of \"{}\"",
            shown(&chunk.accelerator)
        );
        let hint = "`meltpoint catalog purchases` lists all; or write the price: \"30000 USD/GPU\"";
        notes.problem_at(&path, message, hint);
        return;
    };
    chunk.purchase_usd_per_gpu = Some(row.usd_per_gpu);
    let value = format!("{} USD/GPU", row.usd_per_gpu);
    let source = format!("catalog: {} ({})", row.source, row.date);
    notes.restate(&path, value, row.provenance, source);
}

/// What the catalog says that the provider asks for a GPU-hour.
fn price(notes: &Notes, catalog: &Catalog, chunk: &mut Chunk) {
    let path = format!("chunk.{}.price", chunk.name);
    let Some(price) = catalog.price(&chunk.provider, &chunk.accelerator, &chunk.term) else {
        let message = format!(
            "the catalog has no price of \"{}\" from \"{}\" under the term \"{}\"",
            shown(&chunk.accelerator),
            shown(&chunk.provider),
            shown(&chunk.term)
        );
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        let near = catalog.prices.iter().filter(|price| {
            same(&price.provider, &chunk.provider) || same(&price.accelerator, &chunk.accelerator)
        });
        let near: Vec<String> = near
            .take(6)
            .map(|price| format!("{} {} {}", price.provider, price.accelerator, price.term))
            .collect();
        let hint = match near.is_empty() {
            true => "`meltpoint catalog prices` lists all; or write the price".to_owned(),
            false => format!("it has {}; or write the price", near.join("; ")),
        };
        notes.problem_at(&path, message, hint);
        return;
    };
    chunk.usd_per_gpu_hour = price.usd_per_gpu_hour;
    let value = format!("{} USD/GPU-hour", price.usd_per_gpu_hour);
    let source = format!("catalog: {} ({})", price.source, price.date);
    notes.restate(&path, value, price.provenance, source);
}
