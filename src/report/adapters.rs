//! Which adapters there are and what they can do, for people and for programs.

use serde::Serialize;

use crate::gpu::Adapter;
use crate::gpu::adapter::Kind;
use crate::report::frame::{Cells, Frame, FrameColumn};
use crate::report::grid::{Align, Grid};
use crate::report::number::rate;
use crate::report::paint::{Ink, Style};
use crate::report::{csv, escape, json};

/// An adapter in words.
#[derive(Debug, Serialize)]
struct Listed {
    number: usize,
    name: String,
    kind: &'static str,
    backend: String,
    driver: String,
    variants: String,
    timestamps: bool,
    subgroup: bool,
    buffer_bytes_max: u64,
}

/// The adapters on a terminal, ending with a line feed.
#[must_use]
pub fn adapters_table(adapters: &[Adapter], style: Style) -> String {
    let heading = style.paint(Ink::Strong, "Adapters");
    format!("{heading}\n{}", grid(&listed(adapters)).text(style))
}

/// The adapters as Markdown, ending with a line feed.
#[must_use]
pub fn adapters_markdown(adapters: &[Adapter]) -> String {
    format!("## Adapters\n\n{}", grid(&listed(adapters)).markdown())
}

/// The adapters as JSON, ending with a line feed.
#[must_use]
pub fn adapters_json(adapters: &[Adapter]) -> String {
    #[derive(Serialize)]
    struct List {
        adapters: Vec<Listed>,
    }
    json::to_text(&List {
        adapters: listed(adapters),
    })
}

/// The adapters as CSV.
#[must_use]
pub fn adapters_csv(adapters: &[Adapter]) -> String {
    let listed = listed(adapters);
    let text = |title: &str, cell: fn(&Listed) -> String| FrameColumn {
        title: title.to_owned(),
        unit: String::new(),
        cells: Cells::Text(listed.iter().map(cell).collect()),
    };
    csv::write(&Frame {
        columns: vec![
            text("number", |one| one.number.to_string()),
            text("name", |one| one.name.clone()),
            text("kind", |one| one.kind.to_owned()),
            text("backend", |one| one.backend.clone()),
            text("driver", |one| one.driver.clone()),
            text("variants", |one| one.variants.clone()),
            text("timestamps", |one| one.timestamps.to_string()),
            text("subgroup", |one| one.subgroup.to_string()),
            text("buffer_bytes_max", |one| one.buffer_bytes_max.to_string()),
        ],
    })
}

fn listed(adapters: &[Adapter]) -> Vec<Listed> {
    let listed = |(number, adapter): (usize, &Adapter)| {
        let can = &adapter.capability;
        let variants: Vec<&str> = can.variants().iter().map(|v| v.name()).collect();
        Listed {
            number,
            name: escape::name(&adapter.name),
            kind: match adapter.kind {
                Kind::Discrete => "discrete",
                Kind::Integrated => "integrated",
                Kind::Virtual => "virtual",
                Kind::Software => "SOFTWARE",
                Kind::Other => "other",
            },
            backend: escape::name(&adapter.backend),
            driver: escape::name(&format!("{} {}", adapter.driver, adapter.driver_info)),
            variants: variants.join(" "),
            timestamps: can.timestamps,
            subgroup: can.subgroup,
            buffer_bytes_max: can.buffer_bytes_max,
        }
    };
    adapters.iter().enumerate().map(listed).collect()
}

fn grid(listed: &[Listed]) -> Grid {
    let mut grid = Grid::new(&[
        ("", Align::Right),
        ("adapter", Align::Left),
        ("kind", Align::Left),
        ("backend", Align::Left),
        ("driver", Align::Left),
        ("variants", Align::Left),
        ("clock", Align::Left),
        ("largest buffer", Align::Right),
    ]);
    for one in listed {
        let clock = if one.timestamps { "device" } else { "host" };
        grid.row(
            [
                one.number.to_string(),
                one.name.clone(),
                one.kind.to_owned(),
                one.backend.clone(),
                one.driver.clone(),
                one.variants.clone(),
                clock.to_owned(),
                rate(one.buffer_bytes_max as f64, "B"),
            ],
            (one.kind == "SOFTWARE").then_some(Ink::Doubt),
        );
    }
    grid
}
