//! The share of replicas that is up, in the mean: what fails and is mended, and planned work.
//!
//! Nodes begin unbroken and break in; everything else is taken as in its steady state, and a cause that ages at its mean
//! rate over the run. Planned work goes round after round, each group out while it drains and while it lasts.

use super::availability::{Nodes, expected};
use crate::queueing::weibull_failures;
use crate::scenario::{Cluster, Maintenance, Reliability, Scenario, Topology};
use crate::units::{SimDuration, SimTime};

/// How much of each cluster is up.
pub(super) struct Uptime<'a> {
    clusters: Vec<Option<OfCluster<'a>>>,
}

struct OfCluster<'a> {
    /// Share of the time for which a replica is not broken, with all its nodes up.
    availability: f64,
    nodes: Option<Nodes>,
    planned: Option<(&'a Maintenance, &'a Topology)>,
}

impl<'a> Uptime<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        let of_cluster = |(index, cluster): (usize, &'a Cluster)| {
            let reliability = cluster.reliability.as_ref()?;
            let pools = scenario.pools.iter().filter(|pool| pool.cluster == index);
            let delivered = pools.flat_map(|pool| &pool.deliveries);
            let replicas = delivered.map(|delivery| u64::from(delivery.1)).sum();
            let planned = reliability.maintenance.as_ref();
            let mean = over_the_run(reliability, scenario.horizon);
            let (availability, nodes) = expected(&mean, replicas);
            Some(OfCluster {
                availability,
                nodes,
                planned: planned.map(|plan| (plan, &reliability.topology)),
            })
        };
        Self {
            clusters: scenario
                .clusters
                .iter()
                .enumerate()
                .map(of_cluster)
                .collect(),
        }
    }

    /// A step passes; by cluster, given how many replicas are there: the mean share of them that is up in it.
    pub(super) fn pass(&mut self, replicas: &[u64], (from, until): (SimTime, SimTime)) -> Vec<f64> {
        let seconds = (until - from).as_s();
        let share = |(of, &replicas): (&mut Option<OfCluster<'_>>, &u64)| {
            let Some(of) = of else {
                return 1.0;
            };
            let planned = of.planned.map_or(0.0, |(plan, topology)| {
                let rounds = Rounds::new(plan, topology, replicas);
                let under_way_s = rounds.under_way_s(until) - rounds.under_way_s(from);
                rounds.out_share * under_way_s / seconds
            });
            let nodes = of.nodes.as_mut().map_or(1.0, |nodes| nodes.pass(seconds));
            of.availability * nodes * (1.0 - planned)
        };
        self.clusters.iter_mut().zip(replicas).map(share).collect()
    }
}

/// The same, each cause that ages at its mean rate over the run.
fn over_the_run(reliability: &Reliability, horizon: SimDuration) -> Reliability {
    let mut mean = reliability.clone();
    let age_s = horizon.as_s();
    for cause in &mut mean.causes {
        if let Some(shape) = cause.weibull_shape.filter(|_| cause.rate_per_s > 0.0) {
            cause.rate_per_s = weibull_failures(1.0, age_s, 1.0 / cause.rate_per_s, shape) / age_s;
        }
    }
    mean
}

/// Rounds of planned work on so many replicas.
struct Rounds {
    first_s: f64,
    lasts_s: f64,
    /// From the begin of one to that of the next: one that would begin while another goes on is left out.
    every_s: f64,
    /// The part of the replicas that is out, in the mean over a round.
    out_share: f64,
}

impl Rounds {
    fn new(plan: &Maintenance, topology: &Topology, replicas: u64) -> Self {
        let at_most = (plan.at_most * replicas as f64) as u64;
        let groups = replicas.div_ceil(topology.whole_nodes(at_most));
        let group_s = plan.drain.as_s() + plan.lasts.as_s();
        let (lasts_s, every_s) = (groups as f64 * group_s, plan.every.as_s());
        Self {
            first_s: plan.first.as_s(),
            lasts_s,
            every_s: (libm::floor(lasts_s / every_s) + 1.0) * every_s,
            out_share: 1.0 / groups.max(1) as f64,
        }
    }

    /// Seconds of rounds up to a time.
    fn under_way_s(&self, until: SimTime) -> f64 {
        let since_s = (until.as_s() - self.first_s).max(0.0);
        let rounds = libm::floor(since_s / self.every_s);
        rounds * self.lasts_s + (since_s - rounds * self.every_s).min(self.lasts_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Interrupted;

    #[test]
    fn planned_work_is_counted_group_by_group() {
        // Ten replicas in nodes of two, three at a time: one node. Five groups of an hour in each day.
        let topology = Topology {
            gpus_per_replica: 4,
            gpus_per_node: 8,
            nodes_per_rack: 4,
            nodes_per_power_domain: 32,
        };
        let mut plan = Maintenance {
            first: SimDuration::from_s(7200.0),
            every: SimDuration::from_s(86_400.0),
            drain: SimDuration::from_s(600.0),
            lasts: SimDuration::from_s(3000.0),
            at_most: 0.3,
            running: Interrupted::Requeued,
        };
        let out = |plan: &Maintenance, hours: [f64; 2]| {
            let [from, until] = hours.map(|hours| SimTime::from_s(3600.0 * hours));
            let rounds = Rounds::new(plan, &topology, 10);
            rounds.out_share * (rounds.under_way_s(until) - rounds.under_way_s(from)) / 3600.0
        };
        let cases = [
            ([0.0, 2.0], 0.0),
            ([2.0, 4.0], 0.4),
            ([6.0, 26.0], 0.2),
            ([0.0, 240.0], 10.0),
        ];
        for (hours, exact) in cases {
            assert!((out(&plan, hours) - exact).abs() < 1e-9, "{hours:?}");
        }
        // Every three hours: the next begins at 8, when the five hours from 2 are over.
        plan.every = SimDuration::from_s(3.0 * 3600.0);
        for (hours, exact) in [([7.0, 8.0], 0.0), ([8.0, 9.0], 0.2)] {
            assert!((out(&plan, hours) - exact).abs() < 1e-9, "{hours:?}");
        }
    }
}
