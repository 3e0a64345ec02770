//! The perfect system: the fewest GPUs with which any scheduler could keep the promises.
//!
//! A promise of a share s within L seconds lets a tier drop (1 - s) of its requests. All others that
//! come in a window [a, b] must be done by b + L, so the fleet must be able to make them in [a, b + L]
//! with all batches full, at the quickest quality that the rules ever give. The largest need of any
//! window is the bound. It holds whatever the order, routing and admission, for the requests that came
//! in the run. A response time of a quantile q is taken for a promise to a share q of all that is
//! offered, for a fleet that refuses everybody answers nobody late.
//!
//! Of tiers taken together only the pools that may serve any of them count: of each tier by itself, of all, and of
//! all those that are confined to the same clusters. A pool makes the quickest work that they ask of it.
//!
//! The best case is taken wherever something is left to chance or to rules: nothing fails or is maintained, and what an
//! autoscaler may order serves from its delivery on; where partitions move, each has all of its cluster. Where deliveries are random it is the bound of the first run,
//! with the dates that it drew.

use std::borrow::Cow;

use serde::Serialize;

use crate::metrics::summary::Summary;
use crate::scenario::{Demand, DemandKind, Goal, Pool, Scenario, Work};
use crate::units::SimTime;

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
    let all: Vec<usize> = (0..small.tiers.len()).collect();
    let [few, more] = [small, large].map(|scenario| {
        let rates = full_rates_per_s(scenario, &all);
        images(scenario, &rates, 0.0, horizon_s)
    });
    if more <= few {
        return None;
    }
    let edges = edges(demand, horizon_s);
    let duties = duties(small, demand, &edges);
    let mut best = Least {
        size: 0,
        from_s: 0.0,
        until_s: horizon_s,
        hopeless_s: None,
    };
    let mut shortest = 0.0;
    for group in groups(small, &duties) {
        let rates = [small, large].map(|scenario| full_rates_per_s(scenario, &group.tiers));
        let limits_s = group.duties.iter().map(|duty| duty.limit_s);
        let limit_s = limits_s.fold(0.0, f64::max);
        for (a, &from_s) in edges.iter().enumerate() {
            for (b, &edge_s) in edges.iter().enumerate().skip(a + 1) {
                let until_s = (edge_s + limit_s).min(horizon_s);
                let made = images(small, &rates[0], from_s, until_s);
                let short = group.needed(a, b) - made;
                let further = images(large, &rates[1], from_s, until_s) - made;
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

/// Tiers that are looked at together, and what must be done for them.
struct Group<'d> {
    tiers: Vec<usize>,
    duties: Vec<&'d Duty>,
}

impl Group<'_> {
    /// Requests of a window that must be done.
    fn needed(&self, a: usize, b: usize) -> f64 {
        let of = |duty: &&Duty| (duty.offered[b] - duty.offered[a] - duty.allowance).max(0.0);
        self.duties.iter().map(of).sum()
    }
}

/// Each promise by itself, then all tiers together and those that are confined to the pools of one of them, each tier
/// by its strictest promise.
fn groups<'d>(scenario: &Scenario, duties: &'d [Vec<Duty>]) -> Vec<Group<'d>> {
    let each = duties.iter().enumerate();
    let mut groups: Vec<Group<'d>> = each
        .flat_map(|(tier, of_tier)| {
            of_tier.iter().map(move |duty| Group {
                tiers: vec![tier],
                duties: vec![duty],
            })
        })
        .collect();
    let strictest = |tier: usize| {
        let of_tier = duties[tier].iter();
        of_tier.min_by(|a, b| a.allowance.total_cmp(&b.allowance))
    };
    let promised: Vec<usize> = (0..duties.len())
        .filter(|&tier| strictest(tier).is_some())
        .collect();
    let mut together = vec![promised.clone()];
    let pools: Vec<Vec<bool>> = (0..duties.len())
        .map(|tier| pools_for(scenario, &[tier]))
        .collect();
    for &tier in &promised {
        let confined = |other: &&usize| {
            let mut both = pools[**other].iter().zip(&pools[tier]);
            both.all(|(&its, &there)| there || !its)
        };
        let confined: Vec<usize> = promised.iter().filter(confined).copied().collect();
        if confined.len() > 1 && !together.contains(&confined) {
            together.push(confined);
        }
    }
    groups.extend(together.into_iter().map(|tiers| Group {
        duties: tiers.iter().filter_map(|&tier| strictest(tier)).collect(),
        tiers,
    }));
    groups
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

/// Images that pools of these rates can make between two times with all batches full; outages do not count.
fn images(scenario: &Scenario, rates_per_s: &[f64], from_s: f64, until_s: f64) -> f64 {
    let of_pool = |(pool, rate_per_s): (&Pool, &f64)| {
        let seconds = |&(at, replicas): &(SimTime, u32)| {
            f64::from(replicas) * (until_s - from_s.max(at.as_s())).max(0.0)
        };
        rate_per_s * most(scenario, pool).iter().map(seconds).sum::<f64>()
    };
    scenario.pools.iter().zip(rates_per_s).map(of_pool).sum()
}

