//! `plan` against queueing theory: the smallest number of servers of M/M/c that keeps a promise is known.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;

use meltpoint::plan::{self, Answer, Certainty, Knob, Plan, Range, Reversal};
use meltpoint::queueing::Mmc;
use meltpoint::random::Law;
use meltpoint::report::{Style, plan_table};
use meltpoint::scenario::{Goal, Runs, Scenario, Slo};
use meltpoint::trials;
use meltpoint::units::SimDuration;

const ARRIVALS_PER_S: f64 = 8.0;

fn erlang(servers: u64) -> Mmc {
    Mmc {
        arrival_rate: ARRIVALS_PER_S,
        service_rate: 1.0,
        servers,
    }
}

/// M/M/c with a promise, five runs of each size.
fn queue(servers: u64, goal: Goal) -> Scenario {
    let service = Law::Exponential { mean: 1.0 };
    let servers = u32::try_from(servers).expect("a small number");
    let mut scenario = Scenario::textbook(ARRIVALS_PER_S, service, servers, 12_000.0);
    scenario.warm_up = SimDuration::from_s(400.0);
    scenario.series_interval = SimDuration::from_s(400.0);
    scenario.runs = Runs {
        replications: 5,
        target: None,
    };
    scenario.slos.push(Slo {
        name: "all".into(),
        tier: 0,
        goal,
        enforced: false,
    });
    scenario
}

fn planned(goal: Goal, most: u64, threads: usize, certainty: Certainty) -> Plan {
    let knob = Knob::plain("cluster.here.replicas", "replicas", 1);
    let range = Range { least: 1, most };
    let Ok(plan) = plan::plan(
        &knob,
        range,
        certainty,
        &mut |servers| Ok::<_, Infallible>(Arc::new(queue(servers, goal))),
        &mut |scenario| {
            let trial = trials::replicate(scenario, threads, &mut |_| ControlFlow::Continue(()));
            Ok(trial.summary)
        },
    );
    plan
}

#[test]
fn the_smallest_m_m_c_that_keeps_a_quantile_is_that_of_erlang() {
    for servers in [9, 10, 11] {
        // Half way between what c - 1 and c servers reach, so that neither is a matter of chance.
        let quantile = |servers| erlang(servers).response_quantile(0.9);
        let (kept, missed) = (quantile(servers), quantile(servers - 1));
        let limit_s = match missed.is_finite() {
            true => f64::midpoint(kept, missed),
            false => 1.2 * kept,
        };
        assert!(limit_s > 1.02 * kept, "{servers}: {kept} and {missed}");
        let goal = Goal::Response {
            quantile: 0.9,
            limit_s,
        };
        let plan = planned(goal, 40, 2, Certainty::Mean);
        let Answer::Smallest { value, fleet_gpus } = plan.answer else {
            panic!("{plan:?}");
        };
        assert_eq!((value, fleet_gpus), (servers, servers));
        assert_eq!(plan.reversals, []);
        // The oracle is on both sides of the border, as sure as is said.
        let reached = |value: u64| {
            let rung = plan.ladder.iter().find(|rung| rung.value == value);
            rung.expect("it is on the ladder").promises[0].clone()
        };
        let (held, below) = (reached(servers), reached(servers - 1));
        assert!(held.high.expect("five runs") <= limit_s);
        assert!(below.low.expect("five runs") > limit_s);
        assert_eq!((held.kept, below.kept), (5, 0));
        assert!((held.reached.expect("thousands of requests") / kept - 1.0).abs() < 0.03);
    }
}

