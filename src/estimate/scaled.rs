//! An autoscaler in the fluid model: the rule that the simulation follows, on the rates of the fluid.
//!
//! It measures, decides, and counts what is ordered, starts up and serves as the simulation does, but with mean
//! start-up times that do not slow each other down, and whoever is released is gone at once.

use std::collections::VecDeque;

use crate::scenario::{Autoscaler, ScalingRule, Scenario};
use crate::sim::{Controller, LoadMeter, Reading};
use crate::units::{SimDuration, SimTime};

/// An autoscaler and the replicas that it has.
pub(super) struct Scaled<'a> {
    rule: &'a Autoscaler,
    /// Its pools.
    pub(super) pools: Vec<usize>,
    controller: Controller,
    meter: LoadMeter,
    /// Time of the week, local to its first cluster, at the start.
    week_start_s: f64,
    next: SimTime,
    start_up: SimDuration,
    ordered: u32,
    serving: u32,
    /// Ready, and kept so.
    warm: u32,
    /// Ready ones that are about to serve, and those that start up: when, and how many.
    rising: VecDeque<(SimTime, u32)>,
    starting: VecDeque<(SimTime, u32)>,
    /// What waits in replica-seconds of work.
    pub(super) backlog_s: f64,
    /// Seconds in which more was asked for than the fleet can do and not all that may be ordered served.
    pub(super) behind_s: f64,
}

impl<'a> Scaled<'a> {
    pub(super) fn new(scenario: &'a Scenario, rule: &'a Autoscaler) -> Self {
        let pools = 0..scenario.pools.len();
        let is_its = |pool: &usize| rule.clusters.contains(&scenario.pools[*pool].cluster);
        let pools: Vec<usize> = pools.filter(is_its).collect();
        let mut scaled = Self {
            controller: Controller::of(rule, pools.len() as u32),
            meter: LoadMeter::new(SimDuration(rule.reaction.0.saturating_add(rule.window.0))),
            week_start_s: rule.week_start_s(scenario),
            next: SimTime::ZERO + rule.every,
            start_up: mean_start_up(scenario, &pools),
            ordered: 0,
            serving: 0,
            warm: 0,
            rising: VecDeque::new(),
            starting: VecDeque::new(),
            backlog_s: 0.0,
            behind_s: 0.0,
            rule,
            pools,
        };
        let there = scaled.delivered(scenario, SimTime::ZERO);
        scaled.ordered = scaled.controller.begin(there);
        scaled.serving = scaled.ordered;
        scaled.warm = rule.warm.min(there - scaled.serving);
        scaled
    }

    fn delivered(&self, scenario: &Scenario, at: SimTime) -> u32 {
        let deliveries = self
            .pools
            .iter()
            .flat_map(|&pool| &scenario.pools[pool].deliveries);
        deliveries
            .filter(|delivery| delivery.0 <= at)
            .map(|delivery| delivery.1)
            .fold(0, u32::saturating_add)
    }

    /// So much work was let in up to a time, in replica-seconds.
    pub(super) fn measure(&mut self, until: SimTime, replica_s: f64) {
        self.meter.add(until, replica_s);
    }

    /// Whether more replicas may be ordered than serve.
    pub(super) fn could_grow(&self, scenario: &Scenario, at: SimTime) -> bool {
        self.serving < self.delivered(scenario, at).min(self.rule.bounds.maximum)
    }

    /// Plays a step; the mean number of replicas that serve in it.
    pub(super) fn play(&mut self, scenario: &Scenario, from: SimTime, until: SimTime) -> f64 {
        let (mut now, mut replica_s) = (from, 0.0);
        loop {
            self.act(scenario, now, from);
            let due = |queue: &VecDeque<(SimTime, u32)>| queue.front().map(|entry| entry.0);
            let due = due(&self.starting).into_iter().chain(due(&self.rising));
            let next = due.fold(self.next, SimTime::min).min(until);
            replica_s += f64::from(self.serving) * next.since(now).as_s();
            now = next;
            if now >= until {
                return replica_s / (until - from).as_s();
            }
        }
    }

