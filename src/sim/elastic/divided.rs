//! A divided cluster: who holds its GPUs, what moves them in units, and what trains on the rest.
//!
//! ```text
//! decision -> units ordered -> donor drains (a job gives at once) -> unit free -> receiver starts up -> serves
//! ```
//!
//! GPUs are alike: as many as replicas have let go make a unit, wherever they stand. Every replica of a partition
//! is a slot of its bay, and a bay has a slot for each that all units of the cluster would make.

mod tally;

use super::Pool;
use super::bay::{Bay, State};
use super::meter::LoadMeter;
use super::start::Starts;
use super::training::{Job, TrainingTally};
use crate::scenario::{Division, Moves, Scenario};
use crate::units::{SimDuration, SimTime};
pub use tally::{DivisionTally, PartitionTally};

/// A partition at work.
#[derive(Clone, Debug)]
struct Part {
    /// Its pool; `None`: it trains, or has none.
    pool: Option<usize>,
    gpus_per_replica: u32,
    /// Where its replicas start up one by one.
    bay: Option<Bay>,
    meter: LoadMeter,
    /// Replica-seconds offered in the window that ends now.
    work_s: f64,
    /// Units that it is to have.
    ordered: u32,
    /// Of those: units that it has, or that are free for it.
    granted: u32,
    tally: PartitionTally,
}

/// A divided cluster at work.
#[derive(Clone, Debug)]
pub(super) struct Divided {
    cluster: usize,
    rule: Division,
    parts: Vec<Part>,
    /// Units delivered.
    units: u32,
    /// The partition that trains.
    job: Option<(usize, Job)>,
    /// Of its deliveries: how many have come.
    come: usize,
    decides: SimTime,
    changed: Option<SimTime>,
    gpu_ns: u128,
    free_gpu_ns: u128,
    before: DivisionTally,
}

/// All divided clusters of a scenario; their start-ups get to know what each partition loads.
pub(super) fn all(scenario: &Scenario, starts: &mut [Option<Starts>]) -> Vec<Divided> {
    let clusters = scenario.clusters.iter().enumerate();
    let divided = clusters.filter_map(|(index, cluster)| {
        let division = cluster.division.as_ref()?;
        if let Some(starts) = &mut starts[index] {
            for part in &division.partitions {
                let own = part.pool.map(|pool| (pool, part.start_up.clone()));
                own.into_iter()
                    .for_each(|(pool, own)| starts.set_own(pool, own));
            }
        }
        Some(Divided::new(
            scenario,
            index,
            division,
            starts[index].is_some(),
        ))
    });
    divided.collect()
}

impl Divided {
    fn new(scenario: &Scenario, cluster: usize, rule: &Division, starts: bool) -> Self {
        let memory = rule.moves.map_or(SimDuration::ZERO, |moves| {
            SimDuration(moves.reaction.0.saturating_add(moves.window.0))
        });
        let parts = rule.partitions.iter().map(|part| {
            let gpus_per_replica = rule.unit_gpus / part.replicas_per_unit.max(1);
            let bay = part.pool.filter(|_| starts);
            Part {
                pool: part.pool,
                gpus_per_replica,
                bay: bay.map(|pool| Bay::new(pool, cluster, gpus_per_replica)),
                meter: LoadMeter::new(memory),
                work_s: 0.0,
                ordered: 0,
                granted: 0,
                tally: PartitionTally::default(),
            }
        });
        let here =
            |outage: &&crate::scenario::Outage| scenario.pools[outage.pool].cluster == cluster;
        let outages = scenario.outages.iter().filter(here);
        let outages: Vec<_> = outages.map(|outage| (outage.from, outage.until)).collect();
        let trains = rule.partitions.iter().enumerate();
        let mut trains = trains.filter_map(|(index, part)| Some((index, part.training?)));
        let never = SimTime::NEVER;
        Self {
            cluster,
            rule: rule.clone(),
            parts: parts.collect(),
            units: 0,
            job: trains
                .next()
                .map(|(index, rule)| (index, Job::new(rule, outages))),
            come: 0,
            decides: rule
                .moves
                .map_or(never, |moves| SimTime::ZERO + moves.every),
            changed: None,
            gpu_ns: 0,
            free_gpu_ns: 0,
            before: DivisionTally::default(),
        }
    }

    /// Index of its cluster.
    pub(super) fn cluster(&self) -> usize {
        self.cluster
    }

