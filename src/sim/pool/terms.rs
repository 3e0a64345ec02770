//! Terms: what the rules and the demands mean for a pool, computed once for many requests.

use crate::random::Sampler;
use crate::scenario::{
    Batching, Dispatch, Drop, PatienceUntil, Policy, QueueLimit, QueueOrder, Reclaim, Retry, Rules,
    Scenario, TierRules, Work,
};
use crate::units::SimDuration;

/// All terms of a pool.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// By demand.
    pub works: Vec<WorkTerms>,
    /// By tier.
    pub tiers: Vec<TierTerms>,
    pub limits: Limits,
    /// One line serves all replicas.
    pub is_central: bool,
    pub is_static: bool,
    /// Who goes first takes the place of who runs, or a tier gives back what it has borrowed; fixed batches are not
    /// interrupted.
    pub is_preemptive: bool,
    /// Tiers have shares of the places, so who waits may wait for his own tier's.
    pub is_shared: bool,
    /// Whoever has a place has the memory for it too.
    pub is_memory_ample: bool,
    /// Who waits, waits for a place and nothing else: while there is somebody in line, no place is free.
    pub waits_for_place: bool,
    pub drop: Drop,
}

/// How large a pool is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub replicas: usize,
    /// In a batch.
    pub places: usize,
    /// Of a replica, in bytes.
    pub memory_limit: u64,
    /// Requests a second with all batches full.
    pub rate_per_s: f64,
}

/// What each request of a demand asks for.
#[derive(Clone, Debug)]
pub(super) struct WorkTerms {
    pub memory_bytes: u64,
    pub memory_bytes_per_token: u64,
    pub grows: bool,
    /// What the answer takes over the network.
    pub way_back: SimDuration,
    /// By quality: the price of an image.
    pub micro_usd_per_image: Vec<u64>,
    /// What is given while too many wait: index of the quality and its amount.
    pub degraded: Option<(u8, Sampler)>,
}

impl WorkTerms {
    /// Bytes that a request with so many tokens in all holds; no more than a replica has, so that nobody waits for
    /// ever.
    #[inline]
    pub(super) fn bytes(&self, tokens: u64, memory_limit: u64) -> u64 {
        match self.memory_bytes_per_token {
            0 => self.memory_bytes,
            each => {
                let cache = each.saturating_mul(tokens);
                self.memory_bytes.saturating_add(cache).min(memory_limit)
            }
        }
    }
}

/// How the users of a tier are treated and behave.
#[derive(Clone, Debug)]
pub(super) struct TierTerms {
    pub priority: u8,
    pub deadline: SimDuration,
    /// Nanoseconds a user waits for a further attempt; `None`: for ever.
    pub patience_ns: Option<Sampler>,
    /// Whether only the answer ends the user's waiting; else the start of service does.
    pub until_done: bool,
    pub retry: Option<(Retry, Sampler)>,
}

/// Numbers of waiting attempts above which something else happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// With so many the queue is full.
    pub full: u64,
    /// Above, the expected wait is too long.
    pub too_long: u64,
    /// Above, lower quality begins to be given ...
    pub degrade_above: u64,
    /// ... and above this it goes on.
    pub degrade_below: u64,
}

impl Size {
    /// Before the first delivery.
    pub(super) const NONE: Self = Self {
        replicas: 0,
        places: 0,
        memory_limit: 0,
        rate_per_s: 0.0,
    };
}

