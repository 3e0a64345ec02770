//! Service: where an attempt waits, which replica takes it, and how it ends there.

use super::{Due, Pool};
use crate::random::Stream;
use crate::scenario::{Batching, Dispatch, Drop, PatienceUntil, Work};
use crate::sim::client::Ended;
use crate::sim::line::Line;
use crate::sim::replica::{Joiner, Replica};
use crate::sim::request::{Attempt, Place};
use crate::sim::tally::Refusal;
use crate::units::{SimDuration, SimTime};

/// Where an attempt that comes now goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Berth {
    /// The replica that takes it or in whose line it waits; `None`: any, where one line serves all.
    replica: Option<u32>,
    /// Whether it need not stand in line.
    pub at_once: bool,
}

impl Pool {
    /// New, empty lines as the rules want them.
    pub(super) fn line_up(&mut self) {
        let lines = match self.rules.policy.dispatch {
            Dispatch::Central => 1,
            _ => self.replicas.len(),
        };
        self.lines = vec![Line::new(self.rules.policy.order); lines];
    }

    /// The full rate follows from the number of replicas and from the places in a batch.
    pub(super) fn rate_again(&mut self) {
        let Some(demand) = self.scenario.demands.first() else {
            return;
        };
        let work = &self.scenario.works[demand.work];
        let replica = work.rate_per_s(&self.curve, self.places() as u32, 0);
        self.full_rate_per_s = replica * self.replicas.len() as f64;
    }

    /// Places in a batch.
    pub(super) fn places(&self) -> usize {
        match self.rules.policy.batching {
            Batching::Single => 1,
            Batching::Static { .. } | Batching::Continuous => self.batch_limit,
        }
    }

    /// Where an attempt that comes now goes.
    pub(super) fn choose_berth(&mut self, slot: u32) -> Berth {
        let replica = match self.rules.policy.dispatch {
            Dispatch::Central => self.occupancy.emptiest(self.places()),
            _ if self.replicas.is_empty() => None,
            _ => Some(self.choose_replica()),
        };
        let line = self.lines.get(self.line_of(replica));
        let is_first = line.is_none_or(|line| line.len() == 0) && !self.stopped;
        let at_once = replica.is_some_and(|replica| {
            let index = replica as usize;
            is_first
                && if self.is_static() {
                    self.replicas[index].is_idle()
                } else {
                    self.replicas[index].len() < self.places() && self.fits(index, slot)
                }
                && self.is_ready(index)
        });
        Berth { replica, at_once }
    }

    /// Puts an attempt on a replica or in line.
    pub(super) fn place(&mut self, slot: u32, berth: Berth) {
        let is_static = self.is_static();
        if let (Some(replica), true, false) = (berth.replica, berth.at_once, is_static) {
            self.start(replica as usize, slot);
            return;
        }
        self.attempts.get_mut(slot).replica = berth.replica.unwrap_or(u32::MAX);
        self.queue_up(slot);
        if is_static {
            self.start_waiting();
        } else if let Some(replica) = berth.replica {
            self.look_again(replica as usize);
        }
        self.interrupt_soon(berth.replica);
    }

    /// The head of a line has changed. Where memory is what is full, somebody may have stood there
    /// before a free place that was too small for him: the new head takes it at the next iteration.
    pub(super) fn look_again(&mut self, index: usize) {
        let line = self.line_of(Some(index as u32));
        let has_place = |replica: &Replica| replica.len() < self.places();
        if self.stopped || self.is_static() || !self.replicas.get(index).is_some_and(has_place) {
            return;
        }
        let head = self.lines[line].head(&self.attempts);
        if head.is_some_and(|head| self.fits(index, head))
            && let Some(time) = self.replicas[index].change_soon(self.clock, &self.curve)
        {
            self.changes.set(index, time);
        }
    }

    /// Somebody who waited, for this replica or any, has left his line.
    pub(super) fn one_left_line(&mut self, replica: u32) {
        let line = self.line_of(Some(replica));
        self.lines[line].one_left(&self.attempts);
        let next = match self.rules.policy.dispatch {
            Dispatch::Central => self.occupancy.emptiest(self.places()),
            _ => Some(replica),
        };
        if let Some(next) = next {
            self.look_again(next as usize);
        }
    }

    pub(super) fn is_static(&self) -> bool {
        matches!(self.rules.policy.batching, Batching::Static { .. })
    }

