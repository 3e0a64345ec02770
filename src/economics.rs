//! What a fleet costs and what comes in: usage and prices to a bill.
//!
//! Every line is rounded to whole cents when it is made, and totals are exact sums of lines, so the
//! table, the JSON and the figure agree to the cent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::{Chunk, Scenario, Tier};
use crate::units::{SimTime, Usd};

/// The bill and the income; every line is a whole number of cents, and totals are sums of lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// What the fleet cost.
    pub costs: Vec<MoneyLine>,
    /// Sum of `costs`.
    pub cost_total_usd: f64,
    /// What came in.
    pub income: Vec<MoneyLine>,
    /// Sum of `income`.
    pub income_total_usd: f64,
    /// USD of cost for each 1000 images delivered.
    pub usd_per_1000_images: Option<f64>,
    /// What the images delivered would have brought at the price list: a measure, not an income.
    pub list_value_usd: f64,
    /// What the refused and abandoned requests would have brought at the price list.
    pub lost_list_value_usd: f64,
}

/// One line of the bill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MoneyLine {
    /// What for: the chunk's name, `power <cluster>`, `subscriptions <tier>` ...
    pub what: String,
    /// How much of what it rests on, in words: `24000 GPUs x 216 h x 2.10 USD`.
    pub basis: String,
    /// Dollars, whole cents.
    pub usd: f64,
}

/// What was used and delivered up to an instant; all that the bill depends on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Up to when.
    pub until: SimTime,
    /// By cluster: share of the replicas' time with something to do, 0..=1.
    pub utilisation: Vec<f64>,
    /// By tier: price list value of the images delivered, in 1e-6 USD.
    pub list_value_micro_usd: Vec<u64>,
    /// Images delivered.
    pub images: u64,
    /// Requests refused, given up or lost, priced at the standard quality, in USD.
    pub lost_list_value_usd: f64,
    /// New subscribers by tier.
    pub subscribers: Vec<u64>,
    /// By chunk: GPU-hours on demand that were given back and cost nothing; empty where none were.
    pub returned_gpu_hours: Vec<f64>,
}

impl Usage {
    /// GPU-hours of a chunk that were given back.
    fn returned(&self, chunk: usize) -> f64 {
        self.returned_gpu_hours.get(chunk).copied().unwrap_or(0.0)
    }
}

/// The bill and the income up to `usage.until`.
///
/// A chunk costs its GPUs times its price from its delivery on, used or not; of one that comes in parts each
/// part from when it was accepted, and of one on demand less the GPU-hours that were given back, which take no
/// power either. Where its price does not
/// include power, its energy is `GPUs x (idle + utilisation x (busy - idle)) x hours x PUE`. A new
/// subscriber pays the first month at once.
#[must_use]
pub fn bill(scenario: &Scenario, usage: &Usage) -> Money {
    let mut costs = Vec::new();
    for (index, chunk) in scenario.chunks.iter().enumerate() {
        let hours = hours(chunk, usage.until);
        let returned = usage.returned(index);
        let usd = (chunk.gpus as f64 * hours - returned) * chunk.usd_per_gpu_hour;
        let given_back = match returned > 0.0 {
            true => format!(" - {returned:.0} GPU-hours given back"),
            false => String::new(),
        };
        let basis = format!(
            "{} GPUs x {hours:.1} h{given_back} x {} USD",
            chunk.gpus, chunk.usd_per_gpu_hour
        );
        costs.push(line(
            format!("{} ({})", chunk.name, chunk.provider),
            basis,
            usd,
        ));
    }
    let chunks = scenario.chunks.iter().enumerate();
    costs.extend(chunks.filter_map(|(index, chunk)| power(scenario, index, chunk, usage)));
    let mut income = Vec::new();
    for (index, tier) in scenario.tiers.iter().enumerate() {
        income.extend(subscriptions(
            tier,
            usage.subscribers.get(index).copied().unwrap_or(0),
        ));
        if tier.pays_per_image {
            let usd = usage.list_value_micro_usd[index] as f64 / 1e6;
            let what = format!("images {}", tier.name);
            income.push(line(what, "price list".into(), usd));
        }
    }
    let cost_total = total(&costs);
    let list_value: u64 = usage.list_value_micro_usd.iter().sum();
    let thousands = usage.images as f64 / 1000.0;
    Money {
        cost_total_usd: cost_total.as_usd(),
        income_total_usd: total(&income).as_usd(),
        usd_per_1000_images: (usage.images > 0).then(|| cost_total.as_usd() / thousands),
        list_value_usd: Usd::from_usd_to_cents(list_value as f64 / 1e6).as_usd(),
        lost_list_value_usd: Usd::from_usd_to_cents(usage.lost_list_value_usd).as_usd(),
        costs,
        income,
    }
}

/// Hours for which a chunk has been paid.
fn hours(chunk: &Chunk, until: SimTime) -> f64 {
    chunk.paid_hours(until)
}

