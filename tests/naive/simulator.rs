//! A pool with continuous batching, simulated iteration by iteration: plain, slow and obvious.
//!
//! Every iteration is an event, every queue is a vector that is searched from end to end, and all times
//! are nanoseconds. At one instant iterations end first (by replica), then timers fall due in the order
//! in which they were set, then requests arrive. Who gets a place during an iteration joins at its end;
//! who gets one at the very instant at which an iteration begins is part of it.

use meltpoint::scenario::{Drop, PatienceUntil, QueueOrder};
use meltpoint::stats::Histogram;

/// One pool, its policy, and everything that is asked of it.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// One has the line for itself; several have a line each, and take requests in turn.
    pub replicas: usize,
    pub batch_limit: usize,
    /// Time of an iteration without context, by the size of the batch, from 1.
    pub iteration_ns: Vec<u64>,
    /// Further time of an iteration for each token of context.
    pub context_token_ns: u64,
    /// Further time of somebody's first iteration for each token of the prompt.
    pub prompt_token_ns: u64,
    pub memory_limit: u64,
    pub queue_limit: Option<u64>,
    pub order: QueueOrder,
    pub drop: Drop,
    pub classes: Vec<Class>,
}

/// Requests of one kind, and how their users behave.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub priority: u8,
    pub deadline_ns: u64,
    pub memory: u64,
    pub context_grows: bool,
    pub patience_ns: Option<u64>,
    pub until: PatienceUntil,
    pub silent: bool,
    pub retry: Option<Again>,
    pub requests: Vec<Asked>,
}

/// When somebody tries again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Again {
    pub limit: u32,
    pub after_ns: u64,
    pub after_shed: bool,
    pub after_abandoned: bool,
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub at: u64,
    pub iterations: u32,
    pub prompt_tokens: u32,
}

/// What became of the requests of a class.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub offered: u64,
    pub attempts: u64,
    pub admitted: u64,
    pub completed: u64,
    pub queue_full: u64,
    pub hopeless: u64,
    pub abandoned: u64,
    pub wasted: u64,
    pub in_system: u64,
    pub response: Histogram,
    pub wait: Histogram,
}

/// How many are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub waiting: u64,
    pub running: u64,
    pub between_tries: u64,
    pub busy_replicas: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Waiting,
    Running,
    BetweenTries,
    Gone,
}

/// One try at a request.
#[derive(Clone, Copy, Debug)]
struct Try {
    class: usize,
    asked: Asked,
    first_at: u64,
    at: u64,
    leaves_at: u64,
    number: u32,
    place: Place,
    replica: usize,
    /// The user has gone without telling.
    ghost: bool,
    /// The user has told that he goes.
    cancelled: bool,
    iterations_done: u64,
    /// `iterations_done` when it last joined a batch, or before it did.
    joined_done: u64,
    /// It was interrupted once.
    resumes: bool,
}

#[derive(Clone, Debug, Default)]
struct Replica {
    line: Vec<usize>,
    batch: Vec<usize>,
    joining: Vec<usize>,
    /// The running iteration.
    began: u64,
    ends: u64,
    /// Something has changed that may change the batch.
    touched: bool,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    IterationEnds(usize),
    TimerDue,
    RequestArrives,
}

pub(crate) struct Simulator {
    question: Question,
    now: u64,
    tries: Vec<Try>,
    replicas: Vec<Replica>,
    /// (when, which try), in the order in which they were set.
    timers: Vec<(u64, usize)>,
    /// (class, request), by time.
    arrivals: Vec<(usize, Asked)>,
    turn: usize,
    pub tallies: Vec<Tally>,
}

impl Simulator {
    pub(crate) fn new(question: &Question) -> Self {
        let mut arrivals: Vec<(usize, Asked)> = Vec::new();
        for (class, of) in question.classes.iter().enumerate() {
            arrivals.extend(of.requests.iter().map(|&asked| (class, asked)));
        }
        arrivals.sort_by_key(|(_, asked)| asked.at);
        Self {
            now: 0,
            tries: Vec::new(),
            replicas: vec![Replica::default(); question.replicas],
            timers: Vec::new(),
            arrivals,
            turn: 0,
            tallies: vec![Tally::default(); question.classes.len()],
            question: question.clone(),
        }
    }

