//! What must hold between the sections of a scenario, and what may be doubted about it.

use super::notes::Notes;
use super::problem::{advice, shown};
use crate::scenario::{Batching, Cluster, DemandKind, Pool, Scenario, Work, WorkUnit};
use crate::units::SimTime;

/// Notes as problems all that contradicts itself.
pub(super) fn check(notes: &Notes, scenario: &Scenario) {
    if scenario.demands.is_empty() {
        let hint = "add a table `[demand.name]` with tier, work and kind";
        notes.problem_at("scenario", "the scenario has no demand".to_owned(), hint);
    }
    capacity(notes, scenario);
    places(notes, scenario);
    works(notes, scenario);
    quotas(notes, scenario);
    policies(notes, scenario);
    fit(notes, scenario);
    super::failures::check(notes, scenario);
    super::elastic::check(notes, scenario);
    super::partitions::check(notes, scenario);
    investment(notes, scenario);
}

/// Somebody must make the images of the money loop.
fn investment(notes: &Notes, scenario: &Scenario) {
    let Some(investment) = &scenario.investment else {
        return;
    };
    let mut pools = scenario.pools.iter();
    if !pools.any(|pool| pool.cluster == investment.cluster) {
        let name = &scenario.clusters[investment.cluster].name;
        let message = format!("`investment.cluster` is `{name}`, which has no replicas");
        let hint = "deliver a chunk into it, or name another cluster";
        notes.problem_at("investment.cluster", message, hint);
    }
}

/// Somebody must be able to serve.
fn capacity(notes: &Notes, scenario: &Scenario) {
    let first = scenario
        .pools
        .iter()
        .flat_map(|pool| &pool.deliveries)
        .map(|delivery| delivery.0)
        .min();
    match first {
        None => notes.problem_at(
            "cluster",
            "no pool has a replica, so no tier can be served".to_owned(),
            "add a table `[cluster.name]` with `replicas`, or a `[chunk.name]` of GPUs for it",
        ),
        Some(first) if first.0 >= scenario.horizon.0 => notes.problem_at(
            "chunk",
            "the first replica would come after the end, so no tier can be served".to_owned(),
            "deliver a chunk earlier, or let the scenario last longer",
        ),
        Some(_) => {}
    }
}

/// Each demand needs a cluster that can do its work where it may be served.
fn places(notes: &Notes, scenario: &Scenario) {
    for demand in &scenario.demands {
        let (home, work) = (
            &scenario.regions[demand.region],
            &scenario.works[demand.work],
        );
        let able = scenario
            .pools
            .iter()
            .filter(|pool| pool.can_do(demand.work));
        let mut serving = able.map(|pool| &scenario.clusters[pool.cluster]).peekable();
        if scenario.pools.is_empty() {
            return;
        }
        let table = demand.name.split('@').next().unwrap_or_default();
        let at = format!("demand.{table}.work");
        if serving.peek().is_none() {
            let message = format!(
                "no cluster serves the work \"{}\" of `demand.{table}`",
                work.name
            );
            notes.problem_at(
                &at,
                message,
                "add its name to `serves` of a cluster that has replicas",
            );
        } else if !serving.any(|cluster| home.may_be_served_in(cluster.region)) {
            let message = format!(
                "requests of users in \"{}\" may not be served where a cluster does \"{}\"",
                home.name, work.name
            );
            let hint = "add a region with such a cluster to `served_in`, or a cluster there";
            notes.problem_at(&format!("region.{}.served_in", home.name), message, hint);
        }
    }
}

/// Each pool must be able to do each work that it may be asked for.
fn works(notes: &Notes, scenario: &Scenario) {
    let asked = |index: usize| scenario.demands.iter().any(|demand| demand.work == index);
    for (index_of_work, work) in scenario
        .works
        .iter()
        .enumerate()
        .filter(|(index, _)| asked(*index))
    {
        for (index, cluster) in scenario.clusters.iter().enumerate() {
            // The pools of a cluster that is not divided are alike.
            let own = scenario.pools.iter().filter(|pool| pool.cluster == index);
            let different = match cluster.division {
                Some(_) => usize::MAX,
                None => 1,
            };
            let able = own.filter(|pool| pool.can_do(index_of_work));
            for pool in able.take(different) {
                work_of_pool(notes, (cluster, pool), work);
            }
        }
    }
}

