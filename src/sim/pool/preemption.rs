//! Preemption: who goes before somebody that runs takes his place at the end of the iteration.
//!
//! The interrupted goes to the head of his class and later goes on where he stopped; a context that has
//! grown is then computed anew, as a longer prompt (at a lower quality only the prompt itself is).
//! Nobody is interrupted for somebody whom his memory does not suffice. Finding whom to interrupt looks
//! at every batch, which only this queue order pays for. Fixed batches are not interrupted.

use super::Pool;
use crate::sim::request::Place;

impl Pool {
    fn priority(&self, slot: u32) -> u8 {
        let tier = self.attempts.get(slot).request.tier;
        self.terms.tiers[usize::from(tier)].priority
    }

    /// Who runs on a replica and is the last to go by the rules: of the lowest class the last to have come,
    /// among equals the one with the most left to do.
    fn last_to_go(&self, index: usize) -> Option<u32> {
        let key = |&slot: &u32| (self.priority(slot), self.attempts.get(slot).at);
        let running = |slot: &u32| self.attempts.place(*slot) == Place::Running;
        self.replicas[index]
            .members()
            .filter(running)
            .max_by_key(key)
    }

    /// Who gives his place in a full batch to the head of the line, if somebody goes after him and leaves
    /// him enough memory.
    fn gives_way(&self, index: usize, head: u32) -> Option<u32> {
        let replica = &self.replicas[index];
        if replica.len() < self.places || !self.takes_requests(index) {
            // A place that is free already is too small for the head.
            return None;
        }
        let last = self.last_to_go(index)?;
        let goes_after = self.priority(last) > self.priority(head);
        (goes_after && self.fits_instead(index, head, last)).then_some(last)
    }

    /// Whether there is memory enough for the head of the line without somebody who runs.
    pub(super) fn fits_instead(&self, index: usize, head: u32, last: u32) -> bool {
        let others_bytes = self.replicas[index].memory_bytes - self.memory_of(last);
        others_bytes.saturating_add(self.memory_of(head)) <= self.memory_limit
    }

    /// The rules have changed: who waits may now go before somebody who runs.
    pub(super) fn interrupt_soon_anywhere(&mut self) {
        if self.terms.is_shared {
            self.reclaim_soon_anywhere();
            return;
        }
        if self.terms.is_central {
            self.interrupt_soon(None);
            return;
        }
        for index in 0..self.replicas.len() {
            self.interrupt_soon(Some(index as u32));
        }
    }

    /// Somebody has come to wait in the line of a replica, or of all: if he goes before somebody who runs,
    /// that one's replica looks at its batch at the end of the iteration.
    pub(super) fn interrupt_soon(&mut self, replica: Option<u32>) {
        if self.stopped {
            return;
        }
        let line = self.line_of(replica);
        if self.terms.is_shared {
            self.reclaim_soon(line);
            return;
        }
        let Some(head) = self
            .lines
            .get_mut(line)
            .and_then(|line| line.head(&self.attempts))
        else {
            return;
        };
        let replicas = match replica {
            Some(replica) if !self.terms.is_central => replica as usize..replica as usize + 1,
            _ => 0..self.replicas.len(),
        };
        let last = replicas.filter_map(|index| {
            let last = self.gives_way(index, head)?;
            Some((self.priority(last), self.attempts.get(last).at, index))
        });
        if let Some((.., index)) = last.max()
            && let Some(time) = self.replicas[index].change_soon(self.clock, &self.curve)
        {
            self.changes.set(index, time);
        }
    }

    /// At the end of an iteration: who goes after the head of the line makes room for it.
    pub(super) fn interrupt(&mut self, index: usize) {
        if self.terms.is_shared {
            self.reclaim(index);
            return;
        }
        let line = self.line_of(Some(index as u32));
        while let Some(head) = self.lines[line].head(&self.attempts)
            && let Some(last) = self.gives_way(index, head)
        {
            self.interrupt_one(index, last);
            if let Some(next) = self.take_next(index) {
                self.begin(index, next);
                self.join(index, next);
            }
        }
    }

    /// Takes a running attempt out of its batch, with what is left of its work, and puts it first of its class.
    pub(super) fn interrupt_one(&mut self, index: usize, slot: u32) {
        let done = self.replicas[index].take_out(slot);
        self.replicas[index].memory_bytes -= self.memory_of(slot);
        let tier = self.attempts.get(slot).request.tier;
        self.leave_place(index, slot);
        let attempt = self.attempts.get_mut(slot);
        // In a batch that was fixed when it started, one stays longer than one's own work takes.
        attempt.amount = attempt.amount.saturating_sub(done).max(1);
        attempt.resumes = true;
        self.attempts.set_place(slot, Place::Waiting);
        self.gauges.running.down(self.clock);
        self.gauges.waiting.up(self.clock);
        let line = self.line_of(Some(index as u32));
        let (ticket, priority) = (self.attempts.ticket(slot), self.priority(slot));
        self.lines[line].push_first(ticket, tier, priority);
    }

    /// An attempt goes on from the last iteration that was kept, of so many done since it joined. Those before an
    /// interruption count too; at a lower quality, whose whole amount is not known any more, from there on anew.
    pub(super) fn keep(&mut self, slot: u32, done: u64, every: u64) {
        let attempt = self.attempts.get_mut(slot);
        let (whole, before) = match attempt.quality {
            0 => {
                let whole = attempt.request.amount;
                (whole, whole.saturating_sub(attempt.amount))
            }
            _ => (attempt.amount, 0),
        };
        let kept = (before + done) / every * every;
        // In a batch that was fixed when it started, one stays longer than one's own work takes.
        attempt.amount = whole.saturating_sub(kept).max(1);
        attempt.resumes |= kept > 0;
    }

    /// What an attempt has done is lost: it starts again from zero. At a lower quality the amount of its
    /// work is drawn again.
    pub(super) fn start_from_zero(&mut self, slot: u32) {
        let attempt = self.attempts.get(slot);
        if !attempt.resumes {
            return;
        }
        let (quality, request) = (usize::from(attempt.quality), &attempt.request);
        let amount = if quality == 0 {
            request.amount
        } else {
            let demand = &self.scenario.demands[usize::from(request.demand)];
            let law = self.scenario.works[demand.work].amount_sampler(quality);
            law.sample_whole(&mut self.work_stream).max(1)
        };
        let attempt = self.attempts.get_mut(slot);
        attempt.amount = amount;
        attempt.resumes = false;
    }
}
