//! Without chance and with so many requests that they flow: the fleet follows as a fluid does.

use meltpoint::random::Law;
use meltpoint::scenario::Scenario;
use meltpoint::units::SimDuration;

use crate::question::{autoscaler, even, play, scaled, start, target, waiting};

const SECOND: Law = Law::Constant { value: 1.0 };

/// `fluid-ramp-lag` of the oracles, ten times larger: demand 1000 + 20 t, capacity ordered on demand and there 30 s
/// later, so t^2 x 10 wait at t <= 30 and 9000 + 600 (t - 30) after it.
#[test]
fn capacity_ordered_on_demand_lags_behind_a_ramp_by_its_whole_delay() {
    let mut scenario = Scenario::textbook(1000.0, SECOND, 4000, 100.0);
    even(&mut scenario, &[(0.0, 1000.0), (100.0, 3000.0)], true);
    // What is ordered follows the load half a window and half a decision later.
    let (window_s, every_s) = (1.0, 0.1);
    let mut scaler = autoscaler(target(1.0, 0.0), every_s, 1000);
    scaler.window = SimDuration::from_s(window_s);
    scenario.lookahead = SimDuration::from_s(0.05);
    let mut run = start(scaled(
        scenario,
        scaler,
        30.0 - window_s / 2.0 - every_s / 2.0,
    ));
    for (at_s, exact) in [(10.0, 1000.0), (30.0, 9000.0), (90.0, 45_000.0_f64)] {
        play(&mut run, at_s);
        let found = waiting(&run);
        // A request counts as served when its service starts: half a one more for each new replica.
        let exact = exact - 0.5 * 20.0 * (at_s - 30.0).max(0.0);
        assert!(
            (found - exact).abs() < 30.0 + 0.005 * exact,
            "{found} at {at_s}, exactly {exact}"
        );
    }
}

/// `fluid-surge`: 150 requests a second for a minute, then 80, and no more than 100 can be served.
#[test]
fn at_its_maximum_a_surge_waits_as_in_a_fleet_of_that_size() {
    let mut scenario = Scenario::textbook(150.0, SECOND, 300, 300.0);
    even(&mut scenario, &[(0.0, 150.0), (60.0, 80.0)], false);
    let mut scaler = autoscaler(target(1.0, 0.0), 1.0, 100);
    scaler.bounds.minimum = 100;
    scaler.bounds.maximum = 100;
    let mut run = start(scaled(scenario, scaler, 0.0));
    play(&mut run, 60.0);
    assert!((waiting(&run) - 3000.0).abs() < 3.0);
    play(&mut run, 208.0);
    assert!(waiting(&run) > 20.0);
    play(&mut run, 212.0);
    assert!(waiting(&run) < 1.0);
}

/// Who follows the load alone never works off what waits; for who wants it gone within T it falls as
/// exp(-t / T).
#[test]
fn a_backlog_is_worked_off_only_by_who_looks_at_it() {
    let left = |backlog_within_s: Option<f64>| {
        let mut scenario = Scenario::textbook(800.0, SECOND, 1200, 200.0);
        even(&mut scenario, &[(0.0, 30_800.0), (1.0, 800.0)], false);
        scenario.lookahead = SimDuration::from_s(0.1);
        let mut scaler = autoscaler(target(1.0, 0.0), 0.5, 800);
        scaler.backlog_within_s = backlog_within_s;
        let mut run = start(scaled(scenario, scaler, 0.0));
        [50.0, 150.0].map(|at_s| {
            play(&mut run, at_s);
            waiting(&run)
        })
    };
    let [early, late] = left(None);
    assert!(
        early > 25_000.0 && (late - early).abs() < 0.01 * early,
        "{early} then {late}"
    );
    let [early, late] = left(Some(100.0));
    let share = late / early;
    assert!(
        (share / libm::exp(-1.0) - 1.0).abs() < 0.02,
        "{early} then {late}"
    );
}
