//! Elasticity: rules that add and take away replicas, and what a start-up is made of.

use super::Scenario;
use crate::random::Law;
use crate::units::SimDuration;

/// Adds and takes away replicas of some clusters by one rule.
#[derive(Clone, Debug)]
pub struct Autoscaler {
    /// Name.
    pub name: String,
    /// Indices of its clusters, sorted; they share what the rule wants in proportion to their replicas.
    pub clusters: Vec<usize>,
    /// How many replicas a load asks for.
    pub rule: ScalingRule,
    /// What bounds the rule.
    pub bounds: ScalingBounds,
    /// How often it decides.
    pub every: SimDuration,
    /// How old what it measures is.
    pub reaction: SimDuration,
    /// Over how long it measures.
    pub window: SimDuration,
    /// In how many seconds it wants what waits to be worked off; `None`: it does not look at it.
    pub backlog_within_s: Option<f64>,
    /// Replicas that serve at the start.
    pub initial: u32,
    /// Replicas kept ready beside those that serve; they are paid for.
    pub warm: u32,
    /// How long a ready one takes to serve, in seconds.
    pub warm_start_s: Law,
}

impl Autoscaler {
    /// The time of the week, local to its first cluster, at the start: seconds after Monday, 0:00.
    #[must_use]
    pub fn week_start_s(&self, scenario: &Scenario) -> f64 {
        const THURSDAY_S: i64 = 3 * 86_400;
        let region = scenario.clusters[self.clusters[0]].region;
        // The first of January 1970 was a Thursday.
        let local = scenario.start_unix_s + scenario.regions[region].utc_offset_s + THURSDAY_S;
        local.rem_euclid(7 * 86_400) as f64
    }
}

/// What bounds every rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScalingBounds {
    /// Fewest replicas that serve or are ordered to.
    pub minimum: u32,
    /// Most.
    pub maximum: u32,
    /// Most that one decision adds.
    pub step_up: u32,
    /// Most that one decision takes away.
    pub step_down: u32,
    /// Nothing is added so soon after the last change, whichever way it went.
    pub cool_down_up: SimDuration,
    /// Nothing is taken away so soon after the last change, whichever way it went.
    pub cool_down_down: SimDuration,
}

/// How many replicas an offered load asks for. The load is in replicas: requests a second that users
/// ask for the first time and that gateways let through, over what a replica with full batches does a second.
#[derive(Clone, Debug, PartialEq)]
pub enum ScalingRule {
    /// So many more above a load for each replica, so many fewer below another.
    Threshold {
        /// More above this load for each replica.
        above: f64,
        /// Fewer below this one.
        below: f64,
        /// How many more.
        add: u32,
        /// How many fewer.
        remove: u32,
    },
    /// As many as bring the load to a target.
    Target {
        /// How many that are.
        staffing: Staffing,
        /// Nothing changes while the load for each replica is within this share of the target.
        tolerance: f64,
    },
    /// As many as a forecast of the load needs.
    Predictive {
        /// How many that are.
        staffing: Staffing,
        /// How the load is forecast.
        forecast: Forecast,
    },
    /// As many as a timetable says.
    Scheduled {
        /// By time of the week; each holds until the next, round the week.
        entries: Vec<ScheduledReplicas>,
        /// So long before its time an entry holds already.
        ahead: SimDuration,
    },
}

/// Replicas for a load m: ceil(m / target + spare x sqrt(m)), the square-root rule where target is 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Staffing {
    /// The load that a replica is to have, 0 < target.
    pub target: f64,
    /// Replicas more for each root of the load.
    pub spare: f64,
}

/// Holt's linear trend (1957), with Winters' additive season (1960) where there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// How far ahead of now.
    pub horizon: SimDuration,
    /// Weight of the newest value in the level, 0 < level <= 1.
    pub level: f64,
    /// Weight of the newest slope in the trend, 0..=1.
    pub trend: f64,
    /// The length of a season.
    pub season: Option<SimDuration>,
    /// Weight of the newest difference to the level in the season, 0..=1.
    pub season_weight: f64,
}

/// An entry of a timetable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduledReplicas {
    /// Seconds after Monday, 0:00 local time.
    pub week_s: u32,
    /// How many replicas from then on.
    pub replicas: u32,
}

/// What a start-up is made of: some parts, then loading the weights, then further parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartUp {
    /// Until the replica begins to load, one after the other, in seconds: the machine, the image.
    pub before_s: Vec<Law>,
    /// Bytes that a replica loads.
    pub weights_bytes: u64,
    /// Bytes a second of one replica; infinite where nothing is loaded.
    pub bytes_per_s: f64,
    /// Bytes a second of all replicas of the cluster together, shared evenly; infinite: no limit.
    pub site_bytes_per_s: f64,
    /// From loaded weights to serving, one after the other, in seconds: loading whose bytes are not known,
    /// warming up.
    pub after_s: Vec<Law>,
}

impl StartUp {
    /// One that takes a constant time.
    #[must_use]
    pub fn constant(seconds: f64) -> Self {
        Self {
            before_s: vec![Law::Constant { value: seconds }],
            bytes_per_s: f64::INFINITY,
            site_bytes_per_s: f64::INFINITY,
            ..Self::default()
        }
    }

    /// The mean time of a start-up beside which no other goes on, in seconds.
    #[must_use]
    pub fn mean_alone_s(&self) -> f64 {
        let load_s = match self.weights_bytes {
            0 => 0.0,
            bytes => bytes as f64 / self.bytes_per_s.min(self.site_bytes_per_s),
        };
        let parts = self.before_s.iter().chain(&self.after_s);
        load_s + parts.map(Law::mean).sum::<f64>()
    }
}
