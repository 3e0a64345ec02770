//! The perfect system: the fewest GPUs with which any scheduler could keep the promises.
//!
//! A promise of a share s within L seconds lets a tier drop (1 - s) of its requests. All others that
//! come in a window [a, b] must be done by b + L, so the fleet must be able to make them in [a, b + L]
//! with all batches full, at the quickest quality that the rules ever give. The largest need of any
//! window is the bound. It holds whatever the order, routing and admission, for the requests that came
//! in the run. A response time of a quantile q is taken for a promise to a share q of all that is
//! offered, for a fleet that refuses everybody answers nobody late.

use serde::Serialize;

use crate::metrics::summary::Summary;
use crate::scenario::{Goal, Pool, Scenario};

/// Most pieces in which the time is looked at; windows are of any two of their edges.
const PIECES: usize = 240;

/// The fewest with which any scheduler could do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// The least value of what is varied.
    pub value: u64,
    /// GPUs of the whole fleet with it.
    pub fleet_gpus: u64,
    /// GPUs of the fleet that was found over these; `None`: none was found, or no GPU is needed.
    pub fleet_ratio: Option<f64>,
    /// Start of the window that asks for most, seconds after the start.
    pub from_s: f64,
    /// Its end.
    pub until_s: f64,
    /// A window for which even a perfect scheduler has too little, and in which what is varied is not
    /// there yet: no size of it is enough. From and to, in seconds after the start.
    pub hopeless_s: Option<(f64, f64)>,
}

/// The least size, and the window that asks for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Least {
    pub(super) size: u64,
    pub(super) from_s: f64,
    pub(super) until_s: f64,
    pub(super) hopeless_s: Option<(f64, f64)>,
}

/// Requests of a tier that must be done, all but an allowance within the limit.
#[derive(Clone, Debug)]
struct Duty {
    /// Requests offered up to each edge.
    offered: Vec<f64>,
    allowance: f64,
    limit_s: f64,
}

/// The least size for the demand of a run, by the scenarios of two neighbouring sizes; `None`: a larger
/// size brings no capacity.
pub(super) fn least(scenarios: [(u64, &Scenario); 2], demand: &Summary) -> Option<Least> {
    let [(size, small), (_, large)] = scenarios;
    let horizon_s = small.horizon.as_s();
    let one =
        |from_s: f64, until_s: f64| images(large, from_s, until_s) - images(small, from_s, until_s);
    if one(0.0, horizon_s) <= 0.0 {
        return None;
    }
    let edges = edges(demand, horizon_s);
    let duties = duties(small, demand, &edges);
    let mut joint: Vec<&Duty> = duties.iter().flatten().collect();
    let mut groups: Vec<Vec<&Duty>> = joint.iter().map(|duty| vec![*duty]).collect();
    // All tiers together, each by its strictest promise.
    joint = duties
        .iter()
        .filter_map(|of_tier| {
            of_tier
                .iter()
                .min_by(|a, b| a.allowance.total_cmp(&b.allowance))
        })
        .collect();
    groups.push(joint);
    let mut best = Least {
        size: 0,
        from_s: 0.0,
        until_s: horizon_s,
        hopeless_s: None,
    };
    let mut shortest = 0.0;
    for group in &groups {
        let limit_s = group.iter().map(|duty| duty.limit_s).fold(0.0, f64::max);
        for (a, &from_s) in edges.iter().enumerate() {
            for (b, &edge_s) in edges.iter().enumerate().skip(a + 1) {
                let until_s = (edge_s + limit_s).min(horizon_s);
                let needed: f64 = group
                    .iter()
                    .map(|duty| (duty.offered[b] - duty.offered[a] - duty.allowance).max(0.0))
                    .sum();
                let short = needed - images(small, from_s, until_s);
                let further = one(from_s, until_s);
                if further <= 0.0 {
                    if short > shortest {
                        shortest = short;
                        best.hopeless_s = Some((from_s, until_s));
                    }
                    continue;
                }
                let asked = (size as f64 + short / further).ceil().max(0.0) as u64;
                if asked > best.size {
                    (best.size, best.from_s, best.until_s) = (asked, from_s, until_s);
                }
            }
        }
    }
    Some(best)
}

/// The time in equal pieces of whole intervals of the series.
fn edges(demand: &Summary, horizon_s: f64) -> Vec<f64> {
    let intervals = demand.series.len().max(1);
    let piece_s = demand.series.interval_s * intervals.div_ceil(PIECES) as f64;
    let count = intervals.div_ceil(intervals.div_ceil(PIECES));
    (0..=count)
        .map(|index| (index as f64 * piece_s).min(horizon_s))
        .collect()
}

/// By tier, its promises as requests that must be done.
fn duties(scenario: &Scenario, demand: &Summary, edges: &[f64]) -> Vec<Vec<Duty>> {
    let of_tier = |tier: usize| {
        let promises = scenario.slos.iter().filter(|slo| slo.tier == tier);
        promises
            .map(|slo| {
                let (share, limit_s) = match slo.goal {
                    Goal::Response { quantile, limit_s } => (quantile, limit_s),
                    Goal::Completed { share } => (share, f64::INFINITY),
                    Goal::Goodput { share, limit_s } => (share, limit_s),
                };
                let offered = offered(demand, &scenario.tiers[tier].name, edges);
                let all = offered.last().copied().unwrap_or(0.0);
                Duty {
                    offered,
                    allowance: (1.0 - share) * all,
                    limit_s,
                }
            })
            .collect()
    };
    (0..scenario.tiers.len()).map(of_tier).collect()
}

