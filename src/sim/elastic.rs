//! What an operator's machinery does between windows: replicas start one by one, and autoscalers add
//! and take them away.
//!
//! ```text
//! gateways' requests of past windows -> meter -> controller -> replicas ordered -> bays, start-ups -> pools
//!                                             -> division  -> units moved      -^
//! ```
//!
//! It acts where a window ends, and a window ends where something of it is due, so what it does is on time
//! and the same for any number of threads. A replica counts as drained at the end of the window in which
//! its last batch ended.

mod bay;
mod divided;
mod ledger;
mod meter;
mod rule;
mod scaler;
mod start;
mod training;

use std::collections::BTreeSet;

use super::pool::Pool;
use crate::scenario::{Rules, Scenario};
use crate::units::SimTime;
use bay::{Bay, State};
use divided::Divided;
pub use divided::{DivisionTally, PartitionTally};
use ledger::Ledger;
pub use meter::LoadMeter;
pub use rule::{Controller, Reading, staffed};
use scaler::Scaler;
pub use scaler::ScalerTally;
use start::{Replica, Starts};

/// All that grows and shrinks.
pub(super) struct Elastic {
    scalers: Vec<Scaler>,
    /// Pools whose replicas start one by one and stay.
    plain: Vec<Bay>,
    /// Clusters whose GPUs are divided.
    divided: Vec<Divided>,
    /// By cluster.
    starts: Vec<Option<Starts>>,
    /// Ready replicas that are about to serve.
    rising: BTreeSet<(SimTime, Replica)>,
    /// By pool and demand: seconds of a replica that one request takes when batches are full.
    costs_s: Vec<Vec<f64>>,
    /// By pool: the mean of what its cluster serves.
    mean_cost_s: Vec<f64>,
    /// By demand and pool: requests that gateways had sent up to the last window.
    sent: Vec<Vec<u64>>,
    ledger: Ledger,
    /// By cluster that is scaled: GPUs that are paid for x ns, since the start or the end of the warm-up.
    paid_gpu_ns: Vec<u128>,
    now: SimTime,
    before: Vec<ScalerTally>,
}

impl Elastic {
    /// `None` where nothing of it is in the scenario.
    pub(super) fn new(scenario: &Scenario, rules: &Rules) -> Option<Self> {
        let mut starts: Vec<Option<Starts>> = scenario
            .clusters
            .iter()
            .map(|cluster| {
                let stream = scenario.seed.stream(&cluster.name, "start-up", 0);
                cluster
                    .start_up
                    .clone()
                    .map(|rule| Starts::new(rule, stream))
            })
            .collect();
        let divided = divided::all(scenario, &mut starts);
        if divided.is_empty() && starts.iter().all(Option::is_none) {
            return None;
        }
        let bays = |clusters: &dyn Fn(usize) -> bool| -> Vec<Bay> {
            let pools = scenario.pools.iter().enumerate();
            pools
                .filter(|(_, pool)| clusters(pool.cluster))
                .map(|(index, pool)| Bay::new(index, pool.cluster, pool.profile.gpus_per_replica))
                .collect()
        };
        let is_scaled = |cluster: usize| {
            let mut scalers = scenario.autoscalers.iter();
            scalers.any(|scaler| scaler.clusters.contains(&cluster))
        };
        let is_divided = |cluster: usize| scenario.clusters[cluster].division.is_some();
        let scalers: Vec<Scaler> = scenario
            .autoscalers
            .iter()
            .map(|rule| {
                Scaler::new(
                    scenario,
                    rule,
                    bays(&|cluster| rule.clusters.contains(&cluster)),
                )
            })
            .collect();
        let mut elastic = Self {
            before: vec![ScalerTally::default(); scalers.len()],
            scalers,
            plain: bays(&|cluster| {
                starts[cluster].is_some() && !is_scaled(cluster) && !is_divided(cluster)
            }),
            divided,
            starts,
            rising: BTreeSet::new(),
            costs_s: Vec::new(),
            mean_cost_s: Vec::new(),
            sent: Vec::new(),
            ledger: Ledger::new(scenario),
            paid_gpu_ns: vec![0; scenario.clusters.len()],
            now: SimTime::ZERO,
        };
        elastic.apply(scenario, rules);
        Some(elastic)
    }

    /// New rules hold: how much of a replica a request takes follows from the places in a batch.
    pub(super) fn apply(&mut self, scenario: &Scenario, rules: &Rules) {
        let cost = |pool: &crate::scenario::Pool| -> Vec<f64> {
            let places = rules.policy.batching.places(pool.batch_limit);
            let works = scenario
                .demands
                .iter()
                .map(|demand| &scenario.works[demand.work]);
            works
                .map(|work| 1.0 / work.rate_per_s(&pool.profile.curve, places, 0))
                .collect()
        };
        self.costs_s = scenario.pools.iter().map(cost).collect();
        let mean = |(pool, costs_s): (&crate::scenario::Pool, &Vec<f64>)| {
            let both = scenario.demands.iter().zip(costs_s);
            let own = both.filter(|(demand, _)| pool.can_do(demand.work));
            let own: Vec<f64> = own.map(|(_, &cost_s)| cost_s).collect();
            own.iter().sum::<f64>() / own.len().max(1) as f64
        };
        self.mean_cost_s = scenario.pools.iter().zip(&self.costs_s).map(mean).collect();
    }

