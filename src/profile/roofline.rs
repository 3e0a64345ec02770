//! From the accelerator that was measured to another: a stated model, with an error that was observed.
//!
//! The measured time is divided into arithmetic and traffic in the proportion of what both would take at the
//! ceilings measured beside it. The share of arithmetic then goes with the ratio of the dense 16-bit matrix
//! rates, the share of traffic with that of the bandwidths (the roofline of Williams, Waterman and
//! Patterson, CACM 52(4), 2009, with both roofs added instead of the higher one taken):
//!
//! ```text
//! t' = t (share_compute F / F' + share_memory B / B')
//! ```
//!
//! So software is taken to use the same share of every accelerator's specification, which it does not. How
//! far off that is comes from public MLPerf results (`mlperf`). It holds for work on matrix units only:
//! the catalog has no rate of the shader cores.

use super::catalog::Accelerator;
use super::fit::{Fit, Point};
use super::measured::Variant;
use super::mlperf;

/// How one accelerator compares with another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    /// Dense 16-bit matrix rate of the other over that of the one.
    pub compute_ratio: f64,
    /// Bandwidth of the other over that of the one.
    pub bandwidth_ratio: f64,
    /// Standard deviation of the logarithm of the scaled time, given the measured; 0 to itself.
    pub log_sd: f64,
}

impl Scaling {
    /// From one accelerator to another.
    #[must_use]
    pub fn between(one: &Accelerator, other: &Accelerator) -> Self {
        let log_sd = match one.name == other.name {
            true => 0.0,
            false => mlperf::check().log_sd,
        };
        Self {
            log_sd,
            ..Self::ratios(one, other)
        }
    }

    /// The ratios alone, without their uncertainty.
    pub(super) fn ratios(one: &Accelerator, other: &Accelerator) -> Self {
        Self {
            compute_ratio: other.tflop_per_s_16bit / one.tflop_per_s_16bit,
            bandwidth_ratio: other.bandwidth_tb_per_s / one.bandwidth_tb_per_s,
            log_sd: 0.0,
        }
    }

    /// Time on the other over time on the one.
    #[must_use]
    pub fn time_ratio(&self, compute_share: f64) -> f64 {
        compute_share / self.compute_ratio + (1.0 - compute_share) / self.bandwidth_ratio
    }

    /// The iteration times of the other. Context is read from memory, so it goes with the bandwidth.
    /// `None` where no ceilings were measured.
    #[must_use]
    pub fn apply(&self, fit: &Fit) -> Option<Fit> {
        let scaled = |point: &Point| {
            point.compute_share.map(|share| Point {
                iteration_s: point.iteration_s * self.time_ratio(share),
                ..*point
            })
        };
        let points: Option<Vec<Point>> = fit.points.iter().map(scaled).collect();
        points.map(|points| Fit {
            points,
            per_context_token_s: fit.per_context_token_s / self.bandwidth_ratio,
            interpolation_log_sd: fit.interpolation_log_sd,
        })
    }
}

/// Whether work done so can be scaled by what the catalog has.
#[must_use]
pub fn is_scalable(variant: Variant) -> bool {
    variant == Variant::CooperativeF16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{catalog, fixture};

    #[test]
    fn scaling_to_itself_is_the_identity() {
        let fit = Fit::of(&fixture::profile()).expect("points");
        for accelerator in catalog::accelerators() {
            let scaling = Scaling::between(accelerator, accelerator);
            assert_eq!(scaling.log_sd, 0.0);
            let scaled = scaling.apply(&fit).expect("there are ceilings");
            for (before, after) in fit.points.iter().zip(&scaled.points) {
                assert!((after.iteration_s / before.iteration_s - 1.0).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn arithmetic_goes_with_the_matrix_rate_and_traffic_with_the_bandwidth() {
        let named = |name| catalog::accelerator(name).expect("in the catalog");
        let scaling = Scaling::between(named("H100-SXM-80GB"), named("H200-SXM-141GB"));
        // 989 and 989 TFLOP/s; 3.35 and 4.8 TB/s.
        assert!((scaling.time_ratio(1.0) - 1.0).abs() < 1e-12);
        assert!((scaling.time_ratio(0.0) - 3.35 / 4.8).abs() < 1e-12);
        assert!((scaling.time_ratio(0.5) - (1.0 + 3.35 / 4.8) / 2.0).abs() < 1e-12);
        assert!(scaling.log_sd > 0.0);
        // 1e12 flop at 4e14 a second, 1.5e9 bytes at 3e12 a second; the decoder adds a 28th of the same.
        let fit = Fit::of(&fixture::profile_with_noise(0.0)).expect("points");
        let share = fit.points[0].compute_share.expect("there are ceilings");
        assert!((share - 2.5 / 3.0).abs() < 1e-9, "{share}");
    }

    #[test]
    fn without_ceilings_nothing_is_scaled() {
        let mut profile = fixture::profile();
        profile.ceilings.copy = None;
        let fit = Fit::of(&profile).expect("points");
        let h100 = catalog::accelerator("H100-SXM-80GB").expect("in the catalog");
        assert_eq!(Scaling::between(h100, h100).apply(&fit), None);
    }
}
