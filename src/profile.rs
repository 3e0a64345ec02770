//! What a device can do: the only thing that the GPU half and the simulator half share.
//!
//! The iteration time tau(n, c) is the time of one pass of the model over a batch of n requests with c
//! context tokens in all. It is tabulated in n and affine in c, so that many iterations can be summed
//! in closed form: from (n, c), k iterations take
//!
//! ```text
//! k a(n) + g (k c + n k (k - 1) / 2)
//! ```
//!
//! when each of the n requests gains a token an iteration (autoregressive), and `k a(n)` when none
//! does (diffusion). All of it is integer arithmetic in units of 2^-20 ns, rounded down to whole
//! nanoseconds at each iteration's end, so that a sum of iterations and a jump over them agree exactly.

pub(crate) mod carried;
pub mod catalog;
pub mod fit;
#[cfg(test)]
pub(crate) mod fixture;
pub mod measured;
pub mod mlperf;
mod reading;
pub mod roofline;

pub use measured::MeasuredProfile;
pub use reading::{NotAProfile, read_measured};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::SimDuration;

/// Fractional bits of a nanosecond in iteration times.
const FRACTION_BITS: u32 = 20;

/// A device with its service curve and where it comes from.
#[derive(Clone, Debug)]
pub struct DeviceProfile {
    /// Name.
    pub name: String,
    /// Accelerator it holds for.
    pub accelerator: String,
    /// GPUs that one replica (one copy of the model) takes.
    pub gpus_per_replica: u32,
    /// Accelerator memory of a replica that requests can use, in bytes; `None`: no limit.
    pub memory_bytes: Option<u64>,
    /// Iteration times.
    pub curve: ServiceCurve,
    /// What the curve rests on.
    pub provenance: Provenance,
    /// Where it comes from.
    pub source: String,
    /// How sure a measured curve is; `None`: nobody says.
    pub spread: Option<Spread>,
}

/// By how much a measured curve may be off as a whole: two independent log-normal factors with median 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// The device that was measured; all curves from it are off by one and the same factor.
    pub device: String,
    /// Standard deviation of the logarithm of that factor.
    pub log_sd: f64,
    /// The same of the scaling to this accelerator, which all its curves share; 0: it was measured itself.
    pub scaling_log_sd: f64,
}

/// Where a number comes from, best first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// Measured by us or by the user, with its spread.
    Measured,
    /// Read in a published source.
    Published,
    /// Chosen so that a published fact comes out.
    Fitted,
    /// A vendor's specification.
    Datasheet,
    /// Nobody's number but ours.
    Assumed,
}

/// Iteration time against batch size and context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCurve {
    /// a(n) for n = 1, 2, ... in 2^-20 ns; the last entry holds beyond.
    by_batch: Vec<u64>,
    /// g: per context token and iteration, in 2^-20 ns.
    per_context_token: u64,
    /// Per prompt token at joining, in 2^-20 ns.
    per_prompt_token: u64,
}

impl ServiceCurve {
    /// A curve through (batch size, seconds) points, straight between them and level outside, for
    /// batches up to `batch_limit`; further seconds per context token and per prompt token.
    ///
    /// Times are rounded to 2^-20 ns and are at least one unit of that. `points` must be sorted by
    /// batch size and not empty.
    #[must_use]
    pub fn tabulated(
        points: &[(u32, f64)],
        batch_limit: u32,
        per_context_token_s: f64,
        per_prompt_token_s: f64,
    ) -> Self {
        let by_batch = (1..=batch_limit.max(1)).map(|n| fixed(interpolate(points, n)).max(1));
        Self {
            by_batch: by_batch.collect(),
            per_context_token: fixed(per_context_token_s),
            per_prompt_token: fixed(per_prompt_token_s),
        }
    }

    /// Every iteration takes the same time, whatever the batch: the mock for tests.
    #[must_use]
    pub fn constant(seconds: f64) -> Self {
        Self::tabulated(&[(1, seconds)], 1, 0.0, 0.0)
    }

    /// An iteration of one nanosecond: work is counted in nanoseconds of service.
    #[must_use]
    pub fn service_time() -> Self {
        Self {
            by_batch: vec![1 << FRACTION_BITS],
            per_context_token: 0,
            per_prompt_token: 0,
        }
    }

