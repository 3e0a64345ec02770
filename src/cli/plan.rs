//! `meltpoint plan`: how many GPUs keep the promises, and what the next ones buy.

use std::sync::Arc;

use super::args::{Certainty, Format, Plan, Question, Repeats};
use super::error::{Failure, PROMISE_MISSED};
use super::signals::Signals;
use super::{load, output, report, simulate, watched};
use crate::plan::{self, Answer, Knob, NotVariable, Range};
use crate::report as formats;
use crate::scenario::Scenario;

/// The largest value that is tried, in multiples of that of the scenario.
const MOST_TIMES_PRESENT: u64 = 32;
/// Sizes that are not of the search: the rest of the ladder.
const LADDER_SIZES: u64 = 5;

/// Why the sizes ended before the plan.
enum Ended {
    /// A signal.
    Signal(u8),
    /// A size is no valid scenario.
    Failure(Failure),
}

pub(super) fn run(arguments: &Plan) -> Result<u8, Failure> {
    let present = Arc::new(load(arguments, None)?);
    if present.slos.is_empty() {
        return Err(Failure::usage(
            format!("scenario `{}` promises nothing", present.name),
            "add a table `[slo.name]` with a tier and what is promised to it",
        ));
    }
    let knob = Knob::find(&present, arguments.vary.as_deref())
        .map_err(|NotVariable { message, hint }| Failure::usage(message, hint))?;
    let range = range(arguments, &knob)?;
    let threads = watched::threads(arguments.threads);
    within_budget(arguments, &present, range, threads)?;
    output::warnings(&present.warnings);
    let certainty = match arguments.certainty {
        Certainty::Mean => plan::Certainty::Mean,
        Certainty::Every => plan::Certainty::Every,
    };
    let signals = Signals::listen();
    let found = plan::plan(
        &knob,
        range,
        certainty,
        &mut |size| {
            let setting = knob.setting(size);
            let scenario = load(arguments, Some(setting)).map_err(Ended::Failure)?;
            Ok(Arc::new(scenario))
        },
        &mut |scenario| {
            let (trial, _) = watched::run(scenario, threads, &signals);
            match signals.exit_code() {
                Some(code) => Err(Ended::Signal(code)),
                None => Ok(trial.summary),
            }
        },
    );
    let plan = match found {
        Ok(plan) => plan,
        Err(Ended::Signal(code)) => return Ok(code),
        Err(Ended::Failure(failure)) => return Err(failure),
    };
    output::result(&match arguments.format {
        Format::Table => formats::plan_table(&plan, report::style()),
        Format::Json => formats::plan_json(&plan),
        Format::Csv => formats::plan_csv(&plan),
        Format::Md => formats::plan_markdown(&plan),
    })?;
    Ok(match plan.answer {
        Answer::Never { .. } => PROMISE_MISSED,
        Answer::Smallest { .. } | Answer::Already { .. } => 0,
    })
}

/// The scenario, with a value of what is varied.
fn load(arguments: &Plan, setting: Option<String>) -> Result<Scenario, Failure> {
    let mut question: Question = arguments.question.clone();
    question.sets.extend(setting);
    let repeats = Repeats {
        replications: arguments.replications.clone(),
        ..Repeats::default()
    };
    load::repeated(&question, &repeats)
}

/// The sizes to try.
fn range(arguments: &Plan, knob: &Knob) -> Result<Range, Failure> {
    let (path, unit) = (&knob.path, &knob.unit);
    let least = match arguments.from {
        Some(value) => knob.size_at_least(value),
        None => knob.least(),
    };
    if least < knob.least() {
        return Err(Failure::usage(
            format!("--from 0: `{path}` cannot be 0, for then nothing would serve"),
            format!("begin with at least {} {unit}", knob.value(knob.least())),
        ));
    }
    let most_value = arguments
        .to
        .unwrap_or_else(|| knob.present.saturating_mul(MOST_TIMES_PRESENT));
    let most = knob.size_at_most(most_value);
    // One step of a small share of the story may be more than the whole value of the scenario.
    let most = match arguments.to {
        Some(_) => most,
        None => most.max(least + 1),
    };
    if least > most {
        let step = knob.value(1);
        return Err(Failure::usage(
            format!(
                "there is no size of `{path}` from {} to {most_value} {unit}: one step is {step}",
                knob.value(least)
            ),
            "give a --to that is larger than --from, or simulate a larger --scale",
        ));
    }
    Ok(Range { least, most })
}

/// Refuses a plan that would take too long, unless it was asked for twice.
fn within_budget(
    arguments: &Plan,
    scenario: &Scenario,
    range: Range,
    threads: usize,
) -> Result<(), Failure> {
    // Doubling and bisection take about two sizes a bit of the range.
    let bits = u64::from((range.most - range.least + 1).ilog2());
    let sizes = 2 * bits + LADDER_SIZES;
    let replications = scenario.runs.replications;
    let words = match replications {
        1 => format!("up to {sizes} runs are"),
        _ => format!("up to {sizes} sizes with {replications} runs each are"),
    };
    simulate::within_budget(
        scenario,
        (sizes.saturating_mul(replications), &words),
        threads,
        "simulate a part of it with --scale 0.001, narrow it with --from and --to, or say --yes",
        arguments.yes,
    )
}
