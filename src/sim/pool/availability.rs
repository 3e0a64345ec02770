//! Availability: single replicas leave service and come back.
//!
//! The operator lets a replica serve, or drain (it takes nobody more and leaves when its batch has ended), or it is
//! out. Beside that it may be broken, for several reasons at once: it serves again when the last of them is gone and
//! the operator still wants it. Who is
//! given to whom goes by the occupancy, on which only those are that serve; so the steps of an attempt need not ask.
//! Where each replica has a line of its own, who waits for one that leaves moves to the lines of the others; only
//! while nobody serves do they stay where they are.
//!
//! In service, for utilisation, are those that serve and those that drain.

use super::Pool;
use crate::sim::request::Place;
use crate::units::SimTime;

/// Which replicas of a pool serve.
#[derive(Clone, Debug, Default)]
pub(super) struct Availability {
    /// By replica what the operator wants; who is not in the list serves.
    states: Vec<State>,
    /// By replica: for how many reasons it is broken; none where the list ends.
    faults: Vec<u32>,
    /// Who serves, by number; only kept up while somebody does not and each replica has a line of its own.
    serving: Vec<u32>,
    /// Replicas that drain or are out.
    absent: usize,
    /// Replicas that are out.
    out: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Serving,
    Draining,
    Out,
}

impl Availability {
    #[inline]
    fn state(&self, index: usize) -> State {
        self.states.get(index).copied().unwrap_or(State::Serving)
    }

    #[inline]
    fn faults(&self, index: usize) -> u32 {
        self.faults.get(index).copied().unwrap_or(0)
    }

    /// What a replica does in effect.
    #[inline]
    fn effect(&self, index: usize) -> State {
        match self.faults(index) {
            0 => self.state(index),
            _ => State::Out,
        }
    }

    fn set(&mut self, index: usize, to: State) {
        self.change(index, |own| {
            let known = own.states.len().max(index + 1);
            own.states.resize(known, State::Serving);
            own.states[index] = to;
        });
    }

    /// One more reason for which a replica is broken, or one less.
    fn set_faults(&mut self, index: usize, to: u32) {
        self.change(index, |own| {
            let known = own.faults.len().max(index + 1);
            own.faults.resize(known, 0);
            own.faults[index] = to;
        });
    }

    /// Changes something about a replica, and the counts with it.
    fn change(&mut self, index: usize, how: impl FnOnce(&mut Self)) {
        let from = self.effect(index);
        how(self);
        let to = self.effect(index);
        self.absent -= usize::from(from != State::Serving);
        self.absent += usize::from(to != State::Serving);
        self.out -= usize::from(from == State::Out);
        self.out += usize::from(to == State::Out);
    }

    /// Lists who serves of so many replicas.
    fn list(&mut self, replicas: usize) {
        let mut serving = std::mem::take(&mut self.serving);
        serving.clear();
        let numbers = 0..replicas;
        serving.extend(
            numbers
                .filter(|&index| self.effect(index) == State::Serving)
                .map(|index| index as u32),
        );
        self.serving = serving;
    }
}

impl Pool {
    // -- what those ask who decide --------------------------------------------------------------------

    /// Whether the operator has no replica there any more: one that drained has ended.
    pub(crate) fn is_out(&self, index: usize) -> bool {
        self.availability.state(index) == State::Out
    }

    /// Whether a replica has nothing to do.
    pub(crate) fn is_idle(&self, index: usize) -> bool {
        self.replicas[index].is_idle()
    }

    // -- what they do, between windows or at an event of the pool --------------------------------------

    /// A replica is broken at once, for one reason more: what runs on it fails, or waits to start again from zero.
    pub(crate) fn break_down(&mut self, index: usize, requeue: bool) {
        let faults = self.availability.faults(index);
        self.availability.set_faults(index, faults + 1);
        if faults > 0 {
            return;
        }
        let was_busy = !self.is_idle(index);
        self.hide(index);
        if self.availability.state(index) == State::Draining {
            self.availability.set(index, State::Out);
        }
        if was_busy {
            self.gauges.busy.down(self.clock);
        }
        self.count_in_service();
        self.evacuate(index, requeue);
        self.redistribute();
    }

