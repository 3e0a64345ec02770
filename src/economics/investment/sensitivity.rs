//! What each input of the loop changes at its end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Device, Month, run};
use crate::scenario::Investment;

/// By how much an input is moved to either side.
const STEP: f64 = 0.1;

/// The end of the loop with an input 10 % smaller and larger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Effect {
    /// The input, as the scenario names it below `[investment]`.
    pub input: String,
    /// Its value in the unit of the type `Investment`.
    pub value: f64,
    /// Revenue of the last month with 0.9 and with 1.1 of it, relative to that with the value itself.
    pub revenue: [f64; 2],
    /// Likewise the users.
    pub users: [f64; 2],
    /// Likewise the GPUs in service.
    pub fleet: [f64; 2],
    /// Cash at the end in USD, less that with the value itself.
    pub cash_usd: [f64; 2],
}

impl Effect {
    /// The wider of the spans of revenue and fleet: by it effects are ranked.
    #[must_use]
    pub fn span(&self) -> f64 {
        let span = |[low, high]: [f64; 2]| (high - low).abs();
        span(self.revenue).max(span(self.fleet))
    }
}

/// An input: its name, how to get at it, and the most it can be.
type Lever = (&'static str, fn(&mut Investment) -> &mut f64, f64);

const LEVERS: [Lever; 23] = [
    ("users", |i| &mut i.users, f64::MAX),
    ("growth", |i| &mut i.growth, 1.0),
    ("market", |i| &mut i.market_users, f64::MAX),
    ("leave_unserved", |i| &mut i.leave_unserved, 1.0),
    ("subscribers", |i| &mut i.subscribers, f64::MAX),
    ("join", |i| &mut i.join, 1.0),
    ("churn", |i| &mut i.churn, 1.0),
    (
        "subscription",
        |i| &mut i.subscription_usd_per_month,
        f64::MAX,
    ),
    ("further_revenue", |i| &mut i.further_revenue, f64::MAX),
    ("images_per_user", |i| &mut i.images_per_user, f64::MAX),
    ("image_share", |i| &mut i.image_share, 1.0),
    ("utilisation", |i| &mut i.utilisation, 1.0),
    ("fleet", |i| &mut i.fleet_gpus, f64::MAX),
    ("chunk", |i| &mut i.chunk_gpus, f64::MAX),
    (
        "contract_per_year",
        |i| &mut i.contract_usd_per_year,
        f64::MAX,
    ),
    ("committed", |i| &mut i.committed, 1.0),
    ("headroom", |i| &mut i.headroom, f64::MAX),
    ("supply", |i| &mut i.supply_gpus, f64::MAX),
    ("cash", |i| &mut i.cash_usd, f64::MAX),
    ("valuation", |i| &mut i.valuation_usd, f64::MAX),
    ("raised", |i| &mut i.raised_usd, f64::MAX),
    ("runway_months", |i| &mut i.runway_months, f64::MAX),
    ("other_costs", |i| &mut i.other_costs, f64::MAX),
];

/// The effect of each input and of the device's speed, the widest first; equal ones in the order of the
/// scenario.
#[must_use]
pub fn sensitivities(input: &Investment, device: Device) -> Vec<Effect> {
    let base = end(&run(input, device));
    let mut effects: Vec<Effect> = LEVERS
        .iter()
        .map(|&(name, lever, most)| {
            let value = *lever(&mut input.clone());
            let with = |factor: f64| {
                let mut moved = input.clone();
                let place = lever(&mut moved);
                *place = (*place * factor).min(most);
                // A market is not smaller than who is there already.
                moved.market_users = moved.market_users.max(moved.users);
                end(&run(&moved, device))
            };
            effect(name, value, &base, &[with(1.0 - STEP), with(1.0 + STEP)])
        })
        .collect();
    let with = |factor: f64| {
        let images_per_gpu_hour = device.images_per_gpu_hour * factor;
        let device = Device {
            images_per_gpu_hour,
            ..device
        };
        end(&run(input, device))
    };
    let speed = device.images_per_gpu_hour;
    let ends = [with(1.0 - STEP), with(1.0 + STEP)];
    effects.push(effect("images per GPU-hour", speed, &base, &ends));
    effects.sort_by(|a, b| b.span().total_cmp(&a.span()));
    effects
}

fn end(months: &[Month]) -> Month {
    months.last().cloned().unwrap_or_default()
}

fn effect(name: &str, value: f64, base: &Month, ends: &[Month; 2]) -> Effect {
    let relative = |of: fn(&Month) -> f64| {
        let base = of(base);
        let change = |end: &Month| {
            if base == 0.0 {
                0.0
            } else {
                of(end) / base - 1.0
            }
        };
        [change(&ends[0]), change(&ends[1])]
    };
    Effect {
        input: name.to_owned(),
        value,
        revenue: relative(|month| month.revenue_usd),
        users: relative(|month| month.users),
        fleet: relative(|month| month.fleet_gpus),
        cash_usd: [0, 1].map(|side| ends[side].cash_usd - base.cash_usd),
    }
}