    /// The bays of its partitions.
    pub(super) fn bays(&mut self) -> impl Iterator<Item = &mut Bay> {
        self.parts.iter_mut().filter_map(|part| part.bay.as_mut())
    }

    /// When something is due next.
    pub(super) fn next(&self) -> SimTime {
        let coming = self.coming().map_or(SimTime::NEVER, |delivery| delivery.0);
        self.decides.min(coming)
    }

    /// The next delivery to the job.
    fn coming(&self) -> Option<(SimTime, u32)> {
        let (trains, _) = self.job.as_ref()?;
        self.rule.partitions[*trains]
            .deliveries
            .get(self.come)
            .copied()
    }

    /// Replicas of a pool are delivered; whether they start here, `None` where the pool is not of this cluster.
    pub(super) fn deliver(
        &mut self,
        pool: usize,
        replicas: u32,
        pools: &mut [Pool],
    ) -> Option<bool> {
        let index = self.parts.iter().position(|part| part.pool == Some(pool))?;
        let units = replicas / self.rule.partitions[index].replicas_per_unit.max(1);
        self.take_in(index, units, pools);
        Some(self.parts[index].bay.is_some())
    }

    /// So many units more, for a partition; all get slots for what these could make.
    fn take_in(&mut self, index: usize, units: u32, pools: &mut [Pool]) {
        self.units = self.units.saturating_add(units);
        let part = &mut self.parts[index];
        part.ordered += units;
        part.granted += units;
        for (part, rule) in self.parts.iter_mut().zip(&self.rule.partitions) {
            if let Some(bay) = &mut part.bay {
                let slots = units.saturating_mul(rule.replicas_per_unit);
                bay.deliver(slots);
                pools[bay.pool].deliver_out(slots);
            }
        }
    }

    /// The start: what is there serves.
    pub(super) fn begin(&mut self, pools: &mut [Pool]) {
        self.come_in(SimTime::ZERO, pools);
        self.set_targets();
        for bay in self.bays() {
            bay.begin(&mut pools[bay.pool]);
        }
        let gpus = self.job_gpus();
        self.job.iter_mut().for_each(|(_, job)| job.begin(gpus));
        self.restart_statistics();
    }

    /// Units of the job that have come.
    fn come_in(&mut self, now: SimTime, pools: &mut [Pool]) {
        while let Some((_, units)) = self.coming().filter(|delivery| delivery.0 <= now) {
            self.come += 1;
            let trains = self.job.as_ref().map_or(0, |(index, _)| *index);
            self.take_in(trains, units, pools);
        }
    }

    fn job_gpus(&self) -> u64 {
        let granted = self
            .job
            .as_ref()
            .map_or(0, |(index, _)| self.parts[*index].granted);
        u64::from(granted) * u64::from(self.rule.unit_gpus)
    }

    fn set_targets(&mut self) {
        for (part, rule) in self.parts.iter_mut().zip(&self.rule.partitions) {
            if let Some(bay) = &mut part.bay {
                bay.target = part.granted.saturating_mul(rule.replicas_per_unit);
            }
        }
    }

    /// By pool: where the work is noted that was offered in the window that ends now, in replica-seconds.
    pub(super) fn measured(&mut self) -> impl Iterator<Item = (usize, &mut f64)> {
        let parts = self.parts.iter_mut();
        parts.filter_map(|part| Some((part.pool?, &mut part.work_s)))
    }

    /// Takes in what was noted.
    pub(super) fn measure(&mut self, until: SimTime) {
        for part in self.parts.iter_mut().filter(|part| part.pool.is_some()) {
            part.meter.add(until, part.work_s);
            let gpu_ns = part.work_s * f64::from(part.gpus_per_replica) * 1e9;
            part.tally.load_gpu_ns += gpu_ns as u128;
        }
    }

    /// Time has passed with the levels as they are.
    pub(super) fn pass(&mut self, from: SimTime, until: SimTime) {
        let ns = u128::from(until.since(from).0);
        let all = u64::from(self.units) * u64::from(self.rule.unit_gpus);
        let mut held = 0;
        for index in 0..self.parts.len() {
            let [serving, starting, draining] = self.levels(index).map(u128::from);
            held += serving + starting + draining;
            let tally = &mut self.parts[index].tally;
            tally.serving_gpu_ns += serving * ns;
            tally.starting_gpu_ns += starting * ns;
            tally.draining_gpu_ns += draining * ns;
            tally.gpus_least = tally.gpus_least.min(serving as u64);
            tally.gpus_most = tally.gpus_most.max(serving as u64);
        }
        self.gpu_ns += u128::from(all) * ns;
        self.free_gpu_ns += (u128::from(all) - held) * ns;
        self.job
            .iter_mut()
            .for_each(|(_, job)| job.pass(from, until));
    }

