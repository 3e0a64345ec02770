//! What is counted while the simulation runs: by tier at gateways and pools, by pool over time.
//!
//! Only counts, integer integrals and histograms, so that the sums of several pools do not depend on
//! the order in which they are added. `metrics` makes rates, quantiles and the summary of them.

use crate::stats::Histogram;
use crate::units::SimTime;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The user's quota is used up.
    Quota,
    /// The tier's rate limit.
    RateLimit,
    /// The queue is full.
    QueueFull,
    /// It cannot be done in time.
    Hopeless,
    /// The tier is closed.
    Closed,
}

impl Refusal {
    /// How many reasons there are.
    pub const COUNT: usize = 5;
}

/// What was counted of one tier, since the start or the end of the warm-up.
#[derive(Clone, Debug, Default)]
pub struct TierTally {
    /// Requests that users wanted.
    pub offered: u64,
    /// Attempts let into a pool.
    pub admitted: u64,
    /// Attempts at a pool or refused at a gateway.
    pub attempts: u64,
    /// Requests completed.
    pub completed: u64,
    /// Requests refused for good, by `Refusal`.
    pub shed: [u64; Refusal::COUNT],
    /// Requests given up.
    pub abandoned: u64,
    /// Requests lost with a replica.
    pub failed: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Completed at a lower quality.
    pub degraded: u64,
    /// Images made for nobody.
    pub wasted: u64,
    /// Requests within the system: waiting, running or between two attempts.
    pub in_system: u64,
    /// USD at the price list of completed requests, in 1e-6 USD.
    pub list_value_micro_usd: u64,
    /// Users who got their first image.
    pub served_users: u64,
    /// From the first attempt to the image.
    pub response: Histogram,
    /// From the attempt to the start of service.
    pub wait: Histogram,
}

impl TierTally {
    /// All refusals.
    #[must_use]
    pub fn shed_total(&self) -> u64 {
        self.shed.iter().sum()
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.admitted += other.admitted;
        self.attempts += other.attempts;
        self.completed += other.completed;
        self.shed
            .iter_mut()
            .zip(other.shed)
            .for_each(|(sum, part)| *sum += part);
        self.abandoned += other.abandoned;
        self.failed += other.failed;
        self.retries += other.retries;
        self.degraded += other.degraded;
        self.wasted += other.wasted;
        self.in_system += other.in_system;
        self.list_value_micro_usd += other.list_value_micro_usd;
        self.served_users += other.served_users;
        self.response.merge(&other.response);
        self.wait.merge(&other.wait);
    }

    /// The end of the warm-up: forgets everything but who is in the system, who counts as offered.
    pub(crate) fn restart(&mut self) {
        *self = Self {
            offered: self.in_system,
            in_system: self.in_system,
            ..Self::default()
        };
    }
}

/// What a pool did over time: integrals of levels over nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolTally {
    /// Waiting attempts x ns.
    pub waiting_ns: u128,
    /// Running attempts x ns.
    pub running_ns: u128,
    /// Requests between two attempts x ns.
    pub orbit_ns: u128,
    /// Replicas with something to do x ns.
    pub busy_ns: u128,
    /// Replicas in service x ns.
    pub in_service_ns: u128,
    /// Time spent in the pool by attempts that have left it, in ns: the other side of Little's law.
    pub sojourn_ns: u128,
    /// Most attempts waiting at once.
    pub waiting_max: u64,
    /// Requests started in batches, and batches, under static batching.
    pub batches: u64,
    /// Requests in those batches.
    pub batched: u64,
    /// Events handled.
    pub events: u64,
}

impl PoolTally {
    /// Adds what another pool did.
    pub fn add(&mut self, other: &Self) {
        self.waiting_ns += other.waiting_ns;
        self.running_ns += other.running_ns;
        self.orbit_ns += other.orbit_ns;
        self.busy_ns += other.busy_ns;
        self.in_service_ns += other.in_service_ns;
        self.sojourn_ns += other.sojourn_ns;
        self.waiting_max = self.waiting_max.max(other.waiting_max);
        self.batches += other.batches;
        self.batched += other.batched;
        self.events += other.events;
    }

