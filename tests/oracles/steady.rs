//! Queues in their steady state: a case of the file to a scenario, a summary to its numbers.

use meltpoint::metrics::summary::Summary;
use meltpoint::profile::ServiceCurve;
use meltpoint::random::Law;
use meltpoint::scenario::{
    Batching, DemandKind, Dispatch, PatienceUntil, Policy, Process, QueueLimit, QueueOrder,
    RateCurve, Retry, Scenario, WorkUnit,
};
use meltpoint::units::{SimDuration, SimTime};
use serde_json::Value;

use crate::json::{law, number, numbers, text};
use crate::protocol::{self, Measured};

/// How a case is run and what is compared.
pub(crate) struct Plan {
    pub id: &'static str,
    /// Requests of one replication, about.
    pub requests: f64,
    /// Numbers by their path in the case's `expect`, each with the half width to reach in per cent:
    /// `Wq 2, classes/0/W 3`.
    pub numbers: &'static str,
}

/// Batches without a limit: larger ones do not come in these cases.
const UNLIMITED: u32 = 1000;
/// Iterations of processor sharing are so much shorter than a mean request.
const SLICE_S: f64 = 1e-6;

/// Runs a case and reads its numbers.
pub(crate) fn measure(plan: &Plan, case: &Value) -> Vec<Measured> {
    let mut measured = Vec::new();
    for (variant, mut scenario) in scenarios(plan, case) {
        scenario.warm_up = SimDuration(scenario.horizon.0 / 10);
        let replications = protocol::replicate(&scenario, |scenario| {
            protocol::summarise(in_random_environment(scenario, case))
        });
        for number in plan.numbers.split(", ") {
            let (path, per_cent) = number.split_once(' ').unwrap();
            let value = |summary: &Summary| read(summary, path, &scenario);
            let is_quantile = path.contains("_p9") || path == "sigma";
            measured.push(Measured {
                what: format!("{} {variant} {path}", plan.id),
                exact: case["expect"]
                    .pointer(&format!("/{path}"))
                    .unwrap()
                    .as_f64()
                    .unwrap(),
                values: replications.iter().map(value).collect(),
                within: per_cent.parse::<f64>().unwrap() / 100.0,
                slack: if is_quantile { 1.0 / 128.0 } else { 0.0 },
            });
        }
    }
    measured
}

/// A number of a run, by the name of the exact one.
fn read(summary: &Summary, path: &str, scenario: &Scenario) -> f64 {
    let (of, name) = path.rsplit_once('/').unwrap_or(("", path));
    let class = of
        .strip_prefix("classes/")
        .map_or(0, |class| class.parse().unwrap());
    let (tier, pool) = (&summary.tiers[class], &summary.pools[0]);
    let attempts = tier.attempts as f64;
    let measured_s = (scenario.horizon.0 - scenario.warm_up.0) as f64 / 1e9;
    let busy = || pool.utilisation.unwrap() * pool.replicas as f64;
    match name {
        "Wq" | "wait_to_close" => tier.wait_s.mean.unwrap(),
        "wait_p90" => tier.wait_s.p90.unwrap(),
        "wait_p99" => tier.wait_s.p99.unwrap(),
        "sojourn_p99" => tier.response_s.p99.unwrap(),
        "util" => pool.utilisation.unwrap(),
        "L" | "mean_N" => pool.in_pool_mean,
        "Lq" => pool.in_pool_mean - busy(),
        "p_block" => tier.shed.queue_full as f64 / attempts,
        "p_abandon" => tier.abandoned as f64 / attempts,
        "throughput" => tier.completed as f64 / measured_s,
        "mean_batch" => pool.batch_mean.unwrap(),
        "mean_busy" => busy(),
        "mean_orbit" => {
            // The first of the ten intervals is the warm-up.
            let orbit = &summary.series.column("in_orbit", None).unwrap().values[1..];
            orbit.iter().flatten().sum::<f64>() / orbit.len() as f64
        }
        // Of a request: from its first attempt to the start of its service, whose mean is 1.
        "wait_mean" => tier.response_s.mean.unwrap() - 1.0,
        // Those who wait do so for an exponential time of rate 10 (1 - sigma).
        "sigma" => {
            let decade = tier.wait_s.p99.unwrap() - tier.wait_s.p90.unwrap();
            1.0 - libm::log(10.0) / 10.0 / decade
        }
        // "W", and the cells "load,choices" of the table of response times by power of d.
        _ => tier.response_s.mean.unwrap(),
    }
}

fn exponential(mean: f64) -> Law {
    Law::Exponential { mean }
}

fn policy(scenario: &mut Scenario) -> &mut Policy {
    &mut scenario.rules[0].1.policy
}

