//! Two answers side by side: what changed from A to B, whether it is more than chance, and what speaks
//! against comparing them.
//!
//! Replications with the same seeds are compared pair by pair: the same users come in both, so most of
//! the chance cancels. Other replications are compared as independent samples. Of single runs nobody
//! can tell.

mod shown;

pub use shown::{comparison_csv, comparison_json, comparison_markdown, comparison_table};

use serde::Serialize;

use crate::metrics::replications::{CONFIDENCE, Replicated};
use crate::metrics::summary::{Replications, Summary};
use crate::metrics::{Measure, Part, measures};
use crate::report::answer;
use crate::report::number::{percent, quantity, short};
use crate::report::{date, escape};
use crate::stats::{Difference, paired_difference, welch_difference};

/// Two answers side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The first, which differences are taken from.
    pub a: Side,
    /// The second.
    pub b: Side,
    /// How it is judged whether a difference is chance.
    pub method: Method,
    /// Confidence of each interval for itself.
    pub confidence: f64,
    /// What comes of it, in a sentence.
    pub conclusion: String,
    /// In what the two runs differ besides their results, so that a difference may not mean much.
    pub notes: Vec<String>,
    /// Headline numbers.
    pub headline: Vec<Row>,
    /// What became of each tier's requests.
    pub tiers: Vec<Row>,
    /// What each pool did.
    pub pools: Vec<Row>,
    /// What the promises are about.
    pub promises: Vec<Row>,
    /// Lines of cost and income.
    pub money: Vec<Row>,
    /// What each chunk cost.
    pub chunks: Vec<Row>,
}

/// One of the two answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Name of the scenario.
    pub scenario: String,
    /// `HELD`, `MELTED` or `UNKNOWN`.
    pub verdict: &'static str,
    /// Why.
    pub reason: String,
    /// Seed.
    pub seed: u64,
    /// Replications, 1 for a single run.
    pub replications: usize,
    /// Share of the whole story that was simulated.
    pub scale: f64,
    /// Simulated length in seconds.
    pub simulated_s: f64,
}

/// How it is judged whether a difference is chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Replications with the same seeds, pair by pair: the interval of the mean of their differences.
    PairedT,
    /// Replications with other seeds: Welch's interval of the difference of two means.
    Welch,
    /// A single run on at least one side: not at all. Values are those of replication 0.
    SingleRuns,
}

/// What is found out about a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Every value is the same.
    Identical,
    /// The interval of the difference holds 0.
    NoDifference,
    /// It does not.
    Differs,
    /// There is a difference, and it cannot be told whether it is chance.
    Untold,
    /// One side is unknown.
    Unknown,
}

/// A quantity in both answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Tier, pool or promise, or `cost` or `income`; `None` for headline numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// What.
    pub name: String,
    /// Unit of the values and of their difference.
    pub unit: String,
    /// Value in A, of replications their mean; `None`: unknown, or A has no such tier or line.
    pub a: Option<f64>,
    /// Value in B, likewise.
    pub b: Option<f64>,
    /// b - a.
    pub difference: Option<f64>,
    /// (b - a) / |a|.
    pub relative: Option<f64>,
    /// Lower end of the confidence interval of the difference.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// The chance of a difference at least so large where there is none.
    pub p_value: Option<f64>,
    /// The share of the variance of independent replications that pairing by seeds took away.
    pub variance_saved: Option<f64>,
    /// What is found out.
    pub finding: Finding,
}

/// What changed from `a` to `b`.
#[must_use]
pub fn compare(a: &Summary, b: &Summary) -> Comparison {
    let judge = Judge::of(a, b);
    let rows = rows(judge.values(a), judge.values(b), judge.method);
    let of = |parts: &[Part]| -> Vec<Row> {
        let rows = rows.iter().filter(|(part, _)| parts.contains(part));
        rows.map(|(_, row)| row.clone()).collect()
    };
    let all: Vec<&Row> = rows.iter().map(|(_, row)| row).collect();
    Comparison {
        a: side(a),
        b: side(b),
        method: judge.method,
        confidence: CONFIDENCE,
        conclusion: conclusion(&judge, &all),
        notes: notes(a, b),
        headline: of(&[Part::Headline]),
        tiers: of(&[Part::Tier]),
        pools: of(&[Part::Pool, Part::Autoscaler, Part::Partition, Part::Site]),
        promises: of(&[Part::Promise]),
        money: of(&[Part::Cost, Part::Income]),
        chunks: of(&[Part::Chunk, Part::Supplier]),
    }
}

