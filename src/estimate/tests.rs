//! The estimate against what is known by other means.

use super::*;
use crate::queueing::{Bass, Mmc, erlang_b};
use crate::random::Law;
use crate::scenario::{
    Batching, Dispatch, Outage, Population, Process, QueueLimit, Quota, QuotaWindow, RateCurve,
    RateLimit, Rhythm, SetUp, Trace, TraceRow,
};
use crate::units::{SimDuration, SimTime};

fn exponential_queue(arrivals_per_s: f64, replicas: u32) -> Scenario {
    Scenario::textbook(
        arrivals_per_s,
        Law::Exponential { mean: 1.0 },
        replicas,
        10_000.0,
    )
}

fn form<'a>(estimate: &'a Estimate, what: &str) -> &'a ClosedForm {
    let mut forms = estimate.closed_forms.iter();
    forms
        .find(|form| form.what == what)
        .expect("the form is given")
}

fn rate(points: Vec<(SimTime, f64)>, linear: bool, rhythm: Rhythm) -> DemandKind {
    DemandKind::Rate {
        curve: RateCurve { points, linear },
        rhythm,
        process: Process::Poisson,
        users: None,
        activity_skew: 0.0,
    }
}

fn population(potential: f64) -> Population {
    Population {
        potential,
        innovation_per_s: 0.03 / 100.0,
        imitation_per_s: 0.38 / 100.0,
        seen_half_life_s: None,
        release_s: 100.0,
        images_per_session: 1.0,
        think_s: Law::Constant { value: 1.0 },
        sessions_per_s: 0.0,
        interest_half_life_s: None,
        activity_skew: 0.0,
        rhythm: Rhythm::Flat,
        newcomer_share: 0.0,
        dormant_share: 0.0,
        conversion_share: 0.0,
        conversion_tier: None,
    }
}

fn is_balanced(tier: &TierEstimate) -> bool {
    let known = tier.completed + tier.lost.shed() + tier.lost.abandoned + tier.waiting;
    (tier.offered - known).abs() <= 1e-9 * tier.offered
}

#[test]
fn a_textbook_queue_has_its_formula() {
    let found = estimate(&exponential_queue(8.0, 10));
    let queue = Mmc {
        arrival_rate: 8.0,
        service_rate: 1.0,
        servers: 10,
    };
    assert_eq!(form(&found, "mean wait").name, "M/M/c (Erlang C)");
    assert_eq!(form(&found, "mean wait").value, queue.mean_wait());
    assert_eq!(
        form(&found, "p99 response").value,
        queue.response_quantile(0.99)
    );
    assert!((found.total.offered - 80_000.0).abs() < 1e-6);
    assert!((found.load_mean.unwrap() - 0.8).abs() < 1e-9);
    assert!(found.bottleneck.starts_with("none"), "{}", found.bottleneck);
}

#[test]
fn each_textbook_queue_is_recognised() {
    let name = |scenario: &Scenario| estimate(scenario).closed_forms.first().map(|f| f.name);
    let with = |service_s, replicas| Scenario::textbook(0.8, service_s, replicas, 1000.0);
    let uniform = Law::Uniform {
        low: 0.5,
        high: 1.5,
    };
    assert_eq!(name(&with(Law::Constant { value: 1.0 }, 1)), Some("M/D/c"));
    assert_eq!(name(&with(uniform, 1)), Some("M/G/1 (Pollaczek-Khinchine)"));
    assert_eq!(name(&with(uniform, 2)), Some("M/G/c, approximated"));
    let mut lossy = exponential_queue(8.0, 10);
    lossy.rules[0].1.policy.admission.queue_limit = QueueLimit::Requests(0);
    let found = estimate(&lossy);
    assert_eq!(form(&found, "share refused").value, erlang_b(8.0, 10));
    lossy.rules[0].1.policy.admission.queue_limit = QueueLimit::Requests(5);
    assert_eq!(name(&lossy), Some("M/M/c/K"));
    let mut impatient = exponential_queue(12.0, 10);
    assert_eq!(name(&impatient), None);
    impatient.tiers[0].client.patience_s = Some(Law::Exponential { mean: 2.0 });
    assert_eq!(name(&impatient), Some("M/M/c+M (Erlang A)"));
    let mut batches = with(Law::Constant { value: 1.0 }, 1);
    batches.pools[0].batch_limit = 4;
    batches.rules[0].1.policy.batching = Batching::Static {
        minimum: 1,
        window: SimDuration::ZERO,
    };
    assert_eq!(name(&batches), Some("M/D^[a,b]/1"));
}

