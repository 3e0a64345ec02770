//! `meltpoint simulate`: run, print the answer, write the result folder.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::GzDecoder;
use serde_json::json;

use super::args::{Format, Question, Simulate, TraceMapping};
use super::error::{Failure, PROMISE_MISSED};
use super::folder::{Folder, RESULT_FILE};
use super::signals::Signals;
use super::{load, output, report, watched};
use crate::estimate;
use crate::metrics::summary::Summary;
use crate::report as formats;
use crate::scenario::{DemandKind, Scenario};
use crate::trials::Trial;
use crate::units::NS_PER_S;

/// Requests above which a run must be asked for twice.
const REQUESTS_MAX: f64 = 4e9;
/// Bytes of memory above which a run must be asked for twice.
const MEMORY_BYTES_MAX: f64 = 8e9;
/// Time for the last requests of a trace.
const TAIL_NS: u64 = 10 * 60 * NS_PER_S;
/// Intervals of the series of a replayed trace, about.
const SERIES_POINTS: u64 = 200;
/// The first bytes of a gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Bytes in which the header of a trace ends.
const HEADER_BYTES: u64 = 4096;
/// Where results go without `--out`.
const RESULTS: &str = "meltpoint-results";

pub(super) fn run(arguments: &Simulate) -> Result<u8, Failure> {
    let scenario = Arc::new(load_scenario(arguments)?);
    let threads = watched::threads(arguments.threads);
    guard(&scenario, threads, arguments.yes)?;
    output::warnings(&scenario.warnings);
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| default_folder(&scenario.name));
    // From here on a signal must not leave a half-made folder behind.
    let signals = Signals::listen();
    let folder = Folder::start(&out)?;

    let (mut trial, wall_s) = watched::run(&scenario, threads, &signals);
    trial.summary.theory = estimate::theory(&scenario, &trial.summary);

    write(&folder, &trial.summary, &run_info(&trial, threads, wall_s))?;
    folder.publish()?;
    output::result(&rendered(&trial.summary, arguments.format))?;
    output::note(&written(&trial, &out, wall_s));
    Ok(exit_code(&trial.summary, &signals))
}

/// The question with the trace, if one was named, in the demand that replays one.
fn with_trace(arguments: &Simulate) -> Question {
    let mut question = arguments.question.clone();
    let Some(trace) = &arguments.trace else {
        return question;
    };
    if question.scenario == "ghibli-week" {
        // Nobody asked for the week: a trace is replayed by the scenario that is made for its kind.
        question.scenario = if looks_like_images(trace) {
            "replay-images"
        } else {
            "replay-chat"
        }
        .into();
    }
    let absolute = std::path::absolute(trace).unwrap_or_else(|_| trace.clone());
    let mut set = |key: &str, value: String| {
        question.sets.push(format!("demand.trace.{key}={value}"));
    };
    set("file", quoted(&absolute.display().to_string()));
    let TraceMapping {
        columns,
        compress,
        rescale,
        sort,
    } = &arguments.mapping;
    if let Some(columns) = columns {
        set("format", quoted("columns"));
        let pairs: Vec<String> = columns
            .split(',')
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                format!("{} = {}", key.trim(), quoted(value.trim()))
            })
            .collect();
        set("columns", format!("{{ {} }}", pairs.join(", ")));
    }
    if let Some(factor) = compress {
        set("compress", format!("{factor:?}"));
    }
    if let Some(factor) = rescale {
        set("rescale", format!("{factor:?}"));
    }
    if *sort {
        set("sort", "true".into());
    }
    question
}

/// Whether the header of a trace speaks of denoise steps.
fn looks_like_images(trace: &Path) -> bool {
    let start = load::read_start(trace, HEADER_BYTES).unwrap_or_default();
    let text = match start.starts_with(&GZIP_MAGIC) {
        true => {
            let mut text = Vec::new();
            // The file is cut off, so its end is missing: what could be unpacked is enough.
            drop(
                GzDecoder::new(start.as_slice())
                    .take(HEADER_BYTES)
                    .read_to_end(&mut text),
            );
            text
        }
        false => start,
    };
    String::from_utf8_lossy(&text).contains("num_inference_steps")
}

