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
    let autoscalers = scenario.autoscalers.iter().zip(&fluid.fleet.scaled);
    limits.extend(
        autoscalers
            .filter(|(_, scaled)| scaled.behind_s > 0.0)
            .map(|(rule, scaled)| {
                let behind = SimDuration::from_s(scaled.behind_s);
                format!("autoscaler {}: behind the load for {behind}", rule.name)
            }),
    );
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
    let load = fluid.peak.load;
    let when = SimDuration::from_s(fluid.peak.at_s);
    let group = group(scenario, fluid);
    match by_cause(fluid).first() {
        Some(&(cause, requests)) if requests > NEGLIGIBLE_SHARE * total.offered => {
            if !CAPACITY.contains(&cause) {
                return sentence(cause).to_owned();
            }
            if load <= 1.0 {
                if let Some(stranded) = stranded(scenario, fluid) {
                    return stranded;
                }
                let idle_s = scenario.horizon.as_s() - fluid.possible_s;
                if idle_s < 1e-6 * scenario.horizon.as_s() {
                    return "places limit: tiers ask for more than the places that they may have"
                        .into();
                }
                let idle = SimDuration::from_s(idle_s);
                return format!("GPU capacity: no replica is in service for {idle}");
            }
            let batches = match scenario.rules[0].1.policy.batching {
                Batching::Single => "one request at a time",
                _ if memory_limits(scenario).is_empty() => "full batches",
                _ => "the batches that fit in memory",
            };
            match group {
                None => format!(
                    "GPU capacity: the peak, {when} after the start, asks for {load:.2} times what the \
                     fleet can do with {batches}"
                ),
                Some(group) => format!(
                    "GPU capacity of {group}: the peak, {when} after the start, asks for {load:.2} times \
                     what the clusters that may serve them can do with {batches}"
                ),
            }
        }
        _ => format!(
            "none: the peak, {when} after the start, loads {} to {:.0} %",
            group.as_deref().unwrap_or("the fleet"),
            100.0 * load
        ),
    }
}

/// The clusters that the peak loads most, and with what; `None` where that is the whole fleet.
fn group(scenario: &Scenario, fluid: &Fluid<'_>) -> Option<String> {
    let peak = &fluid.peak;
    if peak.pools.len() == scenario.pools.len() || peak.demands.is_empty() {
        return None;
    }
    let pools = peak.pools.iter();
    let mut clusters: Vec<usize> = pools.map(|&pool| scenario.pools[pool].cluster).collect();
    clusters.dedup();
    let clusters = clusters.iter().map(|&c| scenario.clusters[c].name.as_str());
    let demands = peak
        .demands
        .iter()
        .map(|&d| scenario.demands[d].name.as_str());
    Some(format!("{} ({})", listed(clusters), listed(demands)))
}

/// Whoever asks longest while nobody who may serve him is there, though others are.
fn stranded(scenario: &Scenario, fluid: &Fluid<'_>) -> Option<String> {
    let demands = scenario.demands.iter().zip(&fluid.stranded_s);
    let (demand, seconds) = demands.max_by(|a, b| a.1.total_cmp(b.1))?;
    (*seconds > 0.0).then(|| {
        let idle = SimDuration::from_s(*seconds);
        format!(
            "GPU capacity for {}: no replica that may serve it is in service for {idle}",
            demand.name
        )
    })
}

/// The first few names, and how many more there are.
fn listed<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    const NAMED_MOST: usize = 4;
    let more = names.len().saturating_sub(NAMED_MOST);
    let named: Vec<&str> = names.take(NAMED_MOST).collect();
    match more {
        0 => named.join(", "),
        _ => format!("{} and {more} more", named.join(", ")),
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
