//! What many replications of a scenario say together: each measure with its mean, its confidence
//! interval and the value of every replication, which comparisons on common random numbers need.
//!
//! Replications are added in the order of their numbers, whichever thread was ready first, so that
//! every sum has one order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measures::{Measure, Part, measures};
use super::summary::Summary;
use crate::stats::{Interval, confidence_interval, student_t_quantile};

/// The confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// Many replications of one scenario. The rest of the result is of replication 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replications {
    /// The seed of each, in order; that of replication 0 is the scenario's.
    pub seeds: Vec<u64>,
    /// Confidence of each interval for itself, 0.95 for 95 %.
    pub confidence: f64,
    /// How many were to be run, or at most, if a precision was asked for.
    pub planned: u64,
    /// Whether they were stopped by a signal before.
    pub stopped: bool,
    /// The precision that was asked for, and what came of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<TargetResult>,
    /// In how many of them each promise was kept.
    pub promises: Vec<PromiseCount>,
    /// Each measure over all of them.
    pub measures: Vec<Replicated>,
}

/// A precision and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetResult {
    /// The largest half width asked for, as a share of the mean.
    pub relative_half_width: f64,
    /// Names of the headline measures that it is about.
    pub measures: Vec<String>,
    /// The largest half width of theirs at the end; `None`: one of them is unknown, or its mean is 0.
    pub reached_half_width: Option<f64>,
    /// Whether the intervals were narrow enough at two looks in a row.
    pub reached: bool,
}

/// In how many replications a promise was kept. What is missing to all is unknown, for want of samples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PromiseCount {
    /// Name of the promise.
    pub name: String,
    /// Replications that kept it.
    pub kept: u64,
    /// Replications that missed it.
    pub missed: u64,
}

/// A measure over all replications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replicated {
    /// To which part of the answer it belongs.
    pub part: Part,
    /// Of which tier, pool or promise.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub of: Option<String>,
    /// What: `response_p99`, or what a line of the bill is for.
    pub name: String,
    /// Unit of all that follows.
    pub unit: String,
    /// Replications in which it is known.
    pub known: u64,
    /// Mean; unknown, like the interval, unless it is known in every replication: those that know it
    /// need not be like those that do not.
    pub mean: Option<f64>,
    /// Lower end of the confidence interval of the mean (Student's t), widened by `open_half_width`; `None`
    /// also for one replication.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// Standard deviation of one replication.
    pub standard_deviation: Option<f64>,
    /// The part of the half width that is due to what a measured device profile leaves open, and that
    /// more replications do not narrow; `None`: nothing was measured, or there are fewer than four.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub open_half_width: Option<f64>,
    /// The value in each replication, in the order of `seeds`.
    pub values: Vec<Option<f64>>,
}

impl Replications {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.seeds.len()
    }

    /// A headline measure.
    #[must_use]
    pub fn headline(&self, name: &str) -> Option<&Replicated> {
        let is_it = |m: &&Replicated| m.part == Part::Headline && m.name == name;
        self.measures.iter().find(is_it)
    }
}

impl Replicated {
    /// Half the width of the interval, in the unit of the measure.
    #[must_use]
    pub fn half_width(&self) -> Option<f64> {
        Some((self.high? - self.low?) / 2.0)
    }

    /// The values, if all are known.
    #[must_use]
    pub fn known_values(&self) -> Option<Vec<f64>> {
        self.values.iter().copied().collect()
    }
}

/// What is kept of one replication; its series and histograms are gone.
#[derive(Clone, Debug)]
pub struct Replication {
    seed: u64,
    /// By which factor the measured iteration times were off, as its logarithm; `None`: none were measured.
    log_factor: Option<f64>,
    measures: Vec<Measure>,
    kept: Vec<(String, Option<bool>)>,
}

impl Replication {
    /// What is kept of a run with its own seed.
    #[must_use]
    pub fn of(summary: &Summary, log_factor: Option<f64>) -> Self {
        let kept = summary.slos.iter().map(|slo| (slo.name.clone(), slo.kept));
        Self {
            seed: summary.seed,
            log_factor,
            measures: measures(summary),
            kept: kept.collect(),
        }
    }
}

/// Replications as they come in.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    seeds: Vec<u64>,
    log_factors: Vec<f64>,
    rows: Vec<(Measure, Vec<Option<f64>>)>,
    promises: Vec<PromiseCount>,
}

impl Gathered {
    /// How many have come in.
    #[must_use]
    pub fn count(&self) -> usize {
        self.seeds.len()
    }

