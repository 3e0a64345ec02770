//! Shares: which tier is next where several share a pool, and how many places it may have at most.
//!
//! The tier that would have the least for its share with one place more goes next: (places + 1) / share, the first
//! tier among equals. So a tier alone may use everything; as soon as others come, each place that becomes free
//! goes to whoever has less than its share. A tier at its limit waits, whatever is free.
//!
//! Where places are reclaimed, a tier takes one of another only if it then has less for its share than the other had:
//! (held + 1) / share of the taker < held / share of the giver. That is who would be next if the giver's place were
//! free. The giver cannot take it back, (held - 1 + 1) / share being more than the taker has now, nor can a third for
//! whom somebody waits, as the taker was next before it. Each exchange makes the sum of held (held + 1) / share
//! smaller by twice the difference, so where nobody comes or goes they end.

use std::sync::Arc;

use crate::scenario::Rules;

/// What each tier is entitled to, of the places before one line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shares {
    /// By tier: its weight.
    weights: Vec<f64>,
    /// By tier: most places.
    limits: Vec<u64>,
}

impl Shares {
    /// Of so many places before one line; a tier that has any place may have at least one.
    pub(crate) fn new(rules: &Rules, places: usize) -> Self {
        let limit = |share: f64| ((share * places as f64) as u64).max(1);
        Self {
            weights: rules.tiers.iter().map(|tier| tier.share).collect(),
            limits: rules
                .tiers
                .iter()
                .map(|tier| limit(tier.places_limit))
                .collect(),
        }
    }

    /// Tiers that share.
    pub(crate) fn tiers(&self) -> usize {
        self.weights.len()
    }
}

/// Places that tiers hold, and who is next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Balance {
    shares: Arc<Shares>,
    /// By tier.
    held: Vec<u64>,
}

impl Balance {
    /// What tiers are entitled to from now on.
    pub(crate) fn entitle(&mut self, shares: &Arc<Shares>) {
        self.shares = Arc::clone(shares);
        self.held.resize(shares.weights.len(), 0);
    }

    /// A tier has one place more.
    pub(crate) fn takes(&mut self, tier: usize) {
        self.held[tier] += 1;
    }

    /// A tier has one place less.
    pub(crate) fn leaves(&mut self, tier: usize) {
        self.held[tier] -= 1;
    }

    /// Whether a tier may have one place more.
    pub(crate) fn has_room(&self, tier: usize) -> bool {
        self.held[tier] < self.shares.limits[tier]
    }

    /// Who is next of the tiers for which somebody waits.
    pub(crate) fn next(&self, waits: impl Fn(usize) -> bool) -> Option<usize> {
        let tiers = 0..self.held.len();
        let may = tiers.filter(|&tier| waits(tier) && self.has_room(tier));
        let key = |tier: usize| (self.held[tier] + 1) as f64 / self.shares.weights[tier];
        may.fold(None, |best: Option<(usize, f64)>, tier| match best {
            Some(best) if best.1 <= key(tier) => Some(best),
            _ => Some((tier, key(tier))),
        })
        .map(|best| best.0)
    }

    /// Who gives a place to a tier for which somebody waits: whoever has the most for its share, the last tier among
    /// equals, if the taker has less even with one place more.
    pub(crate) fn giver(&self, taker: usize) -> Option<usize> {
        let has =
            |tier: usize, more: u64| (self.held[tier] + more) as f64 / self.shares.weights[tier];
        let tiers = 0..self.held.len();
        let most = tiers.max_by(|&one, &other| has(one, 0).total_cmp(&has(other, 0)))?;
        (has(taker, 1) < has(most, 0)).then_some(most)
    }

    /// Who has more places than his limit.
    pub(crate) fn over_limit(&self) -> impl Iterator<Item = usize> {
        let tiers = 0..self.held.len();
        tiers.filter(|&tier| self.held[tier] > self.shares.limits[tier])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balance(weights: &[f64], limits: &[u64]) -> Balance {
        let mut balance = Balance::default();
        balance.entitle(&Arc::new(Shares {
            weights: weights.to_vec(),
            limits: limits.to_vec(),
        }));
        balance
    }

    #[test]
    fn places_are_split_by_shares_while_all_wait() {
        let mut balance = balance(&[5.0, 3.0, 2.0], &[100; 3]);
        for _ in 0..50 {
            let next = balance.next(|_| true).expect("all wait");
            balance.takes(next);
        }
        assert_eq!(balance.held, [25, 15, 10]);
    }

    #[test]
    fn nobody_takes_from_the_tier_that_has_just_been_given_a_place() {
        for weights in [[1.0; 3], [5.0, 3.0, 2.0], [100.0, 1.0, 0.01]] {
            for number in 0..512 {
                let mut balance = balance(&weights, &[100; 3]);
                balance.held = vec![number / 64, number / 8 % 8, number % 8];
                let sum = |held: &[u64]| -> f64 {
                    let each = held.iter().zip(weights);
                    each.map(|(&held, weight)| (held * (held + 1)) as f64 / weight)
                        .sum()
                };
                let before = sum(&balance.held);
                let taker = balance.next(|_| true).expect("all wait");
                let Some(giver) = balance.giver(taker) else {
                    continue;
                };
                balance.leaves(giver);
                balance.takes(taker);
                assert!(sum(&balance.held) < before);
                for other in 0..3 {
                    assert_ne!(balance.giver(other), Some(taker), "{weights:?} {number}");
                }
            }
        }
    }

    #[test]
    fn who_has_the_most_for_his_share_gives_until_both_have_alike() {
        let mut balance = balance(&[3.0, 1.0, 1.0], &[100; 3]);
        balance.held = vec![0, 4, 4];
        let mut givers = Vec::new();
        while let Some(giver) = balance.giver(0) {
            balance.leaves(giver);
            balance.takes(0);
            givers.push(giver);
        }
        // With one place more the first would have 6 / 3, as much as the second has.
        assert_eq!(givers, [2, 1, 2, 1, 2]);
        assert_eq!(balance.held, [5, 2, 1]);
        assert_eq!((balance.giver(1), balance.giver(2)), (None, None));
    }

    #[test]
    fn who_exceeds_his_limit_gives_back_what_exceeds_it() {
        let mut balance = balance(&[1.0; 3], &[2, 3, 4]);
        balance.held = vec![2, 5, 5];
        assert_eq!(balance.over_limit().collect::<Vec<_>>(), [1, 2]);
        balance.leaves(2);
        assert_eq!(balance.over_limit().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn who_is_alone_borrows_up_to_his_limit_and_gives_back() {
        let mut balance = balance(&[1.0, 1.0], &[8, 100]);
        for _ in 0..8 {
            assert_eq!(balance.next(|tier| tier == 0), Some(0));
            balance.takes(0);
        }
        assert_eq!(balance.next(|tier| tier == 0), None);
        // The other comes: each place that the first leaves is the other's, until they have the same.
        for _ in 0..4 {
            balance.leaves(0);
            assert_eq!(balance.next(|_| true), Some(1));
            balance.takes(1);
        }
        balance.leaves(1);
        assert_eq!(balance.next(|_| true), Some(1));
    }
}
