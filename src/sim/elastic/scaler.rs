//! One autoscaler at work: it measures, decides, and counts what came of it.

use super::bay::{Bay, State, share_out};
use super::meter::LoadMeter;
use super::rule::{Controller, Reading};
use crate::random::Stream;
use crate::scenario::{Autoscaler, ScalingRule, Scenario};
use crate::sim::tally::Gauge;
use crate::units::{NS_PER_DAY, SimDuration, SimTime};

/// What an autoscaler did: levels over time in replicas x ns, since the start or the end of the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScalerTally {
    /// Replicas that its rule wanted.
    pub wanted_ns: u128,
    /// Replicas that started up, or rose from being ready.
    pub starting_ns: u128,
    /// Replicas kept ready.
    pub warm_ns: u128,
    /// Replicas that served.
    pub serving_ns: u128,
    /// Replicas that ended their last batch.
    pub draining_ns: u128,
    /// Replicas delivered.
    pub delivered_ns: u128,
    /// GPUs delivered x ns.
    pub delivered_gpu_ns: u128,
    /// GPUs of replicas that were not released x ns.
    pub held_gpu_ns: u128,
    /// Released GPUs of contracts on demand, which cost nothing, x ns.
    pub returned_gpu_ns: u128,
    /// Offered load in replicas x ns, rounded by the window.
    pub load_ns: u128,
    /// Offered load beyond the replicas that served x ns.
    pub short_ns: u128,
    /// Decisions that ordered more.
    pub ups: u64,
    /// Decisions that ordered fewer.
    pub downs: u64,
    /// How often more was offered than replicas served, and capacity came after it.
    pub crossings: u64,
    /// How long that took, all together, in ns.
    pub crossing_ns: u128,
    /// How long it took at most, in ns.
    pub crossing_longest_ns: u64,
    /// For how long more has been offered by now than replicas serve, in ns; 0: it is not so.
    pub crossing_open_ns: u64,
}

impl ScalerTally {
    /// What was added since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            wanted_ns: self.wanted_ns - before.wanted_ns,
            starting_ns: self.starting_ns - before.starting_ns,
            warm_ns: self.warm_ns - before.warm_ns,
            serving_ns: self.serving_ns - before.serving_ns,
            draining_ns: self.draining_ns - before.draining_ns,
            delivered_ns: self.delivered_ns - before.delivered_ns,
            delivered_gpu_ns: self.delivered_gpu_ns - before.delivered_gpu_ns,
            held_gpu_ns: self.held_gpu_ns - before.held_gpu_ns,
            returned_gpu_ns: self.returned_gpu_ns - before.returned_gpu_ns,
            load_ns: self.load_ns - before.load_ns,
            short_ns: self.short_ns - before.short_ns,
            ups: self.ups - before.ups,
            downs: self.downs - before.downs,
            crossings: self.crossings - before.crossings,
            crossing_ns: self.crossing_ns - before.crossing_ns,
            ..*self
        }
    }

    /// Adds what another autoscaler did.
    pub fn add(&mut self, other: &Self) {
        self.wanted_ns += other.wanted_ns;
        self.starting_ns += other.starting_ns;
        self.warm_ns += other.warm_ns;
        self.serving_ns += other.serving_ns;
        self.draining_ns += other.draining_ns;
        self.delivered_ns += other.delivered_ns;
        self.delivered_gpu_ns += other.delivered_gpu_ns;
        self.held_gpu_ns += other.held_gpu_ns;
        self.returned_gpu_ns += other.returned_gpu_ns;
        self.load_ns += other.load_ns;
        self.short_ns += other.short_ns;
        self.ups += other.ups;
        self.downs += other.downs;
        self.crossings += other.crossings;
        self.crossing_ns += other.crossing_ns;
        self.crossing_longest_ns = self.crossing_longest_ns.max(other.crossing_longest_ns);
        self.crossing_open_ns = self.crossing_open_ns.max(other.crossing_open_ns);
    }
}

/// An autoscaler with the bays it fills.
#[derive(Clone, Debug)]
pub(super) struct Scaler {
    rule: Autoscaler,
    controller: Controller,
    meter: LoadMeter,
    pub(super) bays: Vec<Bay>,
    /// Time of the week, local to its first cluster, at the start.
    week_start_s: f64,
    pub(super) next: SimTime,
    pub(super) stream: Stream,
    /// When more began to be offered than replicas serve.
    crossed: Option<SimTime>,
    wanted: Gauge,
    tally: ScalerTally,
}

impl Scaler {
    pub(super) fn new(scenario: &Scenario, rule: &Autoscaler, bays: Vec<Bay>) -> Self {
        let memory = SimDuration(rule.reaction.0.saturating_add(rule.window.0));
        Self {
            controller: Controller::of(rule, bays.len() as u32),
            meter: LoadMeter::new(memory),
            bays,
            week_start_s: rule.week_start_s(scenario),
            next: SimTime::ZERO + rule.every,
            stream: scenario.seed.stream(&rule.name, "warm start", 0),
            crossed: None,
            wanted: Gauge::default(),
            tally: ScalerTally::default(),
            rule: rule.clone(),
        }
    }

