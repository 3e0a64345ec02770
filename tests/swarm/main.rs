//! Generated scenarios: whatever one asks for, the books are balanced, nobody idles while somebody waits, and
//! threads change nothing.
//!
//! No values are compared here, only what must hold in every run: after every window the ledger of each
//! tier, Little's law, what is in a place by count and by list (`Simulation::assert_invariants`), time and
//! counts that only grow, and work conservation; in the summary utilisation up to 1 and nothing below 0; and
//! the same summary to the last bit for one thread and for several.
//!
//! `PROPTEST_CASES=5000 cargo test --test swarm` plays thousands.

mod ask;
mod elastic;
mod failures;
mod partitions;

use std::ops::ControlFlow;
use std::sync::Arc;

use meltpoint::estimate::estimate;
use meltpoint::metrics::summary::{Summary, TierSummary};
use meltpoint::scenario::{Batching, Dispatch, QueueOrder, Rules, Scenario};
use meltpoint::sim::{Simulation, TierTally};
use meltpoint::trials;
use meltpoint::units::SimTime;
use proptest::prelude::*;
use serde_json::Value as Json;

fn run(scenario: &Arc<Scenario>, threads: usize) -> Summary {
    trials::run(scenario, threads, &mut |_| ControlFlow::Continue(())).summary
}

/// Plays a scenario from window to window and looks at it after each.
fn play(scenario: &Arc<Scenario>) -> Result<(), TestCaseError> {
    let end = SimTime::ZERO + scenario.horizon;
    let mut simulation = Simulation::new(scenario, false);
    let mut before = simulation.tiers();
    while simulation.clock() < end {
        let from = simulation.clock();
        simulation.advance(end);
        let clock = simulation.clock();
        prop_assert!(from < clock && clock <= end, "{:?} after {:?}", clock, from);
        simulation.assert_invariants();
        let tiers = simulation.tiers();
        // At the end of the warm-up counts begin anew.
        if clock != SimTime::ZERO + scenario.warm_up {
            for (tier, before) in tiers.iter().zip(&before) {
                only_grow(tier, before)?;
            }
        }
        before = tiers;
        let known = scenario.rules.iter().rev();
        let (_, rules) = known
            .clone()
            .find(|rules| rules.0 <= clock)
            .expect("from 0 on");
        works_while_somebody_waits(scenario, &simulation, rules)?;
    }
    Ok(())
}

fn only_grow(tier: &TierTally, before: &TierTally) -> Result<(), TestCaseError> {
    let counts = |tier: &TierTally| {
        [
            tier.offered,
            tier.attempts,
            tier.admitted,
            tier.retries,
            tier.completed,
            tier.degraded,
            tier.shed_total(),
            tier.abandoned,
            tier.failed,
            tier.wasted,
            tier.served_users,
            tier.list_value_micro_usd,
            tier.response.count(),
            tier.wait.count(),
        ]
    };
    for (count, before) in counts(tier).into_iter().zip(counts(before)) {
        prop_assert!(count >= before, "{:?} after {:?}", tier, before);
    }
    prop_assert_eq!(tier.completed, tier.response.count());
    prop_assert!(tier.admitted <= tier.attempts && tier.retries <= tier.attempts);
    prop_assert!(tier.degraded <= tier.completed);
    Ok(())
}

/// Work conservation: with one line and batches that are filled at every iteration nobody waits while a
/// place is free that he fits in; a replica that is off is not free, nor is one that drains, as those of an
/// autoscaler may. All requests need the same memory, so places can be counted.
fn works_while_somebody_waits(
    scenario: &Scenario,
    simulation: &Simulation,
    rules: &Rules,
) -> Result<(), TestCaseError> {
    let places = |batch_limit: u32| match rules.policy.batching {
        Batching::Single => Some(1),
        Batching::Continuous => Some(u64::from(batch_limit)),
        Batching::Static { .. } => None,
    };
    // Who waits for his own tier's limit leaves places free.
    let is_limited = rules.policy.order == QueueOrder::Shares
        && rules.tiers.iter().any(|tier| tier.places_limit < 1.0);
    for ((_, levels, replicas), pool) in simulation.pools().zip(&scenario.pools) {
        prop_assert!(levels.busy <= levels.in_service && levels.in_service <= replicas);
        prop_assert!(levels.busy <= levels.running);
        if let Some(places) = places(pool.batch_limit)
            && rules.policy.dispatch == Dispatch::Central
            && pool.set_up.is_none()
            && !scenario
                .autoscalers
                .iter()
                .any(|scaler| scaler.clusters.contains(&pool.cluster))
            && scenario.clusters[pool.cluster].division.is_none()
            && !is_limited
            && !is_maintained(scenario, pool.cluster)
            && scenario.works[0].memory_bytes_per_token == 0
            && levels.waiting > 0
        {
            let memory = pool.profile.memory_bytes.unwrap_or(u64::MAX);
            let places = places.min(memory / scenario.works[0].memory_bytes);
            prop_assert!(
                levels.running >= levels.in_service * places,
                "{} waits while places are free: {:?}",
                pool.name,
                levels
            );
            prop_assert_eq!(levels.busy, levels.in_service);
        }
    }
    Ok(())
}

