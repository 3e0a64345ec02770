//! What holds of every autoscaled fleet.

use std::sync::Arc;

use meltpoint::random::Law;
use meltpoint::scenario::{
    Arrived, Autoscaler, Chunk, Cluster, DemandKind, Forecast, Order, Retry, Rhythm, ScalingRule,
    Scenario, Staffing, StartUp,
};
use meltpoint::sim::{ScalerTally, Simulation};
use meltpoint::units::{SimDuration, SimTime};

use crate::question::{autoscaler, even, free, play, scaled, serving, start, target, waiting};

fn settled(run: &Simulation) -> ScalerTally {
    run.autoscalers().next().unwrap()
}

#[test]
fn on_a_constant_load_the_fleet_settles() {
    let service = Law::Exponential { mean: 1.0 };
    let scenario = Scenario::textbook(140.0, service, 400, 7200.0);
    let mut scaler = autoscaler(target(0.7, 0.1), 15.0, 20);
    scaler.window = SimDuration::from_s(60.0);
    let mut run = start(scaled(scenario, scaler, 30.0));
    play(&mut run, 600.0);
    let (early, replicas) = (settled(&run), serving(&run));
    play(&mut run, 7200.0);
    let late = settled(&run);
    assert_eq!((early.ups, early.downs), (late.ups, late.downs));
    assert_eq!(serving(&run), replicas);
    assert!((180..=220).contains(&replicas), "{replicas}");
}

/// A load that swings by two thirds twenty times.
fn swinging(pools: u32, rule: ScalingRule) -> Scenario {
    let service = Law::Lognormal {
        mean: 2.0,
        variation: 1.0,
    };
    let mut scenario = Scenario::textbook(60.0, service, 300 / pools, 6000.0);
    if let DemandKind::Rate { rhythm, .. } = &mut scenario.demands[0].kind {
        *rhythm = Rhythm::Cosine {
            amplitude: 0.66,
            peak_s: 100.0,
            period_s: 300.0,
        };
    }
    scenario.lookahead = SimDuration::from_s(0.5);
    let pool = scenario.pools[0].clone();
    scenario.pools = (1..=pools)
        .map(|number| meltpoint::scenario::Pool {
            name: format!("here/{number}"),
            ..pool.clone()
        })
        .collect();
    let mut scaler = autoscaler(rule, 5.0, 40);
    scaler.warm = 8;
    scaler.warm_start_s = Law::Uniform {
        low: 0.0,
        high: 2.0,
    };
    let mut scenario = scaled(scenario, scaler, 0.0);
    scenario.clusters[0].start_up = Some(StartUp {
        before_s: vec![Law::Exponential { mean: 10.0 }],
        weights_bytes: 40_000_000_000,
        bytes_per_s: 4e9,
        site_bytes_per_s: 40e9,
        after_s: vec![Law::Constant { value: 3.0 }],
    });
    scenario
}

#[test]
fn a_replica_that_drains_loses_no_request() {
    let mut run = start(swinging(1, target(0.7, 0.05)));
    play(&mut run, 6000.0);
    let tier = &run.tiers()[0];
    assert_eq!(tier.failed, 0);
    assert_eq!(tier.offered, tier.completed + tier.in_system);
    let tally = settled(&run);
    assert!(tally.downs > 100 && tally.draining_ns > 0, "{tally:?}");
    // Nobody is interrupted: each starts once.
    assert_eq!(tier.wait.count(), tier.admitted - waiting(&run) as u64);
}

