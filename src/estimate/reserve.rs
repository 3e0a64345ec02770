//! How many GPUs to hold for the peak, by the newsvendor, beside those that the scenario has.
//!
//! The demand at the peak is taken as normal. Its mean is the fluid model's; its spread is that of the
//! requests in service, whose number is Poisson where arrivals are (the infinite-server queue), and of
//! the measured profile where there is one. A GPU too few loses what its images bring beyond its cost, one too
//! many costs its price.

use serde::Serialize;

use super::fluid::{Fluid, Peak};
use super::supply;
use crate::finance::Newsvendor;
use crate::scenario::Scenario;
use crate::units::SimTime;

/// Below this relative spread the best reserve is the demand itself.
const SPREAD_LEAST: f64 = 0.005;

/// The best reserve for the peak.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reserve {
    /// When the peak is, in seconds after the start.
    pub at_s: f64,
    /// Mean demand in GPUs of the group that is loaded most.
    pub demand_gpus: f64,
    /// Its standard deviation.
    pub demand_sd_gpus: f64,
    /// What a GPU-hour with full batches brings at the price list, in USD.
    pub value_usd_per_gpu_hour: f64,
    /// What a GPU-hour costs, by the chunks that are there, in USD.
    pub cost_usd_per_gpu_hour: f64,
    /// The probability with which the best reserve covers the demand.
    pub critical_ratio: f64,
    /// The best number of GPUs.
    pub optimal_gpus: f64,
    /// The number that the scenario has in service then for that group.
    pub present_gpus: f64,
}

/// The best reserve; `None` where the demand is hardly uncertain, or a GPU costs nothing or brings no more
/// than it costs.
pub(super) fn reserve(scenario: &Scenario, fluid: &Fluid<'_>) -> Option<Reserve> {
    let peak = &fluid.peak;
    let at = SimTime::from_s(peak.at_s);
    let rules = scenario.rules.iter().rev().find(|(from, _)| *from <= at);
    let rules = &rules.unwrap_or(&scenario.rules[0]).1;
    let (gpus, log_variance) = present(scenario, peak);
    let demand = &scenario.demands[*peak.demands.first()?];
    let work = &scenario.works[demand.work];
    let images_per_s = supply::rate_per_s(scenario, rules, &peak.pools, &peak.replicas, (work, 0));
    let value = 3600.0 * images_per_s * work.qualities[0].usd_per_image / gpus;
    let cost = cost_usd_per_gpu_hour(scenario, at)?;
    let requests = peak.load * supply::slots(scenario, rules, &peak.pools, &peak.replicas);
    let spread = libm::sqrt(1.0 / requests + log_variance);
    if !(spread.is_finite() && spread >= SPREAD_LEAST && cost > 0.0 && value > cost) {
        return None;
    }
    let newsvendor = Newsvendor {
        underage_usd: value - cost,
        overage_usd: cost,
    };
    let demand_gpus = peak.load * gpus;
    Some(Reserve {
        at_s: peak.at_s,
        demand_gpus,
        demand_sd_gpus: spread * demand_gpus,
        value_usd_per_gpu_hour: value,
        cost_usd_per_gpu_hour: cost,
        critical_ratio: newsvendor.critical_ratio(),
        optimal_gpus: newsvendor.normal_quantity(demand_gpus, spread * demand_gpus),
        present_gpus: gpus,
    })
}

/// GPUs in service of those that the peak loads, and the largest variance of the logarithm of a profile's speed.
fn present(scenario: &Scenario, peak: &Peak) -> (f64, f64) {
    let (mut gpus, mut log_variance) = (0.0, 0.0_f64);
    for &index in &peak.pools {
        let pool = &scenario.pools[index];
        let of_replica = f64::from(pool.profile.gpus_per_replica);
        gpus += peak.replicas[index] * of_replica;
        if let Some(spread) = &pool.profile.spread {
            let both =
                spread.log_sd * spread.log_sd + spread.scaling_log_sd * spread.scaling_log_sd;
            log_variance = log_variance.max(both);
        }
    }
    (gpus, log_variance)
}

/// The mean cost of a GPU-hour of the chunks that are there, energy left out; `None`: there is none.
fn cost_usd_per_gpu_hour(scenario: &Scenario, at: SimTime) -> Option<f64> {
    let (mut gpus, mut usd) = (0.0, 0.0);
    for chunk in scenario.chunks.iter().filter(|chunk| chunk.delivered <= at) {
        let capital = chunk.contract.map_or(0.0, |c| c.capital_usd_per_gpu_hour());
        let beside = chunk.network_usd_per_gpu_hour + chunk.staff_usd_per_gpu_hour;
        gpus += chunk.gpus as f64;
        usd += chunk.gpus as f64 * (chunk.usd_per_gpu_hour + capital + beside);
    }
    (gpus > 0.0).then(|| usd / gpus)
}
