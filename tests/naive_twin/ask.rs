//! Questions at random. Times are a few nanoseconds, so that much happens at one instant.

use meltpoint::scenario::{
    Admission, Batching, Degradation, Dispatch, Drop, PatienceUntil, Policy, QueueLimit,
    QueueOrder, Reclaim, Routing, Rules, TierRules,
};
use meltpoint::units::SimDuration;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::question::{Again, Asked, Class, LOW, Question, Standstill};

/// Nobody asks later, and the operator does nothing later.
const LAST_NS: u64 = 600;
/// Rules are made for so many classes.
const CLASSES: usize = 3;

fn requests() -> impl Strategy<Value = Vec<Asked>> {
    let iterations = prop_oneof![1 => Just(0), 9 => 1..12_u32];
    // A crowd is large enough to use up what clients under a retry budget have saved.
    let images = prop_oneof![40 => Just(1), 4 => 2..5_u32, 1 => 60..150_u32];
    let asked = (0..LAST_NS, images, iterations, 0..4_u32);
    let asked = asked.prop_map(|(at, images, iterations, prompt_tokens)| Asked {
        at,
        images,
        iterations,
        prompt_tokens,
    });
    vec(asked, 0..25).prop_map(|mut requests| {
        requests.sort_by_key(|asked| asked.at);
        requests
    })
}

fn again() -> impl Strategy<Value = Again> {
    let delays = (0..60_u64, 0..200_u64);
    let again = (0..4_u32, delays, option::of(0..4_u32), any::<[bool; 3]>());
    again.prop_map(
        |(limit, (after_ns, longest_ns), budget_quarters, after)| Again {
            limit,
            after_ns,
            longest_ns,
            budget_quarters,
            after_shed: after[0],
            after_abandoned: after[1],
            after_failed: after[2],
        },
    )
}

fn class() -> impl Strategy<Value = Class> {
    let users = (
        option::of(0..200_u64),
        select(vec![PatienceUntil::Start, PatienceUntil::Done]),
        any::<bool>(),
        option::of(again()),
    );
    let work = (1..4_u64, any::<bool>(), 1..8_u32, option::of(1..4_u32));
    (work, users, requests()).prop_map(|(work, users, requests)| {
        let (memory, context_grows, iterations, low_iterations) = work;
        let (patience_ns, until, silent, retry) = users;
        Class {
            memory,
            context_grows,
            iterations,
            low_iterations,
            patience_ns,
            until,
            silent,
            retry,
            requests,
        }
    })
}

fn batching() -> impl Strategy<Value = Batching> {
    let fixed = (1..6_u32, 0..60_u64).prop_map(|(minimum, window)| Batching::Static {
        minimum,
        window: SimDuration(window),
    });
    prop_oneof![1 => Just(Batching::Single), 3 => Just(Batching::Continuous), 2 => fixed]
}

fn admission() -> impl Strategy<Value = Admission> {
    let queue_limit = prop_oneof![
        3 => Just(QueueLimit::None),
        2 => (0..6_u64).prop_map(QueueLimit::Requests),
        1 => (0..6_u8).prop_map(|halves| QueueLimit::PerSlot(f64::from(halves) / 2.0)),
    ];
    let longest = option::weighted(0.2, (1..100_u64).prop_map(SimDuration));
    (queue_limit, longest).prop_map(|(queue_limit, refuse_wait_above)| Admission {
        queue_limit,
        refuse_wait_above,
    })
}

