//! Which adapters there are, what they can do, and which models can be measured on them.

use serde::Serialize;

use crate::gpu::adapter::Kind;
use crate::gpu::{Adapter, Model};
use crate::report::grid::{Align, Grid};
use crate::report::number::rate;
use crate::report::paint::{Ink, Style};
use crate::report::{escape, json};

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

/// A model in words.
#[derive(Debug, Serialize)]
struct ListedModel {
    name: String,
    title: String,
    kind: String,
    resolutions_px: Vec<u32>,
    iterations_per_image: u32,
    sequences_per_image: u32,
    source: String,
}

/// Adapters and models on a terminal, ending with a line feed.
#[must_use]
pub fn measurable_table(adapters: &[Adapter], models: &[Model], style: Style) -> String {
    format!(
        "{}\n{}\n{}\n{}",
        style.paint(Ink::Strong, "Adapters"),
        adapters_grid(&listed(adapters)).text(style),
        style.paint(Ink::Strong, "Models"),
        models_grid(&listed_models(models)).text(style)
    )
}

/// Adapters and models as Markdown, ending with a line feed.
#[must_use]
pub fn measurable_markdown(adapters: &[Adapter], models: &[Model]) -> String {
    format!(
        "## Adapters\n\n{}\n## Models\n\n{}",
        adapters_grid(&listed(adapters)).markdown(),
        models_grid(&listed_models(models)).markdown()
    )
}

/// Adapters and models as JSON, ending with a line feed.
#[must_use]
pub fn measurable_json(adapters: &[Adapter], models: &[Model]) -> String {
    #[derive(Serialize)]
    struct List {
        adapters: Vec<Listed>,
        models: Vec<ListedModel>,
    }
    json::to_text(&List {
        adapters: listed(adapters),
        models: listed_models(models),
    })
}

fn listed_models(models: &[Model]) -> Vec<ListedModel> {
    let listed = |model: &Model| {
        let own_px = model.resolutions_px.first().copied().unwrap_or_default();
        ListedModel {
            name: model.name().to_owned(),
            title: model.title.clone(),
            kind: model.kind().to_string(),
            resolutions_px: model.resolutions_px.clone(),
            iterations_per_image: model.iterations_per_image(own_px),
            sequences_per_image: model.sequences_per_image(),
            source: model.source.clone(),
        }
    };
    models.iter().map(listed).collect()
}

fn models_grid(models: &[ListedModel]) -> Grid {
    let mut grid = Grid::new(&[
        ("model", Align::Left),
        ("", Align::Left),
        ("kind", Align::Left),
        ("pixels", Align::Left),
        ("iterations", Align::Right),
        ("sequences", Align::Right),
    ]);
    for model in models {
        let pixels: Vec<String> = model.resolutions_px.iter().map(u32::to_string).collect();
        grid.row(
            [
                model.name.clone(),
                model.title.clone(),
                model.kind.clone(),
                pixels.join(" "),
                model.iterations_per_image.to_string(),
                model.sequences_per_image.to_string(),
            ],
            None,
        );
    }
    grid
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

fn adapters_grid(listed: &[Listed]) -> Grid {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::model::models;

    #[test]
    fn every_model_is_listed_and_no_adapter_is_no_mistake() {
        let style = Style {
            colour: false,
            width: 100,
        };
        let text = measurable_table(&[], models(), style);
        let json: serde_json::Value =
            serde_json::from_str(&measurable_json(&[], models())).unwrap();
        assert_eq!(json["models"].as_array().unwrap().len(), models().len());
        for model in models() {
            assert!(text.contains(model.name()), "{text}");
        }
        assert!(measurable_markdown(&[], models()).contains("## Models"));
    }
}