#[test]
fn levels_add_up_to_what_is_delivered() {
    let mut run = start(swinging(3, target(0.7, 0.05)));
    play(&mut run, 6000.0);
    let tally = settled(&run);
    let held = tally.starting_ns + tally.warm_ns + tally.serving_ns + tally.draining_ns;
    assert_eq!(held, tally.held_gpu_ns);
    assert_eq!(tally.delivered_ns, 300 * 6000 * 1_000_000_000);
    assert!(held < tally.delivered_ns);
    let in_service: u128 = run.pools().map(|(pool, ..)| pool.in_service_ns).sum();
    assert!(tally.serving_ns <= in_service && in_service <= held);
    assert!(tally.crossings > 0 && tally.short_ns > 0);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let seen = |threads: usize| {
        let scenario = Arc::new(swinging(4, target(0.7, 0.05)));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut run = Simulation::new(&scenario, threads > 1);
            play(&mut run, 1500.0);
            let pools: Vec<_> = run.pools().map(|(tally, ..)| tally).collect();
            (pools, settled(&run), run.tiers()[0].completed)
        })
    };
    let one = seen(1);
    assert_eq!(seen(2), one);
    assert_eq!(seen(3), one);
}

#[test]
fn who_forecasts_as_far_as_a_start_takes_is_short_for_a_fifth_of_the_time_at_most() {
    let late = |rule: ScalingRule| {
        let mut scenario = Scenario::textbook(100.0, Law::Constant { value: 1.0 }, 2000, 600.0);
        even(&mut scenario, &[(0.0, 100.0), (600.0, 1300.0)], true);
        scenario.lookahead = SimDuration::from_s(1.0);
        let mut run = start(scaled(scenario, autoscaler(rule, 5.0, 143), 60.0));
        play(&mut run, 600.0);
        settled(&run).short_ns as f64 / 1e9
    };
    let staffing = Staffing {
        target: 0.9,
        spare: 0.0,
    };
    let follows = late(target(0.9, 0.0));
    let forecasts = late(ScalingRule::Predictive {
        staffing,
        forecast: Forecast {
            horizon: SimDuration::from_s(65.0),
            level: 0.5,
            trend: 0.3,
            season: None,
            season_weight: 0.0,
        },
    });
    assert!(
        follows > 10_000.0 && forecasts < 0.2 * follows,
        "{follows} and {forecasts}"
    );
}

#[test]
fn ready_replicas_take_up_a_jump_that_a_start_would_miss() {
    let waited = |warm: u32| {
        let mut scenario = Scenario::textbook(100.0, Law::Constant { value: 1.0 }, 400, 300.0);
        even(&mut scenario, &[(0.0, 100.0), (100.0, 150.0)], false);
        let mut scaler = autoscaler(target(0.8, 0.1), 5.0, 125);
        scaler.warm = warm;
        let mut run = start(scaled(scenario, scaler, 60.0));
        play(&mut run, 120.0);
        waiting(&run)
    };
    assert!(waited(0) > 400.0);
    assert!(waited(100) < 150.0);
}

/// A cluster of two chunks of which one can be given back.
fn two_chunks() -> Scenario {
    let mut scenario = Scenario::textbook(100.0, Law::Constant { value: 1.0 }, 200, 3600.0);
    even(&mut scenario, &[(0.0, 100.0)], false);
    let chunk = |name: &str, term: &str, usd: f64| Chunk {
        name: name.into(),
        gpus: 100,
        accelerator: "none".into(),
        vendor: String::new(),
        provider: String::new(),
        term: term.into(),
        cluster: 0,
        delivered: SimTime::ZERO,
        order: Order::on(SimTime::ZERO),
        arrived: Arrived::default(),
        replicas: 100,
        gpus_per_replica: 1,
        usd_per_gpu_hour: usd,
        contract: None,
        network_usd_per_gpu_hour: 0.0,
        staff_usd_per_gpu_hour: 0.0,
        purchase_usd_per_gpu: None,
        busy_w_per_gpu: 0.0,
        idle_w_per_gpu: 0.0,
    };
    scenario.chunks = vec![chunk("a", "on-demand", 4.0), chunk("b", "reserved-1y", 2.0)];
    scenario
}

