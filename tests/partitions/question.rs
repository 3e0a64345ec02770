//! A divided cluster as it is written, and how it is played.

use std::sync::Arc;

use meltpoint::random::Law;
use meltpoint::scenario::{self, DemandKind, Process, RateCurve, Scenario, Settings, Source};
use meltpoint::sim::{PartitionTally, Simulation};
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
    for window in 0_u32.. {
        if simulation.clock() >= until {
            break;
        }
        simulation.advance(until);
        simulation.assert_ledger();
        if window % 64 == 0 {
            simulation.assert_invariants();
        }
    }
    simulation.assert_invariants();
}

/// A run that is over.
pub(crate) fn played(scenario: Scenario) -> Simulation {
    let until_s = scenario.horizon.as_s();
    let mut run = start(scenario);
    play(&mut run, until_s);
    run
}

/// The story, in which requests of the two demands come evenly: (seconds, requests a second), and take a constant
/// time each, in seconds.
pub(crate) fn evenly(
    tables: &str,
    chat: (&[(f64, f64)], f64),
    pictures: (&[(f64, f64)], f64),
) -> Scenario {
    let mut scenario = read(tables);
    for (index, (points, service_s)) in [chat, pictures].into_iter().enumerate() {
        if let DemandKind::Rate { curve, process, .. } = &mut scenario.demands[index].kind {
            *process = Process::Even;
            let point = |&(s, rate): &(f64, f64)| (SimTime::from_s(s), rate);
            *curve = RateCurve {
                points: points.iter().map(point).collect(),
                linear: false,
            };
        }
        scenario.works[index].qualities[0].amount = Law::Constant { value: service_s };
    }
    scenario
}

/// By partition of the only cluster: what it had.
pub(crate) fn partitions(run: &Simulation) -> Vec<PartitionTally> {
    let (_, tally) = run.divisions().next().unwrap();
    tally.partitions
}