    /// GPUs of a partition that serve, start up and drain.
    fn levels(&self, index: usize) -> [u64; 3] {
        let part = &self.parts[index];
        let Some(bay) = &part.bay else {
            // A job gives and takes at once, and so does what has no start-up.
            return [
                u64::from(part.granted) * u64::from(self.rule.unit_gpus),
                0,
                0,
            ];
        };
        let gpus = |count: u32| u64::from(count) * u64::from(part.gpus_per_replica);
        let on_its_way = State::Starting;
        let ready = bay.count(State::Warm) + bay.count(State::Rising);
        [
            gpus(bay.count(State::Serving)),
            gpus(bay.count(on_its_way) + ready),
            gpus(bay.count(State::Draining)),
        ]
    }

    /// Does what is due now, but for the replicas, which `follow` brings after it. By pool: seconds of a replica
    /// that a request takes.
    pub(super) fn act(&mut self, now: SimTime, pools: &mut [Pool], costs_s: &[f64]) {
        self.come_in(now, pools);
        if let Some(moves) = self.rule.moves.filter(|_| self.decides <= now) {
            self.decides = now + moves.every;
            let old = SimTime(now.0.saturating_sub(moves.reaction.0));
            let is_cool = |changed: SimTime| now.since(changed) >= moves.cool_down;
            // Before the first measurement nothing is known.
            if old > SimTime::ZERO && self.changed.is_none_or(is_cool) {
                let loads = self.loads(old, &moves, pools, costs_s);
                self.decide(now, &moves, &loads, pools);
            }
        }
        self.train(now);
    }

    /// By partition: the load in units up to a time, with what waits now.
    fn loads(&self, old: SimTime, moves: &Moves, pools: &[Pool], costs_s: &[f64]) -> Vec<f64> {
        let load = |part: &Part| {
            let backlog = part.pool.zip(moves.backlog_within_s);
            let backlog = backlog.map_or(0.0, |(pool, within_s)| {
                pools[pool].levels().waiting as f64 * costs_s[pool] / within_s
            });
            part.meter.load(old, moves.window) + backlog
        };
        let both = self.parts.iter().zip(&self.rule.partitions);
        both.map(|(part, rule)| load(part) / f64::from(rule.replicas_per_unit.max(1)))
            .collect()
    }

    /// Orders units from one partition to another, after the loads.
    fn decide(&mut self, now: SimTime, moves: &Moves, loads: &[f64], pools: &mut [Pool]) {
        let before: Vec<u32> = self.parts.iter().map(|part| part.ordered).collect();
        let wanted = self.rule.wanted(self.units, loads, moves.target);
        let next = moves.towards(&before, &wanted);
        if next == before {
            return;
        }
        self.changed = Some(now);
        for (index, part) in self.parts.iter_mut().enumerate() {
            part.ordered = next[index];
            part.tally.moved_in += u64::from(next[index].saturating_sub(before[index]));
            part.tally.moved_out += u64::from(before[index].saturating_sub(next[index]));
            part.granted = part.granted.min(part.ordered);
            let lacking = part.ordered - part.granted;
            if let Some(bay) = part.bay.as_mut().filter(|_| lacking > 0) {
                // Who drains still has what a start-up would load.
                let each = self.rule.partitions[index].replicas_per_unit;
                let units = lacking.min(bay.count(State::Draining) / each);
                bay.recall(units * each, &mut pools[bay.pool]);
                part.granted += units;
            }
        }
    }

    /// The job has what it is granted.
    fn train(&mut self, now: SimTime) {
        let gpus = self.job_gpus();
        self.job.iter_mut().for_each(|(_, job)| job.give(gpus, now));
    }

    /// Brings all replicas to what is granted, and grants what they let go.
    pub(super) fn follow(&mut self, now: SimTime, pools: &mut [Pool], starts: &mut Starts) {
        self.bring(now, pools, starts);
        if self.grant() {
            self.train(now);
            self.bring(now, pools, starts);
        }
    }

