//! Users at a pool: how an attempt enters, how long its user waits, and what follows when it brought
//! nothing.

use super::{Due, Pool};
use crate::scenario::{PatienceUntil, QueueLimit};
use crate::sim::client::{self, Ended};
use crate::sim::request::{Arrival, Attempt, Feedback, NOBODY, Place, Request};
use crate::sim::tally::Refusal;
use crate::units::{SimDuration, SimTime};

impl Pool {
    /// A request reaches the pool for the first time.
    pub(super) fn arrive(&mut self, arrival: Arrival) {
        let tier = usize::from(arrival.request.tier);
        self.tiers[tier].in_system += 1;
        if let Some(share) = self.scenario.tiers[tier]
            .client
            .retry
            .and_then(|retry| retry.budget)
        {
            let saved = &mut self.retry_budget[tier];
            *saved = (*saved + share).min(client::RETRIES_SAVED_MAX);
        }
        let slot = self
            .attempts
            .insert(arrival.request, self.clock, Place::Waiting);
        self.enter(slot, arrival.patience_ns);
    }

    /// A user's time to try again has come.
    pub(super) fn retry(&mut self, slot: u32) {
        self.levels.orbit -= 1;
        self.attempts.set_place(slot, Place::Waiting);
        let attempt = self.attempts.get_mut(slot);
        attempt.at = self.clock;
        let tier = usize::from(attempt.request.tier);
        self.tiers[tier].retries += 1;
        let client = &self.scenario.tiers[tier].client;
        let patience_ns = client::patience_ns(client, &mut self.client_stream);
        self.enter(slot, patience_ns);
    }

    /// An attempt is let in, or not.
    fn enter(&mut self, slot: u32, patience_ns: u64) {
        let tier = usize::from(self.attempts.get(slot).request.tier);
        self.tiers[tier].attempts += 1;
        let berth = self.choose_berth(slot);
        if let Some(refusal) = self.refusal(berth.at_once) {
            let attempt = self.attempts.remove(slot);
            self.resolve(attempt.request, Ended::Shed(refusal));
            return;
        }
        self.tiers[tier].admitted += 1;
        self.choose_quality(slot);
        let leaves_at = self.clock + SimDuration(patience_ns);
        self.attempts.get_mut(slot).leaves_at = leaves_at;
        let ticket = self.attempts.ticket(slot);
        self.place(slot, berth);
        // A batch that starts at once may drop it as hopeless; the slot is then somebody else's.
        if self.attempts.live(ticket).is_none() || leaves_at == SimTime::NEVER {
            return;
        }
        let waits = self.attempts.place(slot) == Place::Waiting;
        if waits || self.waits_for_answer(&self.attempts.get(slot).request) {
            self.timers.set(leaves_at, Due::User(ticket));
        }
    }

    /// Whether only the answer ends the user's waiting; else the start of service does.
    fn waits_for_answer(&self, request: &Request) -> bool {
        let tier = &self.scenario.tiers[usize::from(request.tier)];
        tier.client.until == PatienceUntil::Done
    }

    /// Why an attempt that comes now is refused, if it is.
    fn refusal(&self, at_once: bool) -> Option<Refusal> {
        let admission = self.rules.policy.admission;
        let waiting = self.levels.waiting;
        let limit = match admission.queue_limit {
            QueueLimit::None => u64::MAX,
            QueueLimit::Requests(requests) => requests,
            QueueLimit::PerSlot(requests) => (requests * self.slots()) as u64,
        };
        if waiting >= limit && !at_once {
            return Some(Refusal::QueueFull);
        }
        let longest = admission.refuse_wait_above?;
        let expected_s = waiting as f64 / self.full_rate_per_s;
        (expected_s > longest.as_s()).then_some(Refusal::Hopeless)
    }

    /// Gives a lower quality while too many wait, with hysteresis.
    fn choose_quality(&mut self, slot: u32) {
        let Some(degradation) = &self.rules.policy.degradation else {
            return;
        };
        let per_slot = self.levels.waiting as f64 / self.slots();
        let limit = if self.degrading {
            degradation.below
        } else {
            degradation.above
        };
        self.degrading = per_slot > limit;
        if !self.degrading {
            return;
        }
        let attempt = self.attempts.get_mut(slot);
        let demand = usize::from(attempt.request.demand);
        let work = &self.scenario.works[self.scenario.demands[demand].work];
        if let Some(quality) = work
            .quality(&degradation.quality)
            .filter(|&quality| quality > 0)
        {
            attempt.quality = quality as u8;
            attempt.amount = work.sample_amount(quality, &mut self.work_stream);
        }
    }

