//! From what the user names to a checked scenario.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::args::{MeasuredBy, Question, Repeats};
use super::error::Failure;
use crate::profile::{MeasuredProfile, read_measured};
use crate::report::printable_path;
use crate::scenario::{self, Measured, Scenario, Settings, Source};

/// Largest scenario file.
const SCENARIO_BYTES_MAX: u64 = 16 << 20;
/// Largest file that a scenario may name (a compressed trace).
const TRACE_BYTES_MAX: u64 = 4 << 30;
/// Largest device profile.
const PROFILE_BYTES_MAX: u64 = 64 << 20;

/// Reads and checks a scenario.
///
/// # Errors
/// `Scenario` with everything that is wrong, `Usage` for a name that is neither a file nor built in,
/// `File` for what cannot be read, `Device` for a device profile that must not be used.
pub(super) fn scenario(question: &Question) -> Result<Scenario, Failure> {
    repeated(question, &Repeats::default())
}

/// Reads and checks a scenario that is run as often as `repeats` says, or else as it says itself.
///
/// # Errors
/// As `scenario`.
pub(super) fn repeated(question: &Question, repeats: &Repeats) -> Result<Scenario, Failure> {
    let settings = Settings {
        sets: question.sets.clone(),
        seed: question.seed,
        scale: question.scale,
        replications: repeats.replications.clone(),
        target_ci: repeats.target_ci.clone(),
        target_metric: repeats.target_metric.clone(),
        measured: measured(&question.measured)?,
    };
    let (name, text);
    let path = Path::new(&question.scenario);
    let source = match scenario::embedded(&question.scenario) {
        Some(source) if !path.exists() => source,
        _ => {
            text = scenario_text(path)?;
            // It goes into every message about the file.
            name = printable_path(path);
            Source {
                name: &name,
                text: &text,
            }
        }
    };
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let files = |name: &str| match scenario::embedded_trace(name) {
        Some(bytes) => Ok(bytes.to_vec()),
        None => read_file(&folder.join(name), TRACE_BYTES_MAX).map_err(|f| f.to_string()),
    };
    Ok(scenario::read(source, &settings, &files)?)
}

/// Reads and checks a device profile.
///
/// # Errors
/// `Usage` for what is none, `File` for what cannot be read.
pub(super) fn profile(path: &Path) -> Result<MeasuredProfile, Failure> {
    let name = printable_path(path);
    let bytes = read_file(path, PROFILE_BYTES_MAX)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        let hint = "name a file that `meltpoint measure` wrote";
        Failure::usage(format!("`{name}` is not UTF-8 text"), hint)
    })?;
    read_measured(&text).map_err(|problem| {
        let hint = "name a device profile; `meltpoint schema profile` describes it";
        Failure::usage(format!("`{name}` is no device profile: {problem}"), hint)
    })
}

/// The device profile that was named, unless it is not to be trusted and nobody insists.
fn measured(by: &MeasuredBy) -> Result<Option<Measured>, Failure> {
    let Some(path) = &by.profile else {
        return Ok(None);
    };
    let name = printable_path(path);
    let profile = profile(path)?;
    let doubt = match (profile.is_software(), profile.valid) {
        _ if by.force_profile => None,
        (true, _) => Some("of a software adapter, which says nothing of a GPU"),
        (_, false) => Some("of a run that ended early"),
        _ => None,
    };
    match doubt {
        None => Ok(Some(Measured { name, profile })),
        Some(doubt) => Err(Failure::device(
            format!(
                "the device profile `{name}` ({}) is {doubt}",
                profile.device.name
            ),
            "measure a GPU to the end, or say --force-profile; the result will be marked",
        )),
    }
}

/// A built-in scenario by its name.
pub(super) fn built_in(name: &str) -> Result<Source<'static>, Failure> {
    scenario::embedded(name).ok_or_else(|| unknown(Path::new(name)))
}

/// The text of a scenario file.
fn scenario_text(path: &Path) -> Result<String, Failure> {
    if !path.exists() {
        return Err(unknown(path));
    }
    let bytes = read_file(path, SCENARIO_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|problem| {
        let bytes = problem.as_bytes();
        let valid = problem.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&bytes[..valid]).into_owned();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        let hint = if utf16 {
            "it looks like UTF-16: save it as UTF-8"
        } else {
            "save it as UTF-8"
        };
        let place = format!("{}:{line}:{column}", printable_path(path));
        Failure::usage(format!("{place}: found a byte that is not UTF-8"), hint)
    })
}

fn unknown(path: &Path) -> Failure {
    let name: String = printable_path(path).chars().take(100).collect();
    let built_in: Vec<&str> = scenario::EMBEDDED.iter().map(|source| source.0).collect();
    let near = scenario::nearest(&name, built_in.iter().copied())
        .map(|candidate| format!("did you mean `{candidate}`? "))
        .unwrap_or_default();
    let hint = format!("{near}built-in scenarios: {}", built_in.join(", "));
    Failure::usage(
        format!("there is no file and no built-in scenario `{name}`"),
        hint,
    )
}

/// Reads a regular file up to a size; pipes, devices and folders are refused, not waited for.
pub(super) fn read_file(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    let metadata = regular_file(path)?;
    if metadata.len() > bytes_max {
        let message = format!(
            "`{}` has {} bytes; at most {bytes_max} are allowed",
            printable_path(path),
            metadata.len()
        );
        return Err(Failure::usage(message, "is it the right file?"));
    }
    read_start(path, bytes_max + 1)
}

/// The first bytes of a regular file.
pub(super) fn read_start(path: &Path, bytes: u64) -> Result<Vec<u8>, Failure> {
    let cannot = |cause| Failure::file("read", path, cause);
    regular_file(path)?;
    let mut start = Vec::new();
    let file = fs::File::open(path).map_err(cannot)?;
    file.take(bytes).read_to_end(&mut start).map_err(cannot)?;
    Ok(start)
}

/// What the system knows of a file, unless reading it could wait or never end.
fn regular_file(path: &Path) -> Result<fs::Metadata, Failure> {
    let cannot = |cause| Failure::file("read", path, cause);
    let metadata = fs::metadata(path).map_err(cannot)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() {
            "a folder"
        } else {
            "not a regular file"
        };
        let message = format!("`{}` is {what}", printable_path(path));
        return Err(Failure::usage(message, "name a regular file"));
    }
    Ok(metadata)
}