    /// The curve with every time multiplied by a positive factor.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        let times = |time: u64| (time as f64 * factor).round() as u64;
        Self {
            by_batch: self.by_batch.iter().map(|&t| times(t).max(1)).collect(),
            per_context_token: times(self.per_context_token),
            per_prompt_token: times(self.per_prompt_token),
        }
    }

    /// Seconds of one iteration of `batch` requests with `context` tokens in all.
    #[must_use]
    pub fn iteration_s(&self, batch: u32, context: f64) -> f64 {
        let unit = 1e-9 / f64::from(1_u32 << FRACTION_BITS);
        (self.base(batch) as f64 + self.per_context_token as f64 * context) * unit
    }

    /// Seconds for the prompt of a joining request.
    #[must_use]
    pub fn prompt_s(&self, prompt_tokens: f64) -> f64 {
        self.per_prompt_token as f64 * prompt_tokens * 1e-9 / f64::from(1_u32 << FRACTION_BITS)
    }

    #[inline]
    fn base(&self, batch: u32) -> u64 {
        let last = self.by_batch.len() - 1;
        self.by_batch[(batch.max(1) as usize - 1).min(last)]
    }

    /// Time of the first `iterations` iterations of `phase`, rounded down to a nanosecond.
    #[must_use]
    #[inline]
    pub fn elapsed(&self, phase: Phase, iterations: u64) -> SimDuration {
        SimDuration(u64::try_from(self.sum(phase, iterations) >> FRACTION_BITS).unwrap_or(u64::MAX))
    }

    /// The fewest iterations of `phase` after which at least `elapsed` has passed.
    #[must_use]
    pub fn iterations_covering(&self, phase: Phase, elapsed: SimDuration) -> u64 {
        if elapsed == SimDuration::ZERO {
            return 0;
        }
        let base = self.step(phase);
        let target = u128::from(elapsed.0) << FRACTION_BITS;
        let target = target
            .saturating_sub(u128::from(phase.prompt_tokens) * u128::from(self.per_prompt_token));
        let growth = self.growth(phase);
        let mut guess = if growth == 0 {
            div_ceil_narrow(target, base)
        } else {
            // Solve growth/2 k^2 + (base - growth/2) k = target for k in floating point ...
            let (b, h) = (base as f64 - growth as f64 / 2.0, growth as f64 / 2.0);
            let root = (libm::sqrt(b * b + 4.0 * h * target as f64) - b) / (2.0 * h);
            root as u64
        };
        // ... and make it exact: rounding is off by a step or two at most.
        while guess > 0 && self.elapsed(phase, guess - 1) >= elapsed {
            guess -= 1;
        }
        while self.elapsed(phase, guess) < elapsed || guess == 0 {
            guess += 1;
        }
        guess
    }

    /// Time of one iteration at the start of the phase, in 2^-20 ns.
    fn step(&self, phase: Phase) -> u128 {
        u128::from(self.base(phase.batch))
            + u128::from(self.per_context_token) * u128::from(phase.context)
    }

    /// By how much each iteration is longer than the one before, in 2^-20 ns.
    fn growth(&self, phase: Phase) -> u128 {
        u128::from(self.per_context_token) * u128::from(phase.growing)
    }

    /// Time of the first `iterations` iterations in 2^-20 ns. The prompts of those who joined are
    /// computed in the first.
    #[inline]
    fn sum(&self, phase: Phase, iterations: u64) -> u128 {
        match self.narrow_sum(phase, iterations) {
            Some(sum) => u128::from(sum),
            None => self.wide_sum(phase, iterations),
        }
    }

    /// `sum` where all of it fits into 64 bits (five hours): the common case, in a third of the time.
    #[inline]
    fn narrow_sum(&self, phase: Phase, iterations: u64) -> Option<u64> {
        // Only the batch counts: diffusion, or a server with a law of its own.
        if self.per_context_token | self.per_prompt_token == 0 {
            return iterations.checked_mul(self.base(phase.batch));
        }
        let context = self.per_context_token.checked_mul(phase.context)?;
        let step = self.base(phase.batch).checked_add(context)?;
        let growth = self
            .per_context_token
            .checked_mul(u64::from(phase.growing))?;
        let pairs = iterations.checked_mul(iterations.saturating_sub(1))? / 2;
        let prompt = self.per_prompt_token.checked_mul(phase.prompt_tokens)?;
        let steps = iterations.checked_mul(step)?;
        let prompt = if iterations == 0 { 0 } else { prompt };
        prompt
            .checked_add(steps)?
            .checked_add(growth.checked_mul(pairs)?)
    }

    #[cold]
    fn wide_sum(&self, phase: Phase, iterations: u64) -> u128 {
        let k = u128::from(iterations);
        let prompt = u128::from(self.per_prompt_token) * u128::from(phase.prompt_tokens);
        let growth = self.growth(phase) * (k * k.saturating_sub(1) / 2);
        if iterations == 0 {
            0
        } else {
            prompt + k * self.step(phase) + growth
        }
    }
}

