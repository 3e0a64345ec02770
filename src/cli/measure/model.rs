//! A model on an adapter: the profile, its figure, and the table.

use std::ops::ControlFlow;
use std::path::Path;

use jiff::Timestamp;

use super::failure::failure;
use super::tiles::Place;
use super::wanted;
use crate::cli::args::{Format, Measure};
use crate::cli::error::Failure;
use crate::cli::folder::write_file;
use crate::cli::progress::Bar;
use crate::cli::signals::Signals;
use crate::cli::{load, output, report};
use crate::gpu::adapter::{self, Kind};
use crate::gpu::measure::{self, Effort, Options};
use crate::gpu::model::{model, models};
use crate::gpu::{Adapter, Error, Model};
use crate::profile::MeasuredProfile;
use crate::profile::fit;
use crate::report as formats;

/// What is measured when nothing is said: half a petaflop an image is nothing for a GPU and hours for a
/// processor that plays one.
const MODEL: &str = "dit-xl-2";
const MODEL_OF_SOFTWARE: &str = "tiny";

pub(super) fn run(arguments: &Measure) -> Result<u8, Failure> {
    refuse_foreign(&arguments.out)?;
    let adapter = adapter::choose(&wanted(arguments)).map_err(|error| failure(&error))?;
    let options = options(arguments, &adapter)?;
    let place = Place::of(arguments);
    let mut tuner = place.open(arguments.autotune)?;
    let signals = Signals::listen();
    let mut bar = Bar::start();
    let mut watcher = |progress: &measure::Progress| {
        bar.at(progress.share, |_| progress.what.clone());
        match signals.exit_code() {
            None => ControlFlow::Continue(()),
            Some(_) => ControlFlow::Break(()),
        }
    };
    let outcome = measure::measure_tuned(&options, &mut tuner, &mut watcher);
    bar.finish();
    place.keep(&tuner);
    match outcome {
        Ok(profile) => {
            save(&arguments.out, &profile)?;
            output::result(&shown(&profile, arguments.format)?)?;
            place.tell(&profile, &tuner);
            output::note(&format!(
                "written: {}; use it with `meltpoint simulate --profile`",
                formats::printable_path(&arguments.out)
            ));
            Ok(0)
        }
        Err(failed) => {
            if let Some(partial) = &failed.partial {
                let beside = arguments.out.with_extension("partial.json");
                write_file(&beside, json(partial)?.as_bytes(), false)?;
                output::note(&format!(
                    "what was measured until then is in {}, marked as invalid",
                    formats::printable_path(&beside)
                ));
            }
            match (&failed.error, signals.exit_code()) {
                (Error::Stopped, Some(code)) => Ok(code),
                (error, _) => Err(failure(error)),
            }
        }
    }
}

fn options(arguments: &Measure, adapter: &Adapter) -> Result<Options, Failure> {
    let model = chosen(arguments, adapter)?;
    let own = model.resolutions_px[0];
    let resolution_px = arguments.resolution.unwrap_or(own);
    if !model.resolutions_px.contains(&resolution_px) {
        let known: Vec<String> = model.resolutions_px.iter().map(u32::to_string).collect();
        let message = format!(
            "`{}` makes no images of {resolution_px} pixels",
            model.name()
        );
        let hint = format!("--resolution may be {}", known.join(", "));
        return Err(Failure::usage(message, hint));
    }
    let mut batches = arguments.batches.clone();
    batches.sort_unstable();
    batches.dedup();
    Ok(Options {
        adapter: wanted(arguments),
        model: model.clone(),
        resolution_px,
        batches: (!batches.is_empty()).then_some(batches),
        variant: arguments.variant,
        effort: match (arguments.quick, arguments.full) {
            (true, _) => Effort::Quick,
            (false, true) => Effort::Full,
            (false, false) => Effort::Normal,
        },
        measured_at: now(),
        lose_at_batch: None,
    })
}

/// The model that is asked for, or the one that the adapter can do in a minute.
fn chosen(arguments: &Measure, adapter: &Adapter) -> Result<&'static Model, Failure> {
    let usual = match adapter.kind {
        Kind::Software => MODEL_OF_SOFTWARE,
        _ => MODEL,
    };
    let name = arguments.model.as_deref().unwrap_or(usual);
    model(name).ok_or_else(|| {
        let known: Vec<&str> = models().iter().map(Model::name).collect();
        let message = format!("there is no model `{}`", formats::printable_text(name));
        Failure::usage(message, format!("models are {}", known.join(", ")))
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a profile says when it was measured"
)]
fn now() -> String {
    let now = std::time::SystemTime::now();
    Timestamp::try_from(now)
        .map_or_else(|_| String::new(), |now| now.strftime("%FT%TZ").to_string())
}

/// Refuses a place that cannot be written or holds something else, before a minute is spent.
fn refuse_foreign(out: &Path) -> Result<(), Failure> {
    let name = formats::printable_path(out);
    let hint = "name another file with --out, as `gpu.json`";
    let is_figure = |extension: &str| out.extension() == Some(extension.as_ref());
    if out.file_name().is_none() || is_figure("svg") || is_figure("png") {
        let message = format!("`{name}` is no name for a profile");
        return Err(Failure::usage(message, hint));
    }
    if out.symlink_metadata().is_ok() {
        return load::profile(out).map(drop).map_err(|_| {
            Failure::usage(format!("`{name}` exists and is not a device profile"), hint)
        });
    }
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    let draft = tempfile::NamedTempFile::new_in(parent.unwrap_or(Path::new(".")));
    let cannot = |cause| Failure::file("write", out, cause);
    draft.map(drop).map_err(cannot)
}

/// Writes the profile and, beside it, its figure.
fn save(out: &Path, profile: &MeasuredProfile) -> Result<(), Failure> {
    write_file(out, json(profile)?.as_bytes(), false)?;
    let figure = formats::measured_figure(profile);
    write_file(&out.with_extension("svg"), figure.svg().as_bytes(), false)?;
    write_file(&out.with_extension("png"), &figure.png(), false)
}

fn json(profile: &MeasuredProfile) -> Result<String, Failure> {
    profile.to_json().map_err(|cause| Failure::Limit {
        message: format!("the profile cannot be written: {cause}"),
        hint: String::new(),
    })
}

fn shown(profile: &MeasuredProfile, format: Format) -> Result<String, Failure> {
    Ok(match format {
        Format::Table => {
            let table = formats::measured_table(profile, report::style());
            table + &prediction(profile)
        }
        Format::Csv => formats::measured_csv(profile),
        Format::Md => formats::measured_markdown(profile),
        Format::Json => json(profile)?,
    })
}

/// How well the batch sizes in between are predicted from the others.
fn prediction(profile: &MeasuredProfile) -> String {
    let held_out = fit::every_second_batch(profile);
    let Some(prediction) = fit::predict(profile, &held_out) else {
        return String::new();
    };
    format!(
        "\nPrediction of batch sizes that were held out: median error {:.1} %, worst {:.1} %\n",
        prediction.median_error * 100.0,
        prediction.worst_error * 100.0
    )
}
