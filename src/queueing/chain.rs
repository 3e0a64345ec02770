//! The stationary law of a Markov chain whose states can be numbered so that all moves are short.
//!
//! Elimination from the highest state down after Grassmann, Taksar and Heyman (1985): it only adds,
//! multiplies and divides positive numbers, so the result has nearly full relative precision.

/// More states than this are not solved for: the load is then too near to saturation.
const MOST_STATES: usize = 8192;

/// Probability of the highest state under which cutting off there does not show.
const NEGLIGIBLE: f64 = 1e-15;

/// The moves out of one state: rates or probabilities to `first`, `first + 1`, ... What leads to the
/// state itself does not matter.
#[derive(Clone, Debug)]
pub(super) struct Moves {
    /// The lowest state reached.
    pub(super) first: usize,
    /// Rate or probability to each state from `first` on.
    pub(super) rates: Vec<f64>,
}

impl Moves {
    /// The same moves in a chain of `states` states: what leads beyond leads to the highest.
    fn within(mut self, states: usize) -> Self {
        self.first = self.first.min(states - 1);
        let kept = states - self.first;
        if self.rates.len() > kept {
            let beyond: f64 = self.rates.drain(kept..).sum();
            self.rates[kept - 1] += beyond;
        }
        self
    }

    /// The same moves from the lower state `first` on.
    fn reaching_down_to(mut self, first: usize) -> Self {
        let missing = self.first.saturating_sub(first);
        self.rates.splice(0..0, std::iter::repeat_n(0.0, missing));
        self.first -= missing;
        self
    }
}

/// The stationary law of the chain with the given moves out of each state 0, 1, 2, ..., cut off where
/// the probability is negligible. `None` where that takes too many states.
pub(super) fn stationary(at_least: usize, moves: impl Fn(usize) -> Moves) -> Option<Vec<f64>> {
    let mut states = (2 * at_least).max(128);
    while states <= MOST_STATES {
        let law = stationary_within(states, &moves);
        if law[states - 1] < NEGLIGIBLE {
            return Some(law);
        }
        states *= 2;
    }
    None
}

/// The stationary law of the chain cut off at `states` states.
pub(super) fn stationary_within(states: usize, moves: impl Fn(usize) -> Moves) -> Vec<f64> {
    // Elimination adds moves only at or above the lowest state that a higher state reaches, so rows
    // that start no higher than the rows after them have room for all of it.
    let mut rows: Vec<Moves> = (0..states).map(|n| moves(n).within(states)).collect();
    for n in (0..states - 1).rev() {
        let first = rows[n].first.min(rows[n + 1].first);
        let row = std::mem::replace(
            &mut rows[n],
            Moves {
                first,
                rates: Vec::new(),
            },
        );
        rows[n] = row.reaching_down_to(first);
    }
    let lowest = eliminate(&mut rows);
    let mut law = vec![0.0; states];
    law[lowest] = 1.0;
    for n in lowest + 1..states {
        law[n] = (lowest..n)
            .map(|i| law[i] * rows[i].rates.get(n - rows[i].first).copied().unwrap_or(0.0))
            .sum();
        if law[n] > 1e200 {
            let scale = law[n];
            law[..=n].iter_mut().for_each(|p| *p /= scale);
        }
    }
    let total: f64 = law.iter().sum();
    law.iter_mut().for_each(|p| *p /= total);
    law
}

/// Removes the states from the highest down, and leaves in place of the rate from i up to n the visits
/// to n for each unit of time in i. Returns the lowest state that is ever seen again: one from which no
/// move leads down leaves the states below it for good.
fn eliminate(rows: &mut [Moves]) -> usize {
    for n in (1..rows.len()).rev() {
        let (lower, upper) = rows.split_at_mut(n);
        let from = &upper[0];
        let down = &from.rates[..n.saturating_sub(from.first).min(from.rates.len())];
        let leaving: f64 = down.iter().sum();
        if leaving == 0.0 {
            return n;
        }
        for row in lower {
            let Some(up) = row.rates.get_mut(n - row.first) else {
                continue;
            };
            if *up == 0.0 {
                continue;
            }
            *up /= leaving;
            let share = *up;
            let at = from.first - row.first;
            for (rate, through) in row.rates[at..].iter_mut().zip(down) {
                *rate += share * through;
            }
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birth_death_chain_has_its_geometric_law() {
        let law = stationary(1, |n| Moves {
            first: n.saturating_sub(1),
            rates: match n {
                0 => vec![0.0, 0.5],
                _ => vec![1.0, 0.0, 0.5],
            },
        })
        .expect("half loaded");
        for (n, p) in law.iter().take(40).enumerate() {
            let exact = 0.5 / (1_u64 << n) as f64;
            assert!((p / exact - 1.0).abs() < 1e-12, "{n}: {p} {exact}");
        }
    }

    #[test]
    fn states_that_are_left_for_good_have_no_share() {
        let law = stationary_within(3, |_| Moves {
            first: 1,
            rates: vec![1.0, 1.0],
        });
        assert_eq!(law, [0.0, 0.5, 0.5]);
    }
}
