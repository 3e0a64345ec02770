//! What each chunk costs, in one table from which the bill's lines are taken.
//!
//! Capital, rent, power, network and staff add up to the total. Busy, idle and lost time are no further
//! costs: they split capital, rent and power by what the GPUs did in the time paid for. Every amount is in
//! whole cents, and shares of an amount are cut by largest remainders, so parts always add up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Usage;
use super::cents::{split, split_whole};
use super::suppliers;
use crate::finance::HOURS_PER_YEAR;
use crate::scenario::{Chunk, Cluster, Contract, Scenario};
use crate::units::{SimTime, Usd};

/// The chunk to which costs a year are normalised: the 100,000 GPUs that were asked for.
pub const NOMINAL_CHUNK_GPUS: f64 = 100_000.0;

/// What a chunk costs and delivers up to an instant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChunkCost {
    /// Its name.
    pub chunk: String,
    /// Who supplies it.
    pub provider: String,
    /// Of which kind its GPUs are.
    pub accelerator: String,
    /// Who makes them; stated where `suppliers` of the bill are.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vendor: String,
    /// How it is paid for: the contract's word, or the `term`.
    pub contract: String,
    /// How many GPUs.
    pub gpus: u64,
    /// GPU-hours that were paid: since its delivery, less those given back.
    pub gpu_hours: f64,
    /// Share of them with something to do, 0..=1.
    pub utilisation: f64,
    /// Annuity of what was bought.
    pub capital_usd: f64,
    /// Rent, or hosting of what is owned.
    pub rent_usd: f64,
    /// Energy, where the price does not include it.
    pub power_usd: f64,
    /// Network beside the price.
    pub network_usd: f64,
    /// Staff beside the price.
    pub staff_usd: f64,
    /// Sum of the five.
    pub total_usd: f64,
    /// The part of capital, rent and power spent on GPU time with work.
    pub busy_usd: f64,
    /// The part of capital, rent and power spent on GPU time without work.
    pub idle_usd: f64,
    /// The part of capital, rent and power spent on GPU time lost to failures.
    pub failures_usd: f64,
    /// What the contract binds to pay after the instant.
    pub committed_usd: f64,
    /// Images delivered: its share of those of its cluster, by GPU-hours.
    pub images: u64,
    /// USD of all its costs for 1000 of them.
    pub usd_per_1000_images: Option<f64>,
    /// The same by quality.
    pub qualities: Vec<QualityCost>,
    /// Cost of 100,000 such GPUs for a year of 365 days at the same rate; `None`: not there yet.
    pub usd_per_chunk_year: Option<f64>,
    /// Energy with that of the facility; `None`: no power is stated for the chunk.
    pub energy_mwh: Option<f64>,
    /// Tonnes of CO2 equivalent of that energy; `None`: nor is a grid intensity for its cluster.
    pub carbon_t: Option<f64>,
    /// What its vendor gets for all GPUs ordered, whoever pays it: no cost of the chunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_usd: Option<f64>,
}

/// What the images of one quality cost: the total is shared by the work that they took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualityCost {
    /// Name of the work and the quality: `image high`.
    pub quality: String,
    /// Images of it.
    pub images: u64,
    /// Their part of the chunk's total.
    pub usd: f64,
    /// USD for 1000 of them.
    pub usd_per_1000_images: f64,
}

/// Images of one quality that one cluster delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct QualityImages {
    /// Index of the cluster.
    pub cluster: usize,
    /// Index of the work.
    pub work: usize,
    /// Index of the quality of the work.
    pub index: usize,
    /// Name of both: `image high`.
    pub quality: String,
    /// How many.
    pub images: u64,
}

impl QualityImages {
    /// Mean iterations (or seconds of service) of one image.
    fn amount_mean(&self, scenario: &Scenario) -> f64 {
        let quality = &scenario.works[self.work].qualities[self.index];
        quality.amount.mean()
    }
}

/// The table, one row a chunk in the order of the scenario.
pub(super) fn table(scenario: &Scenario, usage: &Usage) -> Vec<ChunkCost> {
    let rows = 0..scenario.chunks.len();
    let mut rows: Vec<ChunkCost> = rows.map(|chunk| costs(scenario, chunk, usage)).collect();
    share_images(scenario, usage, &mut rows);
    if suppliers::are_asked_for(scenario) {
        let each = scenario.chunks.iter().zip(&mut rows);
        each.for_each(|(chunk, row)| suppliers::complete(chunk, row));
    }
    rows.iter_mut()
        .for_each(|row| price_images(scenario, usage, row));
    rows
}

/// Hours for which a chunk has been paid.
pub(super) fn hours(chunk: &Chunk, until: SimTime) -> f64 {
    chunk.paid_hours(until)
}

/// Facility energy in kWh of so many GPU-hours of a chunk: `GPU-hours x (idle + utilisation x (busy - idle)) x PUE`.
fn energy_kwh(chunk: &Chunk, cluster: &Cluster, utilisation: f64, gpu_hours: f64) -> f64 {
    let watts = chunk.idle_w_per_gpu + utilisation * (chunk.busy_w_per_gpu - chunk.idle_w_per_gpu);
    gpu_hours * watts * cluster.power_usage_effectiveness / 1000.0
}

