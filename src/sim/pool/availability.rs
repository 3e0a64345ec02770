//! Availability: single replicas leave service and come back.
//!
//! A replica serves, or it drains (it takes nobody more and leaves when its batch has ended), or it is out. Who is
//! given to whom goes by the occupancy, on which only those are that serve; so the steps of an attempt need not ask.
//! Where each replica has a line of its own, who waits for one that leaves moves to the lines of the others; only
//! while nobody serves do they stay where they are.
//!
//! Beside what is ordered of it, a replica may be held: closed, so that it takes nobody more until it is taken down
//! for maintenance, or down, because something in which it stands has failed. It then does what is ordered of it
//! when it is released.
//!
//! In service, for utilisation, are those that serve and those that drain or are closed.

use super::Pool;
use crate::scenario::Interrupted;
use crate::sim::request::Place;
use crate::units::SimTime;

/// Which replicas of a pool serve.
#[derive(Clone, Debug, Default)]
pub(super) struct Availability {
    /// By replica: what is ordered of it, and whether it is held; who is not in the list serves.
    states: Vec<(State, Hold)>,
    /// Who serves, by number; only kept up while somebody does not and each replica has a line of its own.
    serving: Vec<u32>,
    /// Replicas that drain, are out or are held.
    absent: usize,
    /// Replicas that are out or down.
    out: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Serving,
    Draining,
    Out,
}

/// Whether a replica may do what is ordered of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// It may.
    Free,
    /// It takes nobody more.
    Closed,
    /// It is down.
    Down,
}

/// What came of the requests that ran on replicas that went down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Attempts that failed.
    pub lost: u64,
    /// Attempts that wait again.
    pub requeued: u64,
}

impl Availability {
    #[inline]
    fn standing(&self, index: usize) -> (State, Hold) {
        let known = self.states.get(index).copied();
        known.unwrap_or((State::Serving, Hold::Free))
    }

    #[inline]
    fn state(&self, index: usize) -> State {
        self.standing(index).0
    }

    fn hold(&self, index: usize) -> Hold {
        self.standing(index).1
    }

    fn set(&mut self, index: usize, to: State) {
        self.stand(index, (to, self.hold(index)));
    }

    fn stand(&mut self, index: usize, to: (State, Hold)) {
        let from = self.standing(index);
        let known = self.states.len().max(index + 1);
        self.states.resize(known, (State::Serving, Hold::Free));
        self.states[index] = to;
        let is_absent = |standing| usize::from(standing != (State::Serving, Hold::Free));
        let is_out = |(state, hold)| usize::from(state == State::Out || hold == Hold::Down);
        self.absent = self.absent - is_absent(from) + is_absent(to);
        self.out = self.out - is_out(from) + is_out(to);
    }

    /// Lists who serves of so many replicas.
    fn list(&mut self, replicas: usize) {
        let mut serving = std::mem::take(&mut self.serving);
        serving.clear();
        let numbers = 0..replicas;
        serving.extend(
            numbers
                .filter(|&index| self.standing(index) == (State::Serving, Hold::Free))
                .map(|index| index as u32),
        );
        self.serving = serving;
    }
}

impl Pool {
    // -- what those ask who decide --------------------------------------------------------------------

    /// Whether a replica has left service.
    pub(crate) fn is_out(&self, index: usize) -> bool {
        self.availability.state(index) == State::Out
    }

    /// Whether a replica has nothing to do.
    pub(crate) fn is_idle(&self, index: usize) -> bool {
        self.replicas[index].is_idle()
    }

    // -- what they do, between windows or at an event of the pool --------------------------------------

    /// Replicas go down at once.
    pub(crate) fn take_down(&mut self, indices: &[usize], running: Interrupted) -> Hit {
        let mut hit = Hit::default();
        for &index in indices {
            self.hide(index);
            let state = match self.availability.state(index) {
                State::Draining => State::Out,
                state => state,
            };
            self.availability.stand(index, (state, Hold::Down));
            if !self.is_idle(index) {
                self.gauges.busy.down(self.clock);
            }
            self.count_in_service();
            let part = self.evacuate(index, running);
            hit.lost += part.lost;
            hit.requeued += part.requeued;
        }
        self.redistribute();
        hit
    }

    /// Replicas take nobody more; they go on with what they do, and those that were down have nothing to do.
    pub(crate) fn close(&mut self, indices: &[usize]) {
        for &index in indices {
            let (state, hold) = self.availability.standing(index);
            if hold == Hold::Free {
                self.hide(index);
            }
            self.availability.stand(index, (state, Hold::Closed));
        }
        self.count_in_service();
        self.redistribute();
    }

