//! A measurement from its first dispatch to the device profile.
//!
//! On one device in one run: copy, matrix product, then each batch from the smallest, then the smallest once
//! more, because a device that has become hot shows there. What was measured before something failed is
//! kept and marked invalid.

mod plan;
mod point;
mod record;

pub use plan::Effort;
pub(super) use record::WGPU;

use std::ops::ControlFlow;

use super::device::Checks;
use super::kernels::Gemm;
use super::power::{self, Power};
use super::timing::Started;
use super::tuning::{Identity, Tuner};
use super::{Adapter, Device, Error, Model, Variant, Wanted, adapter, ceiling};
use crate::profile::MeasuredProfile;
use crate::profile::measured::{Energy, GemmCeiling, Warning};

use plan::Plan;
use point::{Bench, Measured, Point};

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Options {
    /// On which adapter.
    pub adapter: Wanted,
    /// Which model.
    pub model: Model,
    /// Width and height of an image in pixels, one of the model's.
    pub resolution_px: u32,
    /// Batch sizes, ascending; `None`: 1, 2, 4, ... until memory or time end.
    pub batches: Option<Vec<u32>>,
    /// Storage and arithmetic; `None`: the fastest that the adapter can.
    pub variant: Option<Variant>,
    /// How long it may take.
    pub effort: Effort,
    /// Moment of the measurement as RFC 3339, for the file.
    pub measured_at: String,
    /// Give the device up when this batch is about to be measured, as if the driver had lost it: a test hook.
    pub lose_at_batch: Option<u32>,
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

/// Measures a model on an adapter.
///
/// # Errors
/// [`Failed`] with the cause; where something had been measured, with that.
pub fn measure(
    options: &Options,
    watcher: &mut Watcher<'_>,
) -> Result<MeasuredProfile, Box<Failed>> {
    measure_tuned(options, &mut Tuner::default(), watcher)
}

/// Measures a model on an adapter with the tiles that are known to be the best there, or are found to be.
///
/// # Errors
/// As [`measure`]; what has been found until then is kept by the tuner.
pub fn measure_tuned<'a>(
    options: &'a Options,
    tuner: &'a mut Tuner,
    watcher: &'a mut Watcher<'a>,
) -> Result<MeasuredProfile, Box<Failed>> {
    let without_any = |error| {
        let partial = None;
        Box::new(Failed { error, partial })
    };
    let mut run = Run::start(options, tuner, watcher).map_err(without_any)?;
    match run.everything() {
        Ok(()) => {
            run.profile.valid = true;
            Ok(run.profile)
        }
        Err(error) => {
            let why = error.to_string();
            run.profile.warnings.push(Warning::EndedEarly { why });
            let is_worth_keeping = !run.profile.iterations.is_empty();
            let partial = is_worth_keeping.then(|| Box::new(run.profile));
            if matches!(error, Error::Stuck { .. }) {
                // Dropping a device waits for it, and this one does not come back.
                std::mem::forget(run.bench);
            }
            Err(Box::new(Failed { error, partial }))
        }
    }
}

/// A measurement under way.
struct Run<'a> {
    options: &'a Options,
    tuner: &'a mut Tuner,
    watcher: &'a mut Watcher<'a>,
    started: Started,
    plan: Plan,
    bench: Bench,
    profile: MeasuredProfile,
    /// Whether the device has been lost once already.
    has_lost: bool,
}

impl<'a> Run<'a> {
    fn start(
        options: &'a Options,
        tuner: &'a mut Tuner,
        watcher: &'a mut Watcher<'a>,
    ) -> Result<Self, Error> {
        let adapter = adapter::choose(&options.adapter)?;
        let variant = variant(&adapter, options.variant)?;
        let power = Power::of(&adapter);
        let device = Device::open(adapter, Checks::Off)?;
        let bench = Bench::new(device, power, options, variant);
        let profile = record::begun(options, &bench);
        let plan = match tuner.wants_search() {
            true => Plan::of(options.effort),
            false => Plan::of(options.effort).without_search(),
        };
        let here = Identity::of(&bench.device.adapter, variant);
        tuner.begin(here, plan.tuning_s);
        Ok(Self {
            options,
            tuner,
            watcher,
            started: Started::now(),
            plan,
            bench,
            profile,
            has_lost: false,
        })
    }

