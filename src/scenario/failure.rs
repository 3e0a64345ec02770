//! What fails: causes with rates and repairs, crews and spares, planned maintenance; and where replicas stand.
//!
//! GPUs stand in nodes, nodes in racks, racks in power domains, and those on a site. A replica that takes a node
//! or more has whole nodes; smaller ones share a node. Replicas are numbered over the pools of a cluster in the
//! order of their delivery, and stand in this order.

use std::ops::Range;

use crate::random::Law;
use crate::units::SimDuration;

/// How a cluster fails, and how it is mended.
#[derive(Clone, Debug, PartialEq)]
pub struct Reliability {
    /// Where its replicas stand.
    pub topology: Topology,
    /// Why something fails, by table and name.
    pub causes: Vec<Cause>,
    /// Repairs at a time; `None`: as many as there are. A restart needs no crew.
    pub crews: Option<u32>,
    /// Cold nodes that take the place of broken ones, which become spares when they are repaired.
    pub spares: u32,
    /// How long it takes until a spare has taken the place, in seconds.
    pub swap_s: Law,
    /// Planned work on all replicas, a few at a time.
    pub maintenance: Option<Maintenance>,
}

/// A part of a site that fails as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// One GPU. Its repair takes its node out; a restart only its replica.
    Gpu,
    /// One node.
    Node,
    /// One rack.
    Rack,
    /// What hangs on one feed of power.
    PowerDomain,
    /// The whole cluster.
    Site,
}

/// Why something fails, and what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// `table/name`.
    pub name: String,
    /// What fails.
    pub level: Level,
    /// Failures a second of each unit of that level.
    pub rate_per_s: f64,
    /// Shape of the Weibull law of the age at the first failure, whose mean is 1 / `rate_per_s`; a repair leaves
    /// the age as it is (minimal repair, Barlow and Hunter 1960). `None`: exponential, so age does not matter.
    pub weibull_shape: Option<f64>,
    /// What brings it back.
    pub repair: RepairClass,
    /// How long that takes, in seconds.
    pub repair_s: Law,
    /// What becomes of running requests.
    pub running: Interrupted,
}

/// What brings back what failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepairClass {
    /// It starts again by itself; no crew is needed.
    Restart,
    /// A crew mends it where it stands.
    Field,
    /// A crew replaces parts.
    Replacement,
}

/// What becomes of requests that run where something fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// They fail.
    Lost,
    /// They start again from zero.
    Requeued,
    /// They go on from the last step that was kept.
    Kept {
        /// A step is kept after each so many iterations of the request.
        every: u64,
    },
}

/// Planned work: replicas take nobody more, and are out for a while, a few at a time, one group after another.
#[derive(Clone, Debug, PartialEq)]
pub struct Maintenance {
    /// When it begins for the first time, after the start.
    pub first: SimDuration,
    /// How often it begins; a round that is not over then goes on, and the next one is left out.
    pub every: SimDuration,
    /// How long a group drains before it is taken out.
    pub drain: SimDuration,
    /// How long a group is out.
    pub lasts: SimDuration,
    /// Most replicas at a time, as a share of all; one at least.
    pub at_most: f64,
    /// What becomes of requests that still run when their replica is taken out.
    pub running: Interrupted,
}

/// A unit that is up or down as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// A replica, by number.
    Replica(u64),
    /// A node.
    Node(u64),
    /// A rack.
    Rack(u64),
    /// A power domain.
    PowerDomain(u64),
    /// All.
    Site,
}

/// How many stand in what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topology {
    /// GPUs of one replica.
    pub gpus_per_replica: u32,
    /// GPUs of one node.
    pub gpus_per_node: u32,
    /// Nodes of one rack.
    pub nodes_per_rack: u32,
    /// Nodes of one power domain: whole racks.
    pub nodes_per_power_domain: u32,
}

impl Topology {
    /// Replicas that share one node; 1 where one takes a node or more.
    #[must_use]
    pub fn replicas_per_node(&self) -> u64 {
        u64::from((self.gpus_per_node / self.gpus_per_replica).max(1))
    }

    /// Nodes that one replica takes; 1 where several share one.
    #[must_use]
    pub fn nodes_per_replica(&self) -> u64 {
        u64::from(self.gpus_per_replica.div_ceil(self.gpus_per_node))
    }

    /// The replicas, of at most so many, that share no node with others; one node at least, or what of it is asked for.
    #[must_use]
    pub fn whole_nodes(&self, at_most: u64) -> u64 {
        let each = self.replicas_per_node();
        (at_most / each * each).max(at_most.min(each)).max(1)
    }

    /// Nodes in which so many replicas stand.
    #[must_use]
    pub fn nodes(&self, replicas: u64) -> u64 {
        replicas.div_ceil(self.replicas_per_node()) * self.nodes_per_replica()
    }

    /// Units of a level in which so many replicas stand.
    #[must_use]
    pub fn units(&self, level: Level, replicas: u64) -> u64 {
        match level {
            Level::Gpu => replicas * u64::from(self.gpus_per_replica),
            Level::Node => self.nodes(replicas),
            Level::Rack => self.nodes(replicas).div_ceil(self.nodes_per_rack.into()),
            Level::PowerDomain => self
                .nodes(replicas)
                .div_ceil(self.nodes_per_power_domain.into()),
            Level::Site => u64::from(replicas > 0),
        }
    }

