//! What a GPU-hour is asked for, by provider, accelerator and contract term.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{Provenance, assumed, rows};

const CSV: &str = include_str!("../data/prices.csv");

/// The accelerator of a price that holds for every kind.
const ANY: &str = "any";

/// One price.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Price {
    /// Who asks for it.
    pub provider: String,
    /// For which accelerator; `any`: for each.
    pub accelerator: String,
    /// Contract: on-demand, spot, reserved-1y, multi-year contract ...
    pub term: String,
    /// USD for one GPU and hour.
    pub usd_per_gpu_hour: f64,
    /// The lowest that was seen, where a range is told.
    #[serde(default)]
    pub low: Option<f64>,
    /// The highest.
    #[serde(default)]
    pub high: Option<f64>,
    /// Product name of the provider.
    #[serde(default)]
    pub sku: String,
    /// Class of the number.
    #[serde(default = "assumed")]
    pub provenance: Provenance,
    /// As of when.
    #[serde(default)]
    pub date: String,
    /// Where it was read.
    #[serde(default)]
    pub source: String,
}

impl Price {
    /// Whether it is the price of these; upper and lower case are one.
    #[must_use]
    pub fn is_of(&self, provider: &str, accelerator: &str, term: &str) -> bool {
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        same(&self.provider, provider)
            && same(&self.term, term)
            && (self.accelerator == ANY || same(&self.accelerator, accelerator))
    }
}

static PRICES: LazyLock<Vec<Price>> = LazyLock::new(|| rows(CSV));

/// All prices that are known.
#[must_use]
pub fn prices() -> &'static [Price] {
    &PRICES
}
