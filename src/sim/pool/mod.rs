//! A pool: identical replicas behind one queue, and everything that can happen to an attempt there.
//!
//! Within a lookahead window a pool depends on nobody else: it takes the arrivals of the window, plays
//! its own events in order of (time, kind, sequence) and leaves what it has to say to users in its
//! outbox. At one instant the ends of iterations come first, then timers (patience) and then retries, each in
//! the order in which they were set, then arrivals.
//!
//! Invariants, checked in every build: attempts in the pool = waiting + running; the integral of their
//! number over time equals the sum of the times they spent (Little's law, on integers); time never
//! runs backwards.

mod ahead;
mod availability;
mod dispatch;
mod fixed;
mod incoming;
mod preemption;
mod reclaim;
mod service;
mod setup;
mod terms;
mod users;

use std::sync::Arc;

use ahead::Ahead;
pub(crate) use availability::Hit;

use super::client;
use super::line::Line;
use super::occupancy::Occupancy;
use super::replica::Replica;
use super::request::{Arrival, Attempt, Attempts, Feedback, Place, Request, Ticket};
use super::tally::{Gauges, Levels, PoolTally, TierTally};
use crate::des::{Earliest, Timers};
use crate::profile::ServiceCurve;
use crate::random::Stream;
use crate::scenario::{Interrupted, Rules, Scenario};
use crate::units::SimTime;
use incoming::Incoming;
use terms::{Size, Terms};

/// Identical replicas behind one queue.
pub(crate) struct Pool {
    scenario: Arc<Scenario>,
    rules: Arc<Rules>,
    /// Its index.
    own: usize,
    terms: Terms,
    curve: ServiceCurve,
    batch_limit: usize,
    /// Places in a batch under the rules in force.
    places: usize,
    memory_limit: u64,

    clock: SimTime,
    replicas: Vec<Replica>,
    /// When each replica's batch changes next.
    changes: Earliest,
    occupancy: Occupancy,
    /// One for all, or one for each replica.
    lines: Vec<Line>,
    attempts: Attempts,
    timers: Timers<Due>,
    /// Users who will try again.
    orbit: Timers<Request>,
    stopped: bool,
    /// Which replicas serve.
    availability: availability::Availability,
    degrading: bool,
    /// Whose turn it is under round robin.
    turn: usize,
    /// The replica whose turn it is to give back a place, where one line serves all.
    giving_turn: usize,
    /// Retries that each tier's clients may still make under their budget.
    retry_budget: Vec<f64>,
    /// Which replicas are off, where they go off at all.
    warmth: Option<setup::Warmth>,
    /// Requests a second with all batches full.
    full_rate_per_s: f64,
    dispatch_stream: Stream,
    client_stream: Stream,
    work_stream: Stream,

    /// The arrivals of the current window.
    incoming: Incoming,
    ahead: Ahead,
    /// By gateway: what its users get to know.
    outbox: Vec<Vec<Feedback>>,
    gauges: Gauges,
    /// Counts, and the integrals of what was before the statistics began.
    tally: PoolTally,
    before: PoolTally,
    tiers: Vec<TierTally>,
    /// Images delivered, by demand and quality: `demand * qualities + quality`.
    images: Vec<u64>,
    /// Most qualities of a work.
    qualities: usize,
    /// Time spent before the statistics began by attempts that were present then.
    spent_before_ns: u128,
}

/// What a timer is for: a user whose patience is over, or a waiting attempt that has waited as long as a static
/// batch waits for others. Timers are many, so this takes no more room than a ticket: the ticket of the second
/// kind is marked.
#[derive(Clone, Copy, Debug)]
struct Due(Ticket);

impl Due {
    fn user(ticket: Ticket) -> Self {
        Self(ticket)
    }

    fn window(ticket: Ticket) -> Self {
        Self(ticket.marked())
    }

    /// Whom it is for; if that attempt has ended, so has the reason.
    fn ticket(self) -> Ticket {
        self.0.unmarked()
    }

    fn is_window(self) -> bool {
        self.0 != self.ticket()
    }
}

