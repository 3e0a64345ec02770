//! What happens: every request of a scenario, one by one, against its fleet.
//!
//! ```text
//!            a window [t, t + lookahead)
//!  +------------+  requests   +--------+
//!  | gateways   | ----------> | pools  |     gateways in parallel, then pools in parallel
//!  | (users)    | <---------- |        |
//!  +------------+  outcomes   +--------+     heard at the start of the next window
//! ```
//!
//! Gateways hold the users and make the requests of a window from the state of the world at its start;
//! pools then play the window, each on its own. Everything is merged in a fixed order, so a run has
//! the same bytes for any number of threads. What the operator does (rules, deliveries, outages)
//! happens between windows: a window ends where something of that kind is due.
//!
//! A valid scenario always simulates: nothing here returns an error. Invariants are asserted in
//! release builds too.

mod client;
mod elastic;
mod failures;
mod gate;
mod gateway;
mod line;
mod occupancy;
mod pool;
mod population;
mod replica;
mod request;
mod routing;
mod share;
mod source;
mod tally;
mod transit;
mod users;

use std::sync::Arc;

use rayon::prelude::*;

pub use elastic::{
    Controller, DivisionTally, LoadMeter, PartitionTally, Reading, ScalerTally, staffed,
};
pub use failures::{CauseTally, FailureTally};
pub use gateway::PeopleTally;
pub use tally::{Levels, PoolTally, Refusal, TierTally};

use crate::scenario::{DemandKind, Outage, Rules, Scenario};
use crate::units::SimTime;
use elastic::Elastic;
use failures::Failing;
use gateway::{Gateway, Window};
use pool::Pool;
use population::Mood;
use request::Arrival;

/// A run in progress.
pub struct Simulation {
    scenario: Arc<Scenario>,
    gateways: Vec<Gateway>,
    pools: Vec<Pool>,
    rules: Arc<Rules>,
    clock: SimTime,
    /// What the operator will do, latest first.
    agenda: Vec<(SimTime, Action)>,
    /// What starts replicas one by one, adds them and takes them away.
    elastic: Option<Elastic>,
    /// The clusters in which something fails or is maintained.
    failing: Vec<Failing>,
    /// Images that are being seen, an expectation that fades.
    seen: f64,
    delivered: u64,
    parallel: bool,
}

/// What the operator does between two windows.
#[derive(Clone, Debug)]
enum Action {
    Rules(Arc<Rules>),
    Deliver {
        pool: usize,
        replicas: u32,
    },
    Stop {
        pool: usize,
        requeue: bool,
        evacuate: bool,
    },
    Resume {
        pool: usize,
    },
    EndWarmUp,
}

impl Simulation {
    /// A run of the scenario at its start. `parallel` says whether gateways and pools are spread
    /// over the threads of the current rayon pool; it does not change any result.
    #[must_use]
    pub fn new(scenario: &Arc<Scenario>, parallel: bool) -> Self {
        let rules = Arc::new(scenario.rules[0].1.clone());
        let count = scenario.pools.len();
        let mut simulation = Self {
            gateways: (0..count)
                .map(|index| Gateway::new(scenario, index, count))
                .collect(),
            pools: (0..count)
                .map(|index| Pool::new(scenario, &rules, index, count))
                .collect(),
            elastic: Elastic::new(scenario, &rules),
            failing: failures::all(scenario),
            rules,
            clock: SimTime::ZERO,
            agenda: agenda(scenario),
            seen: 0.0,
            delivered: 0,
            parallel: parallel && count > 1,
            scenario: Arc::clone(scenario),
        };
        simulation.act();
        if let Some(elastic) = &mut simulation.elastic {
            elastic.begin(&mut simulation.pools);
        }
        simulation
    }

    /// How far the run has come.
    #[must_use]
    pub fn clock(&self) -> SimTime {
        self.clock
    }

