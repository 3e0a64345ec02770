//! Tiers that share a pool: each gets its share while all want more, borrows what is free, and gives it back.

use std::sync::Arc;

use meltpoint::queueing::Mmc;
use meltpoint::random::Law;
use meltpoint::scenario::{DemandKind, QueueOrder, Scenario};
use meltpoint::sim::{Simulation, TierTally};
use meltpoint::units::{SimDuration, SimTime};

const SERVERS: u32 = 20;

/// Two tiers on twenty servers, with exponential service of a second; the rate of each, its share and its limit.
fn shared(tiers: [(f64, f64, f64); 2], horizon_s: f64) -> Scenario {
    let service = Law::Exponential { mean: 1.0 };
    let mut scenario = Scenario::textbook(1.0, service, SERVERS, horizon_s);
    scenario.lookahead = SimDuration::from_s(1.0);
    scenario.rules[0].1.policy.order = QueueOrder::Shares;
    let (demand, tier) = (scenario.demands.remove(0), scenario.tiers.remove(0));
    let rules = scenario.rules[0].1.tiers.remove(0);
    for (index, (rate_per_s, share, places_limit)) in tiers.into_iter().enumerate() {
        let mut demand = demand.clone();
        demand.name = format!("demand {index}");
        demand.tier = index;
        if let DemandKind::Rate { curve, .. } = &mut demand.kind {
            curve.points[0].1 = rate_per_s;
        }
        scenario.demands.push(demand);
        let mut tier = tier.clone();
        tier.name = format!("tier {index}");
        scenario.tiers.push(tier);
        let mut rules = rules.clone();
        (rules.share, rules.places_limit) = (share, places_limit);
        scenario.rules[0].1.tiers.push(rules);
    }
    scenario
}

fn play(scenario: Scenario) -> Vec<TierTally> {
    let end = SimTime::ZERO + scenario.horizon;
    let mut run = Simulation::new(&Arc::new(scenario), false);
    while run.clock() < end {
        run.advance(end);
        run.assert_invariants();
    }
    run.tiers()
}

#[test]
fn while_all_want_more_each_has_its_share() {
    let tiers = play(shared([(60.0, 3.0, 1.0), (60.0, 1.0, 1.0)], 2000.0));
    let done = |index: usize| tiers[index].completed as f64;
    // 15 and 5 of 20 places, at one request a second each; four standard deviations of a Poisson count.
    assert!(
        (done(0) - 30_000.0).abs() < 4.0 * 30_000_f64.sqrt(),
        "{}",
        done(0)
    );
    assert!(
        (done(1) - 10_000.0).abs() < 4.0 * 10_000_f64.sqrt(),
        "{}",
        done(1)
    );
}

#[test]
fn what_one_does_not_want_the_other_borrows() {
    let tiers = play(shared([(60.0, 3.0, 1.0), (2.0, 1.0, 1.0)], 2000.0));
    let done = |index: usize| tiers[index].completed as f64;
    assert!(
        (done(1) - 4_000.0).abs() < 4.0 * 4_000_f64.sqrt(),
        "{}",
        done(1)
    );
    assert!(
        (done(0) - 36_000.0).abs() < 4.0 * 36_000_f64.sqrt(),
        "{}",
        done(0)
    );
    // Who has less than his share is next as soon as any of twenty places is free.
    let wait_s = tiers[1].wait.mean_s().expect("many");
    assert!((0.03..0.07).contains(&wait_s), "{wait_s}");
}

#[test]
fn a_tier_with_a_limit_is_a_queue_of_its_own() {
    // Eight places at most, and nobody else wants the other twelve: M/M/8.
    let mean = |seed: u64| {
        let mut scenario = shared([(6.0, 1.0, 0.4), (0.01, 1.0, 1.0)], 20_000.0);
        scenario.seed = meltpoint::random::Seed(seed);
        play(scenario)[0].wait.mean_s().expect("many")
    };
    let runs: Vec<f64> = (1..=10).map(mean).collect();
    let found = runs.iter().sum::<f64>() / 10.0;
    let theory = Mmc {
        arrival_rate: 6.0,
        service_rate: 1.0,
        servers: 8,
    };
    let theory = theory.mean_wait();
    let squares = runs.iter().map(|run| (run - found) * (run - found));
    let deviation = (squares.sum::<f64>() / 9.0).sqrt();
    let error = deviation / 10_f64.sqrt();
    assert!((found - theory).abs() < 4.0 * error, "{found} of {theory}");
    assert!(error < 0.03 * theory, "{error} of {theory}");
}
