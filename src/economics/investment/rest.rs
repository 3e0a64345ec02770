//! Where the loop comes to rest with a given fleet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Device, links};
use crate::scenario::Investment;
use crate::stats::root;

/// A fixed point: a month changes nothing in it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rest {
    /// With how many GPUs.
    pub fleet_gpus: f64,
    /// Weekly users.
    pub users: f64,
    /// Subscribers.
    pub subscribers: f64,
    /// Share of the demand that is served.
    pub served_share: f64,
    /// Revenue in USD a month.
    pub revenue_usd: f64,
}

/// The fixed point of users and subscribers with `fleet_gpus`; `None` where there is none above zero, as
/// without growth.
///
/// For users U > 0 the change over U, g (1 - U/K) s(U) - l (1 - s(U)), falls with U, because the served
/// share s does not rise with U; it is g > 0 for few users and not above 0 at the market K. So there is
/// exactly one root, found by bisection. Then S = j U / (c + j).
#[must_use]
pub fn rest(input: &Investment, device: Device, fleet_gpus: f64) -> Option<Rest> {
    if input.growth <= 0.0 || input.churn + input.join <= 0.0 {
        return None;
    }
    let available = links::available_gpu_hours(input, fleet_gpus);
    let served = |users: f64| {
        let needed = links::needed_gpu_hours(input, users, device.images_per_gpu_hour);
        links::served_share(available, needed)
    };
    let falls_by = |share: f64| {
        let users = share * input.market_users;
        1.0 - links::users_next(input, users, served(users)) / users
    };
    let share = root(f64::MIN_POSITIVE, 1.0, falls_by);
    let users = share * input.market_users;
    let subscribers = input.join * users / (input.churn + input.join);
    Some(Rest {
        fleet_gpus,
        users,
        subscribers,
        served_share: served(users),
        revenue_usd: links::revenue_usd(input, subscribers),
    })
}