/// The most replicas that a pool may come to have: (date, how many more).
fn most<'s>(scenario: &'s Scenario, pool: &'s Pool) -> Cow<'s, [(SimTime, u32)]> {
    let division = scenario.clusters[pool.cluster].division.as_ref();
    let Some(division) = division.filter(|division| division.moves.is_some()) else {
        return Cow::Borrowed(&pool.deliveries);
    };
    let replicas = division.unit_gpus / pool.profile.gpus_per_replica.max(1);
    let units = division.partitions.iter().flat_map(|part| &part.deliveries);
    units.map(|&(at, units)| (at, units * replicas)).collect()
}

/// Whether requests of a demand may be of one of these tiers.
fn is_of(demand: &Demand, tiers: &[usize]) -> bool {
    let subscribed = match &demand.kind {
        DemandKind::Population(population) => population.conversion_tier,
        DemandKind::Rate { .. } | DemandKind::Trace(_) => None,
    };
    tiers.contains(&demand.tier) || subscribed.is_some_and(|tier| tiers.contains(&tier))
}

/// The demands of some tiers that a pool may serve.
fn served<'s>(scenario: &'s Scenario, pool: &Pool, tiers: &[usize]) -> Vec<&'s Demand> {
    let region = scenario.clusters[pool.cluster].region;
    let may = |demand: &&Demand| {
        let home = &scenario.regions[demand.region];
        is_of(demand, tiers) && pool.can_do(demand.work) && home.may_be_served_in(region)
    };
    scenario.demands.iter().filter(may).collect()
}

/// By pool: whether it may serve any of some tiers.
fn pools_for(scenario: &Scenario, tiers: &[usize]) -> Vec<bool> {
    let pools = scenario.pools.iter();
    pools
        .map(|pool| !served(scenario, pool, tiers).is_empty())
        .collect()
}

/// By pool: images a second of one replica at the quickest work that some tiers may ask of it, at the quickest
/// quality that the rules ever give; 0 where it may serve none of them.
fn full_rates_per_s(scenario: &Scenario, tiers: &[usize]) -> Vec<f64> {
    let of_pool = |pool: &Pool| {
        let asked = served(scenario, pool, tiers).into_iter();
        let rates =
            asked.map(|demand| full_rate_per_s(scenario, pool, &scenario.works[demand.work]));
        rates.fold(0.0, f64::max)
    };
    scenario.pools.iter().map(of_pool).collect()
}

/// Images a second of one replica that does a work, at the quickest quality that the rules ever give.
fn full_rate_per_s(scenario: &Scenario, pool: &Pool, work: &Work) -> f64 {
    let mut best = 0.0_f64;
    for (_, rules) in &scenario.rules {
        let places = pool.places(&rules.policy.batching, work.memory_bytes);
        let lower = rules.policy.degradation.as_ref();
        let lower = lower.and_then(|degradation| work.quality(&degradation.quality));
        for quality in [Some(0), lower].into_iter().flatten() {
            best = best.max(work.rate_per_s(&pool.profile.curve, places, quality));
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
            let middle = SimTime::from_s(1000.0);
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

    /// Two tiers of 20 requests a second and half a second each: one may be served here alone, the other anywhere.
    fn confined(here: u32, there: u32) -> Scenario {
        let goal = Goal::Completed { share: 0.9 };
        let mut scenario = queue(here, goal);
        let mut region = scenario.regions[0].clone();
        region.name = "there".into();
        scenario.regions.push(region);
        scenario.regions[0].served_in = vec![true, false];
        let mut cluster = scenario.clusters[0].clone();
        (cluster.name, cluster.region) = ("there".into(), 1);
        scenario.clusters.push(cluster);
        let mut pool = scenario.pools[0].clone();
        (pool.name, pool.cluster) = ("there/1".into(), 1);
        pool.deliveries[0].1 = there;
        scenario.pools.push(pool);
        let mut demand = scenario.demands[0].clone();
        (demand.name, demand.region, demand.tier) = ("guests".into(), 1, 1);
        scenario.demands.push(demand);
        let mut tier = scenario.tiers[0].clone();
        tier.name = "guests".into();
        scenario.tiers.push(tier);
        for (_, rules) in &mut scenario.rules {
            rules.tiers.push(rules.tiers[0].clone());
        }
        let slo = Slo {
            tier: 1,
            name: "guests".into(),
            ..scenario.slos[0].clone()
        };
        scenario.slos.push(slo);
        scenario
    }

    fn of_confined(sizes: [(u64, [u32; 2]); 2]) -> Least {
        let large = confined(30, 30);
        let trial = trials::run(&Arc::new(large), 1, &mut |_| ControlFlow::Continue(()));
        let [small, large] = sizes.map(|(size, [here, there])| (size, confined(here, there)));
        least([(small.0, &small.1), (large.0, &large.1)], &trial.summary).expect("they serve")
    }

    #[test]
    fn a_tier_that_is_confined_counts_only_what_may_serve_it() {
        // 9 erlang of each must be done. With 30 servers there, the fleet has enough from the start, but not here.
        let here = of_confined([(3, [3, 30]), (4, [4, 30])]);
        assert!(
            (9..=10).contains(&here.size) && here.hopeless_s.is_none(),
            "{here:?}"
        );
        // With 5 here no number of servers there helps who may not go there.
        let there = of_confined([(3, [5, 3]), (4, [5, 4])]);
        assert!(there.hopeless_s.is_some(), "{there:?}");
        // With 12 here, 6 there do the rest of the 18.
        let there = of_confined([(3, [12, 3]), (4, [12, 4])]);
        assert!(
            (6..=7).contains(&there.size) && there.hopeless_s.is_none(),
            "{there:?}"
        );
    }
}