    /// A user in line has waited long enough.
    pub(super) fn lose_patience_waiting(&mut self, slot: u32) {
        let attempt = *self.attempts.get(slot);
        let request = attempt.request;
        if attempt.resumes && !self.waits_for_answer(&request) {
            return;
        }
        if request.silent {
            self.attempts.get_mut(slot).ghost = true;
        } else {
            let replica = attempt.replica;
            self.leave(slot);
            self.levels.waiting -= 1;
            self.one_left_line(replica);
        }
        self.resolve(request, Ended::Abandoned);
    }

    /// A user whose request runs has waited long enough for its end, if it is the end he waits for.
    pub(super) fn lose_patience_running(&mut self, slot: u32) {
        let request = self.attempts.get(slot).request;
        if !self.waits_for_answer(&request) {
            return;
        }
        let attempt = self.attempts.get_mut(slot);
        if request.silent {
            attempt.ghost = true;
        } else {
            let index = attempt.replica as usize;
            self.attempts.set_place(slot, Place::Cancelled);
            self.replicas[index].cancelled += 1;
            if let Some(time) = self.replicas[index].change_soon(self.clock, &self.curve) {
                self.changes.set(index, time);
            }
        }
        self.resolve(request, Ended::Abandoned);
    }

    /// An attempt brought nothing: its user tries again later, or that was it.
    pub(super) fn resolve(&mut self, request: Request, ended: Ended) {
        let tier = usize::from(request.tier);
        if let Some(delay) = self.next_try(&request, ended) {
            let request = Request {
                tries: request.tries.saturating_add(1),
                ..request
            };
            let slot = self.attempts.insert(request, self.clock, Place::Orbit);
            self.levels.orbit += 1;
            self.timers
                .set(self.clock + delay, Due::User(self.attempts.ticket(slot)));
            return;
        }
        let tally = &mut self.tiers[tier];
        tally.in_system -= 1;
        match ended {
            Ended::Shed(refusal) => tally.shed[refusal as usize] += 1,
            Ended::Abandoned => tally.abandoned += 1,
            Ended::Failed => tally.failed += 1,
        }
        self.tell(&request, false);
    }

    /// The delay after which the user tries again, if he does.
    fn next_try(&mut self, request: &Request, ended: Ended) -> Option<SimDuration> {
        let tier = usize::from(request.tier);
        let retry = self.scenario.tiers[tier].client.retry?;
        if !client::retries(&retry, ended, request.tries) {
            return None;
        }
        if retry.budget.is_some() {
            let saved = &mut self.retry_budget[tier];
            if *saved < 1.0 {
                return None;
            }
            *saved -= 1.0;
        }
        Some(client::backoff(
            &retry,
            request.tries,
            &mut self.client_stream,
        ))
    }

    /// A request got its image.
    pub(super) fn complete(&mut self, attempt: &Attempt) {
        let request = &attempt.request;
        let response = self.clock - request.first_at;
        let work = &self.scenario.works[self.scenario.demands[usize::from(request.demand)].work];
        let price = work.qualities[usize::from(attempt.quality)].micro_usd_per_image();
        let tally = &mut self.tiers[usize::from(request.tier)];
        tally.in_system -= 1;
        tally.completed += 1;
        tally.degraded += u64::from(attempt.quality > 0);
        tally.list_value_micro_usd += price;
        tally.response.record(response.0);
        tally.interval_response.record(response.0);
        self.tell(request, true);
    }

    /// Tells the gateway of a known user how the request ended.
    fn tell(&mut self, request: &Request, delivered: bool) {
        if request.user != NOBODY {
            let feedback = Feedback {
                at: self.clock,
                user: request.user,
                demand: request.demand,
                delivered,
            };
            self.outbox[usize::from(request.gateway)].push(feedback);
        }
    }
}