/// A replica between two changes of its batch: all that the time of its iterations depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phase {
    /// Requests in the batch.
    pub batch: u32,
    /// Context tokens of them all at the start of the phase.
    pub context: u64,
    /// How many of them gain a context token an iteration.
    pub growing: u32,
    /// Prompt tokens to compute in the first iteration.
    pub prompt_tokens: u64,
}

/// Seconds to 2^-20 ns, rounded to nearest, saturating.
fn fixed(seconds: f64) -> u64 {
    (seconds * 1e9 * f64::from(1_u32 << FRACTION_BITS)).round() as u64
}

/// Rounded-up quotient; in 64 bits where both fit, which is the common case and several times faster.
fn div_ceil_narrow(numerator: u128, denominator: u128) -> u64 {
    match (u64::try_from(numerator), u64::try_from(denominator)) {
        (Ok(n), Ok(d)) => n.div_ceil(d),
        _ => u64::try_from(numerator.div_ceil(denominator)).unwrap_or(u64::MAX),
    }
}

fn interpolate(points: &[(u32, f64)], batch: u32) -> f64 {
    let after = points.partition_point(|point| point.0 <= batch);
    match (
        after.checked_sub(1).and_then(|i| points.get(i)),
        points.get(after),
    ) {
        (Some(&(n0, t0)), Some(&(n1, t1))) => {
            t0 + (t1 - t0) * f64::from(batch - n0) / f64::from(n1 - n0)
        }
        (Some(&(_, t)), None) | (None, Some(&(_, t))) => t,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The naive twin: one iteration after the other.
    fn one_by_one(curve: &ServiceCurve, phase: Phase, iterations: u64) -> SimDuration {
        let mut total = 0_u128;
        let mut context = phase.context;
        for i in 0..iterations {
            if i == 0 {
                total += u128::from(curve.per_prompt_token) * u128::from(phase.prompt_tokens);
            }
            total += u128::from(curve.base(phase.batch))
                + u128::from(curve.per_context_token) * u128::from(context);
            context += u64::from(phase.growing);
        }
        SimDuration((total >> FRACTION_BITS) as u64)
    }

    #[test]
    fn a_jump_over_iterations_equals_their_sum() {
        let curve = ServiceCurve::tabulated(&[(1, 0.0221), (16, 0.0361)], 16, 3.7e-9, 1.1e-5);
        let phases = [
            Phase {
                batch: 1,
                context: 0,
                growing: 0,
                prompt_tokens: 0,
            },
            Phase {
                batch: 7,
                context: 1234,
                growing: 7,
                prompt_tokens: 77,
            },
            Phase {
                batch: 16,
                context: 99_999,
                growing: 3,
                prompt_tokens: 0,
            },
        ];
        for phase in phases {
            for k in [0, 1, 2, 3, 17, 1056] {
                assert_eq!(
                    curve.elapsed(phase, k),
                    one_by_one(&curve, phase, k),
                    "{phase:?} {k}"
                );
            }
        }
    }

    #[test]
    fn a_curve_times_a_factor_takes_that_many_times_as_long() {
        let curve = ServiceCurve::tabulated(&[(1, 0.0221), (16, 0.0361)], 16, 3.7e-9, 1.1e-5);
        let times = curve.times(1.25);
        for batch in [1, 7, 16] {
            let ratio = times.iteration_s(batch, 5000.0) / curve.iteration_s(batch, 5000.0);
            assert!((ratio - 1.25).abs() < 1e-6, "{ratio}");
        }
        assert!((times.prompt_s(100.0) / curve.prompt_s(100.0) - 1.25).abs() < 1e-6);
        assert_eq!(curve.times(1.0), curve);
    }

    #[test]
    fn covering_iterations_are_the_fewest() {
        let curve = ServiceCurve::tabulated(&[(1, 0.0221), (16, 0.0361)], 16, 3.7e-9, 1.1e-5);
        for growing in [0, 5] {
            let phase = Phase {
                batch: 5,
                context: 500,
                growing,
                prompt_tokens: 40,
            };
            assert_eq!(curve.iterations_covering(phase, SimDuration::ZERO), 0);
            for k in [1_u64, 2, 50, 1055] {
                let exactly = curve.elapsed(phase, k);
                assert_eq!(curve.iterations_covering(phase, exactly), k);
                assert_eq!(
                    curve.iterations_covering(phase, exactly + SimDuration(1)),
                    k + 1
                );
            }
        }
    }

    #[test]
    fn the_table_is_straight_between_points_and_level_outside() {
        let curve = ServiceCurve::tabulated(&[(2, 0.010), (4, 0.014)], 8, 0.0, 0.0);
        let at = |n| curve.iteration_s(n, 0.0);
        assert!((at(1) - 0.010).abs() < 1e-12);
        assert!((at(3) - 0.012).abs() < 1e-12);
        assert!((at(8) - 0.014).abs() < 1e-12);
    }
}