    fn everything(&mut self) -> Result<(), Error> {
        if let Some(seen) = self.bench.power.as_ref().ok().and_then(Power::neighbours) {
            self.profile.warnings.push(Warning::ForeignLoad { seen });
        }
        self.ceilings()?;
        self.batches()?;
        self.once_more()?;
        self.tell("done", 1.0)
    }

    fn ceilings(&mut self) -> Result<(), Error> {
        self.tell("copy", 0.0)?;
        let copy = ceiling::copy(&self.bench.device, self.plan.ceiling)?;
        self.tell("matrix product", self.share())?;
        let gemm = self.gemm_ceiling()?;
        let spreads = [
            ("copy", copy.as_ref().map(|copy| &copy.bytes_per_s)),
            ("gemm", gemm.as_ref().map(|gemm| &gemm.flop_per_s)),
        ];
        for (what, rate) in spreads {
            if let Some(rate) = rate.filter(|rate| rate.noisy) {
                self.noisy(what, None, rate.spread);
            }
        }
        self.profile.ceilings.copy = copy;
        self.profile.ceilings.gemm = gemm;
        Ok(())
    }

    /// The product of the ceiling is searched for tiles too, so that the model has no advantage over it.
    fn gemm_ceiling(&mut self) -> Result<Option<GemmCeiling>, Error> {
        let (device, variant) = (&self.bench.device, self.bench.variant);
        let (tuner, watcher) = (&mut *self.tuner, &mut *self.watcher);
        let (plan, started) = (&self.plan, self.started);
        let mut better = |product: &Gemm| {
            let mut tell = || ask(watcher, TILES_OF_CEILING, plan.share(started.seconds()));
            tuner.search(device, product, variant, &mut tell)?;
            Ok(tuner.tuning().of(product))
        };
        ceiling::gemm(device, variant, self.plan.ceiling, &mut better)
    }

    /// Searches for the tiles of the products of a point that nobody knows yet.
    fn tune(&mut self, point: Point, what: &str) -> Result<(), Error> {
        let program = self.bench.program(point);
        let wanted = self.tuner.wanted(&program);
        let what = format!("tiles for {what}");
        let (plan, started) = (&self.plan, self.started);
        for kernel in wanted {
            let (device, variant) = (&self.bench.device, self.bench.variant);
            let mut tell = || ask(self.watcher, &what, plan.share(started.seconds()));
            self.tuner.search(device, kernel, variant, &mut tell)?;
        }
        Ok(())
    }

    /// Seconds since the start without those of the search, which are no part of the plan.
    fn passed_s(&self) -> f64 {
        self.started.seconds() - self.tuner.spent_s()
    }

    fn share(&self) -> f64 {
        self.plan.share(self.started.seconds())
    }

