//! Users at a pool: how an attempt enters, how long its user waits, and what follows when it brought
//! nothing.

use super::{Due, Pool};
use crate::sim::client::{self, Ended};
use crate::sim::request::{Arrival, Feedback, Place, Request};
use crate::sim::tally::Refusal;
use crate::sim::transit::Passage;
use crate::units::{SimDuration, SimTime};

impl Pool {
    /// A request reaches the pool for the first time.
    pub(super) fn arrive(&mut self, arrival: &Arrival) {
        let tier = usize::from(arrival.request.tier);
        self.tiers[tier].in_system += 1;
        if let Some((retry, _)) = &self.terms.tiers[tier].retry
            && let Some(share) = retry.budget
        {
            let saved = &mut self.retry_budget[tier];
            *saved = (*saved + share).min(client::RETRIES_SAVED_MAX);
        }
        self.enter(&arrival.request, arrival.patience_ns);
    }

    /// A user's time to try again has come.
    pub(super) fn retry(&mut self) {
        let Some((_, request)) = self.orbit.pop() else {
            return;
        };
        self.gauges.orbit.down(self.clock);
        let tier = usize::from(request.tier);
        self.tiers[tier].retries += 1;
        let patience_ns = match &self.terms.tiers[tier].patience_ns {
            Some(law) => law.sample_whole(&mut self.client_stream),
            None => u64::MAX,
        };
        self.enter(&request, patience_ns);
    }

    /// An attempt is let in, or not.
    fn enter(&mut self, request: &Request, patience_ns: u64) {
        let tier = usize::from(request.tier);
        let berth = self.choose_berth(request);
        self.tiers[tier].attempts += 1;
        if let Some(refusal) = self.refusal(berth.at_once) {
            self.resolve(request, Ended::Shed(refusal));
            return;
        }
        self.tiers[tier].admitted += 1;
        let leaves_at = self.clock + SimDuration(patience_ns);
        let (quality, amount) = self.choose_quality(request);
        let (slot, attempt) = self.attempts.insert(request, self.clock, Place::Waiting);
        attempt.leaves_at = leaves_at;
        attempt.amount = amount;
        attempt.quality = quality;
        self.gauges.present.up(self.clock);
        let ticket = self.attempts.ticket(slot);
        self.place(slot, berth);
        if leaves_at == SimTime::NEVER {
            return;
        }
        // A batch that starts at once may drop it as hopeless; the slot is then free or somebody else's.
        let is_here = self.attempts.live(ticket).is_some();
        let waits = is_here && self.attempts.place(slot) == Place::Waiting;
        if waits || is_here && self.terms.tiers[tier].until_done {
            self.timers.set(leaves_at, Due::user(ticket));
        }
    }

    /// Why an attempt that comes now is refused, if it is.
    #[inline]
    fn refusal(&self, at_once: bool) -> Option<Refusal> {
        let waiting = self.gauges.waiting.now();
        if waiting >= self.terms.limits.full && !at_once {
            return Some(Refusal::QueueFull);
        }
        (waiting > self.terms.limits.too_long).then_some(Refusal::Hopeless)
    }

    /// Quality and amount of work: less of it while too many wait, with hysteresis.
    #[inline]
    fn choose_quality(&mut self, request: &Request) -> (u8, u64) {
        let limits = &self.terms.limits;
        let limit = if self.degrading {
            limits.degrade_below
        } else {
            limits.degrade_above
        };
        self.degrading = self.gauges.waiting.now() > limit;
        if !self.degrading {
            return (0, request.amount);
        }
        match &self.terms.works[usize::from(request.demand)].degraded {
            Some((quality, amount)) => {
                let amount = amount.sample_whole(&mut self.work_stream).max(1);
                (*quality, amount)
            }
            None => (0, request.amount),
        }
    }

    /// A user whose service had started is in line again, and waits as long as he would have at first.
    /// He may have a timer already, if he had to wait then too.
    pub(super) fn wait_again(&mut self, slot: u32) {
        let attempt = self.attempts.get(slot);
        let leaves_at = attempt.leaves_at;
        let tier = &self.terms.tiers[usize::from(attempt.request.tier)];
        if leaves_at >= self.clock && leaves_at != SimTime::NEVER && !tier.until_done {
            let ticket = self.attempts.ticket(slot);
            self.timers.set(leaves_at, Due::user(ticket));
        }
    }