/// The scenario; one that replays a trace of the command line lasts as long as the trace, and
/// until its last requests can be done, unless its length was set too.
fn load_scenario(arguments: &Simulate) -> Result<Scenario, Failure> {
    let mut question = with_trace(arguments);
    let scenario = load::repeated(&question, &arguments.repeats)?;
    let length_is_set = question
        .sets
        .iter()
        .any(|set| set.starts_with("scenario.lasts"));
    let last = scenario
        .demands
        .iter()
        .find_map(|demand| match &demand.kind {
            DemandKind::Trace(trace) => trace.rows.last().map(|row| demand.from.0 + row.at.0),
            _ => None,
        });
    let (Some(_), Some(last_ns), false) = (&arguments.trace, last, length_is_set) else {
        return Ok(scenario);
    };
    let lasts_s = (last_ns + TAIL_NS).div_ceil(60 * NS_PER_S) * 60;
    question.sets.push(format!("scenario.lasts=\"{lasts_s}s\""));
    let intervals = question
        .sets
        .iter()
        .any(|set| set.starts_with("scenario.series_interval"));
    if !intervals {
        let interval_s = lasts_s.div_ceil(SERIES_POINTS * 60) * 60;
        question
            .sets
            .push(format!("scenario.series_interval=\"{interval_s}s\""));
    }
    load::repeated(&question, &arguments.repeats)
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// Refuses what would take too long or too much, unless it was asked for twice.
pub(super) fn guard(scenario: &Scenario, threads: usize, yes: bool) -> Result<(), Failure> {
    let replications = scenario.runs.replications;
    let runs = match (replications, scenario.runs.target) {
        (1, _) => "the run is".to_owned(),
        (_, None) => format!("{replications} replications are"),
        (_, Some(_)) => format!("up to {replications} replications are"),
    };
    let hint = match replications {
        1 => {
            "simulate a part of it with --scale 0.01, or say --yes; `meltpoint explain` shows the estimate"
        }
        _ => "allow fewer with --replications, simulate a part with --scale 0.01, or say --yes",
    };
    within_budget(scenario, (replications, &runs), threads, hint, yes)
}

/// Refuses so many runs of a scenario if they would take too long or too much; `words` name them.
pub(super) fn within_budget(
    scenario: &Scenario,
    (runs, words): (u64, &str),
    threads: usize,
    hint: &str,
    yes: bool,
) -> Result<(), Failure> {
    let estimate = estimate::estimate(scenario);
    let requests = estimate.total.offered * runs as f64;
    // Each thread holds a replication of its own.
    let at_once = scenario.runs.replications.min(threads as u64);
    let memory_bytes = estimate.memory_bytes * at_once as f64;
    if yes || requests <= REQUESTS_MAX && memory_bytes <= MEMORY_BYTES_MAX {
        return Ok(());
    }
    let message = format!(
        "{words} estimated at {requests:.3e} requests, {:.0} s on one core and {:.1} GB of memory; without \
         --yes at most {REQUESTS_MAX:.0e} requests and {:.0} GB are run",
        estimate.wall_s * runs as f64,
        memory_bytes / 1e9,
        MEMORY_BYTES_MAX / 1e9
    );
    Err(Failure::Limit {
        message,
        hint: hint.into(),
    })
}

fn default_folder(name: &str) -> PathBuf {
    // A name is free text; a folder is not.
    let safe: String = name
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || c == '-' || c == '_' {
                c
            } else {
                '-'
            }
        })
        .collect();
    Path::new(RESULTS).join(safe)
}

