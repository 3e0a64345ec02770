//! Queues in their steady state: each case of the file as a scenario of the language, and where its
//! numbers stand in the summary of a run.

use meltpoint::metrics::summary::Summary;
use meltpoint::scenario::{Batching, QueueOrder, Scenario};
use serde_json::{Value, json};

use crate::json::{number, numbers, text};
use crate::protocol::{self, Measured};
use crate::questions::{Class, Question, at_rate, constant, exponential, law};

/// How a case is run and what is compared.
pub(crate) struct Plan {
    pub id: &'static str,
    /// Requests of one replication, about.
    pub requests: f64,
    /// Numbers by their path in the case's `expect`: `Wq, classes/0/W`.
    pub numbers: &'static str,
}

/// Batches without a limit: larger ones do not come in these cases.
const UNLIMITED: u32 = 1000;
/// Iterations of processor sharing and of preemption are so much shorter than a mean request.
const SLICE_S: f64 = 1e-6;

/// Runs a case and reads its numbers.
pub(crate) fn measure(plan: &Plan, case: &Value) -> Vec<Measured> {
    let mut measured = Vec::new();
    for (variant, mut question) in questions(plan, case) {
        question.warm_up_s = question.lasts_s / 10.0;
        let scenario = question.scenario();
        let replications = protocol::replicate(&scenario, protocol::summarise);
        for path in plan.numbers.split(", ") {
            // The sizes that a path names belong to one variant, and the others to the rest.
            if path.starts_with("T_given_size") != (variant == SIZES) {
                continue;
            }
            let value = |summary: &Summary| read(summary, path, &scenario);
            let is_quantile = path.contains("_p9") || path.contains("_p50") || path == "sigma";
            measured.push(Measured {
                what: format!("{} {variant} {path}", plan.id),
                exact: number_at(&case["expect"], path),
                values: replications.iter().map(value).collect(),
                within: protocol::WITHIN,
                slack: if is_quantile { 1.0 / 128.0 } else { 0.0 },
            });
        }
    }
    measured
}

fn number_at(expect: &Value, path: &str) -> f64 {
    let found = expect.pointer(&format!("/{path}"));
    found.and_then(Value::as_f64).unwrap()
}

/// A number of a run, by the name of the exact one.
fn read(summary: &Summary, path: &str, scenario: &Scenario) -> f64 {
    let (of, name) = path.rsplit_once('/').unwrap_or(("", path));
    let class = of
        .strip_prefix("classes/")
        .map_or(0, |class| class.parse().unwrap());
    let (tier, pool) = (&summary.tiers[class], &summary.pools[0]);
    let attempts = tier.attempts as f64;
    let is_fixed = matches!(scenario.rules[0].1.policy.batching, Batching::Static { .. });
    let service_s = scenario.works[0].qualities[0].amount.mean();
    match name {
        // Who is interrupted waits again: all the time that is not service.
        "Wq" if scenario.rules[0].1.policy.order == QueueOrder::Preemptive => {
            tier.response_s.mean.unwrap() - service_s
        }
        "Wq" | "wait_to_close" => tier.wait_s.mean.unwrap(),
        "Wq_sd" => tier.wait_s.deviation.unwrap(),
        // Of all, those who gave up too.
        "Wq_all" => pool.waiting_mean * summary.measured_s / attempts,
        "p_wait" | "p_wait_arrival" => tier.waited_share.unwrap(),
        "wait_p50" => tier.wait_s.p50.unwrap(),
        "wait_p90" => tier.wait_s.p90.unwrap(),
        "wait_p99" => tier.wait_s.p99.unwrap(),
        "wait_p999" => tier.wait_s.p999.unwrap(),
        "sojourn_p99" => tier.response_s.p99.unwrap(),
        "util" => pool.utilisation.unwrap(),
        "L" | "mean_N" => pool.in_pool_mean,
        "var_N" => pool.in_pool_deviation * pool.in_pool_deviation,
        "Lq" => pool.waiting_mean,
        "p_block" => (attempts - tier.admitted as f64) / attempts,
        // Who comes for the first time sees what is the case over time (Wolff 1982).
        "p_block_fresh" => pool.all_busy_share,
        "p_abandon" => tier.abandoned as f64 / attempts,
        "throughput" => tier.completed as f64 / summary.measured_s,
        "mean_batch" if is_fixed => pool.batch_start_mean.unwrap(),
        "mean_busy" => pool.utilisation.unwrap() * pool.replicas as f64,
        "mean_orbit" => pool.in_orbit_mean,
        // Of a request: from its first attempt to the start of its service.
        "wait_mean" => tier.response_s.mean.unwrap() - service_s,
        // Those who wait do so for an exponential time of rate c mu (1 - sigma).
        "sigma" if pool.replicas > 1 => {
            let of_those_s = tier.wait_s.mean.unwrap() / tier.waited_share.unwrap();
            1.0 - 1.0 / (pool.replicas as f64 * of_those_s)
        }
        "sigma" => tier.waited_share.unwrap(),
        "T_given_size_0_1" => summary.tiers[0].response_s.mean.unwrap(),
        "T_given_size_5" => summary.tiers[1].response_s.mean.unwrap(),
        // "W", and the cells "load,choices" of the table of response times by power of d.
        _ => tier.response_s.mean.unwrap(),
    }
}

