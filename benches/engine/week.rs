//! Whole scenarios with all their features: the Ghibli week, and chunks of 100,000 GPUs.

use std::ops::ControlFlow;
use std::sync::Arc;

use meltpoint::random::Seed;
use meltpoint::scenario::{self, Scenario, Settings, Source};
use meltpoint::trials::{self, Trial};

use crate::outcome::Outcome;

/// The Ghibli week at a scale.
pub(crate) fn ghibli(scale: f64, seed: Seed, threads: usize) -> Outcome {
    play(read(ghibli_week(), scale, seed, &[]), threads).0
}

/// The same week, but everybody comes back so many times as often. In the week itself more images would bring more
/// people; here as many come whatever they see, about as many as there.
pub(crate) fn coming_back(times: f64, scale: f64, seed: Seed, threads: usize) -> Outcome {
    let sets = [
        &format!("demand.plus.sessions={}/day", 0.9 * times),
        &format!("demand.free.sessions={}/day", 1.77 * times),
        "demand.plus.imitation=0/day",
        "demand.free.imitation=0/day",
        "demand.free.innovation=3 %/day",
    ];
    play(read(ghibli_week(), scale, seed, &sets), threads).0
}

/// The same week on a fleet that fails, is maintained and follows the load.
pub(crate) fn everything(scale: f64, seed: Seed, threads: usize) -> Outcome {
    let source = Source {
        name: "everything.toml",
        text: include_str!("everything.toml"),
    };
    play(read(source, scale, seed, &[]), threads).0
}

/// So many chunks of 100,000 GPUs, each with its demand.
pub(crate) fn chunks(count: f64, seed: Seed, threads: usize) -> Outcome {
    let source = Source {
        name: "chunks.toml",
        text: include_str!("chunks.toml"),
    };
    play(read(source, count, seed, &[]), threads).0
}

fn ghibli_week() -> Source<'static> {
    scenario::embedded("ghibli-week").expect("it is built in")
}

fn read(source: Source<'_>, scale: f64, seed: Seed, sets: &[&str]) -> Scenario {
    let settings = Settings {
        sets: sets.iter().map(|&set| set.to_owned()).collect(),
        scale: Some(scale),
        seed: Some(seed.0),
        ..Settings::default()
    };
    let no_files = |_: &str| Err("it names no file".to_owned());
    match scenario::read(source, &settings, &no_files) {
        Ok(scenario) => scenario,
        Err(problems) => panic!("{problems:?}"),
    }
}

/// One run, without reading the scenario and without reports.
pub(crate) fn play(scenario: Scenario, threads: usize) -> (Outcome, Trial) {
    let scenario = Arc::new(scenario);
    Outcome::of(|| {
        let trial = trials::run(&scenario, threads, &mut |_| ControlFlow::Continue(()));
        (trial.progress.requests, trial)
    })
}