/// The scenarios of a case, each with the name of what is varied in it.
fn scenarios(plan: &Plan, case: &Value) -> Vec<(&'static str, Scenario)> {
    let params = &case["params"];
    let n = |key: &str| number(params, key);
    let servers = params["c"].as_u64().unwrap_or(1) as u32;
    let queue = |rate: f64, service: Law, replicas: u32| {
        Scenario::textbook(rate, service, replicas, plan.requests / rate)
    };
    let plain = |scenario| vec![("", scenario)];
    match text(case, "family") {
        "M/M/c" => plain(queue(n("lam"), exponential(1.0), servers)),
        "M/D/c" => plain(queue(n("lam"), Law::Constant { value: n("D") }, servers)),
        "M/G/1 (Pollaczek-Khinchine)" => plain(queue(n("lam"), law(&params["service"]), 1)),
        "M/G/inf" => insensitive(n("service_mean"), 2.0, |service| {
            queue(n("lam"), service, 200)
        }),
        "Erlang B" => insensitive(1.0, 2.0, |service| {
            let mut scenario = queue(n("a"), service, servers);
            policy(&mut scenario).admission.queue_limit = QueueLimit::Requests(0);
            scenario
        }),
        "M/M/c/K" => {
            let mut scenario = queue(n("lam"), exponential(1.0), servers);
            let room = n("K") as u64 - u64::from(servers);
            policy(&mut scenario).admission.queue_limit = QueueLimit::Requests(room);
            plain(scenario)
        }
        "Erlang A (M/M/c+M)" => {
            let mut scenario = queue(n("lam"), exponential(1.0), servers);
            scenario.tiers[0].client.patience_s = Some(exponential(1.0 / n("theta")));
            scenario.tiers[0].client.until = PatienceUntil::Start;
            plain(scenario)
        }
        "priority" => plain(priorities(plan.requests, params)),
        "bulk service" | "dynamic batching (Inoue)" => plain(batches(plan.requests, params)),
        "batch window" => {
            let mut scenario = queue(n("lam"), Law::Constant { value: 1.0 }, 100);
            let size = params["b"].as_u64().map_or(UNLIMITED, |b| b as u32);
            scenario.pools[0].batch_limit = size;
            policy(&mut scenario).batching = Batching::Static {
                minimum: size,
                window: SimDuration::from_s(n("T")),
            };
            plain(scenario)
        }
        "GI/M/1" | "GI/M/c sigma" => plain(evenly(queue(n("lam"), exponential(1.0), servers))),
        "routing" => plain(routed(plan, params)),
        "retrials" => {
            let mut scenario = queue(n("lam"), exponential(1.0), servers);
            policy(&mut scenario).admission.queue_limit = QueueLimit::Requests(0);
            scenario.tiers[0].client.retry = Some(retry_for_ever(1.0 / n("theta")));
            plain(scenario)
        }
        "processor sharing" => sharing(plan.requests, params),
        "bursty arrivals" => {
            let rate = number(&case["expect"], "mean_rate");
            plain(queue(rate, exponential(1.0), servers))
        }
        family => panic!("{family} is not a queue in its steady state"),
    }
}

/// The same under three laws of service, where only the mean matters.
fn insensitive(
    mean: f64,
    variation: f64,
    scenario: impl Fn(Law) -> Scenario,
) -> Vec<(&'static str, Scenario)> {
    vec![
        ("exponential", scenario(exponential(mean))),
        ("constant", scenario(Law::Constant { value: mean })),
        ("lognormal", scenario(Law::Lognormal { mean, variation })),
    ]
}

pub(crate) fn evenly(mut scenario: Scenario) -> Scenario {
    if let DemandKind::Rate { process, .. } = &mut scenario.demands[0].kind {
        *process = Process::Even;
    }
    scenario
}

pub(crate) fn set_curve(scenario: &mut Scenario, demand: usize, to: RateCurve) {
    if let DemandKind::Rate { curve, .. } = &mut scenario.demands[demand].kind {
        *curve = to;
    }
}

fn retry_for_ever(mean_s: f64) -> Retry {
    Retry {
        limit: u32::MAX,
        backoff: exponential(mean_s),
        factor: 1.0,
        longest_s: f64::INFINITY,
        jitter: 0.0,
        budget: None,
        after_shed: true,
        after_abandoned: false,
        after_failed: false,
    }
}

/// One tier, one demand and one work for each class.
fn priorities(requests: f64, params: &Value) -> Scenario {
    let classes: Vec<(f64, Law)> = match params["classes"].as_array() {
        Some(classes) => {
            let class = |class: &Value| (class[0].as_f64().unwrap(), law(&class[1]));
            classes.iter().map(class).collect()
        }
        None => {
            let service = &params["service"];
            let service = if service.is_null() {
                exponential(1.0)
            } else {
                law(service)
            };
            numbers(&params["lams"])
                .into_iter()
                .map(|rate| (rate, service))
                .collect()
        }
    };
    let rate: f64 = classes.iter().map(|class| class.0).sum();
    let replicas = params["c"].as_u64().unwrap_or(1) as u32;
    let mut scenario = Scenario::textbook(rate, exponential(1.0), replicas, requests / rate);
    policy(&mut scenario).order = QueueOrder::Priority;
    for (index, (rate, service)) in classes.into_iter().enumerate() {
        if index > 0 {
            scenario.tiers.push(scenario.tiers[0].clone());
            scenario.works.push(scenario.works[0].clone());
            scenario.demands.push(scenario.demands[0].clone());
            let rules = &mut scenario.rules[0].1.tiers;
            rules.push(rules[0].clone());
        }
        let demand = &mut scenario.demands[index];
        demand.name = format!("class {index}");
        (demand.tier, demand.work) = (index, index);
        scenario.works[index].qualities[0].amount = service;
        scenario.rules[0].1.tiers[index].priority = index as u8;
        set_curve(&mut scenario, index, constant(rate));
    }
    scenario
}

