//! When replications are enough: a sequential rule, guarded against stopping early.
//!
//! Looking at an interval again and again until it is narrow stops too often just when the standard
//! deviation happens to be small, and the interval then misses the mean more often than it says (Chow
//! and Robbins 1965 show that this vanishes only as the target goes to 0). Three guards keep the loss
//! small: nothing is judged before ten replications; the looks are few, at fixed numbers of replications
//! that grow by a quarter; and the interval must be narrow at two looks in a row. What is left of the
//! loss is measured in `tests/intervals.rs`. The looks depend on the number of replications alone, never
//! on threads or time, so the same scenario always stops at the same number.

use crate::scenario::runs::FEWEST_TO_JUDGE;

/// Looks in a row at which the interval must be narrow enough.
const LOOKS_IN_A_ROW: u32 = 2;
/// From look to look the replications grow by at least so many,
const STEP_LEAST: u64 = 10;
/// and by one in so many.
const STEP_DIVISOR: u64 = 4;

/// The rule at work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stopping {
    target: f64,
    most: u64,
    next: u64,
    narrow_looks: u32,
}

/// What a look comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// More replications are needed: up to the next look.
    More,
    /// The interval is narrow enough.
    Enough,
    /// No more replications are allowed, or none could help.
    GivenUp,
}

impl Stopping {
    /// The rule for a half width of at most `target`, as a share of the mean, with at most so many
    /// replications.
    #[must_use]
    pub fn new(target: f64, most: u64) -> Self {
        Self {
            target,
            most,
            next: FEWEST_TO_JUDGE.min(most),
            narrow_looks: 0,
        }
    }

    /// The number of replications at which the next look is taken.
    #[must_use]
    pub fn next_look(&self) -> u64 {
        self.next
    }

    /// Looks: `relative_half_width` is that of the `next_look` replications so far, `None` if it is
    /// unknown and will stay so.
    pub fn look(&mut self, relative_half_width: Option<f64>) -> Look {
        let Some(width) = relative_half_width else {
            return Look::GivenUp;
        };
        self.narrow_looks = match width <= self.target {
            true => self.narrow_looks + 1,
            false => 0,
        };
        if self.narrow_looks >= LOOKS_IN_A_ROW {
            return Look::Enough;
        }
        if self.next >= self.most {
            return Look::GivenUp;
        }
        self.next = (self.next + STEP_LEAST.max(self.next / STEP_DIVISOR)).min(self.most);
        Look::More
    }

    /// How many replications will be needed in the end, going by an interval at the last look: its
    /// width falls with the root of their number. For a progress bar.
    #[must_use]
    pub fn expected(&self, at: u64, relative_half_width: f64) -> u64 {
        let ratio = relative_half_width / self.target;
        let needed = at as f64 * ratio * ratio;
        if needed >= self.most as f64 {
            self.most
        } else {
            self.next.max(needed.ceil() as u64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The looks of a rule that is told these widths.
    fn looks(stopping: &mut Stopping, widths: &[f64]) -> Vec<(u64, Look)> {
        let look = |&width: &f64| (stopping.next_look(), stopping.look(Some(width)));
        widths.iter().map(look).collect()
    }

    #[test]
    fn it_must_be_narrow_at_two_looks_in_a_row() {
        let mut stopping = Stopping::new(0.01, 1000);
        let expected = [
            (10, Look::More),
            (20, Look::More),
            (30, Look::More),
            (40, Look::More),
            (50, Look::Enough),
        ];
        let found = looks(&mut stopping, &[0.009, 0.011, 0.02, 0.01, 0.0]);
        assert_eq!(found, expected);
    }

    #[test]
    fn it_never_passes_its_limit() {
        let mut stopping = Stopping::new(0.01, 57);
        let found = looks(&mut stopping, &[1.0; 6]);
        assert_eq!(found[4], (50, Look::More));
        assert_eq!(found[5], (57, Look::GivenUp));
        let mut at_last = Stopping::new(0.01, 20);
        assert_eq!(looks(&mut at_last, &[0.0, 0.0])[1], (20, Look::Enough));
        let mut one_look = Stopping::new(0.01, 10);
        assert_eq!(looks(&mut one_look, &[0.0]), [(10, Look::GivenUp)]);
    }

    #[test]
    fn what_is_unknown_is_not_waited_for() {
        let mut stopping = Stopping::new(0.01, 1000);
        assert_eq!(stopping.look(None), Look::GivenUp);
    }

    #[test]
    fn looks_become_rarer() {
        let mut stopping = Stopping::new(0.01, 1000);
        let count = std::iter::repeat_with(|| stopping.look(Some(1.0)))
            .take_while(|&look| look == Look::More)
            .count();
        assert!((15..20).contains(&count), "{count}");
    }

    #[test]
    fn four_times_the_width_is_expected_to_take_sixteen_times_as_many() {
        let mut stopping = Stopping::new(0.01, 1000);
        assert_eq!(stopping.look(Some(0.04)), Look::More);
        assert_eq!(stopping.expected(10, 0.04), 160);
        assert_eq!(stopping.expected(10, 0.01), 20);
        assert_eq!(stopping.expected(10, 9.0), 1000);
        assert_eq!(stopping.expected(10, f64::INFINITY), 1000);
    }
}
