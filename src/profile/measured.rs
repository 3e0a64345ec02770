//! The device profile as a file: what one device took for each batch size, and how it was measured.
//!
//! Plain data, written by who measures and read by `reading`. A *batch* is a number of images made
//! together; with guidance each brings two sequences, and that is part of its time. All times are
//! seconds, all rates a second, all statistics medians: the constructors compute them from the samples, so
//! that whoever measures supplies nothing else. The unit is in the name of each field.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats;

/// What `format` says in every file.
pub const FORMAT: &str = "meltpoint-device-profile";
/// The version that is written and read.
pub const VERSION: u32 = 1;
/// Confidence that intervals aim at.
pub const CONFIDENCE: f64 = 0.95;
/// The largest spread (`stats::relative_spread`) that is not called noisy.
pub const SPREAD_MAX: f64 = 0.05;

/// One device, one model, one run of measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeasuredProfile {
    /// `meltpoint-device-profile`.
    pub format: String,
    /// Version of the format: 1.
    pub version: u32,
    /// Whether the run went to its end; what a run that ended early has is kept, but not used.
    pub valid: bool,
    /// Version of the program that measured.
    pub program: String,
    /// When, as RFC 3339.
    pub measured_at: String,
    /// What was measured.
    pub device: Device,
    /// What it did.
    pub workload: Workload,
    /// How time was taken.
    pub method: Method,
    /// What this device does at best, in the same run.
    pub ceilings: Ceilings,
    /// Time of one iteration, by batch and then by context, each combination once.
    pub iterations: Vec<IterationTime>,
    /// Time from latents to RGB of a whole batch, once per batch of images, by batch; empty where the
    /// model has no decoder.
    pub decoder: Vec<IterationTime>,
    /// What an image costs in energy.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub energy: Option<Energy>,
    /// Why there is no energy.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub energy_absent: Option<String>,
    /// What may be doubted.
    pub warnings: Vec<Warning>,
}

impl MeasuredProfile {
    /// The file: JSON with a newline at its end.
    ///
    /// # Errors
    /// None in practice: every field is a number, a text or a list.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Whether no GPU was measured but a processor that plays one.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.device.kind == DeviceKind::Software
            || self.warnings.contains(&Warning::SoftwareAdapter)
    }
}

/// The JSON Schema (draft 2020-12) of the file.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(MeasuredProfile).to_value();
    schema["title"] = serde_json::json!("A meltpoint device profile");
    schema
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// Name as the driver gives it: `NVIDIA H200`.
    pub name: String,
    /// Who made it, as the driver gives it.
    pub vendor: String,
    /// What it is.
    pub kind: DeviceKind,
    /// The graphics interface: vulkan, metal, dx12, gl.
    pub backend: String,
    /// Name of the driver.
    pub driver: String,
    /// Its version and build.
    pub driver_info: String,
    /// Version of the wgpu library.
    pub wgpu: String,
    /// Device memory in bytes, where the platform tells it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory_bytes: Option<u64>,
    /// Name in the catalog of accelerators, where it was recognised.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accelerator: Option<String>,
}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceKind {
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU that shares the memory of the processor.
    Integrated,
    /// A GPU behind a hypervisor.
    Virtual,
    /// A processor that plays a GPU.
    Software,
    /// Not known.
    Other,
}

/// What the device did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workload {
    /// Name of the model's shape: `dit-xl-2`.
    pub model: String,
    /// How it makes an image.
    pub kind: WorkloadKind,
    /// Width and height of an image in pixels.
    pub resolution_px: u32,
    /// Denoise steps or output tokens of one image, at least 1.
    pub iterations_per_image: u32,
    /// Sequences that each image brings into an iteration: 2 with guidance, else 1.
    pub sequences_per_image: u32,
    /// How most of the arithmetic is done.
    pub variant: Variant,
    /// Where the weights come from: `seeded random`.
    pub weights: String,
    /// Seed of the weights.
    pub weights_seed: u64,
    /// The shaders that ran for the smallest batch; larger ones may have other tiles.
    pub kernels: Vec<Kernel>,
    /// The tiles of its matrix products, of all batches; empty in files of versions that did not write them down.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tiles: Vec<ProductTiles>,
    /// Weights of the model.
    pub parameters: u64,
    /// Bytes of the weights in device memory.
    pub weight_bytes: u64,
}

/// How a model makes an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WorkloadKind {
    /// Denoise step by denoise step; no context.
    Diffusion,
    /// Token by token; the context grows by one an iteration.
    Autoregressive,
}

