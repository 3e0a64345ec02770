//! Infinitely many servers: the load that a demand would make if nobody ever waited.
//!
//! The number in service at t is Poisson with mean m(t), the integral of rate(t - u) P(S > u) over u >= 0
//! (Palm 1943; Eick, Massey and Whitt 1993), so everything there is to know is m.

use super::service::{cut_mean, kinks, survival};
use crate::random::Law;

/// P(S > u) below which the integral of a cycle ends.
const NEGLIGIBLE: f64 = 1e-15;
/// Length of the first panel of the integral, in means.
const FIRST_PANEL: f64 = 1e-5;
/// The integral of a cycle ends after so many cycles at the latest: what is left of a very heavy tail
/// then cancels over its cycles.
const MOST_CYCLES: f64 = 4096.0;

/// m(t) of a system that is empty at 0, under a constant rate: rate x E\[min(S, t)\].
#[must_use]
pub fn empty_start_mean(rate: f64, service: &Law, t: f64) -> f64 {
    rate * cut_mean(service, t)
}

/// m(t) for a rate that was `before` for ever and jumps at each of `steps` = (time, new rate).
#[must_use]
pub fn steps_mean(before: f64, steps: &[(f64, f64)], service: &Law, t: f64) -> f64 {
    let mut rate = before;
    let mut mean = before * service.mean();
    for &(at, next) in steps {
        mean += (next - rate) * cut_mean(service, t - at);
        rate = next;
    }
    mean
}

/// m(t) for the rate level + amplitude x sin(2 pi t / period) since long ago, with `rate` =
/// (level, amplitude, period).
#[must_use]
pub fn cycle_mean(rate: (f64, f64, f64), service: &Law, t: f64) -> f64 {
    let (level, amplitude, period) = rate;
    let pulse = 2.0 * std::f64::consts::PI / period;
    let mut end = service.mean();
    while survival(service, end) > NEGLIGIBLE && end < MOST_CYCLES * period {
        end *= 2.0;
    }
    // A law over several orders of magnitude is smooth on the scale of u itself.
    let longest = (0.25 * period).min(0.5 * service.mean());
    let panel = |u: f64| u.clamp(service.mean() * FIRST_PANEL, longest);
    let mut edges = vec![0.0];
    edges.extend(kinks(service).into_iter().filter(|&u| u > 0.0 && u < end));
    edges.push(end);
    let swing: f64 = edges
        .windows(2)
        .map(|part| {
            integral(part[0], part[1], panel, |u| {
                libm::sin(pulse * (t - u)) * survival(service, u)
            })
        })
        .sum();
    level * service.mean() + amplitude * swing
}

/// By how much the peak of m lags behind that of a sinusoidal rate when service is exponential:
/// atan(omega E\[S\]) / omega (Eick, Massey and Whitt 1993, eq. 15).
#[must_use]
pub fn peak_lag_exponential(service_mean: f64, period: f64) -> f64 {
    let pulse = 2.0 * std::f64::consts::PI / period;
    libm::atan(pulse * service_mean) / pulse
}

/// Nodes and weights of Gauss and Legendre's rule with 8 points on -1..=1, the positive half
/// (Abramowitz and Stegun, table 25.4).
const GAUSS: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_47),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
];

/// The integral of a smooth function by Gauss and Legendre's rule, on panels of the length `panel` of
/// their start.
fn integral(from: f64, to: f64, panel: impl Fn(f64) -> f64, f: impl Fn(f64) -> f64) -> f64 {
    let (mut sum, mut start) = (0.0, from);
    while start < to {
        let end = (start + panel(start)).min(to);
        let (half, middle) = (0.5 * (end - start), f64::midpoint(start, end));
        for (node, weight) in GAUSS {
            sum += weight * half * (f(middle - half * node) + f(middle + half * node));
        }
        start = end;
    }
    sum
}