    /// Does what is due now; nothing after `seen` has been measured.
    fn act(&mut self, scenario: &Scenario, now: SimTime, seen: SimTime) {
        let come = |queue: &mut VecDeque<(SimTime, u32)>| {
            let mut sum = 0;
            while queue.front().is_some_and(|entry| entry.0 <= now) {
                sum += queue.pop_front().map_or(0, |entry| entry.1);
            }
            sum
        };
        self.serving += come(&mut self.rising);
        let started = come(&mut self.starting);
        let serve = started.min(self.ordered.saturating_sub(self.present()));
        self.serving += serve;
        self.warm += started - serve;
        if self.next <= now {
            self.decide(scenario, now, seen);
        }
        self.follow(scenario, now);
    }

    fn decide(&mut self, scenario: &Scenario, now: SimTime, seen: SimTime) {
        const WEEK_S: f64 = 7.0 * 86_400.0;
        self.next = now + self.rule.every;
        let old = SimTime(now.0.saturating_sub(self.rule.reaction.0)).min(seen);
        if old == SimTime::ZERO && !matches!(self.rule.rule, ScalingRule::Scheduled { .. }) {
            return;
        }
        let mut load = self.meter.load(old, self.rule.window);
        if let Some(within_s) = self.rule.backlog_within_s {
            load += self.backlog_s / within_s;
        }
        self.ordered = self.controller.decide(Reading {
            now,
            week_s: self.week_start_s + libm::fmod(now.as_s(), WEEK_S),
            load,
            available: self.delivered(scenario, now),
        });
    }

    /// Those who serve or are about to.
    fn present(&self) -> u32 {
        self.serving + count(&self.rising)
    }

    /// Brings the replicas to what is ordered, as the bays of the simulation do.
    fn follow(&mut self, scenario: &Scenario, now: SimTime) {
        let rise = self.ordered.saturating_sub(self.present()).min(self.warm);
        if rise > 0 {
            let rise_s = self.rule.warm_start_s.mean();
            self.warm -= rise;
            self.rising
                .push_back((now + SimDuration::from_s(rise_s), rise));
        }
        let beyond = self.present().saturating_sub(self.ordered);
        let fallen = take_last(&mut self.rising, beyond);
        self.warm += fallen;
        let drained = beyond - fallen;
        self.serving -= drained;
        let ready = self.warm + count(&self.starting);
        self.warm += drained.min(self.rule.warm.saturating_sub(ready));
        let coming = self.present() + count(&self.starting);
        let (held, needed) = (coming + self.warm, self.ordered + self.rule.warm);
        let to_serve = self.ordered.saturating_sub(coming);
        let wanted = to_serve.max(needed.saturating_sub(held));
        let begun = wanted.min(self.delivered(scenario, now).saturating_sub(held));
        if begun > 0 {
            self.starting.push_back((now + self.start_up, begun));
        }
        let excess = held.saturating_sub(needed);
        let given_up = take_last(&mut self.starting, excess);
        self.warm -= (excess - given_up).min(self.warm);
    }
}

fn count(queue: &VecDeque<(SimTime, u32)>) -> u32 {
    queue.iter().map(|entry| entry.1).sum()
}

/// Takes the latest, up to so many; how many there were.
fn take_last(queue: &mut VecDeque<(SimTime, u32)>, most: u32) -> u32 {
    let mut taken = 0;
    while let Some(last) = queue.back_mut().filter(|_| taken < most) {
        let some = last.1.min(most - taken);
        taken += some;
        last.1 -= some;
        if last.1 == 0 {
            queue.pop_back();
        }
    }
    taken
}

/// The mean start-up of a replica of these pools.
fn mean_start_up(scenario: &Scenario, pools: &[usize]) -> SimDuration {
    let (mut replicas, mut all_s) = (0.0, 0.0);
    for pool in pools.iter().map(|&pool| &scenario.pools[pool]) {
        let delivered: f64 = pool.deliveries.iter().map(|d| f64::from(d.1)).sum();
        let start_up = scenario.clusters[pool.cluster].start_up.as_ref();
        replicas += delivered;
        all_s += delivered * start_up.map_or(0.0, |start_up| start_up.mean_alone_s());
    }
    SimDuration::from_s(if replicas > 0.0 {
        all_s / replicas
    } else {
        0.0
    })
}
