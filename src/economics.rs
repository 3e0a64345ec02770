//! What a fleet costs and what comes in: usage and prices to a bill.
//!
//! Every line is rounded to whole cents when it is made, and totals are exact sums of lines, so the
//! table, the JSON and the figure agree to the cent.

mod cents;
mod chunks;
pub mod investment;
mod lines;
mod suppliers;

pub use chunks::{ChunkCost, NOMINAL_CHUNK_GPUS, QualityCost, QualityImages};
pub use suppliers::{SupplierCost, SupplierKind};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::{Scenario, Tier};
use crate::units::{SimTime, Usd};

/// The bill and the income; every line is a whole number of cents, and totals are sums of lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// What the fleet cost.
    pub costs: Vec<MoneyLine>,
    /// Sum of `costs`.
    pub cost_total_usd: f64,
    /// What came in.
    pub income: Vec<MoneyLine>,
    /// Sum of `income`.
    pub income_total_usd: f64,
    /// USD of cost for each 1000 images delivered.
    pub usd_per_1000_images: Option<f64>,
    /// What the images delivered would have brought at the price list: a measure, not an income.
    pub list_value_usd: f64,
    /// What the refused and abandoned requests would have brought at the price list.
    pub lost_list_value_usd: f64,
    /// What each chunk cost; its parts add up to `cost_total_usd`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chunks: Vec<ChunkCost>,
    /// The same by provider and by vendor, where the chunks are of several vendors or state a purchase price.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppliers: Vec<SupplierCost>,
}

/// One line of the bill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MoneyLine {
    /// What for: the chunk's name, `power <cluster>`, `subscriptions <tier>` ...
    pub what: String,
    /// How much of what it rests on, in words: `24000 GPUs x 216 h x 2.10 USD`.
    pub basis: String,
    /// Dollars, whole cents.
    pub usd: f64,
}

/// What was used and delivered up to an instant; all that the bill depends on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Up to when.
    pub until: SimTime,
    /// By cluster: share of the replicas' time with something to do, 0..=1.
    pub utilisation: Vec<f64>,
    /// By cluster: share of the replicas' time lost to failures, 0..=1; nothing where it has no entry.
    pub lost: Vec<f64>,
    /// By tier: price list value of the images delivered, in 1e-6 USD.
    pub list_value_micro_usd: Vec<u64>,
    /// Images delivered.
    pub images: u64,
    /// The same by cluster, work and quality.
    pub images_by_quality: Vec<QualityImages>,
    /// Requests refused, given up or lost, priced at the standard quality, in USD.
    pub lost_list_value_usd: f64,
    /// New subscribers by tier.
    pub subscribers: Vec<u64>,
    /// By chunk: GPU-hours on demand that were given back and cost nothing; empty where none were.
    pub returned_gpu_hours: Vec<f64>,
}

impl Usage {
    /// GPU-hours of a chunk that were given back.
    fn returned(&self, chunk: usize) -> f64 {
        self.returned_gpu_hours.get(chunk).copied().unwrap_or(0.0)
    }

    fn utilisation(&self, cluster: usize) -> f64 {
        self.utilisation.get(cluster).copied().unwrap_or(0.0)
    }

    fn lost(&self, cluster: usize) -> f64 {
        self.lost.get(cluster).copied().unwrap_or(0.0)
    }
}

/// The bill and the income up to `usage.until`.
///
/// A chunk costs what its contract says, without one its GPUs times its price from its delivery on, used or
/// not; the amounts are those of the table of chunks. A new subscriber pays the first month at once.
#[must_use]
pub fn bill(scenario: &Scenario, usage: &Usage) -> Money {
    let chunks = chunks::table(scenario, usage);
    let costs = lines::costs(scenario, usage, &chunks);
    let mut income = Vec::new();
    for (index, tier) in scenario.tiers.iter().enumerate() {
        income.extend(subscriptions(
            tier,
            usage.subscribers.get(index).copied().unwrap_or(0),
        ));
        if tier.pays_per_image {
            let usd = usage.list_value_micro_usd[index] as f64 / 1e6;
            let what = format!("images {}", tier.name);
            income.push(line(what, "price list".into(), usd));
        }
    }
    let cost_total = total(&costs);
    let list_value: u64 = usage.list_value_micro_usd.iter().sum();
    let thousands = usage.images as f64 / 1000.0;
    Money {
        cost_total_usd: cost_total.as_usd(),
        income_total_usd: total(&income).as_usd(),
        usd_per_1000_images: (usage.images > 0).then(|| cost_total.as_usd() / thousands),
        list_value_usd: Usd::from_usd_to_cents(list_value as f64 / 1e6).as_usd(),
        lost_list_value_usd: Usd::from_usd_to_cents(usage.lost_list_value_usd).as_usd(),
        costs,
        income,
        suppliers: suppliers::sums(scenario, &chunks, usage.until),
        chunks,
    }
}

fn subscriptions(tier: &Tier, subscribers: u64) -> Option<MoneyLine> {
    let usd = subscribers as f64 * tier.subscription_usd_per_month;
    let basis = format!(
        "{subscribers} new subscribers x {} USD, first month",
        tier.subscription_usd_per_month
    );
    (usd > 0.0).then(|| line(format!("subscriptions {}", tier.name), basis, usd))
}

fn line(what: String, basis: String, usd: f64) -> MoneyLine {
    MoneyLine {
        what,
        basis,
        usd: Usd::from_usd_to_cents(usd).as_usd(),
    }
}

fn total(lines: &[MoneyLine]) -> Usd {
    lines
        .iter()
        .map(|line| Usd::from_usd_to_cents(line.usd))
        .sum()
}

#[cfg(test)]
mod tests;
