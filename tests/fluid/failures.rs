//! What fails and is mended, and planned work: as much of the fleet as is expected to be up serves.

use meltpoint::estimate::{Capacity, estimate};
use meltpoint::random::Law;
use meltpoint::scenario::{
    Cause, Interrupted, Level, Maintenance, Reliability, RepairClass, Scenario, Topology,
};
use meltpoint::units::SimDuration;

use crate::question::{agree, two_sites};

/// Fleets begin unbroken, and what fails takes the work of those who ran with it.
const TOLERANCE: f64 = 0.015;

/// A cause at the level of nodes that a crew mends.
fn cause(rate_per_s: f64, repair: f64) -> Cause {
    Cause {
        name: "node".into(),
        level: Level::Node,
        rate_per_s,
        weibull_shape: None,
        repair: RepairClass::Field,
        repair_s: Law::Exponential { mean: repair },
        running: Interrupted::Requeued,
    }
}

/// Replicas of a node each, of which the first site's fail for causes.
fn failing(causes: Vec<Cause>) -> Scenario {
    let mut scenario = two_sites(90.0, 100, 1);
    scenario.horizon = SimDuration::from_s(2000.0);
    scenario.regions[0].served_in = vec![true, false];
    for pool in &mut scenario.pools {
        pool.profile.gpus_per_replica = 8;
    }
    scenario.clusters[0].reliability = Some(Reliability {
        topology: Topology {
            gpus_per_replica: 8,
            gpus_per_node: 8,
            nodes_per_rack: 4,
            nodes_per_power_domain: 8,
        },
        causes,
        crews: None,
        spares: 0,
        swap_s: Law::Constant { value: 0.0 },
        maintenance: None,
    });
    scenario
}

fn reliability(scenario: &mut Scenario) -> &mut Reliability {
    let reliability = scenario.clusters[0].reliability.as_mut();
    reliability.expect("it fails")
}

#[test]
fn parts_that_fail_take_their_availability_from_the_fleet() {
    // A node of 200 s and 40 s of repair, a rack of 4000 s and 100 s: 1 / 1.2 / 1.025.
    let rack = Cause {
        level: Level::Rack,
        ..cause(1.0 / 4000.0, 100.0)
    };
    let found = agree(&failing(vec![cause(1.0 / 200.0, 40.0), rack]), TOLERANCE);
    let load = 0.9 * 1.2 * 1.025;
    assert!((found.load_peak.expect("a fleet") / load - 1.0).abs() < 1e-9);
    // Whole at the start, but for the racks, whose repairs are taken as in the long run.
    let replicas = |row: Option<&Capacity>| row.expect("a fleet").replicas;
    assert!(replicas(found.capacity.first()) > 90);
    assert_eq!(replicas(found.capacity.last()), 82);
}

#[test]
fn too_few_crews_leave_what_they_can_mend_and_spares_fill_in() {
    // Each node fails every 100 s; three crews end a repair every 3.3 s, so they keep up with 30 of them.
    let mut scenario = failing(vec![cause(1.0 / 100.0, 10.0)]);
    reliability(&mut scenario).crews = Some(3);
    scenario.horizon = SimDuration::from_s(4000.0);
    scenario.warm_up = SimDuration::from_s(1000.0);
    let peak = |scenario: &Scenario| estimate(scenario).load_peak.expect("a fleet");
    assert!((peak(&scenario) / (0.9 * 100.0 / 30.0) - 1.0).abs() < 1e-3);
    agree(&scenario, TOLERANCE);
    let mut with_spares = scenario.clone();
    reliability(&mut with_spares).crews = Some(14);
    reliability(&mut with_spares).spares = 12;
    reliability(&mut with_spares).swap_s = Law::Constant { value: 2.5 };
    // Twelve spares for ten nodes under repair in the mean, and 2.5 s of swap in 100.
    let found = peak(&with_spares);
    assert!((0.9 * 1.025..0.9 * 1.1).contains(&found), "{found}");
    agree(&with_spares, TOLERANCE);
}

#[test]
fn a_cause_that_ages_fails_at_its_mean_rate_over_the_run() {
    // Shape 2 and a first failure at 500 s in the mean: (2000 / scale)^2 failures, scale = 500 / gamma(1.5).
    let mut ageing = cause(1.0 / 500.0, 20.0);
    ageing.weibull_shape = Some(2.0);
    let found = estimate(&failing(vec![ageing])).load_peak;
    let failures = libm::pow(2000.0 * 0.886_226_925_452_758 / 500.0, 2.0);
    let load = 0.9 * (1.0 + failures * 20.0 / 2000.0);
    assert!(
        (found.expect("a fleet") / load - 1.0).abs() < 1e-9,
        "{found:?}"
    );
}

#[test]
fn planned_work_is_missed_while_it_goes_on() {
    // A quarter of the nodes at a time, four times 100 s from 200 s on; once in the run.
    let mut scenario = failing(Vec::new());
    reliability(&mut scenario).maintenance = Some(Maintenance {
        first: SimDuration::from_s(200.0),
        every: SimDuration::from_s(1e6),
        drain: SimDuration::from_s(5.0),
        lasts: SimDuration::from_s(95.0),
        at_most: 0.25,
        running: Interrupted::Requeued,
    });
    let found = agree(&scenario, TOLERANCE);
    assert!((found.load_peak.expect("a fleet") - 0.9 / 0.75).abs() < 1e-9);
    assert!((found.overloaded_s - 400.0).abs() < 1e-9);
}
