//! How sure the difference of two means is.

use super::interval::{Interval, confidence_interval, student_t_cdf, student_t_quantile};

/// The difference b - a of two means with its confidence interval `mean` +- `half_width`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Mean of b minus mean of a.
    pub mean: f64,
    /// Half the width of the interval, in the unit of the mean.
    pub half_width: f64,
    /// The chance of a difference at least so large where there is none (two-sided t test).
    pub p_value: f64,
    /// By pairs: 1 - var(b - a) / (var(a) + var(b)), the share of the variance of independent samples
    /// that the pairing took away; below 0 where it did harm. `None`: not paired, or no variance.
    pub variance_saved: Option<f64>,
}

/// The difference of two samples that belong together pair by pair, by the t interval of the
/// differences of the pairs. It asks nothing of how a and b depend on each other.
/// `None` with fewer than two pairs or with samples of different lengths.
#[must_use]
pub fn paired_difference(a: &[f64], b: &[f64], level: f64) -> Option<Difference> {
    if a.len() != b.len() {
        return None;
    }
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
    let paired = confidence_interval(&differences, level)?;
    let apart =
        confidence_interval(a, level)?.variance() + confidence_interval(b, level)?.variance();
    let n = differences.len() as f64;
    let error = libm::sqrt(paired.variance() / n);
    Some(Difference {
        mean: paired.mean,
        half_width: paired.half_width,
        p_value: p_value(paired.mean, error, n - 1.0),
        variance_saved: (apart > 0.0).then(|| 1.0 - paired.variance() / apart),
    })
}

/// The difference of two independent samples, whose variances may differ (Welch 1947): t with
/// (u + v)^2 / (u^2 / (m - 1) + v^2 / (n - 1)) degrees of freedom, where u and v are the squared
/// standard errors of the two means. `None` where a sample has fewer than two values.
#[must_use]
pub fn welch_difference(a: &[f64], b: &[f64], level: f64) -> Option<Difference> {
    let [first, second] = [
        confidence_interval(a, level)?,
        confidence_interval(b, level)?,
    ];
    let error = |interval: Interval, n: usize| interval.variance() / n as f64;
    let (u, v) = (error(first, a.len()), error(second, b.len()));
    let (m, n) = (a.len() as f64 - 1.0, b.len() as f64 - 1.0);
    // As shares of u + v, so that neither tiny nor huge errors leave the range of a float. Without any
    // error the degrees of freedom do not matter.
    let part = |error: f64| if error > 0.0 { error / (u + v) } else { 0.0 };
    let (p, q) = (part(u), part(v));
    let degrees_of_freedom = match u + v > 0.0 {
        true => 1.0 / (p * p / m + q * q / n),
        false => m + n,
    };
    let (mean, error) = (second.mean - first.mean, libm::sqrt(u + v));
    Some(Difference {
        mean,
        half_width: student_t_quantile(f64::midpoint(1.0, level), degrees_of_freedom) * error,
        p_value: p_value(mean, error, degrees_of_freedom),
        variance_saved: None,
    })
}

fn p_value(mean: f64, error: f64, degrees_of_freedom: f64) -> f64 {
    match (mean == 0.0, error == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => 2.0 * student_t_cdf(-(mean / error).abs(), degrees_of_freedom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_move_together_differ_by_a_narrow_interval() {
        // Differences 1, 2, 3: mean 2, standard deviation 1, t(0.975; 2) = 4.30265.
        let (a, b) = ([10.0, 20.0, 30.0], [11.0, 22.0, 33.0]);
        let difference = paired_difference(&a, &b, 0.95).expect("three pairs");
        assert!((difference.mean - 2.0).abs() < 1e-12);
        assert!((difference.half_width - 4.302_652_73 / libm::sqrt(3.0)).abs() < 1e-8);
        // t = 2 / (1 / sqrt(3)) = 3.4641; with two degrees of freedom P = 1 - t / sqrt(2 + t^2).
        let p_value = 1.0 - libm::sqrt(12.0 / 14.0);
        assert!((difference.p_value - p_value).abs() < 1e-12);
        // Variances 100 and 121 become 1.
        let saved = difference.variance_saved.expect("there is variance");
        assert!((saved - (1.0 - 1.0 / 221.0)).abs() < 1e-12);
        let apart = welch_difference(&a, &b, 0.95).expect("three values each");
        assert!((apart.mean - 2.0).abs() < 1e-12);
        assert!(apart.half_width > 9.0 * difference.half_width);
    }

    #[test]
    fn pairs_against_each_other_do_harm() {
        let difference = paired_difference(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0], 0.95);
        let saved = difference.and_then(|difference| difference.variance_saved);
        assert!((saved.expect("there is variance") + 1.0).abs() < 1e-12);
    }

    #[test]
    fn welch_by_hand() {
        // Variances 1 and 100 of three and two values: u = 1/3, v = 50,
        // degrees of freedom = (50.3333)^2 / (0.1111 / 2 + 2500 / 1) = 1.01336.
        let (a, b) = ([1.0, 2.0, 3.0], [0.0, 200.0_f64.sqrt()]);
        let difference = welch_difference(&a, &b, 0.95).expect("enough values");
        let squared: f64 = (1.0 / 3.0 + 50.0) * (1.0 / 3.0 + 50.0);
        let degrees_of_freedom = squared / (1.0 / 9.0 / 2.0 + 2500.0);
        assert!((degrees_of_freedom - 1.013_36).abs() < 1e-5);
        let expected = student_t_quantile(0.975, degrees_of_freedom) * libm::sqrt(50.0 + 1.0 / 3.0);
        assert!((difference.half_width / expected - 1.0).abs() < 1e-12);
        assert_eq!(difference.variance_saved, None);
    }

    #[test]
    fn equal_samples_of_equal_values_differ_by_nothing() {
        for difference in [
            paired_difference(&[4.0; 5], &[4.0; 5], 0.95),
            welch_difference(&[4.0; 5], &[4.0; 3], 0.95),
        ] {
            let difference = difference.expect("enough values");
            assert_eq!((difference.mean, difference.half_width), (0.0, 0.0));
            assert!((difference.p_value - 1.0).abs() < 1e-15);
        }
        assert_eq!(paired_difference(&[1.0], &[2.0], 0.95), None);
        assert_eq!(paired_difference(&[1.0, 2.0], &[2.0], 0.95), None);
        assert_eq!(welch_difference(&[1.0], &[2.0, 3.0], 0.95), None);
    }
}
