//! The measures of an answer: every number that is averaged over replications, compared between
//! answers and written as a headline for machines, with its name and unit. One list for all of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::summary::{
    AutoscalerSummary, ChunkCost, MoneyLine, PartitionSummary, PoolSummary, SiteSummary, Summary,
    SupplierCost, TierSummary,
};

/// To which part of the answer a measure belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// All tiers and the whole fleet together.
    Headline,
    /// A tier.
    Tier,
    /// A pool.
    Pool,
    /// An autoscaler.
    Autoscaler,
    /// A partition of a divided cluster.
    Partition,
    /// A cluster in which something fails.
    Site,
    /// What a promise is about.
    Promise,
    /// A line of the bill.
    Cost,
    /// A line of the income.
    Income,
    /// A chunk: what it cost.
    Chunk,
    /// A provider or a vendor: what its chunks cost and made.
    Supplier,
}

/// A number of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// To which part it belongs.
    pub part: Part,
    /// Of which tier, pool, autoscaler, partition, site or promise; `None` for headlines and money.
    pub of: Option<String>,
    /// What: `response_p99`, or what a line of the bill is for.
    pub name: String,
    /// Unit of the value.
    pub unit: String,
    /// Value, finite; `None`: unknown.
    pub value: Option<f64>,
}

impl Measure {
    /// Whether `other` is the same quantity.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (self.part, &self.of, &self.name) == (other.part, &other.of, &other.name)
    }
}

/// All measures of an answer, in a fixed order: headlines, tiers, pools, autoscalers, partitions, sites, promises,
/// costs, income, chunks.
#[must_use]
pub fn measures(summary: &Summary) -> Vec<Measure> {
    let measured_s = summary.simulated_s - summary.warm_up.seconds;
    let mut list = List::default();
    list.headline(summary, measured_s);
    for tier in &summary.tiers {
        list.begin(Part::Tier, Some(&tier.name));
        list.tier(tier, measured_s);
    }
    for pool in &summary.pools {
        list.begin(Part::Pool, Some(&pool.name));
        list.pool(pool);
    }
    for scaler in &summary.autoscalers {
        list.begin(Part::Autoscaler, Some(&scaler.name));
        list.autoscaler(scaler);
    }
    for partition in &summary.partitions {
        list.begin(Part::Partition, Some(&partition.name));
        list.partition(partition);
    }
    for site in &summary.sites {
        list.begin(Part::Site, Some(&site.name));
        list.site(site);
    }
    for slo in &summary.slos {
        list.begin(Part::Promise, Some(&slo.name));
        list.add("reached", &slo.unit, slo.reached);
    }
    list.begin(Part::Cost, None);
    list.money(&summary.money.costs);
    list.begin(Part::Income, None);
    list.money(&summary.money.income);
    for chunk in &summary.money.chunks {
        list.begin(Part::Chunk, Some(&chunk.chunk));
        list.chunk(chunk);
    }
    for supplier in &summary.money.suppliers {
        let of = format!("{} {}", supplier.kind.word(), supplier.name);
        list.begin(Part::Supplier, Some(&of));
        list.supplier(supplier);
    }
    list.measures
}

/// A list in the making.
struct List {
    measures: Vec<Measure>,
    part: Part,
    of: Option<String>,
}

impl Default for List {
    fn default() -> Self {
        Self {
            measures: Vec::new(),
            part: Part::Headline,
            of: None,
        }
    }
}

impl List {
    fn begin(&mut self, part: Part, of: Option<&str>) {
        self.part = part;
        self.of = of.map(str::to_owned);
    }

    fn add(&mut self, name: &str, unit: &str, value: Option<f64>) {
        self.measures.push(Measure {
            part: self.part,
            of: self.of.clone(),
            name: name.to_owned(),
            unit: unit.to_owned(),
            value: value.filter(|value| value.is_finite()),
        });
    }

    fn known(&mut self, name: &str, unit: &str, value: f64) {
        self.add(name, unit, Some(value));
    }