fn constant(rate: f64) -> RateCurve {
    RateCurve {
        points: vec![(SimTime::ZERO, rate)],
        linear: false,
    }
}

/// A batch of n is one iteration of alpha n + tau0, or of D.
fn batches(requests: f64, params: &Value) -> Scenario {
    let per_request = params["alpha"].as_f64().unwrap_or(0.0);
    let per_batch = params["tau0"].as_f64().or(params["D"].as_f64()).unwrap();
    let largest = params["b"].as_u64().map_or(UNLIMITED, |b| b as u32);
    let time = |size: u32| (size, per_request * f64::from(size) + per_batch);
    let points: Vec<(u32, f64)> = (1..=largest).map(time).collect();
    let rate = number(params, "lam");
    let mut scenario = Scenario::textbook(rate, Law::Constant { value: 1.0 }, 1, requests / rate);
    iterate(&mut scenario, &points, largest);
    policy(&mut scenario).batching = Batching::Static {
        minimum: params["a"].as_u64().unwrap_or(1) as u32,
        window: SimDuration::FOREVER,
    };
    scenario
}

/// Work is counted in iterations whose time depends on the batch.
fn iterate(scenario: &mut Scenario, points: &[(u32, f64)], batch_limit: u32) {
    scenario.works[0].unit = WorkUnit::Iterations;
    scenario.pools[0].profile.curve = ServiceCurve::tabulated(points, batch_limit, 0.0, 0.0);
    scenario.pools[0].batch_limit = batch_limit;
}

/// Four nodes are four replicas of a pool, each with its own line.
fn routed(plan: &Plan, params: &Value) -> Scenario {
    let (rate, nodes, dispatch) = match plan.id {
        "pod" => {
            let (cell, _) = plan.numbers.split_once(' ').unwrap();
            let (load, choices) = cell.split_once(',').unwrap();
            let nodes = 2000;
            let rate = load.parse::<f64>().unwrap() * f64::from(nodes);
            (rate, nodes, Dispatch::PowerOfD(choices.parse().unwrap()))
        }
        id => {
            let dispatch = match id {
                "jsq2" => Dispatch::JoinShortest,
                "rr-routing" => Dispatch::RoundRobin,
                _ => Dispatch::Random,
            };
            (
                number(params, "lam"),
                number(params, "nodes") as u32,
                dispatch,
            )
        }
    };
    let mut scenario = Scenario::textbook(rate, exponential(1.0), nodes, plan.requests / rate);
    policy(&mut scenario).dispatch = dispatch;
    scenario
}

/// A batch of n shares c servers equally: each request gets min(1, c / n) of a server's speed, so an
/// iteration takes max(1, n / c) slices.
fn sharing(requests: f64, params: &Value) -> Vec<(&'static str, Scenario)> {
    let servers = params["c"].as_u64().unwrap_or(1) as u32;
    let time = |n: u32| (n, SLICE_S * (f64::from(n) / f64::from(servers)).max(1.0));
    let points: Vec<(u32, f64)> = (1..=UNLIMITED).map(time).collect();
    insensitive(1.0 / SLICE_S, 3.0, |amount| {
        let rate = number(params, "lam");
        let mut scenario = Scenario::textbook(rate, amount, 1, requests / rate);
        iterate(&mut scenario, &points, UNLIMITED);
        policy(&mut scenario).batching = Batching::Continuous;
        scenario
    })
}

/// Where the rate itself is random, a replication is one path of it: the curve is drawn here, by the
/// replication's seed, and given to the scenario.
fn in_random_environment(mut scenario: Scenario, case: &Value) -> Scenario {
    if text(case, "family") != "bursty arrivals" {
        return scenario;
    }
    let (rates, leaves) = (
        numbers(&case["params"]["rates"]),
        numbers(&case["params"]["switch"]),
    );
    let mut stream = scenario.seed.stream("environment", "switches", 0);
    let (mut points, mut at, mut phase) = (Vec::new(), 0.0, 0);
    while at < scenario.horizon.as_s() {
        points.push((SimTime::from_s(at), rates[phase]));
        at += stream.exponential() / leaves[phase];
        phase = 1 - phase;
    }
    set_curve(
        &mut scenario,
        0,
        RateCurve {
            points,
            linear: false,
        },
    );
    scenario
}
