//! Scenarios at random: several pools, and everything that one can ask for.

use meltpoint::profile::ServiceCurve;
use meltpoint::random::{Law, Seed};
use meltpoint::scenario::{
    Admission, Batching, Client, Cluster, Degradation, DemandKind, Dispatch, Drop, Modulation,
    Outage, PatienceUntil, Policy, Population, Process, QueueLimit, QueueOrder, Quota, QuotaWindow,
    RateCurve, RateLimit, RateState, Reclaim, Region, Retry, Rhythm, Routing, Rules, Scenario,
    SetUp, Tier, TierRules, WorkUnit,
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
        QueueOrder::Preemptive,
        QueueOrder::Shares,
        QueueOrder::Lifo,
        QueueOrder::Deadline,
    ];
    let reclaims = [Reclaim::AtEnd, Reclaim::Interrupt];
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
        (select(orders.to_vec()), select(reclaims.to_vec())),
        select(vec![Drop::Nothing, Drop::Stale, Drop::Hopeless]),
        select(routings.to_vec()),
        select(dispatches.to_vec()),
        option::of(Just(degradation)),
    )
        .prop_map(
            |(admission, batching, (order, reclaim), drop, routing, dispatch, degradation)| {
                Policy {
                    admission,
                    order,
                    reclaim,
                    drop,
                    batching,
                    routing,
                    dispatch,
                    degradation,
                }
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
    let shares = (1..5_u8, 1..5_u8);
    (
        prop::bool::weighted(0.8),
        0..3_u8,
        limits,
        1..600_u64,
        shares,
    )
        .prop_map(
            |(open, priority, (quota, rate_limit), deadline, (share, quarters))| TierRules {
                open,
                priority,
                quota,
                rate_limit,
                deadline: lasting(deadline),
                share: f64::from(share),
                places_limit: f64::from(quarters) / 4.0,
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
    let state = |factor: f64, mean: f64, next: [f64; 2]| RateState {
        factor,
        stay_s: exponential(mean),
        next: next.into(),
    };
    let bursts = Modulation {
        states: vec![state(3.0, 40.0, [0.0, 1.0]), state(0.0, 90.0, [1.0, 0.0])],
    };
    let processes = vec![
        Process::Poisson,
        Process::Even,
        Process::Renewal(exponential(1.0)),
        Process::Modulated(bursts),
    ];
    let shape = (0..10_u32, 0..10_u32, option::of(1..200_u64));
    (shape, select(processes)).prop_map(|((first, second, users), process)| DemandKind::Rate {
        curve: RateCurve {
            points: vec![
                (SimTime::ZERO, f64::from(first) / 10.0),
                (at(HORIZON_S), f64::from(second) / 10.0),
            ],
            linear: true,
        },
        rhythm: Rhythm::Flat,
        process,
        users,
        activity_skew: 0.0,
    })
}

/// Batch limit, iteration time in ms, memory limit, set-up and time kept warm in s, and deliveries.
type Supply = (u32, u32, Option<u64>, Option<(u32, u64)>, Vec<(u64, u32)>);

fn supply() -> impl Strategy<Value = Supply> {
    let memory = option::of(2..12_u64);
    (
        1..8_u32,
        50..900_u32,
        memory,
        option::of((0..100_u32, 0..60_u64)),
        vec((0..HORIZON_S, 0..5_u32), 1..4),
    )
}

/// How far the regions are from each other and from themselves, in ms, and whether data stay in the first.
fn network() -> impl Strategy<Value = Option<([u64; 4], bool)>> {
    option::of((prop::array::uniform4(0..3000_u64), any::<bool>()))
}

/// The pool, from when and for how long it stands still, and whether its requests are lost, start again or move.
type Standstill = (prop::sample::Index, u64, u64, u8);

fn outages() -> impl Strategy<Value = Vec<Standstill>> {
    vec(
        (
            any::<prop::sample::Index>(),
            0..HORIZON_S,
            1..600_u64,
            0..3_u8,
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
        (outages(), network()),
    )
        .prop_map(|(run, rules, clients, demands, supplies, operator)| {
            let mut scenario = Scenario::textbook(1.0, exponential(20.0), 1, HORIZON_S as f64);
            scenario.seed = Seed(run.0);
            scenario.lookahead = lasting(run.1);
            scenario.warm_up = lasting(run.2);
            rule(&mut scenario, rules.0, rules.1, clients);
            ask(&mut scenario, demands);
            equip(&mut scenario, supplies, operator.0);
            connect(&mut scenario, operator.1);
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
    // In some scenarios each token takes memory too.
    work.memory_bytes_per_token = u64::from(scenario.seed.0.is_multiple_of(4));
    work.context_grows = true;
    let mut low = work.qualities[0].clone();
    low.name = "low".into();
    low.amount = exponential(5.0);
    work.qualities.push(low);
    scenario.regions.push(Region {
        name: "there".into(),
        utc_offset_s: 3600,
        ..scenario.regions[0].clone()
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

fn equip(scenario: &mut Scenario, supplies: Vec<Supply>, outages: Vec<Standstill>) {
    let cluster = scenario.clusters[0].clone();
    scenario.clusters.push(Cluster {
        name: "there".into(),
        region: 1,
        ..cluster
    });
    let pool = scenario.pools.remove(0);
    for (index, supply) in supplies.into_iter().enumerate() {
        let (batch_limit, iteration_ms, memory, set_up, deliveries) = supply;
        let seconds = |n: u32| f64::from(iteration_ms) * 1e-3 * (1.0 + 0.1 * f64::from(n));
        let points = [(1, seconds(1)), (8, seconds(8))];
        let mut pool = pool.clone();
        pool.name = format!("pool {index}");
        pool.cluster = index % REGIONS;
        pool.batch_limit = batch_limit;
        pool.profile.memory_bytes = memory;
        pool.set_up = set_up.map(|(mean_s, kept_s)| SetUp {
            law_s: exponential(f64::from(mean_s)),
            keep_warm: lasting(kept_s),
        });
        pool.profile.curve = ServiceCurve::tabulated(&points, batch_limit, 1e-6, 1e-3);
        pool.deliveries = deliveries
            .into_iter()
            .map(|(time, count)| (at(time), count))
            .collect();
        pool.deliveries.sort_by_key(|delivery| delivery.0);
        scenario.pools.push(pool);
    }
    for (index, from, length, fate) in outages {
        scenario.outages.push(Outage {
            pool: index.index(scenario.pools.len()),
            from: at(from),
            until: at(from + length),
            requeue: fate > 0,
            evacuate: fate > 1,
        });
    }
}

fn connect(scenario: &mut Scenario, network: Option<([u64; 4], bool)>) {
    let Some((delays_ms, stays)) = network else {
        return;
    };
    let delays = delays_ms.map(|ms| SimDuration(ms * 1_000_000));
    for (region, delays) in scenario.regions.iter_mut().zip(delays.chunks(REGIONS)) {
        region.delays = delays.to_vec();
    }
    scenario.regions[0].served_in = vec![true, !stays];
}
