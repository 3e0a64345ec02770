//! The same scenarios with replicas that start one by one, and autoscalers over some of their clusters.

use meltpoint::random::Law;
use meltpoint::scenario::{
    Autoscaler, Forecast, ScalingBounds, ScalingRule, Scenario, ScheduledReplicas, Staffing,
    StartUp,
};
use meltpoint::units::SimDuration;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::ask;

pub(crate) fn lasting(seconds: u32) -> SimDuration {
    SimDuration::from_s(f64::from(seconds))
}

pub(crate) fn start_up() -> impl Strategy<Value = StartUp> {
    (0..100_u32, 0..50_u64, 1..20_u32, 1..40_u32, 0..30_u32).prop_map(
        |(before, weights, own, site, after)| StartUp {
            before_s: vec![Law::Exponential {
                mean: f64::from(before),
            }],
            weights_bytes: weights * 1_000_000_000,
            bytes_per_s: f64::from(own) * 1e9,
            site_bytes_per_s: f64::from(site) * 1e9,
            after_s: vec![Law::Constant {
                value: f64::from(after),
            }],
        },
    )
}

fn rule() -> impl Strategy<Value = ScalingRule> {
    let staffing = (1..20_u32, 0..3_u32).prop_map(|(tenths, spare)| Staffing {
        target: f64::from(tenths) / 10.0,
        spare: f64::from(spare),
    });
    let season = option::of((1..600_u32).prop_map(lasting));
    let forecast =
        (0..900_u32, 1..=10_u32, 0..=10_u32, season).prop_map(|(horizon, level, trend, season)| {
            Forecast {
                horizon: lasting(horizon),
                level: f64::from(level) / 10.0,
                trend: f64::from(trend) / 10.0,
                season,
                season_weight: 0.3,
            }
        });
    let entries = vec((0..604_800_u32, 1..12_u32), 1..60).prop_map(|entries| {
        let mut entries: Vec<ScheduledReplicas> = entries
            .into_iter()
            .map(|(week_s, replicas)| ScheduledReplicas { week_s, replicas })
            .collect();
        entries.sort_by_key(|entry| entry.week_s);
        entries
    });
    prop_oneof![
        (1..5_u32, 1..5_u32).prop_map(|(add, remove)| ScalingRule::Threshold {
            above: 0.8,
            below: 0.4,
            add,
            remove,
        }),
        (staffing.clone(), 0..3_u32).prop_map(|(staffing, tenths)| ScalingRule::Target {
            staffing,
            tolerance: f64::from(tenths) / 10.0,
        }),
        (staffing, forecast)
            .prop_map(|(staffing, forecast)| ScalingRule::Predictive { staffing, forecast }),
        entries.prop_map(|entries| ScalingRule::Scheduled {
            entries,
            ahead: SimDuration::ZERO,
        }),
    ]
}

fn autoscaler() -> impl Strategy<Value = Autoscaler> {
    let bounds =
        (1..4_u32, 0..8_u32, 1..5_u32, 0..200_u32).prop_map(|(minimum, more, step, cool_down)| {
            ScalingBounds {
                minimum,
                maximum: minimum + more,
                step_up: step,
                step_down: step,
                cool_down_up: lasting(cool_down / 2),
                cool_down_down: lasting(cool_down),
            }
        });
    let times = (1..200_u32, 0..200_u32, 1..200_u32, option::of(1..600_u32));
    let warm = (0..4_u32, 0..20_u32);
    (rule(), bounds, times, 1..8_u32, warm).prop_map(|(rule, bounds, times, initial, warm)| {
        let (every, reaction, window, backlog) = times;
        Autoscaler {
            name: "main".into(),
            clusters: vec![0],
            rule,
            bounds,
            every: lasting(every),
            reaction: lasting(reaction),
            window: lasting(window),
            backlog_within_s: backlog.map(f64::from),
            initial,
            warm: warm.0,
            warm_start_s: Law::Exponential {
                mean: f64::from(warm.1),
            },
        }
    })
}

/// A scenario.
pub(crate) fn scenario() -> impl Strategy<Value = Scenario> {
    let starts = (option::of(start_up()), start_up());
    (
        ask::scenario(),
        vec(autoscaler(), 1..3),
        starts,
        any::<bool>(),
    )
        .prop_map(|(mut scenario, mut autoscalers, starts, both)| {
            autoscalers[0].clusters = if both { vec![0, 1] } else { vec![0] };
            if let Some(other) = autoscalers.get_mut(1) {
                (other.name, other.clusters) = ("other".into(), vec![1]);
            }
            autoscalers.truncate(if both { 1 } else { 2 });
            let scaled = |cluster: usize| autoscalers.iter().any(|a| a.clusters.contains(&cluster));
            scenario.clusters[0].start_up = Some(starts.1.clone());
            scenario.clusters[1].start_up = match scaled(1) {
                true => Some(starts.1),
                false => starts.0,
            };
            for pool in &mut scenario.pools {
                if scaled(pool.cluster) {
                    pool.set_up = None;
                }
            }
            scenario.autoscalers = autoscalers;
            scenario
        })
}
