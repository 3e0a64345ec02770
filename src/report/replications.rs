//! What many replications say together, for people.

use crate::metrics::Part;
use crate::metrics::replications::{PromiseCount, Replicated, Replications, TargetResult};
use crate::metrics::summary::Summary;
use crate::report::answer::{self, Verdict};
use crate::report::escape;
use crate::report::grid::{Align, Grid};
use crate::report::number::{self, optional, percent, spread};

/// What is shown of each tier, if there are several; the files hold more.
const OF_A_TIER: [&str; 5] = [
    "completed",
    "goodput",
    "response_mean",
    "response_p99",
    "never_served",
];

/// Promises are kept if they are in every replication; `None`: it was run once, or nothing was
/// promised.
pub(super) fn verdict(summary: &Summary) -> Option<Verdict> {
    let replications = summary.replications.as_ref()?;
    let count = replications.count() as u64;
    let worst = replications.promises.iter().max_by_key(|p| p.missed)?;
    let promise = summary.slos.iter().find(|slo| slo.name == worst.name)?;
    let promise = answer::promise_words(promise);
    if worst.missed > 0 {
        let missed = worst.missed;
        let reason = format!("{promise} was missed in {missed} of {count} replications");
        return Some(answer::melted(reason));
    }
    let promises = replications.promises.len();
    let is_unknown = |promise: &&PromiseCount| promise.kept < count;
    Some(
        match replications.promises.iter().filter(is_unknown).count() {
            0 if promises == 1 => answer::held(format!(
                "its promise was kept in all {count} replications: {promise}"
            )),
            0 => answer::held(format!(
                "all {promises} promises were kept in all {count} replications"
            )),
            unknown => answer::doubtful(format!(
                "too few samples in some replications to judge {unknown} of {promises} promises; none was \
             missed"
            )),
        },
    )
}

/// How many there were, what came of the precision asked for, and what they say of the promises.
pub(super) fn words(summary: &Summary) -> Vec<String> {
    let Some(replications) = &summary.replications else {
        return Vec::new();
    };
    let count = replications.count();
    let mut words = vec![format!(
        "{count} independent replications, whose seeds follow from seed {}; the intervals below are of \
         their means, each at {} for itself (Student's t)",
        summary.seed,
        percent(replications.confidence),
    )];
    words.push(
        "everything else here, in the tables and in the figures, is of replication 0".to_owned(),
    );
    words.extend(open_words(replications));
    if replications.stopped {
        words.push(match replications.target {
            Some(_) => format!("STOPPED by a signal after {count}"),
            None => format!(
                "STOPPED by a signal after {count} of {}",
                replications.planned
            ),
        });
    }
    words.extend(replications.target.as_ref().map(target_words));
    let promises = replications.promises.iter();
    words.extend(promises.filter_map(|promise| promise_words(summary, replications, promise)));
    words
}

/// How much of the intervals a device profile left open, on the example of the first that has one.
fn open_words(replications: &Replications) -> Option<String> {
    let shown = ["response_mean", "goodput", "utilisation"].into_iter();
    let mut shown = shown.filter_map(|name| replications.headline(name));
    let example = shown.find_map(|measure| Some((measure, measure.open_half_width?)));
    let (measure, open) = example?;
    let half_width = measure.half_width()?;
    let target = match replications.target {
        Some(_) => "; the target is about the rest",
        None => "",
    };
    Some(format!(
        "each but replication 0 draws by which factor the iteration times of the device profile are off; the \
         intervals include it, and more replications do not narrow that part: {} of the {} of {}{target}",
        spread(open, &measure.unit),
        spread(half_width, &measure.unit),
        measure.name.replace('_', " ")
    ))
}

fn target_words(target: &TargetResult) -> String {
    let reached = match target.reached_half_width {
        Some(width) => format!("± {}", percent(width)),
        None => "no precision that can be told".to_owned(),
    };
    let verb = match target.reached {
        true => "was reached",
        false => "was NOT reached",
    };
    format!(
        "the target of ± {} for {} {verb}: {reached}",
        percent(target.relative_half_width),
        target.measures.join(" and ").replace('_', " "),
    )
}

fn promise_words(
    summary: &Summary,
    replications: &Replications,
    promise: &PromiseCount,
) -> Option<String> {
    let slo = summary.slos.iter().find(|slo| slo.name == promise.name)?;
    let count = replications.count() as u64;
    let unknown = count.saturating_sub(promise.kept + promise.missed);
    let mut words = format!(
        "{}: kept in {} of {count}",
        answer::promise_words(slo),
        promise.kept
    );
    if unknown > 0 {
        words += &format!(", unknown in {unknown} for want of samples");
    }
    Some(words)
}

