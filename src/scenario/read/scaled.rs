//! What a small scale does not only make smaller.

use crate::scenario::Scenario;

/// The share by which a fleet of whole replicas may differ from what the scale makes of it, unsaid.
const ROUNDING_MAX: f64 = 0.02;

/// A token bucket that holds fewer requests refuses noticeably more of random arrivals than a large one.
const SAVED_MIN: f64 = 30.0;

/// What may be doubted at this scale; `rounding`: all replicas over what the scale makes of them.
pub(super) fn warnings(scenario: &Scenario, rounding: f64) -> Vec<String> {
    if scenario.scale >= 1.0 {
        return Vec::new();
    }
    let mut warnings = Vec::new();
    if (rounding - 1.0).abs() > ROUNDING_MAX {
        warnings.push(format!(
            "chunks have whole replicas, at least one each: at this scale the fleet has {:.0} % of its size; a larger \
             --scale is truer",
            100.0 * rounding
        ));
    }
    for (index, tier) in scenario.tiers.iter().enumerate() {
        let limits = scenario.rules.iter();
        let limits = limits.filter_map(|(_, rules)| rules.tiers[index].rate_limit);
        let saved = |burst: f64| burst / scenario.pools.len().max(1) as f64;
        let least = limits
            .map(|limit| saved(limit.burst))
            .fold(f64::INFINITY, f64::min);
        if least < SAVED_MIN {
            warnings.push(format!(
                "`tier.{}.rate_limit`: at this scale a gateway can save up {least:.1} requests, so it refuses more of \
                 them by chance than at full scale",
                tier.name
            ));
        }
    }
    warnings
}
