//! A law made ready for drawing: everything that does not depend on the draw is computed once.

use super::{Law, Stream};

/// Draws of a law in a given unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sampler {
    /// The same value without a draw.
    Constant(
        /// The value.
        f64,
    ),
    /// `scale` exp(`sigma` z) with z standard normal.
    Lognormal {
        /// The median.
        scale: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// `mean` times a standard exponential.
    Exponential {
        /// Mean.
        mean: f64,
    },
    /// `step` times the sum of `stages` standard exponentials.
    Erlang {
        /// Mean of a stage.
        step: f64,
        /// Number of stages.
        stages: u32,
    },
    /// One of two exponentials.
    HyperExponential {
        /// Probability of the first.
        share_first: f64,
        /// Mean of the first.
        mean_first: f64,
        /// Mean of the second.
        mean_second: f64,
    },
    /// `low` + `width` u with u uniform on (0, 1).
    Uniform {
        /// Lower bound.
        low: f64,
        /// Upper less lower bound.
        width: f64,
    },
    /// `minimum` u^`exponent` with u uniform on (0, 1).
    Pareto {
        /// Smallest value.
        minimum: f64,
        /// -1 / shape.
        exponent: f64,
    },
    /// One of two values.
    TwoPoint {
        /// Probability of the first.
        share_first: f64,
        /// The first.
        first: f64,
        /// The second.
        second: f64,
    },
}

impl Sampler {
    pub(super) fn new(law: &Law, unit: f64) -> Self {
        match *law {
            Law::Constant { value } => Self::Constant(value * unit),
            Law::Exponential { mean } => Self::Exponential { mean: mean * unit },
            Law::Erlang { mean, stages } => Self::Erlang {
                step: mean * unit / f64::from(stages),
                stages,
            },
            Law::HyperExponential {
                share_first,
                mean_first,
                mean_second,
            } => Self::HyperExponential {
                share_first,
                mean_first: mean_first * unit,
                mean_second: mean_second * unit,
            },
            Law::Lognormal { mean, variation } => {
                // The logarithm has variance ln(1 + variation^2) and mean ln(mean) less half of it.
                let variance = libm::log1p(variation * variation);
                Self::Lognormal {
                    scale: mean * unit * libm::exp(-variance / 2.0),
                    sigma: libm::sqrt(variance),
                }
            }
            Law::Uniform { low, high } => Self::Uniform {
                low: low * unit,
                width: (high - low) * unit,
            },
            Law::Pareto { minimum, shape } => Self::Pareto {
                minimum: minimum * unit,
                exponent: -1.0 / shape,
            },
            Law::TwoPoint {
                share_first,
                first,
                second,
            } => Self::TwoPoint {
                share_first,
                first: first * unit,
                second: second * unit,
            },
        }
    }

    /// One draw: of the commonest laws in place, so that each place of drawing has branches of its own, which
    /// the processor foresees.
    #[inline]
    pub fn sample(&self, stream: &mut Stream) -> f64 {
        match *self {
            Self::Constant(value) => value,
            Self::Lognormal { scale, sigma } => stream.lognormal(scale, sigma),
            _ => self.sample_any(stream),
        }
    }

    /// One draw of any other law; the commonest are here so that none is missing.
    #[inline(never)]
    fn sample_any(&self, stream: &mut Stream) -> f64 {
        match *self {
            Self::Constant(value) => value,
            Self::Lognormal { scale, sigma } => stream.lognormal(scale, sigma),
            Self::Exponential { mean } => mean * stream.exponential(),
            Self::Erlang { step, stages } => {
                let sum: f64 = (0..stages).map(|_| stream.exponential()).sum();
                sum * step
            }
            Self::HyperExponential {
                share_first,
                mean_first,
                mean_second,
            } => {
                let first = stream.chance(share_first);
                stream.exponential() * if first { mean_first } else { mean_second }
            }
            Self::Uniform { low, width } => low + width * stream.unit(),
            Self::Pareto { minimum, exponent } => minimum * libm::pow(stream.unit(), exponent),
            Self::TwoPoint {
                share_first,
                first,
                second,
            } => {
                if stream.chance(share_first) {
                    first
                } else {
                    second
                }
            }
        }
    }

    /// One draw as a whole number: to the nearest, not below 0.
    #[inline]
    pub fn sample_whole(&self, stream: &mut Stream) -> u64 {
        crate::units::nearest(self.sample(stream))
    }
}