impl fmt::Display for WorkloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Diffusion => "diffusion",
            Self::Autoregressive => "autoregressive",
        })
    }
}

/// How numbers are stored and multiplied: chosen by what the adapter can do, and recorded.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// 32-bit throughout.
    F32,
    /// 16-bit storage, 32-bit sums.
    F16,
    /// 16-bit operands and 32-bit sums on cooperative matrices.
    CooperativeF16,
}

impl Variant {
    /// Its name in files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::CooperativeF16 => "cooperative-f16",
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A shader that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kernel {
    /// Its name, that of its file.
    pub name: String,
    /// How its arithmetic is done.
    pub variant: Variant,
    /// Hash of its text as it was compiled, in hexadecimal.
    pub shader_hash: String,
}

/// How the outputs of a matrix product were shared out among workgroups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductTiles {
    /// Name of the kernel.
    pub kernel: String,
    /// Rows of the output: of all images.
    pub rows: u64,
    /// Columns of the output.
    pub columns: u64,
    /// Terms of each sum, rounded up to a power of two.
    pub depth_class: u64,
    /// Whether every access is a vector of four.
    pub vectors: bool,
    /// The tiles: `lanes 128x64`.
    pub tiles: String,
    /// Who chose them.
    pub by: TilesBy,
}

/// Who chose the tiles of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TilesBy {
    /// A rule, by the shape alone.
    Rule,
    /// A search on the device, in the same run.
    Search,
    /// An earlier search on a device, with a driver and with shaders that are the same.
    Cache,
}

/// How time was taken.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Method {
    /// Whose clock.
    pub clock: Clock,
    /// Iterations before the first that counts.
    pub warm_up_iterations: u32,
    /// Samples aimed at for each point.
    pub samples: u32,
    /// The longest time that one dispatch took, in seconds.
    pub longest_dispatch_s: f64,
}

/// Whose clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// The device's, by timestamp queries.
    Timestamps,
    /// The host's, from submission to completion.
    Wall,
}

/// What this device does at best; absent in a run that ended early.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ceilings {
    /// Arithmetic.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gemm: Option<GemmCeiling>,
    /// Memory traffic.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub copy: Option<CopyCeiling>,
}

/// The best rate of a large matrix product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GemmCeiling {
    /// Floating-point operations a second.
    pub flop_per_s: Rate,
    /// Rows, columns, and terms of each sum.
    pub shape: [u32; 3],
    /// How its arithmetic is done.
    pub variant: Variant,
}

/// The best rate of a large copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CopyCeiling {
    /// Bytes read and written a second, both counted.
    pub bytes_per_s: Rate,
    /// Bytes read and written by one copy, both counted.
    pub bytes: u64,
}

/// A rate with its statistics; the unit is in the name of the field that holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    /// All samples in the order in which they were taken.
    pub samples: Vec<f64>,
    /// Their median.
    pub median: f64,
    /// Lower end of the interval of the median.
    pub low: f64,
    /// Upper end of the interval of the median.
    pub high: f64,
    /// Confidence of the interval: 0.95 or more; less where there are fewer than six samples.
    pub confidence: f64,
    /// Distance between the quartiles over the median.
    pub spread: f64,
    /// Whether the spread is above 5 %.
    pub noisy: bool,
}

impl Rate {
    /// The statistics of samples; `None` without any, or where one is not a positive number.
    #[must_use]
    pub fn of(samples: Vec<f64>) -> Option<Self> {
        let median = positive_median(&samples)?;
        Some(Self {
            samples,
            median: median.value,
            low: median.low,
            high: median.high,
            confidence: median.confidence,
            spread: median.spread,
            noisy: median.spread > SPREAD_MAX,
        })
    }
}

/// What one iteration, or the decoder, took for a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IterationTime {
    /// Images made together, at least 1.
    pub batch: u32,
    /// Context tokens of the whole batch; 0 for diffusion and for the decoder.
    pub context_tokens: u64,
    /// Floating-point operations of it.
    pub flop: f64,
    /// Bytes that it must read and write.
    pub bytes: f64,
    /// All samples in seconds, in the order in which they were taken.
    pub samples_s: Vec<f64>,
    /// Their median in seconds.
    pub median_s: f64,
    /// The interval of the median.
    pub interval: TimeInterval,
    /// Distance between the quartiles over the median.
    pub spread: f64,
    /// Whether the spread is above 5 %.
    pub noisy: bool,
}