    fn headline(&mut self, summary: &Summary, measured_s: f64) {
        self.tier(&summary.total, measured_s);
        let (total, people, money) = (&summary.total, &summary.people, &summary.money);
        self.add("attempts_per_request", "", total.attempts_per_request());
        self.known("interested", "users", people.interested as f64);
        self.known("served", "users", people.served as f64);
        self.known("sign_ups", "users", people.sign_ups as f64);
        let peak_hour = people.sign_ups_peak_hour as f64;
        self.known("sign_ups_peak_hour", "users", peak_hour);
        self.add("days_to_million", "days", people.days_to_million);
        self.known("subscribers", "users", people.subscribers as f64);
        self.known("gpus_at_end", "GPUs", summary.gpus_at_end() as f64);
        self.known("gpu_hours", "GPU-hours", summary.gpu_hours());
        self.add("utilisation", "1", summary.utilisation());
        self.known("cost", "USD", money.cost_total_usd);
        self.known("income", "USD", money.income_total_usd);
        self.add("cost_per_1000_images", "USD", money.usd_per_1000_images);
        self.known("list_value", "USD", money.list_value_usd);
        self.known("lost_list_value", "USD", money.lost_list_value_usd);
    }

    /// Of one tier or of all.
    fn tier(&mut self, tier: &TierSummary, measured_s: f64) {
        let share = |count: u64| (tier.offered > 0).then(|| count as f64 / tier.offered as f64);
        let goodput = (measured_s > 0.0).then(|| tier.in_time as f64 / measured_s);
        self.known("offered", "requests", tier.offered as f64);
        self.known("completed", "requests", tier.completed as f64);
        self.add("goodput", "1/s", goodput);
        self.known("shed", "requests", tier.shed_total() as f64);
        self.known("abandoned", "requests", tier.abandoned as f64);
        self.known("failed", "requests", tier.failed as f64);
        self.add("shed_share", "1", share(tier.shed_total()));
        self.add("abandoned_share", "1", share(tier.abandoned));
        self.add("never_served", "1", tier.never_served_share());
        self.add("response_mean", "s", tier.response_s.mean);
        self.add("response_p50", "s", tier.response_s.p50);
        self.add("response_p90", "s", tier.response_s.p90);
        self.add("response_p95", "s", tier.response_s.p95);
        self.add("response_p99", "s", tier.response_s.p99);
        self.add("wait_mean", "s", tier.wait_s.mean);
    }

    fn pool(&mut self, pool: &PoolSummary) {
        self.add("utilisation", "1", pool.utilisation);
        self.add("batch_mean", "requests", pool.batch_mean);
        self.known("in_pool_mean", "requests", pool.in_pool_mean);
        self.known("gpu_hours", "GPU-hours", pool.gpu_hours);
    }

    fn site(&mut self, site: &SiteSummary) {
        self.known("failures", "failures", site.failures as f64);
        self.add("between_failures", "s", site.between_failures_s);
        self.add("availability", "1", site.availability);
        self.known(
            "replica_hours_lost",
            "replica-hours",
            site.replica_hours_lost,
        );
        self.known("lost", "requests", site.lost as f64);
        self.known("requeued", "requests", site.requeued as f64);
        self.add("crew_utilisation", "1", site.crew_utilisation);
    }

    fn autoscaler(&mut self, scaler: &AutoscalerSummary) {
        self.add("load_mean", "replicas", scaler.load_mean);
        self.add("wanted_mean", "replicas", scaler.wanted_mean);
        self.add("serving_mean", "replicas", scaler.serving_mean);
        self.known("gpu_hours_held", "GPU-hours", scaler.gpu_hours_held);
        self.known("gpu_hours_saved", "GPU-hours", scaler.gpu_hours_saved);
        self.add("crossing_mean", "s", scaler.crossing_mean_s);
        self.known(
            "short_replica_hours",
            "replica-hours",
            scaler.short_replica_hours,
        );
    }

    fn partition(&mut self, partition: &PartitionSummary) {
        let hours = "GPU-hours";
        self.add("load_mean", "GPUs", partition.load_mean);
        self.known("gpus_least", "GPUs", partition.gpus_least as f64);
        self.known("gpus_most", "GPUs", partition.gpus_most as f64);
        self.known("units_in", "units", partition.units_in as f64);
        self.known("units_out", "units", partition.units_out as f64);
        self.known("gpu_hours_held", hours, partition.gpu_hours_held);
        self.known("gpu_hours_starting", hours, partition.gpu_hours_starting);
        self.known("gpu_hours_draining", hours, partition.gpu_hours_draining);
        self.known("gpu_hours_kept", hours, partition.gpu_hours_kept);
        self.known("gpu_hours_lost", hours, partition.gpu_hours_lost);
    }

