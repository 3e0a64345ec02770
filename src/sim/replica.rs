//! A replica: one copy of the model and its batch, advanced in closed form from change to change.
//!
//! Between two changes of the batch every iteration is determined, so nothing is simulated there. The
//! replica counts the iterations it has `attained` since it came into service; a request that joins
//! with w iterations to do leaves when the counter reaches its target, attained + w. Of two requests
//! with equal work the first to join is the first to leave. Changes happen only at the end of an
//! iteration: who arrives during one joins at the next, as in continuous batching.

use std::collections::VecDeque;

use crate::profile::{Phase, ServiceCurve};
use crate::units::{SimDuration, SimTime};

/// One copy of the model, in two cache lines.
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
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
    /// Members and joiners whose user has cancelled.
    pub cancelled: u32,
}

const _: () = assert!(size_of::<Replica>() == 128, "a replica fills two lines");

/// A request in the batch.
#[derive(Clone, Copy, Debug)]
struct Member {
    /// It leaves when `attained` gets there.
    target: u64,
    /// When it joined, on the same counter, above two bits: whether its user has cancelled, and whether its
    /// context grows.
    joined_flags: u64,
    slot: u32,
    prompt_tokens: u32,
}

impl Member {
    fn joined(&self) -> u64 {
        self.joined_flags >> 2
    }

    fn grows(&self) -> u64 {
        self.joined_flags & GROWS
    }

    /// Context tokens after `attained` iterations of the replica.
    fn context(&self, attained: u64) -> u64 {
        u64::from(self.prompt_tokens) + self.grows() * (attained - self.joined())
    }
}

