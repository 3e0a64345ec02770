//! Judgement: whether promises were kept, and which tier melted when.

use super::summary::{Column, Melted, Series, SloResult};
use crate::scenario::{Goal, Scenario, Slo};
use crate::sim::TierTally;
use crate::units::SimDuration;

/// A tier melts while more than this share of its requests that end is refused, or given up.
const MELTED_SHARE: f64 = 0.05;
/// Without a promise, a tier waits while its p90 is above so many times the time on an empty fleet.
const WAITED_TIMES_ALONE: f64 = 3.0;

/// The promises, kept or not.
pub(super) fn slos(scenario: &Scenario, tiers: &[TierTally]) -> Vec<SloResult> {
    scenario
        .slos
        .iter()
        .map(|slo| judge(scenario, slo, &tiers[slo.tier]))
        .collect()
}

fn judge(scenario: &Scenario, slo: &Slo, tier: &TierTally) -> SloResult {
    // Who is still in the system has no image yet: an overloaded fleet may not look good by
    // letting everybody wait to the end.
    let share = |count: u64| (tier.offered > 0).then(|| count as f64 / tier.offered as f64);
    let (promise, reached, promised, unit, at_most) = match slo.goal {
        Goal::Response { quantile, limit_s } => {
            let promise = format!("p{} response <= {}", percent(quantile), seconds(limit_s));
            (
                promise,
                tier.response.quantile_s(quantile),
                limit_s,
                "s",
                true,
            )
        }
        Goal::Completed { share: promised } => {
            let promise = format!("completed >= {} %", percent(promised));
            (promise, share(tier.completed), promised, "1", false)
        }
        Goal::Goodput {
            share: promised,
            limit_s,
        } => {
            let in_time = tier.response.count_at_most(SimDuration::from_s(limit_s).0);
            let promise = format!(
                "completed within {} >= {} %",
                seconds(limit_s),
                percent(promised)
            );
            (promise, share(in_time), promised, "1", false)
        }
    };
    let kept = |reached: f64| {
        if at_most {
            reached <= promised
        } else {
            reached >= promised
        }
    };
    SloResult {
        name: slo.name.clone(),
        tier: scenario.tiers[slo.tier].name.clone(),
        promise,
        reached,
        promised,
        unit: unit.into(),
        kept: reached.map(kept),
        enforced: slo.enforced,
    }
}

/// 0.999 -> 99.9, without the noise of binary fractions.
fn percent(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}

fn seconds(seconds: f64) -> String {
    SimDuration::from_s(seconds).to_string()
}

/// What melted when: for each tier the intervals in which it waited, was refused, or gave up.
pub(super) fn melted(scenario: &Scenario, series: &Series) -> Vec<Melted> {
    let mut melted = Vec::new();
    for (index, tier) in scenario.tiers.iter().enumerate() {
        let column = |name| series.column(name, Some(&tier.name));
        let (Some(completed), Some(shed), Some(abandoned), Some(failed), Some(p90)) = (
            column("completed"),
            column("shed"),
            column("abandoned"),
            column("failed"),
            column("response_p90"),
        ) else {
            continue;
        };
        let ended = sum([completed, shed, abandoned, failed]);
        let limit_s = waiting_limit_s(scenario, index);
        let stretches = [
            stretch("waited", &p90.values, limit_s),
            stretch("was refused", &ratio(&shed.values, &ended), MELTED_SHARE),
            stretch("gave up", &ratio(&abandoned.values, &ended), MELTED_SHARE),
        ];
        melted.extend(stretches.into_iter().flatten().map(|stretch| Melted {
            tier: tier.name.clone(),
            from_s: stretch.from_s * series.interval_s,
            until_s: stretch.until_s * series.interval_s,
            worst_at_s: stretch.worst_at_s * series.interval_s,
            ..stretch
        }));
    }
    melted
}

/// Requests that were completed within the time promised to their tier; all where none is.
pub(super) fn in_time(scenario: &Scenario, tier: usize, tally: &TierTally) -> u64 {
    match promised_s(scenario, tier) {
        Some(limit_s) => tally.response.count_at_most(SimDuration::from_s(limit_s).0),
        None => tally.completed,
    }
}

/// The shortest response time that is promised to a tier.
fn promised_s(scenario: &Scenario, tier: usize) -> Option<f64> {
    let promised = scenario
        .slos
        .iter()
        .filter(|slo| slo.tier == tier)
        .filter_map(|slo| match slo.goal {
            Goal::Response { limit_s, .. } | Goal::Goodput { limit_s, .. } => Some(limit_s),
            Goal::Completed { .. } => None,
        });
    promised.reduce(f64::min)
}

/// The response time above which a tier counts as waiting: the shortest that is promised to it, or a
/// multiple of the time on an empty fleet.
fn waiting_limit_s(scenario: &Scenario, tier: usize) -> f64 {
    promised_s(scenario, tier).unwrap_or_else(|| {
        let alone = scenario
            .demands
            .iter()
            .find(|demand| demand.tier == tier)
            .map(|demand| {
                let curve = &scenario.pools[0].profile.curve;
                scenario.works[demand.work].alone_s(curve, 0)
            });
        WAITED_TIMES_ALONE * alone.unwrap_or(f64::INFINITY)
    })
}

/// Value by value, the sum of columns without gaps.
fn sum(columns: [&Column; 4]) -> Vec<Option<f64>> {
    (0..columns[0].values.len())
        .map(|i| columns.iter().map(|column| column.values[i]).sum())
        .collect()
}

/// The share that one kind of end has in all requests that ended in each interval.
fn ratio(part: &[Option<f64>], whole: &[Option<f64>]) -> Vec<Option<f64>> {
    let share = |(part, whole): (&Option<f64>, &Option<f64>)| match (part, whole) {
        (Some(part), Some(whole)) if *whole > 0.0 => Some(part / whole),
        _ => None,
    };
    part.iter().zip(whole).map(share).collect()
}

/// From the first to the last interval above the limit, in intervals; `None` if there is none.
fn stretch(what: &str, values: &[Option<f64>], limit: f64) -> Option<Melted> {
    let above = |(index, value): (usize, &Option<f64>)| {
        value
            .filter(|&value| value > limit)
            .map(|value| (index, value))
    };
    let above: Vec<(usize, f64)> = values.iter().enumerate().filter_map(above).collect();
    let (&(first, _), &(last, _)) = (above.first()?, above.last()?);
    let &(worst_at, worst) = above.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(Melted {
        tier: String::new(),
        what: what.into(),
        from_s: first as f64,
        until_s: (last + 1) as f64,
        intervals: above.len() as u64,
        worst,
        worst_at_s: worst_at as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_reaches_from_the_first_to_the_last_interval_above_the_limit() {
        let values = [Some(0.0), Some(0.2), None, Some(0.6), Some(0.01)];
        let stretch = stretch("gave up", &values, 0.05).expect("two are above");
        assert_eq!(
            (stretch.from_s, stretch.until_s, stretch.intervals),
            (1.0, 4.0, 2)
        );
        assert_eq!((stretch.worst, stretch.worst_at_s), (0.6, 3.0));
        assert_eq!(super::stretch("gave up", &values, 0.7), None);
    }
}
