//! The answer: everything a run found out, as plain data. `result.json` is this type, and every table,
//! figure and comparison is made from it alone, without running again.
//!
//! Names carry their units (`_s`, `_usd`, `_images`); `Option` is `null` where a quantity is unknown
//! (no request completed, too few samples), never a made-up number. A reader tolerates fields that it
//! does not know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::elastic::AutoscalerSummary;
pub use super::failures::{CauseSummary, SiteSummary};
pub use super::partitions::PartitionSummary;
pub use super::regions::RegionSummary;
pub use super::replications::Replications;
pub use crate::economics::{ChunkCost, Money, MoneyLine, QualityCost, SupplierCost, SupplierKind};
use crate::scenario::{FactUse, Input};

/// Version of the layout of `result.json`: raised when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything a run found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// `SCHEMA_VERSION` of the program that wrote it.
    pub schema_version: u32,
    /// Version of the program that wrote it.
    pub meltpoint_version: String,
    /// Name of the scenario.
    pub scenario: String,
    /// Its question.
    pub question: String,
    /// Start in seconds since 1970 UTC.
    pub start_unix_s: i64,
    /// Simulated length in seconds: the horizon, or less in a partial run.
    pub simulated_s: f64,
    /// Length of what was measured in seconds: the same, less the warm-up.
    #[serde(default)]
    pub measured_s: f64,
    /// Whether the run was stopped before its horizon.
    pub partial: bool,
    /// The seed.
    pub seed: u64,
    /// The share of the whole story that was simulated; all counts are of the simulated part.
    pub scale: f64,
    /// What was left out of the statistics at the start.
    pub warm_up: WarmUp,
    /// By tier, in the scenario's order.
    pub tiers: Vec<TierSummary>,
    /// All tiers together.
    pub total: TierSummary,
    /// By pool.
    pub pools: Vec<PoolSummary>,
    /// By autoscaler; absent where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub autoscalers: Vec<AutoscalerSummary>,
    /// By divided cluster and partition; absent where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub partitions: Vec<PartitionSummary>,
    /// By cluster in which something fails or is maintained; absent where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sites: Vec<SiteSummary>,
    /// Where requests went, by region of their users; empty where all sites are in one region.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub regions: Vec<RegionSummary>,
    /// People.
    pub people: People,
    /// Over time.
    pub series: Series,
    /// How the chunks came, where the scenario says more than a date.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub deliveries: Vec<DeliverySummary>,
    /// The bill and the income.
    pub money: Money,
    /// The promises, kept or not.
    pub slos: Vec<SloResult>,
    /// Held against history.
    pub facts: Vec<FactResult>,
    /// What melted when.
    pub melted: Vec<Melted>,
    /// The interventions of the scenario's timeline.
    pub timeline: Vec<TimelineEntry>,
    /// The invariants that were checked, each with what it compared.
    pub checks: Vec<Check>,
    /// Closed forms of queueing theory that hold for the scenario, beside the run.
    #[serde(default)]
    pub theory: Vec<Theory>,
    /// What may be doubted.
    pub warnings: Vec<String>,
    /// Every effective value of the scenario with its origin and provenance.
    pub inputs: Vec<Input>,
    /// What many replications say together, of which all else here is replication 0; `None`: it was
    /// run once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replications: Option<Replications>,
}

impl Summary {
    /// GPUs of all pools at the end.
    #[must_use]
    pub fn gpus_at_end(&self) -> u64 {
        let gpus = |pool: &PoolSummary| {
            pool.replicas
                .saturating_mul(u64::from(pool.gpus_per_replica))
        };
        self.pools.iter().map(gpus).sum()
    }

    /// GPU-hours in service of all pools.
    #[must_use]
    pub fn gpu_hours(&self) -> f64 {
        self.pools.iter().map(|pool| pool.gpu_hours).sum()
    }

    /// Share of all GPU-hours in service with something to do.
    #[must_use]
    pub fn utilisation(&self) -> Option<f64> {
        let busy = |pool: &PoolSummary| pool.gpu_hours * pool.utilisation.unwrap_or(0.0);
        let hours = self.gpu_hours();
        (hours > 0.0).then(|| self.pools.iter().map(busy).sum::<f64>() / hours)
    }
}

/// What was left out of the statistics at the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WarmUp {
    /// Its length in seconds.
    pub seconds: f64,
    /// What the length rests on: `stated`, or what MSER-5 found, in words.
    pub basis: String,
}

