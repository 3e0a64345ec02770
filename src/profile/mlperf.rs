//! How far off the scaling between accelerators is: observed on public MLPerf Inference results.
//!
//! Of stable-diffusion-xl, Offline, closed division, images a second and accelerator relative to the
//! H100-SXM of the same round (v5.1 for v5.0, which has none; the median where several submitted) are held
//! against the model of `roofline`. What a vendor's software does with each chip, and the widths of the
//! numbers (fp8 or int8 on most, bf16 on TPUs; the 16-bit rates are compared throughout), differ by row and
//! are part of the error. SDXL's share of traffic is not published, so it is fitted: one number for all.
//! The results are MLCommons'; what is derived here was not verified by it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::carried;
use super::catalog::{self, Accelerator};
use super::measured::CONFIDENCE;
use super::roofline::Scaling;
use crate::stats;

const CSV: &str = include_str!("data/mlperf-sdxl.csv");

/// The accelerator from which the others are predicted.
const FROM: &str = "H100-SXM-80GB";

/// One result of a round.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Submission {
    /// MLPerf Inference round.
    pub round: String,
    /// Who.
    pub submitter: String,
    /// The system.
    pub platform: String,
    /// The accelerator, as the results name it.
    pub adapter: String,
    /// How many of them.
    pub accelerators: u32,
    /// Images a second of all together.
    pub samples_per_s: f64,
    /// Widths of the numbers, where they are told.
    pub weights: String,
    /// What it was run with, where it is told.
    pub software: String,
    /// Where it was read.
    pub source: String,
}

/// An accelerator, predicted from another and found.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Name in the catalog.
    pub accelerator: &'static str,
    /// Rounds in which it was, with the widths of its numbers.
    pub rounds: String,
    /// Images a second relative to an H100-SXM, as predicted.
    pub predicted: f64,
    /// As found: the geometric mean over the rounds.
    pub found: f64,
}

impl Comparison {
    /// Logarithm of found over predicted.
    #[must_use]
    pub fn log_error(&self) -> f64 {
        libm::log(self.found / self.predicted)
    }
}

/// The model with its fitted share and its error.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Share of the time on an H100-SXM that is arithmetic.
    pub compute_share: f64,
    /// Standard deviation of the logarithm of a prediction: the root mean square error around 0, so that a
    /// bias counts too, widened so that 1.96 of it reach as far as Student's t with as many degrees of
    /// freedom as there are accelerators less the one fitted share.
    pub log_sd: f64,
    /// One for each accelerator.
    pub comparisons: Vec<Comparison>,
}

/// The submissions.
#[must_use]
pub fn submissions() -> Vec<Submission> {
    carried::rows(CSV)
}

/// The most images a second that one of these accelerators made in any round, and the submission.
#[must_use]
pub fn best_sdxl_rate(accelerator: &str) -> Option<(f64, Submission)> {
    let rates = submissions().into_iter().filter_map(|submission| {
        let named = catalog::recognise(&submission.adapter)?;
        let one = submission.samples_per_s / f64::from(submission.accelerators);
        (named.name == accelerator).then_some((one, submission))
    });
    rates.max_by(|one, other| one.0.total_cmp(&other.0))
}

/// The model held against all accelerators that are there.
#[must_use]
pub fn check() -> &'static Check {
    static CHECK: LazyLock<Check> = LazyLock::new(|| check_of(&|_| true));
    &CHECK
}

/// The model fitted without one accelerator, and what it says of this one.
#[must_use]
pub fn check_without(accelerator: &str) -> (Check, Option<Comparison>) {
    let check = check_of(&|other| other != accelerator);
    let left_out = compared(
        &relative(&|other| other == accelerator),
        check.compute_share,
    );
    (check, left_out.into_iter().next())
}

fn check_of(wanted: &dyn Fn(&str) -> bool) -> Check {
    let found = relative(wanted);
    let square = |share: f64| -> f64 {
        let errors = compared(&found, share).into_iter();
        errors.map(|c| c.log_error() * c.log_error()).sum()
    };
    // One number on a coarse grid: it is known to a tenth at best.
    let shares = (0..=100).map(|percent| f64::from(percent) / 100.0);
    let compute_share = shares
        .min_by(|a, b| square(*a).total_cmp(&square(*b)))
        .unwrap_or(1.0);
    let freedom = found.len() as f64 - 1.0;
    let quantile = f64::midpoint(1.0, CONFIDENCE);
    let widening = stats::student_t_quantile(quantile, freedom) / stats::normal_quantile(quantile);
    Check {
        compute_share,
        log_sd: widening * libm::sqrt(square(compute_share) / freedom),
        comparisons: compared(&found, compute_share),
    }
}

/// An accelerator with what was found of it.
struct Found {
    accelerator: &'static Accelerator,
    rounds: String,
    /// Images a second relative to the accelerator from which is predicted.
    ratio: f64,
}

fn compared(found: &[Found], compute_share: f64) -> Vec<Comparison> {
    let from = catalog::accelerator(FROM).expect("it is in the catalog");
    let compare = |found: &Found| Comparison {
        accelerator: &found.accelerator.name,
        rounds: found.rounds.clone(),
        predicted: 1.0 / Scaling::ratios(from, found.accelerator).time_ratio(compute_share),
        found: found.ratio,
    };
    found.iter().map(compare).collect()
}

/// All accelerators that are wanted, relative to the one from which is predicted.
fn relative(wanted: &dyn Fn(&str) -> bool) -> Vec<Found> {
    // (accelerator, round) -> rates of one accelerator, and the widths.
    let mut rates: BTreeMap<(&'static str, String), (Vec<f64>, String)> = BTreeMap::new();
    for submission in submissions() {
        if let Some(accelerator) = catalog::recognise(&submission.adapter) {
            let key = (accelerator.name.as_str(), submission.round);
            let entry = rates.entry(key).or_default();
            let one = submission.samples_per_s / f64::from(submission.accelerators);
            entry.0.push(one);
            entry.1 = submission.weights;
        }
    }
    let middle = |name: &'static str, round: &str| {
        let entry = rates.get(&(name, round.to_owned()))?;
        stats::median(&entry.0, CONFIDENCE).map(|median| median.value)
    };
    // Round v5.0 has no H100-SXM; the next has.
    let base = |round: &str| middle(FROM, if round == "v5.0" { "v5.1" } else { round });
    let mut found: Vec<Found> = Vec::new();
    for accelerator in catalog::accelerators() {
        let name = accelerator.name.as_str();
        if name == FROM || !wanted(name) {
            continue;
        }
        let mut logs = Vec::new();
        let mut rounds = Vec::new();
        for ((_, round), (_, widths)) in rates.iter().filter(|(key, _)| key.0 == name) {
            if let (Some(one), Some(base)) = (middle(name, round), base(round)) {
                logs.push(libm::log(one / base));
                rounds.push(format!("{round} {widths}").trim().to_owned());
            }
        }
        if !logs.is_empty() {
            found.push(Found {
                accelerator,
                rounds: rounds.join("; "),
                ratio: libm::exp(logs.iter().sum::<f64>() / logs.len() as f64),
            });
        }
    }
    found
}