    /// Adds the next replication.
    pub fn add(&mut self, replication: Replication) {
        let before = self.count();
        self.seeds.push(replication.seed);
        self.log_factors.extend(replication.log_factor);
        for measure in replication.measures {
            let value = measure.value;
            let row = match self.rows.iter().position(|row| row.0.is_same(&measure)) {
                Some(row) => row,
                None => {
                    self.rows.push((measure, Vec::new()));
                    self.rows.len() - 1
                }
            };
            let (measure, values) = &mut self.rows[row];
            values.resize(before, absent(measure.part));
            values.push(value);
        }
        for (measure, values) in &mut self.rows {
            values.resize(before + 1, absent(measure.part));
        }
        for (index, (name, kept)) in replication.kept.into_iter().enumerate() {
            if self.promises.len() <= index {
                self.promises.push(PromiseCount {
                    name,
                    kept: 0,
                    missed: 0,
                });
            }
            let promise = &mut self.promises[index];
            promise.kept += u64::from(kept == Some(true));
            promise.missed += u64::from(kept == Some(false));
        }
    }

    /// The largest half width of the intervals of these headline measures, as a share of the mean;
    /// `None` where one is unknown in some replication, or there are fewer than two.
    #[must_use]
    pub fn relative_half_width(&self, names: &[&str]) -> Option<f64> {
        let of = |name: &&str| {
            let is_it = |row: &&(Measure, Vec<Option<f64>>)| {
                row.0.part == Part::Headline && row.0.name == *name
            };
            Some(interval(&self.rows.iter().find(is_it)?.1)?.relative_half_width())
        };
        names
            .iter()
            .map(of)
            .try_fold(0.0, |largest, width| Some(f64::max(largest, width?)))
    }

    /// All of them together.
    #[must_use]
    pub fn finish(self, planned: u64, stopped: bool, target: Option<TargetResult>) -> Replications {
        Replications {
            seeds: self.seeds,
            confidence: CONFIDENCE,
            planned,
            stopped,
            target,
            promises: self.promises,
            measures: self
                .rows
                .into_iter()
                .map(|row| replicated(row, &self.log_factors))
                .collect(),
        }
    }
}

/// What the absence of a measure means: a bill without a line has 0 USD in it.
fn absent(part: Part) -> Option<f64> {
    matches!(part, Part::Cost | Part::Income).then_some(0.0)
}

fn interval(values: &[Option<f64>]) -> Option<Interval> {
    let known: Vec<f64> = values.iter().copied().collect::<Option<_>>()?;
    confidence_interval(&known, CONFIDENCE)
}

fn replicated((measure, values): (Measure, Vec<Option<f64>>), log_factors: &[f64]) -> Replicated {
    let interval = interval(&values);
    let known: Option<Vec<f64>> = values.iter().copied().collect();
    let open = known.and_then(|known| open_half_width(&known, log_factors));
    let half_width = interval.map(|interval| match open {
        Some(open) => libm::hypot(interval.half_width, open),
        None => interval.half_width,
    });
    let mean = match values.as_slice() {
        [only] => *only,
        _ => interval.map(|interval| interval.mean),
    };
    Replicated {
        part: measure.part,
        of: measure.of,
        name: measure.name,
        unit: measure.unit,
        known: values.iter().flatten().count() as u64,
        mean,
        low: interval.zip(half_width).map(|(i, half)| i.mean - half),
        high: interval.zip(half_width).map(|(i, half)| i.mean + half),
        standard_deviation: interval.map(|interval| interval.standard_deviation),
        open_half_width: open,
        values,
    }
}