    /// Replicas of a pool are delivered; `false` where they serve at once and are not its business.
    pub(super) fn deliver(&mut self, pool: usize, replicas: u32, pools: &mut [Pool]) -> bool {
        for divided in &mut self.divided {
            if let Some(is_started) = divided.deliver(pool, replicas, pools) {
                return is_started;
            }
        }
        let scaled = self.scalers.iter_mut().flat_map(|scaler| &mut scaler.bays);
        let Some(bay) = scaled.chain(&mut self.plain).find(|bay| bay.pool == pool) else {
            return false;
        };
        bay.deliver(replicas);
        pools[pool].deliver_out(replicas);
        true
    }

    /// The start: what is there and ordered serves.
    pub(super) fn begin(&mut self, pools: &mut [Pool]) {
        self.scalers.iter_mut().for_each(Scaler::begin);
        self.plain
            .iter_mut()
            .for_each(|bay| bay.target = bay.delivered());
        let scaled = self.scalers.iter_mut().flat_map(|scaler| &mut scaler.bays);
        for bay in scaled.chain(&mut self.plain) {
            bay.begin(&mut pools[bay.pool]);
        }
        for divided in &mut self.divided {
            divided.begin(pools);
        }
    }

    /// When something is due next.
    pub(super) fn next(&self) -> SimTime {
        let starts = self.starts.iter().flatten().map(Starts::next);
        let decisions = self.scalers.iter().map(|scaler| scaler.next);
        let rising = self.rising.first().map(|entry| entry.0);
        let divided = self.divided.iter().map(Divided::next);
        starts
            .chain(decisions)
            .chain(divided)
            .chain(rising)
            .fold(SimTime::NEVER, SimTime::min)
    }

    /// A window has ended; by demand and pool what gateways have sent so far. Each request counts once, where
    /// it was sent first: neither when it is tried again nor when it moves to another site.
    pub(super) fn observe(&mut self, until: SimTime, sent: Vec<Vec<u64>>) {
        for scaler in &mut self.scalers {
            let mut work_s = 0.0;
            for bay in &scaler.bays {
                for (demand, cost_s) in self.costs_s[bay.pool].iter().enumerate() {
                    let before = self.sent.get(demand).map_or(0, |sent| sent[bay.pool]);
                    work_s += cost_s * (sent[demand][bay.pool] - before) as f64;
                }
            }
            scaler.measure(self.now, until, work_s);
        }
        for divided in &mut self.divided {
            for (pool, work_s) in divided.measured() {
                let costs_s = self.costs_s[pool].iter().enumerate();
                *work_s = costs_s
                    .map(|(demand, cost_s)| {
                        let before = self.sent.get(demand).map_or(0, |sent| sent[pool]);
                        cost_s * (sent[demand][pool] - before) as f64
                    })
                    .sum();
            }
            divided.measure(until);
        }
        self.sent = sent;
        self.pass(until);
    }

    /// Time has passed with the levels as they are.
    fn pass(&mut self, until: SimTime) {
        let ns = until.since(self.now).0;
        for scaler in &mut self.scalers {
            let mut returned = 0;
            for &cluster in scaler.clusters() {
                let gpus = |count: fn(&Bay) -> u32| -> u64 {
                    let bays = scaler.bays.iter().filter(|bay| bay.cluster == cluster);
                    bays.map(|bay| u64::from(count(bay)) * u64::from(bay.gpus_per_replica))
                        .sum()
                };
                let (delivered, off) = (gpus(Bay::delivered), gpus(|bay| bay.count(State::Off)));
                let back = self.ledger.give_back(cluster, off, self.now, ns);
                self.paid_gpu_ns[cluster] += u128::from(delivered - back) * u128::from(ns);
                returned += back;
            }
            scaler.pass(ns, returned);
        }
        for divided in &mut self.divided {
            divided.pass(self.now, until);
        }
        self.now = until;
    }

    /// Does what is due now.
    pub(super) fn act(&mut self, pools: &mut [Pool]) {
        let now = self.now;
        let scaled = self.scalers.iter_mut().flat_map(|scaler| &mut scaler.bays);
        let divided = self.divided.iter_mut().flat_map(Divided::bays);
        for bay in scaled.chain(&mut self.plain).chain(divided) {
            bay.collect_drained(&pools[bay.pool]);
        }
        self.end_starts(pools);
        for scaler in &mut self.scalers {
            if scaler.next <= now {
                let waiting = |bay: &Bay| {
                    pools[bay.pool].levels().waiting as f64 * self.mean_cost_s[bay.pool]
                };
                let waiting_s = scaler.bays.iter().map(waiting).sum();
                scaler.decide(now, waiting_s);
            }
            scaler.compare(now, false);
        }
        for divided in &mut self.divided {
            divided.act(now, pools, &self.mean_cost_s);
        }
        self.follow(pools);
        // A start that takes no time ends at once.
        while self.next() <= now {
            self.end_starts(pools);
            self.follow(pools);
        }
    }