    /// The last place in the line in which the attempt belongs.
    pub(super) fn queue_up(&mut self, slot: u32) {
        self.attempts.set_place(slot, Place::Waiting);
        let attempt = self.attempts.get_mut(slot);
        let rules = &self.rules.tiers[usize::from(attempt.request.tier)];
        let deadline = attempt.request.first_at + rules.deadline;
        let per_replica = self.rules.policy.dispatch != Dispatch::Central;
        if per_replica && attempt.replica as usize >= self.lines.len() {
            // Before the first replica comes all wait in what will be its line.
            let lines = self.lines.len().max(1);
            attempt.replica = self.dispatch_stream.below(lines as u64) as u32;
        }
        let line = if per_replica {
            attempt.replica as usize
        } else {
            0
        };
        if self.lines.len() <= line {
            self.lines
                .resize(line + 1, Line::new(self.rules.policy.order));
        }
        let ticket = self.attempts.ticket(slot);
        self.lines[line].push(ticket, rules.priority, deadline);
        self.levels.waiting += 1;
        self.tally.waiting_max = self.tally.waiting_max.max(self.levels.waiting);
        if self.lines[line].len() == 1 {
            self.watch_window(line);
        }
        self.wake(line);
    }

    /// Fills free places from the lines.
    pub(super) fn start_waiting(&mut self) {
        if self.stopped {
            return;
        }
        match self.rules.policy.dispatch {
            Dispatch::Central => {
                self.start_from_one_line();
                self.wake(0);
            }
            _ => (0..self.replicas.len()).for_each(|index| {
                if self.lines[index].len() > 0 {
                    self.start_on(index);
                    self.wake(index);
                }
            }),
        }
    }

    fn start_from_one_line(&mut self) {
        while self.lines[0].len() > 0 {
            let free = if self.is_static() {
                self.occupancy.idle()
            } else {
                self.occupancy.emptiest(self.places())
            };
            let Some(replica) = free else { break };
            if !self.start_on(replica as usize) {
                break;
            }
        }
    }

    /// Starts what the replica's line lets it start; whether anything did.
    fn start_on(&mut self, index: usize) -> bool {
        if !self.is_ready(index) {
            return false;
        }
        if self.replicas[index].is_idle() {
            self.replicas[index].reach(self.clock);
            self.fill(index);
            self.settle(index, 0, false);
            return !self.replicas[index].is_idle();
        }
        if self.is_static() {
            return false;
        }
        let mut any = false;
        while self.replicas[index].len() < self.places() {
            let Some(slot) = self.take_next(index) else {
                break;
            };
            self.start(index, slot);
            any = true;
        }
        any
    }

    /// A replica's batch changes at the end of an iteration.
    pub(super) fn end_iteration(&mut self, index: usize) {
        if self.replicas[index].is_idle() {
            self.change_warmth(index);
            return;
        }
        let level = self.replicas[index].len();
        self.replicas[index].reach(self.clock);
        while let Some(slot) = self.replicas[index].pop_done() {
            self.finish(index, slot);
        }
        let joining = self.replicas[index].take_joining();
        for &slot in &joining {
            match self.attempts.place(slot) {
                Place::Cancelled => self.finish(index, slot),
                _ => self.join(index, slot),
            }
        }
        self.replicas[index].recycle(joining);
        if self.replicas[index].cancelled > 0 {
            self.sweep_cancelled(index);
        }
        self.interrupt(index);
        self.fill(index);
        self.settle(index, level, true);
        self.interrupt_soon(Some(index as u32));
    }

    /// Fills the places of a replica at the end of an iteration.
    fn fill(&mut self, index: usize) {
        if let Batching::Static { minimum, window } = self.rules.policy.batching {
            self.fill_static(index, minimum as usize, window);
            return;
        }
        while self.replicas[index].len() < self.places() {
            let Some(slot) = self.take_next(index) else {
                break;
            };
            self.begin(index, slot);
            self.join(index, slot);
        }
    }

