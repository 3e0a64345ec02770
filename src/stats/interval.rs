//! How sure a mean or a quantile is.

use super::special::{binomial_at_most, incomplete_beta, root};

/// A mean with its confidence interval `mean` +- `half_width`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Mean of the replications.
    pub mean: f64,
    /// Half the width of the interval, in the unit of the mean.
    pub half_width: f64,
    /// Standard deviation of one replication, in the unit of the mean.
    pub standard_deviation: f64,
}

impl Interval {
    /// Variance of one replication.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.standard_deviation * self.standard_deviation
    }

    /// Half the width as a share of the mean's size; 0 where there is no width at all, infinite where
    /// only the mean is 0.
    #[must_use]
    pub fn relative_half_width(&self) -> f64 {
        match self.half_width {
            0.0 => 0.0,
            half_width => half_width / self.mean.abs(),
        }
    }
}

/// The confidence interval of the mean of independent replications, by Student's t: mean +-
/// t_{n-1} s / sqrt(n). `level` is the confidence, 0.95 for 95 %. `None` with fewer than two values.
#[must_use]
pub fn confidence_interval(values: &[f64], level: f64) -> Option<Interval> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    let t = student_t_quantile(f64::midpoint(1.0, level), n - 1.0);
    let standard_deviation = libm::sqrt(squares / (n - 1.0));
    Some(Interval {
        mean,
        half_width: t * standard_deviation / libm::sqrt(n),
        standard_deviation,
    })
}

/// Student's t distribution function with the given degrees of freedom: the two tails together are
/// I_x(n / 2, 1 / 2) with x = n / (n + t^2) (DLMF 8.17). Near the middle the part between the tails is
/// computed instead, which is what is small there.
#[must_use]
pub fn student_t_cdf(t: f64, degrees_of_freedom: f64) -> f64 {
    let n = degrees_of_freedom;
    let square = t * t;
    let below = if square < n {
        0.5 - 0.5 * incomplete_beta(square / (n + square), 0.5, 0.5 * n)
    } else {
        0.5 * incomplete_beta(n / (n + square), 0.5 * n, 0.5)
    };
    if t > 0.0 { 1.0 - below } else { below }
}

/// Student's t quantile for 0 < `p` < 1, by inverting the distribution function to the last bit.
#[must_use]
pub fn student_t_quantile(p: f64, degrees_of_freedom: f64) -> f64 {
    if p > 0.5 {
        return -student_t_quantile(1.0 - p, degrees_of_freedom);
    }
    let mut low = -1.0;
    while student_t_cdf(low, degrees_of_freedom) > p {
        low *= 2.0;
    }
    root(low, 0.0, |t| student_t_cdf(t, degrees_of_freedom) - p)
}

/// The fewest samples with which `exceedances` samples above a limit still prove, whatever the
/// distribution, that the `q`-quantile is below the limit with the given confidence: the smallest n
/// with P(binomial(n, 1 - q) <= exceedances) <= 1 - confidence. 459 for the 99 % quantile at 99 % without
/// an exceedance (the early-stopping rule of MLPerf's LoadGen).
#[must_use]
pub fn samples_to_prove(q: f64, confidence: f64, exceedances: u64) -> u64 {
    let proves = |n: u64| binomial_at_most(exceedances, n, 1.0 - q) <= 1.0 - confidence;
    let mut enough = exceedances + 1;
    while !proves(enough) {
        enough *= 2;
    }
    let mut too_few = enough / 2;
    while enough - too_few > 1 {
        let middle = u64::midpoint(too_few, enough);
        if proves(middle) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    enough
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_quantiles_are_those_of_the_tables() {
        // With one degree of freedom the law is Cauchy's, with two it has an algebraic quantile.
        let cauchy = libm::tan(std::f64::consts::PI * (0.975 - 0.5));
        assert!((student_t_quantile(0.975, 1.0) / cauchy - 1.0).abs() < 1e-12);
        let two = 0.95 / libm::sqrt(2.0 * 0.975 * 0.025);
        assert!((student_t_quantile(0.975, 2.0) / two - 1.0).abs() < 1e-12);
        assert!((student_t_quantile(0.975, 19.0) - 2.093_024_054).abs() < 1e-8);
        assert!((student_t_quantile(0.5, 7.0)).abs() < 1e-12);
    }

    /// Percentage points of Student's t, to three decimals: NIST/SEMATECH e-Handbook of Statistical
    /// Methods, section 1.3.6.7.2.
    #[test]
    fn t_quantiles_are_those_of_the_nist_handbook() {
        let table = [
            (1.0, [6.314, 12.706, 63.657]),
            (2.0, [2.920, 4.303, 9.925]),
            (5.0, [2.015, 2.571, 4.032]),
            (9.0, [1.833, 2.262, 3.250]),
            (10.0, [1.812, 2.228, 3.169]),
            (19.0, [1.729, 2.093, 2.861]),
            (29.0, [1.699, 2.045, 2.756]),
            (100.0, [1.660, 1.984, 2.626]),
        ];
        for (degrees_of_freedom, row) in table {
            for (p, published) in [0.95, 0.975, 0.995].into_iter().zip(row) {
                let found = student_t_quantile(p, degrees_of_freedom);
                assert!(
                    (found - published).abs() <= 0.0005,
                    "t({p}; {degrees_of_freedom}) = {found}, published {published}"
                );
            }
        }
    }

    #[test]
    fn an_interval_by_hand() {
        // 12, 15, 11, 14, 13: mean 13, sum of squares 10, s = 1.58114, t(0.975; 4) = 2.77645,
        // half width 2.77645 x 1.58114 / sqrt(5) = 1.96324.
        let interval = confidence_interval(&[12.0, 15.0, 11.0, 14.0, 13.0], 0.95).expect("five");
        assert!((interval.mean - 13.0).abs() < 1e-12);
        assert!((interval.standard_deviation - 1.581_14).abs() < 1e-5);
        assert!((interval.half_width - 1.963_24).abs() < 1e-5);
        assert!((interval.relative_half_width() - 1.963_24 / 13.0).abs() < 1e-6);
        let none = confidence_interval(&[0.0, 0.0], 0.95).expect("two");
        assert_eq!(none.relative_half_width(), 0.0);
        let around = confidence_interval(&[-1.0, 1.0], 0.95).expect("two");
        assert_eq!(around.relative_half_width(), f64::INFINITY);
    }

    #[test]
    fn an_interval_needs_two_replications() {
        assert_eq!(confidence_interval(&[3.0], 0.95), None);
        let interval = confidence_interval(&[1.0, 2.0, 3.0], 0.95).expect("three values");
        assert!((interval.mean - 2.0).abs() < 1e-15);
        assert!((interval.half_width - 4.302_652_729_7 / libm::sqrt(3.0)).abs() < 1e-9);
    }
}
