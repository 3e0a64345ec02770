//! Whether the promises of a scenario hold at one size, and how sure that is.

use serde::Serialize;

use crate::metrics::Part;
use crate::metrics::summary::{SloResult, Summary};
use crate::scenario::{Goal, Scenario};

/// When a promise counts as kept by several runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The 95 % confidence interval of the mean of what was reached lies on the right side.
    Mean,
    /// Every run kept it.
    Every,
}

/// What became of a promise at one size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Name of the promise.
    pub name: String,
    /// Tier.
    pub tier: String,
    /// The promise in words.
    pub promise: String,
    /// Unit of what was promised and reached: `s` or `1`.
    pub unit: String,
    /// What was promised.
    pub promised: f64,
    /// What was reached, the mean of all runs; `None`: too few samples in one of them.
    pub reached: Option<f64>,
    /// Lower end of its 95 % confidence interval; `None` for one run.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// How much of what was promised is missing, in its unit; below 0 where there is room.
    pub missing: Option<f64>,
    /// Runs that kept it.
    pub kept: u64,
    /// Whether it holds, as sure as asked for. What nobody could judge does not.
    pub holds: bool,
}

/// The verdict on each promise, in the scenario's order.
pub(super) fn verdicts(
    scenario: &Scenario,
    summary: &Summary,
    certainty: Certainty,
) -> Vec<Verdict> {
    let promises = scenario.slos.iter().zip(&summary.slos);
    promises
        .map(|(slo, result)| {
            let at_most = matches!(slo.goal, Goal::Response { .. });
            verdict(result, at_most, summary, certainty)
        })
        .collect()
}

fn verdict(slo: &SloResult, at_most: bool, summary: &Summary, certainty: Certainty) -> Verdict {
    let replications = summary.replications.as_ref();
    let measure = replications.and_then(|replications| {
        let is_it = |m: &&crate::metrics::replications::Replicated| {
            m.part == Part::Promise && m.of.as_deref() == Some(slo.name.as_str())
        };
        replications.measures.iter().find(is_it)
    });
    let (reached, low, high) = match measure {
        Some(measure) => (measure.mean, measure.low, measure.high),
        None => (slo.reached, None, None),
    };
    let count = replications.and_then(|replications| {
        let mut promises = replications.promises.iter();
        promises.find(|promise| promise.name == slo.name)
    });
    let kept = count.map_or(u64::from(slo.kept == Some(true)), |count| count.kept);
    let runs = replications.map_or(1, |replications| replications.count() as u64);
    // The end of the interval on the side of the promise; with one run all there is.
    let end = if at_most { high } else { low }.or(reached.filter(|_| runs == 1));
    let is_kept = |value: f64| match at_most {
        true => value <= slo.promised,
        false => value >= slo.promised,
    };
    Verdict {
        name: slo.name.clone(),
        tier: slo.tier.clone(),
        promise: slo.promise.clone(),
        unit: slo.unit.clone(),
        promised: slo.promised,
        reached,
        low,
        high,
        missing: reached.map(|reached| match at_most {
            true => reached - slo.promised,
            false => slo.promised - reached,
        }),
        kept,
        holds: match certainty {
            Certainty::Mean => end.is_some_and(is_kept),
            Certainty::Every => kept == runs,
        },
    }
}
