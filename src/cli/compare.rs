//! `meltpoint compare`: two results side by side, from their folders or run for it.
//!
//! Scenarios are run with one seed for both, so that replication by replication the same users come:
//! a difference is then one of the scenarios and not of their luck.

use std::path::Path;
use std::sync::Arc;

use super::args::{Compare, Format, Question};
use super::error::Failure;
use super::signals::Signals;
use super::{load, output, report, simulate, watched};
use crate::metrics::summary::Summary;
use crate::report as formats;
use crate::scenario::Scenario;

/// One side, before it is run.
enum Side {
    /// A result that is there.
    Result(Box<Summary>),
    /// A scenario to run.
    Scenario(Arc<Scenario>),
}

pub(super) fn run(arguments: &Compare) -> Result<u8, Failure> {
    let first = side(arguments, &arguments.first, arguments.seed)?;
    let seed = arguments.seed.or(match &first {
        Side::Result(summary) => Some(summary.seed),
        Side::Scenario(scenario) => Some(scenario.seed.0),
    });
    let second = side(arguments, &arguments.second, seed)?;
    let results = matches!((&first, &second), (Side::Result(_), Side::Result(_)));
    let is_idle = arguments.repeats.is_some()
        || arguments.seed.is_some()
        || arguments.scale.is_some()
        || arguments.measured.profile.is_some();
    if results && is_idle {
        return Err(Failure::usage(
            "both sides are results that were run before, so no other seed, scale, device \
             profile or number of replications can be asked for",
            "name scenarios instead, or run `meltpoint simulate` with it",
        ));
    }
    let signals = Signals::listen();
    let mut summaries = Vec::new();
    for side in [first, second] {
        let summary = match side {
            Side::Result(summary) => *summary,
            Side::Scenario(scenario) => {
                let threads = watched::threads(arguments.threads);
                watched::run(&scenario, threads, &signals).0.summary
            }
        };
        // Half of a comparison is none.
        if let Some(code) = signals.exit_code() {
            return Ok(code);
        }
        summaries.push(summary);
    }
    let comparison = formats::compare(&summaries[0], &summaries[1]);
    output::result(&match arguments.format {
        Format::Table => formats::comparison_table(&comparison, report::style()),
        Format::Json => formats::comparison_json(&comparison),
        Format::Csv => formats::comparison_csv(&comparison),
        Format::Md => formats::comparison_markdown(&comparison),
    })?;
    Ok(0)
}

/// What stands on one side: a folder is a result, anything else a scenario.
fn side(arguments: &Compare, path: &Path, seed: Option<u64>) -> Result<Side, Failure> {
    if path.is_dir() {
        return Ok(Side::Result(Box::new(report::read(path)?)));
    }
    let question = Question {
        scenario: path.to_string_lossy().into_owned(),
        sets: Vec::new(),
        seed,
        scale: arguments.scale,
        measured: arguments.measured.clone(),
    };
    let scenario = load::repeated(&question, &arguments.repeats)?;
    simulate::guard(
        &scenario,
        watched::threads(arguments.threads),
        arguments.yes,
    )?;
    output::warnings(&scenario.warnings);
    Ok(Side::Scenario(Arc::new(scenario)))
}