/// Whether replicas of a cluster drain for planned work.
fn is_maintained(scenario: &Scenario, cluster: usize) -> bool {
    let reliability = scenario.clusters[cluster].reliability.as_ref();
    reliability.is_some_and(|reliability| reliability.maintenance.is_some())
}

fn balances(tier: &TierSummary) -> Result<(), TestCaseError> {
    let known = tier.completed + tier.shed_total() + tier.abandoned + tier.failed + tier.in_system;
    prop_assert_eq!(tier.offered, known, "{}", tier.name);
    Ok(())
}

/// The path of a number below 0, of whatever kind.
fn negative(value: &Json, path: &str) -> Option<String> {
    match value {
        Json::Number(number) => {
            let is_negative = number.as_f64().is_some_and(|number| number < 0.0);
            is_negative.then(|| format!("{path}: {number}"))
        }
        Json::Array(values) => {
            let mut values = values.iter().enumerate();
            values.find_map(|(index, value)| negative(value, &format!("{path}[{index}]")))
        }
        Json::Object(fields) => {
            let mut fields = fields.iter();
            fields.find_map(|(name, value)| negative(value, &format!("{path}.{name}")))
        }
        _ => None,
    }
}

/// What must hold of every summary.
fn is_sound(scenario: Scenario) -> Result<(), TestCaseError> {
    let scenario = Arc::new(scenario);
    let summary = run(&scenario, 1);
    balances(&summary.total)?;
    for tier in &summary.tiers {
        balances(tier)?;
    }
    let sum = |count: fn(&TierSummary) -> u64| summary.tiers.iter().map(count).sum::<u64>();
    prop_assert_eq!(summary.total.offered, sum(|tier| tier.offered));
    prop_assert_eq!(summary.total.completed, sum(|tier| tier.completed));
    for pool in &summary.pools {
        prop_assert!(
            pool.utilisation.is_none_or(|share| share <= 1.0),
            "{:?}",
            pool
        );
    }
    prop_assert!(summary.checks.iter().all(|check| check.times > 0));
    let json = serde_json::to_value(&summary).expect("a summary is JSON");
    prop_assert_eq!(negative(&json, ""), None);
    prop_assert_eq!(&run(&scenario, 3), &summary);
    prop_assert_eq!(&run(&scenario, 1), &summary);
    Ok(())
}

/// What is expected before a run adds up, and is a number.
fn is_expected(scenario: &Scenario) -> Result<(), TestCaseError> {
    let found = estimate(scenario);
    for tier in found.tiers.iter().chain([&found.total]) {
        let lost = tier.lost.shed() + tier.lost.abandoned;
        let parts = [
            tier.completed,
            tier.lost.shed(),
            tier.lost.abandoned,
            tier.waiting,
        ];
        prop_assert!(parts.iter().all(|part| *part >= 0.0), "{:?}", tier);
        let known = tier.completed + lost + tier.waiting;
        prop_assert!(
            (tier.offered - known).abs() <= 1e-6 * (1.0 + tier.offered),
            "{:?}",
            tier
        );
    }
    let loads = [found.load_mean, found.load_peak];
    prop_assert!(
        loads.iter().flatten().all(|load| load.is_finite()),
        "{:?}",
        loads
    );
    prop_assert!(
        found
            .capacity
            .iter()
            .all(|now| now.images_per_s.is_finite())
    );
    prop_assert!(found.waiting_max.is_finite() && found.wall_s.is_finite());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn books_are_balanced_and_nobody_idles_while_somebody_waits(scenario in ask::scenario()) {
        play(&Arc::new(scenario))?;
    }

    #[test]
    fn books_are_balanced_while_gpus_move_between_products(scenario in partitions::scenario()) {
        play(&Arc::new(scenario))?;
    }

    #[test]
    fn books_are_balanced_while_replicas_come_and_go(scenario in elastic::scenario()) {
        play(&Arc::new(scenario))?;
    }

    #[test]
    fn books_are_balanced_whatever_fails(scenario in failures::scenario()) {
        play(&Arc::new(scenario))?;
    }

    #[test]
    fn what_is_expected_of_any_scenario_adds_up(
        scenario in prop_oneof![ask::scenario(), elastic::scenario(), failures::scenario(), partitions::scenario()]
    ) {
        is_expected(&scenario)?;
    }

    #[test]
    fn of_a_divided_cluster_the_summary_is_sound_and_threads_change_nothing(scenario in partitions::scenario()) {
        is_sound(scenario)?;
    }

    #[test]
    fn with_failures_the_summary_is_sound_and_threads_change_nothing(scenario in failures::scenario()) {
        is_sound(scenario)?;
    }

    #[test]
    fn with_autoscalers_the_summary_is_sound_and_threads_change_nothing(scenario in elastic::scenario()) {
        is_sound(scenario)?;
    }

    #[test]
    fn the_summary_is_sound_and_threads_change_nothing(scenario in ask::scenario()) {
        is_sound(scenario)?;
    }
}
