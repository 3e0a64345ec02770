//! What generated questions hardly ever ask, asked on purpose: places that are reclaimed where nothing else happens for
//! hundreds of nanoseconds.

use std::sync::Arc;

use meltpoint::random::Law;
use meltpoint::scenario::{
    Batching, PatienceUntil, QueueOrder, Reclaim, Rules, Scenario, TierRules,
};
use meltpoint::sim::Simulation;
use meltpoint::units::{SimDuration, SimTime};

use crate::follow;
use crate::question::{Asked, Class, Question};

/// All iterations take ten nanoseconds, and everybody has forty to do.
fn class(memory: u64, patience_ns: Option<u64>, at: u64, images: u32) -> Class {
    Class {
        memory,
        context_grows: false,
        iterations: 40,
        low_iterations: None,
        patience_ns,
        until: PatienceUntil::Start,
        silent: false,
        retry: None,
        requests: vec![Asked {
            at,
            images,
            iterations: 0,
            prompt_tokens: 0,
        }],
    }
}

/// Places are shared four to four to one, within limits, and reclaimed.
fn question(places_limits: [f64; 3], classes: Vec<Class>) -> Question {
    let tier = |share: f64, places_limit| TierRules {
        open: true,
        priority: 0,
        quota: None,
        rate_limit: None,
        deadline: SimDuration(1),
        share,
        places_limit,
    };
    let tiers = [4.0, 4.0, 1.0].into_iter().zip(places_limits);
    let textbook = Scenario::textbook(1.0, Law::Constant { value: 1.0 }, 1, 1.0);
    let mut policy = textbook.rules[0].1.policy.clone();
    (policy.order, policy.reclaim) = (QueueOrder::Shares, Reclaim::Interrupt);
    policy.batching = Batching::Continuous;
    let rules = Rules {
        tiers: tiers.map(|(share, limit)| tier(share, limit)).collect(),
        policy,
    };
    Question {
        lookahead_ns: 10,
        warm_up_ns: 0,
        batch_limit: 3,
        iteration_quarters: vec![40; 3],
        context_token_quarters: 0,
        prompt_token_quarters: 0,
        memory_limit: 12,
        deliveries: vec![(0, 1)],
        outages: Vec::new(),
        rules: vec![(0, rules)],
        classes,
    }
}

/// How many of each class have started by a time; the twin must agree at any time.
fn started(question: &Question, at_ns: u64) -> Vec<u64> {
    follow(question).unwrap();
    let scenario = Arc::new(question.scenario(1000));
    let mut simulation = Simulation::new(&scenario, false);
    while simulation.clock() < SimTime(at_ns) {
        simulation.advance(SimTime(at_ns));
    }
    let tiers = simulation.tiers();
    tiers.iter().map(|tier| tier.wait.count()).collect()
}

/// Two of class 2 have all the memory. Class 0 wants more than one of them can give back, and its user leaves after
/// 45 ns; then it is the turn of class 1, for which one suffices.
#[test]
fn when_the_head_of_a_line_leaves_the_next_is_owed_a_place() {
    let classes = vec![
        class(8, Some(45), 11, 1),
        class(1, None, 12, 1),
        class(6, None, 1, 2),
    ];
    let question = question([1.0; 3], classes);
    assert_eq!(started(&question, 61), [0, 0, 2]);
    assert_eq!(started(&question, 62), [0, 1, 2]);
}

/// Each class has the one place that it may have of three. A further replica allows each a second; the first takes the
/// place that is free, and the third owes the second its own.
#[test]
fn when_replicas_come_who_may_have_more_is_owed_a_place() {
    let classes = vec![
        class(1, None, 1, 3),
        class(1, None, 1, 3),
        class(1, None, 1, 3),
    ];
    let mut question = question([0.5; 3], classes);
    (question.batch_limit, question.iteration_quarters) = (1, vec![40]);
    question.deliveries = vec![(0, 3), (55, 1)];
    assert_eq!(started(&question, 54), [1, 1, 1]);
    assert_eq!(started(&question, 61), [2, 1, 1]);
    assert_eq!(started(&question, 62), [2, 2, 1]);
}
