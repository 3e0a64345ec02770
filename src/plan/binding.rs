//! What keeps the promises from being kept although there is more of what is varied, in words.

use super::judge::Verdict;
use crate::metrics::summary::{Summary, TierSummary};
use crate::scenario::{Goal, Scenario};
use crate::units::SimDuration;

/// A share of the offered requests below which a loss is not worth a word.
const NEGLIGIBLE_SHARE: f64 = 0.001;
/// A fleet with less to do than this is not what is short.
const IDLE_UTILISATION: f64 = 0.5;

/// Why promises are missed at the largest size, tier by tier; the losses of a tier most first.
pub(super) fn binds(scenario: &Scenario, summary: &Summary, verdicts: &[Verdict]) -> Vec<String> {
    let mut words = Vec::new();
    for (slo, verdict) in scenario.slos.iter().zip(verdicts) {
        if verdict.holds {
            continue;
        }
        words.extend(too_slow_alone(scenario, slo.tier, slo.goal));
        let tier = &summary.tiers[slo.tier];
        for (share, cause) in losses(tier) {
            let line = format!("{}: {:.3} % {cause}", tier.name, 100.0 * share);
            if !words.contains(&line) {
                words.push(line);
            }
        }
    }
    if let Some(utilisation) = summary.utilisation().filter(|&u| u < IDLE_UTILISATION) {
        words.push(format!(
            "the fleet is busy {:.0} % of its time: what is missing is not capacity on the whole, but \
             its date, its place or the rules",
            100.0 * utilisation
        ));
    }
    words
}

/// A request that finds an empty replica takes longer than promised.
fn too_slow_alone(scenario: &Scenario, tier: usize, goal: Goal) -> Option<String> {
    let (Goal::Response { limit_s, .. } | Goal::Goodput { limit_s, .. }) = goal else {
        return None;
    };
    let demand = scenario.demands.iter().find(|demand| demand.tier == tier)?;
    let work = &scenario.works[demand.work];
    let pools = scenario.pools.iter();
    let alone = pools.map(|pool| work.alone_s(&pool.profile.curve, 0));
    let alone_s = alone.reduce(f64::min)?;
    (alone_s > limit_s).then(|| {
        format!(
            "{}: an image takes {} on an empty replica, {} is promised",
            scenario.tiers[tier].name,
            SimDuration::from_s(alone_s),
            SimDuration::from_s(limit_s)
        )
    })
}

/// Shares of the offered requests that never got their image, by cause, most first.
fn losses(tier: &TierSummary) -> Vec<(f64, &'static str)> {
    let offered = tier.offered.max(1) as f64;
    let mut losses: Vec<(f64, &'static str)> = [
        (tier.shed.closed, "came while it was closed"),
        (tier.shed.quota, "had used up their quota"),
        (tier.shed.rate_limit, "were over the rate limit"),
        (tier.shed.queue_full, "found the queue full"),
        (tier.shed.hopeless, "could not have been done in time"),
        (tier.abandoned, "gave up waiting"),
        (tier.failed, "were lost with their replica"),
        (tier.in_system, "were still waiting at the end"),
    ]
    .into_iter()
    .map(|(count, cause)| (count as f64 / offered, cause))
    .filter(|(share, _)| *share > NEGLIGIBLE_SHARE)
    .collect();
    losses.sort_by(|a, b| b.0.total_cmp(&a.0));
    losses
}