/// A pool must be able to do a work that it may be asked for.
fn work_of_pool(notes: &Notes, (cluster, pool): (&Cluster, &Pool), work: &Work) {
    // Pools of clusters without a profile have the profile "service" of any accelerator.
    if work.unit == WorkUnit::Iterations && pool.profile.accelerator == "any" {
        notes.problem_at(
            &format!("cluster.{}", cluster.name),
            format!(
                "`cluster.{}` has no profile, but the work \"{}\" is counted in iterations",
                cluster.name, work.name
            ),
            "add `profile = ...`, the name of a table `[profile.name]`",
        );
    }
    if pool
        .profile
        .memory_bytes
        .is_some_and(|memory| memory < work.memory_bytes)
    {
        notes.problem_at(
            &format!("work.{}.memory", work.name),
            format!(
                "one request of \"{}\" needs more memory than a replica of \"{}\" has",
                work.name, pool.profile.name
            ),
            "lower `memory` of the work, or raise that of the profile",
        );
    }
}

/// Who has a quota must be somebody.
fn quotas(notes: &Notes, scenario: &Scenario) {
    for demand in &scenario.demands {
        let has_quota = scenario
            .rules
            .iter()
            .any(|(_, rules)| rules.tiers[demand.tier].quota.is_some());
        let known = match &demand.kind {
            DemandKind::Rate { users, .. } => users.is_some(),
            DemandKind::Trace(_) => false,
            DemandKind::Population(_) => true,
        };
        if has_quota && !known {
            let table = demand.name.split('@').next().unwrap_or_default();
            notes.problem_at(
                &format!("demand.{table}"),
                format!(
                    "`demand.{table}` does not say how many users it has, but its tier \"{}\" has a quota for each",
                    scenario.tiers[demand.tier].name
                ),
                "add `users = ...` to a demand of kind \"rate\"; a trace cannot have a quota",
            );
        }
    }
}

fn policies(notes: &Notes, scenario: &Scenario) {
    let batch_limit = scenario
        .pools
        .iter()
        .map(|pool| pool.batch_limit)
        .min()
        .unwrap_or(1);
    for (_, rules) in &scenario.rules {
        match rules.policy.batching {
            Batching::Static { minimum, .. } if minimum > batch_limit => notes.problem_at(
                "policy.batching.minimum",
                format!(
                    "the smallest batch, {minimum}, is larger than a batch may be, {batch_limit}"
                ),
                "lower `minimum`, or raise `batch_limit` of the cluster",
            ),
            _ => {}
        }
        if let Some(degradation) = &rules.policy.degradation {
            let lower = scenario
                .works
                .iter()
                .flat_map(|work| work.qualities.iter().skip(1));
            let lower = lower.map(|quality| quality.name.as_str());
            if !lower.clone().any(|name| name == degradation.quality) {
                notes.problem_at(
                    "policy.degradation.quality",
                    format!(
                        "no work has a quality \"{}\" below its standard",
                        shown(&degradation.quality)
                    ),
                    advice(&degradation.quality, lower),
                );
            }
        }
    }
}

/// What is fitted must be a value of the scenario.
fn fit(notes: &Notes, scenario: &Scenario) {
    for pair in scenario
        .fit
        .iter()
        .filter(|pair| !notes.has_input(&pair.parameter))
    {
        let paths = notes.input_paths();
        let near = super::problem::nearest(&pair.parameter, paths.iter().map(String::as_str));
        let hint = near.map_or_else(String::new, |near| format!("did you mean `{near}`?"));
        let message = format!(
            "`{}` in `fit` is no value of the scenario",
            shown(&pair.parameter)
        );
        notes.problem_at("fit", message, hint);
    }
}

/// What may be doubted about a valid scenario.
pub(super) fn warnings(scenario: &Scenario, unused: Vec<String>) -> Vec<String> {
    let mut warnings: Vec<String> = unused
        .into_iter()
        .map(|table| format!("`[{table}]` is not used"))
        .collect();
    for (index, cluster) in scenario.clusters.iter().enumerate() {
        if !scenario.pools.iter().any(|pool| pool.cluster == index) {
            warnings.push(format!("`[cluster.{}]` has no replicas", cluster.name));
        }
    }
    warnings.extend(super::elastic::warnings(scenario));
    warnings.extend(super::partitions::warnings(scenario));
    let late = |at: SimTime| at.0 > scenario.horizon.0;
    let late_rules = scenario.rules.iter().filter(|(at, _)| late(*at)).count();
    let late_chunks = scenario
        .chunks
        .iter()
        .filter(|chunk| late(chunk.delivered))
        .count();
    if late_rules + late_chunks > 0 {
        warnings.push("some of the timeline or of the chunks lies after the end".to_owned());
    }
    warnings
}
