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
    words: Vec<User>,
}

/// What is remembered of a user.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct User(u32);

const SERVED: u32 = 1 << 31;
const SUBSCRIBED: u32 = 1 << 30;
const INTERVAL_BITS: u32 = 14;

impl Users {
    pub(crate) fn with_all(count: usize) -> Self {
        Self {
            words: vec![User::default(); count],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// The rank among `users` of one who is picked by activity, the first being the most active: the
    /// density of requests over ranks x in 0..1 is (1 - s) x^-s (a Zipf law).
    pub(crate) fn pick(users: usize, stream: &mut Stream, activity_skew: f64) -> u32 {
        let point = stream.unit();
        let rank = match activity_skew {
            0.0 => point,
            0.5 => point * point,
            skew => libm::pow(point, 1.0 / (1.0 - skew)),
        };
        ((rank * users as f64) as usize).min(users.saturating_sub(1)) as u32
    }

    /// A user, if he is known.
    #[inline]
    pub(crate) fn get(&self, user: u32) -> Option<User> {
        self.words.get(user as usize).copied()
    }

    /// A user, if he is known.
    #[inline]
    pub(crate) fn get_mut(&mut self, user: u32) -> Option<&mut User> {
        self.words.get_mut(user as usize)
    }

    /// A new user; his number.
    pub(crate) fn come(&mut self, subscribed: bool) -> u32 {
        self.words
            .push(User(if subscribed { SUBSCRIBED } else { 0 }));
        (self.words.len() - 1) as u32
    }
}

impl User {
    #[inline]
    pub(crate) fn is_subscribed(self) -> bool {
        self.0 & SUBSCRIBED != 0
    }

    /// The whole word, for whoever only wants it near.
    #[inline]
    pub(crate) fn word(self) -> u32 {
        self.0
    }

    /// Whether he has got an image.
    #[inline]
    pub(crate) fn was_served(self) -> bool {
        self.0 & SERVED != 0
    }

    /// Notes an image; whether it is the user's first.
    #[inline]
    pub(crate) fn served(&mut self) -> bool {
        let first = self.0 & SERVED == 0;
        self.0 |= SERVED;
        first
    }

    /// Takes one image off the user's quota; false if nothing is left of it.
    #[inline]
    pub(crate) fn take(&mut self, allowance: &mut Allowance, now: SimTime) -> bool {
        let (interval, before_counts) = allowance.at(now);
        let (before, current) = counts(self.0, interval);
        let used = f64::from(current) + f64::from(before) * before_counts;
        let allowed = used + 1.0 <= allowance.images;
        let current = current + u32::from(allowed);
        self.0 = self.0 & (SERVED | SUBSCRIBED) | interval << 16 | before << 8 | current;
        allowed
    }

    /// Gives back an image that was taken but not delivered.
    pub(crate) fn give_back(&mut self, allowance: &mut Allowance, now: SimTime) {
        let (interval, _) = allowance.at(now);
        if (self.0 >> 16) & ((1 << INTERVAL_BITS) - 1) == interval && self.0 & 0xff > 0 {
            self.0 -= 1;
        }
    }
}

/// A quota at a place, and the interval of it in which the clock stands. A calendar day is the users'
/// local one; the scenario's start need not be midnight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    images: f64,
    is_sliding: bool,
    length_ns: u64,
    /// Local time at the scenario's start since the start of an interval.
    offset_ns: u64,
    /// The interval of the last look: its number, and from when until when it lasts.
    interval: u32,
    from: SimTime,
    until: SimTime,
}

impl Allowance {
    pub(crate) fn new(quota: Quota, local_start_s: i64) -> Self {
        let (length_ns, offset_ns) = match quota.window {
            QuotaWindow::CalendarDay => {
                let start_s = local_start_s.rem_euclid(86_400) as u64;
                (NS_PER_DAY, start_s * NS_PER_S)
            }
            QuotaWindow::Sliding(length) => (length.0.max(1), 0),
        };
        Self {
            images: f64::from(quota.images),
            is_sliding: matches!(quota.window, QuotaWindow::Sliding(_)),
            length_ns,
            offset_ns,
            interval: 0,
            from: SimTime::ZERO,
            until: SimTime::ZERO,
        }
    }

    /// The number of the interval in which `now` lies, and what an image of the interval before it
    /// still counts.
    #[inline]
    fn at(&mut self, now: SimTime) -> (u32, f64) {
        if now < self.from || now >= self.until {
            self.look(now);
        }
        let before = match self.is_sliding {
            true => 1.0 - (now - self.from).0 as f64 / self.length_ns as f64,
            false => 0.0,
        };
        (self.interval, before)
    }

    #[cold]
    fn look(&mut self, now: SimTime) {
        let local = now.0 + self.offset_ns;
        let passed = local % self.length_ns;
        // Number 0 is that of users who were never counted, so intervals start at 1.
        let number = 1 + (local / self.length_ns) % ((1 << INTERVAL_BITS) - 1);
        self.interval = number as u32;
        // The first interval began before the scenario did.
        self.from = SimTime(now.0.saturating_sub(passed));
        self.until = SimTime(now.0.saturating_add(self.length_ns - passed));
    }
}

/// Images in the interval before and in the interval itself, as seen from it.
#[inline]
fn counts(word: u32, interval: u32) -> (u32, u32) {
    let counted = (word >> 16) & ((1 << INTERVAL_BITS) - 1);
    // Every interval that has passed since moves them on by one; without a branch, as users differ.
    let passed = interval.wrapping_sub(counted).min(2);
    let counts = word << (8 * passed);
    ((counts >> 8) & 0xff, counts & 0xff)
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
        let (mut user, mut allowance) = (User::default(), Allowance::new(quota, -6 * 3600));
        let mut take = |hour: u64| user.take(&mut allowance, SimTime(hour * HOUR));
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
        let (mut user, mut allowance) = (User::default(), Allowance::new(quota, 0));
        let mut take = |minutes: u64| user.take(&mut allowance, SimTime(minutes * 60 * NS_PER_S));
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
        let mut stream = Seed(3).stream("users", "activity", 0);
        // The first tenth sends the share 0.1^(1 - s) of all requests.
        for (skew, share) in [(0.0, 0.1), (0.5, 0.316_228), (0.8, 0.630_957)] {
            let draws = 20_000;
            let first = (0..draws)
                .filter(|_| Users::pick(1000, &mut stream, skew) < 100)
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
        let (mut user, mut allowance) = (User::default(), Allowance::new(quota, 0));
        assert!(user.take(&mut allowance, SimTime(HOUR)));
        user.give_back(&mut allowance, SimTime(2 * HOUR));
        assert!(user.take(&mut allowance, SimTime(3 * HOUR)));
        assert!(user.served());
        assert!(!user.served());
        assert!(!user.take(&mut allowance, SimTime(4 * HOUR)));
    }
}
