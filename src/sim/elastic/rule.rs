//! How many replicas a rule wants: pure functions of what is measured, with no fleet behind them.
//!
//! ```text
//! load -> rule (threshold, target, forecast, timetable) -> step limits -> minimum, maximum -> cool-down
//! ```

use std::collections::VecDeque;

use crate::scenario::{
    Autoscaler, Forecast, ScalingBounds, ScalingRule, ScheduledReplicas, Staffing,
};
use crate::units::{SimDuration, SimTime};

/// What a controller sees when it decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Now.
    pub now: SimTime,
    /// Seconds after Monday, 0:00 local time.
    pub week_s: f64,
    /// Offered load in replicas: first attempts only, as old as the reaction time.
    pub load: f64,
    /// Replicas that are delivered: no more can be ordered.
    pub available: u32,
}

/// A rule with what it remembers.
#[derive(Clone, Debug)]
pub struct Controller {
    rule: ScalingRule,
    bounds: ScalingBounds,
    /// From one decision to the next.
    every: SimDuration,
    /// How old what is measured is.
    reaction: SimDuration,
    trend: Option<Trend>,
    wanted: u32,
    ordered: u32,
    changed: Option<SimTime>,
}

impl Controller {
    /// A controller that has ordered `initial` replicas.
    #[must_use]
    pub fn new(
        rule: ScalingRule,
        bounds: ScalingBounds,
        every: SimDuration,
        reaction: SimDuration,
        initial: u32,
    ) -> Self {
        Self {
            rule,
            bounds,
            every,
            reaction,
            trend: None,
            wanted: initial,
            ordered: initial,
            changed: None,
        }
    }

    /// The controller of an autoscaler with so many pools, each of which keeps one replica, or a request that is
    /// routed there would find nobody.
    #[must_use]
    pub fn of(scaler: &Autoscaler, pools: u32) -> Self {
        let mut bounds = scaler.bounds;
        bounds.minimum = bounds.minimum.max(pools);
        bounds.maximum = bounds.maximum.max(bounds.minimum);
        let initial = scaler.initial.clamp(bounds.minimum, bounds.maximum);
        Self::new(
            scaler.rule.clone(),
            bounds,
            scaler.every,
            scaler.reaction,
            initial,
        )
    }

    /// The start, with so many delivered: no more than those can have been ordered. Returns what is ordered.
    pub fn begin(&mut self, available: u32) -> u32 {
        self.ordered = self.ordered.min(available);
        self.ordered
    }

    /// What the rule wanted when it was asked last, between the minimum and the maximum.
    #[must_use]
    pub fn wanted(&self) -> u32 {
        self.wanted
    }

    /// Replicas ordered: those that serve and those on their way.
    #[must_use]
    pub fn ordered(&self) -> u32 {
        self.ordered
    }

    /// Decides how many replicas are ordered from now on.
    pub fn decide(&mut self, reading: Reading) -> u32 {
        let wanted = self.asked(reading);
        self.wanted = wanted.clamp(self.bounds.minimum, self.bounds.maximum);
        let next = bounded(self.ordered, wanted, &self.bounds).min(reading.available);
        let wait = match next > self.ordered {
            true => self.bounds.cool_down_up,
            false => self.bounds.cool_down_down,
        };
        let is_cool = self
            .changed
            .is_none_or(|changed| reading.now.since(changed) >= wait);
        if next != self.ordered && is_cool {
            self.ordered = next;
            self.changed = Some(reading.now);
        }
        self.ordered
    }

