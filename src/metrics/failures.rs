//! What failures and planned work cost: by cluster and cause.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::{Pool, Reliability, Scenario};
use crate::sim::{CauseTally, FailureTally, Simulation};
use crate::units::SimDuration;

/// What failed in a cluster in the time that was measured, and what that cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SiteSummary {
    /// Name of the cluster.
    pub name: String,
    /// GPUs of one replica, all of which it needs.
    pub gpus_per_replica: u32,
    /// Nodes in which it stands.
    pub nodes_per_replica: u64,
    /// By cause.
    pub causes: Vec<CauseSummary>,
    /// What planned work did; `None`: there was none.
    pub planned: Option<CauseSummary>,
    /// Failures of all causes.
    pub failures: u64,
    /// Mean time between them in seconds; `None`: there was none.
    pub between_failures_s: Option<f64>,
    /// Share of the replicas' time in which nothing in which they stand was down, planned work aside.
    pub availability: Option<f64>,
    /// Replica-hours that failures took.
    pub replica_hours_lost: f64,
    /// Replica-hours that planned work took beside them.
    pub replica_hours_planned: f64,
    /// GPU-hours of both.
    pub gpu_hours_lost: f64,
    /// Most replicas down at once by failures.
    pub down_max: u64,
    /// Attempts that failed with their replica.
    pub lost: u64,
    /// Attempts that waited again.
    pub requeued: u64,
    /// Crews; `None`: as many as there are repairs.
    pub crews: Option<u32>,
    /// Mean number of crews at work.
    pub crews_at_work_mean: f64,
    /// Share of the crews' time at work, where they are limited.
    pub crew_utilisation: Option<f64>,
    /// Mean number of repairs that waited for a crew.
    pub repairs_waiting_mean: f64,
    /// Spare nodes at the start.
    pub spares: u32,
    /// Times a spare took the place of a broken node.
    pub spares_used: u64,
    /// Fewest that stood ready.
    pub spares_least: u64,
}

/// What one cause did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CauseSummary {
    /// `table/name`.
    pub name: String,
    /// How often it happened to something that was up; of planned work: replicas that were taken out.
    pub failures: u64,
    /// Replicas that stood in it.
    pub replicas: u64,
    /// Attempts that failed.
    pub lost: u64,
    /// Attempts that waited again.
    pub requeued: u64,
}

/// By cluster in which something fails or is maintained.
pub(super) fn sites(
    scenario: &Scenario,
    simulation: &Simulation,
    measured: SimDuration,
) -> Vec<SiteSummary> {
    let site = |(index, tally): (usize, FailureTally)| {
        let cluster = &scenario.clusters[index];
        let pool = scenario.pools.iter().find(|pool| pool.cluster == index)?;
        let reliability = cluster.reliability.as_ref()?;
        Some(summary(&cluster.name, pool, reliability, &tally, measured))
    };
    simulation.failures().filter_map(site).collect()
}

fn summary(
    name: &str,
    pool: &Pool,
    reliability: &Reliability,
    tally: &FailureTally,
    measured: SimDuration,
) -> SiteSummary {
    let hours = |integral_ns: u128| integral_ns as f64 / 3.6e12;
    let mean = |integral_ns: u128| integral_ns as f64 / measured.0.max(1) as f64;
    let cause = |name: &str, tally: &CauseTally| CauseSummary {
        name: name.to_owned(),
        failures: tally.failures,
        replicas: tally.replicas,
        lost: tally.lost,
        requeued: tally.requeued,
    };
    let known = reliability.causes.iter().zip(&tally.causes);
    let causes: Vec<CauseSummary> = known
        .map(|(known, tally)| cause(&known.name, tally))
        .collect();
    let planned = reliability.maintenance.as_ref();
    let planned = planned.map(|_| cause("planned work", &tally.planned));
    let all = || causes.iter().chain(&planned);
    let failures = causes.iter().map(|cause| cause.failures).sum::<u64>();
    let gpus = f64::from(pool.profile.gpus_per_replica);
    let installed = tally.installed_ns as f64;
    SiteSummary {
        name: name.to_owned(),
        gpus_per_replica: pool.profile.gpus_per_replica,
        nodes_per_replica: reliability.topology.nodes_per_replica(),
        failures,
        between_failures_s: (failures > 0).then(|| measured.as_s() / failures as f64),
        availability: (installed > 0.0).then(|| 1.0 - tally.down_ns as f64 / installed),
        replica_hours_lost: hours(tally.down_ns),
        replica_hours_planned: hours(tally.maintained_ns),
        gpu_hours_lost: hours(tally.down_ns + tally.maintained_ns) * gpus,
        down_max: tally.down_max,
        lost: all().map(|cause| cause.lost).sum(),
        requeued: all().map(|cause| cause.requeued).sum(),
        crews: reliability.crews,
        crews_at_work_mean: mean(tally.at_work_ns),
        crew_utilisation: reliability
            .crews
            .map(|crews| mean(tally.at_work_ns) / f64::from(crews)),
        repairs_waiting_mean: mean(tally.waiting_ns),
        spares: reliability.spares,
        spares_used: tally.swaps,
        spares_least: tally.spares_least.min(reliability.spares.into()),
        causes,
        planned,
    }
}