/// The measures with their intervals; what is always 0 or never known is left to the files.
pub(super) fn grid(summary: &Summary) -> Grid {
    let mut grid = Grid::new(&[
        ("", Align::Left),
        ("mean", Align::Right),
        ("±", Align::Right),
        ("relative", Align::Right),
        ("s.d. of a run", Align::Right),
    ]);
    let measures = summary.replications.iter().flat_map(|r| &r.measures);
    let tiers = summary.tiers.len();
    let is_shown = |measure: &&Replicated| {
        let is_zero = (measure.mean, measure.standard_deviation) == (Some(0.0), Some(0.0));
        let is_picked = match measure.part {
            Part::Headline => true,
            Part::Tier => tiers > 1 && OF_A_TIER.contains(&measure.name.as_str()),
            Part::Pool
            | Part::Autoscaler
            | Part::Partition
            | Part::Site
            | Part::Promise
            | Part::Cost
            | Part::Income
            | Part::Chunk
            | Part::Supplier => false,
        };
        is_picked && !is_zero && measure.known > 0
    };
    for measure in measures.filter(is_shown) {
        let name = escape::name(&measure.name).replace('_', " ");
        let name = match &measure.of {
            Some(of) => format!("{} {name}", escape::cut(of, 24)),
            None => name,
        };
        let unknown = || number::UNKNOWN.to_owned();
        let width =
            |width: Option<f64>| width.map_or_else(unknown, |width| spread(width, &measure.unit));
        let relative = measure.half_width().zip(measure.mean);
        let relative = relative.filter(|(_, mean)| *mean != 0.0);
        let cells = [
            name,
            optional(measure.mean, &measure.unit),
            width(measure.half_width()),
            relative.map_or_else(unknown, |(half, mean)| percent(half / mean.abs())),
            width(measure.standard_deviation),
        ];
        grid.row(cells, None);
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, summary_markdown, summary_table};

    #[test]
    fn a_single_run_says_nothing_of_replications() {
        let summary = fixture::surge();
        assert!(verdict(&summary).is_none());
        assert!(words(&summary).is_empty() && grid(&summary).is_empty());
    }

    #[test]
    fn a_promise_missed_in_some_replications_is_missed() {
        let summary = fixture::replicated();
        let verdict = verdict(&summary).expect("there are promises");
        assert_eq!(verdict.word, "MELTED");
        assert_eq!(
            verdict.reason,
            "free: p99 response <= 300 s was missed in 3 of 4 replications"
        );
        let words = words(&summary).join("\n");
        for part in [
            "4 independent replications",
            "is of replication 0",
            "± 1 % for response mean and goodput was NOT reached: ± 9.55 %",
            "pro: p99 response <= 300 s: kept in 3 of 4, unknown in 1",
        ] {
            assert!(words.contains(part), "no {part:?} in {words}");
        }
    }

    #[test]
    fn promises_kept_in_every_replication_hold() {
        let mut summary = fixture::replicated();
        let replications = summary.replications.as_mut().unwrap();
        for promise in &mut replications.promises {
            (promise.kept, promise.missed) = (4, 0);
        }
        let verdict = verdict(&summary).expect("there are promises");
        assert_eq!(verdict.word, "HELD");
        assert_eq!(
            verdict.reason,
            "all 3 promises were kept in all 4 replications"
        );
        summary.replications.as_mut().unwrap().promises[1].kept = 3;
        assert_eq!(super::verdict(&summary).expect("as before").word, "UNKNOWN");
    }

    #[test]
    fn both_formats_for_people_show_the_intervals() {
        let summary = fixture::replicated();
        let style = crate::report::Style {
            colour: false,
            width: 100,
        };
        // Values 40, 42, 44, 46: s = 2.582, t(0.975; 3) = 3.18245.
        let table = summary_table(&summary, style);
        assert!(table.contains("In short (replication 0)"), "{table}");
        let row = table
            .lines()
            .find(|line| line.starts_with("  response mean "));
        let cells: Vec<&str> = row
            .expect("a row")
            .split("  ")
            .filter(|c| !c.is_empty())
            .collect();
        assert_eq!(
            cells.iter().map(|cell| cell.trim()).collect::<Vec<_>>(),
            ["response mean", "43 s", "4.11 s", "9.55 %", "2.58 s"]
        );
        assert!(summary_markdown(&summary).contains("| response mean | 43 s | 4.11 s |"));
    }
}