fn side(summary: &Summary) -> Side {
    let verdict = answer::verdict(summary);
    Side {
        scenario: summary.scenario.clone(),
        verdict: verdict.word,
        reason: verdict.reason,
        seed: summary.seed,
        replications: many(summary).map_or(1, Replications::count),
        scale: summary.scale,
        simulated_s: summary.simulated_s,
    }
}

/// The replications of an answer, if there are enough to judge by.
fn many(summary: &Summary) -> Option<&Replications> {
    let replications = summary.replications.as_ref();
    replications.filter(|replications| replications.count() > 1)
}

/// By which method, on how many replications of each side.
struct Judge {
    method: Method,
    counts: [usize; 2],
}

/// A measure of one side and its value in each replication that is judged.
type Values = (Measure, Option<Vec<f64>>);

impl Judge {
    fn of(a: &Summary, b: &Summary) -> Self {
        let (Some(first), Some(second)) = (many(a), many(b)) else {
            return Self {
                method: Method::SingleRuns,
                counts: [1, 1],
            };
        };
        let common = first.seeds.iter().zip(&second.seeds);
        let pairs = common.take_while(|(a, b)| a == b).count();
        match pairs {
            0 | 1 => Self {
                method: Method::Welch,
                counts: [first.count(), second.count()],
            },
            _ => Self {
                method: Method::PairedT,
                counts: [pairs, pairs],
            },
        }
    }

    /// The measures of a side, with their means over the replications that are judged.
    fn values(&self, summary: &Summary) -> Vec<Values> {
        let (Some(replications), false) = (many(summary), self.method == Method::SingleRuns) else {
            return measures(summary).into_iter().map(|m| (m, None)).collect();
        };
        let judged = match self.method {
            Method::PairedT => self.counts[0],
            Method::Welch | Method::SingleRuns => replications.count(),
        };
        let measure = |replicated: &Replicated| {
            let values: Option<Vec<f64>> = replicated.values.iter().take(judged).copied().collect();
            let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
            let measure = Measure {
                part: replicated.part,
                of: replicated.of.clone(),
                name: replicated.name.clone(),
                unit: replicated.unit.clone(),
                value: values.as_ref().map(mean),
            };
            (measure, values)
        };
        replications.measures.iter().map(measure).collect()
    }
}

/// The measures of both sides beside each other: those of A in their order, then what only B has.
fn rows(a: Vec<Values>, b: Vec<Values>, method: Method) -> Vec<(Part, Row)> {
    let mut rest: Vec<Option<Values>> = b.into_iter().map(Some).collect();
    let mut rows: Vec<(Part, Row)> = Vec::new();
    for (measure, values) in a {
        let is_same = |other: &&mut Option<Values>| {
            other
                .as_ref()
                .is_some_and(|(other, _)| other.is_same(&measure))
        };
        let other = rest.iter_mut().find(is_same).and_then(Option::take);
        let (b, other_values) = other.map_or((None, None), |(m, values)| (m.value, values));
        let difference = values
            .zip(other_values)
            .and_then(|(a, b)| differ(&a, &b, method));
        rows.push((measure.part, row(&measure, [measure.value, b], difference)));
    }
    let only_b = rest.into_iter().flatten();
    rows.extend(only_b.map(|(m, _)| (m.part, row(&m, [None, m.value], None))));
    rows
}

/// The difference with its interval, and whether all values are the same.
fn differ(a: &[f64], b: &[f64], method: Method) -> Option<(Difference, bool)> {
    let difference = match method {
        Method::PairedT => paired_difference(a, b, CONFIDENCE),
        Method::Welch => welch_difference(a, b, CONFIDENCE),
        Method::SingleRuns => None,
    };
    Some((difference?, a == b))
}

