//! How many times as large the values of one sample are as those of another, by ranks alone.
//!
//! Times on a device are skewed and have outliers, so no law is assumed, only that both have the same
//! shape up to a factor. Then the ratios b / a of all pairs lie around that factor: their median estimates it,
//! and the interval lies between two of them in order (Hodges and Lehmann 1963; Moses; Hollander, Wolfe and
//! Chicken, Nonparametric Statistical Methods, 3rd ed., section 4.3, there for differences, here of logarithms).
//! It leaves out 1 exactly where the rank-sum test of Wilcoxon, Mann and Whitney says that they differ.

use super::special::normal_quantile;

/// A ratio with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The median of all b / a.
    pub value: f64,
    /// Ends of the interval; `None` where there are too few samples for the confidence.
    pub interval: Option<(f64, f64)>,
}

/// Samples of a side beyond this are thinned out evenly: more tell no more about a device.
const SAMPLES_MAX: usize = 200;
/// Pairs up to which the law of the rank sum is computed and not approximated.
const PAIRS_EXACT: usize = 4000;

/// By what factor `b` is larger than `a`, with an interval of this confidence or a little more. `None`
/// without samples, or where one is not a positive number.
#[must_use]
pub fn ratio(a: &[f64], b: &[f64], confidence: f64) -> Option<Ratio> {
    let positive = |samples: &[f64]| {
        let all = samples.iter().all(|&v| v > 0.0 && v.is_finite());
        all && !samples.is_empty()
    };
    if !positive(a) || !positive(b) {
        return None;
    }
    let (a, b) = (thinned(a), thinned(b));
    let pairs = a.iter().flat_map(|a| b.iter().map(move |b| b / a));
    let mut ratios: Vec<f64> = pairs.collect();
    ratios.sort_by(f64::total_cmp);
    let count = ratios.len();
    let value = f64::midpoint(ratios[(count - 1) / 2], ratios[count / 2]);
    let outside = pairs_outside(a.len(), b.len(), confidence);
    let interval = outside
        .checked_sub(1)
        .map(|first| (ratios[first], ratios[count - 1 - first]));
    Some(Ratio { value, interval })
}

/// Every so-manyth, so that at most `SAMPLES_MAX` are left, from all of the run.
fn thinned(samples: &[f64]) -> Vec<f64> {
    let step = samples.len().div_ceil(SAMPLES_MAX);
    samples.iter().copied().step_by(step).collect()
}

/// The largest k with P(U < k) <= (1 - confidence) / 2, where U counts the pairs in one order: the interval
/// goes from the k-th ratio to the k-th from the end. 0: there is none.
fn pairs_outside(n: usize, m: usize, confidence: f64) -> usize {
    let tail = (1.0 - confidence) / 2.0;
    if n * m > PAIRS_EXACT {
        // Both sides have twenty or more here; the continuity correction is that of the textbook.
        let (n, m) = (n as f64, m as f64);
        let deviation = libm::sqrt(n * m * (n + m + 1.0) / 12.0);
        let k = n * m / 2.0 + 0.5 + normal_quantile(tail) * deviation;
        return libm::floor(k).max(0.0) as usize;
    }
    let law = rank_sum_law(n, m);
    let mut below = 0.0;
    let fits = |probability: &&f64| {
        below += **probability;
        below <= tail
    };
    law.iter().take_while(fits).count()
}

/// P(U = u) for u from 0 to n m without ties, by the recursion of Mann and Whitney (1947): the largest of all
/// belongs to either side in proportion to their numbers.
fn rank_sum_law(n: usize, m: usize) -> Vec<f64> {
    // `laws[j]` is the law of i and j samples.
    let mut laws: Vec<Vec<f64>> = vec![vec![1.0]; m + 1];
    for i in 1..=n {
        for j in 1..=m {
            let (from_i, from_j) = (i as f64 / (i + j) as f64, j as f64 / (i + j) as f64);
            let mut law = vec![0.0; i * j + 1];
            // `laws[j]` is still that of i - 1: its largest beats all j.
            for (u, probability) in laws[j].iter().enumerate() {
                law[u + j] += from_i * probability;
            }
            for (u, probability) in laws[j - 1].iter().enumerate() {
                law[u] += from_j * probability;
            }
            laws[j] = law;
        }
    }
    laws.swap_remove(m)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn the_critical_values_are_those_of_the_tables() {
        // Two-sided 5 % values of U (Mann and Whitney 1947; Hollander, Wolfe and Chicken, table A.6): U at most
        // so large is significant, so the interval begins with the next ratio.
        for (n, m, critical) in [
            (4, 4, 0),
            (5, 5, 2),
            (8, 8, 13),
            (10, 10, 23),
            (20, 20, 127),
            (5, 10, 8),
        ] {
            assert_eq!(pairs_outside(n, m, 0.95), critical + 1, "{n} {m}");
        }
        assert_eq!(pairs_outside(3, 3, 0.95), 0, "1 in 10 at best");
    }

    #[test]
    fn the_approximation_continues_the_law() {
        let exact = pairs_outside(60, 66, 0.95);
        let law = rank_sum_law(64, 65);
        let mut below = 0.0;
        let mut k = 0;
        while below + law[k] <= 0.025 {
            below += law[k];
            k += 1;
        }
        assert!(pairs_outside(64, 65, 0.95).abs_diff(k) <= 2);
        assert!(exact > 0);
        let sum: f64 = law.iter().sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_factor_is_found_and_equal_samples_do_not_differ() {
        let a: Vec<f64> = (0..12).map(|i| 1.0 + 0.01 * f64::from(i)).collect();
        let b: Vec<f64> = a.iter().map(|value| 1.5 * value).collect();
        let ratio_of = |a: &[f64], b: &[f64]| ratio(a, b, 0.95).expect("positive samples");
        let found = ratio_of(&a, &b);
        let (low, high) = found.interval.expect("enough samples");
        assert!((found.value - 1.5).abs() < 1e-12 && low < 1.5 && 1.5 < high && low > 1.4);
        let (low, high) = ratio_of(&a, &a).interval.expect("enough samples");
        assert!(low < 1.0 && 1.0 < high);
        assert_eq!(ratio_of(&a[..3], &b[..3]).interval, None);
        assert_eq!(ratio(&[], &b, 0.95), None);
        assert_eq!(ratio(&[1.0, 0.0], &b, 0.95), None);
    }

    #[test]
    fn the_interval_covers_as_often_as_it_says() {
        let mut stream = Seed(4).stream("ratio", "coverage", 0);
        let mut draw = |factor: f64| -> Vec<f64> {
            // Skewed, as times are: a floor and an exponential tail.
            (0..9)
                .map(|_| factor * (1.0 - 0.1 * libm::log(stream.unit().max(1e-12))))
                .collect()
        };
        let trials = 2000;
        let covered = (0..trials).filter(|_| {
            let (a, b) = (draw(1.0), draw(1.2));
            let ratio = ratio(&a, &b, 0.95).expect("positive samples");
            let (low, high) = ratio.interval.expect("enough samples");
            low <= 1.2 && 1.2 <= high
        });
        // The exact confidence of nine and nine is 96 %; four standard errors are 0.018.
        let share = covered.count() as f64 / f64::from(trials);
        assert!((0.942..=0.978).contains(&share), "{share}");
    }

    #[test]
    fn a_file_of_a_million_samples_takes_no_longer() {
        let many = vec![1.0; 1_000_000];
        assert_eq!(ratio(&many, &many, 0.95).expect("positive").value, 1.0);
    }
}
