//! How a chunk is paid for: rent by the hour, a commitment, or ownership.

use crate::finance::{HOURS_PER_YEAR, capital_cost};

/// What was agreed on; the price of a GPU-hour is the chunk's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Contract {
    /// Rent for as long as it is kept.
    OnDemand,
    /// Rent for so many years, used or not.
    Reserved {
        /// Length in years of 365 days.
        years: f64,
    },
    /// Rent for the hours used, but at least for those committed.
    TakeOrPay {
        /// Length in years of 365 days.
        years: f64,
        /// Share of all its GPU-hours that are paid whether they are used or not, 0..=1.
        committed: f64,
    },
    /// Bought and written off.
    Owned(Ownership),
}

/// What owning a GPU rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ownership {
    /// Capital spent for a GPU with its share of all else, in USD.
    pub capex_usd_per_gpu: f64,
    /// Years of 365 days over which it is written off.
    pub years: f64,
    /// Cost of capital: interest a year, as a share.
    pub cost_of_capital: f64,
    /// What is left of its price at the end, as a share.
    pub salvage: f64,
}

impl Ownership {
    /// The capital cost of a GPU-hour in USD: the year's annuity over the hours of a year, used or not.
    #[must_use]
    pub fn usd_per_gpu_hour(&self) -> f64 {
        let salvage = self.salvage * self.capex_usd_per_gpu;
        capital_cost(
            self.capex_usd_per_gpu,
            salvage,
            self.cost_of_capital,
            self.years,
        ) / HOURS_PER_YEAR
    }
}

impl Contract {
    /// Its word in the language.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Reserved { .. } => "reserved",
            Self::TakeOrPay { .. } => "take-or-pay",
            Self::Owned(_) => "owned",
        }
    }

    /// Hours for which it binds, from delivery on.
    #[must_use]
    pub fn hours(&self) -> f64 {
        let years = match self {
            Self::OnDemand => 0.0,
            Self::Reserved { years } | Self::TakeOrPay { years, .. } => *years,
            Self::Owned(ownership) => ownership.years,
        };
        years * HOURS_PER_YEAR
    }

    /// Capital cost of a GPU-hour in USD, where it is bought.
    #[must_use]
    pub fn capital_usd_per_gpu_hour(&self) -> f64 {
        match self {
            Self::Owned(ownership) => ownership.usd_per_gpu_hour(),
            _ => 0.0,
        }
    }

    /// The share of a chunk's GPU-hours that are paid as rent when a share `used` of them is used.
    #[must_use]
    pub fn paid_share(&self, used: f64) -> f64 {
        match self {
            Self::TakeOrPay { committed, .. } => used.max(*committed),
            _ => 1.0,
        }
    }

    /// The share of a chunk's GPU-hours that are paid even if none is used.
    #[must_use]
    pub fn committed_share(&self) -> f64 {
        match self {
            Self::OnDemand => 0.0,
            _ => self.paid_share(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_is_paid_and_what_is_used_beyond_too() {
        let contract = Contract::TakeOrPay {
            years: 1.0,
            committed: 0.6,
        };
        assert_eq!(contract.paid_share(0.2), 0.6);
        assert_eq!(contract.paid_share(0.9), 0.9);
        assert_eq!(Contract::Reserved { years: 3.0 }.paid_share(0.2), 1.0);
        assert_eq!(Contract::OnDemand.committed_share(), 0.0);
    }

    #[test]
    fn a_gpu_of_30_000_usd_over_five_years_at_8_percent_costs_7514_usd_a_year() {
        let ownership = Ownership {
            capex_usd_per_gpu: 30_000.0,
            years: 5.0,
            cost_of_capital: 0.08,
            salvage: 0.0,
        };
        let usd = ownership.usd_per_gpu_hour() * HOURS_PER_YEAR;
        assert!((usd - 7_513.693_637_01).abs() < 1e-7, "{usd}");
    }
}
