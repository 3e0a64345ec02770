//! The links of the money loop: one pure function each, with its formula and units.
//!
//! Behaviour (growth, joining, ordering, rounds) is a model of ours and says so; what its numbers rest on
//! stands in the scenario. Arithmetic of contracts is that of `finance`.

use crate::finance::{HOURS_PER_YEAR, MONTHS_PER_YEAR, implied_usd_per_gpu_hour};
use crate::scenario::Investment;

/// Hours of a month: a twelfth of a contract's year.
pub(super) const HOURS_PER_MONTH: f64 = HOURS_PER_YEAR / MONTHS_PER_YEAR;

/// Users after a month: U + g U (1 - U / K) s - l U (1 - s), for growth g, market K, the share s of the
/// demand that was served and the share l that leaves unserved. The first part is logistic growth
/// (Verhulst 1838) of those who were served.
pub(super) fn users_next(input: &Investment, users: f64, served: f64) -> f64 {
    let room = 1.0 - users / input.market_users;
    let gained = input.growth * users * room * served;
    users + gained - input.leave_unserved * users * (1.0 - served)
}

/// Subscribers after a month: S (1 - c) + j (U - S), for the churn c and the share j of the others who
/// join; never more than there are users.
pub(super) fn subscribers_next(input: &Investment, users: f64, subscribers: f64) -> f64 {
    let others = (users - subscribers).max(0.0);
    let next = subscribers * (1.0 - input.churn) + input.join * others;
    next.min(users)
}

/// Revenue of a month in USD: subscribers x price x (1 + further share).
pub(super) fn revenue_usd(input: &Investment, subscribers: f64) -> f64 {
    subscribers * input.subscription_usd_per_month * (1.0 + input.further_revenue)
}

/// GPU-hours of a month that users ask for: images / (images of a GPU-hour x share of GPU time that makes
/// images).
pub(super) fn needed_gpu_hours(input: &Investment, users: f64, images_per_gpu_hour: f64) -> f64 {
    users * input.images_per_user / (images_per_gpu_hour * input.image_share)
}

/// GPU-hours with work that a fleet can give in a month: GPUs x hours x utilisation.
pub(super) fn available_gpu_hours(input: &Investment, fleet_gpus: f64) -> f64 {
    fleet_gpus * HOURS_PER_MONTH * input.utilisation
}

/// The share of the demand that is served: all, or what is there over what is needed.
pub(super) fn served_share(available: f64, needed: f64) -> f64 {
    if needed <= available {
        1.0
    } else {
        available / needed
    }
}

/// What the lab pays the cloud in a month in USD: the GPU-hours used, at least those committed, at the price
/// that the chunk's contract implies.
pub(super) fn rent_usd(input: &Investment, fleet_gpus: f64, used_gpu_hours: f64) -> f64 {
    let committed = input.committed * fleet_gpus * HOURS_PER_MONTH;
    used_gpu_hours.max(committed) * price_usd_per_gpu_hour(input)
}

/// The price of a GPU-hour that the contract of a chunk implies.
pub(super) fn price_usd_per_gpu_hour(input: &Investment) -> f64 {
    implied_usd_per_gpu_hour(input.contract_usd_per_year, input.chunk_gpus)
}

/// Valuation in USD: annualised revenue x the multiple that the first round paid.
pub(super) fn valuation_usd(input: &Investment, revenue_usd: f64) -> f64 {
    input.valuation_usd * revenue_usd / revenue_usd_at_start(input)
}

fn revenue_usd_at_start(input: &Investment) -> f64 {
    // A company without revenue keeps its valuation of nothing.
    revenue_usd(input, input.subscribers).max(f64::MIN_POSITIVE)
}

/// What a round raises in USD: the share of its valuation that the first one raised.
pub(super) fn raised_usd(input: &Investment, valuation_usd: f64) -> f64 {
    valuation_usd * input.raised_usd / input.valuation_usd
}

/// GPUs that the demand foreseen wants in service when an order of today arrives: growth goes on as if all
/// were served, with headroom over it.
pub(super) fn wanted_gpus(input: &Investment, users: f64, images_per_gpu_hour: f64) -> f64 {
    let foreseen = (0..input.lead_months).fold(users, |users, _| users_next(input, users, 1.0));
    let needed = needed_gpu_hours(input, foreseen, images_per_gpu_hour);
    needed * (1.0 + input.headroom) / available_gpu_hours(input, 1.0)
}

/// GPUs whose rent can be paid: a month's part of the cash over its runway, and what is left of the
/// revenue after all other costs.
pub(super) fn affordable_gpus(input: &Investment, cash_usd: f64, revenue_usd: f64) -> f64 {
    let budget = cash_usd / input.runway_months + revenue_usd * (1.0 - input.other_costs);
    (budget / rent_usd(input, 1.0, HOURS_PER_MONTH * input.utilisation)).max(0.0)
}

/// Whole GPUs to order: what is wanted and can be paid and is not there or ordered, as far as the makers
/// can supply it in a month.
pub(super) fn order_gpus(input: &Investment, wanted: f64, affordable: f64, owned: f64) -> f64 {
    let missing = wanted.min(affordable) - owned;
    missing.clamp(0.0, input.supply_gpus).floor()
}