#[test]
fn queues_with_other_arrivals_dealing_and_set_up_are_recognised() {
    let name = |scenario: &Scenario| estimate(scenario).closed_forms.first().map(|f| f.name);
    let with_process = |process: Process| {
        let mut scenario = exponential_queue(0.8, 1);
        if let DemandKind::Rate { process: of, .. } = &mut scenario.demands[0].kind {
            *of = process;
        }
        scenario
    };
    let even = estimate(&with_process(Process::Even));
    assert!((form(&even, "mean wait").value / 1.692_730_839_92 - 1.0).abs() < 1e-9);
    // Exponential gaps are a Poisson process.
    let gap = Law::Exponential { mean: 3.0 };
    let renewal = estimate(&with_process(Process::Renewal(gap)));
    assert!((form(&renewal, "mean wait").value / 4.0 - 1.0).abs() < 1e-9);
    let mut dealt = exponential_queue(3.2, 4);
    dealt.rules[0].1.policy.dispatch = Dispatch::RoundRobin;
    let found = estimate(&dealt);
    assert!((form(&found, "mean response").value / 3.267_383_610_32 - 1.0).abs() < 1e-9);
    dealt.rules[0].1.policy.dispatch = Dispatch::Random;
    assert_eq!(name(&dealt), Some("M/G/1 at each server"));
    assert_eq!(name(&exponential_queue(3.0, 100)), Some("M/G/inf"));
    let mut set_up = exponential_queue(0.5, 1);
    set_up.pools[0].set_up = Some(SetUp {
        law_s: Law::Constant { value: 3.0 },
        keep_warm: SimDuration::ZERO,
    });
    let found = estimate(&set_up);
    assert!((form(&found, "mean wait").value - 3.1).abs() < 1e-12);
}

#[test]
fn what_changes_over_time_is_no_textbook_queue() {
    let mut scenario = exponential_queue(8.0, 10);
    scenario.demands[0].kind = rate(
        vec![(SimTime::ZERO, 8.0), (SimTime::from_s(10.0), 9.0)],
        false,
        Rhythm::Flat,
    );
    assert!(estimate(&scenario).closed_forms.is_empty());
}

#[test]
fn rates_are_integrated_exactly_and_traces_counted() {
    let mut scenario = exponential_queue(8.0, 10);
    let points = vec![(SimTime::ZERO, 0.0), (SimTime::from_s(3333.0), 6.0)];
    scenario.demands[0].kind = rate(points.clone(), true, Rhythm::Flat);
    let ramp = estimate(&scenario).total.offered;
    assert!(
        (ramp - (3333.0 * 3.0 + 6667.0 * 6.0)).abs() < 1e-6,
        "{ramp}"
    );
    scenario.demands[0].kind = rate(points, false, Rhythm::Flat);
    let step = estimate(&scenario).total;
    assert!(
        (step.offered - 6667.0 * 6.0).abs() < 1e-6,
        "{}",
        step.offered
    );
    let cosine = Rhythm::Cosine {
        amplitude: 0.5,
        peak_s: 0.0,
        period_s: 1000.0,
    };
    scenario.demands[0].kind = rate(vec![(SimTime::ZERO, 5.0)], false, cosine);
    let cycles = estimate(&scenario).total;
    assert!(
        (cycles.offered - 50_000.0).abs() < 0.5,
        "{}",
        cycles.offered
    );
    let row = |s: f64| TraceRow {
        at: SimTime::from_s(s),
        iterations: 0,
        prompt_tokens: 0,
        images: 2,
    };
    let trace = Trace {
        name: "t".into(),
        rows: vec![row(0.0), row(9999.0), row(20_000.0)],
    };
    scenario.demands[0].kind = DemandKind::Trace(trace.into());
    assert_eq!(estimate(&scenario).total.offered, 4.0);
}

