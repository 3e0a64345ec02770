//! What a run is expected to come to, for the terminal and as JSON.

use crate::estimate::{ClosedForm, Estimate, TierEstimate};
use crate::report::grid::{Align, Grid};
use crate::report::paint::{Ink, Style};
use crate::report::{deliveries, escape, number};
use crate::scenario::Scenario;
use crate::units::SimDuration;

/// The model that was found, its load and its bottleneck, and what the run will take.
#[must_use]
pub fn estimate_table(scenario: &Scenario, estimate: &Estimate, style: Style) -> String {
    let mut text = format!(
        "{}: {}\n",
        style.paint(Ink::Strong, &escape::name(&scenario.name)),
        escape::text(&scenario.question)
    );
    let mut part = |title: &str, grid: &Grid| {
        if !grid.is_empty() {
            text += &format!(
                "\n{}\n{}",
                style.paint(Ink::Strong, title),
                grid.text(style)
            );
        }
    };
    part("The model", &model(scenario));
    part("Expected load", &load(estimate));
    part("Expected requests, by a fluid model", &tiers(estimate));
    part("Full capacity", &capacity(estimate));
    part(
        "Expected deliveries",
        &deliveries::grid(&estimate.deliveries, scenario.start_unix_s),
    );
    part("Closed forms", &closed_forms(&estimate.closed_forms));
    part("The reserve for the peak", &reserve(estimate));
    part("The run", &effort(estimate));
    text
}

/// The same, as JSON.
#[must_use]
pub fn estimate_json(estimate: &Estimate) -> String {
    serde_json::to_string_pretty(estimate).expect("an estimate is numbers and words") + "\n"
}

fn pairs() -> Grid {
    Grid::new(&[("", Align::Left), ("", Align::Left)])
}

fn model(scenario: &Scenario) -> Grid {
    let mut grid = pairs();
    let names = |names: Vec<&str>| {
        names
            .iter()
            .map(|name| escape::name(name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut row = |what: &str, is: String| grid.row([what.into(), is], None);
    row(
        "tiers",
        names(
            scenario
                .tiers
                .iter()
                .map(|tier| tier.name.as_str())
                .collect(),
        ),
    );
    row(
        "demands",
        names(
            scenario
                .demands
                .iter()
                .map(|demand| demand.name.as_str())
                .collect(),
        ),
    );
    row(
        "pools",
        names(
            scenario
                .pools
                .iter()
                .map(|pool| pool.name.as_str())
                .collect(),
        ),
    );
    row(
        "chunks",
        names(
            scenario
                .chunks
                .iter()
                .map(|chunk| chunk.name.as_str())
                .collect(),
        ),
    );
    let policy = &scenario.rules[0].1.policy;
    row("queue order", format!("{:?}", policy.order));
    row("batching", format!("{:?}", policy.batching));
    row("routing", format!("{:?}", policy.routing));
    grid
}

fn load(estimate: &Estimate) -> Grid {
    let mut grid = pairs();
    let percent = |load: Option<f64>| load.map_or(number::UNKNOWN.into(), number::percent);
    let mut row = |what: &str, is: String| grid.row([what.into(), is], None);
    row("bottleneck", escape::text(&estimate.bottleneck));
    row("mean load", percent(estimate.load_mean));
    let at = SimDuration::from_s(estimate.load_peak_at_s);
    row(
        "peak load",
        format!("{} at {at} after the start", percent(estimate.load_peak)),
    );
    row(
        "overloaded for",
        SimDuration::from_s(estimate.overloaded_s).to_string(),
    );
    row(
        "most waiting",
        number::quantity(estimate.waiting_max, "requests"),
    );
    for limit in &estimate.limits {
        row("limit", escape::text(limit));
    }
    grid
}

fn tiers(estimate: &Estimate) -> Grid {
    let columns = [
        "offered",
        "completed",
        "refused",
        "gave up",
        "waiting",
        "peak",
    ];
    let mut heads = vec![("tier", Align::Left)];
    heads.extend(columns.map(|title| (title, Align::Right)));
    let mut grid = Grid::new(&heads);
    let row = |tier: &TierEstimate| {
        [
            escape::name(&tier.name),
            number::short(tier.offered),
            number::short(tier.completed),
            number::short(tier.lost.shed()),
            number::short(tier.lost.abandoned),
            number::short(tier.waiting),
            format!("{}/s", number::short(tier.peak_per_s)),
        ]
    };
    for tier in estimate.tiers.iter().chain([&estimate.total]) {
        grid.row(row(tier), None);
    }
    grid
}

fn capacity(estimate: &Estimate) -> Grid {
    let mut grid = Grid::new(&[
        ("from", Align::Left),
        ("replicas", Align::Right),
        ("images", Align::Right),
    ]);
    for step in &estimate.capacity {
        let from = SimDuration::from_s(step.from_s).to_string();
        let images = format!("{}/s", number::short(step.images_per_s));
        grid.row([from, number::grouped(step.replicas), images], None);
    }
    grid
}

fn closed_forms(forms: &[ClosedForm]) -> Grid {
    let mut grid = Grid::new(&[
        ("what", Align::Left),
        ("is", Align::Right),
        ("by", Align::Left),
        ("reference", Align::Left),
    ]);
    for form in forms {
        let value = number::quantity(form.value, form.unit);
        let cells = [
            escape::text(&form.what),
            value,
            form.name.into(),
            form.reference.into(),
        ];
        grid.row(cells, None);
    }
    grid
}

fn reserve(estimate: &Estimate) -> Grid {
    let mut grid = pairs();
    let Some(reserve) = &estimate.reserve else {
        return grid;
    };
    let gpus = |gpus: f64| number::quantity(gpus, "GPUs");
    let mut row = |what: &str, is: String| grid.row([what.into(), is], None);
    row(
        "demand",
        format!(
            "{} ± {} (standard deviation)",
            gpus(reserve.demand_gpus),
            number::short(reserve.demand_sd_gpus)
        ),
    );
    row(
        "a GPU-hour",
        format!(
            "brings {} at the price list and costs {}",
            number::quantity(reserve.value_usd_per_gpu_hour, "USD"),
            number::quantity(reserve.cost_usd_per_gpu_hour, "USD")
        ),
    );
    row(
        "best",
        format!(
            "{}, which cover the demand with {} (newsvendor: Arrow, Harris and Marschak 1951)",
            gpus(reserve.optimal_gpus),
            number::percent(reserve.critical_ratio)
        ),
    );
    row("scenario", gpus(reserve.present_gpus));
    grid
}

fn effort(estimate: &Estimate) -> Grid {
    let mut grid = pairs();
    let mut row = |what: &str, is: String| grid.row([what.into(), is], None);
    row("events", number::short(estimate.events));
    row(
        "time",
        format!("{} on one core", SimDuration::from_s(estimate.wall_s)),
    );
    row(
        "memory",
        format!("{} MB", number::short((estimate.memory_bytes / 1e6).ceil())),
    );
    grid
}