#[test]
fn only_what_is_on_demand_is_given_back() {
    let back_hours = |held: u32| {
        let mut scaler = autoscaler(target(1.0, 0.0), 10.0, held);
        scaler.bounds.minimum = held;
        scaler.bounds.maximum = held;
        let mut run = start(scaled(two_chunks(), scaler, 0.0));
        play(&mut run, 3600.0);
        let hours = |ns: u128| (ns as f64 / 3.6e12).round() as u64;
        let tally = settled(&run);
        assert_eq!(hours(tally.held_gpu_ns), u64::from(held));
        run.returned_gpu_ns()
            .iter()
            .map(|&ns| hours(ns))
            .collect::<Vec<_>>()
    };
    assert_eq!(back_hours(150), [50, 0]);
    // Fifty of the reserved ones are idle and paid for.
    assert_eq!(back_hours(50), [100, 0]);
    assert_eq!(back_hours(200), [0, 0]);
}

#[test]
fn who_tries_again_is_not_offered_again() {
    let mut scenario = Scenario::textbook(100.0, Law::Constant { value: 1.0 }, 50, 1000.0);
    let client = &mut scenario.tiers[0].client;
    client.patience_s = Some(Law::Exponential { mean: 3.0 });
    client.retry = Some(Retry {
        limit: 5,
        backoff: Law::Constant { value: 1.0 },
        factor: 1.0,
        longest_s: 1.0,
        jitter: 0.0,
        budget: None,
        after_shed: true,
        after_abandoned: true,
        after_failed: true,
    });
    let mut run = start(scaled(
        scenario,
        autoscaler(target(1.0, 0.0), 10.0, 50),
        5.0,
    ));
    play(&mut run, 1000.0);
    let tier = &run.tiers()[0];
    assert!(
        tier.attempts > 2 * tier.offered,
        "{} attempts",
        tier.attempts
    );
    // Each request is a second of a replica.
    let load_s = settled(&run).load_ns as f64 / 1e9;
    assert!(
        (load_s - tier.offered as f64).abs() < 1e-3,
        "{load_s} of {}",
        tier.offered
    );
}

/// Ten replicas are delivered at 100 s: 5 s until they load, 10 GB each over a link of 4 GB/s, so 25 s.
#[test]
fn what_is_delivered_starts_over_the_link_that_all_share() {
    let mut scenario = Scenario::textbook(5.0, Law::Constant { value: 0.1 }, 1, 200.0);
    scenario.clusters[0].start_up = Some(StartUp {
        before_s: vec![Law::Constant { value: 5.0 }],
        weights_bytes: 10_000_000_000,
        bytes_per_s: 2e9,
        site_bytes_per_s: 4e9,
        after_s: Vec::new(),
    });
    scenario.pools[0]
        .deliveries
        .push((SimTime::from_s(100.0), 10));
    let mut run = start(scenario);
    for (at_s, replicas) in [(50.0, 1), (129.9, 1), (130.1, 11)] {
        play(&mut run, at_s);
        assert_eq!(serving(&run), replicas, "at {at_s} s");
    }
    assert_eq!(run.autoscalers().count(), 0);
}

#[test]
fn two_autoscalers_keep_to_their_own_clusters() {
    let mut scenario = Scenario::textbook(100.0, Law::Constant { value: 1.0 }, 200, 1000.0);
    let there = Cluster {
        name: "there".into(),
        start_up: Some(StartUp::constant(5.0)),
        ..scenario.clusters[0].clone()
    };
    scenario.clusters.push(there);
    let mut pool = scenario.pools[0].clone();
    (pool.name, pool.cluster) = ("there/1".into(), 1);
    scenario.pools.push(pool);
    let mut scenario = scaled(scenario, autoscaler(target(0.7, 0.1), 10.0, 70), 5.0);
    let mut fixed = free();
    (fixed.minimum, fixed.maximum) = (70, 70);
    scenario.autoscalers.push(Autoscaler {
        name: "other".into(),
        clusters: vec![1],
        bounds: fixed,
        ..scenario.autoscalers[0].clone()
    });
    let mut run = start(scenario);
    play(&mut run, 1000.0);
    let in_service: Vec<u64> = run
        .pools()
        .map(|(_, levels, _)| levels.in_service)
        .collect();
    assert_eq!(in_service[1], 70);
    assert!((60..=90).contains(&in_service[0]), "{in_service:?}");
}