    /// Plays until `limit` or the end of the next window, whichever comes first.
    pub fn advance(&mut self, limit: SimTime) {
        let due = self.agenda.last().map_or(SimTime::NEVER, |entry| entry.0);
        let due = due.min(self.elastic.as_ref().map_or(SimTime::NEVER, Elastic::next));
        let fails = self.failing.iter().map(Failing::next).min();
        let due = due.min(fails.unwrap_or(SimTime::NEVER));
        let lookahead = self.scenario.lookahead.0.max(1);
        let grid = SimTime((self.clock.0 / lookahead + 1).saturating_mul(lookahead));
        let until = grid.min(due).min(limit);
        let pools: Vec<(f64, f64)> = self
            .pools
            .iter()
            .map(|pool| (pool.load(), pool.slots()))
            .collect();
        let window = Window {
            from: self.clock,
            until,
            pools: &pools,
            moods: &self.moods(until),
        };
        let gateways = &mut self.gateways;
        if self.parallel {
            gateways
                .par_iter_mut()
                .for_each(|gateway| gateway.generate(&window));
        } else {
            gateways
                .iter_mut()
                .for_each(|gateway| gateway.generate(&window));
        }
        let play = |(index, pool): (usize, &mut Pool)| {
            let inbox: Vec<&[Arrival]> = self.gateways.iter().map(|g| g.outbox(index)).collect();
            pool.advance(until, &inbox);
        };
        if self.parallel {
            self.pools.par_iter_mut().enumerate().for_each(play);
        } else {
            self.pools.iter_mut().enumerate().for_each(play);
        }
        self.hear();
        self.fade(until);
        self.clock = until;
        self.observe();
        self.act();
    }

    /// What the window up to `until` is like, by demand.
    fn moods(&self, until: SimTime) -> Vec<Option<Mood>> {
        let seen_per_head = self.seen / self.scenario.potential().max(1.0);
        let window = (self.clock, until);
        let mood = |demand| Mood::new(&self.scenario, &self.rules, demand, window, seen_per_head);
        (0..self.scenario.demands.len()).map(mood).collect()
    }

    /// What starts and stops replicas hears what gateways sent in the window that ends now.
    fn observe(&mut self) {
        if self.elastic.is_none() {
            return;
        }
        let sent = self.sent();
        if let Some(elastic) = &mut self.elastic {
            elastic.observe(self.clock, sent);
        }
    }

    /// Gateways hear from the pools.
    fn hear(&mut self) {
        let pools = &self.pools;
        let hear = |(index, gateway): (usize, &mut Gateway)| {
            gateway.hear(pools.iter().map(|pool| pool.outbox(index)));
        };
        if self.parallel {
            self.gateways.par_iter_mut().enumerate().for_each(hear);
        } else {
            self.gateways.iter_mut().enumerate().for_each(hear);
        }
        self.pools.iter_mut().for_each(Pool::clear_outbox);
    }

    /// Delivered images are seen by others, and forgotten.
    fn fade(&mut self, until: SimTime) {
        let delivered: u64 = self.gateways.iter().map(Gateway::delivered).sum();
        let half_life = self
            .scenario
            .demands
            .iter()
            .find_map(|demand| match &demand.kind {
                DemandKind::Population(population) => population.seen_half_life_s,
                _ => None,
            });
        if let Some(half_life_s) = half_life {
            self.seen *= libm::exp2(-(until - self.clock).as_s() / half_life_s);
        }
        self.seen += (delivered - self.delivered) as f64;
        self.delivered = delivered;
    }

    /// Does what is due now.
    fn act(&mut self) {
        while self
            .agenda
            .last()
            .is_some_and(|entry| entry.0 <= self.clock)
        {
            let Some((_, action)) = self.agenda.pop() else {
                return;
            };
            match action {
                Action::Rules(rules) => {
                    self.rules = rules;
                    self.gateways
                        .iter_mut()
                        .for_each(|gateway| gateway.apply(&self.rules));
                    self.pools
                        .iter_mut()
                        .for_each(|pool| pool.apply(&self.rules));
                    if let Some(elastic) = &mut self.elastic {
                        elastic.apply(&self.scenario, &self.rules);
                    }
                }
                Action::Deliver { pool, replicas } => self.deliver(pool, replicas),
                Action::Stop {
                    pool,
                    requeue,
                    evacuate,
                } => {
                    self.pools[pool].stop(requeue);
                    if evacuate {
                        self.evacuate(pool);
                    }
                }
                Action::Resume { pool } => self.pools[pool].resume(),
                Action::EndWarmUp => {
                    self.pools.iter_mut().for_each(Pool::restart_statistics);
                    self.gateways
                        .iter_mut()
                        .for_each(Gateway::restart_statistics);
                    self.elastic
                        .iter_mut()
                        .for_each(Elastic::restart_statistics);
                    let failing = self.failing.iter_mut();
                    failing.for_each(|failing| failing.restart_statistics(self.clock));
                }
            }
        }
        for failing in &mut self.failing {
            failing.act(self.clock, &mut self.pools);
        }
        if let Some(elastic) = self.elastic.as_mut().filter(|_| self.clock > SimTime::ZERO) {
            elastic.act(&mut self.pools);
        }
    }

