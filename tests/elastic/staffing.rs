//! `jmmw-staffing` of the oracles: a load that swings over the day, staffed by a timetable after the
//! square-root rule on the mean m(t) of Mt/G/infinity, has the same share of waiting at every hour.

use meltpoint::queueing::{cycle_mean, halfin_whitt_beta, square_root_servers};
use meltpoint::random::Law;
use meltpoint::scenario::{DemandKind, Rhythm, ScalingRule, Scenario, ScheduledReplicas};
use meltpoint::sim::Simulation;
use meltpoint::units::SimDuration;

use crate::question::{autoscaler, play, scaled, start};

const HOUR_S: f64 = 3600.0;
const DAYS: u32 = 120;
/// How often the timetable changes, in hours.
const STEP_H: f64 = 0.25;

/// Replicas in the middle of each step: ceil(x + beta sqrt(x)).
fn timetable(load: impl Fn(f64) -> f64) -> Vec<ScheduledReplicas> {
    let beta = halfin_whitt_beta(0.1);
    let steps = (7.0 * 24.0 / STEP_H) as u32;
    (0..steps)
        .map(|step| {
            let hour = (f64::from(step) + 0.5) * STEP_H;
            ScheduledReplicas {
                week_s: (f64::from(step) * STEP_H * HOUR_S) as u32,
                replicas: u32::try_from(square_root_servers(load(hour), beta)).unwrap(),
            }
        })
        .collect()
}

/// 30 + 20 sin(2 pi t / 24) requests an hour, each served for an hour in the mean.
fn day(entries: Vec<ScheduledReplicas>) -> Simulation {
    let service = Law::Exponential { mean: HOUR_S };
    let length_s = f64::from(DAYS) * 24.0 * HOUR_S;
    let mut scenario = Scenario::textbook(30.0 / HOUR_S, service, 80, length_s);
    if let DemandKind::Rate { rhythm, .. } = &mut scenario.demands[0].kind {
        *rhythm = Rhythm::Cosine {
            amplitude: 2.0 / 3.0,
            peak_s: 6.0 * HOUR_S,
            period_s: 24.0 * HOUR_S,
        };
    }
    // Monday, 5 January 1970.
    scenario.start_unix_s = 4 * 86_400;
    scenario.lookahead = SimDuration::from_s(60.0);
    let rule = ScalingRule::Scheduled {
        entries,
        ahead: SimDuration::ZERO,
    };
    start(scaled(scenario, autoscaler(rule, STEP_H * HOUR_S, 33), 0.0))
}

/// The share of those who wait, by three hours of the day.
fn waited_by_hours(mut run: Simulation) -> Vec<f64> {
    let mut counts = vec![(0, 0); 8];
    let mut before = (0, 0);
    for part in 1..=DAYS * 8 {
        play(&mut run, f64::from(part) * 3.0 * HOUR_S);
        let tier = &run.tiers()[0];
        let now = (tier.admitted, tier.wait.count_at_most(0));
        let count = &mut counts[(part as usize - 1) % 8];
        // The first day, which starts empty, is left out.
        if part > 8 {
            *count = (count.0 + now.0 - before.0, count.1 + now.1 - before.1);
        }
        before = now;
    }
    let share = |(came, at_once): (u64, u64)| 1.0 - at_once as f64 / came as f64;
    counts.into_iter().map(share).collect()
}

#[test]
fn staffing_after_the_infinite_server_waits_evenly_and_after_the_rate_does_not() {
    let service = Law::Exponential { mean: 1.0 };
    let rate = (30.0, 20.0, 24.0);
    let steady = waited_by_hours(day(timetable(|hour| cycle_mean(rate, &service, hour))));
    // The rule is an asymptotic one: at loads of 11 to 49 the share is about a tenth, at every hour.
    assert!(
        steady.iter().all(|share| (0.05..0.15).contains(share)),
        "{steady:?}"
    );
    let mean = steady.iter().sum::<f64>() / 8.0;
    assert!((0.075..0.125).contains(&mean), "{mean}");
    // With rate x service time in the place of m(t) there are too few when the load has peaked.
    let naive = waited_by_hours(day(timetable(|hour| {
        30.0 + 20.0 * libm::sin(2.0 * std::f64::consts::PI * hour / 24.0)
    })));
    let most = naive.iter().copied().fold(0.0, f64::max);
    assert!(most > 0.2, "{naive:?}");
}
