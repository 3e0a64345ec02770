//! The fleet in a step of the fluid model: which pools may serve whom, and what they can do then.
//!
//! Pools that may serve the same demands are one site: where they take each other's work there is no telling them
//! apart. A fleet in which everything may be served everywhere is one site.

use super::scaled::Scaled;
use super::supply;
use super::uptime::Uptime;
use crate::scenario::{Rules, Scenario, Work};
use crate::units::SimTime;

/// Who may serve whom, and how many replicas there are.
pub(super) struct Fleet<'a> {
    scenario: &'a Scenario,
    /// By site: its pools.
    sites: Vec<Vec<usize>>,
    /// By demand and site: whether it may be served there.
    may: Vec<Vec<bool>>,
    uptime: Uptime<'a>,
    pub(super) scaled: Vec<Scaled<'a>>,
    /// By pool: replicas in service, in the mean.
    replicas: Vec<f64>,
}

impl<'a> Fleet<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        let demands = 0..scenario.demands.len();
        let mut kinds: Vec<Vec<bool>> = Vec::new();
        let mut sites: Vec<Vec<usize>> = Vec::new();
        for pool in 0..scenario.pools.len() {
            let may = demands
                .clone()
                .map(|demand| may_serve(scenario, pool, demand));
            let kind: Vec<bool> = may.collect();
            match kinds.iter().position(|other| *other == kind) {
                Some(site) => sites[site].push(pool),
                None => {
                    kinds.push(kind);
                    sites.push(vec![pool]);
                }
            }
        }
        if sites.is_empty() {
            kinds.push(vec![true; scenario.demands.len()]);
            sites.push(Vec::new());
        }
        let scalers = scenario.autoscalers.iter();
        let at = |demand: usize| kinds.iter().map(|kind| kind[demand]).collect();
        Self {
            may: demands.map(at).collect(),
            sites,
            uptime: Uptime::new(scenario),
            scaled: scalers.map(|rule| Scaled::new(scenario, rule)).collect(),
            replicas: vec![0.0; scenario.pools.len()],
            scenario,
        }
    }

    /// A step begins, and lasts until a time.
    pub(super) fn look(&mut self, from: SimTime, until: SimTime) {
        let mut of_cluster = vec![0; self.scenario.clusters.len()];
        for (pool, replicas) in self.scenario.pools.iter().zip(&mut self.replicas) {
            let delivered = supply::delivered(self.scenario, pool, from);
            of_cluster[pool.cluster] += delivered;
            *replicas = delivered as f64;
        }
        for scaled in &mut self.scaled {
            let serving = scaled.play(self.scenario, from, until);
            let pools = scaled.pools.iter().map(|&pool| &self.scenario.pools[pool]);
            let delivered = pools.map(|pool| supply::handed_over(pool, from) as f64);
            let delivered: Vec<f64> = delivered.collect();
            let all: f64 = delivered.iter().sum();
            for (&pool, delivered) in scaled.pools.iter().zip(delivered) {
                self.replicas[pool] = serving * delivered / all.max(1.0);
            }
        }
        let up = self.uptime.pass(&of_cluster, (from, until));
        for (index, replicas) in self.replicas.iter_mut().enumerate() {
            *replicas *= match supply::stands_still(self.scenario, index, from) {
                true => 0.0,
                false => up[self.scenario.pools[index].cluster],
            };
        }
    }

    /// Sites.
    pub(super) fn sites(&self) -> usize {
        self.sites.len()
    }

    /// By pool: replicas in service.
    pub(super) fn replicas(&self) -> &[f64] {
        &self.replicas
    }

    /// By site: whether a demand may be served there.
    pub(super) fn may(&self, demand: usize) -> &[bool] {
        &self.may[demand]
    }

    /// The pools of some sites.
    pub(super) fn pools_of(&self, sites: &[bool]) -> Vec<usize> {
        let both = self.sites.iter().zip(sites);
        let some = both.filter(|(_, is_in)| **is_in);
        some.flat_map(|(pools, _)| pools.iter().copied()).collect()
    }

    /// By site: images a second if it did nothing but a demand's work, at the quality it gives; 0 where it may not.
    pub(super) fn rates(
        &self,
        rules: &Rules,
        demand: usize,
        quality: impl Fn(usize, &Work) -> usize,
    ) -> Vec<f64> {
        let work = &self.scenario.works[self.scenario.demands[demand].work];
        let rate = |site: usize| match self.may[demand][site] {
            true => {
                let of = (work, quality(site, work));
                self.rate_per_s(rules, &self.sites[site], of)
            }
            false => 0.0,
        };
        (0..self.sites.len()).map(rate).collect()
    }

    fn rate_per_s(&self, rules: &Rules, pools: &[usize], of: (&Work, usize)) -> f64 {
        supply::rate_per_s(self.scenario, rules, pools, &self.replicas, of)
    }

    /// By site: places in the batches of all replicas in service.
    pub(super) fn slots(&self, rules: &Rules) -> Vec<f64> {
        let of_site =
            |pools: &Vec<usize>| supply::slots(self.scenario, rules, pools, &self.replicas);
        self.sites.iter().map(of_site).collect()
    }

    /// By pool: the part of a demand's requests that goes there; by places, where there are any.
    fn sent(&self, rules: &Rules, demand: usize) -> Vec<f64> {
        let may = &self.may[demand];
        let sites = self.sites.iter().zip(may).filter(|(_, may)| **may);
        let pools: Vec<usize> = sites.flat_map(|(pools, _)| pools.iter().copied()).collect();
        let slots = |pool: usize| supply::slots(self.scenario, rules, &[pool], &self.replicas);
        let all: f64 = pools.iter().map(|&pool| slots(pool)).sum();
        let mut sent = vec![0.0; self.replicas.len()];
        for &pool in &pools {
            sent[pool] = match all > 0.0 {
                true => slots(pool) / all,
                false => 1.0 / pools.len() as f64,
            };
        }
        sent
    }

    /// The step until a time is over: what autoscalers hear of it. By demand, requests that were let in, and requests
    /// that wait.
    pub(super) fn tell(&mut self, rules: &Rules, until: SimTime, [came, wait]: [&[f64]; 2]) {
        if self.scaled.is_empty() {
            return;
        }
        let demands = 0..self.scenario.demands.len();
        let sent: Vec<Vec<f64>> = demands.map(|demand| self.sent(rules, demand)).collect();
        for scaled in &mut self.scaled {
            let (mut came_s, mut wait_s) = (0.0, 0.0);
            for (index, demand) in self.scenario.demands.iter().enumerate() {
                let work = &self.scenario.works[demand.work];
                for &pool in scaled.pools.iter().filter(|&&pool| sent[index][pool] > 0.0) {
                    let at = &self.scenario.pools[pool];
                    let places = rules.policy.batching.places(at.batch_limit);
                    let part_s = sent[index][pool] / work.rate_per_s(&at.profile.curve, places, 0);
                    came_s += came[index] * part_s;
                    wait_s += wait[index] * part_s;
                }
            }
            scaled.measure(until, came_s);
            scaled.backlog_s = wait_s;
        }
    }

    /// The fleet was asked for more than it can do for so many seconds.
    pub(super) fn was_short(&mut self, at: SimTime, seconds: f64) {
        for scaled in &mut self.scaled {
            if scaled.could_grow(self.scenario, at) {
                scaled.behind_s += seconds;
            }
        }
    }

    /// By site: its pools.
    pub(super) fn pools(&self, site: usize) -> usize {
        self.sites[site].len()
    }
}

/// Whether a pool may serve a demand: it can do the work, and data of the users may go there.
fn may_serve(scenario: &Scenario, pool: usize, demand: usize) -> bool {
    let pool = &scenario.pools[pool];
    let region = scenario.clusters[pool.cluster].region;
    let demand = &scenario.demands[demand];
    pool.can_do(demand.work) && scenario.regions[demand.region].may_be_served_in(region)
}
