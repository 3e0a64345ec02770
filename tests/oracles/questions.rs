//! The cases of the file as scenarios in the language, as a user would write them.
//!
//! Everything that a case needs is text: nothing is set in a scenario after it was read, but its seed.

use meltpoint::scenario::{Scenario, Settings, Source, read};
use serde_json::Value;

use crate::json::{number, text};

/// A scenario in parts; `text` puts them together.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub lasts_s: f64,
    pub warm_up_s: f64,
    pub lookahead_s: f64,
    pub series_interval_s: f64,
    /// One tier, work and demand for each, the first to be served first.
    pub classes: Vec<Class>,
    /// Keys of the client, one a line.
    pub client: String,
    /// Keys of the cluster beside its region.
    pub cluster: String,
    /// `iteration_time` of its profile, where the work is counted in iterations.
    pub iteration_time: Option<String>,
    /// Keys of the policy.
    pub policy: String,
    /// Further tables.
    pub more: String,
}

/// Requests of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    /// Keys of the demand beside its tier and work.
    pub demand: String,
    /// Keys of the work.
    pub work: String,
}

impl Question {
    /// One class of Poisson arrivals at a rate, served by replicas one at a time.
    pub(crate) fn new(rate: f64, service: &str, replicas: u32, lasts_s: f64) -> Self {
        Self {
            lasts_s,
            warm_up_s: 0.0,
            lookahead_s: 1000.0 / rate,
            series_interval_s: lasts_s / 10.0,
            classes: vec![Class::new(rate, service)],
            client: String::new(),
            cluster: format!("replicas = {replicas}"),
            iteration_time: None,
            policy: "batching = \"single\"".into(),
            more: String::new(),
        }
    }

    /// The same with further keys of the policy.
    pub(crate) fn policy(self, keys: &str) -> Self {
        let policy = format!("{}\n{keys}", self.policy);
        Self { policy, ..self }
    }

    /// The same with work that is counted in iterations of this time, in batches up to a limit.
    pub(crate) fn iterations(self, time: String, batch_limit: u32, batching: &str) -> Self {
        Self {
            cluster: format!(
                "{}\nprofile = \"gpu\"\nbatch_limit = {batch_limit}",
                self.cluster
            ),
            iteration_time: Some(time),
            policy: format!("batching = {batching}"),
            ..self
        }
    }

    /// The TOML.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "[scenario]\nlasts = \"{:e}s\"\nwarm_up = \"{:e}s\"\nlookahead = \"{:e}s\"\nseries_interval = \
             \"{:e}s\"\n\n[region.here]\n\n[client.user]\n{}\n",
            self.lasts_s, self.warm_up_s, self.lookahead_s, self.series_interval_s, self.client
        );
        for (index, class) in self.classes.iter().enumerate() {
            text += &format!(
                "\n[tier.class-{index}]\nclient = \"user\"\npriority = {index}\n\n[work.class-{index}]\n{}\n\n\
                 [demand.class-{index}]\ntier = \"class-{index}\"\nwork = \"class-{index}\"\n{}\n",
                class.work, class.demand
            );
        }
        if let Some(time) = &self.iteration_time {
            text += &format!("\n[profile.gpu]\naccelerator = \"gpu\"\niteration_time = {time}\n");
        }
        text + &format!(
            "\n[cluster.lab]\nregion = \"here\"\n{}\n\n[policy]\n{}\n\n{}\n",
            self.cluster, self.policy, self.more
        )
    }

    /// What it means.
    pub(crate) fn scenario(&self) -> Scenario {
        let text = self.text();
        let source = Source {
            name: "case.toml",
            text: &text,
        };
        let no_files = |name: &str| Err(format!("{name}: no such file"));
        read(source, &Settings::default(), &no_files)
            .unwrap_or_else(|problems| panic!("{problems}\n{text}"))
    }
}

impl Class {
    /// Poisson arrivals at a rate, each with a law of its service time.
    pub(crate) fn new(rate: f64, service: &str) -> Self {
        Self {
            demand: at_rate(rate),
            work: format!("kind = \"service\"\nservice = {service}"),
        }
    }

    /// Poisson arrivals at a rate, each with a law of its iterations.
    pub(crate) fn in_steps(rate: f64, steps: &str) -> Self {
        Self {
            demand: at_rate(rate),
            work: format!("kind = \"diffusion\"\nsteps = {steps}"),
        }
    }
}

pub(crate) fn at_rate(rate: f64) -> String {
    format!("kind = \"rate\"\nrate = \"{rate:e} requests/s\"")
}

/// `[[0 s, rate], ...]` as a demand whose rate jumps.
pub(crate) fn at_rates(points: &[(f64, f64)]) -> String {
    let points = points
        .iter()
        .map(|(at, rate)| format!("[\"{at:e}s\", \"{rate:e} requests/s\"]"));
    let points: Vec<String> = points.collect();
    format!("kind = \"rate\"\ncurve = [{}]", points.join(", "))
}

pub(crate) fn exponential(mean_s: f64) -> String {
    format!("{{ law = \"exponential\", mean = \"{mean_s:e}s\" }}")
}

pub(crate) fn constant(value_s: f64) -> String {
    format!("\"{value_s:e}s\"")
}

/// A law by its `kind` in the file, of a quantity with this unit.
pub(crate) fn law(law: &Value, unit: &str) -> String {
    let q = |key: &str| format!("\"{:e}{unit}\"", number(law, key));
    let n = |key: &str| number(law, key);
    let body = match text(law, "kind") {
        "det" => return q("mean"),
        "exp" => format!("law = \"exponential\", mean = {}", q("mean")),
        "erlang" => format!(
            "law = \"erlang\", mean = {}, stages = {}",
            q("mean"),
            n("k")
        ),
        "hyper2" => format!(
            "law = \"hyperexponential\", share_first = {}, mean_first = {}, mean_second = {}",
            n("p"),
            q("m1"),
            q("m2")
        ),
        "lognormal" => format!(
            "law = \"lognormal\", mean = {}, variation = {}",
            q("mean"),
            n("cv")
        ),
        "uniform" => format!("law = \"uniform\", low = {}, high = {}", q("a"), q("b")),
        "pareto" => format!(
            "law = \"pareto\", minimum = {}, shape = {}",
            q("xm"),
            n("alpha")
        ),
        "twopoint" => format!(
            "law = \"two-point\", share_first = {}, first = {}, second = {}",
            n("p"),
            q("a"),
            q("b")
        ),
        other => panic!("law {other}"),
    };
    format!("{{ {body} }}")
}
