//! Who supplies GPUs: how many a month, and how long after an order.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{Provenance, assumed, rows};

const CSV: &str = include_str!("../data/providers.csv");

/// One supplier.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Provider {
    /// Name, as scenarios write it: `Azure`.
    pub name: String,
    /// Hyperscaler, GPU cloud, own build.
    #[serde(default)]
    pub kind: String,
    /// GPUs that it can deliver to one customer in a month.
    pub gpus_per_month: f64,
    /// Days from an order to the first delivery, at best.
    pub lead_days_short: f64,
    /// The same, typically.
    pub lead_days_typical: f64,
    /// The same, at worst.
    pub lead_days_long: f64,
    /// Class of the numbers.
    #[serde(default = "assumed")]
    pub provenance: Provenance,
    /// As of when.
    #[serde(default)]
    pub date: String,
    /// Where they were read.
    #[serde(default)]
    pub source: String,
    /// What else to know.
    #[serde(default)]
    pub note: String,
}

static PROVIDERS: LazyLock<Vec<Provider>> = LazyLock::new(|| rows(CSV));

/// All suppliers that are known.
#[must_use]
pub fn providers() -> &'static [Provider] {
    &PROVIDERS
}
