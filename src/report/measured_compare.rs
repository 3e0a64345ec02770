//! Two device profiles side by side: is one device, driver or version faster than the other?
//!
//! Each batch that both have is judged by the ranks of its samples (`stats::ratio`): a ratio of times with an
//! interval that rests on no law, and "no difference" where it holds 1. Only equal work can be compared,
//! so other models, resolutions or numbers of sequences are refused; other variants and shaders are what one
//! compares, and are named.

mod shown;

pub use shown::{
    measured_comparison_csv, measured_comparison_json, measured_comparison_markdown,
    measured_comparison_table,
};

use serde::Serialize;

use crate::profile::MeasuredProfile;
use crate::profile::measured::{CONFIDENCE, IterationTime, Kernel, Workload};
use crate::report::{escape, number};
use crate::stats;

/// By how much the work of one batch may differ as a share, where both count it alike.
const SAME_WORK: f64 = 1e-6;

/// B against A.
#[derive(Clone, Debug, Serialize)]
pub struct MeasuredComparison {
    /// The first profile.
    pub a: MeasuredSide,
    /// The second.
    pub b: MeasuredSide,
    /// How ratios and their intervals were found.
    pub method: &'static str,
    /// Confidence that intervals aim at, each by itself.
    pub confidence: f64,
    /// What came out, in one line.
    pub conclusion: String,
    /// What makes one of them say nothing of a GPU, or less than it seems.
    pub alarms: Vec<String>,
    /// What is not the same: device, driver, variant, shaders.
    pub differs: Vec<MeasuredDifference>,
    /// What both measured.
    pub rows: Vec<MeasuredRow>,
}

/// One side in short.
#[derive(Clone, Debug, Serialize)]
pub struct MeasuredSide {
    /// Name of the device.
    pub device: String,
    /// Whether a processor played it.
    pub software: bool,
    /// Whether the run came to its end.
    pub valid: bool,
    /// When it was measured.
    pub measured_at: String,
}

/// A property that is not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MeasuredDifference {
    /// Which.
    pub what: String,
    /// In A.
    pub a: String,
    /// In B.
    pub b: String,
}

/// Something that both measured.
#[derive(Clone, Debug, Serialize)]
pub struct MeasuredRow {
    /// What: `iteration`, `decoder`, `gemm`, `copy`.
    pub what: &'static str,
    /// Images made together; absent for ceilings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<u32>,
    /// Context tokens of the batch; absent for ceilings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// `s` for times, `FLOP/s` and `B/s` for ceilings.
    pub unit: &'static str,
    /// Median in A.
    pub a: f64,
    /// Median in B.
    pub b: f64,
    /// By what factor B's samples are larger than A's.
    pub ratio: f64,
    /// Lower end of its interval; absent with too few samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end of its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// What follows.
    pub finding: MeasuredFinding,
}

/// What is found out about one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MeasuredFinding {
    /// B is faster.
    Faster,
    /// B is slower.
    Slower,
    /// The interval holds 1.
    NoDifference,
    /// Too few samples for an interval.
    TooFewSamples,
}

/// Why two profiles are not compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A is {a}, B is {b}: their times are those of different work")]
pub struct Incomparable {
    a: String,
    b: String,
}

/// Sets B beside A.
///
/// # Errors
/// Where they did different work.
pub fn compare_measured(
    a: &MeasuredProfile,
    b: &MeasuredProfile,
) -> Result<MeasuredComparison, Incomparable> {
    let (works_a, works_b) = (work(&a.workload), work(&b.workload));
    if works_a != works_b {
        return Err(Incomparable {
            a: works_a,
            b: works_b,
        });
    }
    let mut rows = times("iteration", &a.iterations, &b.iterations);
    rows.extend(times("decoder", &a.decoder, &b.decoder));
    rows.extend(ceilings(a, b));
    Ok(MeasuredComparison {
        a: side(a),
        b: side(b),
        method: "the median of all ratios of a sample of B to one of A, its interval by ranks (Hodges and \
                 Lehmann), for each row by itself; samples of one run share its clock and its heat, so two runs \
                 of one device may differ by a few percent for no other reason",
        confidence: CONFIDENCE,
        conclusion: conclusion(&rows),
        alarms: alarms(a, b),
        differs: differs(a, b),
        rows,
    })
}

