//! Set-up: a replica that was idle for long enough is off, and is set up again before it serves.
//!
//! Off replicas, and those being set up, are on no level of the occupancy, so nobody is given to them.
//! Who comes then waits in line; there a replica is set up for each batch of those who wait, beside
//! what is being set up already. A set-up that has begun goes on even if nobody is left to wait. What is
//! due for an idle replica, the end of its set-up or of its being kept warm, stands in the list of the
//! changes of batches: an idle replica has none.

use std::collections::BTreeSet;

use super::Pool;
use crate::random::Stream;
use crate::scenario::SetUp;
use crate::units::{SimDuration, SimTime};

/// Which replicas are off.
pub(super) struct Warmth {
    rule: SetUp,
    states: Vec<State>,
    /// Replicas that are off.
    off: BTreeSet<u32>,
    /// How many are being set up.
    pending: usize,
    stream: Stream,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    SettingUp,
    Off,
}

impl Warmth {
    pub(super) fn new(rule: SetUp, stream: Stream) -> Self {
        Self {
            rule,
            states: Vec::new(),
            off: BTreeSet::new(),
            pending: 0,
            stream,
        }
    }

    /// Begins to set a replica up; when it will be ready.
    fn set_up(&mut self, index: usize, now: SimTime) -> SimTime {
        self.states[index] = State::SettingUp;
        self.pending += 1;
        now + SimDuration::from_s(self.rule.law_s.sample(&mut self.stream))
    }
}

impl Pool {
    /// Whether a replica can be given requests at all.
    #[inline]
    pub(super) fn is_ready(&self, index: usize) -> bool {
        let is_ready = |warmth: &Warmth| warmth.states.get(index) == Some(&State::Ready);
        self.takes_requests(index) && self.warmth.as_ref().is_none_or(is_ready)
    }

    /// A new replica, or one of a pool that works again, is off until it is needed; `false` where
    /// replicas are never off.
    pub(super) fn begins_off(&mut self, index: usize) -> bool {
        let Some(warmth) = &mut self.warmth else {
            return false;
        };
        warmth
            .states
            .resize(warmth.states.len().max(index + 1), State::Off);
        warmth.states[index] = State::Off;
        warmth.off.insert(index as u32);
        true
    }

    /// The pool stands still: whatever was set up is lost.
    pub(super) fn forget_set_up(&mut self) {
        if let Some(warmth) = &mut self.warmth {
            warmth.off.clear();
            warmth.pending = 0;
        }
    }

    /// A replica leaves service: it is neither off nor being set up.
    pub(super) fn forget_warmth(&mut self, index: usize) {
        let Some(warmth) = &mut self.warmth else {
            return;
        };
        warmth.off.remove(&(index as u32));
        if self.replicas[index].is_idle() {
            let is_setting_up = warmth.states.get(index) == Some(&State::SettingUp);
            warmth.pending -= usize::from(is_setting_up && !self.stopped);
            self.changes.set(index, SimTime::NEVER);
        }
        if let Some(state) = warmth.states.get_mut(index) {
            *state = State::Ready;
        }
    }

    /// A replica has become idle, or still is: when it goes off, if nobody comes.
    #[inline]
    pub(super) fn rest(&mut self, index: usize) -> SimTime {
        let line = self.line_of(Some(index as u32));
        let Some(warmth) = &mut self.warmth else {
            return SimTime::NEVER;
        };
        if self.lines.get(line).is_some_and(|line| line.len() > 0) {
            return SimTime::NEVER;
        }
        if warmth.rule.keep_warm.0 > 0 {
            return self.clock + warmth.rule.keep_warm;
        }
        self.turn_off(index);
        SimTime::NEVER
    }

    fn turn_off(&mut self, index: usize) {
        self.occupancy.leave(index as u32, 0);
        self.begins_off(index);
    }

    /// Somebody waits in a line: what is needed for him and is off is set up.
    #[inline]
    pub(super) fn wake(&mut self, line: usize) {
        let central = self.terms.is_central;
        let (places, waiting) = (self.places, self.gauges.waiting.now() as usize);
        let Some(warmth) = self.warmth.as_mut().filter(|_| !self.stopped) else {
            return;
        };
        if !central && warmth.off.remove(&(line as u32)) {
            self.changes.set(line, warmth.set_up(line, self.clock));
        }
        while central && waiting > warmth.pending * places {
            let Some(replica) = warmth.off.pop_first() else {
                break;
            };
            let index = replica as usize;
            self.changes.set(index, warmth.set_up(index, self.clock));
        }
    }

    /// Something is due for an idle replica: it is set up, or it goes off.
    pub(super) fn change_warmth(&mut self, index: usize) {
        self.changes.set(index, SimTime::NEVER);
        let Some(warmth) = &mut self.warmth else {
            return;
        };
        if warmth.states[index] != State::SettingUp {
            self.turn_off(index);
            return;
        }
        warmth.states[index] = State::Ready;
        warmth.pending -= 1;
        self.occupancy.enter(index as u32, 0);
        self.start_waiting();
        if self.replicas[index].is_idle() && self.is_ready(index) {
            let goes_off = self.rest(index);
            self.changes.set(index, goes_off);
        }
    }
}
