//! A measurement from its first dispatch to the device profile: warm-up, samples, ceilings, energy, doubts.

use std::ops::ControlFlow;

use super::{Error, Variant, Wanted};
use crate::profile::MeasuredProfile;

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Options {
    /// On which adapter.
    pub adapter: Wanted,
    /// Name of a model.
    pub model: String,
    /// Width and height of an image in pixels; `None`: the model's own.
    pub resolution_px: Option<u32>,
    /// Batch sizes; `None`: 1, 2, 4, ... until memory or time end.
    pub batches: Option<Vec<u32>>,
    /// Storage and arithmetic; `None`: the fastest that the adapter can.
    pub variant: Option<Variant>,
    /// How long it may take.
    pub effort: Effort,
    /// Whether tile sizes are searched first, instead of taken from the table.
    pub autotune: bool,
    /// Moment of the measurement as RFC 3339, for the file.
    pub measured_at: String,
}

/// How long a measurement may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// About a quarter of a minute.
    Quick,
    /// Under a minute.
    Normal,
    /// As long as tight intervals and all batch sizes take.
    Full,
}

/// Where a measurement is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Share of the time that it will probably take, 0 to 1.
    pub share: f64,
    /// What is being measured: `batch 4`, `copy`.
    pub what: String,
}

/// Who watches a measurement, and may stop it.
pub type Watcher<'a> = dyn FnMut(&Progress) -> ControlFlow<()> + 'a;

/// A measurement without an end.
#[derive(Debug)]
pub struct Failed {
    /// Why.
    pub error: Error,
    /// What there was until then, marked as invalid.
    pub partial: Option<Box<MeasuredProfile>>,
}