fn costs(scenario: &Scenario, index: usize, usage: &Usage) -> ChunkCost {
    let chunk = &scenario.chunks[index];
    let cluster = &scenario.clusters[chunk.cluster];
    let hours = hours(chunk, usage.until);
    let (gpus, used) = (chunk.gpus as f64, usage.utilisation(chunk.cluster));
    // What was given back costs neither rent nor power.
    let returned = usage.returned(index);
    let gpu_hours = gpus * hours - returned;
    let powered = gpus * chunk.powered_hours(usage.until) - returned;
    let lost = usage.lost(chunk.cluster).clamp(0.0, 1.0);
    let paid = chunk.contract.map_or(1.0, |c| c.paid_share(used));
    let kwh = (chunk.busy_w_per_gpu > 0.0).then(|| energy_kwh(chunk, cluster, used, powered));
    let capital_usd = chunk.contract.map_or(0.0, |c| c.capital_usd_per_gpu_hour());
    let [capital, rent, power, network, staff] = [
        gpus * hours * capital_usd,
        gpu_hours * chunk.usd_per_gpu_hour * paid,
        kwh.map_or(0.0, |kwh| kwh * cluster.power_usd_per_kwh),
        gpu_hours * chunk.network_usd_per_gpu_hour,
        gpu_hours * chunk.staff_usd_per_gpu_hour,
    ]
    .map(Usd::from_usd_to_cents);
    let of_time = split(
        capital + rent + power,
        &[used * (1.0 - lost), (1.0 - used) * (1.0 - lost), lost],
    );
    let [busy, idle, failures] = [0, 1, 2].map(|part| of_time[part].as_usd());
    let total = capital + rent + power + network + staff;
    let contract = chunk.contract.map(|contract| contract.word().to_owned());
    let per_gpu_hour = total.as_usd() / (gpus * hours);
    let year = per_gpu_hour * NOMINAL_CHUNK_GPUS * HOURS_PER_YEAR;
    let carbon_kg = kwh.zip(cluster.grid_kgco2_per_kwh).map(|(a, b)| a * b);
    ChunkCost {
        chunk: chunk.name.clone(),
        provider: chunk.provider.clone(),
        accelerator: chunk.accelerator.clone(),
        contract: contract.unwrap_or_else(|| chunk.term.clone()),
        gpus: chunk.gpus,
        gpu_hours,
        utilisation: used,
        capital_usd: capital.as_usd(),
        rent_usd: rent.as_usd(),
        power_usd: power.as_usd(),
        network_usd: network.as_usd(),
        staff_usd: staff.as_usd(),
        total_usd: total.as_usd(),
        busy_usd: busy,
        idle_usd: idle,
        failures_usd: failures,
        committed_usd: committed(chunk, hours).as_usd(),
        usd_per_chunk_year: (hours > 0.0).then_some(year),
        energy_mwh: kwh.map(|kwh| kwh / 1000.0),
        carbon_t: carbon_kg.map(|kg| kg / 1000.0),
        ..ChunkCost::default()
    }
}

/// What the contract binds to pay when `hours` of it have passed.
fn committed(chunk: &Chunk, hours: f64) -> Usd {
    let owed = |contract: Contract| {
        let left_h = (contract.hours() - hours).max(0.0);
        let rent = contract.committed_share() * chunk.usd_per_gpu_hour;
        chunk.gpus as f64 * left_h * (rent + contract.capital_usd_per_gpu_hour())
    };
    Usd::from_usd_to_cents(chunk.contract.map_or(0.0, owed))
}

/// Shares the images of each cluster over its chunks by GPU-hours.
fn share_images(scenario: &Scenario, usage: &Usage, rows: &mut [ChunkCost]) {
    for images in &usage.images_by_quality {
        let here: Vec<usize> = (0..rows.len())
            .filter(|&row| scenario.chunks[row].cluster == images.cluster)
            .collect();
        let weights: Vec<f64> = here.iter().map(|&row| rows[row].gpu_hours).collect();
        let parts = split_whole(images.images, &weights);
        for (&row, part) in here.iter().zip(parts).filter(|(_, part)| *part > 0) {
            rows[row].images += part;
            rows[row].qualities.push(QualityCost {
                quality: images.quality.clone(),
                images: part,
                ..QualityCost::default()
            });
        }
    }
}

/// Shares the cost of a chunk over its images by the work that they took.
fn price_images(scenario: &Scenario, usage: &Usage, row: &mut ChunkCost) {
    if row.images == 0 {
        return;
    }
    let work = |quality: &QualityCost| {
        let mut known = usage.images_by_quality.iter();
        let images = known.find(|images| images.quality == quality.quality);
        quality.images as f64 * images.map_or(0.0, |images| images.amount_mean(scenario))
    };
    let weights: Vec<f64> = row.qualities.iter().map(work).collect();
    let parts = split(Usd::from_usd_to_cents(row.total_usd), &weights);
    for (quality, part) in row.qualities.iter_mut().zip(parts) {
        quality.usd = part.as_usd();
        quality.usd_per_1000_images = 1000.0 * quality.usd / quality.images as f64;
    }
    row.usd_per_1000_images = Some(1000.0 * row.total_usd / row.images as f64);
}
