//! When something fails: one clock for all units of a cause, not one for each.
//!
//! The failures of n units that each fail at a rate are those of one clock of n times the rate, and any of the
//! units is as likely as another; one that is down is struck for nothing, so only those that are up fail
//! (superposition and thinning of Poisson processes). Where the rate depends on the age, there is a clock for the
//! units of each delivery: its k-th strike comes when the integral of the hazard of them all, n (t / scale)^shape,
//! has grown by a k-th exponential step.

use std::ops::Range;

use crate::random::{Law, Stream};
use crate::scenario::{Cause, Level};
use crate::units::{SimDuration, SimTime};

/// The clocks of all causes of a cluster.
pub(super) struct Clocks {
    causes: Vec<Cause>,
    streams: Vec<Stream>,
    clocks: Vec<Clock>,
}

struct Clock {
    cause: usize,
    /// The units that it strikes.
    units: Range<u64>,
    /// When their age began.
    born: SimTime,
    /// The integral of the hazard of all of them, up to the next strike.
    hazard: f64,
    next: SimTime,
}

impl Clocks {
    pub(super) fn new(causes: Vec<Cause>, streams: Vec<Stream>) -> Self {
        Self {
            causes,
            streams,
            clocks: Vec::new(),
        }
    }

    /// The next strike.
    pub(super) fn next(&self) -> SimTime {
        let next = self.clocks.iter().map(|clock| clock.next).min();
        next.unwrap_or(SimTime::NEVER)
    }

    /// From now on there are so many units of each level.
    pub(super) fn grow(&mut self, now: SimTime, units: impl Fn(Level) -> u64) {
        for (index, cause) in self.causes.iter().enumerate() {
            let count = units(cause.level);
            let mut known = 0;
            for clock in self.clocks.iter().filter(|clock| clock.cause == index) {
                known = known.max(clock.units.end);
            }
            if count == known {
                continue;
            }
            let ages = cause.weibull_shape.is_some();
            let same = |clock: &&mut Clock| clock.cause == index && (!ages || clock.born == now);
            let stream = &mut self.streams[index];
            match self.clocks.iter_mut().find(same) {
                Some(clock) => {
                    clock.units.end = count;
                    clock.hazard = 0.0;
                    clock.wind(cause, now, stream);
                }
                None => {
                    let mut clock = Clock {
                        cause: index,
                        units: known..count,
                        born: now,
                        hazard: 0.0,
                        next: SimTime::NEVER,
                    };
                    clock.wind(cause, now, stream);
                    self.clocks.push(clock);
                }
            }
        }
    }

    /// The clock that is due first strikes: which cause, and which of its units. One must be due.
    pub(super) fn strike(&mut self) -> (usize, u64) {
        let clocks = self.clocks.iter_mut();
        let clock = clocks
            .min_by_key(|clock| (clock.next, clock.cause))
            .expect("a clock is due");
        let stream = &mut self.streams[clock.cause];
        let count = clock.units.end - clock.units.start;
        let unit = clock.units.start + stream.below(count);
        let now = clock.next;
        clock.wind(&self.causes[clock.cause], now, stream);
        (clock.cause, unit)
    }
}

impl Clock {
    /// Sets the next strike after `now`.
    fn wind(&mut self, cause: &Cause, now: SimTime, stream: &mut Stream) {
        let count = (self.units.end - self.units.start) as f64;
        let step = Law::Exponential { mean: 1.0 }.sample(stream);
        self.next = match cause.weibull_shape {
            None => after(now, step / (count * cause.rate_per_s)),
            Some(shape) => {
                self.hazard += step;
                let scale_s = 1.0 / (cause.rate_per_s * libm::tgamma(1.0 + 1.0 / shape));
                after(
                    self.born,
                    scale_s * libm::pow(self.hazard / count, 1.0 / shape),
                )
            }
        };
    }
}

/// So many seconds later; never, where that is beyond all time.
fn after(from: SimTime, seconds: f64) -> SimTime {
    /// A hundred years, which is longer than any scenario.
    const LONG_S: f64 = 3.2e9;
    match seconds < LONG_S {
        true => from + SimDuration::from_s(seconds),
        false => SimTime::NEVER,
    }
}
