//! Money over time in closed form: annuities, contracts as prices, and how much to reserve.
//!
//! Pure functions of plain numbers, each with its formula and reference. Rates of interest are shares a
//! period, and a period is whatever the caller counts in; payments fall at the ends of periods. A year of a
//! contract has 365 days, as the trade counts it.

use crate::stats::normal_quantile;

/// Hours of a contract's year of 365 days.
pub const HOURS_PER_YEAR: f64 = 8760.0;
/// Months of a year.
pub const MONTHS_PER_YEAR: f64 = 12.0;
const SECONDS_PER_HOUR: f64 = 3600.0;

/// What one USD has grown to after some periods: (1 + i)^n.
#[must_use]
pub fn growth(rate: f64, periods: f64) -> f64 {
    libm::exp(periods * libm::log1p(rate))
}

/// The rate a month that compounds to `rate_per_year` in a year: (1 + i)^(1/12) - 1.
#[must_use]
pub fn monthly(rate_per_year: f64) -> f64 {
    libm::expm1(libm::log1p(rate_per_year) / MONTHS_PER_YEAR)
}

/// The present value of one USD at the end of each of n periods: (1 - (1 + i)^-n) / i, which is n without
/// interest (Park, Contemporary Engineering Economics, 6th ed., 3.4).
#[must_use]
pub fn annuity_present_value(rate: f64, periods: f64) -> f64 {
    if rate == 0.0 {
        return periods;
    }
    -libm::expm1(-periods * libm::log1p(rate)) / rate
}

/// The payment at the end of each of n periods that repays one USD: i (1 + i)^n / ((1 + i)^n - 1), which is
/// 1/n without interest (ibid.).
#[must_use]
pub fn capital_recovery(rate: f64, periods: f64) -> f64 {
    1.0 / annuity_present_value(rate, periods)
}

/// What owning something costs at the end of each period: (P - S) (A/P, i, n) + S i, for the price P, the
/// salvage value S after n periods and the cost of capital i (Park, 6.2).
#[must_use]
pub fn capital_cost(price: f64, salvage: f64, rate: f64, periods: f64) -> f64 {
    (price - salvage) * capital_recovery(rate, periods) + salvage * rate
}

/// The price of a GPU-hour that a contract implies: USD a year over the GPU-hours of its year.
#[must_use]
pub fn implied_usd_per_gpu_hour(usd_per_year: f64, gpus: f64) -> f64 {
    usd_per_year / (gpus * HOURS_PER_YEAR)
}

/// USD for each 1000 images of GPUs that cost so much an hour and make so many images a second while they
/// are busy, which they are for a share `utilisation` of the time.
#[must_use]
pub fn usd_per_1000_images(usd_per_hour: f64, images_per_s: f64, utilisation: f64) -> f64 {
    1000.0 * usd_per_hour / (images_per_s * SECONDS_PER_HOUR * utilisation)
}

/// The sum of `count` terms of which each is `ratio` times the one before: first (r^n - 1) / (r - 1).
#[must_use]
pub fn geometric_sum(first: f64, ratio: f64, count: f64) -> f64 {
    if ratio == 1.0 {
        return first * count;
    }
    first * libm::expm1(count * libm::log(ratio)) / (ratio - 1.0)
}

/// How much to reserve before the demand is known (Arrow, Harris and Marschak 1951).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Newsvendor {
    /// What a unit of demand without its unit of reserve costs.
    pub underage_usd: f64,
    /// What a unit of reserve without demand costs.
    pub overage_usd: f64,
}

impl Newsvendor {
    /// The probability with which the best reserve covers the demand: cu / (cu + co).
    #[must_use]
    pub fn critical_ratio(self) -> f64 {
        self.underage_usd / (self.underage_usd + self.overage_usd)
    }

    /// The best reserve for a normal demand: mu + z sigma with z the quantile of the critical ratio.
    #[must_use]
    pub fn normal_quantity(self, mean: f64, standard_deviation: f64) -> f64 {
        mean + normal_quantile(self.critical_ratio()) * standard_deviation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queueing::erlang_b;

    /// The case `econ` of the oracles, computed.
    fn computed(name: &str) -> f64 {
        let reserve = Newsvendor {
            underage_usd: 5.0,
            overage_usd: 2.0,
        };
        match name {
            "crf_8pct_5y" => capital_recovery(0.08, 5.0),
            "annual_cost_of_30k_gpu" => capital_cost(30_000.0, 0.0, 0.08, 5.0),
            "usd_per_1000_images_at_2_per_hr_1_5_img_s_util_0_6" => {
                usd_per_1000_images(2.0, 1.5, 0.6)
            }
            "npv_5y_1_at_10pct" => annuity_present_value(0.1, 5.0),
            "newsvendor_critical_ratio_cu5_co2" => reserve.critical_ratio(),
            "newsvendor_q_normal_1000_200" => reserve.normal_quantity(1000.0, 200.0),
            "marginal_erlang_B_90_to_91_at_a100" => {
                100.0 * (erlang_b(100.0, 90) - erlang_b(100.0, 91))
            }
            _ => f64::NAN,
        }
    }

    #[test]
    fn the_economics_oracle_is_matched_to_1e_9() {
        let text = include_str!("../tests/oracles/open.json");
        let file: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let cases = file["cases"].as_array().expect("cases");
        let case = cases.iter().find(|case| case["id"] == "econ");
        let expected = case.expect("the case")["expect"]
            .as_object()
            .expect("values");
        assert_eq!(expected.len(), 7);
        for (name, exact) in expected {
            let (exact, value) = (exact.as_f64().expect("a number"), computed(name));
            // The file has 12 significant digits.
            assert!(
                (value / exact - 1.0).abs() < 1e-9,
                "{name}: {value}, exactly {exact}"
            );
        }
    }

    #[test]
    fn an_annuity_repays_what_was_lent() {
        for (rate, years) in [(0.0, 4.0), (0.08, 5.0), (0.3, 7.0)] {
            let payment = capital_cost(1000.0, 150.0, rate, years);
            let mut owed = 1000.0;
            for _ in 0..years as u32 {
                owed = owed * (1.0 + rate) - payment;
            }
            assert!((owed - 150.0).abs() < 1e-9, "{owed} at {rate}");
        }
    }

    #[test]
    fn sums_of_geometric_series_are_their_terms() {
        for ratio in [0.5, 1.0, 1.07] {
            let terms = (0..24).map(|n| 3.0 * growth(ratio - 1.0, f64::from(n)));
            let (sum, closed) = (terms.sum::<f64>(), geometric_sum(3.0, ratio, 24.0));
            assert!((sum / closed - 1.0).abs() < 1e-12, "{sum} {closed}");
        }
        assert!((growth(monthly(0.4), 12.0) - 1.4).abs() < 1e-12);
    }

    #[test]
    fn a_contract_of_one_to_two_billion_a_year_is_a_price() {
        let price = |usd: f64| implied_usd_per_gpu_hour(usd, 100_000.0);
        assert!((price(1e9) - 1.141_552_511).abs() < 1e-9);
        assert!((price(2e9) - 2.283_105_023).abs() < 1e-9);
    }
}
