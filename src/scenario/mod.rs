//! The question: a complete and valid description of demand, fleet, policies, prices and goals.
//!
//! A `Scenario` can only be made by `scenario::read`, which checks everything, so what comes after it
//! cannot fail: a valid scenario always simulates. What the user writes (one TOML file, units in the
//! text) is read in `read`; the types here are what it means, with every quantity in one unit: SI, USD,
//! GPUs, images. Entities refer to each other by index into the scenario's lists, which are sorted
//! by name, so that the order of tables in the file changes nothing.

mod arrival;
pub mod contract;
pub mod demand;
pub mod elastic;
pub mod failure;
pub mod fleet;
pub mod goal;
pub mod investment;
pub mod order;
pub mod partition;
pub mod policy;
pub mod process;
mod read;
mod replication;
pub mod runs;
mod start_ups;
mod textbook;
mod topologies;
pub mod trace;

pub use contract::{Contract, Ownership};
pub use demand::{
    Demand, DemandKind, Population, Quality, RateCurve, Rhythm, Trace, TraceRow, Work, WorkUnit,
};
pub use elastic::{
    Autoscaler, Forecast, ScalingBounds, ScalingRule, ScheduledReplicas, Staffing, StartUp,
};
pub use failure::{
    Cause, Interrupted, Level, Maintenance, Reliability, RepairClass, Topology, Unit,
};
pub use fleet::{Chunk, Cluster, Outage, Pool, Region, SetUp};
pub use goal::{Fact, FactUse, FitPair, Goal, Market, Metric, Slo};
pub use investment::{Investment, Vendor};
pub use order::{Arrived, Order, Pace, Supplier, up_to};
pub use partition::{Division, Minimum, Moves, Partition, Training, apportion};
pub use policy::{
    Admission, Batching, Client, Degradation, Dispatch, Drop, PatienceUntil, Policy, QueueLimit,
    QueueOrder, Quota, QuotaWindow, RateLimit, Reclaim, Retry, Routing, Rules, TierRules,
};
pub use process::{Modulation, Process, RateState};
pub use start_ups::{Stage, StartUpPart, published_start_up, start_up_names, start_up_parts};

pub use topologies::{PublishedTopology, published_topology};

pub use runs::{Runs, Target, WarmUpRule};

pub use read::{
    EMBEDDED, Files, Measured, Origin, Place, Problem, Problems, Settings, Source, embedded,
    embedded_trace, json_schema, nearest, read,
};

use crate::profile::Provenance;
use crate::random::Seed;
use crate::units::{SimDuration, SimTime};

/// A valid question.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Short name; also the name of the result folder.
    pub name: String,
    /// The question in one sentence.
    pub question: String,
    /// The start in seconds since 1970-01-01T00:00:00Z.
    pub start_unix_s: i64,
    /// How long the run lasts.
    pub horizon: SimDuration,
    /// What is left out of the statistics at the start.
    pub warm_up: SimDuration,
    /// Whether `warm_up` is so, or is found by a pilot run.
    pub warm_up_rule: WarmUpRule,
    /// How often it is run.
    pub runs: Runs,
    /// All randomness follows from it.
    pub seed: Seed,
    /// The share of users, requests and GPUs that is simulated, 0 < scale; everything extensive was
    /// multiplied with it when the scenario was read. 1 is the whole story.
    pub scale: f64,
    /// The lookahead: what pools send back to users takes effect so much later at the latest.
    pub lookahead: SimDuration,
    /// The spacing of the time series.
    pub series_interval: SimDuration,
    /// Classes of users, sorted by name.
    pub tiers: Vec<Tier>,
    /// What a request asks for, sorted by name.
    pub works: Vec<Work>,
    /// Where requests come from: one entry a demand and region, sorted by name.
    pub demands: Vec<Demand>,
    /// Where users and clusters are, sorted by name.
    pub regions: Vec<Region>,
    /// Sites, sorted by name.
    pub clusters: Vec<Cluster>,
    /// What adds and takes away replicas, sorted by name; each cluster has one at most.
    pub autoscalers: Vec<Autoscaler>,
    /// Identical replicas behind one queue: each cluster's pools, in order.
    pub pools: Vec<Pool>,
    /// What was ordered, sorted by name.
    pub chunks: Vec<Chunk>,
    /// Who can deliver only so much, sorted by name.
    pub suppliers: Vec<Supplier>,
    /// The rules in force, each from a date on; the first entry is from the start.
    pub rules: Vec<(SimTime, Rules)>,
    /// The interventions in words, for reports: date and what changed.
    pub timeline: Vec<(SimTime, String)>,
    /// Pools that stand still for a while.
    pub outages: Vec<Outage>,
    /// What is promised.
    pub slos: Vec<Slo>,
    /// What is known of the market around the service, where the story needs it.
    pub market: Option<Market>,
    /// The money loop, where the story needs it.
    pub investment: Option<Investment>,
    /// Published facts to hold the run against.
    pub facts: Vec<Fact>,
    /// Which parameter is fitted to which fact.
    pub fit: Vec<FitPair>,
    /// Every effective value with its origin and provenance, in the order of the language.
    pub inputs: Vec<Input>,
    /// What may be doubted about a valid scenario.
    pub warnings: Vec<String>,
}

