//! Tiers that share a pool: each gets its share while all want more, borrows what is free, and gives it back.

use std::sync::Arc;

use meltpoint::queueing::{Mmc, preemptive_many_servers};
use meltpoint::random::{Law, Seed};
use meltpoint::scenario::{DemandKind, QueueOrder, Reclaim, Rules, Scenario};
use meltpoint::sim::{Simulation, TierTally};
use meltpoint::stats::{confidence_interval, student_t_quantile};
use meltpoint::units::{SimDuration, SimTime};
use rayon::prelude::*;

const SERVERS: u32 = 20;

fn shared(tiers: [(f64, f64, f64); 2], horizon_s: f64) -> Scenario {
    shared_by(SERVERS, tiers, horizon_s)
}

/// Two tiers on some servers, with exponential service of a second; the rate of each, its share and its limit.
fn shared_by(servers: u32, tiers: [(f64, f64, f64); 2], horizon_s: f64) -> Scenario {
    let service = Law::Exponential { mean: 1.0 };
    let mut scenario = Scenario::textbook(1.0, service, servers, horizon_s);
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

/// What twenty replications of a scenario gave, held against the exact value: within the t-bound, and with a half
/// width of the 95 % interval that lets tell.
fn agrees(what: &str, values: &[f64], exact: f64) {
    let interval = confidence_interval(values, 0.95).expect("twenty");
    let freedom = values.len() as f64 - 1.0;
    let error = interval.half_width / student_t_quantile(0.975, freedom);
    let allowed = student_t_quantile(0.9999, freedom) * error;
    assert!(
        (interval.mean - exact).abs() <= allowed,
        "{what}: {} +- {} instead of {exact}",
        interval.mean,
        interval.half_width
    );
    let within = interval.half_width / exact;
    assert!(within <= 0.03, "{what}: {within} is too wide");
}

fn replicate<T: Send>(scenario: &mut Scenario, of: impl Fn(Vec<TierTally>) -> T + Sync) -> Vec<T> {
    // The only pool depends on nobody, so a window may be long.
    scenario.lookahead = SimDuration::from_s(100.0);
    let play = |seed| {
        let mut scenario = scenario.clone();
        scenario.seed = Seed(seed);
        of(play(scenario))
    };
    (1..=20_u64).into_par_iter().map(play).collect()
}

#[test]
fn a_tier_with_a_limit_is_a_queue_of_its_own() {
    // Eight places at most, and nobody else wants the other twelve: M/M/8.
    let theory = Mmc {
        arrival_rate: 6.0,
        service_rate: 1.0,
        servers: 8,
    };
    for reclaim in [Reclaim::AtEnd, Reclaim::Interrupt] {
        let mut scenario = shared([(6.0, 1.0, 0.4), (0.01, 1.0, 1.0)], 20_000.0);
        scenario.rules[0].1.policy.reclaim = reclaim;
        let waits = replicate(&mut scenario, |tiers| tiers[0].wait.mean_s().expect("many"));
        agrees("wait", &waits, theory.mean_wait());
    }
}

#[test]
fn a_tier_with_nearly_all_of_the_share_interrupts_the_other_as_a_higher_class_does() {
    for (servers, rates) in [(1, [0.4, 0.3]), (4, [1.6, 1.4])] {
        let tiers = [(rates[0], 1.0, 1.0), (rates[1], 1e-6, 1.0)];
        let mut scenario = shared_by(servers, tiers, 60_000.0 / rates[0]);
        scenario.rules[0].1.policy.reclaim = Reclaim::Interrupt;
        let responses = replicate(&mut scenario, |tiers| {
            [0, 1].map(|tier| tiers[tier].response.mean_s().expect("many"))
        });
        let theory = preemptive_many_servers(&rates, 1.0, u64::from(servers));
        for (tier, theory) in theory.iter().enumerate() {
            let values: Vec<f64> = responses.iter().map(|run| run[tier]).collect();
            agrees(
                &format!("tier {tier} of {servers}"),
                &values,
                theory.response,
            );
        }
    }
}

/// Tier 0 has borrowed all places with requests that take a thousand seconds; tier 1 comes after 100 s.
fn borrowed(reclaim: Reclaim) -> Scenario {
    let mut scenario = shared([(60.0, 1.0, 1.0), (0.0, 1.0, 1.0)], 300.0);
    scenario.rules[0].1.policy.reclaim = reclaim;
    scenario.works[0].qualities[0].amount = Law::Constant { value: 1000.0 };
    if let DemandKind::Rate { curve, .. } = &mut scenario.demands[1].kind {
        curve
            .points
            .push((SimTime::ZERO + SimDuration::from_s(100.0), 60.0));
    }
    scenario
}

/// Places in use after 150 and after 250 seconds, and those who have waited of each tier for a place.
fn places(scenario: Scenario) -> ([u64; 2], Vec<TierTally>) {
    let mut run = Simulation::new(&Arc::new(scenario), false);
    let used = [150.0, 250.0].map(|at_s| {
        let at = SimTime::ZERO + SimDuration::from_s(at_s);
        while run.clock() < at {
            run.advance(at);
            run.assert_invariants();
        }
        let (_, levels, _) = run.pools().next().expect("one pool");
        levels.running
    });
    (used, run.tiers())
}

#[test]
fn borrowed_places_come_back_at_once_where_they_are_reclaimed() {
    let started = |reclaim| {
        let (used, tiers) = places(borrowed(reclaim));
        assert_eq!(used, [20, 20]);
        (tiers[0].wait.count(), tiers[1].wait.count())
    };
    assert_eq!(started(Reclaim::AtEnd), (20, 0));
    // Ten of twenty places, and as many interrupted: nobody else of tier 0 has started.
    assert_eq!(started(Reclaim::Interrupt), (20, 10));
}

#[test]
fn a_lowered_limit_and_a_lowered_share_give_places_back_at_once() {
    let changed = |reclaim, change: fn(&mut Rules)| {
        let mut scenario = borrowed(reclaim);
        let mut rules = scenario.rules[0].1.clone();
        change(&mut rules);
        let at = SimTime::ZERO + SimDuration::from_s(200.0);
        scenario.rules.push((at, rules));
        let (used, tiers) = places(scenario);
        (used[1], tiers[1].wait.count())
    };
    let limit: fn(&mut Rules) = |rules| rules.tiers[1].places_limit = 0.1;
    let both: fn(&mut Rules) = |rules| {
        rules.tiers[1].places_limit = 0.1;
        rules.tiers[0].places_limit = 0.3;
    };
    let share: fn(&mut Rules) = |rules| rules.tiers[1].share = 4.0;
    assert_eq!(changed(Reclaim::AtEnd, both), (20, 0));
    assert_eq!(changed(Reclaim::AtEnd, share), (20, 0));
    // Two for tier 1, and what it gave back is tier 0's.
    assert_eq!(changed(Reclaim::Interrupt, limit), (20, 10));
    // Two and six; the others stay free.
    assert_eq!(changed(Reclaim::Interrupt, both), (8, 10));
    // Sixteen of twenty.
    assert_eq!(changed(Reclaim::Interrupt, share), (20, 16));
}