fn row(measure: &Measure, [a, b]: [Option<f64>; 2], judged: Option<(Difference, bool)>) -> Row {
    let of = match measure.part {
        Part::Cost => Some("cost".to_owned()),
        Part::Income => Some("income".to_owned()),
        Part::Headline
        | Part::Tier
        | Part::Pool
        | Part::Autoscaler
        | Part::Partition
        | Part::Site
        | Part::Promise
        | Part::Chunk
        | Part::Supplier => measure.of.clone(),
    };
    let difference = match &judged {
        Some((judged, _)) => Some(judged.mean),
        None => a.zip(b).map(|(a, b)| b - a),
    };
    let finding = match (&judged, difference) {
        (Some((_, true)), _) | (None, Some(0.0)) => Finding::Identical,
        (Some((judged, _)), _) if judged.mean.abs() <= judged.half_width => Finding::NoDifference,
        (Some(_), _) => Finding::Differs,
        (None, Some(_)) => Finding::Untold,
        (None, None) => Finding::Unknown,
    };
    let judged = judged.map(|(judged, _)| judged);
    Row {
        of,
        name: measure.name.clone(),
        unit: measure.unit.clone(),
        a,
        b,
        difference,
        relative: difference
            .zip(a)
            .filter(|(_, a)| *a != 0.0)
            .map(|(difference, a)| difference / a.abs()),
        low: judged.map(|judged| judged.mean - judged.half_width),
        high: judged.map(|judged| judged.mean + judged.half_width),
        p_value: judged.map(|judged| judged.p_value),
        variance_saved: judged.and_then(|judged| judged.variance_saved),
        finding,
    }
}

/// What comes of it: first whether there is any difference at all, then how it was judged.
fn conclusion(judge: &Judge, rows: &[&Row]) -> String {
    let known: Vec<&&Row> = rows
        .iter()
        .filter(|r| r.finding != Finding::Unknown)
        .collect();
    let count = |finding| known.iter().filter(|row| row.finding == finding).count();
    if count(Finding::Identical) == known.len() {
        let of = match judge.method {
            Method::SingleRuns => " of one run each",
            Method::PairedT | Method::Welch => "",
        };
        return format!("identical: all {} measures{of} are the same", known.len());
    }
    let differ = count(Finding::Differs);
    let how = match judge.method {
        Method::SingleRuns => {
            return "a single run each cannot tell a difference from chance: run both with \
                    `--replications 10` or more"
                .to_owned();
        }
        Method::PairedT => format!(
            "{} pairs of replications on common random numbers, paired t",
            judge.counts[0]
        ),
        Method::Welch => format!(
            "{} and {} replications with different seeds, Welch's t",
            judge.counts[0], judge.counts[1]
        ),
    };
    let percent = percent(CONFIDENCE);
    let of = format!(
        "{differ} of {} intervals at {percent} leave out 0",
        known.len()
    );
    match is_more_than_chance(rows) {
        true => format!("there is a difference: {of} ({how})"),
        false => format!("no difference: {of}, no more than chance explains ({how})"),
    }
}

/// Whether any measure differs when all are judged together (Holm 1979, whose first step is
/// Bonferroni's): with many measures some interval leaves out 0 by chance.
fn is_more_than_chance(rows: &[&Row]) -> bool {
    let judged = rows.iter().filter(|row| row.finding != Finding::Identical);
    let p_values: Vec<f64> = judged.filter_map(|row| row.p_value).collect();
    let least = p_values.iter().copied().fold(1.0, f64::min);
    least * p_values.len() as f64 <= 1.0 - CONFIDENCE
}