/// The scenarios of a case, each with the name of what is varied in it.
fn questions(plan: &Plan, case: &Value) -> Vec<(&'static str, Question)> {
    let params = &case["params"];
    let n = |key: &str| number(params, key);
    let servers = params["c"].as_u64().unwrap_or(1) as u32;
    let queue = |rate: f64, service: &str, replicas: u32| {
        Question::new(rate, service, replicas, plan.requests / rate)
    };
    let plain = |question| vec![("", question)];
    match text(case, "family") {
        "M/M/c" => plain(queue(n("lam"), &exponential(1.0), servers)),
        "M/D/c" => plain(queue(n("lam"), &constant(n("D")), servers)),
        "M/G/1 (Pollaczek-Khinchine)" => plain(queue(n("lam"), &law(&params["service"], "s"), 1)),
        "M/G/inf" => insensitive(n("service_mean"), 2.0, "s", |service| {
            queue(n("lam"), service, 200)
        }),
        "Erlang B" => insensitive(1.0, 2.0, "s", |service| {
            queue(n("a"), service, servers).policy("admission.queue_limit = 0")
        }),
        "M/M/c/K" => {
            let room = n("K") as u64 - u64::from(servers);
            let limit = format!("admission.queue_limit = {room}");
            plain(queue(n("lam"), &exponential(1.0), servers).policy(&limit))
        }
        "Erlang A (M/M/c+M)" => {
            let mut question = queue(n("lam"), &exponential(1.0), servers);
            let patience = exponential(1.0 / n("theta"));
            question.client = format!("patience = {patience}\nuntil = \"start\"");
            plain(question)
        }
        "priority" => plain(priorities(plan, params)),
        "bulk service" | "dynamic batching (Inoue)" => plain(batches(plan.requests, params)),
        "batch window" => {
            let mut question = queue(n("lam"), &constant(1.0), 100);
            let size = params["b"].as_u64().map_or(UNLIMITED, |b| b as u32);
            question.cluster += &format!("\nbatch_limit = {size}");
            question.policy = format!(
                "batching = {{ kind = \"static\", minimum = {size}, window = {} }}",
                constant(n("T"))
            );
            plain(question)
        }
        "GI/M/1" | "GI/M/c sigma" => {
            let mut question = queue(n("lam"), &exponential(1.0), servers);
            question.classes[0].demand += "\nprocess = \"even\"";
            plain(question)
        }
        "routing" => plain(routed(plan, params)),
        "cold start" => {
            let mut question = queue(n("lam"), &exponential(1.0), 1);
            question.cluster += &format!("\nset_up = {}", law(&params["setup"], "s"));
            plain(question)
        }
        "retrials" => {
            let mut question = queue(n("lam"), &exponential(1.0), servers);
            let backoff = exponential(1.0 / n("theta"));
            question.client = format!(
                "retry = {{ after = [\"shed\"], limit = \"forever\", backoff = {backoff}, factor = 1, \
                 jitter = 0 }}"
            );
            plain(question.policy("admission.queue_limit = 0"))
        }
        "processor sharing" => sharing(plan.requests, params),
        "bursty arrivals" => plain(bursts(plan, case)),
        family => panic!("{family} is not a queue in its steady state"),
    }
}

/// The same under three laws of work, where only the mean matters.
fn insensitive(
    mean: f64,
    variation: f64,
    unit: &str,
    question: impl Fn(&str) -> Question,
) -> Vec<(&'static str, Question)> {
    let of = |kind: &str| json!({ "kind": kind, "mean": mean, "cv": variation });
    vec![
        ("exponential", question(&law(&of("exp"), unit))),
        ("constant", question(&law(&of("det"), unit))),
        ("lognormal", question(&law(&of("lognormal"), unit))),
    ]
}

/// One tier, demand and work for each class.
fn priorities(plan: &Plan, params: &Value) -> Question {
    let unit = json!({ "kind": "exp", "mean": 1 });
    let classes: Vec<(f64, &Value)> = match params["classes"].as_array() {
        Some(classes) => {
            let class = |class: &'_ Value| class[0].as_f64().unwrap();
            classes.iter().map(|c| (class(c), &c[1])).collect()
        }
        None => {
            let service = Some(&params["service"]).filter(|service| !service.is_null());
            let service = service.unwrap_or(&unit);
            let rates = numbers(&params["lams"]);
            rates.into_iter().map(|rate| (rate, service)).collect()
        }
    };
    let rate: f64 = classes.iter().map(|class| class.0).sum();
    let replicas = params["c"].as_u64().unwrap_or(1) as u32;
    let mut question = Question::new(rate, "", replicas, plan.requests / rate);
    let class = |(rate, service): (f64, &Value)| Class::new(rate, &law(service, "s"));
    question.classes = classes.into_iter().map(class).collect();
    question.policy(match plan.id.starts_with("prio-pr") {
        true => "order = \"preemptive\"",
        false => "order = \"priority\"",
    })
}

