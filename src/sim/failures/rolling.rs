//! Planned work: the replicas of a cluster, a group at a time, drain, are out for a while, and serve again.

use std::ops::Range;

use super::standing::{Planned, Standing};
use super::tally::Counts;
use crate::scenario::{Interrupted, Maintenance};
use crate::sim::pool::Pool;
use crate::units::SimTime;

/// How far planned work has come.
pub(super) struct Rolling {
    plan: Maintenance,
    phase: Phase,
    next: SimTime,
    /// When the round that goes on, or comes, was to begin.
    round: SimTime,
    /// The replicas of the round, and of the group.
    replicas: u64,
    group: Range<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Between,
    Draining,
    Out,
}

impl Rolling {
    pub(super) fn new(plan: Maintenance) -> Self {
        let first = SimTime::ZERO + plan.first;
        Self {
            plan,
            phase: Phase::Between,
            next: first,
            round: first,
            replicas: 0,
            group: 0..0,
        }
    }

    /// When something is to be done.
    pub(super) fn next(&self) -> SimTime {
        self.next
    }

    /// Does what is due now.
    pub(super) fn act(
        &mut self,
        now: SimTime,
        standing: &mut Standing,
        counts: &mut Counts,
        pools: &mut [Pool],
    ) {
        let mut plan =
            |planned, running| standing.plan(self.group.clone(), planned, running, pools);
        match self.phase {
            Phase::Between => {
                self.replicas = standing.len();
                self.group = 0..0;
                self.begin_group(now, standing, pools);
            }
            Phase::Draining => {
                let hit = plan(Planned::Out, self.plan.running);
                counts.planned.replicas += self.group.end - self.group.start;
                counts.planned.lost += hit.lost;
                counts.planned.requeued += hit.requeued;
                self.phase = Phase::Out;
                self.next = now + self.plan.lasts;
            }
            Phase::Out => {
                plan(Planned::Nothing, Interrupted::Requeued);
                self.begin_group(now, standing, pools);
            }
        }
    }

    /// The next group of the round drains; after the last one, the next round is waited for.
    fn begin_group(&mut self, now: SimTime, standing: &mut Standing, pools: &mut [Pool]) {
        let from = self.group.end;
        if from >= self.replicas {
            self.phase = Phase::Between;
            self.round = self.after(now);
            self.next = self.round;
            return;
        }
        let at_most = (self.plan.at_most * self.replicas as f64) as u64;
        let until = (from + standing.group(at_most)).min(self.replicas);
        self.group = from..until;
        standing.plan(
            self.group.clone(),
            Planned::Drains,
            Interrupted::Requeued,
            pools,
        );
        self.phase = Phase::Draining;
        self.next = now + self.plan.drain;
    }

    /// The first date of a round after `now`.
    fn after(&self, now: SimTime) -> SimTime {
        let every = self.plan.every.0;
        let rounds = (now.0 - self.round.0) / every + 1;
        let at = rounds
            .checked_mul(every)
            .and_then(|span| self.round.0.checked_add(span));
        at.map_or(SimTime::NEVER, SimTime)
    }
}