/// The interval of a median, by order statistics.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimeInterval {
    /// Lower end in seconds.
    pub low_s: f64,
    /// Upper end in seconds.
    pub high_s: f64,
    /// Confidence: 0.95 or more; less where there are fewer than six samples.
    pub confidence: f64,
}

/// What an iteration does, before it is timed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IterationWork {
    /// Images made together.
    pub batch: u32,
    /// Context tokens of the whole batch.
    pub context_tokens: u64,
    /// Floating-point operations.
    pub flop: f64,
    /// Bytes read and written.
    pub bytes: f64,
}

impl IterationTime {
    /// The statistics of samples in seconds; `None` without any, or where one is not a positive number.
    #[must_use]
    pub fn of(work: IterationWork, samples_s: Vec<f64>) -> Option<Self> {
        let median = positive_median(&samples_s)?;
        Some(Self {
            batch: work.batch,
            context_tokens: work.context_tokens,
            flop: work.flop,
            bytes: work.bytes,
            samples_s,
            median_s: median.value,
            interval: TimeInterval {
                low_s: median.low,
                high_s: median.high,
                confidence: median.confidence,
            },
            spread: median.spread,
            noisy: median.spread > SPREAD_MAX,
        })
    }
}

fn positive_median(samples: &[f64]) -> Option<stats::Median> {
    let positive = samples.iter().all(|sample| *sample > 0.0);
    stats::median(samples, CONFIDENCE).filter(|_| positive)
}

/// What an image costs in energy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Energy {
    /// Batch at which it was measured.
    pub batch: u32,
    /// Joules for one image, decoder included.
    pub joule_per_image: f64,
    /// Mean power of the device meanwhile, in watts.
    pub mean_w: f64,
    /// Who told: `nvml`.
    pub source: String,
}

/// What may be doubted about a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Warning {
    /// Samples spread over more than 5 %.
    Noisy {
        /// What was measured: `iteration`, `decoder`, `gemm`, `copy`.
        what: String,
        /// Batch; absent for ceilings.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        batch: Option<u32>,
        /// Distance between the quartiles over the median.
        spread: f64,
    },
    /// The same work took longer at the end than at the start.
    Throttled {
        /// At the start, in seconds.
        first_s: f64,
        /// At the end, in seconds.
        last_s: f64,
    },
    /// Others used the device meanwhile.
    ForeignLoad {
        /// What was seen.
        seen: String,
    },
    /// A processor played the GPU.
    SoftwareAdapter,
    /// The device has no timestamps: submission is part of every time.
    WallClock,
    /// A dispatch was split so that none takes too long.
    SplitDispatch {
        /// Kernel that was split.
        kernel: String,
        /// Into how many.
        parts: u32,
    },
    /// This batch and larger ones did not fit into memory.
    OutOfMemory {
        /// The batch.
        batch: u32,
    },
    /// This batch and larger ones were left out because the time was up.
    TimeLimit {
        /// The batch.
        batch: u32,
    },
    /// The device was lost at this batch.
    DeviceLost {
        /// The batch.
        batch: u32,
    },
    /// The run was stopped before its end.
    EndedEarly {
        /// Why.
        why: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noisy {
                what,
                batch,
                spread,
            } => {
                let at = batch.map_or_else(String::new, |batch| format!(" at batch {batch}"));
                write!(f, "{what}{at} spreads by {:.1} %", spread * 100.0)
            }
            Self::Throttled { first_s, last_s } => write!(
                f,
                "the same work took {:+.1} % at the end",
                (last_s / first_s - 1.0) * 100.0
            ),
            Self::ForeignLoad { seen } => write!(f, "others used the device: {seen}"),
            Self::SoftwareAdapter => f.write_str("a processor played the GPU (software adapter)"),
            Self::WallClock => f.write_str("no device timestamps: times include submission"),
            Self::SplitDispatch { kernel, parts } => {
                write!(f, "dispatches of {kernel} were split into {parts}")
            }
            Self::OutOfMemory { batch } => write!(f, "batch {batch} does not fit into memory"),
            Self::TimeLimit { batch } => {
                write!(
                    f,
                    "batch {batch} was left out: it would have taken too long"
                )
            }
            Self::DeviceLost { batch } => write!(f, "the device was lost at batch {batch}"),
            Self::EndedEarly { why } => write!(f, "the run ended early: {why}"),
        }
    }
}
