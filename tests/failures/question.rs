//! Scenarios whose replicas fail, and what a run of one gives.

use std::ops::ControlFlow;
use std::sync::Arc;

use meltpoint::metrics::summary::Summary;
use meltpoint::random::Law;
use meltpoint::scenario::{
    Cause, Interrupted, Level, Reliability, RepairClass, Scenario, Settings, Source, Topology, read,
};
use meltpoint::trials;
use meltpoint::units::SimDuration;

/// Replicas of so many GPUs in nodes of eight, four nodes in a rack, two racks in a power domain.
pub(crate) fn topology(gpus_per_replica: u32) -> Topology {
    Topology {
        gpus_per_replica,
        gpus_per_node: 8,
        nodes_per_rack: 4,
        nodes_per_power_domain: 8,
    }
}

/// A cause at a rate that a crew mends in an exponential time.
pub(crate) fn cause(name: &str, level: Level, rate_per_s: f64, repair: f64) -> Cause {
    Cause {
        name: name.into(),
        level,
        rate_per_s,
        weibull_shape: None,
        repair: RepairClass::Field,
        repair_s: Law::Exponential { mean: repair },
        running: Interrupted::Requeued,
    }
}

/// Hardly anybody comes to so many replicas; these fail for causes.
pub(crate) fn quiet(gpus: u32, replicas: u32, lasts: f64, causes: Vec<Cause>) -> Scenario {
    let service = Law::Constant { value: 1.0 };
    let mut scenario = Scenario::textbook(1e-3, service, replicas, lasts);
    scenario.pools[0].profile.gpus_per_replica = gpus;
    scenario.clusters[0].reliability = Some(reliability(gpus, causes));
    scenario
}

pub(crate) fn reliability(gpus: u32, causes: Vec<Cause>) -> Reliability {
    Reliability {
        topology: topology(gpus),
        causes,
        crews: None,
        spares: 0,
        swap_s: Law::Constant { value: 0.0 },
        maintenance: None,
    }
}

/// A scenario to its summary, with theory beside it.
pub(crate) fn run(scenario: Scenario) -> Summary {
    let scenario = Arc::new(scenario);
    let mut summary = trials::run(&scenario, 1, &mut |_| ControlFlow::Continue(())).summary;
    summary.theory = meltpoint::estimate::theory(&scenario, &summary);
    summary
}

/// Reads a text; all that is wrong with it as one text.
pub(crate) fn written(text: &str, settings: &Settings) -> Result<Scenario, String> {
    let source = Source {
        name: "asked.toml",
        text,
    };
    read(source, settings, &|_| Err("no files".to_owned())).map_err(|problems| problems.to_string())
}

pub(crate) fn seconds(seconds: f64) -> SimDuration {
    SimDuration::from_s(seconds)
}