/// How far a measure may be off because the measured iteration times are, all of them by one factor: the
/// slope of the measure against the factor's logarithm, by least squares over the replications, times the
/// reach of that logarithm, t sd. The factors of all replications but 0, which has the median, are drawn
/// around 0. A mean over ever more replications does not average this away: there is one true factor.
fn open_half_width(values: &[f64], log_factors: &[f64]) -> Option<f64> {
    if values.len() != log_factors.len() || values.len() < 4 {
        return None;
    }
    let n = values.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let (middle, centre) = (mean(values), mean(log_factors));
    let pairs = values.iter().zip(log_factors);
    let products: f64 = pairs.map(|(v, x)| (v - middle) * (x - centre)).sum();
    let squares: f64 = log_factors
        .iter()
        .map(|x| (x - centre) * (x - centre))
        .sum();
    if squares == 0.0 {
        return Some(0.0);
    }
    let around_0: f64 = log_factors.iter().map(|x| x * x).sum();
    let deviation = libm::sqrt(around_0 / (n - 1.0));
    let t = student_t_quantile(f64::midpoint(1.0, CONFIDENCE), n - 1.0);
    Some((products / squares).abs() * t * deviation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Seed, Stream};

    #[test]
    fn what_a_profile_leaves_open_is_not_averaged_away() {
        // A measure that is the factor itself, drawn with standard deviation 0.1, beside noise.
        let mut stream = Seed(1).stream("test", "factors", 0);
        let half_width = |count: u64, sd: f64, stream: &mut Stream| {
            let mut gathered = Gathered::default();
            for number in 0..count {
                let factor = if number == 0 {
                    0.0
                } else {
                    sd * stream.normal()
                };
                let value = 10.0 * libm::exp(factor) + 0.1 * stream.normal();
                let mut one = replication(number, &[(Part::Headline, "known", Some(value))]);
                one.log_factor = Some(factor);
                gathered.add(one);
            }
            let replications = gathered.finish(count, false, None);
            let known = replications.headline("known").expect("it is there");
            assert!(known.open_half_width <= known.half_width());
            known.half_width().expect("many")
        };
        // 1.96 x 0.1 x 10 for ever.
        for count in [100, 1000, 10_000] {
            let half = half_width(count, 0.1, &mut stream);
            assert!((half / 1.96 - 1.0).abs() < 0.25, "{count}: {half}");
        }
        // Without anything open only the noise is left: 1.96 x 0.1 / sqrt(n).
        let half = half_width(10_000, 0.0, &mut stream);
        assert!((half / 0.001_96 - 1.0).abs() < 0.05, "{half}");
    }

    fn replication(seed: u64, values: &[(Part, &str, Option<f64>)]) -> Replication {
        let measure = |&(part, name, value): &(Part, &str, Option<f64>)| Measure {
            part,
            of: None,
            name: name.into(),
            unit: "1".into(),
            value,
        };
        Replication {
            seed,
            log_factor: None,
            measures: values.iter().map(measure).collect(),
            kept: vec![("promise".into(), Some(seed > 1))],
        }
    }

    fn gathered() -> Gathered {
        let mut gathered = Gathered::default();
        for (seed, known, sometimes) in
            [(1, 12.0, Some(1.0)), (2, 15.0, None), (3, 18.0, Some(3.0))]
        {
            let mut values = vec![
                (Part::Headline, "known", Some(known)),
                (Part::Headline, "sometimes", sometimes),
            ];
            if seed == 2 {
                values.push((Part::Cost, "repair", Some(30.0)));
            }
            gathered.add(replication(seed, &values));
        }
        gathered
    }

    #[test]
    fn a_measure_has_its_interval_over_all_replications() {
        let replications = gathered().finish(3, false, None);
        assert_eq!((replications.count(), replications.seeds.len()), (3, 3));
        let known = replications.headline("known").expect("it is there");
        // Mean 15, s = 3, t(0.975; 2) = 4.30265.
        let half_width = 4.302_652_73 * 3.0 / libm::sqrt(3.0);
        assert_eq!(
            (known.mean, known.standard_deviation),
            (Some(15.0), Some(3.0))
        );
        assert!((known.half_width().expect("three values") - half_width).abs() < 1e-7);
        assert!((known.low.expect("three values") - (15.0 - half_width)).abs() < 1e-7);
        let promise = &replications.promises[0];
        assert_eq!((promise.kept, promise.missed), (2, 1));
    }

    #[test]
    fn what_is_unknown_once_has_no_mean() {
        let gathered = gathered();
        assert_eq!(gathered.relative_half_width(&["known", "sometimes"]), None);
        let width = gathered.relative_half_width(&["known"]).expect("known");
        assert!((width - 4.302_652_73 * 3.0 / libm::sqrt(3.0) / 15.0).abs() < 1e-8);
        let replications = gathered.finish(3, false, None);
        let sometimes = replications.headline("sometimes").expect("it is there");
        assert_eq!(
            (sometimes.known, sometimes.mean, sometimes.low),
            (2, None, None)
        );
    }

    #[test]
    fn a_line_that_is_not_on_the_bill_is_0() {
        let replications = gathered().finish(3, false, None);
        let repair = replications.measures.iter().find(|m| m.name == "repair");
        let repair = repair.expect("it was on one bill");
        assert_eq!(repair.values, [Some(0.0), Some(30.0), Some(0.0)]);
        assert_eq!(repair.mean, Some(10.0));
    }
}