/// What an iteration is, in words: equal words, equal work.
fn work(workload: &Workload) -> String {
    format!(
        "{} ({}) at {} px with {} sequences an image",
        escape::name(&workload.model),
        workload.kind,
        workload.resolution_px,
        workload.sequences_per_image
    )
}

fn side(profile: &MeasuredProfile) -> MeasuredSide {
    MeasuredSide {
        device: profile.device.name.clone(),
        software: profile.is_software(),
        valid: profile.valid,
        measured_at: profile.measured_at.clone(),
    }
}

fn times(what: &'static str, a: &[IterationTime], b: &[IterationTime]) -> Vec<MeasuredRow> {
    let key = |time: &IterationTime| (time.batch, time.context_tokens);
    let pairs = a.iter().filter_map(|of_a| {
        let of_b = b.iter().find(|of_b| key(of_b) == key(of_a))?;
        let mut row = row(what, "s", &of_a.samples_s, &of_b.samples_s)?;
        row.batch = Some(of_a.batch);
        row.context_tokens = Some(of_a.context_tokens);
        Some(row)
    });
    pairs.collect()
}

fn ceilings(a: &MeasuredProfile, b: &MeasuredProfile) -> Vec<MeasuredRow> {
    let (a, b) = (&a.ceilings, &b.ceilings);
    let gemm = a.gemm.as_ref().zip(b.gemm.as_ref()).and_then(|(a, b)| {
        let (a, b) = (&a.flop_per_s.samples, &b.flop_per_s.samples);
        row("gemm", "FLOP/s", a, b)
    });
    let copy = a.copy.as_ref().zip(b.copy.as_ref()).and_then(|(a, b)| {
        let (a, b) = (&a.bytes_per_s.samples, &b.bytes_per_s.samples);
        row("copy", "B/s", a, b)
    });
    gemm.into_iter().chain(copy).collect()
}

fn row(what: &'static str, unit: &'static str, a: &[f64], b: &[f64]) -> Option<MeasuredRow> {
    let ratio = stats::ratio(a, b, CONFIDENCE)?;
    let is_time = unit == "s";
    let finding = match ratio.interval {
        None => MeasuredFinding::TooFewSamples,
        Some((low, high)) if low <= 1.0 && 1.0 <= high => MeasuredFinding::NoDifference,
        Some((low, _)) if (low > 1.0) == is_time => MeasuredFinding::Slower,
        Some(_) => MeasuredFinding::Faster,
    };
    Some(MeasuredRow {
        what,
        batch: None,
        context_tokens: None,
        unit,
        a: stats::median(a, CONFIDENCE)?.value,
        b: stats::median(b, CONFIDENCE)?.value,
        ratio: ratio.value,
        low: ratio.interval.map(|interval| interval.0),
        high: ratio.interval.map(|interval| interval.1),
        finding,
    })
}

/// What the iterations say together.
fn conclusion(rows: &[MeasuredRow]) -> String {
    let ratios: Vec<&MeasuredRow> = rows.iter().filter(|row| row.what == "iteration").collect();
    if ratios.is_empty() {
        return "no batch was measured by both".to_owned();
    }
    let count = ratios.len();
    let found = |finding| ratios.iter().filter(|row| row.finding == finding).count();
    let values = || ratios.iter().map(|row| row.ratio);
    let logs: f64 = values().map(libm::log).sum();
    let mean = libm::exp(logs / count as f64);
    let least = values().fold(f64::INFINITY, f64::min);
    let most = values().fold(0.0, f64::max);
    let factor = format!(
        "an iteration of B takes {} times that of A on the geometric mean ({} to {} by batch)",
        number::plain(mean),
        number::plain(least),
        number::plain(most)
    );
    let counts = [
        (found(MeasuredFinding::Faster), "faster"),
        (found(MeasuredFinding::Slower), "slower"),
        (found(MeasuredFinding::NoDifference), "no different"),
        (found(MeasuredFinding::TooFewSamples), "not to be judged"),
    ];
    let words: Vec<String> = counts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{word} in {number}"))
        .collect();
    format!("of {count} iterations B is {}; {factor}", words.join(", "))
}

