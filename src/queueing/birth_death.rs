//! Processes that only step up or down by one: their stationary law is a product of ratios.

/// Above this the weights are scaled down, long before they overflow.
const LARGE: f64 = 1e200;

/// The stationary law on 0..=`last` with the given rates up from n and down from n: p(n) is
/// proportional to the product of up(i - 1) / down(i) over i = 1..=n.
pub(super) fn stationary(
    last: usize,
    up: impl Fn(usize) -> f64,
    down: impl Fn(usize) -> f64,
) -> Vec<f64> {
    let mut law = Vec::with_capacity(last + 1);
    law.push(1.0);
    for n in 1..=last {
        let weight = law[n - 1] * up(n - 1) / down(n);
        law.push(weight);
        if weight > LARGE {
            law.iter_mut().for_each(|p| *p /= weight);
        }
    }
    let total: f64 = law.iter().sum();
    law.iter_mut().for_each(|p| *p /= total);
    law
}

/// The mean of a function of the state.
pub(super) fn mean(law: &[f64], value: impl Fn(usize) -> f64) -> f64 {
    law.iter().enumerate().map(|(n, p)| p * value(n)).sum()
}