    /// Plays everything that happens before `until`.
    pub(crate) fn play_until(&mut self, until: u64) {
        while let Some((at, event)) = self.next_event()
            && at < until
        {
            assert!(at >= self.now);
            self.now = at;
            match event {
                Event::IterationEnds(replica) => self.end_iteration(replica),
                Event::TimerDue => self.timer_due(),
                Event::RequestArrives => self.arrive(),
            }
        }
        self.now = until;
    }

    pub(crate) fn count(&self) -> Count {
        let at = |place| self.tries.iter().filter(|t| t.place == place).count() as u64;
        let busy = self.replicas.iter().filter(|replica| !replica.is_idle());
        Count {
            waiting: at(Place::Waiting),
            running: at(Place::Running),
            between_tries: at(Place::BetweenTries),
            busy_replicas: busy.count() as u64,
        }
    }

    fn next_event(&self) -> Option<(u64, Event)> {
        let ends = self
            .replicas
            .iter()
            .enumerate()
            .filter(|(_, r)| !r.is_idle());
        let ends = ends.map(|(index, replica)| {
            let just_begun = replica.touched && replica.began == self.now;
            let at = if just_begun { self.now } else { replica.ends };
            (at, Event::IterationEnds(index))
        });
        let timer = self.timers.iter().map(|timer| (timer.0, Event::TimerDue));
        let arrival = self
            .arrivals
            .first()
            .map(|next| (next.1.at, Event::RequestArrives));
        // Of equal times the first is taken.
        ends.chain(timer).chain(arrival).min_by_key(|(at, _)| *at)
    }

    fn end_iteration(&mut self, index: usize) {
        let replica = &mut self.replicas[index];
        replica.touched = false;
        if self.now == replica.ends {
            for &member in &replica.batch {
                self.tries[member].iterations_done += 1;
            }
        }
        for member in std::mem::take(&mut self.replicas[index].batch) {
            let of = self.tries[member];
            if of.iterations_done == u64::from(of.asked.iterations) || of.cancelled {
                self.leave_batch(member);
            } else {
                self.replicas[index].batch.push(member);
            }
        }
        for joiner in std::mem::take(&mut self.replicas[index].joining) {
            if self.tries[joiner].cancelled {
                self.leave_batch(joiner);
            } else {
                self.join(index, joiner);
            }
        }
        while let Some(head) = self.head(index) {
            let is_full = self.replicas[index].batch.len() >= self.question.batch_limit;
            if is_full && !self.interrupts(index, head) {
                break;
            }
            if !self.fits(index, head) {
                break;
            }
            self.leave_line(index, head);
            if self.is_dropped(index, head) {
                self.tries[head].place = Place::Gone;
                if !self.tries[head].ghost {
                    self.ended_without_image(head, |again| again.after_shed, |t| &mut t.hopeless);
                }
            } else {
                self.join(index, head);
            }
        }
        self.begin_iteration(index);
    }

    /// Whether somebody is interrupted so that the head of the line has his place.
    fn interrupts(&mut self, index: usize, head: usize) -> bool {
        let priority = |which: usize| self.question.classes[self.tries[which].class].priority;
        let batch = self.replicas[index].batch.iter().copied();
        let last = batch.max_by_key(|&which| {
            let of = self.tries[which];
            let left = u64::from(of.asked.iterations) - of.iterations_done;
            (priority(which), of.at, left)
        });
        let Some(last) = last.filter(|&last| priority(last) > priority(head)) else {
            return false;
        };
        if self.question.order != QueueOrder::Preemptive {
            return false;
        }
        self.replicas[index].batch.retain(|&which| which != last);
        self.replicas[index].line.insert(0, last);
        let of = &mut self.tries[last];
        of.place = Place::Waiting;
        of.joined_done = of.iterations_done;
        of.resumes = true;
        true
    }

