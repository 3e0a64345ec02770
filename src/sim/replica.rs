//! A replica: one copy of the model and its batch, advanced in closed form from change to change.
//!
//! Between two changes of the batch every iteration is determined, so nothing is simulated there. The
//! replica counts the iterations it has `attained` since it came into service; a request that joins
//! with w iterations to do leaves when the counter reaches its target, attained + w. Of two requests
//! with equal work the first to join is the first to leave. Changes happen only at the end of an
//! iteration: who arrives during one joins at the next, as in continuous batching.

use std::collections::VecDeque;

use crate::profile::{Phase, ServiceCurve};
use crate::units::SimTime;

/// One copy of the model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replica {
    /// What the iteration time depends on, since `phase_from`.
    phase: Phase,
    /// When the batch last changed; always the end of an iteration.
    phase_from: SimTime,
    /// Iterations since the replica came into service, at `phase_from`.
    attained: u64,
    /// The batch by target; equal targets in the order of joining.
    members: VecDeque<Member>,
    /// Who has a place and joins at the end of the running iteration.
    joining: Vec<u32>,
    /// Iterations from `phase_from` to the next change.
    planned: u64,
    /// Bytes held by the batch and by who is joining.
    pub memory_bytes: u64,
    /// Members whose user has cancelled.
    pub cancelled: u32,
}

/// A request in the batch.
#[derive(Clone, Copy, Debug)]
struct Member {
    /// It leaves when `attained` gets there.
    target: u64,
    /// When it joined, on the same counter.
    joined: u64,
    slot: u32,
    prompt_tokens: u32,
    grows: bool,
}

impl Member {
    /// Context tokens after `attained` iterations of the replica.
    fn context(&self, attained: u64) -> u64 {
        u64::from(self.prompt_tokens)
            + if self.grows {
                attained - self.joined
            } else {
                0
            }
    }
}

/// What a request brings into a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joiner {
    pub slot: u32,
    pub amount: u64,
    pub prompt_tokens: u32,
    pub grows: bool,
}

impl Replica {
    /// Requests in the batch and joining it.
    pub(crate) fn len(&self) -> usize {
        self.members.len() + self.joining.len()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.members.is_empty() && self.joining.is_empty()
    }

    /// Gives a place to a request that joins at the end of the running iteration. Returns the time of
    /// that end if nothing was due before.
    pub(crate) fn reserve(
        &mut self,
        slot: u32,
        now: SimTime,
        curve: &ServiceCurve,
    ) -> Option<SimTime> {
        self.joining.push(slot);
        self.change_soon(now, curve)
    }

    /// Plans a change at the end of the iteration that runs at `now`; the time if it is news.
    pub(crate) fn change_soon(&mut self, now: SimTime, curve: &ServiceCurve) -> Option<SimTime> {
        let iterations = curve.iterations_covering(self.phase, now - self.phase_from);
        (iterations < self.planned).then(|| {
            self.planned = iterations;
            self.phase_from + curve.elapsed(self.phase, iterations)
        })
    }

    /// The planned iterations are over: a new phase begins. Until `plan` the batch may be changed.
    pub(crate) fn reach(&mut self, now: SimTime) {
        self.attained += self.planned;
        self.phase.context += self.planned * u64::from(self.phase.growing);
        if self.planned > 0 {
            self.phase.prompt_tokens = 0;
        }
        self.planned = 0;
        self.phase_from = now;
    }

    /// Takes out the next request whose work is done.
    pub(crate) fn pop_done(&mut self) -> Option<u32> {
        let first = *self.members.front()?;
        (first.target <= self.attained).then(|| {
            self.members.pop_front();
            self.forget(first);
            first.slot
        })
    }

    /// Takes out every request for which `gone` holds.
    pub(crate) fn remove_where(&mut self, mut gone: impl FnMut(u32) -> bool) -> Vec<u32> {
        let (removed, kept): (VecDeque<Member>, VecDeque<Member>) =
            self.members.drain(..).partition(|member| gone(member.slot));
        self.members = kept;
        removed.iter().for_each(|&member| self.forget(member));
        removed.iter().map(|member| member.slot).collect()
    }

