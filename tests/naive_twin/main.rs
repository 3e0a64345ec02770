//! The engine, which jumps over iterations, against a simulator that plays every one of them.
//!
//! Both are asked the same generated questions. They are stopped after every nanosecond, the unit of the
//! clock, and then the levels must be equal (who waits, runs, is between two tries, which replicas are
//! busy and in service), and so must, whenever anything happened, every count, every integral over time
//! and, bucket by bucket and in their exact sum, the response times and the waits. So the two have the
//! same events at the same times; times are a few nanoseconds, so that many things happen at one instant
//! and the order of events within it shows too.
//!
//! Where places are reclaimed the two must interrupt the same at the same time, so as many questions again are about
//! that. `PROPTEST_CASES=5000 cargo test --test naive_twin` asks 20,000 of each kind instead of a thousand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ask;
mod by_hand;
mod operator;
mod question;
mod reclaim;
mod service;
mod simulator;

use std::sync::Arc;

use meltpoint::sim::{Levels, PoolTally, Refusal, Simulation, TierTally};
use meltpoint::units::SimTime;
use proptest::prelude::*;
use question::{Question, Tally};
use simulator::Simulator;

/// Length of a run: long after the last request.
const END_NS: u64 = 4000;

/// What the engine counted of a class, in the words of the twin.
fn tally(tier: &TierTally) -> Tally {
    let shed = |refusal: Refusal| tier.shed[refusal as usize];
    assert_eq!(shed(Refusal::Quota) + shed(Refusal::RateLimit), 0);
    Tally {
        offered: tier.offered,
        attempts: tier.attempts,
        admitted: tier.admitted,
        retries: tier.retries,
        completed: tier.completed,
        degraded: tier.degraded,
        list_value_micro_usd: tier.list_value_micro_usd,
        queue_full: shed(Refusal::QueueFull),
        hopeless: shed(Refusal::Hopeless),
        closed: shed(Refusal::Closed),
        abandoned: tier.abandoned,
        failed: tier.failed,
        wasted: tier.wasted,
        in_system: tier.in_system,
        response: tier.response.clone(),
        wait: tier.wait.clone(),
    }
}

fn tallies(simulation: &Simulation) -> Vec<Tally> {
    simulation.tiers().iter().map(tally).collect()
}

/// What the engine counted of the pool; events apart, of which the twin has more.
fn pool(simulation: &Simulation) -> (PoolTally, Levels) {
    let (tally, levels, _) = simulation.pools().next().unwrap();
    (PoolTally { events: 0, ..tally }, levels)
}

/// Plays a question on both, from nanosecond to nanosecond. Then the engine plays it once more, from
/// window to window.
fn follow(question: &Question) -> Result<(), TestCaseError> {
    let end = SimTime(END_NS);
    let scenario = Arc::new(question.scenario(END_NS));
    let mut twin = Simulator::new(question, &scenario);
    let mut simulation = Simulation::new(&scenario, false);
    let mut events = u64::MAX;
    for clock in 1..=END_NS {
        simulation.advance(SimTime(clock));
        twin.play_until(clock);
        let (found, levels) = pool(&simulation);
        prop_assert_eq!(levels, twin.levels(), "levels at {}", clock);
        if twin.events != events || clock == END_NS {
            events = twin.events;
            prop_assert_eq!(found, twin.pool, "the pool at {}", clock);
            for (class, (found, twin)) in tallies(&simulation).iter().zip(&twin.tallies).enumerate()
            {
                prop_assert_eq!(found, twin, "class {} at {}", class, clock);
            }
        }
    }
    simulation.assert_invariants();
    let mut in_windows = Simulation::new(&scenario, false);
    while in_windows.clock() < end {
        in_windows.advance(end);
    }
    prop_assert_eq!(pool(&in_windows), pool(&simulation), "in windows");
    prop_assert_eq!(tallies(&in_windows), twin.tallies, "in windows");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4 * ProptestConfig::default().cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn jumping_over_iterations_equals_playing_them(question in ask::question()) {
        follow(&question)?;
    }

    #[test]
    fn whoever_plays_every_iteration_interrupts_the_same(question in ask::reclaiming()) {
        follow(&question)?;
    }
}
