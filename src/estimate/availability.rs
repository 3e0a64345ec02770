//! How often replicas are up, and how long it is from one failure to the next, in closed form.

use std::ops::Range;

use super::ClosedForm;
use super::forms::Model;
use super::theory::Quantity::{Availability, BetweenFailures};
use crate::queueing::{Repair, RepairFluid, availability};
use crate::random::Law;
use crate::scenario::{Cause, Level, Reliability, RepairClass, Scenario, Topology, Unit};
use crate::units::SimTime;

/// Of a large cluster so many replicas stand for all.
const MOST_REPLICAS: u64 = 10_000;

/// Of more nodes than this chance makes no difference.
const MOST_NODES: u64 = 200_000;

/// What holds for each cluster in which something fails at a constant rate.
pub(super) fn closed_forms(scenario: &Scenario) -> Vec<ClosedForm> {
    let clusters = scenario.clusters.iter().enumerate();
    let forms = clusters.filter_map(|(index, cluster)| {
        let reliability = cluster.reliability.as_ref()?;
        let pools = scenario.pools.iter().filter(|pool| pool.cluster == index);
        let deliveries: Vec<(SimTime, u32)> =
            pools.flat_map(|pool| pool.deliveries.clone()).collect();
        let at_once = deliveries
            .iter()
            .all(|delivery| delivery.0 == SimTime::ZERO);
        let replicas = deliveries
            .iter()
            .map(|delivery| u64::from(delivery.1))
            .sum();
        let ages = |cause: &Cause| cause.weibull_shape.is_some();
        let applies = replicas > 0 && !reliability.causes.iter().any(ages);
        let fleet = Fleet::new(reliability, replicas);
        (applies && !reliability.causes.is_empty()).then(|| fleet.forms(&cluster.name, at_once))
    });
    forms.flatten().collect()
}

/// For how much of the time a replica of a cluster of so many is up, in the mean over them: with all nodes up, in the
/// long run, and how nodes break in and are mended.
pub(super) fn expected(reliability: &Reliability, replicas: u64) -> (f64, Option<Nodes>) {
    if replicas == 0 || reliability.causes.is_empty() {
        return (1.0, None);
    }
    let mut fleet = Fleet::new(reliability, replicas);
    let nodes = fleet.nodes();
    fleet.node_up = nodes.is_some().then_some(1.0);
    (fleet.in_series(), nodes)
}

/// Nodes as machines of one kind, with the mean repair of all that is mended there; repairs of racks, power domains
/// and the site are taken to find a crew at once. They begin unbroken and approach the machine-repair model's steady
/// state as its fluid does.
pub(super) struct Nodes {
    fluid: RepairFluid,
    down: f64,
    /// In the long run: down in the fluid, and how many fewer run by chance.
    rest: f64,
    chance: f64,
    /// Share of the time for which none waits for a swap.
    swapped: f64,
    /// Nodes of a replica.
    in_series: f64,
}

impl Nodes {
    /// A time passes; the share of it for which a replica has all its nodes.
    pub(super) fn pass(&mut self, seconds: f64) -> f64 {
        let before = self.up();
        self.down = self.fluid.after(self.down, seconds);
        libm::pow(0.5 * (before + self.up()), self.in_series)
    }

    fn up(&self) -> f64 {
        let chance = self.chance * (self.down / self.rest).min(1.0);
        self.swapped * (self.fluid.running(self.down) - chance).max(0.0) / self.fluid.needed
    }
}

/// A cluster with all that is delivered.
struct Fleet<'a> {
    reliability: &'a Reliability,
    replicas: u64,
    /// For how much of the time a node is up but for restarts, where that is reckoned apart.
    node_up: Option<f64>,
}

impl<'a> Fleet<'a> {
    fn new(reliability: &'a Reliability, replicas: u64) -> Self {
        Self {
            reliability,
            replicas,
            node_up: None,
        }
    }

    fn is_limited(&self) -> bool {
        self.reliability.crews.is_some() || self.reliability.spares > 0
    }

