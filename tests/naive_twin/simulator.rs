//! A pool, simulated iteration by iteration: plain, slow and obvious.
//!
//! Every iteration is an event, every queue is a vector that is searched from end to end, and all times
//! are nanoseconds. At one instant the operator acts first, then iterations end (by replica), then
//! timers fall due in the order in which they were set, then users try again in the order in which they began to
//! wait for that, then requests arrive. Who gets a place during an
//! iteration joins at its end; who gets one at the very instant at which an iteration begins is part of it.
//!
//! This file has the state and the users; `service` the replicas and their lines, `operator` what is done
//! from outside.

use meltpoint::random::Stream;
use meltpoint::scenario::{Dispatch, PatienceUntil, QueueLimit, Rules, Scenario};
use meltpoint::sim::{Levels, PoolTally};

use crate::operator::{Action, agenda};
use crate::question::{Again, Asked, LOW, PRICES, Question, Tally};

/// What all clients of a class together may have saved up for retries.
const RETRIES_SAVED_MAX: f64 = 100.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Waiting,
    Running,
    BetweenTries,
    Gone,
}

/// One try at a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Try {
    pub class: usize,
    pub asked: Asked,
    pub first_at: u64,
    pub at: u64,
    pub leaves_at: u64,
    pub number: u32,
    pub place: Place,
    /// In whose line it waits or on which it runs; `None`: any.
    pub replica: Option<usize>,
    /// The user has gone without telling.
    pub ghost: bool,
    /// The user has told that he goes.
    pub cancelled: bool,
    pub is_low: bool,
    /// Iterations it needs.
    pub work: u64,
    /// Iterations after which it leaves its batch.
    pub leaves_after: u64,
    pub iterations_done: u64,
    /// `iterations_done` when it last joined a batch; while it waits, when it will.
    pub joined_done: u64,
    /// It was interrupted, and goes on where it stopped.
    pub resumes: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Replica {
    pub batch: Vec<usize>,
    pub joining: Vec<usize>,
    /// When the batch last changed, and the exact length of the iterations since then.
    pub changed: u64,
    pub since_then_quarters: u64,
    /// The running iteration, in whole nanoseconds.
    pub began: u64,
    pub ends: u64,
    /// It has been told to look at its line again.
    pub touched: bool,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    OperatorActs,
    IterationEnds(usize),
    TimerDue,
    UserTriesAgain,
    RequestArrives,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Timer {
    /// A user's patience is over.
    User(usize),
    /// Somebody has waited as long as a static batch waits for others.
    Window(usize),
}

pub(crate) struct Simulator {
    pub question: Question,
    pub rules: Rules,
    pub now: u64,
    pub tries: Vec<Try>,
    pub replicas: Vec<Replica>,
    /// One for all, or one for each replica: who waits, in the order of lining up.
    pub lines: Vec<Vec<usize>>,
    /// In the order in which they were set.
    pub timers: Vec<(u64, Timer)>,
    /// Who will try again, in the order in which they began to wait for that.
    orbit: Vec<(u64, usize)>,
    /// What the operator will do, in order.
    pub agenda: Vec<(u64, Action)>,
    /// (class, request), by time.
    arrivals: Vec<(usize, Asked)>,
    pub stopped: bool,
    pub degrading: bool,
    /// Whose turn it is under round robin.
    pub turn: usize,
    /// Whose turn it is to give back a place.
    pub giving_turn: usize,
    /// The draws of who is chosen at random.
    pub dispatch: Stream,
    /// Requests a second of a replica with a full batch of one, and of the batch limit.
    rates_per_s: (f64, f64),
    retries_saved: Vec<f64>,
    pub events: u64,
    pub pool: PoolTally,
    pub tallies: Vec<Tally>,
}

impl Simulator {
    /// A simulator of the scenario's only pool, which is the question in other words.
    pub(crate) fn new(question: &Question, scenario: &Scenario) -> Self {
        let mut arrivals: Vec<(usize, Asked)> = Vec::new();
        for (class, of) in question.classes.iter().enumerate() {
            for &asked in &of.requests {
                arrivals.extend((0..asked.images).map(|_| (class, asked)));
            }
        }
        arrivals.sort_by_key(|(_, asked)| asked.at);
        let pool = &scenario.pools[0];
        let rate = |batch| scenario.works[0].rate_per_s(&pool.profile.curve, batch, 0);
        let mut simulator = Self {
            rules: question.rules[0].1.clone(),
            now: 0,
            tries: Vec::new(),
            replicas: Vec::new(),
            lines: Vec::new(),
            timers: Vec::new(),
            orbit: Vec::new(),
            agenda: agenda(question),
            arrivals,
            stopped: false,
            degrading: false,
            turn: 0,
            giving_turn: 0,
            dispatch: scenario.seed.stream(&pool.name, "dispatch", 0),
            rates_per_s: (rate(1), rate(pool.batch_limit)),
            retries_saved: vec![RETRIES_SAVED_MAX; question.classes.len()],
            events: 0,
            pool: PoolTally::default(),
            tallies: vec![Tally::default(); question.classes.len()],
            question: question.clone(),
        };
        if simulator.is_central() {
            simulator.lines.push(Vec::new());
        }
        simulator.play_until(0);
        simulator
    }

    /// Plays everything that happens before `until`, and what the operator does at `until`.
    pub(crate) fn play_until(&mut self, until: u64) {
        while let Some((at, event)) = self.next_event()
            && (at < until || at == until && matches!(event, Event::OperatorActs))
        {
            self.move_clock(at);
            self.events += 1;
            match event {
                Event::OperatorActs => self.act(),
                Event::IterationEnds(replica) => self.end_iteration(replica),
                Event::TimerDue => self.timer_due(),
                Event::UserTriesAgain => self.try_again(),
                Event::RequestArrives => self.arrive(),
            }
        }
        self.move_clock(until);
    }

    fn move_clock(&mut self, to: u64) {
        let levels = self.levels();
        let ns = u128::from(to.checked_sub(self.now).expect("time runs forward"));
        self.pool.waiting_ns += u128::from(levels.waiting) * ns;
        self.pool.running_ns += u128::from(levels.running) * ns;
        let present = levels.waiting + levels.running;
        self.pool.waiting_squared_ns += u128::from(levels.waiting * levels.waiting) * ns;
        self.pool.present_squared_ns += u128::from(present * present) * ns;
        if levels.busy > 0 && levels.busy == levels.in_service {
            self.pool.all_busy_ns += ns as u64;
        }
        self.pool.orbit_ns += u128::from(levels.orbit) * ns;
        self.pool.busy_ns += u128::from(levels.busy) * ns;
        self.pool.in_service_ns += u128::from(levels.in_service) * ns;
        self.now = to;
    }

    pub(crate) fn levels(&self) -> Levels {
        let at = |place| self.tries.iter().filter(|t| t.place == place).count() as u64;
        let busy = self.replicas.iter().filter(|replica| !replica.is_idle());
        Levels {
            waiting: at(Place::Waiting),
            running: at(Place::Running),
            orbit: at(Place::BetweenTries),
            busy: busy.count() as u64,
            in_service: if self.stopped {
                0
            } else {
                self.replicas.len() as u64
            },
        }
    }

    fn next_event(&self) -> Option<(u64, Event)> {
        let action = self.agenda.first();
        let action = action.map(|action| (action.0, Event::OperatorActs));
        let busy = self
            .replicas
            .iter()
            .enumerate()
            .filter(|(_, r)| !r.is_idle());
        let ends = busy.map(|(index, replica)| {
            let just_begun = replica.touched && replica.began == self.now;
            let at = if just_begun { self.now } else { replica.ends };
            (at, Event::IterationEnds(index))
        });
        let timer = self.timers.iter().map(|timer| (timer.0, Event::TimerDue));
        let again = self
            .orbit
            .iter()
            .map(|user| (user.0, Event::UserTriesAgain));
        let arrival = self.arrivals.first();
        let arrival = arrival.map(|next| (next.1.at, Event::RequestArrives));
        // Of equal times the first is taken.
        let all = action.into_iter().chain(ends).chain(timer);
        let all = all.chain(again).chain(arrival);
        all.min_by_key(|(at, _)| *at)
    }

    fn arrive(&mut self) {
        let (class, asked) = self.arrivals.remove(0);
        let tally = &mut self.tallies[class];
        tally.offered += 1;
        if !self.rules.tiers[class].open {
            tally.attempts += 1;
            tally.closed += 1;
            return;
        }
        tally.in_system += 1;
        if let Some(quarters) = self.question.classes[class]
            .retry
            .and_then(|r| r.budget_quarters)
        {
            let saved = self.retries_saved[class] + f64::from(quarters) / 4.0;
            self.retries_saved[class] = saved.min(RETRIES_SAVED_MAX);
        }
        self.tries.push(Try {
            class,
            asked,
            first_at: self.now,
            at: self.now,
            leaves_at: 0,
            number: 1,
            place: Place::Gone,
            replica: None,
            ghost: false,
            cancelled: false,
            is_low: false,
            work: 0,
            leaves_after: 0,
            iterations_done: 0,
            joined_done: 0,
            resumes: false,
        });
        self.enter(self.tries.len() - 1);
    }

    /// A try begins: it is refused, or gets a quality and a place on a replica or in line.
    fn enter(&mut self, which: usize) {
        let class = self.tries[which].class;
        self.tallies[class].attempts += 1;
        let (replica, at_once) = self.choose(which);
        if let Some(reason) = self.refusal(at_once) {
            self.tries[which].place = Place::Gone;
            self.ended_without_image(which, |again| again.after_shed, reason);
            return;
        }
        self.tallies[class].admitted += 1;
        self.choose_quality(which);
        let patience = self.question.classes[class].patience_ns;
        self.tries[which].leaves_at = patience.map_or(u64::MAX, |ns| self.now + ns);
        self.place(which, replica, at_once);
        let waits = match self.tries[which].place {
            Place::Gone => false,
            Place::Waiting => true,
            _ => self.question.classes[class].until == PatienceUntil::Done,
        };
        if patience.is_some() && waits {
            self.timers
                .push((self.tries[which].leaves_at, Timer::User(which)));
        }
    }

    /// Where a refusal is counted, if there is one.
    fn refusal(&self, at_once: bool) -> Option<fn(&mut Tally) -> &mut u64> {
        let admission = self.rules.policy.admission;
        let waiting = self.levels().waiting;
        let limit = match admission.queue_limit {
            QueueLimit::None => u64::MAX,
            QueueLimit::Requests(requests) => requests,
            QueueLimit::PerSlot(requests) => (requests * self.slots()) as u64,
        };
        if waiting >= limit && !at_once {
            return Some(|tally| &mut tally.queue_full);
        }
        let (of_one, of_many) = self.rates_per_s;
        let rate_per_s = if self.places() == 1 { of_one } else { of_many };
        let expected_s = waiting as f64 / (rate_per_s * self.replicas.len() as f64);
        let longest = admission.refuse_wait_above?;
        (expected_s > longest.as_s()).then_some(|tally| &mut tally.hopeless)
    }

    /// Places in the batches of all replicas.
    fn slots(&self) -> f64 {
        (self.replicas.len() * self.places()) as f64
    }

    fn choose_quality(&mut self, which: usize) {
        let (class, asked) = (self.tries[which].class, self.tries[which].asked);
        let class = &self.question.classes[class];
        let own = if asked.iterations == 0 {
            class.iterations
        } else {
            asked.iterations
        };
        self.tries[which].work = u64::from(own);
        let Some(degradation) = &self.rules.policy.degradation else {
            return;
        };
        assert_eq!(degradation.quality, LOW);
        let limit = if self.degrading {
            degradation.below
        } else {
            degradation.above
        };
        self.degrading = self.levels().waiting as f64 / self.slots() > limit;
        if self.degrading
            && let Some(low) = class.low_iterations
        {
            self.tries[which].is_low = true;
            self.tries[which].work = u64::from(low);
        }
    }

    fn timer_due(&mut self) {
        let first = self.timers.iter().position(|timer| timer.0 == self.now);
        let which = match self.timers.remove(first.unwrap()).1 {
            Timer::User(which) => which,
            Timer::Window(which) => {
                if self.tries[which].place == Place::Waiting {
                    self.start_waiting();
                }
                return;
            }
        };
        let of = self.tries[which];
        let class = &self.question.classes[of.class];
        let silent = class.silent;
        match of.place {
            Place::Gone | Place::BetweenTries => {}
            // He has gone already.
            _ if of.ghost || of.cancelled => {}
            // His service has started, and he waits for no more.
            Place::Waiting if of.resumes && class.until == PatienceUntil::Start => {}
            Place::Waiting => {
                self.tries[which].ghost = silent;
                if !silent {
                    self.leave_pool(which);
                    self.leave_line(which);
                }
                self.abandon(which);
            }
            Place::Running if class.until == PatienceUntil::Done => {
                self.tries[which].ghost = silent;
                self.tries[which].cancelled = !silent;
                let replica = of.replica.unwrap();
                self.replicas[replica].touched |= !silent;
                self.abandon(which);
            }
            Place::Running => {}
        }
    }

    fn try_again(&mut self) {
        let first = self.orbit.iter().position(|user| user.0 == self.now);
        let (_, which) = self.orbit.remove(first.unwrap());
        self.tallies[self.tries[which].class].retries += 1;
        self.tries[which].at = self.now;
        self.enter(which);
    }

    fn abandon(&mut self, which: usize) {
        self.ended_without_image(which, |again| again.after_abandoned, |t| &mut t.abandoned);
    }

    /// The user tries again, or that was it.
    pub(crate) fn ended_without_image(
        &mut self,
        which: usize,
        wants: fn(&Again) -> bool,
        outcome: fn(&mut Tally) -> &mut u64,
    ) {
        let of = self.tries[which];
        let again = self.question.classes[of.class].retry;
        let again = again.filter(|again| wants(again) && of.number <= again.limit);
        let Some(again) = again.filter(|again| self.may_retry(of.class, again)) else {
            self.tallies[of.class].in_system -= 1;
            *outcome(&mut self.tallies[of.class]) += 1;
            return;
        };
        let longest = again.longest_ns.max(again.after_ns);
        let delay = (again.after_ns << (of.number - 1)).min(longest);
        self.orbit.push((self.now + delay, self.tries.len()));
        self.tries.push(Try {
            number: of.number + 1,
            place: Place::BetweenTries,
            replica: None,
            ghost: false,
            cancelled: false,
            is_low: false,
            iterations_done: 0,
            joined_done: 0,
            resumes: false,
            ..of
        });
    }

    fn may_retry(&mut self, class: usize, again: &Again) -> bool {
        let saved = &mut self.retries_saved[class];
        if again.budget_quarters.is_some() {
            if *saved < 1.0 {
                return false;
            }
            *saved -= 1.0;
        }
        true
    }

    /// Somebody leaves the pool, one way or another.
    pub(crate) fn leave_pool(&mut self, which: usize) {
        self.tries[which].place = Place::Gone;
        self.pool.sojourn_ns += u128::from(self.now - self.tries[which].at);
    }

    /// A request is done, or what nobody wants any more is.
    pub(crate) fn leave_batch(&mut self, which: usize) {
        self.leave_pool(which);
        let of = self.tries[which];
        let tally = &mut self.tallies[of.class];
        if of.cancelled {
            return;
        }
        if of.ghost {
            tally.wasted += 1;
            return;
        }
        tally.in_system -= 1;
        tally.completed += 1;
        tally.degraded += u64::from(of.is_low);
        tally.list_value_micro_usd += PRICES[usize::from(of.is_low)];
        tally.response.record(self.now - of.first_at);
    }

    pub(crate) fn is_central(&self) -> bool {
        self.rules.policy.dispatch == Dispatch::Central
    }
}

impl Replica {
    pub(crate) fn is_idle(&self) -> bool {
        self.batch.is_empty() && self.joining.is_empty()
    }

    /// Requests in the batch and joining it.
    pub(crate) fn len(&self) -> usize {
        self.batch.len() + self.joining.len()
    }
}
