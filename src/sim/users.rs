//! The users of a gateway: one word for each, and what their quota leaves them.
//!
//! A user costs four bytes, whether he makes one image or a thousand:
//!
//! ```text
//! bit  31      has got an image
//! bit  30      has subscribed
//! bits 16..30  number of the quota interval that is being counted, modulo 2^14
//! bits 8..16   images in the interval before it
//! bits 0..8    images in it
//! ```

use crate::random::Stream;
use crate::scenario::{Quota, QuotaWindow};
use crate::units::{NS_PER_DAY, NS_PER_S, SimTime};

/// The users of one demand at one gateway, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    words: Vec<u32>,
}

const SERVED: u32 = 1 << 31;
const SUBSCRIBED: u32 = 1 << 30;
const INTERVAL_BITS: u32 = 14;

impl Users {
    pub(crate) fn with_all(count: usize) -> Self {
        Self {
            words: vec![0; count],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// Picks a user by activity, the first being the most active: the density of requests over ranks
    /// x in 0..1 is (1 - s) x^-s (a Zipf law). There must be users.
    pub(crate) fn pick(&self, stream: &mut Stream, activity_skew: f64) -> u32 {
        let rank = match activity_skew {
            0.0 => stream.unit(),
            skew => libm::pow(stream.unit(), 1.0 / (1.0 - skew)),
        };
        ((rank * self.len() as f64) as usize).min(self.len() - 1) as u32
    }

    /// The word of a user, if he is known.
    pub(crate) fn word(&self, user: u32) -> Option<u32> {
        self.words.get(user as usize).copied()
    }

    /// A new user; his number.
    pub(crate) fn come(&mut self, subscribed: bool) -> u32 {
        self.words.push(if subscribed { SUBSCRIBED } else { 0 });
        (self.words.len() - 1) as u32
    }

    pub(crate) fn is_subscribed(&self, user: u32) -> bool {
        self.words[user as usize] & SUBSCRIBED != 0
    }

    /// Notes an image; whether it is the user's first.
    pub(crate) fn served(&mut self, user: u32) -> bool {
        let word = &mut self.words[user as usize];
        let first = *word & SERVED == 0;
        *word |= SERVED;
        first
    }

    /// Takes one image off the user's quota; false if nothing is left of it.
    pub(crate) fn take(
        &mut self,
        user: u32,
        quota: Quota,
        now: SimTime,
        utc_offset_s: i64,
    ) -> bool {
        let word = &mut self.words[user as usize];
        let (interval, elapsed) = interval(quota.window, now, utc_offset_s);
        let (before, current) = counts(*word, interval);
        let used = match quota.window {
            QuotaWindow::CalendarDay => f64::from(current),
            QuotaWindow::Sliding(_) => f64::from(current) + f64::from(before) * (1.0 - elapsed),
        };
        let allowed = used + 1.0 <= f64::from(quota.images);
        let current = current + u32::from(allowed);
        *word = *word & (SERVED | SUBSCRIBED) | interval << 16 | before << 8 | current;
        allowed
    }

    /// Gives back an image that was taken but not delivered.
    pub(crate) fn give_back(&mut self, user: u32, quota: Quota, now: SimTime, utc_offset_s: i64) {
        let word = &mut self.words[user as usize];
        let (interval, _) = interval(quota.window, now, utc_offset_s);
        if (*word >> 16) & ((1 << INTERVAL_BITS) - 1) == interval && *word & 0xff > 0 {
            *word -= 1;
        }
    }
}

/// The quota interval in which `now` lies, and the share of it that has passed. A calendar day is
/// the user's local one; the scenario's start need not be midnight, so `utc_offset_s` holds the local
/// time of day at the start.
fn interval(window: QuotaWindow, now: SimTime, utc_offset_s: i64) -> (u32, f64) {
    let (length, local) = match window {
        QuotaWindow::CalendarDay => {
            let offset = utc_offset_s.rem_euclid(86_400) as u64 * NS_PER_S;
            (NS_PER_DAY, now.0 + offset)
        }
        QuotaWindow::Sliding(length) => (length.0.max(1), now.0),
    };
    // Number 0 is that of users who were never counted, so intervals start at 1.
    let number = 1 + (local / length) % ((1 << INTERVAL_BITS) - 1);
    (number as u32, (local % length) as f64 / length as f64)
}

/// Images in the interval before and in the interval itself, as seen from it.
fn counts(word: u32, interval: u32) -> (u32, u32) {
    let counted = (word >> 16) & ((1 << INTERVAL_BITS) - 1);
    let (before, current) = ((word >> 8) & 0xff, word & 0xff);
    match () {
        () if counted == interval => (before, current),
        () if counted + 1 == interval => (current, 0),
        () => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    const HOUR: u64 = 3600 * NS_PER_S;

    #[test]
    fn a_calendar_quota_starts_anew_at_local_midnight() {
        let quota = Quota {
            images: 3,
            window: QuotaWindow::CalendarDay,
        };
        let mut users = Users::with_all(1);
        let mut take = |hour: u64| users.take(0, quota, SimTime(hour * HOUR), -6 * 3600);
        assert!(take(1) && take(2) && take(5));
        assert!(!take(5), "the fourth of the day");
        assert!(take(6), "midnight at UTC-6 is 06:00 UTC");
    }

    #[test]
    fn a_sliding_quota_counts_the_part_of_the_interval_before_that_is_still_in_the_window() {
        let quota = Quota {
            images: 4,
            window: QuotaWindow::Sliding(SimDuration(3 * HOUR)),
        };
        let mut users = Users::with_all(1);
        let mut take = |minutes: u64| users.take(0, quota, SimTime(minutes * 60 * NS_PER_S), 0);
        assert!((0..4).all(|_| take(90)));
        assert!(!take(179));
        assert!(
            !take(181),
            "nearly all of the interval before is still in the window"
        );
        assert!(take(270), "half of it is: two of four are left");
        assert!(take(270));
        assert!(!take(270));
        assert!(take(1000));
    }

    #[test]
    fn the_first_users_are_the_most_active() {
        use crate::random::Seed;
        let users = Users::with_all(1000);
        let mut stream = Seed(3).stream("users", "activity", 0);
        // The first tenth sends the share 0.1^(1 - s) of all requests.
        for (skew, share) in [(0.0, 0.1), (0.5, 0.316_228), (0.8, 0.630_957)] {
            let draws = 20_000;
            let first = (0..draws)
                .filter(|_| users.pick(&mut stream, skew) < 100)
                .count();
            let got = first as f64 / f64::from(draws);
            assert!(
                (got - share).abs() < 0.02,
                "skew {skew}: {got}, expected {share}"
            );
        }
    }

    #[test]
    fn what_was_not_delivered_is_given_back() {
        let quota = Quota {
            images: 1,
            window: QuotaWindow::CalendarDay,
        };
        let mut users = Users::with_all(1);
        assert!(users.take(0, quota, SimTime(HOUR), 0));
        users.give_back(0, quota, SimTime(2 * HOUR), 0);
        assert!(users.take(0, quota, SimTime(3 * HOUR), 0));
        assert!(users.served(0));
        assert!(!users.served(0));
        assert!(!users.take(0, quota, SimTime(4 * HOUR), 0));
    }
}