    /// What is mended at nodes; `None`: nothing.
    fn nodes(&self) -> Option<Nodes> {
        let nodes = self.topology().nodes(self.replicas);
        let of_node = |cause: &Cause| {
            let unit = self.topology().unit(cause.level, 0, cause.repair);
            let units = self.topology().units(cause.level, self.replicas);
            let rate_per_s = cause.rate_per_s * units as f64 / nodes as f64;
            let is_mended = cause.repair != RepairClass::Restart && matches!(unit, Unit::Node(_));
            is_mended.then(|| (rate_per_s, rate_per_s * cause.repair_s.mean()))
        };
        let mended = self.reliability.causes.iter().filter_map(of_node);
        let (failure_rate, down) = mended.fold((0.0, 0.0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        if down == 0.0 {
            return None;
        }
        let spares = self.reliability.spares;
        let units = nodes + u64::from(spares);
        let crews = self.reliability.crews.map_or(units, u64::from);
        let fluid = RepairFluid {
            units: units as f64,
            needed: nodes as f64,
            failure_rate,
            repair_rate: failure_rate / down,
            crews: crews as f64,
        };
        let rest = fluid.rest();
        let by_chance = || {
            let rates = (fluid.failure_rate, fluid.repair_rate);
            let chain = Repair::new(units as usize, nodes as usize, rates, crews as usize);
            (fluid.running(rest) - chain.mean_running).max(0.0)
        };
        let swap_s = match spares {
            0 => 0.0,
            _ => self.reliability.swap_s.mean(),
        };
        Some(Nodes {
            fluid,
            down: 0.0,
            rest,
            chance: match self.is_limited() && nodes <= MOST_NODES {
                true => by_chance(),
                false => 0.0,
            },
            swapped: availability([(failure_rate, swap_s)]),
            in_series: self.topology().nodes_per_replica() as f64,
        })
    }

    fn forms(&self, name: &str, at_once: bool) -> Vec<ClosedForm> {
        let form = |model: Model, quantity, value| model.form(Some(name), quantity, value);
        if let Some(found) = self.machine_repair().filter(|_| at_once) {
            let model = Model("machine repair", "Gross et al. 2008, 3.6");
            let up = found.mean_running / self.replicas as f64;
            let rate_per_s = found.mean_running * self.node_rate_per_s();
            return vec![
                form(model, Availability, up),
                form(model, BetweenFailures, 1.0 / rate_per_s),
            ];
        }
        if self.is_limited() {
            return Vec::new();
        }
        let model = Model("parts in series", "Barlow and Proschan 1975");
        let mut forms = vec![form(model, Availability, self.in_series())];
        if at_once {
            forms.push(form(model, BetweenFailures, 1.0 / self.failures_per_s()));
        }
        forms
    }

    fn topology(&self) -> &Topology {
        &self.reliability.topology
    }

    /// Failures a second of a node, where only nodes fail.
    fn node_rate_per_s(&self) -> f64 {
        let rate = |cause: &Cause| cause.rate_per_s * self.exposed(cause, Unit::Node(0));
        self.reliability.causes.iter().map(rate).sum()
    }

    /// One node a replica, mended by a number of crews in times of one exponential law, with spares at hand.
    fn machine_repair(&self) -> Option<Repair> {
        let topology = self.topology();
        let alone = (topology.nodes_per_replica(), topology.replicas_per_node()) == (1, 1);
        let first = self.reliability.causes.first()?;
        let Law::Exponential { mean } = first.repair_s else {
            return None;
        };
        let is_node = |cause: &Cause| {
            cause.level <= Level::Node
                && cause.repair != RepairClass::Restart
                && cause.repair_s == first.repair_s
        };
        let no_swap = self.reliability.spares == 0 || self.reliability.swap_s.mean() == 0.0;
        let applies =
            self.is_limited() && alone && no_swap && self.reliability.causes.iter().all(is_node);
        let needed = usize::try_from(self.replicas).ok()?;
        let units = needed + self.reliability.spares as usize;
        let crews = self.reliability.crews.map_or(units, |crews| crews as usize);
        applies.then(|| Repair::new(units, needed, (self.node_rate_per_s(), 1.0 / mean), crews))
    }

    /// The share of time in which all is up in which a replica stands, as the mean over replicas.
    fn in_series(&self) -> f64 {
        let looked_at = self.replicas.min(MOST_REPLICAS);
        let up = |replica: u64| -> f64 {
            let units = self.units_of(replica).into_iter();
            units.map(|unit| self.unit_availability(unit)).product()
        };
        (0..looked_at).map(up).sum::<f64>() / looked_at as f64
    }

    /// Failures a second of the whole cluster; what is down does not fail.
    fn failures_per_s(&self) -> f64 {
        let of_cause = |cause: &Cause| {
            let units = self.topology().units(cause.level, self.replicas);
            let looked_at = units.min(MOST_REPLICAS);
            let up = |number: u64| {
                let unit = self.topology().unit(cause.level, number, cause.repair);
                self.unit_availability(unit)
            };
            let mean_up = (0..looked_at).map(up).sum::<f64>() / looked_at as f64;
            cause.rate_per_s * units as f64 * mean_up
        };
        self.reliability.causes.iter().map(of_cause).sum()
    }

    /// Everything in which a replica stands.
    fn units_of(&self, replica: u64) -> Vec<Unit> {
        let topology = self.topology();
        let nodes = match topology.replicas_per_node() {
            1 => {
                let wide = topology.nodes_per_replica();
                replica * wide..(replica + 1) * wide
            }
            several => replica / several..replica / several + 1,
        };
        let within = |nodes: &Range<u64>, each: u32| {
            let each = u64::from(each);
            nodes.start / each..(nodes.end - 1) / each + 1
        };
        let racks = within(&nodes, topology.nodes_per_rack);
        let domains = within(&nodes, topology.nodes_per_power_domain);
        let mut units = vec![Unit::Replica(replica), Unit::Site];
        units.extend(nodes.map(Unit::Node));
        units.extend(racks.map(Unit::Rack));
        units.extend(domains.map(Unit::PowerDomain));
        units
    }

    fn unit_availability(&self, unit: Unit) -> f64 {
        let apart = self.node_up.filter(|_| matches!(unit, Unit::Node(_)));
        let is_left = |cause: &&Cause| apart.is_none() || cause.repair == RepairClass::Restart;
        let causes = self.reliability.causes.iter().filter(is_left);
        let rest = availability(causes.map(|cause| {
            let rate_per_s = cause.rate_per_s * self.exposed(cause, unit);
            (rate_per_s, cause.repair_s.mean())
        }));
        apart.unwrap_or(1.0) * rest
    }

    /// How many units of the level of a cause take a unit down.
    fn exposed(&self, cause: &Cause, unit: Unit) -> f64 {
        let topology = self.topology();
        let sample = topology.unit(cause.level, 0, cause.repair);
        if std::mem::discriminant(&sample) != std::mem::discriminant(&unit) {
            return 0.0;
        }
        match (cause.level, unit) {
            (Level::Gpu, Unit::Node(node)) => f64::from(self.gpus_in(node)),
            (Level::Gpu, _) => f64::from(topology.gpus_per_replica),
            _ => 1.0,
        }
    }

    /// GPUs of replicas in a node.
    fn gpus_in(&self, node: u64) -> u32 {
        let topology = self.topology();
        let each = topology.gpus_per_replica;
        match topology.replicas_per_node() {
            1 => {
                let within = (node % topology.nodes_per_replica()) as u32;
                (each - within * topology.gpus_per_node).min(topology.gpus_per_node)
            }
            _ => {
                let there = topology.replicas_in(Unit::Node(node), self.replicas);
                (there.end - there.start) as u32 * each
            }
        }
    }
}
