//! The median of repeated measurements, how sure it is, and how far they spread.
//!
//! Times on a device are skewed and now and then one is far off, so nothing here assumes a law: the
//! interval is by order statistics, the spread by quartiles.

use super::special::binomial_at_most;

/// A median with its confidence interval `low`..=`high` and the spread of what it was taken from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Median {
    /// The middle value, or the mean of the two in the middle.
    pub value: f64,
    /// Lower end of the interval, a sample.
    pub low: f64,
    /// Upper end of the interval, a sample.
    pub high: f64,
    /// The confidence the interval has, whatever the law of the samples: at least what was asked for if
    /// there are enough samples, else that of the whole range, 1 - 2^(1 - n).
    pub confidence: f64,
    /// `relative_spread` of the samples; infinite where the median is not above 0.
    pub spread: f64,
}

/// The median of samples with its interval, between the k-th smallest and the k-th largest: both lie on one
/// side of the true median with probability 2 P(binomial(n, 1/2) < k), and k is the largest that
/// leaves the confidence (David and Nagaraja, Order Statistics, 3rd ed., section 7.1). Six samples are the
/// fewest for 95 %. `None` without samples, or where one is not finite.
#[must_use]
pub fn median(samples: &[f64], confidence: f64) -> Option<Median> {
    let sorted = sorted(samples)?;
    let n = sorted.len() as u64;
    let outside = |k: u64| 2.0 * binomial_at_most(k - 1, n, 0.5);
    let mut k = 1;
    while k < n / 2 && outside(k + 1) <= 1.0 - confidence {
        k += 1;
    }
    Some(Median {
        value: quantile(&sorted, 0.5),
        low: sorted[k as usize - 1],
        high: sorted[(n - k) as usize],
        confidence: (1.0 - outside(k)).max(0.0),
        spread: relative_spread(samples).unwrap_or(f64::INFINITY),
    })
}

/// The distance between the quartiles as a share of the median: 0.05 where the middle half of the samples
/// lies within 5 %. One far outlier does not move it, a quarter of slow samples does, which is what a
/// throttling or shared device shows. Quartiles lie straight between samples (Hyndman and Fan 1996,
/// definition 7). `None` without samples, where one is not finite, or where the median is not above 0.
#[must_use]
pub fn relative_spread(samples: &[f64]) -> Option<f64> {
    let sorted = sorted(samples)?;
    let middle = quantile(&sorted, 0.5);
    (middle > 0.0).then(|| (quantile(&sorted, 0.75) - quantile(&sorted, 0.25)) / middle)
}

/// The samples by size; `None` without any, or where one is not finite.
fn sorted(samples: &[f64]) -> Option<Vec<f64>> {
    let usable = !samples.is_empty() && samples.iter().all(|sample| sample.is_finite());
    usable.then(|| {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted
    })
}

/// The `q`-quantile of sorted values, straight between them.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let below = libm::floor(at) as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_the_median_is_that_of_the_tables() {
        // Ranks k of the 95 % interval by sample size: Conover, Practical Nonparametric Statistics,
        // 3rd ed., table A3 (p = 1/2): n = 6: 1, 10: 2, 20: 6, 25: 8.
        for (n, k) in [(6, 1), (9, 2), (10, 2), (20, 6), (25, 8)] {
            let samples: Vec<f64> = (1..=n).map(f64::from).collect();
            let median = median(&samples, 0.95).expect("there are samples");
            assert_eq!(
                (median.low, median.high),
                (f64::from(k), f64::from(n + 1 - k)),
                "{n}"
            );
            assert!(median.confidence >= 0.95);
        }
    }

    #[test]
    fn few_samples_give_their_range_and_say_how_sure_it_is() {
        let five = median(&[5.0, 1.0, 3.0, 2.0, 4.0], 0.95).expect("five");
        assert_eq!((five.value, five.low, five.high), (3.0, 1.0, 5.0));
        assert!((five.confidence - (1.0 - 1.0 / 16.0)).abs() < 1e-12);
        let one = median(&[2.0], 0.95).expect("one");
        assert_eq!(
            (one.value, one.low, one.high, one.confidence),
            (2.0, 2.0, 2.0, 0.0)
        );
        assert_eq!(median(&[], 0.95), None);
        assert_eq!(median(&[1.0, f64::NAN], 0.95), None);
    }

    #[test]
    fn an_outlier_does_not_spread_but_a_quarter_of_slow_samples_does() {
        let mut samples = vec![1.0; 20];
        samples[7] = 9.0;
        assert_eq!(relative_spread(&samples), Some(0.0));
        samples[..6].fill(1.2);
        assert!((relative_spread(&samples).expect("samples") - 0.2).abs() < 1e-12);
        assert_eq!(relative_spread(&[0.0, 0.0]), None);
    }
}
