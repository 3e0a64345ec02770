//! Each controller against a naive twin that sees the whole past and looks for its answer step by step.

use meltpoint::random::{Seed, Stream};
use meltpoint::scenario::{Forecast, ScalingBounds, ScalingRule, ScheduledReplicas, Staffing};
use meltpoint::sim::{Controller, Reading};
use meltpoint::units::{SimDuration, SimTime};

const DAY_S: f64 = 86_400.0;

fn below(stream: &mut Stream, end: u64) -> u32 {
    u32::try_from(stream.below(end)).unwrap()
}

fn some_bounds(stream: &mut Stream) -> ScalingBounds {
    let minimum = 1 + below(stream, 10);
    let steps = [1, 3, 20, u32::MAX];
    let waits = [0.0, 45.0, 60.0, 300.0];
    ScalingBounds {
        minimum,
        maximum: minimum + [0, 20, 500][stream.below(3) as usize],
        step_up: steps[stream.below(4) as usize],
        step_down: steps[stream.below(4) as usize],
        cool_down_up: SimDuration::from_s(waits[stream.below(4) as usize]),
        cool_down_down: SimDuration::from_s(waits[stream.below(4) as usize]),
    }
}

fn some_rule(stream: &mut Stream) -> ScalingRule {
    let staffing = Staffing {
        target: 0.3 + stream.unit(),
        spare: [0.0, 1.5][stream.below(2) as usize],
    };
    match stream.below(4) {
        0 => ScalingRule::Threshold {
            above: 0.8,
            below: 0.4,
            add: 1 + below(stream, 5),
            remove: 1 + below(stream, 5),
        },
        1 => ScalingRule::Target {
            staffing,
            tolerance: [0.0, 0.1][stream.below(2) as usize],
        },
        2 => ScalingRule::Predictive {
            staffing,
            forecast: Forecast {
                horizon: SimDuration::from_s(f64::from(below(stream, 900))),
                level: 0.1 + 0.9 * stream.unit(),
                trend: stream.unit(),
                season: [None, Some(SimDuration::from_s(900.0))][stream.below(2) as usize],
                season_weight: stream.unit(),
            },
        },
        _ => {
            let mut entries: Vec<ScheduledReplicas> = (0..5)
                .map(|_| ScheduledReplicas {
                    week_s: below(stream, 7 * 86_400),
                    replicas: 1 + below(stream, 60),
                })
                .collect();
            entries.sort_by_key(|entry| entry.week_s);
            ScalingRule::Scheduled {
                entries,
                ahead: SimDuration::from_s(f64::from(below(stream, 7200))),
            }
        }
    }
}

/// The fewest replicas that suffice, found by trying one after the other.
fn enough(staffing: Staffing, load: f64) -> u32 {
    let needed = load / staffing.target + staffing.spare * load.sqrt();
    (0..)
        .find(|&replicas| f64::from(replicas) >= needed * (1.0 - 1e-9))
        .unwrap()
}

/// The state of Holt and Winters after all loads: level, slope and the season's values by step.
fn smoothed(forecast: Forecast, period: usize, loads: &[f64]) -> (f64, f64, Vec<f64>) {
    let (&last, before) = loads.split_last().unwrap();
    if before.is_empty() {
        return (last, 0.0, vec![0.0]);
    }
    let (level, slope, mut season) = smoothed(forecast, period, before);
    let known = period > 0 && before.len() >= period;
    let old = if known {
        season[before.len() - period]
    } else {
        0.0
    };
    let next = forecast.level * (last - old) + (1.0 - forecast.level) * (level + slope);
    let weight = if known { forecast.season_weight } else { 1.0 };
    season.push(weight * (last - next) + (1.0 - weight) * old);
    let slope = forecast.trend * (next - level) + (1.0 - forecast.trend) * slope;
    (next, slope, season)
}

fn naive_wish(
    rule: &ScalingRule,
    every_s: f64,
    reaction_s: f64,
    week_s: f64,
    loads: &[f64],
    ordered: u32,
) -> u32 {
    let load = *loads.last().unwrap();
    match rule {
        ScalingRule::Threshold {
            above,
            below,
            add,
            remove,
        } => {
            let each = load / f64::from(ordered);
            if each > *above {
                ordered + add
            } else if each < *below {
                ordered.saturating_sub(*remove)
            } else {
                ordered
            }
        }
        ScalingRule::Target {
            staffing,
            tolerance,
        } => {
            let off = load / f64::from(ordered) / staffing.target - 1.0;
            if off.abs() <= *tolerance {
                ordered
            } else {
                enough(*staffing, load)
            }
        }
        ScalingRule::Predictive { staffing, forecast } => {
            let period = forecast
                .season
                .map_or(0, |season| (season.as_s() / every_s).round() as usize);
            let (level, slope, season) = smoothed(*forecast, period, loads);
            let steps = (forecast.horizon.as_s() + reaction_s) / every_s;
            let mut ahead = level + steps * slope;
            if period > 0 && loads.len() >= period {
                // The newest step of the same place in the season.
                let place = (loads.len() - 1 + (steps.round() as usize).max(1)) % period;
                let same = (0..loads.len())
                    .rev()
                    .find(|step| step % period == place)
                    .unwrap();
                ahead += season[same];
            }
            enough(*staffing, ahead.max(0.0))
        }
        ScalingRule::Scheduled { entries, ahead } => {
            // Back second by second until an entry begins.
            let mut second = (week_s + ahead.as_s()).floor() as i64;
            loop {
                let within = second.rem_euclid(7 * 86_400);
                let begins = entries
                    .iter()
                    .rev()
                    .find(|entry| i64::from(entry.week_s) == within);
                if let Some(entry) = begins {
                    return entry.replicas;
                }
                second -= 1;
            }
        }
    }
}

