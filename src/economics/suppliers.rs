//! Who supplies the chunks, and what it brings them: sums of the table of chunks by provider and by vendor.
//!
//! A provider is paid the rent, which is the revenue of a cloud from the GPU-hours consumed. The vendor of the
//! accelerators is paid once for each GPU that was ordered, by whoever buys it; that is no cost of the chunk, whose
//! rent or capital contains it already. The sums of each grouping add up to those of all chunks, to the cent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ChunkCost;
use crate::scenario::{Chunk, Scenario};
use crate::units::{SimTime, Usd};

/// Name of a vendor of which the catalog knows nothing.
const UNKNOWN: &str = "unknown";

/// By what chunks are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SupplierKind {
    /// Who rents the GPUs out, or hosts them.
    Provider,
    /// Who makes the accelerators.
    Vendor,
}

impl SupplierKind {
    /// In one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Vendor => "vendor",
        }
    }

    fn of(self, row: &ChunkCost) -> &str {
        match self {
            Self::Provider => &row.provider,
            Self::Vendor => &row.vendor,
        }
    }
}

/// All chunks of one provider or one vendor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SupplierCost {
    /// Which of the two.
    pub kind: SupplierKind,
    /// Its name.
    pub name: String,
    /// How many GPUs were ordered.
    pub gpus: u64,
    /// How many of them have arrived and were accepted.
    pub arrived_gpus: u64,
    /// GPU-hours that were paid.
    pub gpu_hours: f64,
    /// Images delivered.
    pub images: u64,
    /// Rent: the provider's revenue.
    pub rent_usd: f64,
    /// All costs.
    pub total_usd: f64,
    /// USD of them for 1000 images.
    pub usd_per_1000_images: Option<f64>,
    /// Energy with that of the facilities; `None`: no power is stated.
    pub energy_mwh: Option<f64>,
    /// What the vendors get for the GPUs ordered; `None`: no purchase price is stated.
    pub purchase_usd: Option<f64>,
}

/// Whether the scenario asks who supplies: its accelerators are of several vendors, or it states what one gets.
pub(super) fn are_asked_for(scenario: &Scenario) -> bool {
    let mut chunks = scenario.chunks.iter();
    let first = scenario.chunks.first();
    chunks.any(|chunk| {
        let another = first.is_some_and(|first| first.vendor != chunk.vendor);
        another || chunk.purchase_usd_per_gpu.is_some()
    })
}

/// Completes a row of the table of chunks.
pub(super) fn complete(chunk: &Chunk, row: &mut ChunkCost) {
    row.vendor = match chunk.vendor.is_empty() {
        true => UNKNOWN.to_owned(),
        false => chunk.vendor.clone(),
    };
    let purchase = |usd: f64| Usd::from_usd_to_cents(chunk.gpus as f64 * usd).as_usd();
    row.purchase_usd = chunk.purchase_usd_per_gpu.map(purchase);
}

/// The sums by provider, then by vendor, each in the order of the chunks; none where they are not asked for.
pub(super) fn sums(scenario: &Scenario, rows: &[ChunkCost], until: SimTime) -> Vec<SupplierCost> {
    let mut sums: Vec<SupplierCost> = Vec::new();
    if !are_asked_for(scenario) {
        return sums;
    }
    for kind in [SupplierKind::Provider, SupplierKind::Vendor] {
        let first = sums.len();
        for (chunk, row) in scenario.chunks.iter().zip(rows) {
            let one = SupplierCost::of_chunk(kind, row, chunk.arrived_gpus(until));
            let mut known = sums[first..].iter_mut();
            match known.find(|sum| sum.name == one.name) {
                Some(sum) => sum.add(&one),
                None => sums.push(one),
            }
        }
    }
    sums
}

impl SupplierCost {
    fn of_chunk(kind: SupplierKind, row: &ChunkCost, arrived_gpus: u64) -> Self {
        Self {
            kind,
            name: kind.of(row).to_owned(),
            gpus: row.gpus,
            arrived_gpus,
            gpu_hours: row.gpu_hours,
            images: row.images,
            rent_usd: row.rent_usd,
            total_usd: row.total_usd,
            usd_per_1000_images: row.usd_per_1000_images,
            energy_mwh: row.energy_mwh,
            purchase_usd: row.purchase_usd,
        }
    }

    /// Adds what another has; amounts are added in cents.
    pub fn add(&mut self, other: &Self) {
        let usd = |one: f64, other: f64| {
            let [one, other] = [one, other].map(Usd::from_usd_to_cents);
            (one + other).as_usd()
        };
        let known = |one: Option<f64>, other: Option<f64>, add: &dyn Fn(f64, f64) -> f64| match (
            one, other,
        ) {
            (Some(one), Some(other)) => Some(add(one, other)),
            (one, other) => one.or(other),
        };
        self.gpus += other.gpus;
        self.arrived_gpus += other.arrived_gpus;
        self.gpu_hours += other.gpu_hours;
        self.images += other.images;
        self.rent_usd = usd(self.rent_usd, other.rent_usd);
        self.total_usd = usd(self.total_usd, other.total_usd);
        let thousands = self.images as f64 / 1000.0;
        self.usd_per_1000_images = (self.images > 0).then(|| self.total_usd / thousands);
        self.energy_mwh = known(self.energy_mwh, other.energy_mwh, &|a, b| a + b);
        self.purchase_usd = known(self.purchase_usd, other.purchase_usd, &usd);
    }
}