    /// A broken replica has one reason less to be; without any it serves again, if the operator wants it.
    pub(crate) fn mend(&mut self, index: usize) {
        let faults = self.availability.faults(index);
        self.availability
            .set_faults(index, faults.saturating_sub(1));
        if faults == 1 && self.availability.state(index) == State::Serving {
            self.count_in_service();
            self.show(index);
            self.redistribute();
        }
    }

    /// A replica takes nobody more, and leaves service when its batch has ended.
    pub(crate) fn drain(&mut self, index: usize) {
        if self.availability.state(index) != State::Serving {
            return;
        }
        let is_idle = self.is_idle(index);
        let is_broken = self.availability.faults(index) > 0;
        let state = if is_idle { State::Out } else { State::Draining };
        if !is_broken {
            self.hide(index);
        }
        self.availability.set(index, state);
        self.count_in_service();
        self.redistribute();
    }

    /// A replica that was out or drains serves, unless it is broken.
    pub(crate) fn bring_in(&mut self, index: usize) {
        if self.availability.state(index) == State::Serving {
            return;
        }
        self.availability.set(index, State::Serving);
        if self.availability.faults(index) == 0 {
            self.count_in_service();
            self.show(index);
            self.redistribute();
        }
    }

    /// Replicas are delivered that do not serve yet.
    pub(crate) fn deliver_out(&mut self, count: u32) {
        for _ in 0..count {
            let index = self.make_room();
            self.availability.set(index, State::Out);
        }
        self.rate_again();
    }

    // -- what the rest of the pool asks ----------------------------------------------------------------

    /// Replicas that serve.
    #[inline]
    pub(super) fn serving(&self) -> usize {
        self.replicas.len() - self.availability.absent
    }

    /// Who serves by number, of so many as `serving` says.
    #[inline]
    pub(super) fn serving_at(&self, number: usize) -> usize {
        match self.availability.absent {
            0 => number,
            _ => self.availability.serving[number] as usize,
        }
    }

    /// Replicas in service: those that serve, and those that drain.
    pub(super) fn in_service(&self) -> u64 {
        (self.replicas.len() - self.availability.out) as u64
    }

    /// Lists anew who serves, where it matters who.
    pub(super) fn list_serving(&mut self) {
        if self.availability.absent > 0 && !self.terms.is_central {
            self.availability.list(self.replicas.len());
        }
    }

    /// Whether a replica may be given somebody.
    #[inline]
    pub(super) fn takes_requests(&self, index: usize) -> bool {
        self.availability.absent == 0 || self.availability.effect(index) == State::Serving
    }

    /// The batch of a replica has ended; whether it leaves service now.
    #[inline]
    pub(super) fn leaves_after_batch(&mut self, index: usize) -> bool {
        let leaves = self.availability.absent > 0
            && self.availability.state(index) == State::Draining
            && self.is_idle(index);
        if leaves {
            self.availability.set(index, State::Out);
            self.count_in_service();
        }
        leaves
    }

    /// Empties a replica, whatever it did: that fails, or waits to start again from zero.
    pub(super) fn evacuate(&mut self, index: usize, requeue: bool) {
        self.changes.set(index, SimTime::NEVER);
        for slot in self.replicas[index].evacuate(self.clock) {
            self.gauges.running.down(self.clock);
            self.leave_place(index, self.attempts.get(slot).request.tier);
            if requeue && self.attempts.place(slot) == Place::Running {
                self.start_from_zero(slot);
                self.queue_up(slot);
                self.wait_again(slot);
            } else {
                self.lose(slot);
            }
        }
    }