    fn chunk(&mut self, chunk: &ChunkCost) {
        self.known("capital", "USD", chunk.capital_usd);
        self.known("rent", "USD", chunk.rent_usd);
        self.known("power", "USD", chunk.power_usd);
        self.known("network", "USD", chunk.network_usd);
        self.known("staff", "USD", chunk.staff_usd);
        self.known("total", "USD", chunk.total_usd);
        self.known("busy", "USD", chunk.busy_usd);
        self.known("idle", "USD", chunk.idle_usd);
        self.known("failures", "USD", chunk.failures_usd);
        self.known("images", "images", chunk.images as f64);
        self.add("cost_per_1000_images", "USD", chunk.usd_per_1000_images);
        self.add("cost_per_chunk_year", "USD", chunk.usd_per_chunk_year);
        self.add("energy", "MWh", chunk.energy_mwh);
        self.add("carbon", "t", chunk.carbon_t);
    }

    fn supplier(&mut self, supplier: &SupplierCost) {
        self.known("arrived_gpus", "GPUs", supplier.arrived_gpus as f64);
        self.known("rent", "USD", supplier.rent_usd);
        self.known("total", "USD", supplier.total_usd);
        self.known("images", "images", supplier.images as f64);
        self.add("cost_per_1000_images", "USD", supplier.usd_per_1000_images);
        self.add("energy", "MWh", supplier.energy_mwh);
        self.add("purchase", "USD", supplier.purchase_usd);
    }

    /// Lines of one name are one measure, their sum.
    fn money(&mut self, lines: &[MoneyLine]) {
        let first = self.measures.len();
        for line in lines {
            let sums = &mut self.measures[first..];
            match sums.iter_mut().find(|measure| measure.name == line.what) {
                Some(sum) => sum.value = sum.value.map(|usd| usd + line.usd),
                None => self.known(&line.what, "USD", line.usd),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::summary::Money;
    use crate::scenario::Scenario;
    use crate::scenario::runs::TARGET_MEASURES;

    fn summary() -> Summary {
        let service = crate::random::Law::Constant { value: 0.5 };
        let scenario = std::sync::Arc::new(Scenario::textbook(1.0, service, 1, 100.0));
        let mut simulation = crate::sim::Simulation::new(&scenario, false);
        let recorder = crate::metrics::Recorder::new(&scenario, &simulation);
        let end = crate::units::SimTime::from_s(100.0);
        while simulation.clock() < end {
            simulation.advance(end);
        }
        crate::metrics::summarise(&scenario, &simulation, &recorder)
    }

    fn value(measures: &[Measure], part: Part, name: &str) -> Option<f64> {
        let found = measures.iter().find(|m| m.part == part && m.name == name);
        found.expect("it is listed").value
    }

    #[test]
    fn whatever_a_target_can_be_about_is_a_headline() {
        let measures = measures(&summary());
        for name in TARGET_MEASURES.iter().flat_map(|(_, names)| *names) {
            value(&measures, Part::Headline, name);
        }
    }

    #[test]
    fn without_a_promise_all_that_is_completed_is_goodput() {
        let summary = summary();
        let measures = measures(&summary);
        let completed = summary.total.completed as f64;
        assert!(completed > 50.0);
        assert_eq!(
            value(&measures, Part::Headline, "goodput"),
            Some(completed / 100.0)
        );
        assert_eq!(
            value(&measures, Part::Tier, "goodput"),
            Some(completed / 100.0)
        );
    }

    #[test]
    fn lines_of_one_name_are_one_measure() {
        let line = |usd: f64| MoneyLine {
            what: "power".into(),
            basis: String::new(),
            usd,
        };
        let mut summary = summary();
        summary.money = Money {
            costs: vec![line(1.25), line(2.5)],
            income: vec![line(7.0)],
            ..Money::default()
        };
        let measures = measures(&summary);
        assert_eq!(value(&measures, Part::Cost, "power"), Some(3.75));
        assert_eq!(value(&measures, Part::Income, "power"), Some(7.0));
    }
}
