//! How arrivals fall around a rate: independently, evenly, with a law of their own, or in bursts.

use crate::random::{Law, Stream};

/// How arrivals fall around a rate.
#[derive(Clone, Debug, PartialEq)]
pub enum Process {
    /// Independent users: a Poisson process.
    Poisson,
    /// The k-th arrival when the integral of the rate reaches k (the first at 1).
    Even,
    /// The same with random steps instead of 1: a renewal process of the law's shape (its mean does not
    /// count, the rate says how many come).
    Renewal(
        /// Law of the time between two arrivals, in any unit.
        Law,
    ),
    /// A Poisson process whose rate is multiplied with the factor of a random state.
    Modulated(Modulation),
}

impl Process {
    /// The long-run mean of what the rate is multiplied with.
    #[must_use]
    pub fn mean_factor(&self) -> f64 {
        match self {
            Self::Poisson | Self::Even | Self::Renewal(_) => 1.0,
            Self::Modulated(modulation) => modulation.mean_factor(),
        }
    }
}

/// States that follow upon each other at random, each with a factor for the rate: a Markov-modulated
/// Poisson process where each state lasts for an exponential time (Fischer and Meier-Hellstern 1993),
/// with a factor of 0 for sources that are on and off.
#[derive(Clone, Debug, PartialEq)]
pub struct Modulation {
    /// At least two; each is reached from each.
    pub states: Vec<RateState>,
}

/// A state of the modulation.
#[derive(Clone, Debug, PartialEq)]
pub struct RateState {
    /// What the rate is multiplied with.
    pub factor: f64,
    /// How long it lasts, in seconds.
    pub stay_s: Law,
    /// The chance of each state to be the next; its own is 0 and they sum to 1.
    pub next: Vec<f64>,
}

impl Modulation {
    /// The share of time that each state has in the long run: the visits of the chain of states, by
    /// elimination after Grassmann, Taksar and Heyman (1985), times the mean stays. Not finite where
    /// some state is never reached again.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        let count = self.states.len();
        let mut chances: Vec<Vec<f64>> = self.states.iter().map(|s| s.next.clone()).collect();
        for last in (1..count).rev() {
            let leaving: f64 = chances[last][..last].iter().sum();
            for from in 0..last {
                chances[from][last] /= leaving;
                for to in 0..last {
                    chances[from][to] += chances[from][last] * chances[last][to];
                }
            }
        }
        let mut shares = vec![1.0; count];
        for n in 1..count {
            shares[n] = (0..n).map(|from| shares[from] * chances[from][n]).sum();
        }
        for (share, state) in shares.iter_mut().zip(&self.states) {
            *share *= state.stay_s.mean();
        }
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        shares
    }

    /// The long-run mean of the factor.
    #[must_use]
    pub fn mean_factor(&self) -> f64 {
        let parts = self.states.iter().zip(self.shares());
        parts.map(|(state, share)| state.factor * share).sum()
    }

    /// The largest factor.
    #[must_use]
    pub fn largest_factor(&self) -> f64 {
        let factors = self.states.iter().map(|state| state.factor);
        factors.fold(0.0, f64::max)
    }

    /// A random state by its share of time, in which to start.
    #[must_use]
    pub fn first(&self, stream: &mut Stream) -> usize {
        pick(&self.shares(), stream)
    }

    /// The state that follows.
    #[must_use]
    pub fn next(&self, state: usize, stream: &mut Stream) -> usize {
        pick(&self.states[state].next, stream)
    }
}

/// A random index, each with its chance.
fn pick(chances: &[f64], stream: &mut Stream) -> usize {
    let mut point = stream.unit();
    for (index, &chance) in chances.iter().enumerate() {
        point -= chance;
        if point < 0.0 {
            return index;
        }
    }
    // The chances sum to 1 up to rounding.
    chances
        .iter()
        .rposition(|&chance| chance > 0.0)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(factor: f64, mean: f64, next: [f64; 3]) -> RateState {
        RateState {
            factor,
            stay_s: Law::Exponential { mean },
            next: next.into(),
        }
    }

    #[test]
    fn shares_are_visits_times_stays() {
        // Visits 4 : 3 : 2 solve the chain; with stays 1, 2, 3 the shares are 4 : 6 : 6.
        let modulation = Modulation {
            states: vec![
                state(8.0, 1.0, [0.0, 0.5, 0.5]),
                state(0.0, 2.0, [1.0, 0.0, 0.0]),
                state(1.0, 3.0, [0.5, 0.5, 0.0]),
            ],
        };
        let shares = modulation.shares();
        for (share, exact) in shares.iter().zip([0.25, 0.375, 0.375]) {
            assert!((share - exact).abs() < 1e-15, "{shares:?}");
        }
        assert!((modulation.mean_factor() - 2.375).abs() < 1e-14);
    }
}
