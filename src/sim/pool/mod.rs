//! A pool: identical replicas behind one queue, and everything that can happen to an attempt there.
//!
//! Within a lookahead window a pool depends on nobody else: it takes the arrivals of the window, plays
//! its own events in order of (time, kind, sequence) and leaves what it has to say to users in its
//! outbox. At one instant the ends of iterations come first, then timers (patience, retries) in the
//! order in which they were set, then arrivals.
//!
//! Invariants, checked in every build: attempts in the pool = waiting + running; the integral of their
//! number over time equals the sum of the times they spent (Little's law, on integers); time never
//! runs backwards.

mod preemption;
mod service;
mod setup;
mod users;

use std::sync::Arc;

use super::client;
use super::line::Line;
use super::occupancy::Occupancy;
use super::replica::Replica;
use super::request::{Arrival, Attempt, Attempts, Feedback, Place, Ticket};
use super::tally::{Levels, PoolTally, TierTally};
use crate::des::{Earliest, Timer, Timers};
use crate::profile::ServiceCurve;
use crate::random::Stream;
use crate::scenario::{Dispatch, Rules, Scenario};
use crate::units::SimTime;

/// Identical replicas behind one queue.
pub(crate) struct Pool {
    scenario: Arc<Scenario>,
    rules: Arc<Rules>,
    curve: ServiceCurve,
    batch_limit: usize,
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
    stopped: bool,
    degrading: bool,
    /// Whose turn it is under round robin.
    turn: usize,
    /// Retries that each tier's clients may still make under their budget.
    retry_budget: Vec<f64>,
    /// Which replicas are off, where they go off at all.
    warmth: Option<setup::Warmth>,
    /// Requests a second with all batches full.
    full_rate_per_s: f64,
    dispatch_stream: Stream,
    client_stream: Stream,
    work_stream: Stream,

    /// Arrivals of the current window, and how many of them have come.
    incoming: Vec<Arrival>,
    come: usize,
    /// By gateway: what its users get to know.
    outbox: Vec<Vec<Feedback>>,
    levels: Levels,
    tally: PoolTally,
    tiers: Vec<TierTally>,
    /// Time spent before the statistics began by attempts that were present then.
    spent_before_ns: u128,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A user's patience is over, or his time to retry has come.
    User(Ticket),
    /// A waiting attempt has waited as long as a static batch waits for others.
    Window(Ticket),
}

impl Due {
    /// Whom it is for; if that attempt has ended, so has the reason.
    fn ticket(self) -> Ticket {
        match self {
            Self::User(ticket) | Self::Window(ticket) => ticket,
        }
    }
}