#[test]
fn an_unhindered_population_follows_bass() {
    let mut scenario = exponential_queue(8.0, 1000);
    scenario.horizon = SimDuration::from_s(1000.0);
    scenario.series_interval = SimDuration::from_s(1.0);
    scenario.demands[0].kind = DemandKind::Population(population(10_000.0));
    let bass = Bass {
        potential: 10_000.0,
        innovation: 0.03 / 100.0,
        imitation: 0.38 / 100.0,
    };
    let found = estimate(&scenario);
    let exact = bass.came(1000.0);
    assert!(
        (found.interested / exact - 1.0).abs() < 0.01,
        "{} {exact}",
        found.interested
    );
    assert!((found.total.peak_at_s - bass.peak_time()).abs() < 10.0);
    assert!((found.total.peak_per_s / bass.rate(bass.peak_time()) - 1.0).abs() < 0.01);
}

#[test]
fn a_melting_fleet_slows_its_own_surge() {
    let mut scenario = exponential_queue(8.0, 1000);
    scenario.horizon = SimDuration::from_s(1000.0);
    scenario.demands[0].kind = DemandKind::Population(population(10_000.0));
    let unhindered = estimate(&scenario);
    scenario.pools[0].deliveries[0].1 = 2;
    scenario.tiers[0].client.patience_s = Some(Law::Constant { value: 5.0 });
    let melting = estimate(&scenario);
    assert!(melting.interested < 0.8 * unhindered.interested);
    assert!(melting.load_peak.unwrap() > 1.0 && melting.overloaded_s > 0.0);
    assert!(
        melting.bottleneck.starts_with("GPU capacity"),
        "{}",
        melting.bottleneck
    );
    assert!(is_balanced(&melting.total), "{:?}", melting.total);
}

#[test]
fn what_is_let_in_follows_the_rules() {
    let mut scenario = exponential_queue(8.0, 10);
    let loss = |scenario: &Scenario| {
        let found = estimate(scenario);
        assert!(is_balanced(&found.total), "{:?}", found.total);
        (found.total.lost, found.bottleneck)
    };
    scenario.rules[0].1.tiers[0].rate_limit = Some(RateLimit {
        per_s: 6.0,
        burst: 10.0,
    });
    let (lost, bottleneck) = loss(&scenario);
    assert!((lost.rate_limit - 20_000.0).abs() < 1e-6);
    assert!(bottleneck.starts_with("rate limit"), "{bottleneck}");
    scenario.rules[0].1.tiers[0].open = false;
    assert!((loss(&scenario).0.closed - 80_000.0).abs() < 1e-6);
    let mut limited = exponential_queue(8.0, 10);
    if let DemandKind::Rate { users, .. } = &mut limited.demands[0].kind {
        *users = Some(1000);
    }
    limited.rules[0].1.tiers[0].quota = Some(Quota {
        images: 10,
        window: QuotaWindow::Sliding(SimDuration::from_s(5000.0)),
    });
    let (lost, bottleneck) = loss(&limited);
    assert!((lost.quota - 60_000.0).abs() < 1e-6, "{lost:?}");
    assert!(bottleneck.starts_with("quota"), "{bottleneck}");
}