    fn bring(&mut self, now: SimTime, pools: &mut [Pool], starts: &mut Starts) {
        self.set_targets();
        let mut rising = Vec::new();
        for bay in self.bays() {
            let pool = &mut pools[bay.pool];
            bay.follow(now, pool, starts, &mut rising);
            // Nobody is kept ready, so who is ready has just drained, and serves on.
            for (_, index) in rising.drain(..) {
                bay.risen(index, pool);
            }
        }
    }

    /// Gives free units to whoever lacks most, who serves before who trains; whether there were any.
    fn grant(&mut self) -> bool {
        let all = u64::from(self.units) * u64::from(self.rule.unit_gpus);
        let mut free = (all - self.held_gpus()) / u64::from(self.rule.unit_gpus);
        let mut grants = false;
        while free > 0 {
            let lacks = |part: &Part| part.ordered - part.granted;
            let order = |part: &Part| (part.pool.is_some(), lacks(part));
            let lacking = self.parts.iter_mut().rev().filter(|part| lacks(part) > 0);
            let Some(part) = lacking.max_by_key(|part| order(part)) else {
                break;
            };
            part.granted += 1;
            (free, grants) = (free - 1, true);
        }
        grants
    }

    /// GPUs that somebody holds.
    fn held_gpus(&self) -> u64 {
        let levels = (0..self.parts.len()).flat_map(|index| self.levels(index));
        levels.sum()
    }

    /// What was counted since the start.
    fn sum(&self) -> DivisionTally {
        let partition = |(index, part): (usize, &Part)| {
            let job = self.job.as_ref().filter(|(trains, _)| *trains == index);
            let trained = job.map_or(TrainingTally::default(), |(_, job)| job.tally());
            PartitionTally {
                trained_gpu_ns: trained.trained_gpu_ns,
                lost_gpu_ns: trained.lost_gpu_ns,
                stalled_gpu_ns: trained.stalled_gpu_ns,
                gpus: self.levels(index)[0],
                ..part.tally
            }
        };
        DivisionTally {
            gpu_ns: self.gpu_ns,
            free_gpu_ns: self.free_gpu_ns,
            gpus: u64::from(self.units) * u64::from(self.rule.unit_gpus),
            partitions: self.parts.iter().enumerate().map(partition).collect(),
        }
    }

    /// What was counted since the start or the end of the warm-up.
    pub(super) fn tally(&self) -> DivisionTally {
        let mut tally = self.sum();
        tally.gpu_ns -= self.before.gpu_ns;
        tally.free_gpu_ns -= self.before.free_gpu_ns;
        for (part, before) in tally.partitions.iter_mut().zip(&self.before.partitions) {
            *part = part.since(before);
        }
        tally
    }

    /// The end of the warm-up.
    pub(super) fn restart_statistics(&mut self) {
        for index in 0..self.parts.len() {
            let [serving, ..] = self.levels(index);
            let tally = &mut self.parts[index].tally;
            tally.gpus_first = serving;
            (tally.gpus_least, tally.gpus_most) = (serving, serving);
        }
        self.before = self.sum();
    }

    /// Replicas of a pool that hold GPUs; `None` where all that are delivered do.
    pub(super) fn held(&self, pool: usize) -> Option<u64> {
        let mut bays = self.parts.iter().filter_map(|part| part.bay.as_ref());
        let bay = bays.find(|bay| bay.pool == pool)?;
        Some(u64::from(bay.held()))
    }

    /// Panics where GPUs are held twice, or units are ordered for more or fewer than there are.
    pub(super) fn assert_conserved(&self, pools: &[Pool]) {
        let all = u64::from(self.units) * u64::from(self.rule.unit_gpus);
        let held = self.held_gpus();
        assert!(held <= all, "{held} of {all} GPUs are held");
        let ordered: u32 = self.parts.iter().map(|part| part.ordered).sum();
        assert_eq!(ordered, self.units, "units ordered");
        for bay in self.parts.iter().filter_map(|part| part.bay.as_ref()) {
            let known = bay.count(State::Serving) + bay.count(State::Draining);
            let in_service = pools[bay.pool].levels().in_service;
            assert!(
                in_service <= u64::from(known),
                "{in_service} of {known} replicas serve"
            );
        }
    }
}
