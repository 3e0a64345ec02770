//! Goals: what is promised, what is known to have happened, and what is fitted to it.

use crate::units::SimTime;

/// A promise about one tier.
#[derive(Clone, Debug, PartialEq)]
pub struct Slo {
    /// Name.
    pub name: String,
    /// Index of the tier.
    pub tier: usize,
    /// What is promised.
    pub goal: Goal,
    /// Whether missing it makes the run fail (exit code 3) or is only reported.
    pub enforced: bool,
}

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// This quantile of the response time of completed requests is at most so many seconds.
    Response {
        /// 0 < quantile < 1.
        quantile: f64,
        /// Seconds.
        limit_s: f64,
    },
    /// At least this share of the requests offered is completed.
    Completed {
        /// 0..=1.
        share: f64,
    },
    /// At least this share of the requests offered is completed within so many seconds.
    Goodput {
        /// 0..=1.
        share: f64,
        /// Seconds.
        limit_s: f64,
    },
}

/// What is known of the market around the service in an ordinary week before the surge.
#[derive(Clone, Debug, PartialEq)]
pub struct Market {
    /// Weekly active users of the app.
    pub weekly_app_users: f64,
    /// Weekly downloads of the app.
    pub weekly_downloads: f64,
    /// USD a week that is paid within the app.
    pub weekly_in_app_usd: f64,
    /// The share of users who use the app.
    pub app_share: f64,
    /// The week that is compared with the one before: from.
    pub week_from: SimTime,
    /// To.
    pub week_until: SimTime,
    /// What one new subscriber pays at once, in USD.
    pub subscription_usd: f64,
}

/// A published fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Name.
    pub name: String,
    /// What of the run it is held against.
    pub metric: Metric,
    /// The published value, in the unit of the metric, at scale 1.
    pub published: f64,
    /// Largest relative difference that counts as agreement.
    pub tolerance: f64,
    /// Whether a parameter was fitted to it.
    pub used: FactUse,
    /// Where it was published.
    pub source: String,
}

/// What of a run can be held against a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// People who got at least one image.
    ImageUsers,
    /// Images delivered.
    Images,
    /// Sign-ups in the clock hour with the most.
    SignUpsPeakHour,
    /// Days until the millionth sign-up.
    DaysToMillion,
    /// Growth of the app's weekly active users in the market's week, as a fraction.
    WeeklyUsersGrowth,
    /// Growth of the app's weekly downloads, as a fraction.
    DownloadsGrowth,
    /// Growth of the revenue within the app, as a fraction.
    InAppRevenueGrowth,
}

/// Whether a fact was used.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum FactUse {
    /// A parameter was fitted to it.
    Fitted,
    /// It was left for the run to predict.
    Predicted,
}

/// A parameter and the fact that it is fitted to.
#[derive(Clone, Debug, PartialEq)]
pub struct FitPair {
    /// Dotted path of the parameter in the scenario.
    pub parameter: String,
    /// Index of the fact.
    pub fact: usize,
}