/// Everything that can happen in a pool; at one instant in this order.
enum Event {
    IterationEnds { replica: usize },
    TimerDue(Timer<Due>),
    RequestArrives(Arrival),
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
        let mut made = Self {
            curve: pool.profile.curve.clone(),
            batch_limit: pool.batch_limit as usize,
            memory_limit: pool.profile.memory_bytes.unwrap_or(u64::MAX),
            clock: SimTime::ZERO,
            replicas: Vec::new(),
            changes: Earliest::new(1),
            occupancy: Occupancy::new(pool.batch_limit),
            lines: Vec::new(),
            attempts: Attempts::default(),
            timers: Timers::new(scenario.lookahead),
            stopped: false,
            degrading: false,
            turn: 0,
            retry_budget: vec![client::RETRIES_SAVED_MAX; scenario.tiers.len()],
            warmth: pool
                .set_up
                .map(|rule| setup::Warmth::new(rule, stream("set-up"))),
            full_rate_per_s: 0.0,
            dispatch_stream: stream("dispatch"),
            client_stream: stream("retries"),
            work_stream: stream("work at lower quality"),
            incoming: Vec::new(),
            come: 0,
            outbox: vec![Vec::new(); gateways],
            levels: Levels::default(),
            tally: PoolTally::default(),
            tiers: vec![TierTally::default(); scenario.tiers.len()],
            spent_before_ns: 0,
            scenario: Arc::clone(scenario),
            rules: Arc::clone(rules),
        };
        made.line_up();
        made
    }

    /// Plays everything that happens before `until`, given the arrivals of the window from each
    /// gateway in order of time.
    pub(crate) fn advance<'a>(
        &mut self,
        until: SimTime,
        inbox: impl Iterator<Item = &'a [Arrival]>,
    ) {
        self.incoming.clear();
        self.come = 0;
        inbox.for_each(|arrivals| self.incoming.extend_from_slice(arrivals));
        self.incoming.sort_by_key(|arrival| arrival.at);
        while let Some((at, event)) = self.next_event(until) {
            self.move_clock(at);
            match event {
                Event::IterationEnds { replica } => self.end_iteration(replica),
                Event::TimerDue(timer) => self.timer_due(timer.what),
                Event::RequestArrives(arrival) => self.arrive(arrival),
            }
        }
        self.move_clock(until);
    }

    fn next_event(&mut self, until: SimTime) -> Option<(SimTime, Event)> {
        let change = self.changes.time();
        let attempts = &self.attempts;
        let timer = self
            .timers
            .time(|due| attempts.live(due.ticket()).is_some());
        let arrival = self.incoming.get(self.come);
        let at = arrival
            .map_or(SimTime::NEVER, |arrival| arrival.at)
            .min(change)
            .min(timer);
        if at >= until {
            return None;
        }
        let event = if change == at {
            Event::IterationEnds {
                replica: self.changes.entity(),
            }
        } else if timer == at {
            Event::TimerDue(self.timers.pop()?)
        } else {
            self.come += 1;
            Event::RequestArrives(*arrival?)
        };
        Some((at, event))
    }

    fn move_clock(&mut self, to: SimTime) {
        assert!(
            to >= self.clock,
            "time runs backwards: {to:?} after {:?}",
            self.clock
        );
        self.tally.integrate(&self.levels, self.clock, to);
        self.tally.events += 1;
        self.clock = to;
    }

    fn timer_due(&mut self, due: Due) {
        match due {
            Due::User(ticket) => {
                let Some(slot) = self.attempts.live(ticket) else {
                    return;
                };
                match self.attempts.place(slot) {
                    Place::Orbit => self.retry(slot),
                    Place::Waiting => self.lose_patience_waiting(slot),
                    Place::Running => self.lose_patience_running(slot),
                    Place::Cancelled | Place::Free => {}
                }
            }
            Due::Window(ticket) => {
                let slot = self.attempts.live(ticket);
                if slot.is_some_and(|slot| self.attempts.place(slot) == Place::Waiting) {
                    self.start_waiting();
                }
            }
        }
    }

    // -- what the operator does between windows -------------------------------------------------------

    /// Replicas come into service.
    pub(crate) fn deliver(&mut self, count: u32) {
        for _ in 0..count {
            let replica = self.replicas.len();
            self.replicas.push(Replica::default());
            self.changes.grow(replica + 1);
            self.occupancy.grow(replica + 1);
            if !self.stopped && !self.begins_off(replica) {
                self.occupancy.enter(replica as u32, 0);
            }
        }
        if self.rules.policy.dispatch != Dispatch::Central {
            let lines = self.replicas.len().max(self.lines.len());
            self.lines.resize(lines, Line::new(self.rules.policy.order));
        }
        self.rate_again();
        if !self.stopped {
            self.levels.in_service = self.replicas.len() as u64;
            self.start_waiting();
        }
    }

    /// New rules hold from now on; who waits lines up again under them.
    pub(crate) fn apply(&mut self, rules: &Arc<Rules>) {
        let mut waiting: Vec<u32> = self
            .lines
            .iter_mut()
            .flat_map(|line| line.drain(&self.attempts))
            .collect();
        waiting.sort_by_key(|&slot| (self.attempts.get(slot).at, slot));
        self.rules = Arc::clone(rules);
        self.rate_again();
        self.line_up();
        self.levels.waiting -= waiting.len() as u64;
        for slot in waiting {
            self.queue_up(slot);
        }
        self.start_waiting();
    }

    /// The pool stands still: what runs fails, or waits to start again from zero.
    pub(crate) fn stop(&mut self, requeue: bool) {
        self.stopped = true;
        self.levels.in_service = 0;
        self.levels.busy = 0;
        self.forget_set_up();
        for index in 0..self.replicas.len() {
            self.occupancy
                .leave(index as u32, self.replicas[index].len());
            self.changes.set(index, SimTime::NEVER);
            for slot in self.replicas[index].evacuate(self.clock) {
                self.levels.running -= 1;
                if requeue && self.attempts.place(slot) == Place::Running {
                    self.queue_up(slot);
                } else {
                    self.lose(slot);
                }
            }
        }
    }

    /// The pool works again.
    pub(crate) fn resume(&mut self) {
        self.stopped = false;
        self.levels.in_service = self.replicas.len() as u64;
        for index in 0..self.replicas.len() {
            if !self.begins_off(index) {
                self.occupancy.enter(index as u32, 0);
            }
        }
        self.start_waiting();
    }

    /// The end of the warm-up: statistics begin anew, with who is here entering now.
    pub(crate) fn restart_statistics(&mut self) {
        self.tiers.iter_mut().for_each(TierTally::restart);
        self.tally = PoolTally {
            waiting_max: self.levels.waiting,
            ..PoolTally::default()
        };
        self.spent_before_ns = self.spent_by_those_present_ns();
    }

    // -- what others see ------------------------------------------------------------------------------

    /// Attempts in the pool over the places in its batches; infinite while nothing is in service.
    pub(crate) fn load(&self) -> f64 {
        if self.stopped || self.replicas.is_empty() {
            return f64::INFINITY;
        }
        (self.levels.waiting + self.levels.running) as f64 / self.slots()
    }

    /// Places in the batches of all replicas.
    pub(crate) fn slots(&self) -> f64 {
        (self.replicas.len() * self.places()) as f64
    }

    /// Replicas that were delivered.
    pub(crate) fn replicas(&self) -> u64 {
        self.replicas.len() as u64
    }

    pub(crate) fn levels(&self) -> &Levels {
        &self.levels
    }

    pub(crate) fn tally(&self) -> &PoolTally {
        &self.tally
    }

    pub(crate) fn tiers(&self) -> &[TierTally] {
        &self.tiers
    }

    /// Requests a second with all batches full; 0 while the pool stands still.
    pub(crate) fn full_rate_per_s(&self) -> f64 {
        if self.stopped {
            0.0
        } else {
            self.full_rate_per_s
        }
    }

    /// Forgets the histograms of the interval of the series that has ended.
    pub(crate) fn clear_interval(&mut self) {
        self.tiers
            .iter_mut()
            .for_each(|tier| tier.interval_response.clear());
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
        let integral = self.tally.waiting_ns + self.tally.running_ns;
        let present = self.spent_by_those_present_ns();
        (
            integral,
            self.tally.sojourn_ns + present - self.spent_before_ns,
        )
    }

    /// Checks what must hold between any two events.
    pub(crate) fn assert_consistent(&self) {
        let count = |places: &[Place]| {
            let attempts = self.attempts.iter();
            attempts.filter(|(place, _)| places.contains(place)).count() as u64
        };
        assert_eq!(
            self.levels.waiting,
            count(&[Place::Waiting]),
            "attempts waiting"
        );
        assert_eq!(
            self.levels.running,
            count(&[Place::Running, Place::Cancelled]),
            "running"
        );
        let waits =
            |(place, attempt): &(Place, &Attempt)| !attempt.ghost && *place != Place::Cancelled;
        assert_eq!(
            self.tiers.iter().map(|tier| tier.in_system).sum::<u64>(),
            self.attempts.iter().filter(waits).count() as u64,
            "requests whose users wait for an image or for their next try"
        );
        assert!(
            self.levels.busy <= self.levels.in_service,
            "more replicas busy than in service"
        );
    }

    fn present(&self) -> impl Iterator<Item = &Attempt> {
        let attempts = self.attempts.iter();
        attempts
            .filter(|(place, _)| *place != Place::Orbit)
            .map(|(_, attempt)| attempt)
    }

    fn spent_by_those_present_ns(&self) -> u128 {
        self.present()
            .map(|attempt| u128::from((self.clock - attempt.at).0))
            .sum()
    }
}
