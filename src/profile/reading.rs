//! From the text of a device profile to data that can be relied on, or to the first thing that is wrong.
//!
//! Unknown fields are let pass: a later version may say more. What is read has finite positive numbers,
//! points in order, and medians within their intervals and equal to those of their samples.

use serde_json::Value as Json;

use super::measured::{
    Energy, FORMAT, IterationTime, MeasuredProfile, Rate, VERSION, WorkloadKind,
};

/// Relative difference that rounding in decimal text may leave between a median and its samples.
const ROUNDING: f64 = 1e-9;
/// Longest text, in characters.
const TEXT_MAX: usize = 500;
/// Most iterations of an image, and the times of one, as in the scenario language.
const ITERATIONS_MAX: f64 = 1e7;
const SECONDS: std::ops::RangeInclusive<f64> = 1e-9..=1e6;
/// Largest number of anything else; what is computed from two such stays finite.
const NUMBER_MAX: f64 = 1e30;
/// Most images in a batch.
const BATCH_MAX: u32 = 65_536;

/// Why a text is no device profile that can be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotAProfile {
    /// No JSON, or a field is missing or of another type.
    #[error("line {line}, column {column}: {message}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the reader says.
        message: String,
    },
    /// Another kind of file.
    #[error("`format` is {found:?}, but must be {FORMAT:?}")]
    Format {
        /// What stands there.
        found: String,
    },
    /// Another version of the format.
    #[error("`version` is {found}, but this program reads version {VERSION}")]
    Version {
        /// What stands there.
        found: u64,
    },
    /// A number out of its range.
    #[error("`{path}` is {found}, but must be {allowed}")]
    Number {
        /// Where, as `iterations[2].median_s`.
        path: String,
        /// What stands there.
        found: f64,
        /// What may stand there.
        allowed: &'static str,
    },
    /// Nothing where something must be.
    #[error("`{path}` is empty or missing, but a valid profile has it")]
    Missing {
        /// Where.
        path: String,
    },
    /// Points that are not in order.
    #[error(
        "`{path}` does not come after the one before: points are sorted by batch, then by context, each once"
    )]
    Order {
        /// Where.
        path: String,
    },
    /// A statistic that is not that of its samples.
    #[error("`{path}` is {found}, but its samples give {expected}")]
    Statistic {
        /// Where.
        path: String,
        /// What stands there.
        found: f64,
        /// What the samples give.
        expected: f64,
    },
    /// A text with characters that no terminal should see.
    #[error("`{path}` must be printable text of at most {TEXT_MAX} characters")]
    Text {
        /// Where.
        path: String,
    },
}

/// Reads and checks the text of a device profile.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn read_measured(text: &str) -> Result<MeasuredProfile, NotAProfile> {
    let json: Json = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    // These two are looked at first: a file of another kind lacks the other fields.
    let format = json.get("format").and_then(Json::as_str);
    if format != Some(FORMAT) {
        let found: String = format.unwrap_or("").chars().take(100).collect();
        return Err(NotAProfile::Format { found });
    }
    let version = json.get("version").and_then(Json::as_u64);
    if let Some(found) = version.filter(|version| *version != u64::from(VERSION)) {
        return Err(NotAProfile::Version { found });
    }
    // Before the types are read, as errors may repeat a text.
    texts("", &json)?;
    // Read from the text again, so that errors have a place.
    let profile: MeasuredProfile = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    check(&profile)?;
    Ok(profile)
}

fn not_json(error: &serde_json::Error) -> NotAProfile {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    NotAProfile::Json {
        line: error.line(),
        column: error.column(),
        message: message[..end].to_owned(),
    }
}

