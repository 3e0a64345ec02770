//! An amount in whole cents shared out without a cent lost.

use crate::units::Usd;

/// Micro-dollars in a cent.
const CENT: u64 = 10_000;

/// `total` (whole cents, not negative) in proportion to the weights, in whole cents that add up to it: each
/// gets its share rounded down, and the cents left over go to the largest remainders, the first of equal
/// ones first (Hamilton's rule). Without any weight the first gets all.
pub(super) fn split(total: Usd, weights: &[f64]) -> Vec<Usd> {
    let cents = |count: u64| Usd(i64::try_from(count.saturating_mul(CENT)).unwrap_or(i64::MAX));
    let counts = split_whole(total.0.unsigned_abs() / CENT, weights);
    counts.into_iter().map(cents).collect()
}

/// The same for whole things.
pub(super) fn split_whole(total: u64, weights: &[f64]) -> Vec<u64> {
    let sum: f64 = weights.iter().sum();
    let mut parts = vec![0; weights.len()];
    let mut order: Vec<usize> = (0..weights.len())
        .filter(|&index| weights[index] > 0.0)
        .collect();
    if order.is_empty() {
        parts.iter_mut().take(1).for_each(|first| *first = total);
        return parts;
    }
    let exact = |weight: f64| total as f64 * (weight / sum);
    let mut left = total;
    for (part, &weight) in parts.iter_mut().zip(weights) {
        // Rounding of the quotient may not give out more than there is.
        *part = (exact(weight).floor() as u64).min(left);
        left -= *part;
    }
    let remainder = |index: usize| exact(weights[index]) - parts[index] as f64;
    order.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a)));
    // Beyond 2^53 quotients are coarse, and more may be left than there are parts.
    let (each, few) = (left / order.len() as u64, left % order.len() as u64);
    for (place, index) in order.into_iter().enumerate() {
        parts[index] += each + u64::from((place as u64) < few);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_the_largest_remainders_get_the_cents_left() {
        assert_eq!(split_whole(100, &[1.0, 1.0, 1.0]), [34, 33, 33]);
        assert_eq!(split_whole(10, &[0.25, 0.0, 0.55, 0.2]), [3, 0, 5, 2]);
        assert_eq!(split_whole(7, &[0.0, 0.0]), [7, 0]);
        assert_eq!(split(Usd(30_000), &[1.0, 2.0]), [Usd(10_000), Usd(20_000)]);
    }

    #[test]
    fn nothing_is_lost_of_any_amount() {
        for total in [0, 1, 99, 1_234_567_891, 900_000_000_000_007, u64::MAX] {
            for weights in [vec![0.1; 7], vec![1e-9, 1.0, 3.3], vec![5.0]] {
                let parts = split_whole(total, &weights);
                assert_eq!(parts.iter().sum::<u64>(), total, "{weights:?}");
            }
        }
    }
}
