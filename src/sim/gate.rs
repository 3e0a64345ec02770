//! A gate: the rules in force for the requests of one demand and tier at a gateway, ready to be
//! applied to request after request.

use super::tally::Refusal;
use super::users::{Allowance, User};
use crate::random::{Sampler, Stream};
use crate::scenario::{RateLimit, Rules, Scenario};
use crate::units::SimTime;

/// What a request must pass, and what its user brings.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    /// Index of the tier whose rules these are.
    pub tier: usize,
    open: bool,
    /// What each user may have.
    pub allowance: Option<Allowance>,
    /// Nanoseconds a user waits for the first attempt; `None`: for ever.
    patience_ns: Option<Sampler>,
    silent_share: f64,
}

impl Gate {
    pub(crate) fn new(scenario: &Scenario, rules: &Rules, tier: usize, local_start_s: i64) -> Self {
        let client = &scenario.tiers[tier].client;
        let rules = &rules.tiers[tier];
        Self {
            tier,
            open: rules.open,
            allowance: rules
                .quota
                .map(|quota| Allowance::new(quota, local_start_s)),
            patience_ns: client.patience_s.map(|law| law.sampler(1e9)),
            silent_share: client.silent_share,
        }
    }

    /// Why a request is refused, if it is. What it passes on the way is used up.
    #[inline]
    pub(crate) fn refusal(
        &mut self,
        at: SimTime,
        user: Option<&mut User>,
        bucket: &mut Bucket,
    ) -> Option<Refusal> {
        if !self.open {
            return Some(Refusal::Closed);
        }
        if !bucket.take(at) {
            return Some(Refusal::RateLimit);
        }
        let (allowance, user) = (self.allowance.as_mut()?, user?);
        (!user.take(allowance, at)).then_some(Refusal::Quota)
    }

    /// How long a user waits in nanoseconds (`u64::MAX`: for ever), and whether he then leaves
    /// without telling.
    #[inline]
    pub(crate) fn patience(&self, stream: &mut Stream) -> (u64, bool) {
        let patience_ns = match &self.patience_ns {
            Some(law) => law.sample_whole(stream),
            None => u64::MAX,
        };
        let silent = self.silent_share > 0.0 && stream.chance(self.silent_share);
        (patience_ns, silent)
    }
}

/// A gateway's share of a tier's rate limit: a token bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    limited: bool,
    per_ns: f64,
    size: f64,
    tokens: f64,
    counted: SimTime,
}

impl Bucket {
    /// Full, where there is a limit; one of `gateways` equal shares.
    pub(crate) fn new(limit: Option<RateLimit>, gateways: usize) -> Self {
        let mut bucket = Self {
            limited: false,
            per_ns: 0.0,
            size: 0.0,
            tokens: limit.map_or(0.0, |limit| limit.burst / gateways as f64),
            counted: SimTime::ZERO,
        };
        bucket.apply(limit, gateways);
        bucket
    }

    /// A new limit for the tokens that were saved.
    pub(crate) fn apply(&mut self, limit: Option<RateLimit>, gateways: usize) {
        let share = 1.0 / gateways as f64;
        self.limited = limit.is_some();
        if let Some(limit) = limit {
            self.per_ns = limit.per_s * share / 1e9;
            self.size = (limit.burst * share).max(1.0);
        }
    }

    #[inline]
    fn take(&mut self, at: SimTime) -> bool {
        if !self.limited {
            return true;
        }
        let filled = self.tokens + (at - self.counted).0 as f64 * self.per_ns;
        self.tokens = filled.min(self.size);
        self.counted = at;
        let allowed = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(allowed));
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_lets_through_what_was_saved_and_then_its_rate() {
        let limit = RateLimit {
            per_s: 8.0,
            burst: 6.0,
        };
        let mut bucket = Bucket::new(Some(limit), 2);
        let mut passed = |seconds: f64| {
            let at = SimTime::from_s(seconds);
            (0..10).filter(|_| bucket.take(at)).count()
        };
        assert_eq!(passed(0.0), 3, "half of what all gateways may save");
        assert_eq!(passed(0.5), 2, "half of 8 a second");
        assert_eq!(passed(100.0), 3);
    }
}