    /// The pool stands still, so what drained has ended.
    pub(super) fn end_draining(&mut self) {
        for index in 0..self.availability.states.len() {
            if self.availability.state(index) == State::Draining {
                self.availability.set(index, State::Out);
            }
        }
    }

    /// Who serves has changed.
    fn redistribute(&mut self) {
        self.rate_again();
        self.move_waiting();
        self.start_waiting();
        if self.terms.is_preemptive {
            self.interrupt_soon_anywhere();
        }
    }

    /// Those who wait in lines of replicas that do not serve move to the lines of those that do.
    pub(super) fn move_waiting(&mut self) {
        let moves = !self.terms.is_central && self.availability.absent > 0 && self.serving() > 0;
        for index in 0..self.lines.len() {
            if !moves || self.takes_requests(index) || self.lines[index].len() == 0 {
                continue;
            }
            for slot in self.lines[index].drain(&self.attempts) {
                self.gauges.waiting.down(self.clock);
                self.attempts.get_mut(slot).replica = self.choose_replica();
                self.queue_up(slot);
            }
        }
    }

    /// Nobody is given to a replica any more.
    fn hide(&mut self, index: usize) {
        let level = self.replicas[index].len();
        self.occupancy.leave(index as u32, level);
        self.forget_warmth(index);
    }

    /// A replica may be given somebody again.
    fn show(&mut self, index: usize) {
        let level = self.replicas[index].len();
        if !self.stopped && (level > 0 || !self.begins_off(index)) {
            self.occupancy.enter(index as u32, level);
        }
    }

