//! Statistics of what a run observes: a streaming histogram of times, the special functions behind
//! confidence intervals, and the intervals themselves.
//!
//! Nothing here grows with the number of samples, and every transcendental function is `libm`'s, so a
//! statistic has the same bits on every platform.

mod histogram;

pub use histogram::Histogram;
