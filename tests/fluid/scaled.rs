//! Autoscalers: the expected fleet follows the load as late as the rule, what it measures and start-ups make it.

use meltpoint::estimate::estimate;
use meltpoint::random::Law;
use meltpoint::scenario::{
    Autoscaler, DemandKind, QueueLimit, ScalingBounds, ScalingRule, Scenario, ScheduledReplicas,
    Staffing, StartUp,
};
use meltpoint::units::{SimDuration, SimTime};

use crate::question::{agree, two_sites};

/// Replicas are whole, the load that is measured is random, and who drains serves a little longer.
const TOLERANCE: f64 = 0.015;

fn target(target: f64) -> ScalingRule {
    ScalingRule::Target {
        staffing: Staffing { target, spare: 0.0 },
        tolerance: 0.0,
    }
}

/// Of both sites, without bounds, measuring as often as it decides.
fn scaler(rule: ScalingRule, every_s: f64, initial: u32) -> Autoscaler {
    Autoscaler {
        name: "main".into(),
        clusters: vec![0, 1],
        rule,
        bounds: ScalingBounds {
            minimum: 2,
            maximum: u32::MAX,
            step_up: u32::MAX,
            step_down: u32::MAX,
            cool_down_up: SimDuration::ZERO,
            cool_down_down: SimDuration::ZERO,
        },
        every: SimDuration::from_s(every_s),
        reaction: SimDuration::ZERO,
        window: SimDuration::from_s(every_s),
        backlog_within_s: None,
        initial,
        warm: 0,
        warm_start_s: Law::Constant { value: 0.0 },
    }
}

/// A rate by (seconds, requests a second), and replicas that take so long to start.
fn scaled(points: &[(f64, f64)], linear: bool, rule: Autoscaler, start_up_s: f64) -> Scenario {
    let mut scenario = two_sites(1.0, 200, 200);
    if let DemandKind::Rate { curve, .. } = &mut scenario.demands[0].kind {
        let at = |&(s, rate): &(f64, f64)| (SimTime::from_s(s), rate);
        curve.points = points.iter().map(at).collect();
        curve.linear = linear;
    }
    for cluster in &mut scenario.clusters {
        cluster.start_up = Some(StartUp::constant(start_up_s));
    }
    scenario.autoscalers = vec![rule];
    scenario
}

/// From 100 to 200 requests a second within 50 s, and back.
fn surge(rule: Autoscaler) -> Scenario {
    let points = [
        (0.0, 100.0),
        (200.0, 100.0),
        (250.0, 200.0),
        (500.0, 200.0),
        (550.0, 100.0),
    ];
    scaled(&points, true, rule, 60.0)
}

#[test]
fn a_surge_is_lost_for_as_long_as_the_fleet_takes_to_follow() {
    let mut rule = scaler(target(0.9), 10.0, 112);
    rule.reaction = SimDuration::from_s(60.0);
    let late = agree(&surge(rule.clone()), TOLERANCE);
    // It is short from about the middle of the ramp to two minutes after it.
    assert!(
        (100.0..170.0).contains(&late.overloaded_s),
        "{}",
        late.overloaded_s
    );
    let behind = "autoscaler main: behind the load for";
    assert!(
        late.limits.iter().any(|limit| limit.starts_with(behind)),
        "{:?}",
        late.limits
    );
    // Measured at once, and with ready replicas, nothing is lost.
    rule.reaction = SimDuration::ZERO;
    rule.window = SimDuration::from_s(10.0);
    rule.warm = 120;
    rule.rule = target(0.7);
    rule.initial = 143;
    let ready = agree(&surge(rule), TOLERANCE);
    assert_eq!(ready.overloaded_s, 0.0);
    assert!(ready.total.completed > 0.999 * ready.total.offered);
    let most = ready
        .capacity
        .iter()
        .map(|capacity| capacity.replicas)
        .max();
    assert!((250..290).contains(&most.expect("a fleet")), "{most:?}");
}

#[test]
fn a_site_that_is_scaled_has_what_its_own_users_ask_for() {
    // Those here may not leave, and only the site here is scaled.
    let mut rule = scaler(target(0.8), 10.0, 150);
    rule.clusters = vec![0];
    (rule.bounds.minimum, rule.bounds.maximum) = (150, 150);
    let mut scenario = surge(rule);
    scenario.regions[0].served_in = vec![true, false];
    let found = agree(&scenario, TOLERANCE);
    assert!((found.load_peak.expect("a fleet") - 200.0 / 150.0).abs() < 0.01);
    assert!(found.bottleneck.starts_with("GPU capacity of here (all)"));
    assert!(
        found
            .limits
            .iter()
            .all(|limit| !limit.starts_with("autoscaler"))
    );
}

/// `fluid-ramp-lag` of the oracles, ten times larger: demand 1000 + 20 t, capacity that lags 30 s behind it, so
/// 9000 + 600 (t - 30) wait from 30 s on.
#[test]
fn capacity_lags_behind_a_ramp_by_its_whole_delay() {
    let rule = scaler(target(1.0), 0.1, 1000);
    let mut scenario = scaled(&[(0.0, 1000.0), (100.0, 3000.0)], true, rule, 29.9);
    scenario.tiers[0].client.patience_s = None;
    for pool in &mut scenario.pools {
        pool.deliveries[0].1 = 2000;
    }
    for (until_s, exact) in [(30.0, 9000.0), (100.0, 51_000.0)] {
        scenario.horizon = SimDuration::from_s(until_s);
        let found = estimate(&scenario).total.waiting;
        assert!(
            (found / exact - 1.0).abs() < 0.005,
            "{found}, exactly {exact}"
        );
    }
}

/// For who wants a backlog gone within T it falls as exp(-t / T).
#[test]
fn a_backlog_is_worked_off_by_who_looks_at_it() {
    let left = |until_s: f64, within_s: Option<f64>| {
        let mut rule = scaler(target(1.0), 0.5, 300);
        rule.backlog_within_s = within_s;
        let mut scenario = scaled(&[(0.0, 10_300.0), (1.0, 300.0)], false, rule, 0.0);
        scenario.pools[0].deliveries[0].1 = 400;
        scenario.tiers[0].client.patience_s = None;
        scenario.rules[0].1.policy.admission.queue_limit = QueueLimit::None;
        scenario.horizon = SimDuration::from_s(until_s);
        estimate(&scenario).total.waiting
    };
    let share = left(150.0, Some(100.0)) / left(50.0, Some(100.0));
    assert!((share / libm::exp(-1.0) - 1.0).abs() < 0.02, "{share}");
    let share = left(150.0, None) / left(50.0, None);
    assert!((share - 1.0).abs() < 0.01, "{share}");
}

#[test]
fn a_timetable_is_followed_by_the_hour() {
    // The start is a Thursday at midnight.
    let at = |hours: u32, replicas| ScheduledReplicas {
        week_s: (3 * 24 + hours) * 3600,
        replicas,
    };
    let rule = ScalingRule::Scheduled {
        entries: vec![at(0, 50), at(6, 300), at(18, 80)],
        ahead: SimDuration::ZERO,
    };
    let mut scenario = scaled(&[(0.0, 30.0)], false, scaler(rule, 60.0, 50), 120.0);
    scenario.horizon = SimDuration::from_s(86_400.0);
    let found = estimate(&scenario);
    let rows = found.capacity.iter();
    let rows: Vec<(f64, u64)> = rows.map(|row| (row.from_s, row.replicas)).collect();
    let wanted = [(0.0, 50), (6.0 * 3600.0 + 120.0, 300), (18.0 * 3600.0, 80)];
    assert_eq!(rows, wanted);
}
