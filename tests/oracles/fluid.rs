//! Cases without chance: even arrivals and constant service, where the number of requests is so large
//! that they flow. A request more or less is all that the program may differ by, so tolerances are those
//! of a discrete stream against a continuous one.

use std::sync::Arc;

use meltpoint::random::Law;
use meltpoint::scenario::{RateCurve, Scenario};
use meltpoint::sim::Simulation;
use meltpoint::units::{SimDuration, SimTime};
use serde_json::Value;

use crate::json::number;
use crate::protocol;
use crate::steady::{evenly, set_curve};

fn waiting_at(simulation: &mut Simulation, at_s: f64) -> u64 {
    let at = SimTime::from_s(at_s);
    while simulation.clock() < at {
        simulation.advance(at);
    }
    simulation
        .pools()
        .map(|(_, levels, _)| levels.waiting)
        .sum()
}

fn close(what: &str, found: f64, exact: f64, tolerance: f64) {
    println!("{what}: {found}, exactly {exact}");
    assert!(
        (found - exact).abs() <= tolerance,
        "{what}: {found}, exactly {exact}"
    );
}

/// 150 requests a second for a minute, then 80, against one replica that takes 10 ms.
pub(crate) fn surge(expect: &Value) {
    let service = Law::Constant { value: 0.01 };
    let mut scenario = evenly(Scenario::textbook(150.0, service, 1, 300.0));
    let points = vec![(SimTime::ZERO, 150.0), (SimTime::from_s(60.0), 80.0)];
    set_curve(
        &mut scenario,
        0,
        RateCurve {
            points,
            linear: false,
        },
    );
    let summary = protocol::summarise(scenario.clone());
    let wait = &summary.tiers[0].wait_s;
    let largest = summary.pools[0].waiting_max as f64;
    close("max_backlog", largest, number(expect, "max_backlog"), 2.0);
    // The time of the request that comes last before the rate falls, within the histogram's bucket.
    close(
        "fcfs_max_wait",
        wait.max.unwrap(),
        number(expect, "fcfs_max_wait"),
        0.3,
    );
    let total = wait.mean.unwrap() * wait.samples as f64;
    close(
        "total_wait_job_s",
        total,
        number(expect, "total_wait_job_s"),
        250.0,
    );
    let mut simulation = Simulation::new(&Arc::new(scenario), false);
    let clear_at = number(expect, "clear_at");
    assert!(
        waiting_at(&mut simulation, clear_at - 0.3) > 0,
        "cleared too early"
    );
    assert!(
        waiting_at(&mut simulation, clear_at + 0.3) <= 1,
        "cleared too late"
    );
}

/// Demand grows by 2 a second each second, and so does the fleet, 30 s later: a replica, which serves
/// ten requests a second, every five seconds, in the middle of the five in which the demand grows by ten.
pub(crate) fn ramp(expect: &Value) {
    let service = Law::Constant { value: 0.1 };
    let mut scenario = evenly(Scenario::textbook(100.0, service, 10, 100.0));
    scenario.lookahead = SimDuration::from_s(0.01);
    let points = vec![(SimTime::ZERO, 100.0), (SimTime::from_s(100.0), 300.0)];
    set_curve(
        &mut scenario,
        0,
        RateCurve {
            points,
            linear: true,
        },
    );
    let deliveries = (0..14).map(|k| (SimTime::from_s(32.5 + 5.0 * f64::from(k)), 1));
    scenario.pools[0].deliveries.extend(deliveries);
    let mut simulation = Simulation::new(&Arc::new(scenario), false);
    for at in [10.0, 30.0, 90.0] {
        let name = format!("b{at}");
        let found = waiting_at(&mut simulation, at) as f64;
        // A request counts as served when its service starts: half a one more for each replica.
        close(&name, found, number(expect, &name), 12.0);
    }
}
