//! One point of a measurement: a program of one batch size, run again and again.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::Options;
use crate::gpu::model::Model;
use crate::gpu::pace::Pace;
use crate::gpu::power::Power;
use crate::gpu::program::Program;
use crate::gpu::sampling::Rule;
use crate::gpu::session::{Session, Weights};
use crate::gpu::timing::Started;
use crate::gpu::tuning::Tuning;
use crate::gpu::{Device, Error, Variant};
use crate::profile::measured::{IterationTime, IterationWork, WorkloadKind};

/// A device with a model on it.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) device: Device,
    pub(super) power: Result<Power, String>,
    pub(super) model: Model,
    pub(super) resolution_px: u32,
    pub(super) variant: Variant,
    weights: Weights,
    pace: Pace,
}

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// One pass of the model; `context` tokens of each sequence are in the cache already.
    Iteration { batch: u32, context: u32 },
    /// Latents to pixels, once per batch of images.
    Decoder { batch: u32 },
}

/// What came out.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) time: IterationTime,
    pub(super) warm_up: u32,
    pub(super) longest_dispatch_s: f64,
    /// Kernels that had to be cut, with the number of dispatches.
    pub(super) splits: BTreeMap<String, u32>,
    /// Mean power while samples were taken, where the card tells.
    pub(super) mean_w: Option<f64>,
}

/// Meters are read some ten times a second: shorter spans tell nothing.
const METER_SPAN_MIN_S: f64 = 0.5;

impl Point {
    /// How warnings call it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Iteration { .. } => "iteration",
            Self::Decoder { .. } => "decoder",
        }
    }

    pub(super) fn batch(self) -> u32 {
        match self {
            Self::Iteration { batch, .. } | Self::Decoder { batch } => batch,
        }
    }
}

impl Bench {
    pub(super) fn new(
        device: Device,
        power: Result<Power, String>,
        options: &Options,
        variant: Variant,
    ) -> Self {
        Self {
            device,
            power,
            model: options.model.clone(),
            resolution_px: options.resolution_px,
            variant,
            weights: Weights::default(),
            pace: Pace::default(),
        }
    }

    /// Goes on with another device: nothing of the old one is left.
    pub(super) fn replace(&mut self, device: Device) {
        self.device = device;
        self.weights = Weights::default();
    }

    /// Context tokens of each sequence at which iterations are timed, ascending: the time is affine in them.
    pub(super) fn contexts(&self) -> Vec<u32> {
        match self.model.kind() {
            WorkloadKind::Diffusion => vec![0],
            WorkloadKind::Autoregressive => {
                let tokens = self.model.iterations_per_image(self.resolution_px);
                vec![(tokens / 4).max(1), tokens.max(2)]
            }
        }
    }

    /// The program of a point.
    pub(super) fn program(&self, point: Point) -> Program {
        let batch = point.batch() as usize;
        let (model, px) = (&self.model, self.resolution_px);
        match point {
            Point::Decoder { .. } => model.decode(px, batch),
            Point::Iteration { context, .. } => match model.kind() {
                WorkloadKind::Diffusion => model.denoise(px, batch),
                WorkloadKind::Autoregressive => model.token_step(px, batch, context as usize),
            },
        }
    }

    /// Times a point; `tell` is asked before each run whether to go on.
    pub(super) fn measure(
        &mut self,
        point: Point,
        rule: Rule,
        tuning: &Tuning,
        tell: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Measured, Error> {
        let program = self.program(point);
        let (device, weights, pace) = (&self.device, &mut self.weights, &mut self.pace);
        let session = Session::tuned(device, &program, self.variant, tuning, weights, pace)?;
        self.pace.learn(device, session.stages())?;
        let schedule = self.pace.schedule(device, session.stages())?;
        let mut work = || match tell() {
            ControlFlow::Continue(()) => schedule.run(device),
            ControlFlow::Break(()) => Err(Error::Stopped),
        };
        let before = self.joules();
        let clock = Started::now();
        let samples = rule.sample(&mut work)?;
        let mean_w = watts(before, self.joules(), clock.seconds());
        session.checked_output(device)?;
        let what = IterationWork {
            batch: point.batch(),
            context_tokens: match point {
                Point::Iteration { batch, context } => u64::from(batch) * u64::from(context),
                Point::Decoder { .. } => 0,
            },
            flop: program.work().flop,
            bytes: program.work().bytes(self.variant.precision()),
        };
        let time = IterationTime::of(what, samples.seconds).ok_or_else(|| Error::Wrong {
            kernel: point.word().to_owned(),
            what: "times that are not positive".to_owned(),
        })?;
        Ok(Measured {
            time,
            warm_up: samples.warm_up,
            longest_dispatch_s: schedule.longest_dispatch_s,
            splits: schedule.splits,
            mean_w,
        })
    }

    fn joules(&self) -> Option<f64> {
        self.power.as_ref().ok().and_then(Power::joules)
    }
}

/// Mean power between two readings of the meter.
fn watts(before_j: Option<f64>, after_j: Option<f64>, span_s: f64) -> Option<f64> {
    let joules = after_j? - before_j?;
    (span_s >= METER_SPAN_MIN_S && joules > 0.0).then(|| joules / span_s)
}
