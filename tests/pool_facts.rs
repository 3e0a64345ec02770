//! What a pool does in small cases that can be worked out by hand: a handful of recorded requests, times in
//! nanoseconds.

use std::sync::Arc;

use meltpoint::profile::ServiceCurve;
use meltpoint::random::Law;
use meltpoint::scenario::{
    Batching, Demand, DemandKind, Outage, QueueOrder, Scenario, Trace, TraceRow, WorkUnit,
};
use meltpoint::sim::{Simulation, TierTally};
use meltpoint::units::{SimDuration, SimTime};

const END_NS: u64 = 1000;

/// One pool with continuous batching whose iterations take 10 ns alone and 18 ns in pairs.
fn pool(replicas: u32) -> Scenario {
    let mut scenario = Scenario::textbook(1.0, Law::Constant { value: 1.0 }, replicas, 1.0);
    scenario.horizon = SimDuration(END_NS);
    scenario.lookahead = SimDuration(7);
    scenario.demands.clear();
    scenario.works[0].unit = WorkUnit::Iterations;
    let pool = &mut scenario.pools[0];
    pool.batch_limit = 2;
    pool.profile.curve = ServiceCurve::tabulated(&[(1, 10e-9), (2, 18e-9)], 2, 0.0, 0.0);
    scenario.rules[0].1.policy.batching = Batching::Continuous;
    scenario
}

/// Requests at these times, of so many iterations each, whose users wait so long for their start.
fn ask(scenario: &mut Scenario, times: &[u64], iterations: u32, patience_ns: Option<u64>) {
    let row = |&at: &u64| TraceRow {
        at: SimTime(at),
        iterations,
        prompt_tokens: 0,
        images: 1,
    };
    let trace = Trace {
        name: String::new(),
        rows: times.iter().map(row).collect(),
    };
    // The textbook's tier comes first; each further demand has its own.
    let tier = scenario.demands.len();
    if tier > 0 {
        scenario.tiers.push(scenario.tiers[0].clone());
        let rules = &mut scenario.rules[0].1.tiers;
        rules.push(rules[0].clone());
    }
    let seconds = |ns| Law::Constant {
        value: ns as f64 * 1e-9,
    };
    scenario.tiers[tier].client.patience_s = patience_ns.map(seconds);
    scenario.demands.push(Demand {
        name: format!("demand {tier}"),
        tier,
        work: 0,
        region: 0,
        from: SimTime::ZERO,
        until: SimTime::NEVER,
        kind: DemandKind::Trace(Arc::new(trace)),
    });
}

fn stand_still(scenario: &mut Scenario, from: u64, until: u64, requeue: bool) {
    scenario.outages.push(Outage {
        pool: 0,
        from: SimTime(from),
        until: SimTime(until),
        requeue,
        evacuate: false,
    });
}

fn play(scenario: Scenario) -> Vec<TierTally> {
    let mut simulation = Simulation::new(&Arc::new(scenario), false);
    while simulation.clock() < SimTime(END_NS) {
        simulation.advance(SimTime(END_NS));
        simulation.assert_invariants();
    }
    simulation.tiers()
}

#[test]
fn outages_that_overlap_end_with_the_last() {
    for (first, second) in [
        ((10, 50), (30, 100)),
        ((10, 100), (30, 50)),
        ((10, 60), (60, 100)),
    ] {
        let mut scenario = pool(1);
        ask(&mut scenario, &[20], 3, None);
        stand_still(&mut scenario, first.0, first.1, false);
        stand_still(&mut scenario, second.0, second.1, false);
        let tier = &play(scenario)[0];
        assert_eq!((tier.completed, tier.failed), (1, 0));
        assert_eq!(
            tier.response.sum(),
            100 + 3 * 10 - 20,
            "{first:?} {second:?}"
        );
    }
}

#[test]
fn who_waited_for_a_pool_is_spread_over_its_replicas() {
    let mut scenario = pool(2);
    ask(&mut scenario, &[50, 60], 1, None);
    stand_still(&mut scenario, 0, 100, false);
    let tier = &play(scenario)[0];
    assert_eq!(tier.response.sum(), (110 - 50) + (110 - 60));
}

#[test]
fn who_becomes_the_first_in_line_waits_no_longer_than_the_window() {
    let fixed = Batching::Static {
        minimum: 3,
        window: SimDuration(10),
    };
    // The first gives up, and the second is the first then.
    let mut scenario = pool(1);
    scenario.rules[0].1.policy.batching = fixed;
    ask(&mut scenario, &[0], 1, Some(5));
    ask(&mut scenario, &[3], 1, None);
    let tiers = play(scenario);
    assert_eq!((tiers[0].abandoned, tiers[1].completed), (1, 1));
    assert_eq!(tiers[1].wait.sum(), 10);
    // The newest is the first.
    let mut scenario = pool(1);
    scenario.rules[0].1.policy.batching = fixed;
    scenario.rules[0].1.policy.order = QueueOrder::Lifo;
    ask(&mut scenario, &[0, 3], 1, None);
    let tier = &play(scenario)[0];
    assert_eq!(tier.completed, 2);
    assert_eq!(tier.wait.sum(), 10 + 13);
}

#[test]
fn who_is_put_back_in_line_waits_with_the_patience_he_had() {
    // One starts at once, the other has to wait for 10 ns before he starts.
    for began_ns in [0, 10] {
        let mut scenario = pool(1);
        scenario.rules[0].1.policy.batching = Batching::Single;
        if began_ns > 0 {
            ask(&mut scenario, &[0], 1, None);
        }
        ask(&mut scenario, &[0], 50, Some(70));
        stand_still(&mut scenario, 30, 200, true);
        let tiers = play(scenario);
        let tier = &tiers[tiers.len() - 1];
        assert_eq!(
            (tier.abandoned, tier.completed),
            (1, 0),
            "after {began_ns} ns"
        );
    }
}