    fn begin_iteration(&mut self, index: usize) {
        self.replicas[index].began = self.now;
        self.replicas[index].ends = self.now + self.iteration_ns(&self.replicas[index].batch, 0);
    }

    /// Time of an iteration of a batch, so many iterations from now if nobody comes or goes.
    fn iteration_ns(&self, batch: &[usize], later: u64) -> u64 {
        if batch.is_empty() {
            return 0;
        }
        let mut ns = self.question.iteration_ns[batch.len() - 1];
        for &member in batch {
            let of = &self.tries[member];
            let prompt = u64::from(of.asked.prompt_tokens);
            let done = of.iterations_done + later;
            let grown = if self.question.classes[of.class].context_grows {
                done
            } else {
                0
            };
            ns += self.question.context_token_ns * (prompt + grown);
            // Who was interrupted computes again what his context has grown to.
            let again = if grown > 0 { of.joined_done } else { 0 };
            if done == of.joined_done {
                ns += self.question.prompt_token_ns * (prompt + again);
            }
        }
        ns
    }

    fn join(&mut self, index: usize, which: usize) {
        let of = &mut self.tries[which];
        of.place = Place::Running;
        of.replica = index;
        of.joined_done = of.iterations_done;
        if !of.resumes {
            self.tallies[of.class].wait.record(self.now - of.at);
        }
        self.replicas[index].batch.push(which);
    }

    fn leave_batch(&mut self, which: usize) {
        let of = &mut self.tries[which];
        of.place = Place::Gone;
        let tally = &mut self.tallies[of.class];
        if of.cancelled {
            return;
        }
        if of.ghost {
            tally.wasted += 1;
            return;
        }
        tally.completed += 1;
        tally.in_system -= 1;
        tally.response.record(self.now - of.first_at);
    }

    /// Who is next in the line of a replica.
    fn head(&self, index: usize) -> Option<usize> {
        let line = self.replicas[index].line.iter().copied();
        let class = |which: usize| &self.question.classes[self.tries[which].class];
        // The line is in the order of coming, and of equal keys the first is taken.
        match self.question.order {
            QueueOrder::Fcfs => line.min_by_key(|_| 0),
            QueueOrder::Lifo => line.max_by_key(|_| 0),
            QueueOrder::Priority | QueueOrder::Preemptive => {
                line.min_by_key(|&which| class(which).priority)
            }
            QueueOrder::Deadline => {
                line.min_by_key(|&which| self.tries[which].first_at + class(which).deadline_ns)
            }
        }
    }

    fn leave_line(&mut self, index: usize, which: usize) {
        self.replicas[index]
            .line
            .retain(|&waiting| waiting != which);
        self.replicas[index].touched = true;
    }

    fn fits(&self, index: usize, which: usize) -> bool {
        let memory = |which: usize| self.question.classes[self.tries[which].class].memory;
        let replica = &self.replicas[index];
        let held = replica
            .batch
            .iter()
            .chain(&replica.joining)
            .map(|&member| memory(member));
        held.sum::<u64>() + memory(which) <= self.question.memory_limit
    }

    fn is_dropped(&self, index: usize, which: usize) -> bool {
        let of = &self.tries[which];
        let waits_for_answer = self.question.classes[of.class].until == PatienceUntil::Done;
        match self.question.drop {
            Drop::Nothing => false,
            Drop::Stale => of.ghost,
            Drop::Hopeless => {
                let mut batch = self.replicas[index].batch.clone();
                batch.push(which);
                let iterations = 0..u64::from(of.asked.iterations) - of.iterations_done;
                let ns: u64 = iterations
                    .map(|later| self.iteration_ns(&batch, later))
                    .sum();
                of.ghost || waits_for_answer && self.now + ns > of.leaves_at
            }
        }
    }

