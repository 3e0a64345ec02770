//! The engine, which jumps over iterations, against a simulator that plays every one of them.
//!
//! Both are asked the same generated questions. After every few nanoseconds the numbers of those who
//! wait, run and are about to try again must be equal, and in the end so must every count and, bucket by
//! bucket and in their exact sum, the response times and the waits. Times are a few nanoseconds, so that
//! many things happen at one instant and the order of events is tested too.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "naive/simulator.rs"]
mod simulator;

use std::sync::Arc;

use meltpoint::profile::ServiceCurve;
use meltpoint::random::Law;
use meltpoint::scenario::{
    Batching, Client, Demand, DemandKind, Dispatch, Drop, PatienceUntil, QueueLimit, QueueOrder,
    Retry, Scenario, Tier, TierRules, Trace, TraceRow, Work, WorkUnit,
};
use meltpoint::sim::{Refusal, Simulation, TierTally};
use meltpoint::units::{SimDuration, SimTime};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use simulator::{Again, Asked, Class, Count, Question, Simulator, Tally};

/// Length of a run: long after the last request.
const END_NS: u64 = 4000;
/// After so many nanoseconds the two are compared.
const STEP_NS: u64 = 7;

fn requests() -> impl Strategy<Value = Vec<Asked>> {
    let asked = (0..600_u64, 1..12_u32, 0..4_u32);
    let asked = asked.prop_map(|(at, iterations, prompt_tokens)| Asked {
        at,
        iterations,
        prompt_tokens,
    });
    vec(asked, 0..25).prop_map(|mut requests| {
        requests.sort_by_key(|asked| asked.at);
        requests
    })
}

fn again() -> impl Strategy<Value = Again> {
    let again = (0..4_u32, 0..60_u64, any::<bool>(), any::<bool>());
    again.prop_map(|(limit, after_ns, after_shed, after_abandoned)| Again {
        limit,
        after_ns,
        after_shed,
        after_abandoned,
    })
}

fn class() -> impl Strategy<Value = Class> {
    let users = (
        option::of(0..200_u64),
        prop_oneof![Just(PatienceUntil::Start), Just(PatienceUntil::Done)],
        any::<bool>(),
        option::of(again()),
    );
    let class = (0..3_u8, 0..300_u64, 1..4_u64, any::<bool>());
    (class, users, requests()).prop_map(
        |((priority, deadline_ns, memory, context_grows), users, requests)| {
            let (patience_ns, until, silent, retry) = users;
            Class {
                priority,
                deadline_ns,
                memory,
                context_grows,
                patience_ns,
                until,
                silent,
                retry,
                requests,
            }
        },
    )
}

fn question() -> impl Strategy<Value = Question> {
    let orders = [
        QueueOrder::Fcfs,
        QueueOrder::Priority,
        QueueOrder::Preemptive,
        QueueOrder::Lifo,
        QueueOrder::Deadline,
    ];
    let policy = (
        option::of(0..6_u64),
        prop::sample::select(orders.to_vec()),
        prop::sample::select(vec![Drop::Nothing, Drop::Stale, Drop::Hopeless]),
    );
    let pool = (1..4_usize, 1..5_usize, 3..12_u64);
    let times = (vec(1..20_u64, 4), 0..2_u64, 0..4_u64);
    (pool, times, policy, vec(class(), 1..4)).prop_map(|(pool, times, policy, classes)| Question {
        replicas: pool.0,
        batch_limit: pool.1,
        iteration_ns: times.0[..pool.1].to_vec(),
        context_token_ns: times.1,
        prompt_token_ns: times.2,
        memory_limit: pool.2,
        queue_limit: policy.0,
        order: policy.1,
        drop: policy.2,
        classes,
    })
}