    /// What is down when a unit of a level fails, given how it comes back.
    #[must_use]
    pub fn unit(&self, level: Level, number: u64, repair: RepairClass) -> Unit {
        match (level, repair) {
            (Level::Gpu, RepairClass::Restart) => {
                Unit::Replica(number / u64::from(self.gpus_per_replica))
            }
            (Level::Gpu, RepairClass::Field | RepairClass::Replacement) => {
                Unit::Node(self.node_of_gpu(number))
            }
            (Level::Node, _) => Unit::Node(number),
            (Level::Rack, _) => Unit::Rack(number),
            (Level::PowerDomain, _) => Unit::PowerDomain(number),
            (Level::Site, _) => Unit::Site,
        }
    }

    fn node_of_gpu(&self, gpu: u64) -> u64 {
        let of_replica = u64::from(self.gpus_per_replica);
        let (replica, within) = (gpu / of_replica, gpu % of_replica);
        match self.replicas_per_node() {
            1 => replica * self.nodes_per_replica() + within / u64::from(self.gpus_per_node),
            several => replica / several,
        }
    }

    /// The replicas, of so many, that stand in a unit.
    #[must_use]
    pub fn replicas_in(&self, unit: Unit, replicas: u64) -> Range<u64> {
        let within = |number: u64, nodes: u32| {
            let nodes = u64::from(nodes);
            self.replicas_at(number * nodes..(number + 1) * nodes)
        };
        let range = match unit {
            Unit::Replica(number) => number..number + 1,
            Unit::Node(number) => self.replicas_at(number..number + 1),
            Unit::Rack(number) => within(number, self.nodes_per_rack),
            Unit::PowerDomain(number) => within(number, self.nodes_per_power_domain),
            Unit::Site => 0..replicas,
        };
        range.start.min(replicas)..range.end.min(replicas)
    }

    fn replicas_at(&self, nodes: Range<u64>) -> Range<u64> {
        let (each, wide) = (self.replicas_per_node(), self.nodes_per_replica());
        match each {
            1 => nodes.start / wide..nodes.end.div_ceil(wide),
            several => nodes.start * several..nodes.end * several,
        }
    }

    /// The structure of a fleet of `scale` times the size. A rack or power domain of a smaller fleet holds as much
    /// smaller a part of it, so that a failure takes the same share and comes as often, down to one node or one
    /// replica; from there on failures are fewer and each takes a larger share, with the same mean.
    #[must_use]
    pub fn scaled(&self, scale: f64) -> Self {
        let least = u32::try_from(self.nodes_per_replica()).unwrap_or(u32::MAX);
        let smaller = |nodes: u32| {
            let scaled = (f64::from(nodes) * scale.min(1.0)).round() as u32;
            scaled.max(least.min(nodes)).max(1)
        };
        let rack = smaller(self.nodes_per_rack);
        let domain = smaller(self.nodes_per_power_domain);
        Self {
            nodes_per_rack: rack,
            // Whole racks.
            nodes_per_power_domain: domain.div_ceil(rack) * rack,
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology(gpus_per_replica: u32) -> Topology {
        Topology {
            gpus_per_replica,
            gpus_per_node: 8,
            nodes_per_rack: 4,
            nodes_per_power_domain: 32,
        }
    }

    /// Counted one by one: which nodes each GPU of each replica stands in.
    #[test]
    fn what_stands_where_agrees_with_a_count() {
        for gpus in [1, 2, 3, 8, 9, 16, 72] {
            let (topology, replicas) = (topology(gpus), 200);
            let units = topology.units(Level::Gpu, replicas);
            let mut nodes = std::collections::BTreeMap::<u64, Vec<u64>>::new();
            for gpu in 0..units {
                let Unit::Node(node) = topology.unit(Level::Gpu, gpu, RepairClass::Field) else {
                    panic!("a repair takes the node");
                };
                nodes.entry(node).or_default().push(gpu / u64::from(gpus));
            }
            assert_eq!(nodes.len() as u64, topology.units(Level::Node, replicas));
            for (&node, there) in &nodes {
                assert!(there.len() <= 8, "{gpus}: {} GPUs in a node", there.len());
                let (first, last) = (there[0], there[there.len() - 1]);
                let range = topology.replicas_in(Unit::Node(node), replicas);
                assert_eq!(range, first..last + 1, "{gpus}: node {node}");
                let rack = topology.replicas_in(Unit::Rack(node / 4), replicas);
                assert!(rack.start <= first && last < rack.end, "{gpus}: rack");
                let domain = topology.replicas_in(Unit::PowerDomain(node / 32), replicas);
                assert!(domain.start <= first && last < domain.end, "{gpus}: domain");
            }
            assert_eq!(topology.replicas_in(Unit::Site, replicas), 0..replicas);
        }
    }

    #[test]
    fn a_small_fleet_has_as_many_smaller_domains() {
        let whole = topology(8);
        let (large, small) = (whole, whole.scaled(0.1));
        assert_eq!(
            large.units(Level::PowerDomain, 32_000),
            small.units(Level::PowerDomain, 3_000),
            "3 nodes instead of 32 in each"
        );
        // A rack is never smaller than a replica, or each would hang on several.
        assert_eq!(topology(16).scaled(0.01).nodes_per_rack, 2);
    }
}
