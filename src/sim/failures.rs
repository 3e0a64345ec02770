//! Failures: what breaks in a cluster, which replicas that takes down, and what brings them back.
//!
//! ```text
//!  clock of a cause --> unit (replica, node, rack, power domain, site) down --> workshop --> unit up
//!                       replicas in it are held                       crews, spares
//! ```
//!
//! All of it happens between windows: a window ends where something is due, so failures are on time, may take
//! replicas of several pools at once, and pools stay independent. A unit that is down does not fail again; units
//! are otherwise independent, whatever else is down. A replica serves while everything in which it stands is up.

mod clock;
mod rolling;
mod standing;
mod tally;
mod workshop;

use std::collections::{BTreeMap, BTreeSet};

use super::pool::Pool;
use crate::random::Stream;
use crate::scenario::{Cause, Interrupted, Reliability, Scenario, Unit};
use crate::units::SimTime;
use clock::Clocks;
use rolling::Rolling;
use standing::Standing;
use tally::Counts;
pub use tally::{CauseTally, FailureTally};
use workshop::{Done, Workshop};

/// A cluster in which something fails or is maintained.
pub(crate) struct Failing {
    cluster: usize,
    reliability: Reliability,
    standing: Standing,
    clocks: Clocks,
    workshop: Workshop,
    rolling: Option<Rolling>,
    /// Units that are down.
    down: BTreeSet<Unit>,
    /// What is due when, in the order in which it was set.
    due: BTreeMap<(SimTime, u64), Done>,
    set: u64,
    counts: Counts,
    /// By cause: where its repair times come from.
    repairs: Vec<Stream>,
    swaps: Stream,
}

/// All clusters of a scenario in which something fails or is maintained.
pub(crate) fn all(scenario: &Scenario) -> Vec<Failing> {
    let clusters = scenario.clusters.iter().enumerate();
    let failing = clusters.filter_map(|(index, cluster)| {
        let reliability = cluster.reliability.clone()?;
        let stream = |purpose: &str| scenario.seed.stream(&cluster.name, purpose, 0);
        let of_cause = |what: &str, cause: &Cause| stream(&format!("{what} of {}", cause.name));
        let causes = &reliability.causes;
        let failures = causes.iter().map(|cause| of_cause("failures", cause));
        Some(Failing {
            cluster: index,
            standing: Standing::new(reliability.topology),
            clocks: Clocks::new(causes.clone(), failures.collect()),
            workshop: Workshop::new(reliability.crews, reliability.spares),
            rolling: reliability.maintenance.clone().map(Rolling::new),
            down: BTreeSet::new(),
            due: BTreeMap::new(),
            set: 0,
            counts: Counts::new(causes.len()),
            repairs: causes
                .iter()
                .map(|cause| of_cause("repairs", cause))
                .collect(),
            swaps: stream("swaps"),
            reliability,
        })
    });
    failing.collect()
}

impl Failing {
    /// Index of its cluster.
    pub(crate) fn cluster(&self) -> usize {
        self.cluster
    }

    /// When something is due next.
    pub(crate) fn next(&self) -> SimTime {
        let due = self.due.first_key_value();
        let due = due.map_or(SimTime::NEVER, |(&(at, _), _)| at);
        let rolling = self.rolling.as_ref().map_or(SimTime::NEVER, Rolling::next);
        due.min(self.clocks.next()).min(rolling)
    }

    /// So many replicas of a pool are delivered; those that stand where something is down are down too.
    pub(crate) fn deliver(
        &mut self,
        now: SimTime,
        (pool, count): (usize, u32),
        pools: &mut [Pool],
    ) {
        let before = self.standing.len();
        self.standing.deliver(pool, count);
        let after = self.standing.len();
        self.clocks
            .grow(now, |level| self.reliability.topology.units(level, after));
        self.counts.installed.set(after, now);
        for unit in &self.down {
            let range = self.reliability.topology.replicas_in(*unit, after);
            let new = range.start.max(before)..range.end.max(before);
            self.standing.hold(new, Interrupted::Requeued, pools);
        }
        self.count(now);
    }

    /// Does what is due now.
    pub(crate) fn act(&mut self, now: SimTime, pools: &mut [Pool]) {
        while self.next() <= now {
            if let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now) {
                let done = entry.remove();
                self.done(now, done, pools);
            } else if self.clocks.next() <= now {
                self.fail(now, pools);
            } else if let Some(rolling) = &mut self.rolling {
                rolling.act(now, &mut self.standing, &mut self.counts, pools);
            }
            self.count(now);
        }
    }

    /// The clock of a cause has struck: one of its units fails, unless it is down.
    fn fail(&mut self, now: SimTime, pools: &mut [Pool]) {
        let (index, number) = self.clocks.strike();
        let cause = &self.reliability.causes[index];
        let topology = &self.reliability.topology;
        let unit = topology.unit(cause.level, number, cause.repair);
        if !self.down.insert(unit) {
            return;
        }
        let range = topology.replicas_in(unit, self.standing.len());
        let replicas = range.end - range.start;
        let hit = self.standing.hold(range, cause.running, pools);
        let counted = &mut self.counts.causes[index];
        counted.failures += 1;
        counted.replicas += replicas;
        counted.lost += hit.lost;
        counted.requeued += hit.requeued;
        let repair_s = cause.repair_s.sample(&mut self.repairs[index]);
        let brought = self.workshop.bring(unit, cause.repair, repair_s);
        self.schedule(now, brought);
    }

    /// A restart, a repair or a swap is done.
    fn done(&mut self, now: SimTime, done: Done, pools: &mut [Pool]) {
        let up = match done {
            Done::Up(unit) => Some(unit),
            Done::Repaired(unit) => {
                let (up, follow) = self.workshop.repaired(unit);
                self.schedule(now, follow);
                up
            }
        };
        if let Some(unit) = up.filter(|unit| self.down.remove(unit)) {
            let topology = &self.reliability.topology;
            let range = topology.replicas_in(unit, self.standing.len());
            self.standing.release(range, pools);
        }
    }

    /// Sets when what begins now is done; a swap takes as long as its law says.
    fn schedule(&mut self, now: SimTime, begun: Vec<workshop::Begun>) {
        for begun in begun {
            let (done, lasts_s) = match begun {
                workshop::Begun::Known(done, lasts_s) => (done, lasts_s),
                workshop::Begun::Swap(unit) => {
                    self.counts.swaps += 1;
                    let lasts_s = self.reliability.swap_s.sample(&mut self.swaps);
                    (Done::Up(unit), lasts_s)
                }
            };
            self.set += 1;
            let at = now + crate::units::SimDuration::from_s(lasts_s);
            self.due.insert((at, self.set), done);
        }
    }

    /// Takes the levels.
    fn count(&mut self, now: SimTime) {
        let counts = &mut self.counts;
        counts.down.set(self.standing.down(), now);
        counts.maintained.set(self.standing.maintained(), now);
        counts.at_work.set(self.workshop.at_work(), now);
        counts.waiting.set(self.workshop.waiting(), now);
        counts.down_max = counts.down_max.max(self.standing.down());
        counts.spares_least = counts.spares_least.min(self.workshop.spares());
    }

    /// The end of the warm-up: statistics begin anew.
    pub(crate) fn restart_statistics(&mut self, now: SimTime) {
        self.counts.restart(now);
        self.counts.down_max = self.standing.down();
        self.counts.spares_least = self.workshop.spares();
    }

    /// What happened since the start or the end of the warm-up.
    pub(crate) fn tally(&self, now: SimTime) -> FailureTally {
        self.counts.tally(now)
    }
}