    /// Replicas that were closed or down do what is ordered of them.
    pub(crate) fn release(&mut self, indices: &[usize]) {
        for &index in indices {
            let (state, hold) = self.availability.standing(index);
            if hold == Hold::Free {
                continue;
            }
            self.availability.stand(index, (state, Hold::Free));
            if state == State::Serving {
                self.count_in_service();
                self.show(index);
            }
        }
        self.redistribute();
    }

    /// A replica takes nobody more, and leaves service when its batch has ended.
    pub(crate) fn drain(&mut self, index: usize) {
        if self.availability.state(index) != State::Serving {
            return;
        }
        self.hide(index);
        let is_idle = self.is_idle(index);
        let state = if is_idle { State::Out } else { State::Draining };
        self.availability.set(index, state);
        self.count_in_service();
        self.redistribute();
    }

    /// A replica that was out or drains serves.
    pub(crate) fn bring_in(&mut self, index: usize) {
        if self.availability.state(index) == State::Serving {
            return;
        }
        self.availability.set(index, State::Serving);
        self.count_in_service();
        self.show(index);
        self.redistribute();
    }

    /// Replicas are delivered that do not serve yet.
    pub(crate) fn deliver_out(&mut self, count: u32) {
        self.changes.grow(self.replicas.len() + count as usize);
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

    /// Replicas in service.
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
        self.availability.absent == 0
            || self.availability.standing(index) == (State::Serving, Hold::Free)
    }

    /// The batch of a replica has ended; whether it is given nobody more, so that it leaves service if it drains.
    #[inline]
    pub(super) fn leaves_after_batch(&mut self, index: usize) -> bool {
        if self.takes_requests(index) || !self.is_idle(index) {
            return false;
        }
        if self.availability.state(index) == State::Draining {
            self.availability.set(index, State::Out);
            self.count_in_service();
        }
        true
    }

    /// Empties a replica, whatever it did: that fails, or waits to start again.
    pub(super) fn evacuate(&mut self, index: usize, running: Interrupted) -> Hit {
        let mut hit = Hit::default();
        self.changes.set(index, SimTime::NEVER);
        for (slot, done) in self.replicas[index].evacuate(self.clock, &self.curve) {
            self.gauges.running.down(self.clock);
            self.leave_place(index, slot);
            let goes_on = self.attempts.place(slot) == Place::Running;
            match running {
                Interrupted::Requeued if goes_on => self.start_from_zero(slot),
                Interrupted::Kept { every } if goes_on => self.keep(slot, done, every),
                _ => {
                    hit.lost += 1;
                    self.lose(slot);
                    continue;
                }
            }
            hit.requeued += 1;
            self.queue_up(slot);
            self.wait_again(slot);
        }
        hit
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
        let shows = self.takes_requests(index) && !self.stopped;
        if shows && (level > 0 || !self.begins_off(index)) {
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
    use crate::scenario::{Batching, Dispatch, Interrupted, QueueOrder, Scenario, SetUp};
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
                let last: Vec<usize> = (6..SERVERS as usize).collect();
                run.pools[0].take_down(&last, Interrupted::Lost);
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
    fn shaken(change: impl FnOnce(&mut Scenario), running: Interrupted) -> Simulation {
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
                        pool.release(&[index]);
                        pool.bring_in(index);
                    }
                    (_, 0..8) => pool.bring_in(index),
                    (_, 8..16) => pool.release(&[index]),
                    (_, 16) => pool.drain(index),
                    (_, 17) => pool.close(&[index]),
                    (_, 18) => {
                        pool.take_down(&[index, (index + 1) % SERVERS as usize], running);
                    }
                    _ => {}
                }
            }
            if ends || since_stop > 3 {
                pool.resume();
            }
            if !ends && stream.below(100) == 0 {
                since_stop = 0;
                pool.stop(running != Interrupted::Lost);
            }
        })
    }

    /// A name, and what it changes.
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
            let run = shaken(change, Interrupted::Lost);
            let tier = &run.tiers()[0];
            assert!(tier.failed > 100, "{name}: {} failed", tier.failed);
            assert!(tier.in_system < 100, "{name}: {} left", tier.in_system);
            assert!(tier.completed > 9000, "{name}: {} done", tier.completed);
        }
    }

    #[test]
    fn nobody_is_lost_who_starts_again_from_zero() {
        for (name, change) in cases() {
            for running in [Interrupted::Requeued, Interrupted::Kept { every: 1000 }] {
                let run = shaken(change, running);
                let tier = &run.tiers()[0];
                assert_eq!(tier.failed, 0, "{name}");
                assert_eq!(tier.completed + tier.in_system, tier.offered, "{name}");
                assert!(tier.in_system < 100, "{name}: {} left", tier.in_system);
            }
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
