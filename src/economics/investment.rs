//! The money loop: users pay, GPUs are rented and bought, valuations raise money for more of them, and
//! capacity decides how the users grow.
//!
//! ```text
//! users -> subscribers -> revenue -> valuation -> round -> cash
//!   ^                                                        |
//!   +-- served share <- fleet <- (lead time) <- orders <-----+
//! ```
//!
//! A month is a step of plain arithmetic over the links in `links`; money moves between accounts of a
//! ledger in whole cents and none appears or disappears. Nothing is random.

mod ledger;
mod links;
mod rest;
mod sensitivity;

pub use rest::{Rest, rest};
pub use sensitivity::{Effect, sensitivities};

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::{Investment, Scenario};
use ledger::{Account, Ledger};

/// A month of the loop: flows of the month, levels at its end unless they say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Month {
    /// Number from 1.
    pub month: u32,
    /// Weekly users, at its start.
    pub users: f64,
    /// Paying subscribers, at its start.
    pub subscribers: f64,
    /// What they and all other customers pay.
    pub revenue_usd: f64,
    /// Images that users want.
    pub wanted_images: f64,
    /// Share of the demand that is served, 0..=1.
    pub served_share: f64,
    /// What the images served are worth at the price list: a measure, not an income.
    pub served_list_usd: f64,
    /// What the images not served would have earned at the price list.
    pub missed_list_usd: f64,
    /// GPU-hours with work.
    pub gpu_hours: f64,
    /// What the cloud gets for them and for those committed.
    pub cloud_revenue_usd: f64,
    /// GPUs in service.
    pub fleet_gpus: f64,
    /// GPUs that the demand foreseen wants.
    pub wanted_gpus: f64,
    /// GPUs whose rent can be paid.
    pub affordable_gpus: f64,
    /// GPUs ordered.
    pub ordered_gpus: f64,
    /// GPUs that came into service, at its start.
    pub delivered_gpus: f64,
    /// What the cloud pays the makers for those ordered, by vendor in the order of the scenario.
    pub makers_usd: Vec<f64>,
    /// What it pays for all around them.
    pub building_usd: f64,
    /// What investors pay.
    pub raised_usd: f64,
    /// Staff, research and all else.
    pub other_costs_usd: f64,
    /// The lab's cash.
    pub cash_usd: f64,
    /// The cloud's balance since the start: rent less what it built.
    pub cloud_balance_usd: f64,
    /// Annualised revenue times the multiple of the first round.
    pub valuation_usd: f64,
}

/// What the loop came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Loop {
    /// Name of the scenario.
    pub scenario: String,
    /// Its question.
    pub question: String,
    /// Start in seconds since 1970 UTC.
    pub start_unix_s: i64,
    /// Images that a GPU makes in an hour with full batches, by the device profile.
    pub images_per_gpu_hour: f64,
    /// The profile.
    pub profile: String,
    /// Price of a GPU-hour that the contract of a chunk implies, in USD.
    pub usd_per_gpu_hour: f64,
    /// GPUs of that chunk.
    pub chunk_gpus: f64,
    /// What the contract is worth, in USD a year.
    pub contract_usd_per_year: f64,
    /// Valuation over annualised revenue in the first round.
    pub revenue_multiple: Option<f64>,
    /// Share of the company that a round sells.
    pub round_share: f64,
    /// Names of the vendors.
    pub vendors: Vec<String>,
    /// Month by month.
    pub months: Vec<Month>,
    /// Where users and subscribers would come to rest with the last fleet.
    pub rest: Option<Rest>,
    /// What each input changes at the end, the largest first.
    pub sensitivities: Vec<Effect>,
}

/// Steps through the loop of a scenario; `None`: it has no `[investment]`.
#[must_use]
pub fn invest(scenario: &Scenario) -> Option<Loop> {
    let input = scenario.investment.as_ref()?;
    let device = Device::of(scenario, input);
    let months = run(input, device);
    let fleet_gpus = months.last().map_or(input.fleet_gpus, |m| m.fleet_gpus);
    let revenue = 12.0 * links::revenue_usd(input, input.subscribers);
    let mut pools = scenario.pools.iter();
    let pool = pools.find(|pool| pool.cluster == input.cluster);
    Some(Loop {
        scenario: scenario.name.clone(),
        question: scenario.question.clone(),
        start_unix_s: scenario.start_unix_s,
        images_per_gpu_hour: device.images_per_gpu_hour,
        profile: pool.map_or_else(String::new, |pool| pool.profile.name.clone()),
        usd_per_gpu_hour: links::price_usd_per_gpu_hour(input),
        chunk_gpus: input.chunk_gpus,
        contract_usd_per_year: input.contract_usd_per_year,
        revenue_multiple: (revenue > 0.0).then(|| input.valuation_usd / revenue),
        round_share: input.raised_usd / input.valuation_usd,
        vendors: input.vendors.iter().map(|v| v.name.clone()).collect(),
        rest: rest(input, device, fleet_gpus),
        sensitivities: sensitivities(input, device),
        months,
    })
}

/// What the loop needs to know of the device and the price list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Device {
    /// Images that a GPU makes in an hour with full batches.
    pub images_per_gpu_hour: f64,
    /// Price of an image by the list, in USD.
    pub usd_per_image: f64,
}

