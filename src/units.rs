//! Quantities with their units: simulated time, money and memory.
//!
//! A newtype exists where mixing two numbers would be silent or where the number crosses a module.
//! Time is an integer count of nanoseconds, so that equal scenarios give equal event orders on every
//! machine; 2^64 ns are 584 years. Money is an integer count of micro-dollars, so that parts add up
//! to their total exactly. There is no `From<f64>`: constructors are named and say how they round.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

/// Nanoseconds in one second.
pub const NS_PER_S: u64 = 1_000_000_000;
/// Nanoseconds in one day.
pub const NS_PER_DAY: u64 = 86_400 * NS_PER_S;

/// A point of simulated time: nanoseconds since the start of the scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(pub u64);

/// A length of simulated time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimDuration(pub u64);

/// The nearest whole number, halves up; negative and NaN give 0, too large saturates. Several times
/// faster than `round`, which without SSE4.1 is a subroutine.
#[must_use]
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-integer `as` saturates, which is what is promised"
)]
pub fn nearest(value: f64) -> u64 {
    /// From here on every `f64` is whole.
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    if value < WHOLE {
        // By way of `i64`, for which there is an instruction.
        (value.max(0.0) + 0.5) as i64 as u64
    } else {
        value as u64
    }
}

impl SimTime {
    /// The start of the scenario.
    pub const ZERO: Self = Self(0);
    /// Later than everything that happens.
    pub const NEVER: Self = Self(u64::MAX);

    /// The point `seconds` after the start, rounded to the nearest nanosecond; negative and NaN give 0.
    #[must_use]
    pub fn from_s(seconds: f64) -> Self {
        Self(SimDuration::from_s(seconds).0)
    }

    /// Seconds since the start.
    #[must_use]
    pub fn as_s(self) -> f64 {
        SimDuration(self.0).as_s()
    }

    /// The time that passed since `earlier`; 0 when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Longer than every scenario.
    pub const FOREVER: Self = Self(u64::MAX);

    /// `seconds`, rounded to the nearest nanosecond; negative and NaN give 0, too large saturates.
    #[must_use]
    #[inline]
    pub fn from_s(seconds: f64) -> Self {
        Self(nearest(seconds * NS_PER_S as f64))
    }

    /// Seconds.
    #[must_use]
    pub fn as_s(self) -> f64 {
        self.0 as f64 / NS_PER_S as f64
    }
}

impl Add<SimDuration> for SimTime {
    type Output = Self;
    fn add(self, duration: SimDuration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }
}

impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, duration: SimDuration) {
        *self = *self + duration;
    }
}

impl Sub for SimTime {
    type Output = SimDuration;
    fn sub(self, earlier: Self) -> SimDuration {
        debug_assert!(earlier <= self, "time runs forward: {earlier:?} > {self:?}");
        self.since(earlier)
    }
}

impl Add for SimDuration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for SimDuration {
    /// The two largest units that matter: `2 d 4 h`, `1 m 30 s`, `45 s`, `12.5 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total_s = self.0 / NS_PER_S;
        let (d, h, m, s) = (
            total_s / 86_400,
            total_s / 3600 % 24,
            total_s / 60 % 60,
            total_s % 60,
        );
        let two = |f: &mut fmt::Formatter<'_>, a: u64, ua: &str, b: u64, ub: &str| match b {
            0 => write!(f, "{a} {ua}"),
            _ => write!(f, "{a} {ua} {b} {ub}"),
        };
        match () {
            () if self.0 == 0 => f.write_str("0 s"),
            () if d > 0 => two(f, d, "d", h, "h"),
            () if h > 0 => two(f, h, "h", m, "m"),
            () if m > 0 => two(f, m, "m", s, "s"),
            () if self.0 >= 10 * NS_PER_S => write!(f, "{} s", Trimmed(self.as_s(), 1)),
            () if self.0 >= NS_PER_S => write!(f, "{} s", Trimmed(self.as_s(), 2)),
            () if self.0 >= 1_000_000 => write!(f, "{} ms", Trimmed(self.0 as f64 / 1e6, 2)),
            () if self.0 >= 1000 => write!(f, "{} us", Trimmed(self.0 as f64 / 1e3, 2)),
            () => write!(f, "{} ns", self.0),
        }
    }
}

/// A number with at most so many decimals and no trailing zeros.
struct Trimmed(f64, usize);

impl fmt::Display for Trimmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.*}", self.1, self.0);
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        f.write_str(text)
    }
}

/// An amount of money in micro-dollars (1e-6 USD); exact sums up to 9.2e12 USD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(pub i64);

impl Usd {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// `usd` dollars, rounded to the nearest whole cent. Every line of a bill is made with this, so
    /// that its total, the exact sum of its lines, agrees with them to the cent.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float-to-integer `as` saturates"
    )]
    pub fn from_usd_to_cents(usd: f64) -> Self {
        Self(((usd * 100.0).round() as i64).saturating_mul(10_000))
    }

    /// Dollars.
    #[must_use]
    pub fn as_usd(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Usd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(lines: I) -> Self {
        lines.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_in_their_two_largest_units() {
        let read = |s: f64| SimDuration::from_s(s).to_string();
        assert_eq!(read(187_200.0), "2 d 4 h");
        assert_eq!(read(90.0), "1 m 30 s");
        assert_eq!(read(0.0125), "12.5 ms");
        assert_eq!(read(1.5), "1.5 s");
        assert_eq!(read(0.0), "0 s");
    }

    #[test]
    fn cents_add_up_exactly() {
        let parts = [0.1, 0.2, 1234.565];
        let total: Usd = parts.iter().map(|&p| Usd::from_usd_to_cents(p)).sum();
        assert_eq!(total.0 % 10_000, 0);
        assert_eq!(total, Usd(1_234_870_000));
    }
}
