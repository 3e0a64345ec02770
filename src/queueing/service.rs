//! What the formulas need to know of a service law: three moments, the tail and the cut mean.

use super::poisson::poisson_above;
use crate::random::Law;
use crate::stats::normal_cdf;

/// The first three raw moments of a service time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceMoments {
    /// E\[S\].
    pub mean: f64,
    /// E\[S^2\].
    pub second: f64,
    /// E\[S^3\].
    pub third: f64,
}

impl ServiceMoments {
    /// The moments of a law; infinite where the law has none.
    #[must_use]
    pub fn of(law: &Law) -> Self {
        let mean = law.mean();
        let third = match *law {
            Law::Constant { value } => value * value * value,
            Law::Exponential { mean } => 6.0 * mean * mean * mean,
            Law::Erlang { mean, stages } => {
                let k = f64::from(stages);
                mean * mean * mean * (k + 1.0) * (k + 2.0) / (k * k)
            }
            Law::HyperExponential {
                share_first: p,
                mean_first: a,
                mean_second: b,
            } => 6.0 * (p * a * a * a + (1.0 - p) * b * b * b),
            Law::Lognormal { mean, variation } => {
                let growth = mean * (1.0 + variation * variation);
                growth * growth * growth
            }
            Law::Uniform { low, high } => (low + high) * (low * low + high * high) / 4.0,
            Law::Pareto { shape, .. } if shape <= 3.0 => f64::INFINITY,
            Law::Pareto { minimum, shape } => shape * minimum * minimum * minimum / (shape - 3.0),
            Law::TwoPoint {
                share_first: p,
                first: a,
                second: b,
            } => p * a * a * a + (1.0 - p) * b * b * b,
        };
        Self {
            mean,
            second: law.variance() + mean * mean,
            third,
        }
    }
}

/// P(S > u).
pub(super) fn survival(law: &Law, u: f64) -> f64 {
    let step = |value: f64| if u < value { 1.0 } else { 0.0 };
    match *law {
        Law::Constant { value } => step(value),
        Law::Exponential { mean } => libm::exp(-u / mean),
        Law::Erlang { mean, stages } => {
            let k = f64::from(stages);
            1.0 - poisson_above(u64::from(stages) - 1, u * k / mean)
        }
        Law::HyperExponential {
            share_first: p,
            mean_first,
            mean_second,
        } => p * libm::exp(-u / mean_first) + (1.0 - p) * libm::exp(-u / mean_second),
        Law::Lognormal { mean, variation } => {
            let (location, scale) = lognormal_parameters(mean, variation);
            normal_cdf((location - libm::log(u)) / scale)
        }
        Law::Uniform { low, high } => ((high - u) / (high - low)).clamp(0.0, 1.0),
        Law::Pareto { minimum, shape } => libm::pow(minimum / u.max(minimum), shape),
        Law::TwoPoint {
            share_first: p,
            first,
            second,
        } => p * step(first) + (1.0 - p) * step(second),
    }
}

/// E\[min(S, x)\], the integral of the tail up to x.
pub(super) fn cut_mean(law: &Law, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let exponential = |mean: f64| -mean * libm::expm1(-x / mean);
    match *law {
        Law::Constant { value } => value.min(x),
        Law::Exponential { mean } => exponential(mean),
        Law::Erlang { mean, stages } => {
            let stage = mean / f64::from(stages);
            let done = (0..u64::from(stages)).map(|i| poisson_above(i, x / stage));
            stage * done.sum::<f64>()
        }
        Law::HyperExponential {
            share_first: p,
            mean_first,
            mean_second,
        } => p * exponential(mean_first) + (1.0 - p) * exponential(mean_second),
        Law::Lognormal { mean, variation } => {
            let (location, scale) = lognormal_parameters(mean, variation);
            let z = (libm::log(x) - location) / scale;
            mean * normal_cdf(z - scale) + x * normal_cdf(-z)
        }
        Law::Uniform { low, high } => {
            let within = (x.min(high) - low).max(0.0);
            x.min(high) - within * within / (2.0 * (high - low))
        }
        Law::Pareto { minimum, .. } if x <= minimum => x,
        Law::Pareto { minimum, shape } => {
            let log_ratio = libm::log(minimum / x);
            let power = shape - 1.0;
            if power == 0.0 {
                return minimum * (1.0 - log_ratio);
            }
            minimum * (1.0 - libm::expm1(power * log_ratio) / power)
        }
        Law::TwoPoint {
            share_first: p,
            first,
            second,
        } => p * first.min(x) + (1.0 - p) * second.min(x),
    }
}

/// The points at which the tail of a law is not smooth.
pub(super) fn kinks(law: &Law) -> Vec<f64> {
    match *law {
        Law::Constant { value } => vec![value],
        Law::Uniform { low, high } => vec![low, high],
        Law::Pareto { minimum, .. } => vec![minimum],
        Law::TwoPoint { first, second, .. } => vec![first.min(second), first.max(second)],
        _ => Vec::new(),
    }
}

/// Mean and standard deviation of the logarithm.
fn lognormal_parameters(mean: f64, variation: f64) -> (f64, f64) {
    let squared = libm::log1p(variation * variation);
    (libm::log(mean) - 0.5 * squared, libm::sqrt(squared))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_mean_is_the_integral_of_the_tail() {
        let laws = [
            Law::Constant { value: 2.0 },
            Law::Exponential { mean: 2.0 },
            Law::Erlang {
                mean: 1.0,
                stages: 4,
            },
            Law::HyperExponential {
                share_first: 0.9,
                mean_first: 0.5,
                mean_second: 5.5,
            },
            Law::Lognormal {
                mean: 1.0,
                variation: 0.8,
            },
            Law::Uniform {
                low: 0.5,
                high: 1.5,
            },
            Law::Pareto {
                minimum: 0.8,
                shape: 2.5,
            },
            Law::Pareto {
                minimum: 0.8,
                shape: 1.0,
            },
            Law::TwoPoint {
                share_first: 0.95,
                first: 0.5,
                second: 10.5,
            },
        ];
        let (x, steps) = (3.0, 30_000_u32);
        let width = x / f64::from(steps);
        for law in laws {
            let middles = (0..steps).map(|i| (f64::from(i) + 0.5) * width);
            let integral: f64 = middles.map(|u| survival(&law, u) * width).sum();
            assert!(
                (cut_mean(&law, x) - integral).abs() < 1e-4,
                "{law:?} {integral}"
            );
        }
    }
}