    /// With the integrals since those of `before`.
    pub(crate) fn since_integrals(self, before: &Self) -> Self {
        Self {
            waiting_ns: self.waiting_ns - before.waiting_ns,
            running_ns: self.running_ns - before.running_ns,
            orbit_ns: self.orbit_ns - before.orbit_ns,
            busy_ns: self.busy_ns - before.busy_ns,
            in_service_ns: self.in_service_ns - before.in_service_ns,
            ..self
        }
    }

    /// What was added since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            waiting_ns: self.waiting_ns - before.waiting_ns,
            running_ns: self.running_ns - before.running_ns,
            orbit_ns: self.orbit_ns - before.orbit_ns,
            busy_ns: self.busy_ns - before.busy_ns,
            in_service_ns: self.in_service_ns - before.in_service_ns,
            sojourn_ns: self.sojourn_ns - before.sojourn_ns,
            waiting_max: self.waiting_max,
            batches: self.batches - before.batches,
            batched: self.batched - before.batched,
            events: self.events - before.events,
        }
    }
}

/// Levels of a pool at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Attempts waiting.
    pub waiting: u64,
    /// Attempts running.
    pub running: u64,
    /// Requests between two attempts.
    pub orbit: u64,
    /// Replicas with something to do.
    pub busy: u64,
    /// Replicas in service.
    pub in_service: u64,
}

/// A number that changes over time, with its integral: after changes d_i at times t_i the integral up
/// to t is n t - sum(d_i t_i), so a change costs one addition and time may pass for nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gauge {
    now: u64,
    /// The sum of change times time, in wrapping arithmetic.
    moment: u128,
}

impl Gauge {
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    /// One more.
    #[inline]
    pub(crate) fn up(&mut self, at: SimTime) {
        self.now += 1;
        self.moment = self.moment.wrapping_add(u128::from(at.0));
    }

    /// One less.
    #[inline]
    pub(crate) fn down(&mut self, at: SimTime) {
        self.now -= 1;
        self.moment = self.moment.wrapping_sub(u128::from(at.0));
    }

    /// So many from now on.
    pub(crate) fn set(&mut self, to: u64, at: SimTime) {
        let change = u128::from(to).wrapping_sub(u128::from(self.now));
        self.now = to;
        self.moment = self
            .moment
            .wrapping_add(change.wrapping_mul(u128::from(at.0)));
    }

    /// Number x ns from the beginning to `at`.
    pub(crate) fn integral_ns(&self, at: SimTime) -> u128 {
        (u128::from(self.now) * u128::from(at.0)).wrapping_sub(self.moment)
    }
}

/// The levels of a pool over time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gauges {
    pub waiting: Gauge,
    pub running: Gauge,
    pub orbit: Gauge,
    pub busy: Gauge,
    pub in_service: Gauge,
}

impl Gauges {
    /// The levels now.
    pub(crate) fn levels(&self) -> Levels {
        Levels {
            waiting: self.waiting.now(),
            running: self.running.now(),
            orbit: self.orbit.now(),
            busy: self.busy.now(),
            in_service: self.in_service.now(),
        }
    }

    /// Puts the integrals up to `at` into a tally.
    pub(crate) fn integrate(&self, at: SimTime, tally: &mut PoolTally) {
        tally.waiting_ns = self.waiting.integral_ns(at);
        tally.running_ns = self.running.integral_ns(at);
        tally.orbit_ns = self.orbit.integral_ns(at);
        tally.busy_ns = self.busy.integral_ns(at);
        tally.in_service_ns = self.in_service.integral_ns(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_integrates_its_steps() {
        let mut gauge = Gauge::default();
        gauge.up(SimTime(10));
        gauge.up(SimTime(12));
        gauge.down(SimTime(15));
        gauge.set(7, SimTime(20));
        assert_eq!(gauge.integral_ns(SimTime(22)), 2 + 2 * 3 + 5 + 7 * 2);
        assert_eq!(gauge.now(), 7);
    }
}