    /// A user in line has waited long enough.
    pub(super) fn lose_patience_waiting(&mut self, slot: u32) {
        let attempt = *self.attempts.get(slot);
        if attempt.ghost {
            return;
        }
        let request = attempt.request;
        let tier = &self.terms.tiers[usize::from(request.tier)];
        if attempt.resumes && !tier.until_done {
            return;
        }
        if request.asker.is_silent() {
            self.attempts.get_mut(slot).ghost = true;
        } else {
            let replica = attempt.replica;
            self.leave(slot);
            self.gauges.waiting.down(self.clock);
            self.one_left_line(replica);
        }
        self.resolve(&request, Ended::Abandoned);
    }

    /// A user whose request runs has waited long enough for its end, if it is the end he waits for.
    pub(super) fn lose_patience_running(&mut self, slot: u32) {
        let request = self.attempts.get(slot).request;
        if !self.terms.tiers[usize::from(request.tier)].until_done {
            return;
        }
        let attempt = self.attempts.get_mut(slot);
        if request.asker.is_silent() {
            attempt.ghost = true;
        } else {
            let index = attempt.replica as usize;
            self.attempts.set_place(slot, Place::Cancelled);
            self.replicas[index].cancel(slot);
            if let Some(time) = self.replicas[index].change_soon(self.clock, &self.curve) {
                self.changes.set(index, time);
            }
        }
        self.resolve(&request, Ended::Abandoned);
    }

    /// An attempt brought nothing: its user tries again later, or that was it.
    pub(super) fn resolve(&mut self, request: &Request, ended: Ended) {
        if let Some(delay) = self.next_try(request, ended) {
            let request = Request {
                tries: request.tries.saturating_add(1),
                ..*request
            };
            self.orbit.set(self.clock + delay, request);
            self.gauges.orbit.up(self.clock);
            return;
        }
        let tally = &mut self.tiers[usize::from(request.tier)];
        tally.in_system -= 1;
        match ended {
            Ended::Shed(refusal) => tally.shed[refusal as usize] += 1,
            Ended::Abandoned => tally.abandoned += 1,
            Ended::Failed => tally.failed += 1,
        }
        let note = Feedback::new(self.clock + self.way_back(request), request, false);
        if let Some(note) = note {
            self.outbox[usize::from(request.gateway)].push(note);
        }
    }

    /// What an answer takes over the network.
    #[inline(always)]
    pub(super) fn way_back(&self, request: &Request) -> SimDuration {
        self.terms.works[usize::from(request.demand)].way_back
    }

    /// Hands over all who wait or will try again, of a pool that stands still. Who waits starts anew
    /// elsewhere and is as patient as before; of those who had left without telling nobody knows any more.
    pub(crate) fn hand_over(&mut self) -> Vec<Passage> {
        let mut moved = Vec::new();
        for slot in self.drain_lines() {
            self.gauges.waiting.down(self.clock);
            let attempt = *self.leave(slot).0;
            if attempt.ghost {
                continue;
            }
            let left = attempt.leaves_at.since(self.clock);
            let arrival = Arrival {
                at: self.clock,
                request: attempt.request,
                patience_ns: match attempt.leaves_at {
                    SimTime::NEVER => u64::MAX,
                    _ => left.0,
                },
            };
            moved.push(Passage {
                arrival,
                pool: None,
                retries: false,
            });
        }
        for (at, request) in self.orbit.drain() {
            self.gauges.orbit.down(self.clock);
            let tier = usize::from(request.tier);
            let patience = &self.terms.tiers[tier].patience_ns;
            let stream = &mut self.client_stream;
            let patience_ns = patience
                .as_ref()
                .map_or(u64::MAX, |law| law.sample_whole(stream));
            let arrival = Arrival {
                at,
                request,
                patience_ns,
            };
            moved.push(Passage {
                arrival,
                pool: None,
                retries: true,
            });
        }
        for passage in &moved {
            let tier = usize::from(passage.arrival.request.tier);
            self.tiers[tier].in_system -= 1;
        }
        moved
    }

    /// The delay after which the user tries again, if he does.
    fn next_try(&mut self, request: &Request, ended: Ended) -> Option<SimDuration> {
        let tier = usize::from(request.tier);
        let (retry, first) = self.terms.tiers[tier].retry.as_ref()?;
        if !client::retries(retry, ended, request.tries) {
            return None;
        }
        if retry.budget.is_some() {
            let saved = &mut self.retry_budget[tier];
            if *saved < 1.0 {
                return None;
            }
            *saved -= 1.0;
        }
        let stream = &mut self.client_stream;
        let first_s = first.sample(stream);
        Some(client::backoff(retry, first_s, request.tries, stream))
    }
}
