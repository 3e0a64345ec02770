//! Scenarios at random: several pools, and everything that one can ask for.

use meltpoint::profile::ServiceCurve;
use meltpoint::random::{Law, Seed};
use meltpoint::scenario::{
    Admission, Batching, Client, Cluster, Degradation, DemandKind, Dispatch, Drop, Outage,
    PatienceUntil, Policy, Population, Process, QueueLimit, QueueOrder, Quota, QuotaWindow,
    RateCurve, RateLimit, Region, Retry, Rhythm, Routing, Rules, Scenario, Tier, TierRules,
    WorkUnit,
};
use meltpoint::units::{SimDuration, SimTime};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Length of a run.
pub(crate) const HORIZON_S: u64 = 3600;
const REGIONS: usize = 2;
const TIERS: usize = 2;

fn at(seconds: u64) -> SimTime {
    SimTime::ZERO + lasting(seconds)
}

fn lasting(seconds: u64) -> SimDuration {
    SimDuration(seconds * meltpoint::units::NS_PER_S)
}

fn exponential(mean: f64) -> Law {
    Law::Exponential { mean }
}

fn batching() -> impl Strategy<Value = Batching> {
    let fixed = (1..5_u32, 0..60_u64).prop_map(|(minimum, window)| Batching::Static {
        minimum,
        window: lasting(window),
    });
    prop_oneof![Just(Batching::Single), Just(Batching::Continuous), fixed]
}

