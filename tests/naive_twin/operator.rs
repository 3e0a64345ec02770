//! What is done to the pool from outside.

use meltpoint::scenario::{PatienceUntil, QueueOrder, Rules};
use meltpoint::sim::PoolTally;

use crate::question::{Question, Tally};
use crate::simulator::{Place, Replica, Simulator, Timer};

/// What the operator does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Resume,
    Deliver(usize),
    Rules(Rules),
    Stop { requeue: bool },
    EndWarmUp,
}

/// Everything the operator will do: by time, and at one time in the order of the variants above.
pub(crate) fn agenda(question: &Question) -> Vec<(u64, Action)> {
    let stands = |at: u64| {
        let mut outages = question.outages.iter();
        outages.any(|outage| outage.from <= at && at < outage.until)
    };
    let mut agenda = Vec::new();
    for outage in question
        .outages
        .iter()
        .filter(|outage| !stands(outage.until))
    {
        agenda.push((outage.until, Action::Resume));
    }
    for &(at, replicas) in &question.deliveries {
        agenda.push((at, Action::Deliver(replicas)));
    }
    for (at, rules) in &question.rules[1..] {
        agenda.push((*at, Action::Rules(rules.clone())));
    }
    for outage in &question.outages {
        let requeue = outage.requeue;
        agenda.push((outage.from, Action::Stop { requeue }));
    }
    if question.warm_up_ns > 0 {
        agenda.push((question.warm_up_ns, Action::EndWarmUp));
    }
    agenda.sort_by_key(|entry| entry.0);
    agenda
}

impl Simulator {
    pub(crate) fn act(&mut self) {
        match self.agenda.remove(0).1 {
            Action::Resume => {
                self.stopped = false;
                self.start_waiting();
            }
            Action::Deliver(replicas) => self.deliver(replicas),
            Action::Rules(rules) => self.apply(rules),
            Action::Stop { requeue } => self.stop(requeue),
            Action::EndWarmUp => self.begin_to_count(),
        }
    }

    fn deliver(&mut self, replicas: usize) {
        let replicas = self.replicas.len() + replicas;
        self.replicas.resize_with(replicas, Replica::default);
        if !self.is_central() {
            self.lines
                .resize(replicas.max(self.lines.len()), Vec::new());
        }
        self.start_waiting();
        self.look_who_gives_back_anywhere();
    }

    /// Who waits lines up again, by the time at which he came; who came at one time keeps his order.
    fn apply(&mut self, rules: Rules) {
        let mut waiting = Vec::new();
        for line in 0..self.lines.len() {
            waiting.extend(self.in_order(line));
        }
        waiting.sort_by_key(|&which| self.tries[which].at);
        self.degrading &= rules.policy.degradation.is_some();
        self.rules = rules;
        let lines = if self.is_central() {
            1
        } else {
            self.replicas.len()
        };
        self.lines = vec![Vec::new(); lines];
        for &which in &waiting {
            self.tries[which].place = Place::Gone;
        }
        for which in waiting {
            self.line_up(which);
        }
        self.start_waiting();
        let replicas = 0..self.replicas.len();
        match self.rules.policy.order {
            QueueOrder::Shares => self.look_who_gives_back_anywhere(),
            _ => replicas.for_each(|index| self.look_whom_to_interrupt(index)),
        }
    }

    /// What runs is lost, or waits to start again from zero.
    fn stop(&mut self, requeue: bool) {
        self.stopped = true;
        for index in 0..self.replicas.len() {
            let replica = std::mem::take(&mut self.replicas[index]);
            let mut members = replica.batch;
            // First who would have been the first to leave.
            members.sort_by_key(|&which| {
                self.tries[which].leaves_after - self.tries[which].iterations_done
            });
            for which in members.into_iter().chain(replica.joining) {
                let of = self.tries[which];
                if requeue && !of.cancelled {
                    let of = &mut self.tries[which];
                    (of.iterations_done, of.joined_done, of.resumes) = (0, 0, false);
                    self.line_up(which);
                    self.wait_again(which);
                } else {
                    self.leave_pool(which);
                    if !of.ghost && !of.cancelled {
                        self.ended_without_image(which, |r| r.after_failed, |t| &mut t.failed);
                    }
                }
            }
        }
    }

    /// Who waits for the start of service waits for it again, as long as he would have at first.
    fn wait_again(&mut self, which: usize) {
        let of = self.tries[which];
        let class = &self.question.classes[of.class];
        let patient = of.leaves_at == u64::MAX || of.leaves_at < self.now;
        if class.until == PatienceUntil::Start && !of.ghost && !patient {
            self.timers.push((of.leaves_at, Timer::User(which)));
        }
    }

    fn begin_to_count(&mut self) {
        for tally in &mut self.tallies {
            *tally = Tally {
                offered: tally.in_system,
                in_system: tally.in_system,
                ..Tally::default()
            };
        }
        self.pool = PoolTally {
            waiting_max: self.levels().waiting,
            ..PoolTally::default()
        };
    }
}