    /// Replicas of a pool are delivered: they serve at once, or start one by one.
    fn deliver(&mut self, pool: usize, replicas: u32) {
        let is_elastic = self
            .elastic
            .as_mut()
            .is_some_and(|elastic| elastic.deliver(pool, replicas, &mut self.pools));
        if !is_elastic {
            self.pools[pool].deliver(replicas);
        }
        let cluster = self.scenario.pools[pool].cluster;
        let mut failing = self.failing.iter_mut();
        if let Some(failing) = failing.find(|failing| failing.cluster() == cluster) {
            failing.deliver(self.clock, (pool, replicas), &mut self.pools);
        }
    }

    /// All who are at a pool move to others, as far as their gateways find some.
    fn evacuate(&mut self, pool: usize) {
        for passage in self.pools[pool].hand_over() {
            let gateway = usize::from(passage.arrival.request.gateway);
            self.gateways[gateway].set_out(passage);
        }
    }

    /// By demand and pool: requests that users sent.
    #[must_use]
    pub fn sent(&self) -> Vec<Vec<u64>> {
        let mut sum = vec![vec![0; self.pools.len()]; self.scenario.demands.len()];
        for gateway in &self.gateways {
            let (sum, sent) = (sum.iter_mut().flatten(), gateway.sent().flatten());
            sum.zip(sent).for_each(|(sum, sent)| *sum += sent);
        }
        sum
    }

    /// What was counted of each tier, at gateways and pools together.
    #[must_use]
    pub fn tiers(&self) -> Vec<TierTally> {
        let mut sum = vec![TierTally::default(); self.scenario.tiers.len()];
        let gateways = self.gateways.iter().map(Gateway::tiers);
        for part in gateways.chain(self.pools.iter().map(Pool::tiers)) {
            sum.iter_mut()
                .zip(part)
                .for_each(|(sum, part)| sum.add(part));
        }
        sum
    }

    /// By pool: what it did, the levels now, and replicas delivered; of a partition, those that it holds.
    pub fn pools(&self) -> impl Iterator<Item = (PoolTally, Levels, u64)> {
        self.pools.iter().enumerate().map(|(index, pool)| {
            let held = self
                .elastic
                .as_ref()
                .and_then(|elastic| elastic.held(index));
            (pool.tally(), pool.levels(), held.unwrap_or(pool.replicas()))
        })
    }

    /// By cluster that is divided: its index, and what became of its GPUs since the start or the end of the
    /// warm-up.
    pub fn divisions(&self) -> impl Iterator<Item = (usize, DivisionTally)> {
        self.elastic.iter().flat_map(Elastic::divisions)
    }

    /// By autoscaler: what it did since the start or the end of the warm-up.
    pub fn autoscalers(&self) -> impl Iterator<Item = ScalerTally> {
        self.elastic.iter().flat_map(Elastic::tallies)
    }

    /// By cluster in which something fails or is maintained: its index, and what happened since the start or the
    /// end of the warm-up.
    pub fn failures(&self) -> impl Iterator<Item = (usize, FailureTally)> {
        let tally = |failing: &Failing| (failing.cluster(), failing.tally(self.clock));
        self.failing.iter().map(tally)
    }

    /// By chunk: its released GPUs that cost nothing x ns since the start; empty where nothing is released.
    #[must_use]
    pub fn returned_gpu_ns(&self) -> &[u128] {
        self.elastic.as_ref().map_or(&[], Elastic::returned_gpu_ns)
    }

    /// GPUs of a cluster that are paid for x ns, since the start or the end of the warm-up; `None` where no
    /// autoscaler gives any back.
    #[must_use]
    pub fn paid_gpu_ns(&self, cluster: usize) -> Option<u128> {
        self.elastic.as_ref()?.paid_gpu_ns(cluster)
    }

    /// Images of a demand that a pool delivered, by quality from the first of its work, since the start or
    /// the end of the warm-up.
    #[must_use]
    pub fn images(&self, pool: usize, demand: usize) -> &[u64] {
        self.pools[pool].images(demand)
    }

    /// Images a second with all batches of all pools in service full.
    #[must_use]
    pub fn full_rate_per_s(&self) -> f64 {
        self.pools.iter().map(Pool::full_rate_per_s).sum()
    }

    /// People, of one demand or of all.
    #[must_use]
    pub fn people(&self, demand: Option<usize>) -> PeopleTally {
        self.gateways
            .iter()
            .map(|gateway| gateway.people(demand))
            .fold(PeopleTally::default(), |sum, part| PeopleTally {
                interested: sum.interested + part.interested,
                sign_ups: sum.sign_ups + part.sign_ups,
                subscribers: sum.subscribers + part.subscribers,
                delivered: sum.delivered + part.delivered,
            })
    }