/// The only file that differs between two runs of one scenario and seed.
fn run_info(trial: &Trial, threads: usize, wall_s: f64) -> String {
    let requests = trial.progress.requests;
    let info = json!({
        "wall_s": wall_s,
        "threads": threads,
        "requests": requests,
        "events": trial.progress.events,
        "requests_per_s": requests as f64 / wall_s,
        "replications": trial.progress.done,
    });
    format!("{info:#}\n")
}

fn write(folder: &Folder, summary: &Summary, run_info: &str) -> Result<(), Failure> {
    folder.write(RESULT_FILE, formats::result_json(summary).as_bytes())?;
    folder.write("series.csv", formats::series_csv(summary).as_bytes())?;
    folder.write("series.parquet", &formats::series_parquet(summary))?;
    folder.write("tiers.csv", formats::tiers_csv(summary).as_bytes())?;
    folder.write("tiers.parquet", &formats::tiers_parquet(summary))?;
    folder.write("pools.csv", formats::pools_csv(summary).as_bytes())?;
    if !summary.autoscalers.is_empty() {
        let autoscalers = formats::autoscalers_csv(summary);
        folder.write("autoscalers.csv", autoscalers.as_bytes())?;
    }
    if !summary.partitions.is_empty() {
        let partitions = formats::partitions_csv(summary);
        folder.write("partitions.csv", partitions.as_bytes())?;
    }
    folder.write("money.csv", formats::money_csv(summary).as_bytes())?;
    if !summary.money.chunks.is_empty() {
        folder.write("chunks.csv", formats::chunks_csv(summary).as_bytes())?;
    }
    if !summary.money.suppliers.is_empty() {
        folder.write("suppliers.csv", formats::suppliers_csv(summary).as_bytes())?;
    }
    folder.write("facts.csv", formats::facts_csv(summary).as_bytes())?;
    if summary.replications.is_some() {
        let intervals = formats::intervals_csv(summary);
        folder.write("intervals.csv", intervals.as_bytes())?;
        let replications = formats::replications_csv(summary);
        folder.write("replications.csv", replications.as_bytes())?;
    }
    folder.write("summary.md", formats::summary_markdown(summary).as_bytes())?;
    folder.write("run-info.json", run_info.as_bytes())?;
    for figure in formats::figures(summary) {
        folder.write(
            &format!("figures/{}.svg", figure.name),
            figure.svg().as_bytes(),
        )?;
        folder.write(&format!("figures/{}.png", figure.name), &figure.png())?;
    }
    Ok(())
}

/// The answer in the format asked for.
pub(super) fn rendered(summary: &Summary, format: Format) -> String {
    match format {
        Format::Table => formats::summary_table(summary, report::style()),
        Format::Json => formats::result_json(summary),
        Format::Csv => formats::summary_csv(summary),
        Format::Md => formats::summary_markdown(summary),
    }
}

fn written(trial: &Trial, out: &Path, wall_s: f64) -> String {
    let requests = trial.progress.requests as f64;
    let replications = match &trial.summary.replications {
        Some(replications) => format!("{} replications, ", replications.count()),
        None => String::new(),
    };
    format!(
        "{replications}{:.1} M requests in {wall_s:.1} s ({:.2} M/s); result, tables and figures in {}",
        requests / 1e6,
        requests / wall_s / 1e6,
        formats::printable_path(out)
    )
}

fn exit_code(summary: &Summary, signals: &Signals) -> u8 {
    // Of many replications none may miss it.
    let counts = summary.replications.iter().flat_map(|r| &r.promises);
    let missed_once: Vec<&str> = counts
        .filter(|promise| promise.missed > 0)
        .map(|promise| promise.name.as_str())
        .collect();
    let missed = summary
        .slos
        .iter()
        .filter(|slo| slo.enforced)
        .any(|slo| slo.kept == Some(false) || missed_once.contains(&slo.name.as_str()));
    let stopped = summary.partial || summary.replications.as_ref().is_some_and(|r| r.stopped);
    match signals.exit_code() {
        Some(code) if stopped => code,
        _ if missed => PROMISE_MISSED,
        _ => 0,
    }
}