/// What became of the requests of a tier. `offered = completed + shed + abandoned + failed + in_system`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TierSummary {
    /// Name of the tier, or `all`.
    pub name: String,
    /// Requests that users wanted.
    pub offered: u64,
    /// Requests that got their image.
    pub completed: u64,
    /// Those of them that got it within the time promised to the tier, the shortest if several are; all
    /// of them where none is.
    pub in_time: u64,
    /// Requests that were refused for good, by reason.
    pub shed: Shed,
    /// Requests whose user gave up waiting.
    pub abandoned: u64,
    /// Requests that were lost with their replica.
    pub failed: u64,
    /// Requests still waiting, running or about to retry at the end.
    pub in_system: u64,
    /// Tries at all requests; attempts / offered is the retry amplification.
    pub attempts: u64,
    /// Attempts that were let into a pool.
    #[serde(default)]
    pub admitted: u64,
    /// Share of the admitted attempts that had to wait.
    #[serde(default)]
    pub waited_share: Option<f64>,
    /// Completed at a lower quality.
    pub degraded: u64,
    /// Images made for users who had silently gone.
    pub wasted: u64,
    /// Response time of completed requests, from the first attempt to the image, in seconds.
    pub response_s: Quantiles,
    /// Wait of all attempts that started, from the attempt to the start of service, in seconds.
    pub wait_s: Quantiles,
    /// Users who got at least one image, where the demand knows its users.
    pub served_users: u64,
}

impl TierSummary {
    /// Requests refused for whatever reason.
    #[must_use]
    pub fn shed_total(&self) -> u64 {
        self.shed.total()
    }

    /// Retry amplification.
    #[must_use]
    pub fn attempts_per_request(&self) -> Option<f64> {
        (self.offered > 0).then(|| self.attempts as f64 / self.offered as f64)
    }

    /// The share of offered requests that never got an image (those still in the system left out);
    /// it belongs beside every response time.
    #[must_use]
    pub fn never_served_share(&self) -> Option<f64> {
        let lost = self.shed_total() + self.abandoned + self.failed;
        let decided = self.completed + lost;
        (decided > 0).then(|| lost as f64 / decided as f64)
    }
}

/// Refusals by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shed {
    /// The user's quota was used up.
    pub quota: u64,
    /// The tier's rate limit.
    pub rate_limit: u64,
    /// The queue was full.
    pub queue_full: u64,
    /// It could not have been done in time.
    pub hopeless: u64,
    /// The tier was closed.
    pub closed: u64,
}

impl Shed {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.quota + self.rate_limit + self.queue_full + self.hopeless + self.closed
    }
}

/// Mean and quantiles of a time in seconds, from a histogram with a relative error under 0.8 %.
/// A quantile is `None` where there are fewer than 10 samples beyond it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantiles {
    /// Number of samples.
    pub samples: u64,
    /// Mean, exact.
    pub mean: Option<f64>,
    /// Standard deviation, from exact sums.
    #[serde(default)]
    pub deviation: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90 %.
    pub p90: Option<f64>,
    /// 95 %.
    pub p95: Option<f64>,
    /// 99 %.
    pub p99: Option<f64>,
    /// 99.9 %.
    pub p999: Option<f64>,
    /// The largest, within the histogram's error.
    pub max: Option<f64>,
}

/// What a pool did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PoolSummary {
    /// Name.
    pub name: String,
    /// Replicas at the end.
    pub replicas: u64,
    /// GPUs of one replica.
    pub gpus_per_replica: u32,
    /// Share of the replicas' time with something to do, 0..=1.
    pub utilisation: Option<f64>,
    /// Mean requests in a busy replica's batch.
    pub batch_mean: Option<f64>,
    /// Images a second with all batches full at the standard quality.
    pub full_rate_per_s: f64,
    /// GPU-hours in service.
    pub gpu_hours: f64,
    /// Time-averaged attempts in the pool (waiting and running).
    pub in_pool_mean: f64,
    /// Standard deviation of their number over time.
    #[serde(default)]
    pub in_pool_deviation: f64,
    /// Time-averaged attempts waiting.
    #[serde(default)]
    pub waiting_mean: f64,
    /// Standard deviation of their number over time.
    #[serde(default)]
    pub waiting_deviation: f64,
    /// Time-averaged requests between two attempts.
    #[serde(default)]
    pub in_orbit_mean: f64,
    /// Share of the time in which every replica has something to do.
    #[serde(default)]
    pub all_busy_share: f64,
    /// Mean requests with which a fixed batch starts; `None` without fixed batches.
    #[serde(default)]
    pub batch_start_mean: Option<f64>,
    /// Most attempts waiting at once.
    pub waiting_max: u64,
}

/// How a chunk came, up to the end of the run. Times are seconds after the start, before it if negative.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliverySummary {
    /// Its name.
    pub chunk: String,
    /// Who supplies it.
    pub provider: String,
    /// The kind of GPU.
    pub accelerator: String,
    /// GPUs that were ordered.
    pub gpus: u64,
    /// When it was ordered; `None`: only its date is known.
    pub ordered_s: Option<f64>,
    /// When it was promised.
    pub promised_s: f64,
    /// When the first of its GPUs were accepted; `None`: not yet.
    pub first_s: Option<f64>,
    /// When the last of those that have come were accepted.
    pub last_s: Option<f64>,
    /// GPUs under power.
    pub powered_gpus: u64,
    /// GPUs that were accepted and stand dark for want of power, or because they make no whole replica.
    pub dark_gpus: u64,
    /// GPUs that failed at acceptance, replaced or not.
    pub refused_gpus: u64,
    /// GPUs that were ordered and have not been accepted.
    pub missing_gpus: u64,
}

