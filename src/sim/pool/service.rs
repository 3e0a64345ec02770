//! Service: where an attempt waits, which replica takes it, and how it ends there.
//!
//! The steps of an attempt are inlined by force: each is so short that a call, which saves and restores half
//! of the registers, is a good part of it (5 % of M/M/100 in all).

use std::sync::Arc;

use super::Pool;
use super::terms::{Size, Terms, WorkTerms};
use crate::scenario::Drop;
use crate::sim::client::Ended;
use crate::sim::line::Line;
use crate::sim::replica::Replica;
use crate::sim::request::{Attempt, Feedback, Place, Request};
use crate::sim::share::Shares;
use crate::sim::tally::Refusal;
use crate::units::SimTime;

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
        let lines = if self.terms.is_central {
            1
        } else {
            self.replicas.len()
        };
        self.lines = vec![Line::new(self.rules.policy.order); lines];
        self.share_out();
        if self.terms.is_shared {
            for place in [Place::Running, Place::Cancelled] {
                for slot in self.attempts.slots_at(place) {
                    self.take_place(slot);
                }
            }
        }
    }

    /// What tiers are entitled to follows from the rules and the places.
    fn share_out(&mut self) {
        if self.terms.is_shared {
            let replicas = if self.terms.is_central {
                self.serving()
            } else {
                1
            };
            let shares = Arc::new(Shares::new(&self.rules, replicas * self.places));
            self.lines.iter_mut().for_each(|line| line.entitle(&shares));
        }
    }

    /// An attempt has taken a place of its tier.
    #[inline(always)]
    fn take_place(&mut self, slot: u32) {
        if self.terms.is_shared {
            let attempt = self.attempts.get(slot);
            let line = self.line_of(Some(attempt.replica));
            self.lines[line].place_taken(attempt.request.tier);
        }
    }

    /// An attempt has left its place on a replica.
    #[inline(always)]
    pub(super) fn leave_place(&mut self, index: usize, slot: u32) {
        if self.terms.is_shared {
            let tier = self.attempts.get(slot).request.tier;
            let line = self.line_of(Some(index as u32));
            self.lines[line].place_left(tier);
        }
    }

    /// Places, the full rate and the terms follow from the rules and the number of replicas.
    pub(super) fn rate_again(&mut self) {
        let batching = &self.rules.policy.batching;
        self.places = batching.places(self.batch_limit as u32) as usize;
        let pool = &self.scenario.pools[self.own];
        let mut works = self.scenario.demands.iter().map(|demand| demand.work);
        if let Some(work) = works.find(|&work| pool.can_do(work)) {
            let work = &self.scenario.works[work];
            let replica = work.rate_per_s(&self.curve, self.places as u32, 0);
            self.full_rate_per_s = replica * self.serving() as f64;
        }
        let size = Size {
            replicas: self.serving(),
            places: self.places,
            memory_limit: self.memory_limit,
            rate_per_s: self.full_rate_per_s,
        };
        self.terms = Terms::new(
            &self.scenario,
            &self.rules,
            self.scenario.clusters[pool.cluster].region,
            size,
        );
        self.list_serving();
        self.share_out();
    }

    /// Where a request goes that comes now.
    #[inline]
    pub(super) fn choose_berth(&mut self, request: &Request) -> Berth {
        // Where somebody waits for a place, there is none: the common case of a fleet that melts.
        if self.terms.waits_for_place && self.lines[0].len() > 0 {
            return Berth {
                replica: None,
                at_once: false,
            };
        }
        self.look_for_berth(request)
    }

    fn look_for_berth(&mut self, request: &Request) -> Berth {
        let tier = request.tier;
        let tokens = u64::from(request.prompt_tokens).saturating_add(request.amount);
        let work = &self.terms.works[usize::from(request.demand)];
        let memory_bytes = work.bytes(tokens, self.memory_limit);
        let replica = if self.terms.is_central {
            self.occupancy.emptiest(self.places)
        } else if self.serving() == 0 {
            None
        } else {
            Some(self.choose_replica())
        };
        let line = self.line_of(replica);
        let attempts = &self.attempts;
        let mut is_open = |line: &mut Line| line.is_open_to(tier, attempts);
        let is_first = self.lines.get_mut(line).is_none_or(&mut is_open) && !self.stopped;
        let at_once = replica.is_some_and(|index| {
            let index = index as usize;
            let replica = &self.replicas[index];
            is_first
                && if self.terms.is_static {
                    replica.is_idle()
                } else {
                    replica.len() < self.places && self.has_memory(replica, memory_bytes)
                }
                && self.is_ready(index)
        });
        Berth { replica, at_once }
    }

    /// Puts an attempt on a replica or in line.
    pub(super) fn place(&mut self, slot: u32, berth: Berth) {
        let is_static = self.terms.is_static;
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
        if self.terms.is_preemptive {
            self.interrupt_soon(berth.replica);
        }
    }

    /// The head of a line has changed. Where memory is what is full, somebody may have stood there
    /// before a free place that was too small for him: the new head takes it at the next iteration.
    pub(super) fn look_again(&mut self, index: usize) {
        let line = self.line_of(Some(index as u32));
        let has_place = |replica: &Replica| replica.len() < self.places;
        if self.stopped || self.terms.is_static || !self.replicas.get(index).is_some_and(has_place)
        {
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
        self.watch_window(line);
        let next = if self.terms.is_central {
            self.occupancy.emptiest(self.places)
        } else {
            Some(replica)
        };
        if let Some(next) = next {
            self.look_again(next as usize);
        }
        self.reclaim_soon(line);
    }

    /// The last place in the line in which the attempt belongs.
    #[inline(always)]
    pub(super) fn queue_up(&mut self, slot: u32) {
        self.attempts.set_place(slot, Place::Waiting);
        let attempt = self.attempts.get_mut(slot);
        let mut line = 0;
        if !self.terms.is_central {
            if attempt.replica as usize >= self.lines.len() {
                // Before the first replica comes all wait in what will be its line.
                let lines = self.lines.len().max(1);
                attempt.replica = self.dispatch_stream.below(lines as u64) as u32;
            }
            line = attempt.replica as usize;
            if self.lines.len() <= line {
                self.lines
                    .resize(line + 1, Line::new(self.rules.policy.order));
                self.share_out();
            }
        }
        let ticket = self.attempts.ticket(slot);
        let attempt = self.attempts.get(slot);
        let tier = &self.terms.tiers[usize::from(attempt.request.tier)];
        let deadline = || attempt.request.first_at + tier.deadline;
        let class = attempt.request.tier;
        self.lines[line].push(ticket, class, tier.priority, deadline);
        self.gauges.waiting.up(self.clock);
        self.tally.waiting_max = self.tally.waiting_max.max(self.gauges.waiting.now());
        if self.terms.is_static && self.lines[line].head(&self.attempts) == Some(slot) {
            self.watch_window(line);
        }
        self.wake(line);
    }

    /// Fills free places from the lines.
    pub(super) fn start_waiting(&mut self) {
        if self.stopped {
            return;
        }
        if self.terms.is_central {
            self.start_from_one_line();
            self.wake(0);
            return;
        }
        for index in 0..self.replicas.len() {
            if self.lines[index].len() > 0 {
                self.start_on(index);
                self.wake(index);
            }
        }
    }

    fn start_from_one_line(&mut self) {
        while self.lines[0].len() > 0 {
            let free = if self.terms.is_static {
                self.occupancy.idle()
            } else {
                self.occupancy.emptiest(self.places)
            };
            let Some(replica) = free else { break };
            let replica = replica as usize;
            // The emptiest takes one; then another may be the emptiest.
            let started = if self.terms.is_static {
                self.start_on(replica)
            } else if let Some(slot) = self.take_next(replica) {
                self.start(replica, slot);
                true
            } else {
                false
            };
            if !started {
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
        if self.terms.is_static {
            return false;
        }
        let mut any = false;
        while self.replicas[index].len() < self.places {
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
        let replica = &mut self.replicas[index];
        if replica.is_idle() {
            self.change_warmth(index);
            return;
        }
        let level = replica.len();
        replica.reach(self.clock);
        while let Some(slot) = self.replicas[index].pop_done() {
            self.finish(index, slot);
        }
        let replica = &self.replicas[index];
        if replica.is_joined() {
            self.join_waiting(index);
        }
        if self.replicas[index].cancelled > 0 {
            self.sweep_cancelled(index);
        }
        if self.terms.is_preemptive {
            self.interrupt(index);
        }
        self.fill(index);
        self.settle(index, level, true);
        if self.terms.is_preemptive {
            self.interrupt_soon(Some(index as u32));
        }
    }

    /// Who was given a place during the iteration joins, unless his user has cancelled.
    fn join_waiting(&mut self, index: usize) {
        let joining = self.replicas[index].take_joining();
        for &slot in &joining {
            match self.attempts.place(slot) {
                Place::Cancelled => self.finish(index, slot),
                _ => self.join(index, slot),
            }
        }
        self.replicas[index].recycle(joining);
    }

    /// Fills the places of a replica at the end of an iteration.
    #[inline(always)]
    fn fill(&mut self, index: usize) {
        if !self.takes_requests(index) {
            return;
        }
        if self.terms.is_static {
            self.fill_static(index);
            return;
        }
        while self.replicas[index].len() < self.places {
            let Some(slot) = self.take_next(index) else {
                break;
            };
            self.begin(index, slot);
            self.join(index, slot);
        }
    }

    /// After a change of the batch: plans the next, and tells whoever keeps count.
    #[inline(always)]
    fn settle(&mut self, index: usize, level: usize, was_busy: bool) {
        let replica = &self.replicas[index];
        let is_idle = replica.is_idle();
        self.occupancy.shift(index as u32, level, replica.len());
        match (was_busy, is_idle) {
            (false, false) => self.gauges.busy.up(self.clock),
            (true, true) => self.gauges.busy.down(self.clock),
            _ => {}
        }
        self.gauges.compare_busy(self.clock);
        let next = match is_idle {
            true if self.leaves_after_batch(index) => SimTime::NEVER,
            true => self.rest(index),
            false => self.replicas[index].plan(&self.curve),
        };
        self.changes.set(index, next);
    }

    /// Takes the next in line whom the replica can take, dropping on the way who is to be dropped.
    #[inline(always)]
    pub(super) fn take_next(&mut self, index: usize) -> Option<u32> {
        let line = self.line_of(Some(index as u32));
        loop {
            let slot = self.lines.get_mut(line)?.head(&self.attempts)?;
            if !self.fits(index, slot) {
                return None;
            }
            if !self.drops(index, slot, None) {
                self.pop_head(line);
                return Some(slot);
            }
            self.drop_head(line, slot);
        }
    }

    /// Takes the head out of its line.
    #[inline(always)]
    fn pop_head(&mut self, line: usize) {
        self.lines[line].pop_head();
        self.gauges.waiting.down(self.clock);
    }

    /// Drops the head of a line.
    pub(super) fn drop_head(&mut self, line: usize, slot: u32) {
        self.pop_head(line);
        let (attempt, _) = self.leave(slot);
        if !attempt.ghost {
            let request = attempt.request;
            self.resolve(&request, Ended::Shed(Refusal::Hopeless));
        }
    }

    /// Whether an attempt at the head of the line is dropped rather than started, in the place of one if given.
    #[inline]
    pub(super) fn drops(&self, index: usize, slot: u32, instead_of: Option<u32>) -> bool {
        match self.terms.drop {
            Drop::Nothing => false,
            Drop::Stale => self.attempts.get(slot).ghost,
            Drop::Hopeless => self.is_hopeless(index, slot, instead_of),
        }
    }

    fn is_hopeless(&self, index: usize, slot: u32, instead_of: Option<u32>) -> bool {
        let attempt = self.attempts.get(slot);
        let tier = &self.terms.tiers[usize::from(attempt.request.tier)];
        let (deadline, curve) = (attempt.leaves_at, &self.curve);
        let joiner = attempt.joiner(slot, self.work_of(slot).grows);
        let replica = &self.replicas[index];
        let in_time = || replica.can_finish(&joiner, instead_of, self.clock, deadline, curve);
        attempt.ghost || tier.until_done && !in_time()
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
    #[inline(always)]
    pub(super) fn begin(&mut self, index: usize, slot: u32) {
        let attempt = self.attempts.begin(slot, index as u32);
        let work = &self.terms.works[usize::from(attempt.request.demand)];
        self.replicas[index].memory_bytes += work.bytes(attempt.tokens(), self.memory_limit);
        self.gauges.running.up(self.clock);
        self.take_place(slot);
    }

    /// Its service starts.
    #[inline(always)]
    pub(super) fn join(&mut self, index: usize, slot: u32) {
        let attempt = self.attempts.get(slot);
        let request = &attempt.request;
        if !attempt.resumes {
            let wait = self.clock - attempt.at;
            self.tiers[usize::from(request.tier)].wait.record(wait.0);
        }
        let grows = self.terms.works[usize::from(request.demand)].grows;
        self.replicas[index].join(attempt.joiner(slot, grows));
    }

    /// Its work is done.
    #[inline(always)]
    fn finish(&mut self, index: usize, slot: u32) {
        self.leave_place(index, slot);
        let (attempt, place) = self.attempts.remove(slot);
        let request = &attempt.request;
        let work = &self.terms.works[usize::from(request.demand)];
        let replica = &mut self.replicas[index];
        replica.memory_bytes -= work.bytes(attempt.tokens(), self.memory_limit);
        self.gauges.running.down(self.clock);
        self.gauges.present.down(self.clock);
        self.tally.sojourn_ns += u128::from((self.clock - attempt.at).0);
        if place == Place::Cancelled {
            replica.cancelled -= 1;
            return;
        }
        let tally = &mut self.tiers[usize::from(request.tier)];
        if attempt.ghost {
            tally.wasted += 1;
            return;
        }
        let quality = usize::from(attempt.quality);
        let answered = self.clock + work.way_back;
        tally.in_system -= 1;
        tally.completed += 1;
        tally.degraded += u64::from(quality > 0);
        tally.list_value_micro_usd += work.micro_usd_per_image[quality];
        tally.response.record((answered - request.first_at).0);
        self.images[usize::from(request.demand) * self.qualities + quality] += 1;
        if let Some(note) = Feedback::new(answered, request, true) {
            self.outbox[usize::from(request.gateway)].push(note);
        }
    }

    /// Takes out of a batch whose users have cancelled.
    fn sweep_cancelled(&mut self, index: usize) {
        while let Some(slot) = self.replicas[index].remove_cancelled() {
            self.finish(index, slot);
        }
    }

    /// What ran on a replica that stands still is lost.
    pub(super) fn lose(&mut self, slot: u32) {
        let (attempt, place) = self.leave(slot);
        if place != Place::Cancelled && !attempt.ghost {
            let request = attempt.request;
            self.resolve(&request, Ended::Failed);
        }
    }

    /// An attempt leaves the pool.
    pub(super) fn leave(&mut self, slot: u32) -> (&Attempt, Place) {
        let (attempt, place) = self.attempts.remove(slot);
        self.gauges.present.down(self.clock);
        self.tally.sojourn_ns += u128::from((self.clock - attempt.at).0);
        (attempt, place)
    }

    #[inline]
    pub(super) fn fits(&self, index: usize, slot: u32) -> bool {
        self.terms.is_memory_ample || self.has_memory(&self.replicas[index], self.memory_of(slot))
    }

    /// Bytes that an attempt holds while it runs.
    #[inline]
    pub(super) fn memory_of(&self, slot: u32) -> u64 {
        let tokens = self.attempts.get(slot).tokens();
        self.work_of(slot).bytes(tokens, self.memory_limit)
    }

    fn has_memory(&self, replica: &Replica, memory_bytes: u64) -> bool {
        replica.memory_bytes.saturating_add(memory_bytes) <= self.memory_limit
    }

    pub(super) fn work_of(&self, slot: u32) -> &WorkTerms {
        &self.terms.works[usize::from(self.attempts.get(slot).request.demand)]
    }

    /// The line in front of a replica.
    #[inline]
    pub(super) fn line_of(&self, replica: Option<u32>) -> usize {
        match replica {
            Some(replica) if !self.terms.is_central => replica as usize,
            _ => 0,
        }
    }
}