#[test]
fn the_smallest_m_m_c_that_answers_a_share_in_time_is_that_of_erlang() {
    let limit_s = 3.0;
    let in_time = |servers| 1.0 - erlang(servers).response_above(limit_s);
    let goal = Goal::Goodput {
        share: f64::midpoint(in_time(10), in_time(11)),
        limit_s,
    };
    let plan = planned(goal, 40, 2, Certainty::Every);
    assert!(matches!(plan.answer, Answer::Smallest { value: 11, .. }));
    // No scheduler does with fewer servers than 94 % of 8 erlang, and the bound says about that.
    let bound = plan.bound.expect("servers serve");
    assert!((8..=9).contains(&bound.value), "{bound:?}");
    let ratio = bound.fleet_ratio.expect("one was found");
    assert!((ratio - 11.0 / bound.value as f64).abs() < 1e-9);
}

#[test]
fn a_promise_shorter_than_the_service_is_never_kept_and_the_plan_says_why() {
    let goal = Goal::Goodput {
        share: 0.9,
        limit_s: 0.5,
    };
    let plan = planned(goal, 24, 2, Certainty::Mean);
    assert_eq!(plan.answer, Answer::Never { value: 24 });
    let why = "an image takes 1s on an empty replica, 500ms is promised";
    let says = |part: &str| {
        plan.binds
            .iter()
            .any(|line| line.replace(' ', "").contains(part))
    };
    assert!(says(&why.replace(' ', "")), "{:?}", plan.binds);
    assert!(says("thefleetisbusy33%"), "{:?}", plan.binds);
    assert_eq!(plan.ladder.last().map(|rung| rung.value), Some(24));
}

#[test]
fn what_holds_at_the_least_size_holds_already() {
    let goal = Goal::Completed { share: 0.01 };
    let plan = planned(goal, 24, 2, Certainty::Mean);
    assert!(matches!(plan.answer, Answer::Already { value: 1, .. }));
    // Every server completes one a second until there are as many as are needed.
    let step = plan.ladder[1].step.expect("the second rung has a step");
    let images = step.images.expect("completed is always known");
    assert!((images.mean / 11_600.0 - 1.0).abs() < 0.03, "{images:?}");
    assert!(images.is_more() && images.half_width.is_some());
}

#[test]
fn a_plan_is_the_same_for_one_and_three_threads() {
    let goal = Goal::Response {
        quantile: 0.9,
        limit_s: 3.0,
    };
    let [one, three] = [1, 3].map(|threads| planned(goal, 40, threads, Certainty::Mean));
    assert_eq!(one, three);
    assert!(matches!(one.answer, Answer::Smallest { .. }));
}

#[test]
fn a_larger_size_that_misses_is_told_and_so_is_what_comes_too_late() {
    let goal = Goal::Response {
        quantile: 0.9,
        limit_s: 3.0,
    };
    // From 18 on there is one server: more is worse.
    let servers = |size: u64| if size < 18 { size } else { 1 };
    let knob = Knob::plain("cluster.here.replicas", "replicas", 8);
    let range = Range { least: 1, most: 40 };
    let Ok(mut plan) = plan::plan(
        &knob,
        range,
        Certainty::Mean,
        &mut |size| Ok::<_, Infallible>(Arc::new(queue(servers(size), goal))),
        &mut |scenario| {
            Ok(trials::replicate(scenario, 2, &mut |_| ControlFlow::Continue(())).summary)
        },
    );
    let Answer::Smallest { value, .. } = plan.answer else {
        panic!("{:?}", plan.answer);
    };
    // Sixteen held while doubling; the next chunk is eight more than the answer.
    let (held, missed) = (16, value + 8);
    assert_eq!(plan.reversals, [Reversal { held, missed }]);
    let style = Style {
        colour: false,
        width: 100,
    };
    let says = format!("NOT MONOTONE      {held} replicas held, {missed} replicas did not");
    assert!(plan_table(&plan, style).contains(&says));
    let bound = plan.bound.as_mut().expect("servers serve");
    bound.hopeless_s = Some((0.0, 3600.0));
    let says = "TOO LATE          no scheduler could keep the promises from 0 s to 1 h after";
    assert!(plan_table(&plan, style).contains(says));
}
