//! The laws (probability distributions) that a scenario can name, in any unit.
//!
//! A law knows its mean and its variance in closed form; the closed forms of `queueing` and the tests
//! use them, the simulation only samples.

use super::{Sampler, Stream};

/// A distribution of a non-negative quantity. Parameters are in the unit of what is drawn: seconds
/// for a patience, iterations for work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    /// Always the same value.
    Constant {
        /// The value.
        value: f64,
    },
    /// Memoryless.
    Exponential {
        /// Mean.
        mean: f64,
    },
    /// The sum of `stages` equal exponentials; coefficient of variation 1 / sqrt(stages).
    Erlang {
        /// Mean of the sum.
        mean: f64,
        /// Number of stages, at least 1.
        stages: u32,
    },
    /// Exponential with mean `mean_first` with probability `share_first`, else with `mean_second`.
    HyperExponential {
        /// Probability of the first mean, 0..=1.
        share_first: f64,
        /// First mean.
        mean_first: f64,
        /// Second mean.
        mean_second: f64,
    },
    /// The exponential of a normal variable.
    Lognormal {
        /// Mean (of the quantity, not of its logarithm).
        mean: f64,
        /// Coefficient of variation: standard deviation over mean.
        variation: f64,
    },
    /// Uniform between two bounds.
    Uniform {
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// Pareto of the first kind: P(X > x) = (minimum / x)^shape.
    Pareto {
        /// Smallest value.
        minimum: f64,
        /// Tail exponent; the mean needs more than 1, the variance more than 2.
        shape: f64,
    },
    /// `first` with probability `share_first`, else `second`.
    TwoPoint {
        /// Probability of the first value, 0..=1.
        share_first: f64,
        /// First value.
        first: f64,
        /// Second value.
        second: f64,
    },
}

impl Law {
    /// One draw. Whoever draws often keeps the `sampler`.
    pub fn sample(&self, stream: &mut Stream) -> f64 {
        self.sampler(1.0).sample(stream)
    }

    /// The mean; infinite for a Pareto law with shape up to 1.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match *self {
            Self::Constant { value } => value,
            Self::Exponential { mean }
            | Self::Erlang { mean, .. }
            | Self::Lognormal { mean, .. } => mean,
            Self::HyperExponential {
                share_first,
                mean_first,
                mean_second,
            } => share_first * mean_first + (1.0 - share_first) * mean_second,
            Self::Uniform { low, high } => f64::midpoint(low, high),
            Self::Pareto { shape, .. } if shape <= 1.0 => f64::INFINITY,
            Self::Pareto { minimum, shape } => shape * minimum / (shape - 1.0),
            Self::TwoPoint {
                share_first,
                first,
                second,
            } => share_first * first + (1.0 - share_first) * second,
        }
    }

    /// The law of the quantity multiplied by a positive factor.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        match self {
            Self::Constant { value } => Self::Constant {
                value: value * factor,
            },
            Self::Exponential { mean } => Self::Exponential {
                mean: mean * factor,
            },
            Self::Erlang { mean, stages } => Self::Erlang {
                mean: mean * factor,
                stages,
            },
            Self::HyperExponential {
                share_first,
                mean_first,
                mean_second,
            } => Self::HyperExponential {
                share_first,
                mean_first: mean_first * factor,
                mean_second: mean_second * factor,
            },
            Self::Lognormal { mean, variation } => Self::Lognormal {
                mean: mean * factor,
                variation,
            },
            Self::Uniform { low, high } => Self::Uniform {
                low: low * factor,
                high: high * factor,
            },
            Self::Pareto { minimum, shape } => Self::Pareto {
                minimum: minimum * factor,
                shape,
            },
            Self::TwoPoint {
                share_first,
                first,
                second,
            } => Self::TwoPoint {
                share_first,
                first: first * factor,
                second: second * factor,
            },
        }
    }

    /// The variance; infinite for a Pareto law with shape up to 2.
    #[must_use]
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        match *self {
            Self::Constant { .. } => 0.0,
            Self::Exponential { .. } => mean * mean,
            Self::Erlang { stages, .. } => mean * mean / f64::from(stages),
            Self::HyperExponential {
                share_first,
                mean_first,
                mean_second,
            } => {
                let second_moment = 2.0 * share_first * mean_first * mean_first
                    + 2.0 * (1.0 - share_first) * mean_second * mean_second;
                second_moment - mean * mean
            }
            Self::Lognormal { variation, .. } => mean * mean * variation * variation,
            Self::Uniform { low, high } => (high - low) * (high - low) / 12.0,
            Self::Pareto { shape, .. } if shape <= 2.0 => f64::INFINITY,
            Self::Pareto { minimum, shape } => {
                let reduced = shape - 1.0;
                shape * minimum * minimum / (reduced * reduced * (shape - 2.0))
            }
            Self::TwoPoint {
                share_first,
                first,
                second,
            } => share_first * (1.0 - share_first) * (first - second) * (first - second),
        }
    }

    /// Draws of this law times `unit`.
    #[must_use]
    pub fn sampler(&self, unit: f64) -> Sampler {
        Sampler::new(self, unit)
    }

    /// Squared coefficient of variation: variance over squared mean.
    #[must_use]
    pub fn squared_variation(&self) -> f64 {
        self.variance() / (self.mean() * self.mean())
    }

    /// Whether every draw is the same.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        matches!(self, Self::Constant { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn a_law_times_a_factor_draws_that_many_times_as_much() {
        let laws = [
            Law::Constant { value: 3.0 },
            Law::Exponential { mean: 3.0 },
            Law::Erlang {
                mean: 3.0,
                stages: 4,
            },
            Law::HyperExponential {
                share_first: 0.3,
                mean_first: 1.0,
                mean_second: 9.0,
            },
            Law::Lognormal {
                mean: 3.0,
                variation: 0.8,
            },
            Law::Uniform {
                low: 1.0,
                high: 5.0,
            },
            Law::Pareto {
                minimum: 2.0,
                shape: 3.0,
            },
            Law::TwoPoint {
                share_first: 0.3,
                first: 1.0,
                second: 9.0,
            },
        ];
        for law in laws {
            let times = law.times(0.25);
            assert!(
                (times.variance() - law.variance() / 16.0).abs() < 1e-12,
                "{law:?}"
            );
            let draw = |law: Law| law.sample(&mut Seed(5).stream("law", "times", 0));
            assert!((draw(times) / draw(law) - 0.25).abs() < 1e-9, "{law:?}");
        }
    }

    #[test]
    fn samples_have_the_stated_moments() {
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
                shape: 6.0,
            },
            Law::TwoPoint {
                share_first: 0.95,
                first: 0.5,
                second: 10.5,
            },
        ];
        for law in laws {
            let mut stream = Seed(1).stream("law", "samples", 0);
            let n = 200_000;
            let draws: Vec<f64> = (0..n).map(|_| law.sample(&mut stream)).collect();
            let mean = draws.iter().sum::<f64>() / f64::from(n);
            let variance =
                draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(n);
            let error = 5.0 * libm::sqrt(law.variance() / f64::from(n)) + 1e-9;
            assert!(
                (mean - law.mean()).abs() <= error,
                "{law:?}: mean {mean} vs {}",
                law.mean()
            );
            let limit = 0.1 * law.variance() + 1e-9;
            assert!(
                (variance - law.variance()).abs() <= limit,
                "{law:?}: variance {variance}"
            );
        }
    }
}