    fn count_in_service(&mut self) {
        if !self.stopped {
            let in_service = self.in_service();
            self.gauges.in_service.set(in_service, self.clock);
            self.gauges.compare_busy(self.clock);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::random::{Law, Seed};
    use crate::scenario::{Batching, Dispatch, QueueOrder, Scenario, SetUp};
    use crate::sim::Simulation;
    use crate::units::{SimDuration, SimTime};

    const SERVERS: u32 = 12;

    fn scenario(rate_per_s: f64, servers: u32) -> Scenario {
        let service = Law::Exponential { mean: 1.0 };
        let mut scenario = Scenario::textbook(rate_per_s, service, servers, 2000.0);
        scenario.lookahead = SimDuration::from_s(1.0);
        scenario
    }

    /// Plays to the end, with something done to the pool before each window.
    fn play(scenario: Scenario, mut act: impl FnMut(&mut Simulation)) -> Simulation {
        let scenario = Arc::new(scenario);
        let mut run = Simulation::new(&scenario, false);
        let end = SimTime::ZERO + scenario.horizon;
        while run.clock() < end {
            act(&mut run);
            run.advance(end);
            run.assert_ledger();
            run.assert_invariants();
        }
        run
    }

    #[test]
    fn replicas_that_are_out_are_as_if_they_were_not_there() {
        for dispatch in [Dispatch::Central, Dispatch::JoinShortest, Dispatch::Random] {
            let with = |servers| {
                let mut scenario = scenario(4.0, servers);
                scenario.rules[0].1.policy.dispatch = dispatch;
                scenario
            };
            let out = play(with(SERVERS), |run| {
                let broken = if run.clock() == SimTime::ZERO {
                    6..SERVERS
                } else {
                    0..0
                };
                broken.for_each(|index| run.pools[0].break_down(index as usize, false));
            });
            let few = play(with(6), |_| {});
            let wait = |run: &Simulation| run.tiers()[0].wait.mean_s();
            assert_eq!(wait(&out), wait(&few), "{dispatch:?}");
            assert_eq!(
                out.pools[0].full_rate_per_s(),
                few.pools[0].full_rate_per_s()
            );
            assert_eq!(out.pools[0].slots(), 6.0);
        }
    }

    /// What happens at random to single replicas and to the pool, under every kind of line and batch.
    fn shaken(change: impl FnOnce(&mut Scenario), requeue: bool) -> Simulation {
        let mut scenario = scenario(6.0, SERVERS);
        change(&mut scenario);
        let horizon = SimTime::ZERO + scenario.horizon;
        let mut stream = Seed(7).stream("shaken", "test", 0);
        let mut since_stop = 0;
        play(scenario, |run| {
            let ends = run.clock() + SimDuration::from_s(1000.0) > horizon;
            let pool = &mut run.pools[0];
            since_stop += 1;
            for index in 0..SERVERS as usize {
                match (ends, stream.below(40)) {
                    (true, _) => {
                        pool.bring_in(index);
                        (0..9).for_each(|_| pool.mend(index));
                    }
                    (_, 0..6) => pool.bring_in(index),
                    (_, 6 | 7) => pool.drain(index),
                    (_, 8) => pool.break_down(index, requeue),
                    (_, 9..16) => pool.mend(index),
                    _ => {}
                }
            }
            if ends || since_stop > 3 {
                pool.resume();
            }
            if !ends && stream.below(100) == 0 {
                since_stop = 0;
                pool.stop(requeue);
            }
        })
    }

    type Case = (&'static str, fn(&mut Scenario));

    fn cases() -> Vec<Case> {
        vec![
            ("central", |_| {}),
            ("shortest", |s| {
                s.rules[0].1.policy.dispatch = Dispatch::JoinShortest
            }),
            ("turns", |s| {
                s.rules[0].1.policy.dispatch = Dispatch::RoundRobin
            }),
            ("choices", |s| {
                s.rules[0].1.policy.dispatch = Dispatch::PowerOfD(2)
            }),
            ("preemptive", |s| {
                s.rules[0].1.policy.order = QueueOrder::Preemptive
            }),
            ("fixed batches", |s| {
                s.pools[0].batch_limit = 4;
                s.rules[0].1.policy.batching = Batching::Static {
                    minimum: 3,
                    window: SimDuration::from_s(2.0),
                };
            }),
            ("batches", |s| {
                s.pools[0].batch_limit = 4;
                s.rules[0].1.policy.batching = Batching::Continuous;
            }),
            ("set-up", |s| {
                s.pools[0].set_up = Some(SetUp {
                    law_s: Law::Constant { value: 1.5 },
                    keep_warm: SimDuration::from_s(2.0),
                });
            }),
        ]
    }

    #[test]
    fn whatever_leaves_and_comes_back_every_request_ends_well_or_fails() {
        for (name, change) in cases() {
            let run = shaken(change, false);
            let tier = &run.tiers()[0];
            assert!(tier.failed > 100, "{name}: {} failed", tier.failed);
            assert!(tier.in_system < 100, "{name}: {} left", tier.in_system);
            assert!(tier.completed > 9000, "{name}: {} done", tier.completed);
        }
    }

    #[test]
    fn nobody_is_lost_who_starts_again_from_zero() {
        for (name, change) in cases() {
            let run = shaken(change, true);
            let tier = &run.tiers()[0];
            assert_eq!(tier.failed, 0, "{name}");
            assert_eq!(tier.completed + tier.in_system, tier.offered, "{name}");
            assert!(tier.in_system < 100, "{name}: {} left", tier.in_system);
        }
    }

    #[test]
    fn a_replica_that_drains_ends_its_batch_first() {
        let run = play(scenario(8.0, SERVERS), |run| {
            if run.clock() > SimTime::from_s(100.0) {
                (3..SERVERS).for_each(|index| run.pools[0].drain(index as usize));
            }
        });
        assert_eq!(run.tiers()[0].failed, 0);
        let levels = run.pools[0].levels();
        assert_eq!((levels.in_service, levels.busy), (3, 3));
        assert!((3..SERVERS as usize).all(|index| run.pools[0].is_out(index)));
    }
}