impl Device {
    /// By the profile of the cluster that the loop names.
    #[must_use]
    pub fn of(scenario: &Scenario, input: &Investment) -> Self {
        let work = &scenario.works[input.work];
        let mut pools = scenario.pools.iter();
        let pool = pools
            .find(|pool| pool.cluster == input.cluster)
            .expect("the checks of a scenario let no loop pass whose cluster has no pool");
        let batching = &scenario.rules[0].1.policy.batching;
        let batch = pool.places(batching, work.mean_memory_bytes());
        let replica_per_s = work.rate_per_s(&pool.profile.curve, batch, 0);
        let gpus = f64::from(pool.profile.gpus_per_replica);
        Self {
            images_per_gpu_hour: 3600.0 * replica_per_s / gpus,
            usd_per_image: work.qualities[0].usd_per_image,
        }
    }
}

/// The loop in progress.
struct State<'i> {
    input: &'i Investment,
    device: Device,
    users: f64,
    subscribers: f64,
    fleet_gpus: f64,
    /// Orders on their way, the next one first.
    orders: VecDeque<f64>,
    ledger: Ledger,
    months_since_round: u32,
}

/// All months of the loop.
///
/// # Panics
/// If the ledger does not close in a month, which is a bug.
#[must_use]
pub fn run(input: &Investment, device: Device) -> Vec<Month> {
    let mut state = State {
        input,
        device,
        users: input.users,
        subscribers: input.subscribers,
        fleet_gpus: input.fleet_gpus,
        orders: (0..input.lead_months).map(|_| 0.0).collect(),
        ledger: Ledger::default(),
        months_since_round: input.round_every_months,
    };
    state
        .ledger
        .pay(Account::Investors, Account::Lab, input.cash_usd);
    (1..=input.months).map(|month| state.step(month)).collect()
}

impl State<'_> {
    fn step(&mut self, number: u32) -> Month {
        let mut month = Month {
            month: number,
            users: self.users,
            subscribers: self.subscribers,
            ..Month::default()
        };
        month.delivered_gpus = self.orders.pop_front().unwrap_or(0.0);
        self.fleet_gpus += month.delivered_gpus;
        month.fleet_gpus = self.fleet_gpus;
        self.serve(&mut month);
        self.raise(&mut month);
        self.order(&mut month);
        self.users = links::users_next(self.input, self.users, month.served_share);
        self.subscribers = links::subscribers_next(self.input, self.users, self.subscribers);
        month.cash_usd = self.ledger.balance_usd(Account::Lab);
        month.cloud_balance_usd = self.ledger.balance_usd(Account::Cloud);
        let sum = self.ledger.sum_cents();
        assert_eq!(sum, 0, "money appeared or disappeared in month {number}");
        month
    }

    /// What users want and get, and who pays for it.
    fn serve(&mut self, month: &mut Month) {
        let (input, device) = (self.input, self.device);
        let needed = links::needed_gpu_hours(input, self.users, device.images_per_gpu_hour);
        let available = links::available_gpu_hours(input, self.fleet_gpus);
        month.served_share = links::served_share(available, needed);
        month.gpu_hours = needed * month.served_share;
        month.wanted_images = self.users * input.images_per_user;
        let list_usd = month.wanted_images * device.usd_per_image;
        month.served_list_usd = list_usd * month.served_share;
        month.missed_list_usd = list_usd - month.served_list_usd;
        let revenue = links::revenue_usd(input, self.subscribers);
        let rent = links::rent_usd(input, self.fleet_gpus, month.gpu_hours);
        let ledger = &mut self.ledger;
        month.revenue_usd = ledger.pay(Account::Users, Account::Lab, revenue);
        month.cloud_revenue_usd = ledger.pay(Account::Lab, Account::Cloud, rent);
        let others = revenue * input.other_costs;
        month.other_costs_usd = ledger.pay(Account::Lab, Account::Others, others);
        month.valuation_usd = links::valuation_usd(input, revenue);
    }

    /// A round, when the last one is long enough ago and the cash would not last.
    fn raise(&mut self, month: &mut Month) {
        let input = self.input;
        let burnt = month.cloud_revenue_usd + month.other_costs_usd - month.revenue_usd;
        let on_the_way: f64 = self.orders.iter().sum();
        let foreseen = burnt + links::rent_usd(input, on_the_way, 0.0);
        let cash = self.ledger.balance_usd(Account::Lab);
        let is_due = self.months_since_round >= input.round_every_months;
        let first = month.month == 1;
        if first || is_due && cash < input.runway_months * foreseen {
            let raised = links::raised_usd(input, month.valuation_usd);
            month.raised_usd = self.ledger.pay(Account::Investors, Account::Lab, raised);
            self.months_since_round = 0;
        }
        self.months_since_round = self.months_since_round.saturating_add(1);
    }

    /// What is ordered, and what the cloud pays for it.
    fn order(&mut self, month: &mut Month) {
        let input = self.input;
        let cash = self.ledger.balance_usd(Account::Lab);
        month.wanted_gpus = links::wanted_gpus(input, self.users, self.device.images_per_gpu_hour);
        month.affordable_gpus = links::affordable_gpus(input, cash, month.revenue_usd);
        let owned = self.fleet_gpus + self.orders.iter().sum::<f64>();
        let (wanted, affordable) = (month.wanted_gpus, month.affordable_gpus);
        month.ordered_gpus = links::order_gpus(input, wanted, affordable, owned);
        self.orders.push_back(month.ordered_gpus);
        let capex = month.ordered_gpus * input.capex_usd_per_gpu;
        let mut bought = 0.0;
        for vendor in &input.vendors {
            let usd = month.ordered_gpus * vendor.share * vendor.usd_per_gpu;
            let paid = self.ledger.pay(Account::Cloud, Account::Makers, usd);
            month.makers_usd.push(paid);
            bought += paid;
        }
        let rest = capex - bought;
        month.building_usd = self.ledger.pay(Account::Cloud, Account::Others, rest);
    }
}

#[cfg(test)]
mod tests;
