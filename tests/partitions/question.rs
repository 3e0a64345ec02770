//! A divided cluster as it is written, and how it is played.

use std::sync::Arc;

use meltpoint::scenario::{self, Scenario, Settings, Source};
use meltpoint::sim::Simulation;
use meltpoint::units::SimTime;

/// Two products with a demand each, and a place for clusters.
const STORY: &str = r#"
[scenario]
question = "Who has the GPUs?"
lasts = "2h"
lookahead = "1s"
[region.here]
[client.patient]
[tier.chat]
client = "patient"
[tier.pictures]
client = "patient"
[work.answer]
kind = "service"
service = { law = "exponential", mean = "2s" }
[work.picture]
kind = "service"
service = { law = "exponential", mean = "10s" }
[demand.chat]
kind = "rate"
tier = "chat"
work = "answer"
rate = "10 requests/s"
[demand.pictures]
kind = "rate"
tier = "pictures"
work = "picture"
rate = "1 requests/s"
"#;

/// The story with these tables, or what is wrong with it.
pub(crate) fn read_with(tables: &str, settings: &Settings) -> Result<Scenario, String> {
    let text = format!("{STORY}{tables}");
    let source = Source {
        name: "it.toml",
        text: &text,
    };
    let no_file = |_: &str| Err(String::new());
    scenario::read(source, settings, &no_file).map_err(|problems| {
        let messages = problems
            .0
            .iter()
            .map(|problem| format!("{}; {}", problem.message, problem.hint));
        messages.collect::<Vec<_>>().join("\n")
    })
}

/// The story with these tables.
pub(crate) fn read(tables: &str) -> Scenario {
    read_with(tables, &Settings::default()).unwrap()
}

/// A run at its start.
pub(crate) fn start(scenario: Scenario) -> Simulation {
    Simulation::new(&Arc::new(scenario), false)
}

/// Plays until a time, with all checks.
pub(crate) fn play(simulation: &mut Simulation, until_s: f64) {
    let until = SimTime::from_s(until_s);
    while simulation.clock() < until {
        simulation.advance(until);
        simulation.assert_ledger();
        simulation.assert_invariants();
    }
}

/// A run that is over.
pub(crate) fn played(scenario: Scenario) -> Simulation {
    let until_s = scenario.horizon.as_s();
    let mut run = start(scenario);
    play(&mut run, until_s);
    run
}
