//! Data that must stay and work that only some sites do: the group that melts, and who is served.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;

use meltpoint::estimate::estimate;
use meltpoint::plan::{self, Answer, Certainty, Knob, Range};
use meltpoint::random::Law;
use meltpoint::scenario::{Goal, Quality, QueueLimit, QueueOrder, Scenario, Slo};
use meltpoint::trials;
use meltpoint::units::SimTime;

use crate::question::{agree, also, two_sites};

/// What is left of the exact shares: fleets start empty, requests run at the end, queues are random.
const TOLERANCE: f64 = 0.01;

/// Users there beside those here, who may not leave.
fn residents() -> Scenario {
    let mut scenario = two_sites(70.0, 50, 50);
    also(&mut scenario, "guests", 20.0, [1, 0, 1]);
    scenario.regions[0].served_in = vec![true, false];
    scenario
}

#[test]
fn users_who_may_not_leave_melt_their_own_site() {
    let found = agree(&residents(), TOLERANCE);
    assert!((found.load_peak.expect("a fleet") - 1.4).abs() < 1e-9);
    assert_eq!(
        found.bottleneck,
        "GPU capacity of here (all): the peak, 10 s after the start, asks for 1.40 times what the \
         clusters that may serve them can do with one request at a time"
    );
    // Guests may go anywhere, but here nothing is left for them, and there is enough.
    assert!((found.tiers[1].completed / found.tiers[1].offered - 1.0).abs() < 1e-9);
}

#[test]
fn without_that_rule_the_same_users_are_no_problem() {
    let mut scenario = residents();
    scenario.regions[0].served_in.clear();
    let found = agree(&scenario, TOLERANCE);
    assert!((found.load_peak.expect("a fleet") - 0.9).abs() < 1e-9);
    assert!(found.bottleneck.starts_with("none: the peak"));
}

#[test]
fn two_works_are_held_where_they_can_be_done() {
    // Twice the work, which only the site there does; the other work makes room for it.
    let mut scenario = two_sites(35.0, 40, 60);
    let mut long = scenario.works[0].clone();
    long.name = "long".into();
    long.qualities = vec![Quality {
        amount: Law::Constant { value: 2.0 },
        ..long.qualities[0].clone()
    }];
    scenario.works.push(long);
    scenario.pools[0].serves = vec![true, false];
    also(&mut scenario, "long", 25.0, [0, 1, 1]);
    let found = agree(&scenario, TOLERANCE);
    // 35 + 2 x 25 erlang of 100: balanced over both.
    assert!((found.load_peak.expect("a fleet") - 0.85).abs() < 1e-9);
    // With more of it than the site there can do, it melts, and only it.
    let mut melting = scenario.clone();
    also(&mut melting, "longer", 20.0, [0, 1, 1]);
    let found = agree(&melting, TOLERANCE);
    assert!((found.load_peak.expect("a fleet") - 1.5).abs() < 1e-9);
    let group = "GPU capacity of there (long, longer)";
    assert!(found.bottleneck.starts_with(group), "{}", found.bottleneck);
}

#[test]
fn priority_holds_within_what_may_serve_whom() {
    let mut scenario = residents();
    // Equal times would keep all servers in step, and whoever comes would wait for the step.
    scenario.works[0].qualities[0].amount = Law::Exponential { mean: 1.0 };
    scenario.rules[0].1.policy.order = QueueOrder::Priority;
    also(&mut scenario, "first", 30.0, [0, 0, 2]);
    scenario.rules[0].1.tiers[0].priority = 5;
    let found = agree(&scenario, TOLERANCE);
    let share = |tier: usize| found.tiers[tier].completed / found.tiers[tier].offered;
    assert!((share(2) - 1.0).abs() < 1e-9);
    assert!((share(0) - 20.0 / 70.0).abs() < 0.02, "{}", share(0));
}

#[test]
fn a_queue_is_full_where_it_is() {
    let mut scenario = residents();
    scenario.rules[0].1.policy.admission.queue_limit = QueueLimit::Requests(100);
    let found = agree(&scenario, TOLERANCE);
    assert!(found.tiers[0].lost.queue_full > 0.2 * found.tiers[0].offered);
    assert!(found.tiers[1].lost.queue_full < 1e-9);
    assert!(
        (found.waiting_max - 100.0).abs() < 1e-6,
        "{}",
        found.waiting_max
    );
}

#[test]
fn who_can_be_served_nowhere_is_named() {
    let mut scenario = residents();
    // Hardly anybody else comes, and the site here is delivered late.
    scenario.pools[0].deliveries[0].0 = SimTime::from_s(600.0);
    scenario.pools[0].deliveries[0].1 = 200;
    let found = estimate(&scenario);
    assert_eq!(
        found.bottleneck,
        "GPU capacity for all: no replica that may serve it is in service for 10 m"
    );
}

#[test]
fn the_smallest_site_for_those_who_may_not_leave_is_near_its_own_bound() {
    // 90 % of 70 erlang are to be served here; the other site has enough for its guests and half of these.
    let sized = |servers: u64| {
        let mut scenario = residents();
        scenario.pools[0].deliveries[0].1 = servers as u32;
        for tier in [0, 1] {
            scenario.slos.push(Slo {
                name: scenario.tiers[tier].name.clone(),
                tier,
                goal: Goal::Completed { share: 0.9 },
                enforced: false,
            });
        }
        scenario
    };
    let Ok(plan) = plan::plan(
        &Knob::plain("cluster.here.replicas", "replicas", 50),
        Range {
            least: 1,
            most: 200,
        },
        Certainty::Mean,
        &mut |servers| Ok::<_, Infallible>(Arc::new(sized(servers))),
        &mut |scenario| Ok(trials::run(scenario, 1, &mut |_| ControlFlow::Continue(())).summary),
    );
    let Answer::Smallest { value, .. } = plan.answer else {
        panic!("{:?}", plan.answer);
    };
    let bound = plan.bound.expect("servers serve");
    assert!(
        (62..=64).contains(&bound.value) && bound.hopeless_s.is_none(),
        "{bound:?}"
    );
    assert!(
        (bound.value..=bound.value + 4).contains(&value),
        "{value} and {bound:?}"
    );
    // At the answer the fluid model serves about what was promised.
    let found = estimate(&sized(value));
    let share = found.tiers[0].completed / found.tiers[0].offered;
    assert!((share - 0.9).abs() < 0.04, "{share}");
}