/// In what the runs differ, in sentences.
fn notes(a: &Summary, b: &Summary) -> Vec<String> {
    let mut notes = Vec::new();
    if a.scale != b.scale {
        notes.push(format!(
            "the scales differ ({} and {}): counts and money cannot be compared",
            short(a.scale),
            short(b.scale)
        ));
    }
    let measured = |summary: &Summary| (summary.simulated_s, summary.warm_up.seconds);
    if a.simulated_s != b.simulated_s {
        notes.push(format!(
            "the simulated lengths differ ({} and {}): counts and money cannot be compared",
            quantity(a.simulated_s, "s"),
            quantity(b.simulated_s, "s")
        ));
    } else if measured(a) != measured(b) {
        notes.push(format!(
            "the warm-ups differ ({} and {}): counts cannot be compared",
            quantity(a.warm_up.seconds, "s"),
            quantity(b.warm_up.seconds, "s")
        ));
    }
    if a.start_unix_s != b.start_unix_s {
        notes.push(format!(
            "the starts differ ({} and {} UTC)",
            date::iso_minute(a.start_unix_s),
            date::iso_minute(b.start_unix_s)
        ));
    }
    for (name, summary) in [("A", a), ("B", b)] {
        if summary.partial {
            notes.push(format!("{name} was stopped before its horizon"));
        }
    }
    if a.seed != b.seed {
        notes.push(format!(
            "the seeds differ ({} and {}): part of the differences is chance",
            a.seed, b.seed
        ));
    }
    if many(a).is_some() != many(b).is_some() {
        notes.push("only one side has replications: of it replication 0 is shown".to_owned());
    }
    if a.meltpoint_version != b.meltpoint_version {
        notes.push(format!(
            "the runs were made by different versions ({} and {})",
            escape::name(&a.meltpoint_version),
            escape::name(&b.meltpoint_version)
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Style, fixture};

    /// The surge, and the surge with a larger fleet and another set of tiers.
    fn pair() -> (Summary, Summary) {
        let a = fixture::surge();
        let mut b = a.clone();
        b.scenario = "more-chunks".into();
        b.slos.iter_mut().for_each(|slo| slo.kept = Some(true));
        b.total.completed += 100_000_000;
        b.tiers[2].name = "api".into();
        b.money.costs[1].what = "power west".into();
        b.money.cost_total_usd *= 2.0;
        (a, b)
    }

    fn find<'a>(rows: &'a [Row], of: Option<&str>, name: &str) -> &'a Row {
        let row = rows
            .iter()
            .find(|r| r.of.as_deref() == of && r.name == name);
        row.unwrap()
    }

    #[test]
    fn an_answer_does_not_differ_from_itself() {
        for summary in fixture::all() {
            let comparison = compare(&summary, &summary);
            let mut rows = comparison.headline.iter().chain(&comparison.tiers);
            assert!(rows.all(|row| row.difference.is_none_or(|d| d == 0.0)));
            assert!(comparison.conclusion.starts_with("identical"));
        }
    }

    #[test]
    fn differences_are_taken_from_a_to_b() {
        let (a, b) = pair();
        let comparison = compare(&a, &b);
        let completed = find(&comparison.headline, None, "completed");
        assert_eq!(completed.difference, Some(1e8));
        assert_eq!(completed.relative, Some(1e8 / 702e6));
        let back = compare(&b, &a);
        assert_eq!(
            find(&back.headline, None, "completed").difference,
            Some(-1e8)
        );
    }

    #[test]
    fn what_one_side_lacks_is_unknown_there() {
        let (a, b) = pair();
        let comparison = compare(&a, &b);
        assert_eq!(find(&comparison.tiers, Some("pro"), "offered").b, None);
        assert_eq!(find(&comparison.tiers, Some("api"), "offered").a, None);
        let power = find(&comparison.money, Some("cost"), "power west");
        assert_eq!((power.a, power.difference), (None, None));
    }

    #[test]
    fn runs_that_cannot_be_compared_say_so() {
        let (a, mut b) = pair();
        assert!(compare(&a, &b).notes.is_empty());
        b.scale = 0.01;
        b.simulated_s /= 2.0;
        b.seed = 7;
        let notes = compare(&a, &b).notes.join("\n");
        for part in [
            "scales differ (1 and 0.01)",
            "lengths differ (10 d and 5 d)",
            "chance",
        ] {
            assert!(notes.contains(part), "{notes}");
        }
    }

    /// A replicated answer whose mean response time is longer by this in each replication.
    fn later_by(added_s: [f64; 4]) -> Summary {
        let mut summary = fixture::replicated();
        let replications = summary.replications.as_mut().unwrap();
        let mut measures = replications.measures.iter_mut();
        let response = measures.find(|m| m.name == "response_mean").unwrap();
        for (value, added_s) in response.values.iter_mut().zip(added_s) {
            *value = value.map(|value| value + added_s);
        }
        summary
    }

    #[test]
    fn replications_of_the_same_seeds_are_compared_pair_by_pair() {
        let a = fixture::replicated();
        // Differences 1, 1, 2, 2: mean 1.5, s = 0.57735, t(0.975; 3) = 3.18245.
        let comparison = compare(&a, &later_by([1.0, 1.0, 2.0, 2.0]));
        assert_eq!(comparison.method, Method::PairedT);
        assert!(
            comparison
                .conclusion
                .starts_with("there is a difference: 1 of "),
            "{}",
            comparison.conclusion
        );
        let row = find(&comparison.headline, None, "response_mean");
        assert_eq!((row.finding, row.difference), (Finding::Differs, Some(1.5)));
        let half_width = 3.182_446_305 * 0.577_350_269 / 2.0;
        assert!((row.low.unwrap() - (1.5 - half_width)).abs() < 1e-8);
        // Variances 6.667 and 9 of independent samples became 0.333.
        let saved = 1.0 - (1.0 / 3.0) / (20.0 / 3.0 + 29.0 / 3.0);
        assert!(
            (row.variance_saved.unwrap() - saved).abs() < 1e-12,
            "{row:?}"
        );
        let completed = find(&comparison.headline, None, "completed");
        assert_eq!(completed.finding, Finding::Identical);
    }

    #[test]
    fn a_difference_of_chance_is_none() {
        let a = fixture::replicated();
        let comparison = compare(&a, &later_by([1.0, -1.0, 2.0, -1.5]));
        let row = find(&comparison.headline, None, "response_mean");
        assert_eq!(row.finding, Finding::NoDifference);
        assert!(comparison.conclusion.starts_with("no difference: 0 of"));
        let style = Style {
            colour: false,
            width: 100,
        };
        assert!(comparison_table(&comparison, style).contains("no difference"));
        assert!(comparison_csv(&comparison).contains(",no difference\n"));
        let same = compare(&a, &a);
        assert!(same.conclusion.starts_with("identical: all"));
        let one_run = compare(&a, &fixture::surge());
        assert_eq!(one_run.method, Method::SingleRuns);
        assert!(
            one_run
                .notes
                .join("")
                .contains("only one side has replications")
        );
    }

    #[test]
    fn replications_of_other_seeds_are_independent_samples() {
        let a = fixture::replicated();
        let mut b = later_by([1.0, 1.0, 2.0, 2.0]);
        b.replications.as_mut().unwrap().seeds = vec![11, 12, 13, 14];
        let comparison = compare(&a, &b);
        assert_eq!(comparison.method, Method::Welch);
        let row = find(&comparison.headline, None, "response_mean");
        assert_eq!(
            (row.finding, row.variance_saved),
            (Finding::NoDifference, None)
        );
        assert!(comparison.conclusion.starts_with("no difference: 0 of"));
    }

    #[test]
    fn a_single_run_each_cannot_tell() {
        let (a, b) = pair();
        let comparison = compare(&a, &b);
        assert!(
            comparison
                .conclusion
                .starts_with("a single run each cannot tell")
        );
        assert_eq!(
            find(&comparison.headline, None, "completed").finding,
            Finding::Untold
        );
        assert_eq!(
            find(&comparison.headline, None, "offered").finding,
            Finding::Identical
        );
    }

    #[test]
    fn every_format_shows_the_comparison() {
        let (a, b) = pair();
        for (a, b) in [(a.clone(), b), (a, fixture::huge())] {
            let comparison = compare(&a, &b);
            let style = Style {
                colour: false,
                width: 100,
            };
            let table = comparison_table(&comparison, style);
            assert!(table.starts_with("A  MELTED  ghibli-week"));
            assert!(table.chars().all(|c| c == '\n' || !c.is_control()));
            assert!(comparison_markdown(&comparison).contains("| never served | 28 % |"));
            assert!(
                comparison_csv(&comparison)
                    .contains("headline,,offered,requests,980000000,980000000,0,0")
            );
            let json: serde_json::Value =
                serde_json::from_str(&comparison_json(&comparison)).unwrap();
            assert_eq!(json["a"]["verdict"], "MELTED");
        }
    }
}