    fn batches(&mut self) -> Result<(), Error> {
        let batches = self.plan.batches(self.options.batches.as_deref());
        let stated = self.options.batches.is_some();
        let mut best_energy: Option<Energy> = None;
        for batch in batches {
            let known = &self.profile;
            let late = self
                .plan
                .is_late(self.passed_s(), batch, &known.iterations, &known.decoder);
            if late && !stated {
                self.profile.warnings.push(Warning::TimeLimit { batch });
                break;
            }
            match self.batch(batch) {
                Ok(energy) => {
                    let cheaper = |best: &Energy| {
                        energy
                            .as_ref()
                            .is_some_and(|e| e.joule_per_image < best.joule_per_image)
                    };
                    if best_energy.as_ref().is_none_or(cheaper) {
                        best_energy = energy;
                    }
                }
                Err(Error::OutOfMemory { .. }) if !self.profile.iterations.is_empty() => {
                    self.profile.warnings.push(Warning::OutOfMemory { batch });
                    break;
                }
                Err(Error::Lost { .. }) if !self.has_lost => {
                    self.lost_at(batch)?;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if self.profile.iterations.is_empty() {
            return Err(Error::Stopped);
        }
        self.profile.energy = best_energy;
        if self.profile.energy.is_none() {
            let no_meter = || "the card has no energy meter".to_owned();
            let why = self.bench.power.as_ref().err().cloned();
            self.profile.energy_absent = Some(why.unwrap_or_else(no_meter));
        }
        Ok(())
    }

    /// One batch size: the iteration at each context, then the decoder.
    fn batch(&mut self, batch: u32) -> Result<Option<Energy>, Error> {
        if self.options.lose_at_batch == Some(batch) && !self.has_lost {
            self.bench.device.destroy();
        }
        let (mut image_s, mut mean_w) = (0.0, None);
        for context in self.bench.contexts() {
            let point = Point::Iteration { batch, context };
            let measured = self.point(point, &format!("batch {batch}"))?;
            let iterations = f64::from(self.profile.workload.iterations_per_image);
            image_s = measured.time.median_s * iterations;
            mean_w = measured.mean_w;
            self.profile.iterations.push(measured.time);
        }
        let point = Point::Decoder { batch };
        let measured = self.point(point, &format!("decoder, batch {batch}"))?;
        image_s += measured.time.median_s;
        self.profile.decoder.push(measured.time);
        Ok(mean_w.map(|mean_w| Energy {
            batch,
            joule_per_image: mean_w * image_s / f64::from(batch),
            mean_w,
            source: power::SOURCE.to_owned(),
        }))
    }

    fn point(&mut self, point: Point, what: &str) -> Result<Measured, Error> {
        self.tune(point, what)?;
        self.tell(what, self.share())?;
        let (watcher, started, plan) = (&mut *self.watcher, self.started, &self.plan);
        let mut tell = || {
            let share = plan.share(started.seconds());
            let what = what.to_owned();
            watcher(&Progress { share, what })
        };
        let rule = self.plan.point;
        let measured = (self.bench).measure(point, rule, self.tuner.tuning(), &mut tell)?;
        record::ran(&mut self.profile, &self.bench, point, self.tuner);
        record::method(&mut self.profile, &measured);
        if measured.time.noisy {
            self.noisy(
                point.word(),
                Some(measured.time.batch),
                measured.time.spread,
            );
        }
        Ok(measured)
    }

    /// The device is gone: half the batch, once, on a new one; a second loss ends the measurement.
    fn lost_at(&mut self, batch: u32) -> Result<(), Error> {
        self.has_lost = true;
        self.tuner.give_up();
        self.profile.warnings.push(Warning::DeviceLost { batch });
        let device = Device::open(adapter::choose(&self.options.adapter)?, Checks::Off)?;
        self.bench.replace(device);
        let half = batch / 2;
        let known = self
            .profile
            .iterations
            .iter()
            .any(|time| time.batch >= half);
        if half >= 1 && !known {
            self.batch(half)?;
        }
        if self.profile.iterations.is_empty() {
            let reason = format!("at batch {batch}, the smallest that was asked for");
            return Err(Error::Lost { reason });
        }
        Ok(())
    }

    /// The first point again: what takes longer now has become hot, or has company.
    fn once_more(&mut self) -> Result<(), Error> {
        let Some(first) = self.profile.iterations.first().cloned() else {
            return Ok(());
        };
        let context = self.bench.contexts()[0];
        let point = Point::Iteration {
            batch: first.batch,
            context,
        };
        self.tell("the first batch again", self.share())?;
        let (rule, tuning) = (self.plan.again, self.tuner.tuning());
        let go_on = &mut || ControlFlow::Continue(());
        let again = self.bench.measure(point, rule, tuning, go_on)?;
        let slower = again.time.interval.low_s > first.interval.high_s * (1.0 + SLOWER_MAX);
        if slower {
            self.profile.warnings.push(Warning::Throttled {
                first_s: first.median_s,
                last_s: again.time.median_s,
            });
        }
        Ok(())
    }

    fn noisy(&mut self, what: &str, batch: Option<u32>, spread: f64) {
        self.profile.warnings.push(Warning::Noisy {
            what: what.to_owned(),
            batch,
            spread,
        });
    }

    fn tell(&mut self, what: &str, share: f64) -> Result<(), Error> {
        ask(self.watcher, what, share)
    }
}

/// How the search for the ceiling's tiles is called.
const TILES_OF_CEILING: &str = "tiles for the matrix product";

/// Asks a watcher whether to go on.
fn ask(watcher: &mut Watcher<'_>, what: &str, share: f64) -> Result<(), Error> {
    let what = what.to_owned();
    match watcher(&Progress { share, what }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Stopped),
    }
}

/// By how much the first batch may take longer at the end, beyond the intervals, without a warning.
const SLOWER_MAX: f64 = 0.05;

/// The fastest variant of an adapter, or the one that is asked for.
fn variant(adapter: &Adapter, wanted: Option<Variant>) -> Result<Variant, Error> {
    match wanted {
        None => Ok(adapter.capability.variants()[0]),
        Some(variant) if adapter.capability.runs(variant) => Ok(variant),
        Some(variant) => Err(Error::Unsupported {
            what: format!("{variant}; it can do {}", record::variants(adapter)),
        }),
    }
}
