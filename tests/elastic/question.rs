//! A queue with an autoscaler, and how it is played.

use std::sync::Arc;

use meltpoint::random::Law;
use meltpoint::scenario::{
    Autoscaler, DemandKind, Process, RateCurve, ScalingBounds, ScalingRule, Scenario, Staffing,
    StartUp,
};
use meltpoint::sim::Simulation;
use meltpoint::units::{SimDuration, SimTime};

/// No bounds but one replica at least.
pub(crate) fn free() -> ScalingBounds {
    ScalingBounds {
        minimum: 1,
        maximum: u32::MAX,
        step_up: u32::MAX,
        step_down: u32::MAX,
        cool_down_up: SimDuration::ZERO,
        cool_down_down: SimDuration::ZERO,
    }
}

/// As many replicas as bring the load to a target.
pub(crate) fn target(target: f64, tolerance: f64) -> ScalingRule {
    ScalingRule::Target {
        staffing: Staffing { target, spare: 0.0 },
        tolerance,
    }
}

/// An autoscaler of the textbook's cluster that decides and measures so often.
pub(crate) fn autoscaler(rule: ScalingRule, every_s: f64, initial: u32) -> Autoscaler {
    Autoscaler {
        name: "main".into(),
        clusters: vec![0],
        rule,
        bounds: free(),
        every: SimDuration::from_s(every_s),
        reaction: SimDuration::ZERO,
        window: SimDuration::from_s(every_s),
        backlog_within_s: None,
        initial,
        warm: 0,
        warm_start_s: Law::Constant { value: 0.0 },
    }
}

/// Requests come evenly at a rate that runs straight between points (seconds, requests a second).
pub(crate) fn even(scenario: &mut Scenario, points: &[(f64, f64)], linear: bool) {
    if let DemandKind::Rate { curve, process, .. } = &mut scenario.demands[0].kind {
        *process = Process::Even;
        *curve = RateCurve {
            points: points
                .iter()
                .map(|&(s, rate)| (SimTime::from_s(s), rate))
                .collect(),
            linear,
        };
    }
}

/// The textbook with an autoscaler, whose replicas take so long to start.
pub(crate) fn scaled(mut scenario: Scenario, autoscaler: Autoscaler, start_up_s: f64) -> Scenario {
    scenario.clusters[0].start_up = Some(StartUp::constant(start_up_s));
    scenario.autoscalers = vec![autoscaler];
    scenario
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
    }
    simulation.assert_invariants();
}

/// Requests that wait now.
pub(crate) fn waiting(simulation: &Simulation) -> f64 {
    simulation
        .pools()
        .map(|(_, levels, _)| levels.waiting as f64)
        .sum()
}

/// Replicas in service now.
pub(crate) fn serving(simulation: &Simulation) -> u64 {
    simulation
        .pools()
        .map(|(_, levels, _)| levels.in_service)
        .sum()
}