    /// At the start: what is ordered serves, as far as it is there.
    pub(super) fn begin(&mut self) {
        let initial = self.controller.begin(self.delivered());
        share_out(&mut self.bays, initial);
        self.keep_warm();
        self.wanted.set(u64::from(initial), SimTime::ZERO);
    }

    /// How long a ready replica takes to serve.
    pub(super) fn rise(&mut self) -> SimDuration {
        SimDuration::from_s(self.rule.warm_start_s.sample(&mut self.stream))
    }

    fn delivered(&self) -> u32 {
        self.bays.iter().map(Bay::delivered).sum()
    }

    pub(super) fn count(&self, state: State) -> u64 {
        self.bays
            .iter()
            .map(|bay| u64::from(bay.count(state)))
            .sum()
    }

    /// Shares the ready replicas over the bays.
    fn keep_warm(&mut self) {
        let (count, warm) = (self.bays.len() as u32, self.rule.warm);
        for (number, bay) in (0..).zip(&mut self.bays) {
            bay.warm = warm / count + u32::from(number < warm % count);
        }
    }

    /// So much work was offered in the window that ends now.
    pub(super) fn measure(&mut self, from: SimTime, until: SimTime, replica_s: f64) {
        let ns = until.since(from).0;
        let load_ns = replica_s * 1e9;
        self.tally.load_ns += load_ns as u128;
        let served_ns = self.count(State::Serving) as f64 * ns as f64;
        self.tally.short_ns += (load_ns - served_ns).max(0.0) as u128;
        self.meter.add(until, replica_s);
    }

    /// Decides, given the work of those who wait in replica-seconds.
    pub(super) fn decide(&mut self, now: SimTime, waiting_replica_s: f64) {
        self.next = now + self.rule.every;
        let old = SimTime(now.0.saturating_sub(self.rule.reaction.0));
        let is_blind = old == SimTime::ZERO;
        if is_blind && !matches!(self.rule.rule, ScalingRule::Scheduled { .. }) {
            // Nothing has been measured yet.
            return;
        }
        let mut load = self.meter.load(old, self.rule.window);
        if let Some(within_s) = self.rule.backlog_within_s {
            load += waiting_replica_s / within_s;
        }
        let before = self.controller.ordered();
        let week_s = self.week_start_s + (now.0 % (7 * NS_PER_DAY)) as f64 / 1e9;
        let available = self.delivered();
        let ordered = self.controller.decide(Reading {
            now,
            week_s,
            load,
            available,
        });
        self.tally.ups += u64::from(ordered > before);
        self.tally.downs += u64::from(ordered < before);
        self.wanted.set(u64::from(self.controller.wanted()), now);
        share_out(&mut self.bays, ordered);
        self.compare(now, true);
    }

    /// Whether what is offered crosses what serves. It is looked at with each decision, over the window that
    /// the rule measures but without delay; that capacity has come is seen when it comes.
    pub(super) fn compare(&mut self, now: SimTime, decides: bool) {
        let load = self.meter.load(now, self.rule.window);
        let is_short = load > self.count(State::Serving) as f64;
        match self.crossed {
            None if is_short && decides => self.crossed = Some(now),
            Some(since) if !is_short => {
                let took = now.since(since).0;
                self.tally.crossings += 1;
                self.tally.crossing_ns += u128::from(took);
                self.tally.crossing_longest_ns = self.tally.crossing_longest_ns.max(took);
                self.crossed = None;
            }
            _ => {}
        }
    }

    /// Time has passed with the levels as they are; released GPUs in `returned` cost nothing.
    pub(super) fn pass(&mut self, ns: u64, returned_gpus: u64) {
        let ns = u128::from(ns);
        let level = |scaler: &Self, state| u128::from(scaler.count(state)) * ns;
        self.tally.starting_ns += level(self, State::Starting) + level(self, State::Rising);
        self.tally.warm_ns += level(self, State::Warm);
        self.tally.serving_ns += level(self, State::Serving);
        self.tally.draining_ns += level(self, State::Draining);
        self.tally.delivered_ns += u128::from(self.delivered()) * ns;
        let gpus = |count: fn(&Bay) -> u32| -> u128 {
            let gpus = |bay: &Bay| u128::from(count(bay)) * u128::from(bay.gpus_per_replica);
            self.bays.iter().map(gpus).sum()
        };
        let (delivered, off) = (gpus(Bay::delivered), gpus(|bay| bay.count(State::Off)));
        self.tally.delivered_gpu_ns += delivered * ns;
        self.tally.held_gpu_ns += (delivered - off) * ns;
        self.tally.returned_gpu_ns += u128::from(returned_gpus) * ns;
    }

    pub(super) fn tally(&self, now: SimTime) -> ScalerTally {
        ScalerTally {
            wanted_ns: self.wanted.integral_ns(now),
            crossing_open_ns: self.crossed.map_or(0, |since| now.since(since).0),
            ..self.tally
        }
    }

    /// The indices of its clusters.
    pub(super) fn clusters(&self) -> &[usize] {
        &self.rule.clusters
    }
}
