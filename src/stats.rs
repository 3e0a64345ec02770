//! Statistics of what a run observes: a streaming histogram of times, the special functions behind
//! confidence intervals, and the intervals themselves.
//!
//! Nothing here grows with the number of samples, and every transcendental function is `libm`'s, so a
//! statistic has the same bits on every platform.

mod difference;
mod histogram;
mod interval;
mod median;
mod ratio;
mod special;
mod warm_up;

pub use difference::{Difference, paired_difference, welch_difference};
pub use histogram::Histogram;
pub use interval::{
    Interval, confidence_interval, samples_to_prove, student_t_cdf, student_t_quantile,
};
pub use median::{Median, median, relative_spread};
pub use ratio::{Ratio, ratio};
pub use special::{binomial_at_most, incomplete_beta, log_gamma, normal_cdf, normal_density};
pub use special::{normal_quantile, root};
pub use warm_up::{Truncation, mser5};
