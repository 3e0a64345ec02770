//! What gives way, in words.

use super::fluid::Fluid;
use super::supply;
use crate::scenario::{Batching, Cluster, Scenario};
use crate::units::SimDuration;

/// A share of the offered requests below which a loss is not worth a word.
const NEGLIGIBLE_SHARE: f64 = 0.01;

/// The causes of loss that a bigger fleet would take away.
const CAPACITY: [&str; 3] = ["waiting", "queue limit", "patience"];

/// What keeps requests from their image, most first.
pub(super) fn limits(scenario: &Scenario, fluid: &Fluid<'_>) -> Vec<String> {
    let mut limits: Vec<String> = by_cause(fluid)
        .into_iter()
        .filter(|&(_, requests)| requests > 0.5)
        .map(|(cause, requests)| {
            let share = 100.0 * requests / fluid.total.offered;
            format!("{}: {requests:.0} requests ({share:.1} %)", sentence(cause))
        })
        .collect();
    limits.extend(memory_limits(scenario));
    let autoscalers = scenario.autoscalers.iter();
    limits.extend(autoscalers.map(|autoscaler| {
        format!(
            "autoscaler {}: taken as if all that is delivered served",
            autoscaler.name
        )
    }));
    let moves = |cluster: &&Cluster| {
        let division = cluster.division.as_ref();
        division.is_some_and(|division| division.moves.is_some())
    };
    let moved = scenario.clusters.iter().filter(moves);
    limits.extend(moved.map(|cluster| {
        format!(
            "cluster {}: taken as it is divided at the start",
            cluster.name
        )
    }));
    limits
}

/// The first thing to change, were more requests to get their image.
pub(super) fn first(scenario: &Scenario, fluid: &Fluid<'_>) -> String {
    let total = &fluid.total;
    if fluid.possible_s == 0.0 {
        return "GPU capacity: no replica is ever in service".to_owned();
    }
    let load = fluid.load_peak;
    let when = SimDuration::from_s(fluid.load_peak_at_s);
    match by_cause(fluid).first() {
        Some(&(cause, requests)) if requests > NEGLIGIBLE_SHARE * total.offered => {
            if !CAPACITY.contains(&cause) {
                return sentence(cause).to_owned();
            }
            if load <= 1.0 {
                let idle_s = scenario.horizon.as_s() - fluid.possible_s;
                let idle = SimDuration::from_s(idle_s);
                return format!("GPU capacity: no replica is in service for {idle}");
            }
            let batches = match scenario.rules[0].1.policy.batching {
                Batching::Single => "one request at a time",
                _ if memory_limits(scenario).is_empty() => "full batches",
                _ => "the batches that fit in memory",
            };
            format!(
                "GPU capacity: the peak, {when} after the start, asks for {load:.2} times what the \
                 fleet can do with {batches}"
            )
        }
        _ => format!(
            "none: the peak, {when} after the start, loads the fleet to {:.0} %",
            100.0 * load
        ),
    }
}

/// Requests without an image by cause, most first.
fn by_cause(fluid: &Fluid<'_>) -> Vec<(&'static str, f64)> {
    let (lost, waiting) = (fluid.total.lost, fluid.total.waiting);
    let mut causes = vec![
        ("closed", lost.closed),
        ("quota", lost.quota),
        ("rate limit", lost.rate_limit),
        ("queue limit", lost.queue_full),
        ("patience", lost.abandoned),
        ("waiting", waiting),
    ];
    causes.sort_by(|a, b| b.1.total_cmp(&a.1));
    causes
}

fn sentence(cause: &str) -> &'static str {
    match cause {
        "closed" => "access: requests come to closed tiers",
        "quota" => "quota: users ask for more than their quotas",
        "rate limit" => "rate limit: tiers ask for more than their limits",
        "queue limit" => "queue limit: the queue is full",
        "patience" => "patience: users give up waiting",
        _ => "backlog: still waiting at the end",
    }
}

/// Pools whose memory holds fewer requests than their batches may have.
fn memory_limits(scenario: &Scenario) -> Vec<String> {
    let rules = &scenario.rules[0].1;
    let asked = |index: &usize| scenario.demands.iter().any(|demand| demand.work == *index);
    let mut found = Vec::new();
    for pool in &scenario.pools {
        for index in (0..scenario.works.len()).filter(asked) {
            let work = &scenario.works[index];
            let (places, is_short) = supply::places(pool, rules, work);
            if is_short {
                found.push(format!(
                    "memory: a replica of {} holds {places} of {} {} requests",
                    pool.name, pool.batch_limit, work.name
                ));
            }
        }
    }
    found
}