const GROWS: u64 = 1;
const CANCELLED: u64 = 2;

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
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.members.len() + self.joining.len()
    }

    #[inline]
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
    #[inline]
    pub(crate) fn change_soon(&mut self, now: SimTime, curve: &ServiceCurve) -> Option<SimTime> {
        let iterations = curve.iterations_covering(self.phase, now - self.phase_from);
        (iterations < self.planned).then(|| {
            self.planned = iterations;
            self.phase_from + curve.elapsed(self.phase, iterations)
        })
    }

    /// The planned iterations are over: a new phase begins. Until `plan` the batch may be changed.
    #[inline]
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
    #[inline]
    pub(crate) fn pop_done(&mut self) -> Option<u32> {
        let first = *self.members.front()?;
        (first.target <= self.attained).then(|| {
            self.members.pop_front();
            self.forget(first);
            first.slot
        })
    }

    /// A user has cancelled: his request leaves the batch, or does not join it, at the end of the running
    /// iteration.
    pub(crate) fn cancel(&mut self, slot: u32) {
        self.cancelled += 1;
        let mut members = self.members.iter_mut();
        if let Some(member) = members.find(|member| member.slot == slot) {
            member.joined_flags |= CANCELLED;
        }
    }

    /// Takes the next of the batch whose user has cancelled out of it.
    pub(crate) fn remove_cancelled(&mut self) -> Option<u32> {
        let mut members = self.members.iter();
        let position = members.position(|member| member.joined_flags & CANCELLED != 0)?;
        let member = self.members.remove(position)?;
        self.forget(member);
        Some(member.slot)
    }

    /// The slots of the batch.
    pub(crate) fn members(&self) -> impl Iterator<Item = u32> {
        self.members.iter().map(|member| member.slot)
    }

    /// Takes one out of the batch, between `reach` and `plan`; the iterations it did there.
    pub(crate) fn take_out(&mut self, slot: u32) -> u64 {
        let found = self.members.iter().position(|member| member.slot == slot);
        let index = found.expect("it is in the batch");
        let member = self.members.remove(index).expect("it was found");
        self.forget(member);
        self.attained - member.joined()
    }

    /// Takes everybody out, those who were joining too, at any time: who, and the iterations that each has done
    /// since he joined.
    pub(crate) fn evacuate(&mut self, now: SimTime, curve: &ServiceCurve) -> Vec<(u32, u64)> {
        let attained = self.attained + self.played(now, curve);
        let members = self.members.drain(..);
        let joining = self.joining.drain(..).map(|slot| (slot, 0));
        let slots = members
            .map(|member| (member.slot, attained - member.joined()))
            .chain(joining)
            .collect();
        *self = Self {
            phase_from: now,
            attained: self.attained,
            ..Self::default()
        };
        slots
    }

    /// Iterations that have ended since the batch last changed.
    fn played(&self, now: SimTime, curve: &ServiceCurve) -> u64 {
        let elapsed = now - self.phase_from;
        if self.members.is_empty() || elapsed == SimDuration::ZERO {
            return 0;
        }
        let covering = curve.iterations_covering(self.phase, elapsed);
        covering - u64::from(curve.elapsed(self.phase, covering) > elapsed)
    }

    /// A word of each of its two cache lines, for whoever wants them near.
    #[inline]
    pub(crate) fn word(&self) -> u64 {
        self.attained ^ self.memory_bytes ^ self.planned ^ self.phase_from.0 ^ self.phase.context
    }

    /// A word of each end of the batch, where members leave and join, for whoever wants them near.
    #[inline]
    pub(crate) fn ends(&self) -> u64 {
        let word = |member: Option<&Member>| member.map_or(0, |member| member.target);
        word(self.members.front()) ^ word(self.members.back())
    }

    /// The slots of the two who leave first, for whoever wants them near: more seldom leave in a short while. For
    /// nobody 0, a slot that is there where anybody was.
    #[inline]
    pub(crate) fn leaving(&self) -> [u32; 2] {
        let slot = |member: Option<&Member>| member.map_or(0, |member| member.slot);
        [slot(self.members.front()), slot(self.members.get(1))]
    }

    /// Whether anybody was given a place since the last change.
    #[inline]
    pub(crate) fn is_joined(&self) -> bool {
        !self.joining.is_empty()
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
    #[inline]
    pub(crate) fn join(&mut self, joiner: Joiner) {
        // A century of iterations of a nanosecond fits into the 62 bits that are left.
        debug_assert!(self.attained >> 62 == 0, "{} iterations", self.attained);
        let member = Member {
            target: self.attained + joiner.amount.max(1),
            joined_flags: self.attained << 2 | u64::from(joiner.grows),
            slot: joiner.slot,
            prompt_tokens: joiner.prompt_tokens,
        };
        // Mostly all work is equal, and who joins last leaves last.
        if self
            .members
            .back()
            .is_none_or(|last| last.target <= member.target)
        {
            self.members.push_back(member);
        } else {
            let before = self.members.partition_point(|m| m.target <= member.target);
            self.members.insert(before, member);
        }
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
    #[inline]
    pub(crate) fn plan(&mut self, curve: &ServiceCurve) -> SimTime {
        let Some(first) = self.members.front() else {
            return SimTime::NEVER;
        };
        self.planned = first.target - self.attained;
        self.phase_from + curve.elapsed(self.phase, self.planned)
    }

    /// Whether the work of a joiner can be done by `deadline` with the batch as it is, or without one of it. It joins
    /// at the end of the iteration that runs at `now`, if one does.
    pub(crate) fn can_finish(
        &self,
        joiner: &Joiner,
        instead_of: Option<u32>,
        now: SimTime,
        deadline: SimTime,
        curve: &ServiceCurve,
    ) -> bool {
        let leaving =
            instead_of.and_then(|slot| self.members.iter().find(|member| member.slot == slot));
        let mut so_far = leaving.map_or(self.phase, |member| self.without(*member));
        let mut joins_at = now;
        let since = now - self.phase_from;
        if !self.is_idle() && since > SimDuration::ZERO {
            let played = curve.iterations_covering(self.phase, since);
            joins_at = self.phase_from + curve.elapsed(self.phase, played);
            so_far.context += played * u64::from(so_far.growing);
            so_far.prompt_tokens = 0;
        }
        let phase = Phase {
            batch: so_far.batch + 1,
            context: so_far.context + u64::from(joiner.prompt_tokens),
            growing: so_far.growing + u32::from(joiner.grows),
            prompt_tokens: so_far.prompt_tokens + u64::from(joiner.prompt_tokens),
        };
        joins_at + curve.elapsed(phase, joiner.amount) <= deadline
    }

    #[inline]
    fn forget(&mut self, member: Member) {
        self.phase = self.without(member);
    }

    /// The phase without a member, where the running iteration begins.
    #[inline]
    fn without(&self, member: Member) -> Phase {
        let mut phase = self.phase;
        phase.batch -= 1;
        phase.growing -= member.grows() as u32;
        // In a static batch a member's own work may be over before the batch is, but its place in the
        // batch, and so its context, goes on growing: both sides of the subtraction use `attained`.
        phase.context -= member.context(self.attained);
        if member.joined() == self.attained {
            phase.prompt_tokens -= u64::from(member.prompt_tokens);
        }
        phase
    }
}