    /// What the rule alone wants.
    fn asked(&mut self, reading: Reading) -> u32 {
        let ordered = f64::from(self.ordered);
        match &self.rule {
            &ScalingRule::Threshold {
                above,
                below,
                add,
                remove,
            } => {
                if reading.load > above * ordered {
                    self.ordered.saturating_add(add)
                } else if reading.load < below * ordered {
                    self.ordered.saturating_sub(remove)
                } else {
                    self.ordered
                }
            }
            &ScalingRule::Target {
                staffing,
                tolerance,
            } => {
                let aim = staffing.target * ordered;
                match (reading.load - aim).abs() <= tolerance * aim {
                    true => self.ordered,
                    false => staffed(staffing, reading.load),
                }
            }
            &ScalingRule::Predictive { staffing, forecast } => {
                let trend = self.trend.get_or_insert_with(Trend::default);
                trend.take(forecast, self.every, reading.load);
                let ahead_s = forecast.horizon.as_s() + self.reaction.as_s();
                staffed(staffing, trend.ahead(ahead_s / self.every.as_s()))
            }
            ScalingRule::Scheduled { entries, ahead } => {
                in_force(entries, reading.week_s + ahead.as_s()).unwrap_or(self.ordered)
            }
        }
    }
}

/// Replicas for a load: ceil(m / target + spare x sqrt(m)).
#[must_use]
pub fn staffed(staffing: Staffing, load: f64) -> u32 {
    /// So much above a whole number is the rounding of a float.
    const ROUNDING: f64 = 1e-9;
    let load = load.max(0.0);
    let replicas = load / staffing.target + staffing.spare * libm::sqrt(load);
    libm::ceil(replicas * (1.0 - ROUNDING)) as u32
}

/// A step from `ordered` towards `wanted` within all bounds; the minimum and the maximum hold even
/// where a step limit would forbid it.
fn bounded(ordered: u32, wanted: u32, bounds: &ScalingBounds) -> u32 {
    let lowest = ordered.saturating_sub(bounds.step_down);
    let highest = ordered.saturating_add(bounds.step_up);
    wanted
        .clamp(lowest, highest)
        .clamp(bounds.minimum, bounds.maximum)
}

/// The replicas of the entry in force at a time of the week; before the first, the last one's.
fn in_force(entries: &[ScheduledReplicas], week_s: f64) -> Option<u32> {
    const WEEK_S: f64 = 7.0 * 86_400.0;
    let within = week_s - WEEK_S * libm::floor(week_s / WEEK_S);
    let begun = entries
        .iter()
        .rev()
        .find(|entry| f64::from(entry.week_s) <= within);
    begun.or(entries.last()).map(|entry| entry.replicas)
}

/// Holt's linear trend, with Winters' additive season: with x the newest load, s what the season was a
/// period ago, l and b level and slope,
///
/// ```text
/// l' = a (x - s) + (1 - a) (l + b)        b' = g (l' - l) + (1 - g) b
/// s' = c (x - l') + (1 - c) s             forecast of h steps = l' + h b' + s(h)
/// ```
///
/// It starts at the first load with no slope. During the first season s is 0, and what the season holds of each
/// step is x - l; so it counts from the second season on.
#[derive(Clone, Debug, Default)]
struct Trend {
    level: Option<f64>,
    slope: f64,
    /// The last season, oldest first.
    season: VecDeque<f64>,
    /// Steps of a season; 0: none.
    period: usize,
}

impl Trend {
    fn take(&mut self, forecast: Forecast, every: SimDuration, load: f64) {
        let season = forecast.season;
        self.period = season.map_or(0, |season| {
            libm::round(season.as_s() / every.as_s()).max(1.0) as usize
        });
        let is_full = self.period > 0 && self.season.len() == self.period;
        let last = match is_full {
            true => self.season.pop_front(),
            false => None,
        };
        let seasonal = last.unwrap_or(0.0);
        let Some(before) = self.level else {
            self.level = Some(load);
            self.remember(0.0);
            return;
        };
        let level =
            forecast.level * (load - seasonal) + (1.0 - forecast.level) * (before + self.slope);
        self.slope = forecast.trend * (level - before) + (1.0 - forecast.trend) * self.slope;
        self.level = Some(level);
        let weight = match last {
            Some(_) => forecast.season_weight,
            None => 1.0,
        };
        self.remember(weight * (load - level) + (1.0 - weight) * seasonal);
    }

    fn remember(&mut self, seasonal: f64) {
        if self.period > 0 {
            self.season.push_back(seasonal);
        }
    }

