//! Fleets of several sites, and a run of a scenario held against what was expected of it.

use std::ops::ControlFlow;
use std::sync::Arc;

use meltpoint::estimate::{Estimate, TierEstimate, estimate};
use meltpoint::metrics::summary::{Summary, TierSummary};
use meltpoint::random::{Law, Seed};
use meltpoint::scenario::{Client, Demand, DemandKind, PatienceUntil, Region, Routing, Scenario};
use meltpoint::stats::{confidence_interval, student_t_quantile};
use meltpoint::trials;

const REPLICATIONS: u64 = 20;
const SEED: Seed = Seed(20_251_125);
/// Largest half width of the 95 % interval of a share.
const WITHIN: f64 = 0.01;

/// Users and servers here, servers there; service takes a second, patience is exponential.
pub(crate) fn two_sites(rate_per_s: f64, here: u32, there: u32) -> Scenario {
    let service = Law::Constant { value: 1.0 };
    let mut scenario = Scenario::textbook(rate_per_s, service, here, 800.0);
    scenario.lookahead = meltpoint::units::SimDuration::from_s(0.5);
    scenario.tiers[0].client = impatient(20.0);
    scenario.regions.push(Region {
        name: "there".into(),
        ..scenario.regions[0].clone()
    });
    let mut cluster = scenario.clusters[0].clone();
    (cluster.name, cluster.region) = ("there".into(), 1);
    scenario.clusters.push(cluster);
    let mut pool = scenario.pools[0].clone();
    (pool.name, pool.cluster) = ("there/1".into(), 1);
    pool.deliveries[0].1 = there;
    scenario.pools.push(pool);
    scenario.rules[0].1.policy.routing = Routing::LeastLoaded;
    scenario
}

/// Users who give up after an exponential time.
pub(crate) fn impatient(mean: f64) -> Client {
    Client {
        patience_s: Some(Law::Exponential { mean }),
        until: PatienceUntil::Start,
        silent_share: 0.0,
        retry: None,
    }
}

/// A demand as the first one but for its name, rate, region, work and tier, which is made where it is not there.
pub(crate) fn also(scenario: &mut Scenario, name: &str, rate_per_s: f64, of: [usize; 3]) {
    let [region, work, tier] = of;
    let mut demand = Demand {
        name: name.into(),
        region,
        work,
        tier,
        ..scenario.demands[0].clone()
    };
    if let DemandKind::Rate { curve, .. } = &mut demand.kind {
        curve.points[0].1 = rate_per_s;
    }
    scenario.demands.push(demand);
    while scenario.tiers.len() <= tier {
        let mut other = scenario.tiers[0].clone();
        other.name = format!("tier {}", scenario.tiers.len());
        scenario.tiers.push(other);
        for (_, rules) in &mut scenario.rules {
            rules.tiers.push(rules.tiers[0].clone());
        }
    }
}

/// Expects a scenario and holds twenty runs of it against that: of each tier and of all, the share completed differs
/// by `tolerance` at most beside chance, which is small.
pub(crate) fn agree(scenario: &Scenario, tolerance: f64) -> Estimate {
    let expected = estimate(scenario);
    let runs: Vec<Summary> = (0..REPLICATIONS)
        .map(|index| run(scenario, index))
        .collect();
    let of_tier = |index: usize| {
        let found = runs.iter().map(move |run| completed(&run.tiers[index]));
        (&expected.tiers[index], found.collect())
    };
    let mut pairs: Vec<(&TierEstimate, Vec<f64>)> =
        (0..scenario.tiers.len()).map(of_tier).collect();
    let all = runs.iter().map(|run| completed(&run.total)).collect();
    pairs.push((&expected.total, all));
    for (expected, found) in pairs {
        let interval = confidence_interval(&found, 0.95).expect("there are several");
        let sure = REPLICATIONS as f64 - 1.0;
        let wide = student_t_quantile(0.9999, sure) / student_t_quantile(0.975, sure);
        let share = expected.completed / expected.offered;
        let name = &expected.name;
        assert!(interval.half_width <= WITHIN, "{name}: {interval:?}");
        let allowed = tolerance + wide * interval.half_width;
        let off = (share - interval.mean).abs();
        assert!(off <= allowed, "{name}: {share} expected, {interval:?}");
    }
    expected
}

/// A run with the seed of a replication.
fn run(scenario: &Scenario, index: u64) -> Summary {
    let seed = SEED.replication(index);
    let scenario = Arc::new(Scenario {
        seed,
        ..scenario.clone()
    });
    trials::run(&scenario, 1, &mut |_| ControlFlow::Continue(())).summary
}

fn completed(tier: &TierSummary) -> f64 {
    tier.completed as f64 / tier.offered as f64
}
