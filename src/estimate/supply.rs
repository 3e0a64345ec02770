//! What the fleet can do at an instant, with every batch full.

use crate::scenario::{Pool, Rules, Scenario, Work};
use crate::units::SimTime;

/// When a delivery of a pool serves: where its replicas start one by one, after the mean of a start-up.
pub(super) fn serves_from(scenario: &Scenario, pool: &Pool, delivered: SimTime) -> SimTime {
    match scenario.clusters[pool.cluster].start_up {
        Some(_) if delivered > SimTime::ZERO => delivered + pool.start_up,
        _ => delivered,
    }
}

/// Whether a pool stands still at `at`.
pub(super) fn stands_still(scenario: &Scenario, pool: usize, at: SimTime) -> bool {
    let mut outages = scenario.outages.iter();
    outages.any(|outage| outage.pool == pool && outage.from <= at && at < outage.until)
}

/// Replicas of a pool that are there at `at`.
pub(super) fn delivered(scenario: &Scenario, pool: &Pool, at: SimTime) -> u64 {
    replicas(pool, |date| serves_from(scenario, pool, date) <= at)
}

/// Replicas of a pool that are handed over by `at`, whether they serve or not.
pub(super) fn handed_over(pool: &Pool, at: SimTime) -> u64 {
    replicas(pool, |date| date <= at)
}

/// Replicas of the first deliveries, as long as their dates are such.
fn replicas(pool: &Pool, is_such: impl Fn(SimTime) -> bool) -> u64 {
    let deliveries = pool.deliveries.iter();
    let first = deliveries.take_while(|delivery| is_such(delivery.0));
    first.map(|delivery| u64::from(delivery.1)).sum()
}

/// Requests in a full batch, and whether memory allows fewer than the batch limit.
pub(super) fn places(pool: &Pool, rules: &Rules, work: &Work) -> (u32, bool) {
    let batching = &rules.policy.batching;
    let places = pool.places(batching, work.mean_memory_bytes());
    (places, places < batching.places(pool.batch_limit))
}

/// Images a second of some pools if they did nothing but this work at this quality, given the replicas by pool.
pub(super) fn rate_per_s(
    scenario: &Scenario,
    rules: &Rules,
    pools: &[usize],
    replicas: &[f64],
    (work, quality): (&Work, usize),
) -> f64 {
    let of_pool = |&index: &usize| {
        let pool = &scenario.pools[index];
        let (places, _) = places(pool, rules, work);
        replicas[index] * work.rate_per_s(&pool.profile.curve, places, quality)
    };
    pools.iter().map(of_pool).sum()
}

/// Places in the batches of all replicas in service of some pools.
pub(super) fn slots(scenario: &Scenario, rules: &Rules, pools: &[usize], replicas: &[f64]) -> f64 {
    let of_pool = |&index: &usize| {
        let places = rules
            .policy
            .batching
            .places(scenario.pools[index].batch_limit);
        replicas[index] * f64::from(places)
    };
    pools.iter().map(of_pool).sum()
}

/// Places in the batches of all replicas that will ever be delivered.
pub(super) fn slots_at_most(scenario: &Scenario) -> f64 {
    let of_pool = |pool: &Pool| {
        let replicas: f64 = pool.deliveries.iter().map(|d| f64::from(d.1)).sum();
        replicas * f64::from(pool.batch_limit)
    };
    scenario.pools.iter().map(of_pool).sum()
}
