//! A server that must warm up before it works.

use super::general::Mg1;

/// The mean wait in M/G/1 whose server is off when nobody is there and first takes a set-up time with
/// the given first two moments: that of M/G/1 plus (2 E\[D\] + lambda E\[D^2\]) / (2 (1 + lambda E\[D\]))
/// (Welch 1964). For an exponential set-up time the addition is just its mean.
#[must_use]
pub fn setup_wait(queue: Mg1, setup_mean: f64, setup_second_moment: f64) -> f64 {
    let rate = queue.arrival_rate;
    let addition =
        (2.0 * setup_mean + rate * setup_second_moment) / (2.0 * (1.0 + rate * setup_mean));
    queue.mean_wait() + addition
}