    fn fill_static(&mut self, index: usize, minimum: usize, window: SimDuration) {
        if !self.replicas[index].is_idle() {
            return;
        }
        let line = self.line_of(Some(index as u32));
        let Some(head) = self.lines[line].head(&self.attempts) else {
            return;
        };
        let waited = self.clock - self.attempts.get(head).at;
        if self.lines[line].len() < minimum && waited < window {
            return;
        }
        let mut taken = 0;
        while taken < self.batch_limit {
            let Some(slot) = self.take_next(index) else {
                break;
            };
            self.begin(index, slot);
            self.join(index, slot);
            taken += 1;
        }
        self.replicas[index].leave_together();
        self.tally.batches += u64::from(taken > 0);
        self.tally.batched += taken as u64;
        self.watch_window(line);
    }

    /// Static batching: wakes up when the first in line has waited for others long enough.
    fn watch_window(&mut self, line: usize) {
        let Batching::Static { window, .. } = self.rules.policy.batching else {
            return;
        };
        let Some(head) = self.lines[line].head(&self.attempts) else {
            return;
        };
        let due = self.attempts.get(head).at + window;
        if due > self.clock && due != SimTime::NEVER {
            self.timers
                .set(due, Due::Window(self.attempts.ticket(head)));
        }
    }

    /// After a change of the batch: plans the next, and tells whoever keeps count.
    fn settle(&mut self, index: usize, level: usize, was_busy: bool) {
        let replica = &mut self.replicas[index];
        self.occupancy.shift(index as u32, level, replica.len());
        self.levels.busy += u64::from(!replica.is_idle());
        self.levels.busy -= u64::from(was_busy);
        let next = match replica.is_idle() {
            true => self.rest(index),
            false => replica.plan(&self.curve),
        };
        self.changes.set(index, next);
    }

    /// Takes the next in line whom the replica can take, dropping on the way who is to be dropped.
    pub(super) fn take_next(&mut self, index: usize) -> Option<u32> {
        let line = self.line_of(Some(index as u32));
        loop {
            let slot = self.lines.get_mut(line)?.head(&self.attempts)?;
            if !self.fits(index, slot) {
                return None;
            }
            let drops = self.drops(index, slot);
            self.lines[line].pop_head();
            self.levels.waiting -= 1;
            if !drops {
                return Some(slot);
            }
            let attempt = self.leave(slot);
            if !attempt.ghost {
                self.resolve(attempt.request, Ended::Shed(Refusal::Hopeless));
            }
        }
    }

    /// Whether an attempt at the head of the line is dropped rather than started.
    fn drops(&self, index: usize, slot: u32) -> bool {
        let attempt = self.attempts.get(slot);
        match self.rules.policy.drop {
            Drop::Nothing => false,
            Drop::Stale => attempt.ghost,
            Drop::Hopeless => {
                let client = &self.scenario.tiers[usize::from(attempt.request.tier)].client;
                let (joiner, now) = (self.joiner(slot), self.clock);
                attempt.ghost
                    || client.until == PatienceUntil::Done
                        && !self.replicas[index].can_finish(
                            &joiner,
                            now,
                            attempt.leaves_at,
                            &self.curve,
                        )
            }
        }
    }

    /// Puts an attempt on a replica that has room: at once, or at the end of the running iteration.
    fn start(&mut self, index: usize, slot: u32) {
        let was_idle = self.replicas[index].is_idle();
        let level = self.replicas[index].len();
        self.begin(index, slot);
        if was_idle {
            self.replicas[index].reach(self.clock);
            self.join(index, slot);
            self.settle(index, level, false);
        } else {
            if let Some(time) = self.replicas[index].reserve(slot, self.clock, &self.curve) {
                self.changes.set(index, time);
            }
            self.occupancy.shift(index as u32, level, level + 1);
        }
    }

    /// An attempt is given a place on a replica.
    pub(super) fn begin(&mut self, index: usize, slot: u32) {
        let memory = self.work_of(slot).memory_bytes;
        self.attempts.set_place(slot, Place::Running);
        self.attempts.get_mut(slot).replica = index as u32;
        self.replicas[index].memory_bytes += memory;
        self.levels.running += 1;
    }

    /// Its service starts.
    pub(super) fn join(&mut self, index: usize, slot: u32) {
        let attempt = self.attempts.get(slot);
        let wait = self.clock - attempt.at;
        if !attempt.resumes {
            self.tiers[usize::from(attempt.request.tier)]
                .wait
                .record(wait.0);
        }
        let joiner = self.joiner(slot);
        self.replicas[index].join(joiner);
    }