fn power(scenario: &Scenario, index: usize, chunk: &Chunk, usage: &Usage) -> Option<MoneyLine> {
    if chunk.busy_w_per_gpu <= 0.0 {
        return None;
    }
    let cluster = &scenario.clusters[chunk.cluster];
    let utilisation = usage.utilisation.get(chunk.cluster).copied().unwrap_or(0.0);
    let watts = chunk.idle_w_per_gpu + utilisation * (chunk.busy_w_per_gpu - chunk.idle_w_per_gpu);
    let kilowatts = chunk.gpus as f64 * watts * cluster.power_usage_effectiveness / 1000.0;
    let each = watts * cluster.power_usage_effectiveness / 1000.0;
    let kwh = kilowatts * chunk.powered_hours(usage.until) - each * usage.returned(index);
    let basis = format!(
        "{:.0} MWh x {} USD/kWh, PUE {}",
        kwh / 1000.0,
        cluster.power_usd_per_kwh,
        cluster.power_usage_effectiveness
    );
    Some(line(
        format!("power {}", chunk.name),
        basis,
        kwh * cluster.power_usd_per_kwh,
    ))
}

fn subscriptions(tier: &Tier, subscribers: u64) -> Option<MoneyLine> {
    let usd = subscribers as f64 * tier.subscription_usd_per_month;
    let basis = format!(
        "{subscribers} new subscribers x {} USD, first month",
        tier.subscription_usd_per_month
    );
    (usd > 0.0).then(|| line(format!("subscriptions {}", tier.name), basis, usd))
}

fn line(what: String, basis: String, usd: f64) -> MoneyLine {
    MoneyLine {
        what,
        basis,
        usd: Usd::from_usd_to_cents(usd).as_usd(),
    }
}

fn total(lines: &[MoneyLine]) -> Usd {
    lines
        .iter()
        .map(|line| Usd::from_usd_to_cents(line.usd))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Law;
    use crate::scenario::{Arrived, Order};
    use crate::units::NS_PER_S;

    fn scenario() -> Scenario {
        let mut scenario = Scenario::textbook(1.0, Law::Constant { value: 1.0 }, 1, 7200.0);
        scenario.clusters[0].power_usd_per_kwh = 0.1;
        scenario.clusters[0].power_usage_effectiveness = 1.25;
        let chunk = |name: &str, delivered_h: u64, busy_w: f64| Chunk {
            name: name.into(),
            gpus: 3,
            accelerator: "H100".into(),
            provider: "Azure".into(),
            term: "on-demand".into(),
            cluster: 0,
            delivered: SimTime(delivered_h * 3600 * NS_PER_S),
            order: Order::on(SimTime(delivered_h * 3600 * NS_PER_S)),
            arrived: Arrived::default(),
            replicas: 3,
            gpus_per_replica: 1,
            usd_per_gpu_hour: 1.111,
            busy_w_per_gpu: busy_w,
            idle_w_per_gpu: busy_w / 4.0,
        };
        scenario.chunks = vec![chunk("a", 0, 0.0), chunk("b", 1, 1000.0)];
        scenario
    }

    fn usage() -> Usage {
        Usage {
            until: SimTime::from_s(7200.0),
            utilisation: vec![0.5],
            list_value_micro_usd: vec![42_000],
            images: 2000,
            lost_list_value_usd: 0.0,
            subscribers: vec![0],
            returned_gpu_hours: Vec::new(),
        }
    }

    #[test]
    fn what_is_given_back_costs_neither_rent_nor_power() {
        let usage = Usage {
            returned_gpu_hours: vec![1.5, 2.0],
            ..usage()
        };
        let money = bill(&scenario(), &usage);
        let usd: Vec<f64> = money.costs.iter().map(|line| line.usd).collect();
        // (3 x 2 h - 1.5) x 1.111; (3 x 1 h - 2) x 1.111; (3 - 2) h x 0.625 kW x 1.25 x 0.1.
        assert_eq!(usd, [5.0, 1.11, 0.08]);
    }

    #[test]
    fn a_bill_is_hours_times_prices() {
        let money = bill(&scenario(), &usage());
        let usd: Vec<f64> = money.costs.iter().map(|line| line.usd).collect();
        // 3 x 2 h x 1.111; 3 x 1 h x 1.111; 3 x 0.625 kW x 1.25 x 1 h x 0.1.
        assert_eq!(usd, [6.67, 3.33, 0.23]);
        assert!((money.usd_per_1000_images.expect("images") - 10.23 / 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_chunk_in_parts_is_paid_from_each_acceptance_and_draws_power_from_each_start() {
        let mut scenario = scenario();
        let at = |hours: f64| SimTime::from_s(hours * 3600.0);
        let chunk = &mut scenario.chunks[1];
        chunk.arrived.accepted = vec![(at(0.5), 1), (at(1.5), 1)];
        chunk.arrived.powered = vec![(at(1.0), 1)];
        let money = bill(&scenario, &usage());
        let usd: Vec<f64> = money.costs.iter().map(|line| line.usd).collect();
        // (1.5 h + 0.5 h) x 1.111, the third never came; 0.625 kW x 1.25 x 1 h x 0.1.
        assert_eq!(usd, [6.67, 2.22, 0.08]);
    }

    #[test]
    fn the_total_is_the_sum_of_the_lines_to_the_cent() {
        let money = bill(&scenario(), &usage());
        let cents = |usd: f64| (usd * 100.0).round() as i64;
        let sum: i64 = money.costs.iter().map(|line| cents(line.usd)).sum();
        assert_eq!(cents(money.cost_total_usd), sum);
        assert_eq!(format!("{}", money.cost_total_usd), "10.23");
    }
}