/// The question in the words of the engine: a trace for each class.
fn scenario(question: &Question) -> Scenario {
    let service = Law::Constant { value: 1.0 };
    let mut scenario = Scenario::textbook(1.0, service, question.replicas as u32, 1.0);
    scenario.horizon = SimDuration(END_NS);
    scenario.lookahead = SimDuration(STEP_NS);
    let points = question
        .iteration_ns
        .iter()
        .zip(1..)
        .map(|(&ns, n)| (n, seconds(ns)));
    let pool = &mut scenario.pools[0];
    pool.batch_limit = question.batch_limit as u32;
    pool.profile.memory_bytes = Some(question.memory_limit);
    pool.profile.curve = ServiceCurve::tabulated(
        &points.collect::<Vec<_>>(),
        pool.batch_limit,
        seconds(question.context_token_ns),
        seconds(question.prompt_token_ns),
    );
    let rules = &mut scenario.rules[0].1;
    rules.policy.batching = Batching::Continuous;
    rules.policy.order = question.order;
    rules.policy.drop = question.drop;
    if question.replicas > 1 {
        rules.policy.dispatch = Dispatch::RoundRobin;
    }
    if let Some(limit) = question.queue_limit {
        rules.policy.admission.queue_limit = QueueLimit::Requests(limit);
    }
    let templates = (
        rules.tiers.remove(0),
        scenario.tiers.remove(0),
        scenario.works.remove(0),
        scenario.demands.remove(0),
    );
    for class in &question.classes {
        let (rules, tier, work, demand) = templates.clone();
        scenario.rules[0].1.tiers.push(TierRules {
            priority: class.priority,
            deadline: SimDuration(class.deadline_ns),
            ..rules
        });
        scenario.demands.push(Demand {
            tier: scenario.tiers.len(),
            work: scenario.works.len(),
            kind: DemandKind::Trace(Arc::new(trace(&class.requests))),
            ..demand
        });
        scenario.tiers.push(Tier {
            client: client(class),
            ..tier
        });
        scenario.works.push(Work {
            unit: WorkUnit::Iterations,
            memory_bytes: class.memory,
            context_grows: class.context_grows,
            ..work
        });
    }
    scenario
}

fn seconds(ns: u64) -> f64 {
    ns as f64 * 1e-9
}

fn client(class: &Class) -> Client {
    let constant = |ns| Law::Constant { value: seconds(ns) };
    let retry = |again: Again| Retry {
        limit: again.limit,
        backoff: constant(again.after_ns),
        factor: 1.0,
        longest_s: f64::INFINITY,
        jitter: 0.0,
        budget: None,
        after_shed: again.after_shed,
        after_abandoned: again.after_abandoned,
        after_failed: false,
    };
    Client {
        patience_s: class.patience_ns.map(constant),
        until: class.until,
        silent_share: f64::from(u8::from(class.silent)),
        retry: class.retry.map(retry),
    }
}

fn trace(requests: &[Asked]) -> Trace {
    let row = |asked: &Asked| TraceRow {
        at: SimTime(asked.at),
        iterations: asked.iterations,
        prompt_tokens: asked.prompt_tokens,
        images: 1,
    };
    Trace {
        name: String::new(),
        rows: requests.iter().map(row).collect(),
    }
}

/// What the engine counted, in the words of the twin.
fn tally(tier: &TierTally) -> Tally {
    Tally {
        offered: tier.offered,
        attempts: tier.attempts,
        admitted: tier.admitted,
        completed: tier.completed,
        queue_full: tier.shed[Refusal::QueueFull as usize],
        hopeless: tier.shed[Refusal::Hopeless as usize],
        abandoned: tier.abandoned,
        wasted: tier.wasted,
        in_system: tier.in_system,
        response: tier.response.clone(),
        wait: tier.wait.clone(),
    }
}

fn count(simulation: &Simulation) -> Count {
    let (_, levels, _) = simulation.pools().next().unwrap();
    Count {
        waiting: levels.waiting,
        running: levels.running,
        between_tries: levels.orbit,
        busy_replicas: levels.busy,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn jumping_over_iterations_equals_playing_them(question in question()) {
        let end = SimTime(END_NS);
        let mut twin = Simulator::new(&question);
        let mut simulation = Simulation::new(&Arc::new(scenario(&question)), false);
        while simulation.clock() < end {
            simulation.advance(end);
            twin.play_until(simulation.clock().0);
            prop_assert_eq!(count(&simulation), twin.count(), "at {:?}", simulation.clock());
        }
        simulation.assert_invariants();
        let found: Vec<Tally> = simulation.tiers().iter().map(tally).collect();
        for (class, (found, twin)) in found.iter().zip(&twin.tallies).enumerate() {
            prop_assert_eq!(found.response.sum(), twin.response.sum(), "responses of {}", class);
            prop_assert!(found == twin, "class {}: {:?} {:?}", class, found, twin);
        }
    }
}