    fn arrive(&mut self) {
        let (class, asked) = self.arrivals.remove(0);
        self.tallies[class].offered += 1;
        self.tallies[class].in_system += 1;
        self.tries.push(Try {
            class,
            asked,
            first_at: self.now,
            at: self.now,
            leaves_at: 0,
            number: 1,
            place: Place::Gone,
            replica: 0,
            ghost: false,
            cancelled: false,
            iterations_done: 0,
            joined_done: 0,
            resumes: false,
        });
        self.enter(self.tries.len() - 1);
    }

    fn enter(&mut self, which: usize) {
        let class = self.tries[which].class;
        self.tallies[class].attempts += 1;
        if self.question.replicas > 1 {
            self.turn = (self.turn + 1) % self.question.replicas;
        }
        let index = self.turn;
        let replica = &self.replicas[index];
        let has_place = replica.batch.len() + replica.joining.len() < self.question.batch_limit;
        let at_once = replica.line.is_empty() && has_place && self.fits(index, which);
        let limit = self.question.queue_limit.unwrap_or(u64::MAX);
        if self.count().waiting >= limit && !at_once {
            self.tries[which].place = Place::Gone;
            self.ended_without_image(which, |again| again.after_shed, |t| &mut t.queue_full);
            return;
        }
        self.tallies[class].admitted += 1;
        let patience = self.question.classes[class].patience_ns;
        self.tries[which].leaves_at = patience.map_or(u64::MAX, |ns| self.now + ns);
        self.tries[which].replica = index;
        if at_once && self.replicas[index].is_idle() {
            self.join(index, which);
            self.begin_iteration(index);
        } else if at_once {
            self.tries[which].place = Place::Running;
            self.replicas[index].joining.push(which);
        } else {
            self.tries[which].place = Place::Waiting;
            self.replicas[index].line.push(which);
        }
        self.replicas[index].touched = true;
        let waits_for_answer = self.question.classes[class].until == PatienceUntil::Done;
        if patience.is_some() && (waits_for_answer || !at_once) {
            self.timers.push((self.tries[which].leaves_at, which));
        }
    }

    fn timer_due(&mut self) {
        let first = self.timers.iter().position(|timer| timer.0 == self.now);
        let (_, which) = self.timers.remove(first.unwrap());
        let of = self.tries[which];
        let class = &self.question.classes[of.class];
        match of.place {
            Place::Gone => {}
            Place::BetweenTries => {
                self.tries[which].at = self.now;
                self.enter(which);
            }
            Place::Waiting if of.resumes && class.until == PatienceUntil::Start => {}
            Place::Waiting => {
                self.tries[which].ghost = class.silent;
                if !class.silent {
                    self.tries[which].place = Place::Gone;
                    self.leave_line(of.replica, which);
                }
                self.ended_without_image(
                    which,
                    |again| again.after_abandoned,
                    |t| &mut t.abandoned,
                );
            }
            Place::Running if class.until == PatienceUntil::Done => {
                self.tries[which].ghost = class.silent;
                self.tries[which].cancelled = !class.silent;
                self.replicas[of.replica].touched |= !class.silent;
                self.ended_without_image(
                    which,
                    |again| again.after_abandoned,
                    |t| &mut t.abandoned,
                );
            }
            Place::Running => {}
        }
    }

    /// The user tries again, or that was it.
    fn ended_without_image(
        &mut self,
        which: usize,
        wants: fn(&Again) -> bool,
        outcome: fn(&mut Tally) -> &mut u64,
    ) {
        let of = self.tries[which];
        match self.question.classes[of.class].retry {
            Some(again) if wants(&again) && of.number <= again.limit => {
                self.timers
                    .push((self.now + again.after_ns, self.tries.len()));
                self.tries.push(Try {
                    number: of.number + 1,
                    place: Place::BetweenTries,
                    ghost: false,
                    cancelled: false,
                    iterations_done: 0,
                    joined_done: 0,
                    resumes: false,
                    ..of
                });
            }
            _ => {
                self.tallies[of.class].in_system -= 1;
                *outcome(&mut self.tallies[of.class]) += 1;
            }
        }
    }
}

impl Replica {
    fn is_idle(&self) -> bool {
        self.batch.is_empty() && self.joining.is_empty()
    }
}
