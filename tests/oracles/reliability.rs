//! Machines that fail: replicas of one GPU that is a node, repaired by crews, with or without spares.

use std::sync::Arc;

use meltpoint::random::Law;
use meltpoint::scenario::{
    Cause, Interrupted, Level, Reliability, RepairClass, Scenario, Topology,
};
use meltpoint::sim::Simulation;
use meltpoint::units::{SimDuration, SimTime};
use serde_json::Value;

use crate::json::{number, text};
use crate::protocol::{self, Measured};

/// Runs a case and reads the numbers that are named.
pub(crate) fn measure(case: &Value, numbers: &str, lasts: f64) -> Vec<Measured> {
    let scenario = scenario(case, lasts);
    let replications = protocol::replicate(&scenario, play);
    let measured = numbers.split(", ").map(|name| {
        let exact = number(&case["expect"], name);
        // Eight of eight are nearly always up: what is held is how often they are not.
        let (exact, read): (f64, fn(&Seen) -> f64) = match name {
            "mean_down" => (exact, |seen| seen.broken),
            "mean_running" => (exact, |seen| seen.running),
            "p_all_running" => (exact, |seen| seen.all_running),
            "8of8" => (1.0 - exact, |seen| 1.0 - seen.running / seen.installed),
            "E_T" => (exact, |seen| seen.measured_s / seen.completed),
            _ => panic!("{name} is not read"),
        };
        Measured {
            what: format!("{} {name}", text(case, "id")),
            exact,
            values: replications.iter().map(read).collect(),
            within: protocol::WITHIN,
            // The job at the end of a run is not counted.
            slack: 2e-4,
        }
    });
    measured.collect()
}

fn scenario(case: &Value, lasts: f64) -> Scenario {
    let n = |key| number(&case["params"], key);
    let exponential = |rate: f64| Law::Exponential { mean: 1.0 / rate };
    let with = |arrivals: f64, replicas: f64, gpus: u32, fails: f64, repair_s: Law| {
        let service = Law::Constant { value: 2.0 };
        let mut scenario = Scenario::textbook(arrivals, service, replicas as u32, lasts);
        scenario.pools[0].profile.gpus_per_replica = gpus;
        scenario.warm_up = SimDuration::from_s(lasts / 10.0);
        scenario.clusters[0].reliability = Some(Reliability {
            topology: Topology {
                gpus_per_replica: gpus,
                gpus_per_node: 1,
                nodes_per_rack: 1,
                nodes_per_power_domain: 1,
            },
            causes: vec![Cause {
                name: "any".into(),
                level: Level::Node,
                rate_per_s: fails,
                weibull_shape: None,
                repair: RepairClass::Field,
                repair_s,
                running: Interrupted::Requeued,
            }],
            crews: None,
            spares: 0,
            swap_s: Law::Constant { value: 0.0 },
            maintenance: None,
        });
        scenario
    };
    let crews = |mut scenario: Scenario, spares: f64| {
        let reliability = scenario.clusters[0].reliability.as_mut().unwrap();
        reliability.crews = Some(n("crews") as u32);
        reliability.spares = spares as u32;
        scenario
    };
    match text(case, "id") {
        // A job that is never waited for: somebody always waits for the one machine.
        "restart" => with(1.0, 1.0, 1, n("f"), exponential(1.0 / n("R"))),
        // Replicas that need all of their eight, with any law of the repairs.
        "kofn" => {
            let repair_s = Law::Uniform {
                low: 0.0,
                high: 2.0 * n("MTTR"),
            };
            with(1e-3, 1000.0, 8, 1.0 / n("MTBF"), repair_s)
        }
        "spares" => {
            let repair_s = exponential(n("repair"));
            crews(with(1e-3, n("c"), 1, n("fail"), repair_s), n("n") - n("c"))
        }
        _ => crews(
            with(1e-3, n("n"), 1, n("fail"), exponential(n("repair"))),
            0.0,
        ),
    }
}

/// What one replication saw after the warm-up.
struct Seen {
    broken: f64,
    running: f64,
    all_running: f64,
    installed: f64,
    measured_s: f64,
    completed: f64,
}

/// Levels do not change within a window but by requests, so a look at the start of each is enough.
fn play(scenario: Scenario) -> Seen {
    let scenario = Arc::new(scenario);
    let mut run = Simulation::new(&scenario, false);
    let end = SimTime::ZERO + scenario.horizon;
    let begin = SimTime::ZERO + scenario.warm_up;
    let (mut running_s, mut all_s) = (0.0, 0.0);
    while run.clock() < end {
        let (from, (_, levels, replicas)) = (run.clock(), run.pools().next().unwrap());
        run.advance(end);
        if from >= begin {
            let lasted_s = (run.clock() - from).as_s();
            running_s += levels.in_service as f64 * lasted_s;
            all_s += f64::from(u8::from(levels.in_service == replicas)) * lasted_s;
        }
    }
    run.assert_invariants();
    let (_, tally) = run.failures().next().unwrap();
    let measured_s = (end - begin).as_s();
    let mean = |integral_ns: u128| integral_ns as f64 / 1e9 / measured_s;
    let installed = mean(tally.installed_ns);
    // What the run counts is what was seen.
    let counted = installed - mean(tally.down_ns);
    assert!((running_s / measured_s - counted).abs() < 1e-6 * installed);
    Seen {
        broken: mean(tally.at_work_ns + tally.waiting_ns),
        running: running_s / measured_s,
        all_running: all_s / measured_s,
        installed,
        measured_s,
        completed: run.tiers()[0].completed as f64,
    }
}