impl Scenario {
    /// A scenario in which nothing is, and nothing happens: what others are made from.
    fn blank() -> Self {
        Self {
            name: String::new(),
            question: String::new(),
            start_unix_s: 0,
            horizon: SimDuration::ZERO,
            warm_up: SimDuration::ZERO,
            warm_up_rule: WarmUpRule::Stated,
            runs: Runs::ONE,
            seed: Seed(1),
            scale: 1.0,
            lookahead: SimDuration::ZERO,
            series_interval: SimDuration::ZERO,
            tiers: Vec::new(),
            works: Vec::new(),
            demands: Vec::new(),
            regions: Vec::new(),
            clusters: Vec::new(),
            autoscalers: Vec::new(),
            pools: Vec::new(),
            chunks: Vec::new(),
            suppliers: Vec::new(),
            rules: Vec::new(),
            timeline: Vec::new(),
            outages: Vec::new(),
            slos: Vec::new(),
            market: None,
            investment: None,
            facts: Vec::new(),
            fit: Vec::new(),
            inputs: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Whether orders, stages, suppliers or power decide when chunks come, and not only a date.
    #[must_use]
    pub fn says_how_chunks_come(&self) -> bool {
        let limited = |cluster: &Cluster| !cluster.power_limits_w.is_empty();
        !self.suppliers.is_empty()
            || self.clusters.iter().any(limited)
            || self.chunks.iter().any(|chunk| !chunk.order.is_plain())
    }

    /// People who may come, of all populations together.
    #[must_use]
    pub fn potential(&self) -> f64 {
        let potential = |demand: &Demand| match &demand.kind {
            DemandKind::Population(population) => population.potential,
            _ => 0.0,
        };
        self.demands.iter().map(potential).sum()
    }
}

/// A class of users with the same rights.
#[derive(Clone, Debug)]
pub struct Tier {
    /// Name: free, plus, api ...
    pub name: String,
    /// How its users wait and retry.
    pub client: Client,
    /// USD a month that a subscriber of this tier pays; 0 for a free tier.
    pub subscription_usd_per_month: f64,
    /// Whether each image is paid for, at the price of its quality in `Work`.
    pub pays_per_image: bool,
}

/// One effective value of the scenario, as text, with where it was set and what it rests on.
#[derive(
    Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Input {
    /// Dotted path: `tier.free.quota`.
    pub path: String,
    /// The value as the scenario language writes it.
    pub value: String,
    /// `ghibli-week.toml:12`, `--set`, or `default`.
    pub origin: String,
    /// Class of the number, where the file says it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub provenance: Option<Provenance>,
    /// Where the number was read, where the file says it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
}