    /// Its work is done.
    fn finish(&mut self, index: usize, slot: u32) {
        self.replicas[index].memory_bytes -= self.work_of(slot).memory_bytes;
        self.levels.running -= 1;
        let cancelled = self.attempts.place(slot) == Place::Cancelled;
        let attempt = self.leave(slot);
        if cancelled {
            self.replicas[index].cancelled -= 1;
        } else if attempt.ghost {
            self.tiers[usize::from(attempt.request.tier)].wasted += 1;
        } else {
            self.complete(&attempt);
        }
    }

    /// Takes out of a batch whose users have cancelled.
    fn sweep_cancelled(&mut self, index: usize) {
        let attempts = &self.attempts;
        let gone =
            self.replicas[index].remove_where(|slot| attempts.place(slot) == Place::Cancelled);
        for slot in gone {
            self.finish(index, slot);
        }
    }

    /// What ran on a replica that stands still is lost.
    pub(super) fn lose(&mut self, slot: u32) {
        let cancelled = self.attempts.place(slot) == Place::Cancelled;
        let attempt = self.leave(slot);
        if !cancelled && !attempt.ghost {
            self.resolve(attempt.request, Ended::Failed);
        }
    }

    /// An attempt leaves the pool.
    pub(super) fn leave(&mut self, slot: u32) -> Attempt {
        let attempt = self.attempts.remove(slot);
        self.tally.sojourn_ns += u128::from((self.clock - attempt.at).0);
        attempt
    }

    fn joiner(&self, slot: u32) -> Joiner {
        let attempt = self.attempts.get(slot);
        let grows = self.work_of(slot).context_grows;
        let grown = match attempt.resumes && grows && attempt.quality == 0 {
            true => attempt.request.amount - attempt.amount,
            false => 0,
        };
        let grown = u32::try_from(grown).unwrap_or(u32::MAX);
        Joiner {
            slot,
            amount: attempt.amount,
            prompt_tokens: attempt.request.prompt_tokens.saturating_add(grown),
            grows,
        }
    }

    fn fits(&self, index: usize, slot: u32) -> bool {
        let memory = self.work_of(slot).memory_bytes;
        self.replicas[index].memory_bytes.saturating_add(memory) <= self.memory_limit
    }

    pub(super) fn work_of(&self, slot: u32) -> &Work {
        let demand = self.attempts.get(slot).request.demand;
        &self.scenario.works[self.scenario.demands[usize::from(demand)].work]
    }

    /// The line in front of a replica.
    pub(super) fn line_of(&self, replica: Option<u32>) -> usize {
        match self.rules.policy.dispatch {
            Dispatch::Central => 0,
            _ => replica.map_or(0, |replica| replica as usize),
        }
    }

    /// Which replica's line an attempt joins, where each has its own.
    fn choose_replica(&mut self) -> u32 {
        let count = self.replicas.len();
        let chosen = match self.rules.policy.dispatch {
            Dispatch::Central | Dispatch::Random => draw(&mut self.dispatch_stream, count),
            Dispatch::RoundRobin => {
                self.turn = (self.turn + 1) % count;
                self.turn
            }
            Dispatch::PowerOfD(choices) => {
                let mut best = draw(&mut self.dispatch_stream, count);
                for _ in 1..choices {
                    let other = draw(&mut self.dispatch_stream, count);
                    if self.held_at(other) < self.held_at(best) {
                        best = other;
                    }
                }
                best
            }
            Dispatch::JoinShortest => self.shortest(),
        };
        chosen as u32
    }

    /// The replica that holds the fewest attempts, any of them when there are several.
    fn shortest(&mut self) -> usize {
        let (mut best, mut ties) = (0, 1_u64);
        for other in 1..self.replicas.len() {
            match self.held_at(other).cmp(&self.held_at(best)) {
                std::cmp::Ordering::Less => (best, ties) = (other, 1),
                std::cmp::Ordering::Equal => {
                    ties += 1;
                    if self.dispatch_stream.below(ties) == 0 {
                        best = other;
                    }
                }
                std::cmp::Ordering::Greater => {}
            }
        }
        best
    }

    /// Attempts on a replica and in its line.
    fn held_at(&self, index: usize) -> usize {
        self.replicas[index].len() + self.lines[index].len()
    }
}

fn draw(stream: &mut Stream, count: usize) -> usize {
    stream.below(count as u64) as usize
}