fn alarms(a: &MeasuredProfile, b: &MeasuredProfile) -> Vec<String> {
    let which = |of_a: bool, of_b: bool| match (of_a, of_b) {
        (true, true) => Some("A and B are"),
        (true, false) => Some("A is"),
        (false, true) => Some("B is"),
        (false, false) => None,
    };
    let software = which(a.is_software(), b.is_software());
    let software = software.map(|who| {
        format!("SOFTWARE ADAPTER: {who} of a processor that played the GPU and say nothing of one")
    });
    let invalid = which(!a.valid, !b.valid)
        .map(|who| format!("INVALID: {who} of a run that did not come to its end"));
    software.into_iter().chain(invalid).collect()
}

fn differs(a: &MeasuredProfile, b: &MeasuredProfile) -> Vec<MeasuredDifference> {
    let texts = |profile: &MeasuredProfile| {
        let (device, workload) = (&profile.device, &profile.workload);
        let shaders: Vec<String> = workload.kernels.iter().map(kernel).collect();
        [
            ("device", device.name.clone()),
            ("kind", format!("{:?}", device.kind).to_lowercase()),
            ("backend", device.backend.clone()),
            ("driver", device.driver.clone()),
            ("driver version", device.driver_info.clone()),
            ("wgpu", device.wgpu.clone()),
            ("meltpoint", profile.program.clone()),
            ("variant", workload.variant.to_string()),
            (
                "iterations an image",
                workload.iterations_per_image.to_string(),
            ),
            (
                "clock",
                format!("{:?}", profile.method.clock).to_lowercase(),
            ),
            ("weights seed", workload.weights_seed.to_string()),
            ("shaders", shaders.join(" ")),
        ]
    };
    let pairs = texts(a).into_iter().zip(texts(b));
    let mut differs: Vec<MeasuredDifference> = pairs
        .filter(|((_, a), (_, b))| a != b)
        .map(|((what, of_a), (_, of_b))| {
            let (of_a, of_b) = match what {
                "shaders" => (
                    others(&a.workload.kernels, &b.workload.kernels),
                    others(&b.workload.kernels, &a.workload.kernels),
                ),
                _ => (of_a, of_b),
            };
            difference(what, &of_a, &of_b)
        })
        .collect();
    differs.extend(other_work(a, b));
    differs
}

fn difference(what: &str, a: &str, b: &str) -> MeasuredDifference {
    MeasuredDifference {
        what: what.to_owned(),
        a: escape::text(a),
        b: escape::text(b),
    }
}

/// A shader by what tells it from another.
fn kernel(kernel: &Kernel) -> String {
    let hash: String = kernel.shader_hash.chars().take(8).collect();
    format!("{}/{}/{hash}", kernel.name, kernel.variant)
}

/// The shaders of one that the other has not.
fn others(one: &[Kernel], other: &[Kernel]) -> String {
    let names: Vec<String> = one
        .iter()
        .filter(|k| !other.contains(k))
        .map(kernel)
        .collect();
    match names.is_empty() {
        true => "-".to_owned(),
        false => names.join(" "),
    }
}

/// The first batch whose work is counted differently, as by versions of the program.
fn other_work(a: &MeasuredProfile, b: &MeasuredProfile) -> Option<MeasuredDifference> {
    let same = |a: f64, b: f64| (a / b - 1.0).abs() <= SAME_WORK;
    let shown = |time: &IterationTime| {
        let (flop, bytes) = (
            number::rate(time.flop, "FLOP"),
            number::rate(time.bytes, "B"),
        );
        format!("{flop}, {bytes}")
    };
    a.iterations.iter().find_map(|of_a| {
        let mut of_b = b.iterations.iter();
        let of_b = of_b
            .find(|of_b| (of_b.batch, of_b.context_tokens) == (of_a.batch, of_a.context_tokens))?;
        let what = format!("work of batch {}", of_a.batch);
        let is_same = same(of_a.flop, of_b.flop) && same(of_a.bytes, of_b.bytes);
        (!is_same).then(|| difference(&what, &shown(of_a), &shown(of_b)))
    })
}

#[cfg(test)]
mod tests;