    /// Whoever has started up, or is ready to serve, does.
    fn end_starts(&mut self, pools: &mut [Pool]) {
        let now = self.now;
        let mut started: Vec<Replica> = Vec::new();
        for starts in self.starts.iter_mut().flatten() {
            started.extend(starts.play(now));
        }
        let mut risen: Vec<Replica> = Vec::new();
        while let Some(&(at, replica)) = self.rising.first().filter(|entry| entry.0 <= now) {
            self.rising.remove(&(at, replica));
            risen.push(replica);
        }
        let scaled = self.scalers.iter_mut().flat_map(|scaler| &mut scaler.bays);
        let divided = self.divided.iter_mut().flat_map(Divided::bays);
        for bay in scaled.chain(&mut self.plain).chain(divided) {
            let own = bay.pool;
            let pool = &mut pools[own];
            for &(_, index) in started.iter().filter(|replica| replica.0 == own) {
                bay.started(index, pool);
            }
            for &(_, index) in risen.iter().filter(|replica| replica.0 == own) {
                bay.risen(index, pool);
            }
        }
    }

    /// Brings all replicas to what is ordered.
    fn follow(&mut self, pools: &mut [Pool]) {
        let now = self.now;
        let mut rising = Vec::new();
        for bay in &mut self.plain {
            bay.target = bay.delivered();
            if let Some(starts) = &mut self.starts[bay.cluster] {
                bay.follow(now, &mut pools[bay.pool], starts, &mut rising);
            }
        }
        for divided in &mut self.divided {
            if let Some(starts) = &mut self.starts[divided.cluster()] {
                divided.follow(now, pools, starts);
            }
        }
        for scaler in &mut self.scalers {
            for bay in &mut scaler.bays {
                if let Some(starts) = &mut self.starts[bay.cluster] {
                    bay.follow(now, &mut pools[bay.pool], starts, &mut rising);
                }
                let is_rising =
                    |entry: &(SimTime, Replica)| entry.1.0 != bay.pool || bay.is_rising(entry.1.1);
                self.rising.retain(is_rising);
            }
            for replica in rising.drain(..) {
                self.rising.insert((now + scaler.rise(), replica));
            }
        }
    }

    /// By autoscaler: what it did since the start or the end of the warm-up.
    pub(super) fn tallies(&self) -> impl Iterator<Item = ScalerTally> {
        let both = self.scalers.iter().zip(&self.before);
        both.map(|(scaler, before)| scaler.tally(self.now).since(before))
    }

    /// By cluster that is divided: its index, and what became of its GPUs since the start or the end of the
    /// warm-up.
    pub(super) fn divisions(&self) -> impl Iterator<Item = (usize, DivisionTally)> {
        let tally = |divided: &Divided| (divided.cluster(), divided.tally());
        self.divided.iter().map(tally)
    }

    /// Replicas of a pool that hold GPUs now; `None` where all that are delivered do.
    pub(super) fn held(&self, pool: usize) -> Option<u64> {
        self.divided.iter().find_map(|divided| divided.held(pool))
    }

    /// Panics where GPUs of a divided cluster are held twice, or by nobody.
    pub(super) fn assert_conserved(&self, pools: &[Pool]) {
        let divided = self.divided.iter();
        divided.for_each(|divided| divided.assert_conserved(pools));
    }

    /// By chunk: its released GPUs that cost nothing x ns, since the start.
    pub(super) fn returned_gpu_ns(&self) -> &[u128] {
        self.ledger.returned_gpu_ns()
    }

    /// GPUs of a cluster that are paid for x ns, since the start or the end of the warm-up; `None` where all
    /// are from their delivery on.
    pub(super) fn paid_gpu_ns(&self, cluster: usize) -> Option<u128> {
        let is_scaled = |scaler: &Scaler| scaler.clusters().contains(&cluster);
        let is_scaled = self.scalers.iter().any(is_scaled);
        is_scaled.then(|| self.paid_gpu_ns[cluster])
    }

    /// The end of the warm-up.
    pub(super) fn restart_statistics(&mut self) {
        self.paid_gpu_ns.fill(0);
        self.divided
            .iter_mut()
            .for_each(Divided::restart_statistics);
        // Gateways begin to count anew.
        self.sent.clear();
        self.before = self
            .scalers
            .iter()
            .map(|scaler| scaler.tally(self.now))
            .collect();
    }
}
