//! How often a scenario is run, and what of each run counts: replications, precision, warm-up.

/// How often a scenario is run, each time with a seed of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Runs {
    /// Replications; with a target the most of them. At least 1.
    pub replications: u64,
    /// How precise the answer is to be; `None`: all replications are run.
    pub target: Option<Target>,
}

impl Runs {
    /// A single run.
    pub const ONE: Self = Self {
        replications: 1,
        target: None,
    };
}

/// How precise the answer is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The largest half width of a 95 % confidence interval, as a share of its mean.
    pub relative_half_width: f64,
    /// Names of the headline measures whose intervals must all be so narrow.
    pub measures: &'static [&'static str],
}

/// The fewest replications from which a precision is judged. The standard deviation of fewer is so
/// unsure that a lucky one would stop the run.
pub const FEWEST_TO_JUDGE: u64 = 10;

/// Who says how long the warm-up is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUpRule {
    /// The scenario.
    Stated,
    /// MSER-5 on pilot runs with seeds of their own.
    Auto,
}

/// What a target can be about: the word of the language and the headline measures that it means.
pub const TARGET_MEASURES: [(&str, &[&str]); 11] = [
    ("main", &["response_mean", "goodput"]),
    ("response_mean", &["response_mean"]),
    ("response_p50", &["response_p50"]),
    ("response_p90", &["response_p90"]),
    ("response_p95", &["response_p95"]),
    ("response_p99", &["response_p99"]),
    ("wait_mean", &["wait_mean"]),
    ("goodput", &["goodput"]),
    ("never_served", &["never_served"]),
    ("utilisation", &["utilisation"]),
    ("cost_per_1000_images", &["cost_per_1000_images"]),
];
