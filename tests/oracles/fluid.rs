//! Cases without chance: even arrivals and constant service, where the number of requests is so large
//! that they flow. A request more or less is all that the program may differ by, so tolerances are those
//! of a discrete stream against a continuous one.

use std::sync::Arc;

use meltpoint::sim::Simulation;
use meltpoint::units::SimTime;
use serde_json::Value;

use crate::json::number;
use crate::protocol;
use crate::questions::{Question, at_rates, constant};

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
    let mut question = Question::new(150.0, &constant(0.01), 1, 300.0);
    let rates = at_rates(&[(0.0, 150.0), (60.0, 80.0)]);
    question.classes[0].demand = format!("{rates}\nprocess = \"even\"");
    let scenario = question.scenario();
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
/// ten requests a second, every five seconds, in the middle of the five in which the demand grows by ten. Once
/// by its dates, and once ordered on demand with a lead time.
pub(crate) fn ramp(expect: &Value) {
    ramp_of(expect, &|after_s| {
        format!("delivered = {}", constant(30.0 + after_s))
    });
    ramp_of(expect, &|after_s| {
        format!("ordered = {}\nlead_time = \"30s\"", constant(after_s))
    });
}

fn ramp_of(expect: &Value, comes: &dyn Fn(f64) -> String) {
    let mut question = Question::new(100.0, &constant(0.1), 10, 100.0);
    question.lookahead_s = 0.01;
    let rates = at_rates(&[(0.0, 100.0), (100.0, 300.0)]);
    question.classes[0].demand = format!("{rates}\ninterpolation = \"linear\"\nprocess = \"even\"");
    for k in 0..14_u32 {
        let comes = comes(2.5 + 5.0 * f64::from(k));
        question.more +=
            &format!("[chunk.n{k}]\ngpus = 1\naccelerator = \"any\"\ncluster = \"lab\"\n{comes}\n");
    }
    let mut simulation = Simulation::new(&Arc::new(question.scenario()), false);
    for at in [10.0, 30.0, 90.0] {
        let name = format!("b{at}");
        let found = waiting_at(&mut simulation, at) as f64;
        // A request counts as served when its service starts: half a one more for each replica.
        close(&name, found, number(expect, &name), 12.0);
    }
}
