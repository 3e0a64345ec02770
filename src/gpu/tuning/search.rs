//! How long a product takes in each of its candidate tiles, in short dispatches.
//!
//! A product that takes long is tried on its first workgroups only: as many as keep a dispatch short, which on a fast
//! device are more than enough to fill it, and on a slow one a few. Its time is that of all workgroups at that rate.

use crate::gpu::device::{Device, Part, Stage};
use crate::gpu::kernels::Kernel;
use crate::gpu::kernels::tiles::Tiles;
use crate::gpu::operands::Operands;
use crate::gpu::{Error, Variant};
use crate::stats;

/// No sample is to take longer, in seconds.
const SAMPLE_S_MAX: f64 = 0.01;

/// Shorter samples are made of several runs, so that the clock's ticks and the start of a pass matter little.
const SAMPLE_S_MIN: f64 = 0.001;

/// Runs of a sample at most.
const RUNS_MAX: usize = 64;

/// By how much a dispatch may be larger than the one from which its time is predicted.
const GROWTH_MAX: u32 = 8;

/// Candidates that take this many times as long as the best at first are not sampled.
const HOPELESS: f64 = 2.0;

/// Samples of each candidate, all candidates in turn, so that others on the device are in the way of all.
const ROUNDS: usize = 5;

/// What does not gain this much over the usual tiles is taken for noise.
const GAIN_MIN: f64 = 0.02;

/// How long a product takes in some tiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Which tiles.
    pub tiles: Tiles,
    /// Seconds of the whole product.
    pub seconds: f64,
}

/// A candidate under trial.
struct Trial {
    tiles: Tiles,
    workgroups: u32,
    part: Part,
    /// Workgroups of the part.
    count: u32,
    /// Seconds of the part, as last seen.
    part_s: f64,
    samples_s: Vec<f64>,
}

/// Times a product in all tiles that the device takes and that are not hopeless, and in the usual ones. `tell` is asked
/// before each dispatch whether to go on.
///
/// # Errors
/// [`Error::OutOfMemory`] where the product does not fit, as the device fails, and whatever `tell` fails with.
pub fn timings(
    device: &Device,
    kernel: &dyn Kernel,
    variant: Variant,
    usual: Option<Tiles>,
    tell: &mut dyn FnMut() -> Result<(), Error>,
) -> Result<Vec<Timing>, Error> {
    let operands = Operands::random(device, kernel, variant)?;
    let mut trials = Vec::new();
    for tiles in Tiles::candidates(variant) {
        tell()?;
        match operands.stage(device, kernel, variant, Some(tiles)) {
            Ok(stage) => trials.push(Trial::start(device, tiles, &stage)?),
            // More registers or workgroup memory than this device has.
            Err(Error::Shader { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let best_s = trials.iter().map(Trial::whole_s).fold(f64::MAX, f64::min);
    trials.retain(|trial| trial.whole_s() <= HOPELESS * best_s || Some(trial.tiles) == usual);
    for _ in 0..ROUNDS {
        for trial in &mut trials {
            tell()?;
            trial.sample(device)?;
        }
    }
    Ok(trials.iter().filter_map(Trial::timing).collect())
}

impl Trial {
    /// Feels its way to the largest dispatch that is short.
    fn start(device: &Device, tiles: Tiles, stage: &Stage) -> Result<Self, Error> {
        let mut part = device.part(stage, 0..1)?;
        // Some drivers compile at the first dispatch; that is not the kernel's time.
        device.run(&[&part])?;
        let mut part_s = device.run(&[&part])?;
        let mut count = 1;
        while count < stage.workgroups && part_s * f64::from(GROWTH_MAX) <= SAMPLE_S_MAX {
            count = count.saturating_mul(GROWTH_MAX).min(stage.workgroups);
            part = device.part(stage, 0..count)?;
            part_s = device.run(&[&part])?;
        }
        // Whoever is slow here is out, so a moment when others had the device must not decide.
        part_s = part_s.min(device.run(&[&part])?);
        Ok(Self {
            tiles,
            workgroups: stage.workgroups,
            part,
            count,
            part_s,
            samples_s: Vec::new(),
        })
    }

    /// Seconds of the whole product as far as is known.
    fn whole_s(&self) -> f64 {
        self.part_s * f64::from(self.workgroups) / f64::from(self.count)
    }

    fn sample(&mut self, device: &Device) -> Result<(), Error> {
        let runs = runs(self.part_s);
        self.part_s = device.run(&vec![&self.part; runs])? / runs as f64;
        self.samples_s.push(self.whole_s());
        Ok(())
    }

    fn timing(&self) -> Option<Timing> {
        let median = stats::median(&self.samples_s, 0.95)?;
        Some(Timing {
            tiles: self.tiles,
            seconds: median.value,
        })
    }
}

/// How often something so short runs for a sample.
fn runs(seconds: f64) -> usize {
    let wanted = (SAMPLE_S_MIN / seconds.max(f64::MIN_POSITIVE)).ceil();
    // `as` saturates where the clock saw no time pass.
    (wanted as usize).clamp(1, RUNS_MAX)
}

/// The tiles to take: the fastest, unless the usual ones are as fast within what may be noise. `None` without timings.
#[must_use]
pub fn fastest(timings: &[Timing], usual: Option<Tiles>) -> Option<Timing> {
    let mut best: Option<Timing> = None;
    for timing in timings {
        let is_better = best.is_none_or(|best| timing.seconds < best.seconds);
        if is_better && timing.seconds > 0.0 {
            best = Some(*timing);
        }
    }
    let best = best?;
    let known = timings.iter().find(|timing| Some(timing.tiles) == usual);
    let is_as_fast = |usual: &&Timing| usual.seconds * (1.0 - GAIN_MIN) <= best.seconds;
    Some(known.filter(is_as_fast).copied().unwrap_or(best))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faked(seconds: &[f64]) -> Vec<Timing> {
        let candidates = Tiles::candidates(Variant::F32);
        let pairs = candidates.into_iter().zip(seconds);
        pairs
            .map(|(tiles, &seconds)| Timing { tiles, seconds })
            .collect()
    }

    #[test]
    fn the_fastest_tiles_are_taken() {
        let timings = faked(&[3.0, 1.0, 2.0, 5.0]);
        let usual = Some(timings[0].tiles);
        assert_eq!(fastest(&timings, usual), Some(timings[1]));
        assert_eq!(fastest(&timings, None), Some(timings[1]));
        assert_eq!(fastest(&[], usual), None);
    }

    #[test]
    fn usual_tiles_stay_where_others_gain_no_more_than_noise() {
        let timings = faked(&[1.0, 0.99, 0.985]);
        assert_eq!(fastest(&timings, Some(timings[0].tiles)), Some(timings[0]));
        assert_eq!(fastest(&timings, Some(timings[1].tiles)), Some(timings[1]));
        let timings = faked(&[1.0, 0.97]);
        assert_eq!(fastest(&timings, Some(timings[0].tiles)), Some(timings[1]));
    }

    #[test]
    fn a_time_that_no_clock_saw_wins_nothing() {
        let timings = faked(&[0.0, 2.0, f64::NAN, 1.0]);
        assert_eq!(fastest(&timings, None), Some(timings[3]));
    }

    #[test]
    fn short_work_is_repeated_within_a_sample() {
        assert_eq!([0.0, 1e-5, 2e-4, 1.0].map(runs), [64, 64, 5, 1]);
    }
}
