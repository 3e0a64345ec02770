//! One size of the ladder: what it serves, costs and earns, and what the step to it buys.

use serde::Serialize;

use super::judge::Verdict;
use crate::metrics::Part;
use crate::metrics::measures;
use crate::metrics::replications::CONFIDENCE;
use crate::metrics::summary::Summary;
use crate::stats::paired_difference;

/// A size and what came of it; means over its runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rung {
    /// What this size is: `none`, `half`, `one less`, `answer`, `one spare` (a replica), `next chunk` (as many
    /// again as the scenario has); `as it is`, `least` and `most` allowed.
    pub what: &'static str,
    /// The value of what is varied.
    pub value: u64,
    /// GPUs of the whole fleet at the end.
    pub fleet_gpus: u64,
    /// Whether all promises hold.
    pub holds: bool,
    /// Each promise.
    pub promises: Vec<Verdict>,
    /// Share of the requests that never got their image.
    pub never_served: Option<f64>,
    /// 99 % quantile of the response time of completed requests, in seconds.
    pub response_p99_s: Option<f64>,
    /// Images delivered.
    pub images: Option<f64>,
    /// Share of the GPU-hours with something to do.
    pub utilisation: Option<f64>,
    /// Cost in USD.
    pub cost_usd: Option<f64>,
    /// Income in USD.
    pub income_usd: Option<f64>,
    /// USD of cost for each 1000 images.
    pub usd_per_1000_images: Option<f64>,
    /// What the step from the rung before bought; `None` for the first.
    pub step: Option<Step>,
}

/// What a step of the ladder buys.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Further images.
    pub images: Option<Gain>,
    /// Further income in USD.
    pub income_usd: Option<Gain>,
    /// Further cost in USD.
    pub cost_usd: Option<Gain>,
    /// USD for each 1000 further images; `None`: there are none for sure.
    pub usd_per_1000_images: Option<f64>,
}

/// A difference between two sizes, with its 95 % confidence interval by pairs of runs of one seed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gain {
    /// Mean.
    pub mean: f64,
    /// Half the width of the interval; `None` for one run.
    pub half_width: Option<f64>,
}

impl Gain {
    /// Whether it is above 0 as sure as it is told.
    #[must_use]
    pub fn is_more(&self) -> bool {
        self.mean > self.half_width.unwrap_or(0.0)
    }
}

/// The values of a headline measure in all runs, if all are known.
fn values(summary: &Summary, name: &str) -> Option<Vec<f64>> {
    if let Some(replications) = &summary.replications {
        return replications.headline(name)?.known_values();
    }
    let measures = measures(summary);
    let is_it = |m: &&crate::metrics::Measure| m.part == Part::Headline && m.name == name;
    Some(vec![measures.iter().find(is_it)?.value?])
}

fn mean(summary: &Summary, name: &str) -> Option<f64> {
    let values = values(summary, name)?;
    Some(values.iter().sum::<f64>() / values.len() as f64)
}

/// GPUs of the whole fleet at the end, of the whole story.
pub(super) fn fleet_gpus(summary: &Summary) -> u64 {
    (summary.gpus_at_end() as f64 / summary.scale).round() as u64
}

/// The rung of a size, without the step to it.
pub(super) fn rung(
    what: &'static str,
    value: u64,
    summary: &Summary,
    promises: Vec<Verdict>,
) -> Rung {
    let of_story = |name| mean(summary, name).map(|sum| sum / summary.scale);
    Rung {
        what,
        value,
        fleet_gpus: fleet_gpus(summary),
        holds: promises.iter().all(|promise| promise.holds),
        promises,
        never_served: mean(summary, "never_served"),
        response_p99_s: mean(summary, "response_p99"),
        images: of_story("completed"),
        utilisation: mean(summary, "utilisation"),
        cost_usd: of_story("cost"),
        income_usd: of_story("income"),
        usd_per_1000_images: mean(summary, "cost_per_1000_images"),
        step: None,
    }
}

/// What the step from one size to the next bought.
pub(super) fn step(before: &Summary, after: &Summary) -> Step {
    let images = gain(before, after, "completed");
    let cost_usd = gain(before, after, "cost");
    let price = |cost: Gain, images: Gain| cost.mean / images.mean * 1000.0;
    Step {
        usd_per_1000_images: images
            .filter(Gain::is_more)
            .and_then(|images| Some(price(cost_usd?, images))),
        images,
        income_usd: gain(before, after, "income"),
        cost_usd,
    }
}

fn gain(before: &Summary, after: &Summary, name: &str) -> Option<Gain> {
    let (a, b) = (values(before, name)?, values(after, name)?);
    if let (&[a], &[b]) = (a.as_slice(), b.as_slice()) {
        return Some(Gain {
            mean: (b - a) / after.scale,
            half_width: None,
        });
    }
    let difference = paired_difference(&a, &b, CONFIDENCE)?;
    Some(Gain {
        mean: difference.mean / after.scale,
        half_width: Some(difference.half_width / after.scale),
    })
}