fn admission() -> impl Strategy<Value = Admission> {
    let queue_limit = prop_oneof![
        Just(QueueLimit::None),
        (0..20_u64).prop_map(QueueLimit::Requests),
        (0..30_u8).prop_map(|tenths| QueueLimit::PerSlot(f64::from(tenths) / 10.0)),
    ];
    (queue_limit, option::of((1..300_u64).prop_map(lasting))).prop_map(
        |(queue_limit, refuse_wait_above)| Admission {
            queue_limit,
            refuse_wait_above,
        },
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    let orders = [
        QueueOrder::Fcfs,
        QueueOrder::Priority,
        QueueOrder::Lifo,
        QueueOrder::Deadline,
    ];
    let dispatches = [
        Dispatch::Central,
        Dispatch::Central,
        Dispatch::Random,
        Dispatch::RoundRobin,
        Dispatch::PowerOfD(2),
        Dispatch::JoinShortest,
    ];
    let routings = [
        Routing::Random,
        Routing::RoundRobin,
        Routing::PowerOfD(2),
        Routing::LeastLoaded,
        Routing::Nearest { spill_above: 1.5 },
    ];
    let degradation = Degradation {
        quality: "low".into(),
        above: 2.0,
        below: 1.0,
    };
    (
        admission(),
        batching(),
        select(orders.to_vec()),
        select(vec![Drop::Nothing, Drop::Stale, Drop::Hopeless]),
        select(routings.to_vec()),
        select(dispatches.to_vec()),
        option::of(Just(degradation)),
    )
        .prop_map(
            |(admission, batching, order, drop, routing, dispatch, degradation)| Policy {
                admission,
                order,
                drop,
                batching,
                routing,
                dispatch,
                degradation,
            },
        )
}

fn tier_rules() -> impl Strategy<Value = TierRules> {
    let window = prop_oneof![
        Just(QuotaWindow::CalendarDay),
        (60..2000_u64).prop_map(|seconds| QuotaWindow::Sliding(lasting(seconds))),
    ];
    let quota = (1..5_u8, window).prop_map(|(images, window)| Quota { images, window });
    let rate_limit = (1..40_u8, 1..50_u8).prop_map(|(tenths, burst)| RateLimit {
        per_s: f64::from(tenths) / 10.0,
        burst: f64::from(burst),
    });
    let limits = (option::of(quota), option::weighted(0.2, rate_limit));
    (prop::bool::weighted(0.8), 0..3_u8, limits, 1..600_u64).prop_map(
        |(open, priority, (quota, rate_limit), deadline)| TierRules {
            open,
            priority,
            quota,
            rate_limit,
            deadline: lasting(deadline),
        },
    )
}

fn rules() -> impl Strategy<Value = Rules> {
    (vec(tier_rules(), TIERS), policy()).prop_map(|(tiers, policy)| Rules { tiers, policy })
}

fn client() -> impl Strategy<Value = Client> {
    let retry = (
        0..5_u32,
        0..60_u32,
        option::of(0..10_u8),
        any::<[bool; 3]>(),
    );
    let retry = retry.prop_map(|(limit, backoff, budget, after)| Retry {
        limit,
        backoff: exponential(f64::from(backoff)),
        factor: 2.0,
        longest_s: 300.0,
        jitter: 0.3,
        budget: budget.map(|tenths| f64::from(tenths) / 10.0),
        after_shed: after[0],
        after_abandoned: after[1],
        after_failed: after[2],
    });
    (
        option::of((1..300_u32).prop_map(|mean| exponential(f64::from(mean)))),
        select(vec![PatienceUntil::Start, PatienceUntil::Done]),
        select(vec![0.0, 0.3, 1.0]),
        option::of(retry),
    )
        .prop_map(|(patience_s, until, silent_share, retry)| Client {
            patience_s,
            until,
            silent_share,
            retry,
        })
}

/// People who come in the course of an hour.
fn population() -> impl Strategy<Value = DemandKind> {
    let numbers = (50..800_u32, 1..4_u8, 0..30_u8, any::<bool>());
    numbers.prop_map(|(people, images, imitation, converts)| {
        DemandKind::Population(Population {
            potential: f64::from(people),
            innovation_per_s: 2e-4,
            imitation_per_s: f64::from(imitation) * 1e-4,
            seen_half_life_s: Some(1200.0),
            release_s: 120.0,
            images_per_session: f64::from(images),
            think_s: exponential(20.0),
            sessions_per_s: 2e-4,
            interest_half_life_s: Some(3000.0),
            activity_skew: 0.4,
            rhythm: Rhythm::Flat,
            newcomer_share: 0.3,
            dormant_share: 0.2,
            conversion_share: 0.1,
            conversion_tier: converts.then_some(1),
        })
    })
}

fn rate() -> impl Strategy<Value = DemandKind> {
    (0..10_u32, 0..10_u32, option::of(1..200_u64)).prop_map(|(first, second, users)| {
        DemandKind::Rate {
            curve: RateCurve {
                points: vec![
                    (SimTime::ZERO, f64::from(first) / 10.0),
                    (at(HORIZON_S), f64::from(second) / 10.0),
                ],
                linear: true,
            },
            rhythm: Rhythm::Flat,
            process: Process::Poisson,
            users,
            activity_skew: 0.0,
        }
    })
}

/// Batch limit, iteration time in ms, memory limit, and deliveries.
type Supply = (u32, u32, Option<u64>, Vec<(u64, u32)>);

fn supply() -> impl Strategy<Value = Supply> {
    let memory = option::of(2..12_u64);
    (
        1..8_u32,
        50..900_u32,
        memory,
        vec((0..HORIZON_S, 0..5_u32), 1..4),
    )
}

fn outages() -> impl Strategy<Value = Vec<(prop::sample::Index, u64, u64, bool)>> {
    vec(
        (
            any::<prop::sample::Index>(),
            0..HORIZON_S,
            1..600_u64,
            any::<bool>(),
        ),
        0..3,
    )
}

/// A scenario.
pub(crate) fn scenario() -> impl Strategy<Value = Scenario> {
    let run = (any::<u64>(), 1..20_u64, select(vec![0, 600]));
    let changes = vec((1..HORIZON_S, rules()), 0..3);
    let demands = vec(prop_oneof![population(), rate()], 1..4);
    (
        run,
        (rules(), changes),
        vec(client(), TIERS),
        demands,
        vec(supply(), 2..5),
        outages(),
    )
        .prop_map(|(run, rules, clients, demands, supplies, outages)| {
            let mut scenario = Scenario::textbook(1.0, exponential(20.0), 1, HORIZON_S as f64);
            scenario.seed = Seed(run.0);
            scenario.lookahead = lasting(run.1);
            scenario.warm_up = lasting(run.2);
            rule(&mut scenario, rules.0, rules.1, clients);
            ask(&mut scenario, demands);
            equip(&mut scenario, supplies, outages);
            scenario
        })
}

fn rule(scenario: &mut Scenario, first: Rules, changes: Vec<(u64, Rules)>, clients: Vec<Client>) {
    let mut changes: Vec<(SimTime, Rules)> = changes
        .into_iter()
        .map(|(time, rules)| (at(time), rules))
        .collect();
    changes.sort_by_key(|change| change.0);
    scenario.rules = vec![(SimTime::ZERO, first)];
    scenario.rules.extend(changes);
    let tier = scenario.tiers.remove(0);
    scenario.tiers = clients
        .into_iter()
        .enumerate()
        .map(|(index, client)| Tier {
            name: format!("tier {index}"),
            client,
            ..tier.clone()
        })
        .collect();
}

fn ask(scenario: &mut Scenario, demands: Vec<DemandKind>) {
    let work = &mut scenario.works[0];
    work.unit = WorkUnit::Iterations;
    work.prompt_tokens = exponential(10.0);
    work.memory_bytes = 2;
    work.context_grows = true;
    let mut low = work.qualities[0].clone();
    low.name = "low".into();
    low.amount = exponential(5.0);
    work.qualities.push(low);
    scenario.regions.push(Region {
        name: "there".into(),
        utc_offset_s: 3600,
    });
    let demand = scenario.demands.remove(0);
    for (index, kind) in demands.into_iter().enumerate() {
        let mut demand = demand.clone();
        demand.name = format!("demand {index}");
        demand.tier = index % TIERS;
        demand.region = index % REGIONS;
        demand.kind = kind;
        scenario.demands.push(demand);
    }
}

fn equip(
    scenario: &mut Scenario,
    supplies: Vec<Supply>,
    outages: Vec<(prop::sample::Index, u64, u64, bool)>,
) {
    let cluster = scenario.clusters[0].clone();
    scenario.clusters.push(Cluster {
        name: "there".into(),
        region: 1,
        ..cluster
    });
    let pool = scenario.pools.remove(0);
    for (index, (batch_limit, iteration_ms, memory, deliveries)) in supplies.into_iter().enumerate()
    {
        let seconds = |n: u32| f64::from(iteration_ms) * 1e-3 * (1.0 + 0.1 * f64::from(n));
        let points = [(1, seconds(1)), (8, seconds(8))];
        let mut pool = pool.clone();
        pool.name = format!("pool {index}");
        pool.cluster = index % REGIONS;
        pool.batch_limit = batch_limit;
        pool.profile.memory_bytes = memory;
        pool.profile.curve = ServiceCurve::tabulated(&points, batch_limit, 1e-6, 1e-3);
        pool.deliveries = deliveries
            .into_iter()
            .map(|(time, count)| (at(time), count))
            .collect();
        pool.deliveries.sort_by_key(|delivery| delivery.0);
        scenario.pools.push(pool);
    }
    for (index, from, length, requeue) in outages {
        scenario.outages.push(Outage {
            pool: index.index(scenario.pools.len()),
            from: at(from),
            until: at(from + length),
            requeue,
        });
    }
}