fn degradation() -> impl Strategy<Value = Degradation> {
    (0..5_u8, 0..5_u8).prop_map(|(below, more)| Degradation {
        quality: LOW.into(),
        above: f64::from(below + more) / 4.0,
        below: f64::from(below) / 4.0,
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    let orders = [
        QueueOrder::Fcfs,
        QueueOrder::Priority,
        QueueOrder::Preemptive,
        QueueOrder::Shares,
        QueueOrder::Lifo,
        QueueOrder::Deadline,
    ];
    let reclaims = [Reclaim::AtEnd, Reclaim::Interrupt, Reclaim::Interrupt];
    let dispatches = [
        Dispatch::Central,
        Dispatch::Central,
        Dispatch::Central,
        Dispatch::RoundRobin,
        Dispatch::JoinShortest,
        Dispatch::PowerOfD(2),
        Dispatch::Random,
    ];
    (
        admission(),
        (select(orders.to_vec()), select(reclaims.to_vec())),
        select(vec![Drop::Nothing, Drop::Stale, Drop::Hopeless]),
        batching(),
        select(dispatches.to_vec()),
        option::of(degradation()),
    )
        .prop_map(
            |(admission, (order, reclaim), drop, batching, dispatch, degradation)| Policy {
                admission,
                order,
                reclaim,
                drop,
                batching,
                routing: Routing::Random,
                dispatch,
                degradation,
            },
        )
}

fn rules() -> impl Strategy<Value = Rules> {
    let shares = (1..5_u8, 1..5_u8);
    let tier = (prop::bool::weighted(0.95), 0..3_u8, 0..300_u64, shares);
    let tier = tier.prop_map(|(open, priority, deadline, (share, quarters))| TierRules {
        open,
        priority,
        quota: None,
        rate_limit: None,
        deadline: SimDuration(deadline),
        share: f64::from(share),
        places_limit: f64::from(quarters) / 4.0,
    });
    (vec(tier, CLASSES), policy()).prop_map(|(tiers, policy)| Rules { tiers, policy })
}

fn rules_in_time() -> impl Strategy<Value = Vec<(u64, Rules)>> {
    let changes = prop_oneof![
        3 => Just(Vec::new()),
        2 => vec((1..LAST_NS, rules()), 1..4),
    ];
    (rules(), changes).prop_map(|(first, mut changes)| {
        changes.insert(0, (0, first));
        changes.sort_by_key(|change| change.0);
        changes
    })
}

/// Mostly all at the start, else bit by bit.
fn deliveries() -> impl Strategy<Value = Vec<(u64, usize)>> {
    let at_once = (1..5_usize).prop_map(|replicas| vec![(0, replicas)]);
    let in_time = vec((0..LAST_NS, 0..3_usize), 1..4).prop_map(|mut deliveries| {
        deliveries.sort_by_key(|delivery| delivery.0);
        deliveries
    });
    prop_oneof![3 => at_once, 1 => in_time]
}

fn outages() -> impl Strategy<Value = Vec<Standstill>> {
    let outage = (0..LAST_NS, 1..150_u64, any::<bool>());
    let outage = outage.prop_map(|(from, length, requeue)| Standstill {
        from,
        until: from + length,
        requeue,
    });
    prop_oneof![1 => Just(Vec::new()), 1 => vec(outage, 1..4)]
}

/// A question.
pub(crate) fn question() -> impl Strategy<Value = Question> {
    let times = (vec(4..80_u64, 4), 0..6_u64, 0..16_u64);
    let run = (1..60_u64, prop_oneof![Just(0), 1..LAST_NS]);
    let operator = (deliveries(), outages(), rules_in_time());
    let pool = (1..5_usize, 3..12_u64);
    (run, pool, times, operator, vec(class(), CLASSES)).prop_map(
        |(run, (batch_limit, memory_limit), mut times, operator, classes)| {
            times.0.truncate(batch_limit);
            Question {
                lookahead_ns: run.0,
                warm_up_ns: run.1,
                batch_limit,
                iteration_quarters: times.0,
                context_token_quarters: times.1,
                prompt_token_quarters: times.2,
                memory_limit,
                deliveries: operator.0,
                outages: operator.1,
                rules: operator.2,
                classes,
            }
        },
    )
}

/// A question in which places are shared and reclaimed all the time.
pub(crate) fn reclaiming() -> impl Strategy<Value = Question> {
    question().prop_map(|mut question| {
        for (_, rules) in &mut question.rules {
            let policy = &mut rules.policy;
            (policy.order, policy.reclaim) = (QueueOrder::Shares, Reclaim::Interrupt);
            if matches!(policy.batching, Batching::Static { .. }) {
                policy.batching = Batching::Continuous;
            }
        }
        question
    })
}