    /// The slots of the batch.
    pub(crate) fn members(&self) -> impl Iterator<Item = u32> {
        self.members.iter().map(|member| member.slot)
    }

    /// Takes one out of the batch, between `reach` and `plan`; the iterations that are left to do.
    pub(crate) fn take_out(&mut self, slot: u32) -> u64 {
        let found = self.members.iter().position(|member| member.slot == slot);
        let index = found.expect("it is in the batch");
        let member = self.members.remove(index).expect("it was found");
        self.forget(member);
        member.target - self.attained
    }

    /// Takes everybody out, those who were joining too, at any time: what was done is lost.
    pub(crate) fn evacuate(&mut self, now: SimTime) -> Vec<u32> {
        let slots: Vec<u32> = self
            .members
            .drain(..)
            .map(|m| m.slot)
            .chain(self.joining.drain(..))
            .collect();
        *self = Self {
            phase_from: now,
            attained: self.attained,
            ..Self::default()
        };
        slots
    }

    /// Who was given a place since the last change.
    pub(crate) fn take_joining(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.joining)
    }

    /// Gives back the emptied list, to be used again.
    pub(crate) fn recycle(&mut self, mut joined: Vec<u32>) {
        joined.clear();
        self.joining = joined;
    }

    /// Adds a request to the batch; only between `reach` and `plan`.
    pub(crate) fn join(&mut self, joiner: Joiner) {
        let member = Member {
            target: self.attained + joiner.amount.max(1),
            joined: self.attained,
            slot: joiner.slot,
            prompt_tokens: joiner.prompt_tokens,
            grows: joiner.grows,
        };
        let behind = self
            .members
            .iter()
            .rev()
            .take_while(|m| m.target > member.target)
            .count();
        self.members.insert(self.members.len() - behind, member);
        self.phase.batch += 1;
        self.phase.context += u64::from(joiner.prompt_tokens);
        self.phase.prompt_tokens += u64::from(joiner.prompt_tokens);
        self.phase.growing += u32::from(joiner.grows);
    }

    /// Static batching: everybody stays until the longest is done.
    pub(crate) fn leave_together(&mut self) {
        if let Some(last) = self.members.back().map(|member| member.target) {
            self.members
                .iter_mut()
                .for_each(|member| member.target = last);
        }
    }

    /// Plans the next change, the first to leave, and returns its time.
    pub(crate) fn plan(&mut self, curve: &ServiceCurve) -> SimTime {
        let Some(first) = self.members.front() else {
            return SimTime::NEVER;
        };
        self.planned = first.target - self.attained;
        self.phase_from + curve.elapsed(self.phase, self.planned)
    }

    /// Whether the work of a joiner can be done by `deadline` with the batch as it is.
    pub(crate) fn can_finish(
        &self,
        joiner: &Joiner,
        now: SimTime,
        deadline: SimTime,
        curve: &ServiceCurve,
    ) -> bool {
        let phase = Phase {
            batch: self.phase.batch + 1,
            context: self.phase.context + u64::from(joiner.prompt_tokens),
            growing: self.phase.growing + u32::from(joiner.grows),
            prompt_tokens: self.phase.prompt_tokens + u64::from(joiner.prompt_tokens),
        };
        now + curve.elapsed(phase, joiner.amount) <= deadline
    }

    fn forget(&mut self, member: Member) {
        self.phase.batch -= 1;
        self.phase.growing -= u32::from(member.grows);
        // In a static batch a member's own work may be over before the batch is, but its place in the
        // batch, and so its context, goes on growing: both sides of the subtraction use `attained`.
        self.phase.context -= member.context(self.attained);
        if member.joined == self.attained {
            self.phase.prompt_tokens -= u64::from(member.prompt_tokens);
        }
    }
}