/// Requests offered by a tier up to each edge, by the series of the run.
fn offered(demand: &Summary, tier: &str, edges: &[f64]) -> Vec<f64> {
    let interval_s = demand.series.interval_s;
    let rates = demand.series.column("offered", Some(tier));
    let rates = rates.map_or(&[][..], |column| column.values.as_slice());
    let up_to = |edge_s: f64| {
        let in_interval = |(index, rate): (usize, &Option<f64>)| {
            let from_s = index as f64 * interval_s;
            let seconds = (edge_s - from_s).clamp(0.0, interval_s);
            rate.unwrap_or(0.0) * seconds
        };
        rates.iter().enumerate().map(in_interval).sum()
    };
    edges.iter().map(|&edge_s| up_to(edge_s)).collect()
}

/// Images that the fleet can make between two times with all batches full; outages do not count.
fn images(scenario: &Scenario, from_s: f64, until_s: f64) -> f64 {
    let of_pool = |pool: &Pool| {
        let seconds = |&(at, replicas): &(crate::units::SimTime, u32)| {
            f64::from(replicas) * (until_s - from_s.max(at.as_s())).max(0.0)
        };
        full_rate_per_s(scenario, pool) * pool.deliveries.iter().map(seconds).sum::<f64>()
    };
    scenario.pools.iter().map(of_pool).sum()
}

/// Images a second of one replica at the quickest work that is asked for, at the quickest quality that
/// the rules ever give.
fn full_rate_per_s(scenario: &Scenario, pool: &Pool) -> f64 {
    let asked = scenario.demands.iter().map(|demand| demand.work);
    let mut best = 0.0_f64;
    for work in asked.map(|index| &scenario.works[index]) {
        for (_, rules) in &scenario.rules {
            let places = pool.places(&rules.policy.batching, work.memory_bytes);
            let lower = rules.policy.degradation.as_ref();
            let lower = lower.and_then(|degradation| work.quality(&degradation.quality));
            for quality in [Some(0), lower].into_iter().flatten() {
                best = best.max(work.rate_per_s(&pool.profile.curve, places, quality));
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Law;
    use crate::scenario::Slo;
    use crate::trials;
    use std::ops::ControlFlow;
    use std::sync::Arc;

    fn queue(replicas: u32, goal: Goal) -> Scenario {
        let service = Law::Constant { value: 0.5 };
        let mut scenario = Scenario::textbook(20.0, service, replicas, 2000.0);
        scenario.slos.push(Slo {
            name: "all".into(),
            tier: 0,
            goal,
            enforced: false,
        });
        scenario
    }

    fn of(goal: Goal) -> Least {
        let scenarios = [3, 4].map(|replicas| queue(replicas, goal));
        let trial = trials::run(&Arc::new(queue(12, goal)), 1, &mut |_| {
            ControlFlow::Continue(())
        });
        let [small, large] = &scenarios;
        least([(3, small), (4, large)], &trial.summary).expect("replicas serve")
    }

    #[test]
    fn the_bound_of_a_queue_is_its_offered_load_less_what_may_be_dropped() {
        // 20 /s of half a second are 10 erlang, give or take chance: 40,000 requests, 0.5 % each way.
        let all = of(Goal::Completed { share: 1.0 });
        assert!((10..=11).contains(&all.size), "{all:?}");
        let most = of(Goal::Completed { share: 0.85 });
        assert_eq!(most.size, 9, "8.5 erlang are to be served");
    }

    #[test]
    fn the_window_that_asks_for_most_counts() {
        // A burst of half the requests in the last tenth, which must be answered within a second.
        let goal = Goal::Goodput {
            share: 1.0,
            limit_s: 1.0,
        };
        let burst = |mut scenario: Scenario| {
            if let crate::scenario::DemandKind::Rate { curve, .. } = &mut scenario.demands[0].kind {
                let from = crate::units::SimTime::from_s(1800.0);
                curve.points.push((from, 180.0));
            }
            scenario
        };
        let small = burst(queue(3, goal));
        let large = burst(queue(4, goal));
        let trial = trials::run(&Arc::new(burst(queue(120, goal))), 1, &mut |_| {
            ControlFlow::Continue(())
        });
        let least = least([(3, &small), (4, &large)], &trial.summary).expect("replicas serve");
        assert_eq!(least.from_s, 1800.0);
        assert!((87..=93).contains(&least.size), "90 erlang: {least:?}");
    }

    #[test]
    fn what_comes_after_a_need_does_not_help_it() {
        let goal = Goal::Goodput {
            share: 0.9,
            limit_s: 1.0,
        };
        // Ten servers are needed from the start on; six are there, the rest come in the middle.
        let late = |replicas: u32| {
            let mut scenario = queue(6, goal);
            let middle = crate::units::SimTime::from_s(1000.0);
            scenario.pools[0].deliveries.push((middle, replicas));
            scenario
        };
        let (small, large) = (late(3), late(4));
        let trial = trials::run(&Arc::new(queue(12, goal)), 1, &mut |_| {
            ControlFlow::Continue(())
        });
        let least = least([(3, &small), (4, &large)], &trial.summary).expect("replicas serve");
        // Within [0, 1000]: 20,000 requests less the 4,000 that may be dropped, and 6 make 12,000.
        let (from_s, until_s) = least.hopeless_s.expect("it is too late");
        assert!(from_s == 0.0 && until_s <= 1000.0, "{from_s} to {until_s}");
        assert!(of(goal).hopeless_s.is_none());
    }

    #[test]
    fn what_brings_no_capacity_has_no_bound() {
        let goal = Goal::Completed { share: 0.9 };
        let scenario = queue(12, goal);
        let trial = trials::run(&Arc::new(scenario.clone()), 1, &mut |_| {
            ControlFlow::Continue(())
        });
        assert_eq!(
            least([(1, &scenario), (2, &scenario)], &trial.summary),
            None
        );
    }
}
