//! What an accelerator is sold for: the part of an order that its maker gets.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{Provenance, assumed, rows};

const CSV: &str = include_str!("../data/purchases.csv");

/// One purchase price.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Purchase {
    /// Of which accelerator.
    pub accelerator: String,
    /// USD for one, without its server.
    pub usd_per_gpu: f64,
    /// The lowest that was told, where there is a range.
    #[serde(default)]
    pub low: Option<f64>,
    /// The highest.
    #[serde(default)]
    pub high: Option<f64>,
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

static PURCHASES: LazyLock<Vec<Purchase>> = LazyLock::new(|| rows(CSV));

/// All purchase prices that are known.
#[must_use]
pub fn purchases() -> &'static [Purchase] {
    &PURCHASES
}