    /// The load so many steps after the newest, not below 0.
    fn ahead(&self, steps: f64) -> f64 {
        let seasonal = match self.period > 0 && self.season.len() == self.period {
            true => {
                let back = libm::round(steps).max(1.0) as usize - 1;
                self.season[back % self.period]
            }
            false => 0.0,
        };
        (self.level.unwrap_or(0.0) + steps * self.slope + seasonal).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: SimDuration = SimDuration(1_000_000_000);

    fn free() -> ScalingBounds {
        ScalingBounds {
            minimum: 0,
            maximum: u32::MAX,
            step_up: u32::MAX,
            step_down: u32::MAX,
            cool_down_up: SimDuration::ZERO,
            cool_down_down: SimDuration::ZERO,
        }
    }

    fn reading(step: u32, load: f64) -> Reading {
        Reading {
            now: SimTime::from_s(f64::from(step)),
            week_s: f64::from(step),
            load,
            available: u32::MAX,
        }
    }

    fn forecast(horizon_s: f64, season_s: Option<f64>) -> ScalingRule {
        ScalingRule::Predictive {
            staffing: Staffing {
                target: 1.0,
                spare: 0.0,
            },
            forecast: Forecast {
                horizon: SimDuration::from_s(horizon_s),
                level: 0.5,
                trend: 0.3,
                season: season_s.map(SimDuration::from_s),
                season_weight: 0.4,
            },
        }
    }

    fn last_order(rule: ScalingRule, loads: impl Iterator<Item = f64>) -> u32 {
        let mut controller = Controller::new(rule, free(), EVERY, SimDuration::ZERO, 1);
        for (step, load) in (0..).zip(loads) {
            controller.decide(reading(step, load));
        }
        controller.ordered()
    }

    #[test]
    fn a_forecast_of_a_straight_line_is_the_line() {
        // The error of Holt's method on a line fades; after 400 steps nothing of it is left.
        let line = (0..400).map(|step| 100.0 + 2.0 * f64::from(step));
        let ordered = last_order(forecast(30.0, None), line);
        assert_eq!(ordered, 100 + 2 * (399 + 30));
    }

    #[test]
    fn a_forecast_of_a_repeating_day_is_the_same_day() {
        let shape = [10.0, 40.0, 80.0, 30.0, 20.0, 60.0];
        let days = (0..1800).map(|step| shape[step % 6]);
        // The last load was shape[5]; four steps on it is shape[3].
        assert_eq!(last_order(forecast(4.0, Some(6.0)), days), 30);
    }

    #[test]
    fn a_constant_load_is_forecast_as_it_is() {
        let ordered = last_order(forecast(100.0, Some(5.0)), std::iter::repeat_n(17.0, 40));
        assert_eq!(ordered, 17);
    }

    #[test]
    fn the_square_root_rule_is_the_textbook_one() {
        let staffing = Staffing {
            target: 1.0,
            spare: 1.42,
        };
        for load in [0.0, 1.0, 25.1, 48.7, 10_000.0] {
            let exact = crate::queueing::square_root_servers(load, 1.42);
            assert_eq!(u64::from(staffed(staffing, load)), exact);
        }
    }

    #[test]
    fn a_timetable_goes_round_the_week() {
        let at = |hours: u32, replicas| ScheduledReplicas {
            week_s: hours * 3600,
            replicas,
        };
        let entries = [at(8, 50), at(20, 10), at(32, 70)];
        let held = |hours: f64| in_force(&entries, hours * 3600.0).unwrap();
        let hours = [7.9, 8.0, 19.9, 20.0, 100.0, 168.0 + 7.0, 168.0 + 9.0];
        assert_eq!(hours.map(held), [70, 50, 50, 10, 70, 70, 50]);
    }

    #[test]
    fn a_minimum_holds_even_against_a_step_limit() {
        let bounds = ScalingBounds {
            minimum: 20,
            step_up: 3,
            step_down: 2,
            maximum: 30,
            ..free()
        };
        assert_eq!(bounded(1, 25, &bounds), 20);
        assert_eq!(bounded(22, 90, &bounds), 25);
        assert_eq!(bounded(29, 90, &bounds), 30);
        assert_eq!(bounded(25, 0, &bounds), 23);
    }
}