fn check(profile: &MeasuredProfile) -> Result<(), NotAProfile> {
    let workload = &profile.workload;
    positive("workload.resolution_px", f64::from(workload.resolution_px))?;
    let iterations = f64::from(workload.iterations_per_image);
    number(
        "workload.iterations_per_image",
        iterations,
        (1.0..=ITERATIONS_MAX).contains(&iterations),
        "from 1 to 10,000,000",
    )?;
    positive(
        "workload.sequences_per_image",
        f64::from(workload.sequences_per_image),
    )?;
    not_negative(
        "method.longest_dispatch_s",
        profile.method.longest_dispatch_s,
    )?;
    if let Some(gemm) = &profile.ceilings.gemm {
        rate("ceilings.gemm.flop_per_s", &gemm.flop_per_s)?;
    }
    if let Some(copy) = &profile.ceilings.copy {
        rate("ceilings.copy.bytes_per_s", &copy.bytes_per_s)?;
    }
    times("iterations", &profile.iterations)?;
    times("decoder", &profile.decoder)?;
    contexts(profile)?;
    if let Some(energy) = &profile.energy {
        check_energy(energy)?;
    }
    let missing = [
        ("iterations", profile.iterations.is_empty()),
        ("ceilings.gemm", profile.ceilings.gemm.is_none()),
        ("ceilings.copy", profile.ceilings.copy.is_none()),
    ];
    match missing.iter().find(|(_, is_missing)| *is_missing) {
        Some((path, _)) if profile.valid => Err(NotAProfile::Missing {
            path: (*path).to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Texts go into messages and reports.
fn texts(path: &str, value: &Json) -> Result<(), NotAProfile> {
    match value {
        Json::String(text) => {
            let is_long = text.chars().count() > TEXT_MAX;
            match is_long || text.chars().any(char::is_control) {
                true => Err(NotAProfile::Text {
                    path: path.to_owned(),
                }),
                false => Ok(()),
            }
        }
        Json::Array(values) => values
            .iter()
            .enumerate()
            .try_for_each(|(index, value)| texts(&format!("{path}[{index}]"), value)),
        Json::Object(fields) => fields.iter().try_for_each(|(key, value)| {
            let dot = if path.is_empty() { "" } else { "." };
            let key: String = key.escape_debug().take(TEXT_MAX).collect();
            texts(&format!("{path}{dot}{key}"), value)
        }),
        _ => Ok(()),
    }
}

/// A model without context has none to measure.
fn contexts(profile: &MeasuredProfile) -> Result<(), NotAProfile> {
    let diffusion = profile.workload.kind == WorkloadKind::Diffusion;
    let iterations = profile
        .iterations
        .iter()
        .map(|time| (diffusion, "iterations", time));
    let decoder = profile.decoder.iter().map(|time| (true, "decoder", time));
    let with_context = iterations
        .chain(decoder)
        .find(|(without, _, time)| *without && time.context_tokens > 0);
    match with_context {
        Some((_, list, time)) => Err(NotAProfile::Number {
            path: format!("{list}, batch {}, context_tokens", time.batch),
            found: time.context_tokens as f64,
            allowed: "0: neither diffusion nor a decoder has a context",
        }),
        None => Ok(()),
    }
}

fn times(list: &str, times: &[IterationTime]) -> Result<(), NotAProfile> {
    let mut before = None;
    for (index, time) in times.iter().enumerate() {
        let at = |field: &str| format!("{list}[{index}].{field}");
        if !(1..=BATCH_MAX).contains(&time.batch) {
            return Err(NotAProfile::Number {
                path: at("batch"),
                found: f64::from(time.batch),
                allowed: "from 1 to 65,536",
            });
        }
        positive(&at("flop"), time.flop)?;
        positive(&at("bytes"), time.bytes)?;
        let interval = time.interval;
        for (index, sample) in time.samples_s.iter().enumerate() {
            let path = format!("{}[{index}]", at("samples_s"));
            number(
                &path,
                *sample,
                SECONDS.contains(sample),
                "from 1 ns to 1e6 s",
            )?;
        }
        within(&at("interval.confidence"), interval.confidence)?;
        not_negative(&at("spread"), time.spread)?;
        let expected = Rate::of(time.samples_s.clone()).ok_or(NotAProfile::Missing {
            path: at("samples_s"),
        })?;
        same(at("median_s"), time.median_s, expected.median)?;
        same(at("interval.low_s"), interval.low_s, expected.low)?;
        same(at("interval.high_s"), interval.high_s, expected.high)?;
        let key = (time.batch, time.context_tokens);
        if before.is_some_and(|before| before >= key) {
            return Err(NotAProfile::Order {
                path: format!("{list}[{index}]"),
            });
        }
        before = Some(key);
    }
    Ok(())
}

fn rate(path: &str, rate: &Rate) -> Result<(), NotAProfile> {
    let at = |field: &str| format!("{path}.{field}");
    samples(&at("samples"), &rate.samples)?;
    within(&at("confidence"), rate.confidence)?;
    not_negative(&at("spread"), rate.spread)?;
    let expected = Rate::of(rate.samples.clone()).ok_or(NotAProfile::Missing {
        path: at("samples"),
    })?;
    same(at("median"), rate.median, expected.median)?;
    same(at("low"), rate.low, expected.low)?;
    same(at("high"), rate.high, expected.high)
}

fn check_energy(energy: &Energy) -> Result<(), NotAProfile> {
    positive("energy.batch", f64::from(energy.batch))?;
    positive("energy.joule_per_image", energy.joule_per_image)?;
    positive("energy.mean_w", energy.mean_w)
}

fn samples(path: &str, samples: &[f64]) -> Result<(), NotAProfile> {
    for (index, sample) in samples.iter().enumerate() {
        positive(&format!("{path}[{index}]"), *sample)?;
    }
    Ok(())
}

fn number(
    path: &str,
    found: f64,
    is_allowed: bool,
    allowed: &'static str,
) -> Result<(), NotAProfile> {
    match is_allowed {
        true => Ok(()),
        false => Err(NotAProfile::Number {
            path: path.to_owned(),
            found,
            allowed,
        }),
    }
}

fn positive(path: &str, found: f64) -> Result<(), NotAProfile> {
    let is_allowed = (1.0 / NUMBER_MAX..=NUMBER_MAX).contains(&found);
    number(path, found, is_allowed, "a number above 0 and up to 1e30")
}

fn not_negative(path: &str, found: f64) -> Result<(), NotAProfile> {
    let is_allowed = found >= 0.0 && found.is_finite();
    number(path, found, is_allowed, "0 or more")
}

fn within(path: &str, found: f64) -> Result<(), NotAProfile> {
    number(path, found, (0.0..=1.0).contains(&found), "from 0 to 1")
}

fn same(path: String, found: f64, expected: f64) -> Result<(), NotAProfile> {
    match (found / expected - 1.0).abs() <= ROUNDING {
        true => Ok(()),
        false => Err(NotAProfile::Statistic {
            path,
            found,
            expected,
        }),
    }
}

#[cfg(test)]
mod tests;
