//! Where requests went: from each region with users to the regions with sites.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::Scenario;
use crate::sim::Simulation;

/// What became of the requests of users in a region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RegionSummary {
    /// Name of the region.
    pub name: String,
    /// Requests that users there sent to a site.
    pub sent: u64,
    /// By region with sites.
    pub went: Vec<Went>,
    /// Mean time on the network there and back, in seconds; `None`: nothing was sent.
    pub network_s: Option<f64>,
}

/// Requests that went to sites in a region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Went {
    /// Name of the region.
    pub to: String,
    /// How many.
    pub requests: u64,
    /// Time on the network there and back, in seconds.
    pub round_trip_s: f64,
}

/// By region with users, where sites stand in several; else nothing.
pub(super) fn regions(scenario: &Scenario, simulation: &Simulation) -> Vec<RegionSummary> {
    let site = |pool: usize| scenario.clusters[scenario.pools[pool].cluster].region;
    let count = scenario.regions.len();
    let mut went = vec![vec![0_u64; count]; count];
    for (demand, sent) in scenario.demands.iter().zip(simulation.sent()) {
        for (pool, sent) in sent.into_iter().enumerate() {
            went[demand.region][site(pool)] += sent;
        }
    }
    let has_site = |region: &usize| (0..scenario.pools.len()).any(|pool| site(pool) == *region);
    let sites: Vec<usize> = (0..count).filter(has_site).collect();
    let knows_distances = scenario
        .regions
        .iter()
        .any(|region| region.knows_distances());
    if sites.len() < 2 && !knows_distances {
        return Vec::new();
    }
    let has_users = |home: &usize| scenario.demands.iter().any(|demand| demand.region == *home);
    let summary = |home: usize| {
        let sent: u64 = went[home].iter().sum();
        let round_trip_s = |there: usize| {
            let (out, back) = (&scenario.regions[home], &scenario.regions[there]);
            out.delay_to(there).as_s() + back.delay_to(home).as_s()
        };
        let to = |&there: &usize| Went {
            to: scenario.regions[there].name.clone(),
            requests: went[home][there],
            round_trip_s: round_trip_s(there),
        };
        let went: Vec<Went> = sites.iter().map(to).collect();
        let ways = went
            .iter()
            .map(|way| way.requests as f64 * way.round_trip_s);
        let network_s: f64 = ways.sum();
        RegionSummary {
            name: scenario.regions[home].name.clone(),
            sent,
            network_s: (sent > 0).then(|| network_s / sent as f64),
            went,
        }
    };
    (0..count).filter(has_users).map(summary).collect()
}