impl Pool {
    pub(crate) fn new(
        scenario: &Arc<Scenario>,
        rules: &Arc<Rules>,
        index: usize,
        gateways: usize,
    ) -> Self {
        let pool = &scenario.pools[index];
        let stream = |purpose| scenario.seed.stream(&pool.name, purpose, 0);
        let works = scenario.works.iter();
        let qualities = works.map(|work| work.qualities.len()).max().unwrap_or(0);
        let mut made = Self {
            own: index,
            terms: Terms::new(scenario, rules, 0, Size::NONE),
            curve: pool.profile.curve.clone(),
            batch_limit: pool.batch_limit as usize,
            places: 0,
            memory_limit: pool.profile.memory_bytes.unwrap_or(u64::MAX),
            clock: SimTime::ZERO,
            replicas: Vec::new(),
            changes: Earliest::new(1),
            occupancy: Occupancy::new(pool.batch_limit),
            lines: Vec::new(),
            attempts: Attempts::default(),
            timers: Timers::new(scenario.lookahead),
            orbit: Timers::new(scenario.lookahead),
            stopped: false,
            availability: availability::Availability::default(),
            degrading: false,
            turn: 0,
            giving_turn: 0,
            retry_budget: vec![client::RETRIES_SAVED_MAX; scenario.tiers.len()],
            warmth: pool
                .set_up
                .map(|rule| setup::Warmth::new(rule, stream("set-up"))),
            full_rate_per_s: 0.0,
            dispatch_stream: stream("dispatch"),
            client_stream: stream("retries"),
            work_stream: stream("work at lower quality"),
            incoming: Incoming::new(gateways),
            ahead: Ahead::default(),
            outbox: vec![Vec::new(); gateways],
            gauges: Gauges::default(),
            tally: PoolTally::default(),
            before: PoolTally::default(),
            tiers: vec![TierTally::default(); scenario.tiers.len()],
            images: vec![0; scenario.demands.len() * qualities],
            qualities,
            spent_before_ns: 0,
            scenario: Arc::clone(scenario),
            rules: Arc::clone(rules),
        };
        made.rate_again();
        made.line_up();
        made
    }

    /// Plays everything that happens before `until`, given the arrivals of the window from each
    /// gateway in order of time.
    pub(crate) fn advance(&mut self, until: SimTime, inbox: &[&[Arrival]]) {
        self.incoming.begin(inbox);
        let attempts = &self.attempts;
        self.timers
            .open_until(until, |due| attempts.live(due.ticket()).is_some());
        self.orbit.open_until(until, |_| true);
        let mut fetched = self.clock;
        loop {
            let (change, timer) = (self.changes.time(), self.timers.time());
            let retry = self.orbit.time();
            let at = change.min(timer).min(retry).min(self.incoming.time());
            if at >= until {
                break;
            }
            if at >= fetched {
                fetched = self.fetch(at, until, inbox);
            }
            self.move_clock(at);
            self.tally.events += 1;
            if change == at {
                self.end_iteration(self.changes.entity());
            } else if timer == at {
                self.timer_due();
            } else if retry == at {
                self.retry();
            } else {
                let arrival = self.incoming.pop(inbox);
                self.arrive(arrival);
            }
        }
        self.move_clock(until);
    }

    #[inline]
    fn move_clock(&mut self, to: SimTime) {
        assert!(
            to >= self.clock,
            "time runs backwards: {to:?} after {:?}",
            self.clock
        );
        self.clock = to;
    }

    fn timer_due(&mut self) {
        let Some((_, due)) = self.timers.pop() else {
            return;
        };
        let Some(slot) = self.attempts.live(due.ticket()) else {
            return;
        };
        match self.attempts.place(slot) {
            Place::Waiting if due.is_window() => self.start_waiting(),
            Place::Running if due.is_window() => {}
            Place::Waiting => self.lose_patience_waiting(slot),
            Place::Running => self.lose_patience_running(slot),
            Place::Cancelled | Place::Free => {}
        }
    }

    // -- what the operator does between windows -------------------------------------------------------

    /// Replicas come into service.
    pub(crate) fn deliver(&mut self, count: u32) {
        self.changes.grow(self.replicas.len() + count as usize);
        for _ in 0..count {
            let replica = self.make_room();
            if !self.stopped && !self.begins_off(replica) {
                self.occupancy.enter(replica as u32, 0);
            }
        }
        self.rate_again();
        if !self.stopped {
            self.gauges.in_service.set(self.in_service(), self.clock);
            self.gauges.compare_busy(self.clock);
            self.start_waiting();
            self.reclaim_soon_anywhere();
        }
    }

    /// Room for one more replica, which is given nobody yet; its number.
    fn make_room(&mut self) -> usize {
        let replica = self.replicas.len();
        self.replicas.push(Replica::default());
        self.changes.grow(replica + 1);
        self.occupancy.grow(replica + 1);
        if !self.terms.is_central && self.lines.len() <= replica {
            self.lines
                .resize(replica + 1, Line::new(self.rules.policy.order));
        }
        replica
    }

    /// Empties all lines: who waited, by the time at which he came. They count as waiting still.
    fn drain_lines(&mut self) -> Vec<u32> {
        let lines = self.lines.iter_mut();
        let drained = lines.flat_map(|line| line.drain(&self.attempts));
        let mut waiting: Vec<u32> = drained.collect();
        waiting.sort_by_key(|&slot| self.attempts.get(slot).at);
        waiting
    }

    /// New rules hold from now on; who waits lines up again under them.
    pub(crate) fn apply(&mut self, rules: &Arc<Rules>) {
        let waiting = self.drain_lines();
        self.rules = Arc::clone(rules);
        // Where nothing is degraded any more, the hysteresis begins anew.
        self.degrading &= rules.policy.degradation.is_some();
        self.rate_again();
        self.line_up();
        for slot in waiting {
            self.gauges.waiting.down(self.clock);
            self.queue_up(slot);
        }
        self.move_waiting();
        self.start_waiting();
        if self.terms.is_preemptive {
            self.interrupt_soon_anywhere();
        }
    }