/// What is ordered after each decision, by somebody who keeps a list of all changes.
fn naive_orders(
    rule: &ScalingRule,
    bounds: &ScalingBounds,
    readings: &[Reading],
    every_s: f64,
    reaction_s: f64,
    initial: u32,
) -> Vec<u32> {
    let mut orders = vec![initial];
    let mut changes: Vec<f64> = Vec::new();
    for (index, reading) in readings.iter().enumerate() {
        let loads: Vec<f64> = readings[..=index]
            .iter()
            .map(|reading| reading.load)
            .collect();
        let ordered = *orders.last().unwrap();
        let wish = naive_wish(rule, every_s, reaction_s, reading.week_s, &loads, ordered);
        let stepped = i64::from(wish)
            .min(i64::from(ordered) + i64::from(bounds.step_up))
            .max(i64::from(ordered) - i64::from(bounds.step_down));
        let held = stepped
            .max(i64::from(bounds.minimum))
            .min(i64::from(bounds.maximum));
        let next = u32::try_from(held.min(i64::from(reading.available))).unwrap();
        let wait = if next > ordered {
            bounds.cool_down_up
        } else {
            bounds.cool_down_down
        };
        let is_hot = changes
            .iter()
            .any(|at| reading.now.as_s() - at < wait.as_s());
        if next != ordered && !is_hot {
            changes.push(reading.now.as_s());
            orders.push(next);
        } else {
            orders.push(ordered);
        }
    }
    orders[1..].to_vec()
}

/// A load that wanders, jumps and has a shape of 15 minutes.
fn some_readings(stream: &mut Stream, every_s: f64) -> Vec<Reading> {
    let mut base = 10.0 + 40.0 * stream.unit();
    (0..160_u32)
        .map(|step| {
            base *= 0.97 + 0.06 * stream.unit();
            if stream.below(40) == 0 {
                base *= 0.5 + 2.0 * stream.unit();
            }
            let now_s = f64::from(step + 1) * every_s;
            let shape = 1.0 + 0.5 * libm::sin(now_s * std::f64::consts::TAU / 900.0);
            Reading {
                now: SimTime::from_s(now_s),
                week_s: 6.9 * DAY_S + 70.0 * now_s,
                load: (base * shape).min(400.0),
                available: if step < 80 { 60 } else { 300 },
            }
        })
        .collect()
}

#[test]
fn every_controller_decides_as_its_naive_twin() {
    for case in 0..60 {
        let mut stream = Seed(case).stream("controllers", "cases", 0);
        let (bounds, rule) = (some_bounds(&mut stream), some_rule(&mut stream));
        let (every_s, reaction_s) = (30.0, [0.0, 60.0][stream.below(2) as usize]);
        let readings = some_readings(&mut stream, every_s);
        let initial = bounds.minimum;
        let seconds = SimDuration::from_s;
        let mut controller = Controller::new(
            rule.clone(),
            bounds,
            seconds(every_s),
            seconds(reaction_s),
            initial,
        );
        let orders: Vec<u32> = readings
            .iter()
            .map(|&reading| controller.decide(reading))
            .collect();
        let naive = naive_orders(&rule, &bounds, &readings, every_s, reaction_s, initial);
        assert_eq!(orders, naive, "case {case}: {rule:?} {bounds:?}");
    }
}

#[test]
fn no_controller_leaves_its_bounds_or_turns_round_within_a_cool_down() {
    for case in 1000..1400 {
        let mut stream = Seed(case).stream("controllers", "cases", 0);
        let (bounds, rule) = (some_bounds(&mut stream), some_rule(&mut stream));
        let readings = some_readings(&mut stream, 30.0);
        let seconds = SimDuration::from_s;
        let mut ordered = bounds.minimum;
        let mut controller =
            Controller::new(rule, bounds, seconds(30.0), SimDuration::ZERO, ordered);
        let mut last: Option<(SimTime, bool)> = None;
        for reading in readings {
            let next = controller.decide(reading);
            let most = bounds.maximum.min(reading.available);
            assert!(
                (bounds.minimum.min(most)..=most).contains(&next),
                "case {case}: {next}"
            );
            if next == ordered {
                continue;
            }
            let is_up = next > ordered;
            if let Some((at, was_up)) = last {
                let wait = if is_up {
                    bounds.cool_down_up
                } else {
                    bounds.cool_down_down
                };
                assert!(
                    was_up == is_up || reading.now.since(at) >= wait,
                    "case {case}"
                );
                let step = if is_up {
                    bounds.step_up
                } else {
                    bounds.step_down
                };
                assert!(next.abs_diff(ordered) <= step, "case {case}");
            }
            (ordered, last) = (next, Some((reading.now, is_up)));
        }
    }
}