#[test]
fn an_outage_leaves_a_backlog_that_drains() {
    let mut scenario = exponential_queue(8.0, 10);
    scenario.outages = vec![Outage {
        pool: 0,
        from: SimTime::from_s(100.0),
        until: SimTime::from_s(160.0),
        requeue: true,
        evacuate: false,
    }];
    let found = estimate(&scenario);
    assert!(
        (found.waiting_max - 480.0).abs() < 1e-6,
        "{}",
        found.waiting_max
    );
    assert!(found.total.waiting < 1e-9 && is_balanced(&found.total));
    let replicas: Vec<u64> = found.capacity.iter().map(|c| c.replicas).collect();
    assert_eq!(replicas, [10, 0, 10]);
}

#[test]
fn who_waits_is_what_comes_in_a_patience() {
    let mut scenario = exponential_queue(12.0, 10);
    scenario.series_interval = SimDuration::from_s(4000.0);
    scenario.tiers[0].client.patience_s = Some(Law::Exponential { mean: 5.0 });
    let found = estimate(&scenario).total;
    assert!((found.waiting - 10.0).abs() < 0.1, "{}", found.waiting);
    scenario.rules[0].1.policy.admission.queue_limit = QueueLimit::Requests(4);
    let found = estimate(&scenario).total;
    assert!(
        (found.waiting - 4.0).abs() < 1e-9 && is_balanced(&found),
        "{found:?}"
    );
    assert!(found.lost.queue_full > found.lost.abandoned / 2.0);
}

#[test]
fn a_scenario_without_a_fleet_says_so() {
    let mut scenario = exponential_queue(8.0, 10);
    scenario.pools[0].deliveries.clear();
    let found = estimate(&scenario);
    assert_eq!(found.load_mean, None);
    assert!(found.bottleneck.contains("no replica is ever in service"));
    assert!(is_balanced(&found.total));
}

/// M/M/10 at load 8, whose images bring 3.60 USD a GPU-hour at a cost of 1.20.
fn priced() -> Scenario {
    let mut scenario = Scenario::textbook(8.0, Law::Exponential { mean: 1.0 }, 10, 1000.0);
    scenario.works[0].qualities[0].usd_per_image = 0.001;
    scenario.chunks = vec![crate::scenario::Chunk {
        name: "rented".into(),
        gpus: 10,
        accelerator: "any".into(),
        vendor: String::new(),
        provider: "somebody".into(),
        term: String::new(),
        cluster: 0,
        delivered: crate::units::SimTime::ZERO,
        order: crate::scenario::Order::on(crate::units::SimTime::ZERO),
        arrived: crate::scenario::Arrived::default(),
        replicas: 10,
        gpus_per_replica: 1,
        usd_per_gpu_hour: 1.2,
        contract: None,
        network_usd_per_gpu_hour: 0.0,
        staff_usd_per_gpu_hour: 0.0,
        purchase_usd_per_gpu: None,
        busy_w_per_gpu: 0.0,
        idle_w_per_gpu: 0.0,
    }];
    scenario
}

#[test]
fn the_best_reserve_is_the_newsvendors() {
    let reserve = estimate(&priced()).reserve.expect("it is uncertain");
    // Poisson with mean 8 in service, a critical ratio of 2.4 / 3.6, and its normal quantile.
    assert!((reserve.critical_ratio - 2.0 / 3.0).abs() < 1e-9);
    assert!((reserve.demand_sd_gpus - libm::sqrt(8.0)).abs() < 1e-6);
    let exact = 8.0 + 0.430_727_3 * libm::sqrt(8.0);
    assert!((reserve.optimal_gpus - exact).abs() < 1e-5, "{reserve:?}");
    assert_eq!(reserve.present_gpus, 10.0);
}

#[test]
fn without_a_price_or_a_gain_there_is_no_best_reserve() {
    let mut free = priced();
    free.chunks[0].usd_per_gpu_hour = 0.0;
    assert_eq!(estimate(&free).reserve, None);
    let mut dear = priced();
    dear.chunks[0].usd_per_gpu_hour = 3.7;
    assert_eq!(estimate(&dear).reserve, None);
    let mut steady = priced();
    steady.chunks.clear();
    assert_eq!(estimate(&steady).reserve, None);
}