    /// The pool stands still: what runs fails, or waits to start again from zero.
    pub(crate) fn stop(&mut self, requeue: bool) {
        let running = match requeue {
            true => Interrupted::Requeued,
            false => Interrupted::Lost,
        };
        self.stopped = true;
        self.gauges.in_service.set(0, self.clock);
        self.gauges.busy.set(0, self.clock);
        self.gauges.compare_busy(self.clock);
        self.forget_set_up();
        for index in 0..self.replicas.len() {
            self.occupancy
                .leave(index as u32, self.replicas[index].len());
            self.evacuate(index, running);
        }
        self.end_draining();
    }

    /// The pool works again.
    pub(crate) fn resume(&mut self) {
        if !std::mem::take(&mut self.stopped) {
            return;
        }
        self.gauges.in_service.set(self.in_service(), self.clock);
        self.gauges.compare_busy(self.clock);
        for index in 0..self.replicas.len() {
            if self.takes_requests(index) && !self.begins_off(index) {
                self.occupancy.enter(index as u32, 0);
            }
        }
        self.start_waiting();
    }

    /// The end of the warm-up: statistics begin anew, with who is here entering now.
    pub(crate) fn restart_statistics(&mut self) {
        self.tiers.iter_mut().for_each(TierTally::restart);
        self.images.fill(0);
        self.tally = PoolTally {
            waiting_max: self.gauges.waiting.now(),
            ..PoolTally::default()
        };
        self.gauges.integrate(self.clock, &mut self.before);
        self.spent_before_ns = self.spent_by_those_present_ns();
    }

    // -- what others see ------------------------------------------------------------------------------

    /// Attempts in the pool over the places in its batches; infinite while nothing is in service.
    pub(crate) fn load(&self) -> f64 {
        if self.stopped || self.serving() == 0 {
            return f64::INFINITY;
        }
        (self.gauges.waiting.now() + self.gauges.running.now()) as f64 / self.slots()
    }

    /// Places in the batches of all replicas that serve.
    pub(crate) fn slots(&self) -> f64 {
        (self.serving() * self.places) as f64
    }

    /// Replicas that were delivered.
    pub(crate) fn replicas(&self) -> u64 {
        self.replicas.len() as u64
    }

    pub(crate) fn levels(&self) -> Levels {
        self.gauges.levels()
    }

    pub(crate) fn events(&self) -> u64 {
        self.tally.events
    }

    /// What the pool did since the start or the end of the warm-up.
    pub(crate) fn tally(&self) -> PoolTally {
        let mut tally = self.tally;
        self.gauges.integrate(self.clock, &mut tally);
        tally.since_integrals(&self.before)
    }

    pub(crate) fn tiers(&self) -> &[TierTally] {
        &self.tiers
    }

    /// Images delivered of a demand, by quality from its first.
    pub(crate) fn images(&self, demand: usize) -> &[u64] {
        &self.images[demand * self.qualities..][..self.qualities]
    }

    /// Requests a second with all batches full; 0 while the pool stands still.
    pub(crate) fn full_rate_per_s(&self) -> f64 {
        if self.stopped {
            0.0
        } else {
            self.full_rate_per_s
        }
    }

    /// What the users of a gateway get to know.
    pub(crate) fn outbox(&self, gateway: usize) -> &[Feedback] {
        &self.outbox[gateway]
    }

    /// The gateways have read everything.
    pub(crate) fn clear_outbox(&mut self) {
        self.outbox.iter_mut().for_each(Vec::clear);
    }

    /// The two sides of Little's law in ns: attempts integrated over time, and the times they spent.
    pub(crate) fn little_ns(&self) -> (u128, u128) {
        let tally = self.tally();
        let integral = tally.waiting_ns + tally.running_ns;
        let present = self.spent_by_those_present_ns();
        (integral, tally.sojourn_ns + present - self.spent_before_ns)
    }

    /// Checks what must hold between any two events.
    pub(crate) fn assert_consistent(&self) {
        let levels = self.levels();
        let count = |places: &[Place]| {
            let attempts = self.attempts.iter();
            attempts.filter(|(place, _)| places.contains(place)).count() as u64
        };
        assert_eq!(levels.waiting, count(&[Place::Waiting]), "attempts waiting");
        assert_eq!(
            levels.running,
            count(&[Place::Running, Place::Cancelled]),
            "running"
        );
        let waits =
            |(place, attempt): &(Place, &Attempt)| !attempt.ghost && *place != Place::Cancelled;
        assert_eq!(
            self.tiers.iter().map(|tier| tier.in_system).sum::<u64>(),
            (self.attempts.iter().filter(waits).count() + self.orbit.count()) as u64,
            "requests whose users wait for an image or for their next try"
        );
        assert!(
            levels.busy <= levels.in_service,
            "more replicas busy than in service"
        );
    }

    fn spent_by_those_present_ns(&self) -> u128 {
        let attempts = self.attempts.iter();
        attempts
            .map(|(_, attempt)| u128::from((self.clock - attempt.at).0))
            .sum()
    }
}