/// A batch of n is one iteration of alpha n + tau0, or of D.
fn batches(requests: f64, params: &Value) -> Question {
    let per_request = params["alpha"].as_f64().unwrap_or(0.0);
    let per_batch = params["tau0"].as_f64().or(params["D"].as_f64()).unwrap();
    let largest = params["b"].as_u64().map_or(UNLIMITED, |b| b as u32);
    let time = |n: u32| constant(per_request * f64::from(n) + per_batch);
    let curve = format!("{{ 1 = {}, {UNLIMITED} = {} }}", time(1), time(UNLIMITED));
    let smallest = params["a"].as_u64().unwrap_or(1);
    let batching = format!("{{ kind = \"static\", minimum = {smallest} }}");
    let rate = number(params, "lam");
    let mut question = Question::new(rate, "", 1, requests / rate);
    question.classes = vec![Class::in_steps(rate, "1")];
    question.iterations(curve, largest, &batching)
}

/// Four nodes are four replicas of a pool, each with its own line.
fn routed(plan: &Plan, params: &Value) -> Question {
    let power = |choices: &str| format!("{{ kind = \"power-of-d\", choices = {choices} }}");
    let (rate, nodes, dispatch) = match plan.id {
        "pod" => {
            let (load, choices) = plan.numbers.split_once(',').unwrap();
            // With one choice nodes know nothing of each other: a few do, and each runs for long.
            let nodes = if choices == "1" { 50 } else { 2000 };
            let rate = load.parse::<f64>().unwrap() * f64::from(nodes);
            (rate, nodes, power(choices))
        }
        id => {
            let dispatch = match id {
                "jsq2" => "\"join-shortest\"",
                "rr-routing" => "\"round-robin\"",
                _ => "\"random\"",
            };
            let nodes = number(params, "nodes") as u32;
            (number(params, "lam"), nodes, dispatch.into())
        }
    };
    let question = Question::new(rate, &exponential(1.0), nodes, plan.requests / rate);
    question.policy(&format!("dispatch = {dispatch}"))
}

/// Requests of two sizes, whose response times are looked at apart.
const SIZES: &str = "two sizes";

/// A batch of n shares c servers equally: each request gets min(1, c / n) of a server's speed, so an
/// iteration takes max(1, n / c) slices.
fn sharing(requests: f64, params: &Value) -> Vec<(&'static str, Question)> {
    let servers = params["c"].as_u64().unwrap_or(1) as u32;
    let time = |n: u32| constant(SLICE_S * f64::from(n) / f64::from(servers));
    let mut points = vec![format!("{servers} = {}", time(servers))];
    points.push(format!("{UNLIMITED} = {}", time(UNLIMITED)));
    if servers > 1 {
        points.insert(0, format!("1 = {}", time(servers)));
    }
    let curve = format!("{{ {} }}", points.join(", "));
    let rate = number(params, "lam");
    let shared = |classes: Vec<Class>| {
        let mut question = Question::new(rate, "", 1, requests / rate);
        question.classes = classes;
        question.iterations(curve.clone(), UNLIMITED, "\"continuous\"")
    };
    let mut all = insensitive(1.0 / SLICE_S, 3.0, " steps", |steps| {
        shared(vec![Class::in_steps(rate, steps)])
    });
    // Sizes of 0.1 and of 5 in such parts that the mean is 1.
    let share = 4.0 / 4.9;
    let steps = |size: f64| format!("{}", (size / SLICE_S).round());
    let sizes = vec![
        Class::in_steps(rate * share, &steps(0.1)),
        Class::in_steps(rate * (1.0 - share), &steps(5.0)),
    ];
    all.push((SIZES, shared(sizes)));
    all
}

/// The rate is 1, and the states multiply it with theirs.
fn bursts(plan: &Plan, case: &Value) -> Question {
    let params = &case["params"];
    let (rates, leaves) = (numbers(&params["rates"]), numbers(&params["switch"]));
    let state = |(factor, leaves): (&f64, &f64)| {
        let stay = exponential(1.0 / leaves);
        format!("{{ factor = {factor}, stay = {stay} }}")
    };
    let states: Vec<String> = rates.iter().zip(&leaves).map(state).collect();
    let mean_rate = number(&case["expect"], "mean_rate");
    let servers = number(params, "c") as u32;
    let lasts_s = plan.requests / mean_rate;
    let mut question = Question::new(mean_rate, &exponential(1.0), servers, lasts_s);
    question.classes[0].demand = format!(
        "{}\nprocess = {{ kind = \"modulated\", states = [{}] }}",
        at_rate(1.0),
        states.join(", ")
    );
    question
}