    /// Users who are kept in memory.
    #[must_use]
    pub fn users(&self) -> usize {
        self.gateways.iter().map(Gateway::users).sum()
    }

    /// Checks the invariants of a run and panics, with the numbers, where one does not hold: the
    /// ledger of every tier, Little's law in every pool, utilisation up to 1, GPUs of divided clusters.
    pub fn assert_invariants(&self) {
        if let Some(elastic) = &self.elastic {
            elastic.assert_conserved(&self.pools);
        }
        for (tier, tally) in self.scenario.tiers.iter().zip(self.tiers()) {
            let known = tally.completed
                + tally.shed_total()
                + tally.abandoned
                + tally.failed
                + tally.in_system;
            assert_eq!(
                tally.offered, known,
                "the ledger of tier {} is open",
                tier.name
            );
        }
        for (pool, specification) in self.pools.iter().zip(&self.scenario.pools) {
            pool.assert_consistent();
            let (integral, spent) = pool.little_ns();
            assert_eq!(
                integral, spent,
                "Little's law in pool {}",
                specification.name
            );
            let tally = pool.tally();
            assert!(
                tally.busy_ns <= tally.in_service_ns,
                "pool {} overused",
                specification.name
            );
        }
    }

    /// The ledger alone, cheap enough for every window.
    pub fn assert_ledger(&self) {
        let sum = |count: fn(&TierTally) -> u64| -> u64 {
            let gateways = self.gateways.iter().flat_map(Gateway::tiers);
            gateways
                .chain(self.pools.iter().flat_map(Pool::tiers))
                .map(count)
                .sum()
        };
        let offered = sum(|tier| tier.offered);
        let known = sum(|tier| {
            tier.completed + tier.shed_total() + tier.abandoned + tier.failed + tier.in_system
        });
        assert_eq!(offered, known, "the ledger is open at {:?}", self.clock);
    }

    /// Requests offered so far.
    #[must_use]
    pub fn offered(&self) -> u64 {
        self.gateways
            .iter()
            .flat_map(Gateway::tiers)
            .map(|tier| tier.offered)
            .sum()
    }

    /// Events handled so far.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.pools.iter().map(Pool::events).sum()
    }
}

/// Everything the operator will do, latest first; at one time outages end before deliveries, rules
/// and new outages.
fn agenda(scenario: &Scenario) -> Vec<(SimTime, Action)> {
    let mut agenda = Vec::new();
    // Where outages of a pool overlap or follow on each other, it stands still until the last ends.
    let outages = || {
        scenario
            .outages
            .iter()
            .filter(|outage| outage.from < outage.until)
    };
    for outage in outages() {
        let (pool, until) = (outage.pool, outage.until);
        let goes_on =
            |other: &Outage| other.pool == pool && other.from <= until && until < other.until;
        if !outages().any(goes_on) {
            agenda.push((until, Action::Resume { pool }));
        }
    }
    for (index, pool) in scenario.pools.iter().enumerate() {
        let deliver = |&(at, replicas)| {
            (
                at,
                Action::Deliver {
                    pool: index,
                    replicas,
                },
            )
        };
        agenda.extend(pool.deliveries.iter().map(deliver));
    }
    let rules = |(at, rules): &(SimTime, Rules)| (*at, Action::Rules(Arc::new(rules.clone())));
    agenda.extend(scenario.rules.iter().skip(1).map(rules));
    for outage in outages() {
        let stop = Action::Stop {
            pool: outage.pool,
            requeue: outage.requeue,
            evacuate: outage.evacuate,
        };
        agenda.push((outage.from, stop));
    }
    if scenario.warm_up.0 > 0 {
        agenda.push((SimTime::ZERO + scenario.warm_up, Action::EndWarmUp));
    }
    agenda.reverse();
    agenda.sort_by_key(|entry| std::cmp::Reverse(entry.0));
    agenda
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Law;

    fn play(scenario: Scenario) -> Simulation {
        let scenario = Arc::new(scenario);
        let mut simulation = Simulation::new(&scenario, false);
        let end = SimTime::ZERO + scenario.horizon;
        while simulation.clock() < end {
            simulation.advance(end);
            simulation.assert_ledger();
        }
        simulation.assert_invariants();
        simulation
    }

    #[test]
    fn mm100_waits_as_erlang_c_says() {
        let service = Law::Exponential { mean: 1.0 };
        let run = play(Scenario::textbook(90.0, service, 100, 100_000.0));
        let tier = &run.tiers()[0];
        let wait = tier.wait.mean_s().expect("many");
        assert!((wait - 0.0217).abs() < 0.002, "mean wait {wait}");
    }
}