/// People.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct People {
    /// People who wanted images (came or wait for the opening of their tier).
    pub interested: u64,
    /// People who got at least one image.
    pub served: u64,
    /// New accounts.
    pub sign_ups: u64,
    /// New accounts in the clock hour with the most of them.
    pub sign_ups_peak_hour: u64,
    /// When the millionth (times scale) account was made: days after the start.
    pub days_to_million: Option<f64>,
    /// New subscribers.
    pub subscribers: u64,
}

/// Values at equal intervals, by column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// Length of an interval in seconds.
    pub interval_s: f64,
    /// One entry a column; all columns have the same number of values.
    pub columns: Vec<Column>,
}

/// One quantity over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// What: `offered`, `completed`, `response_p99` ... (`Series` names are listed in `metrics::series`).
    pub name: String,
    /// Of which tier, or of which partition as `cluster/partition`; `None`: of all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tier: Option<String>,
    /// Unit of the values: `1/s`, `s`, `requests`, `images`, `users`, `USD`, `1`.
    pub unit: String,
    /// One value an interval, of the interval or (for levels) of its end; `None`: none.
    pub values: Vec<Option<f64>>,
}

impl Series {
    /// The column of this name and tier.
    #[must_use]
    pub fn column(&self, name: &str, tier: Option<&str>) -> Option<&Column> {
        self.columns
            .iter()
            .find(|c| c.name == name && c.tier.as_deref() == tier)
    }

    /// Number of intervals.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// Whether there is no interval at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A promise and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SloResult {
    /// Name.
    pub name: String,
    /// Tier.
    pub tier: String,
    /// The promise in words: `p99 response <= 120 s`.
    pub promise: String,
    /// What was reached, in the promise's unit; `None`: nothing to judge.
    pub reached: Option<f64>,
    /// What was promised, in the same unit.
    pub promised: f64,
    /// Unit of both: `s` or `1`.
    pub unit: String,
    /// Kept, missed, or unknown for want of samples.
    pub kept: Option<bool>,
    /// Whether missing it fails the run.
    pub enforced: bool,
}

/// A published fact beside the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FactResult {
    /// Name.
    pub name: String,
    /// Published value.
    pub published: f64,
    /// Value of the run, extended to scale 1; `None`: did not happen.
    pub run: Option<f64>,
    /// Unit of both.
    pub unit: String,
    /// (run - published) / published, or run - published in points for growth rates.
    pub difference: Option<f64>,
    /// Largest absolute difference that counts as agreement.
    pub tolerance: f64,
    /// Within the tolerance.
    pub agrees: Option<bool>,
    /// Whether it was used to fit a parameter.
    pub used: FactUse,
    /// Source of the published value.
    pub source: String,
}

/// A stretch of time in which a tier was not served well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Melted {
    /// Tier.
    pub tier: String,
    /// What: `waited`, `was refused`, `gave up`.
    pub what: String,
    /// Start of the first interval in which it happened, seconds after the start.
    pub from_s: f64,
    /// End of the last one.
    pub until_s: f64,
    /// Number of intervals in which it happened.
    pub intervals: u64,
    /// The worst value: share of offered requests, or seconds for waits.
    pub worst: f64,
    /// When it was worst, seconds after the start.
    pub worst_at_s: f64,
}

/// An intervention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimelineEntry {
    /// Seconds after the start.
    pub at_s: f64,
    /// What.
    pub what: String,
}

/// A closed form beside what the run gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Theory {
    /// Quantity: `mean wait`, `share refused` ...
    pub what: String,
    /// Name of the model: `M/M/c (Erlang C)`.
    pub model: String,
    /// Where the formula is from.
    pub reference: String,
    /// What it says, in the long run.
    pub exact: f64,
    /// What the run gave; `None`: nothing to measure, or too few samples.
    pub simulated: Option<f64>,
    /// Unit of both: `s`, `requests` or `1`.
    pub unit: String,
}

impl Theory {
    /// (simulated - exact) / exact.
    #[must_use]
    pub fn difference(&self) -> Option<f64> {
        let simulated = self.simulated?;
        (self.exact != 0.0).then(|| (simulated - self.exact) / self.exact)
    }
}

/// An invariant that was checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// `ledger`, `Little's law`, `utilisation`.
    pub name: String,
    /// How often it was checked.
    pub times: u64,
    /// What was compared at the end, in words.
    pub evidence: String,
}