impl Terms {
    /// The terms of a pool of a size in a region.
    pub(super) fn new(scenario: &Scenario, rules: &Rules, region: usize, size: Size) -> Self {
        let policy = &rules.policy;
        let tiers = scenario.tiers.iter().zip(&rules.tiers);
        let slots = size.replicas * size.places;
        let largest = scenario.works.iter().map(|work| work.memory_bytes).max();
        let is_fixed = |work: &Work| work.memory_bytes_per_token == 0;
        let needed = match scenario.works.iter().all(is_fixed) {
            true => largest.unwrap_or(0).saturating_mul(size.places as u64),
            false => u64::MAX,
        };
        let is_static = matches!(policy.batching, Batching::Static { .. });
        let interrupts = match policy.order {
            QueueOrder::Preemptive => true,
            QueueOrder::Shares => policy.reclaim == Reclaim::Interrupt,
            _ => false,
        };
        let is_central = policy.dispatch == Dispatch::Central;
        let is_shared = policy.order == QueueOrder::Shares;
        let is_memory_ample = needed <= size.memory_limit;
        Self {
            works: (0..scenario.demands.len())
                .map(|demand| WorkTerms::new(scenario, policy, region, demand))
                .collect(),
            tiers: tiers
                .map(|(tier, rules)| TierTerms::new(&tier.client, rules))
                .collect(),
            limits: Limits::new(policy, slots as f64, size.rate_per_s),
            is_central,
            is_static,
            is_preemptive: interrupts && !is_static,
            is_shared,
            is_memory_ample,
            waits_for_place: is_central && is_memory_ample && !is_static && !is_shared,
            drop: policy.drop,
        }
    }
}

impl WorkTerms {
    fn new(scenario: &Scenario, policy: &Policy, region: usize, demand: usize) -> Self {
        let demand = &scenario.demands[demand];
        let work = &scenario.works[demand.work];
        let degraded = policy.degradation.as_ref().and_then(|degradation| {
            let quality = work.quality(&degradation.quality).filter(|&q| q > 0)?;
            Some((quality as u8, work.amount_sampler(quality)))
        });
        Self {
            memory_bytes: work.memory_bytes,
            memory_bytes_per_token: work.memory_bytes_per_token,
            grows: work.context_grows,
            way_back: scenario.regions[region].delay_to(demand.region),
            micro_usd_per_image: work
                .qualities
                .iter()
                .map(crate::scenario::Quality::micro_usd_per_image)
                .collect(),
            degraded,
        }
    }
}

impl TierTerms {
    fn new(client: &crate::scenario::Client, rules: &TierRules) -> Self {
        Self {
            priority: rules.priority,
            deadline: rules.deadline,
            patience_ns: client.patience_s.map(|law| law.sampler(1e9)),
            until_done: client.until == PatienceUntil::Done,
            retry: client
                .retry
                .map(|retry| (retry, retry.backoff.sampler(1.0))),
        }
    }
}

impl Limits {
    fn new(policy: &Policy, slots: f64, rate_per_s: f64) -> Self {
        let degrade = |limit: fn(&crate::scenario::Degradation) -> f64| {
            let degradation = policy.degradation.as_ref();
            degradation.map_or(u64::MAX, |degradation| most(limit(degradation), slots))
        };
        Self {
            full: match policy.admission.queue_limit {
                QueueLimit::None => u64::MAX,
                QueueLimit::Requests(requests) => requests,
                QueueLimit::PerSlot(requests) => (requests * slots) as u64,
            },
            too_long: policy
                .admission
                .refuse_wait_above
                .map_or(u64::MAX, |longest| most(longest.as_s(), rate_per_s)),
            degrade_above: degrade(|degradation| degradation.above),
            degrade_below: degrade(|degradation| degradation.below),
        }
    }
}

/// The largest n with n / `per` <= `limit`.
fn most(limit: f64, per: f64) -> u64 {
    /// Beyond, not every whole number is an `f64`, and nothing is limited.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    let estimate = limit * per;
    if estimate.is_nan() || estimate >= WHOLE {
        return if per > 0.0 { u64::MAX } else { 0 };
    }
    let mut n = estimate as u64;
    while n > 0 && n as f64 / per > limit {
        n -= 1;
    }
    while (n + 1) as f64 / per <= limit {
        n += 1;
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_the_last_number_that_does_not_exceed_it() {
        assert_eq!(most(2.0, 10.0), 20);
        assert_eq!(most(0.1, 30.0), 3);
        assert_eq!(most(0.3, 10.0), if 3.0 / 10.0 <= 0.3 { 3 } else { 2 });
        assert_eq!(
            most(5.0, 0.0),
            0,
            "without replicas whoever waits waits too long"
        );
        assert_eq!(most(f64::INFINITY, 10.0), u64::MAX);
        for (limit, per) in [(0.7, 13.0), (1.1, 7.3), (240.0, 0.031)] {
            let n = most(limit, per);
            assert!(n as f64 / per <= limit && (n + 1) as f64 / per > limit);
        }
    }
}
