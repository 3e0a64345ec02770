//! The closed forms of `queueing` and `stats` against the exact results of `oracles/open.json`.
//!
//! Each number of a case is compared to 1e-9, which is what the 12 digits of the file allow; the cases that
//! were solved by an ODE are good to 1e-7, and one case has an own tolerance for a reason given there. A number that is a diagnostic of the file's own computation
//! (`tail`, `sum` ...) is left out by name, a whole family only if it is named below.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and lists what it covers"
)]

#[path = "oracles/json.rs"]
mod json;

use json::{law, number, numbers, text};
use meltpoint::queueing::{self, *};
use meltpoint::random::Law;
use meltpoint::stats;
use serde_json::Value;

/// Families without a closed form in `queueing`: the simulator's and the bill's.
const ELSEWHERE: [&str; 2] = ["metastable", "economics"];

/// Diagnostics of the computation that made the file, and the two branches whose smaller is `phi`.
const DIAGNOSTICS: [&str; 7] = [
    "tail",
    "little_check",
    "p_delay_from_cdf",
    "mass_top",
    "sum",
    "phi0",
    "phi1",
];

/// Computed values by the path of the expected one.
type Computed = Vec<(String, f64)>;

#[test]
fn closed_forms_have_the_exact_values() {
    let file: Value = serde_json::from_str(include_str!("oracles/open.json")).unwrap();
    let (mut covered, mut wrong) = (Vec::new(), Vec::new());
    for case in file["cases"].as_array().unwrap() {
        let (id, family) = (text(case, "id"), text(case, "family"));
        if ELSEWHERE.contains(&family) {
            continue;
        }
        let computed = compute(case);
        let tolerance = match (id, family) {
            // The file's queue is 7e-9 short: Spitzer's sum of E[max(Poisson(98 n) - 100 n, 0)] / n is
            // 19.3553712233, as here.
            ("mdc-100-0.98", _) => 1e-8,
            (_, "Mt/M/c transient (ODE exact)") => 1e-7,
            _ => 1e-9,
        };
        let mut expected = Vec::new();
        flatten(&case["expect"], String::new(), &mut expected);
        for (path, exact) in expected {
            let name = path.rsplit('/').next().unwrap();
            if DIAGNOSTICS.contains(&name) {
                continue;
            }
            match computed.iter().find(|(of, _)| *of == path) {
                None => wrong.push(format!("{id}{path}: not computed")),
                Some(&(_, value)) if close(value, exact, tolerance) => {}
                Some(&(_, value)) => wrong.push(format!("{id}{path}: {value}, exactly {exact}")),
            }
        }
        covered.push(id);
    }
    println!("covered: {}", covered.join(" "));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(covered.len(), 86);
}

/// All numbers of a value with their paths: `/classes/0/Wq`.
fn flatten(value: &Value, path: String, into: &mut Vec<(String, f64)>) {
    match value {
        Value::Number(number) => into.push((path, number.as_f64().unwrap())),
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| flatten(value, format!("{path}/{key}"), into)),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(i, value)| flatten(value, format!("{path}/{i}"), into)),
        _ => {}
    }
}

/// Equal within the tolerance, relative to the larger of the exact value and 1e-3: a probability of
/// 1e-11 is given to 12 digits but is a difference of numbers near 1.
fn close(value: f64, exact: f64, tolerance: f64) -> bool {
    (value - exact).abs() <= tolerance * exact.abs().max(1e-3)
}

fn named<const N: usize>(values: [(&str, f64); N]) -> Computed {
    let named = values.map(|(name, value)| (format!("/{name}"), value));
    named.into_iter().collect()
}

/// The values of `compute_at` at each key of an object of expected values.
fn by_key(expected: &Value, path: &str, compute_at: impl Fn(&str) -> f64) -> Computed {
    let keys = expected.as_object().unwrap().keys();
    keys.map(|key| (format!("{path}/{key}"), compute_at(key)))
        .collect()
}

fn mmc(params: &Value) -> Mmc {
    Mmc {
        arrival_rate: number(params, "lam"),
        service_rate: params["mu"].as_f64().unwrap_or(1.0),
        servers: params["c"].as_u64().unwrap_or(1),
    }
}

fn compute(case: &Value) -> Computed {
    let (params, expect) = (&case["params"], &case["expect"]);
    match text(case, "family") {
        "M/M/c" => many_servers(mmc(params)),
        "Erlang B" => {
            let servers = number(params, "c") as u64;
            named([("p_block", erlang_b(number(params, "a"), servers))])
        }
        "M/M/c/K" => finite_room(params),
        "Erlang A (M/M/c+M)" => impatient(params),
        "M/D/c" => constant_service(params),
        "M/G/1 (Pollaczek-Khinchine)" => one_server(params),
        "M/G/inf" => infinite_servers(params),
        "priority" => priorities(text(case, "id"), params),
        "bulk service" | "dynamic batching (Inoue)" => bulk(params),
        "batch window" => window(params),
        "Mt/G/inf" => varying_rate(params, expect),
        "square-root staffing" => staffing(params, expect),
        "Mt/M/c transient (ODE exact)" => surge(params, expect),
        "machine repair" => repair(params),
        "k-out-of-n" => by_key(expect, "", |key| {
            let (k, n) = key.split_once("of").unwrap();
            let (up, down) = (number(params, "MTBF"), number(params, "MTTR"));
            k_out_of_n(k.parse().unwrap(), n.parse().unwrap(), up / (up + down))
        }),
        "job with failures" => {
            let n = |key| number(params, key);
            named([("E_T", restarting_job_time(n("S"), n("f"), n("R")))])
        }
        "Bass diffusion" => bass(params),
        "processor sharing" => sharing(params),
        "routing" => routing(text(case, "id"), params, expect),
        "fork-join" => named([("W", fork_join_two_response(number(params, "lam"), 1.0))]),
        "network" => network(params),
        "GI/M/1" | "GI/M/c sigma" => even_arrivals(params),
        "cold start" => cold_start(params),
        "retrials" => retrials(params),
        "bursty arrivals" => bursty(params),
        "fluid" => fluid(text(case, "id")),
        "percentile confidence" => by_key(expect, "", |key| {
            let (q, k) = key[1..].split_once(",k").unwrap();
            stats::samples_to_prove(q.parse().unwrap(), 0.99, k.parse().unwrap()) as f64
        }),
        other => panic!("family {other} is neither computed nor named as elsewhere"),
    }
}

fn many_servers(queue: Mmc) -> Computed {
    named([
        ("p_wait", queue.p_wait()),
        ("Wq", queue.mean_wait()),
        ("W", queue.mean_response()),
        ("Lq", queue.mean_queue()),
        ("L", queue.mean_in_system()),
        ("util", queue.utilisation()),
        ("wait_p50", queue.wait_quantile(0.5)),
        ("wait_p90", queue.wait_quantile(0.9)),
        ("wait_p99", queue.wait_quantile(0.99)),
        ("wait_p999", queue.wait_quantile(0.999)),
        ("sojourn_p99", queue.response_quantile(0.99)),
    ])
}

fn finite_room(params: &Value) -> Computed {
    let found = Mmck::new(mmc(params), number(params, "K") as u64);
    named([
        ("p_block", found.p_block),
        ("L", found.mean_in_system),
        ("Lq", found.mean_queue),
        ("Wq", found.mean_wait),
        ("W", found.mean_response),
        ("throughput", found.throughput),
        ("util", found.utilisation),
    ])
}

fn impatient(params: &Value) -> Computed {
    let (queue, rate) = (mmc(params), number(params, "theta"));
    let found = ErlangA::new(queue, rate);
    named([
        ("p_wait", found.p_wait),
        ("p_abandon", found.p_abandon),
        ("Lq", found.mean_queue),
        ("Wq_all", found.mean_wait),
        ("L", found.mean_in_system),
        ("util", found.utilisation),
        ("garnett_p_wait_approx", garnett_p_wait(queue, rate)),
    ])
}

fn constant_service(params: &Value) -> Computed {
    let servers = number(params, "c") as usize;
    let queue = Mdc::new(number(params, "lam"), number(params, "D"), servers).unwrap();
    named([
        ("p_wait", queue.p_wait()),
        ("Lq", queue.mean_queue()),
        ("Wq", queue.mean_wait()),
        ("W", queue.mean_response()),
        ("wait_p50", queue.wait_quantile(0.5)),
        ("wait_p90", queue.wait_quantile(0.9)),
        ("wait_p99", queue.wait_quantile(0.99)),
    ])
}

fn one_server(params: &Value) -> Computed {
    let queue = Mg1 {
        arrival_rate: number(params, "lam"),
        service: ServiceMoments::of(&law(&params["service"])),
    };
    named([
        ("util", queue.utilisation()),
        ("Wq", queue.mean_wait()),
        ("W", queue.mean_response()),
        ("Lq", queue.mean_queue()),
        ("L", queue.mean_in_system()),
        ("Wq_sd", queue.wait_variance().sqrt()),
        ("busy_period_mean", queue.mean_busy_period()),
    ])
}

fn infinite_servers(params: &Value) -> Computed {
    let (rate, mean) = (number(params, "lam"), number(params, "service_mean"));
    let exponential = Law::Exponential { mean };
    let constant = Law::Constant { value: mean };
    named([
        ("mean_N", empty_start_mean(rate, &exponential, 1e9)),
        ("var_N", empty_start_mean(rate, &constant, 1e9)),
        ("p_N_le_35", poisson_at_most(35, rate * mean)),
        ("p_N_gt_60", 1.0 - poisson_at_most(60, rate * mean)),
        (
            "transient_exp_t1",
            empty_start_mean(rate, &exponential, 1.0),
        ),
        ("transient_det_t1", empty_start_mean(rate, &constant, 1.0)),
        (
            "transient_exp_t5",
            empty_start_mean(rate, &exponential, 5.0),
        ),
    ])
}

fn priorities(id: &str, params: &Value) -> Computed {
    let class = |rate: f64, service: &Value| Class {
        arrival_rate: rate,
        service: ServiceMoments::of(&law(service)),
    };
    let classes: Vec<Class> = match params["classes"].as_array() {
        Some(classes) => {
            let class_of = |c: &Value| class(c[0].as_f64().unwrap(), &c[1]);
            classes.iter().map(class_of).collect()
        }
        None if params["service"].is_null() => Vec::new(),
        None => {
            let rates = numbers(&params["lams"]);
            rates
                .iter()
                .map(|&r| class(r, &params["service"]))
                .collect()
        }
    };
    let times = match id {
        "prio-pr-3" => preemptive_resume(&classes),
        "prio-mmc-10" => cobham_many_servers(&numbers(&params["lams"]), 1.0, 10),
        _ => cobham(&classes),
    };
    let paths = times.iter().enumerate().flat_map(|(i, class)| {
        [
            (format!("/classes/{i}/Wq"), class.wait),
            (format!("/classes/{i}/W"), class.response),
        ]
    });
    paths.collect()
}

fn bulk(params: &Value) -> Computed {
    let arrival_rate = number(params, "lam");
    let per_request = params["alpha"].as_f64().unwrap_or(0.0);
    let per_batch = params["tau0"].as_f64().or(params["D"].as_f64()).unwrap();
    let queue = Bulk {
        arrival_rate,
        smallest: params["a"].as_u64().unwrap_or(1) as usize,
        largest: params["b"].as_u64().map(|b| b as usize),
    };
    let found = queue.solve(|n| per_request * n as f64 + per_batch).unwrap();
    let bound = dynamic_batching_bound(arrival_rate, per_request, per_batch);
    let free = queue.largest.is_none() && queue.smallest == 1;
    assert!(!free || found.mean_response <= bound * (1.0 + 1e-12));
    named([
        ("Wq", found.mean_wait),
        ("W", found.mean_response),
        ("Lq", found.mean_queue),
        ("mean_batch", found.mean_batch),
        ("util", found.utilisation),
        ("phi", bound),
    ])
}

fn window(params: &Value) -> Computed {
    let found = batching_window(
        number(params, "lam"),
        number(params, "T"),
        params["b"].as_u64(),
    );
    named([
        ("wait_to_close", found.mean_wait),
        ("mean_batch", found.mean_batch),
        ("p_full", found.p_full),
    ])
}

fn varying_rate(params: &Value, expect: &Value) -> Computed {
    let service = law(&params["service"]);
    by_key(&expect["m"], "/m", |key| {
        let t = key.parse().unwrap();
        let level = number(params, "l0");
        match params["amp"].as_f64() {
            Some(amplitude) => cycle_mean((level, amplitude, 24.0), &service, t),
            None => {
                let steps = [(0.0, number(params, "l1")), (1.0, level)];
                steps_mean(level, &steps, &service, t)
            }
        }
    })
}

fn staffing(params: &Value, expect: &Value) -> Computed {
    let Some(target) = params["target_p_wait"].as_f64() else {
        let mut found = by_key(&expect["halfin_whitt"], "/halfin_whitt", |beta| {
            halfin_whitt_p_wait(beta.parse().unwrap())
        });
        found.extend(by_key(&expect["exact"], "/exact", |key| {
            let (load, beta) = key.split_once(',').unwrap();
            let load: f64 = load.parse().unwrap();
            erlang_c(load, square_root_servers(load, beta.parse().unwrap()))
        }));
        found.extend(by_key(&expect["beta_for"], "/beta_for", |p_wait| {
            halfin_whitt_beta(p_wait.parse().unwrap())
        }));
        return found;
    };
    let beta = halfin_whitt_beta(target);
    let rate = (number(params, "l0"), number(params, "amp"), 24.0);
    let mean = |t: &str| cycle_mean(rate, &Law::Exponential { mean: 1.0 }, t.parse().unwrap());
    let mut found = named([
        ("beta", beta),
        ("peak_lag", peak_lag_exponential(1.0, 24.0)),
    ]);
    found.extend(by_key(&expect["m"], "/m", mean));
    found.extend(by_key(&expect["s"], "/s", |t| {
        square_root_servers(mean(t), beta) as f64
    }));
    found
}

fn surge(params: &Value, expect: &Value) -> Computed {
    let servers = number(params, "c") as u64;
    let queue = |key: &str| Mmc {
        arrival_rate: number(params, key),
        service_rate: 1.0,
        servers,
    };
    let mut steady = vec![1.0];
    for n in 1..=300_u64 {
        let below = steady[n as usize - 1];
        steady.push(below * number(params, "lam_before") / n.min(servers) as f64);
    }
    let total: f64 = steady.iter().sum();
    steady.iter_mut().for_each(|p| *p /= total);
    let mut found = Vec::new();
    for time in expect.as_object().unwrap().keys() {
        let t: f64 = time.parse().unwrap();
        let mut law = queueing::mmc_transient(queue("lam_surge"), &steady, t.min(2.0));
        if t > 2.0 {
            law = queueing::mmc_transient(queue("lam_before"), &law, t - 2.0);
        }
        let mean = |value: &dyn Fn(f64) -> f64| -> f64 {
            law.iter()
                .enumerate()
                .map(|(n, p)| p * value(n as f64))
                .sum()
        };
        let c = servers as f64;
        found.push((format!("/{time}/mean_L"), mean(&|n| n)));
        found.push((format!("/{time}/Lq"), mean(&|n| (n - c).max(0.0))));
        let waits = mean(&|n| f64::from(u8::from(n >= c)));
        found.push((format!("/{time}/p_wait"), waits));
    }
    found
}

fn repair(params: &Value) -> Computed {
    let n = |key| number(params, key);
    let units = n("n") as usize;
    let needed = params["c"].as_u64().map_or(units, |c| c as usize);
    let rates = (n("fail"), n("repair"));
    let found = Repair::new(units, needed, rates, n("crews") as usize);
    named([
        ("mean_down", found.mean_down),
        ("mean_running", found.mean_running),
        ("p_all_running", found.p_all_running),
        ("pi0", found.p_none_down),
        ("availability_if_unlimited", rates.1 / (rates.0 + rates.1)),
    ])
}

fn bass(params: &Value) -> Computed {
    let bass = Bass {
        potential: number(params, "m"),
        innovation: number(params, "p"),
        imitation: number(params, "q"),
    };
    let peak = bass.peak_time();
    let mut found = named([
        ("t_peak", peak),
        ("peak_rate", bass.rate(peak)),
        ("cum_at_peak", bass.came(peak)),
    ]);
    for t in [1.0, 2.0, 5.0, 10.0, 20.0] {
        found.push((format!("/t{t}/cum"), bass.came(t)));
        found.push((format!("/t{t}/rate"), bass.rate(t)));
    }
    found
}

fn sharing(params: &Value) -> Computed {
    let Some(mean) = params["service_mean"].as_f64() else {
        let queue = mmc(params);
        return named([("L", queue.mean_in_system()), ("W", queue.mean_response())]);
    };
    let load = number(params, "lam") * mean;
    let response = |size| processor_sharing_response(size, load);
    named([
        ("W", response(mean)),
        ("L", number(params, "lam") * response(mean)),
        ("slowdown", response(1.0)),
        ("T_given_size_0_1", response(0.1)),
        ("T_given_size_5", response(5.0)),
    ])
}

fn routing(id: &str, params: &Value, expect: &Value) -> Computed {
    match id {
        "pod" => by_key(expect, "", |key| {
            let (load, d) = key.split_once(',').unwrap();
            power_of_d_response(load.parse().unwrap(), d.parse().unwrap())
        }),
        "jsq2" => {
            let rate = number(params, "lam");
            let in_system = join_shortest_of_two_in_system(rate);
            named([("L", in_system), ("W", in_system / rate)])
        }
        _ => {
            let nodes = number(params, "nodes");
            let rate = number(params, "lam") / nodes;
            let stages = if id == "rr-routing" { nodes as u32 } else { 1 };
            let queue = GiMc::new(|s| erlang_transform(rate, stages, s), 1.0, 1);
            let mut found = single_server(&queue);
            let response = queue.mean_wait(queue.sigma()) + 1.0;
            found.push(("/L".to_owned(), rate * response));
            found
        }
    }
}

fn single_server(queue: &GiMc) -> Computed {
    let p_wait = queue.sigma();
    let wait = queue.mean_wait(p_wait);
    named([
        ("sigma", queue.sigma()),
        ("p_wait", p_wait),
        ("Wq", wait),
        ("W", wait + 1.0),
        ("wait_p99", queue.wait_quantile(p_wait, 0.99)),
    ])
}

fn even_arrivals(params: &Value) -> Computed {
    let queue = mmc(params);
    let transform = |s| constant_transform(queue.arrival_rate, s);
    single_server(&GiMc::new(transform, queue.service_rate, queue.servers))
}

fn network(params: &Value) -> Computed {
    let outside = numbers(&params["gamma"]);
    let rows = params["R"].as_array().unwrap();
    let routing: Vec<Vec<f64>> = rows.iter().map(numbers).collect();
    let rates = jackson_arrival_rates(&outside, &routing);
    let (mut found, mut total) = (Vec::new(), 0.0);
    for (i, &arrival_rate) in rates.iter().enumerate() {
        let station = Mmc {
            arrival_rate,
            service_rate: numbers(&params["mu"])[i],
            servers: numbers(&params["c"])[i] as u64,
        };
        total += station.mean_in_system();
        found.push((format!("/lam/{i}"), arrival_rate));
        found.push((format!("/L/{i}"), station.mean_in_system()));
    }
    let response = total / outside.iter().sum::<f64>();
    found.push(("/W_system".to_owned(), response));
    found
}

fn cold_start(params: &Value) -> Computed {
    let queue = Mg1 {
        arrival_rate: number(params, "lam"),
        service: ServiceMoments::of(&Law::Exponential { mean: 1.0 }),
    };
    let setup = ServiceMoments::of(&law(&params["setup"]));
    let wait = setup_wait(queue, setup.mean, setup.second);
    named([("Wq", wait), ("W", wait + 1.0)])
}

fn retrials(params: &Value) -> Computed {
    let found = retrial(mmc(params), number(params, "theta")).unwrap();
    named([
        ("mean_orbit", found.mean_orbit),
        ("p_block_fresh", found.p_block),
        ("mean_busy", found.mean_busy),
        ("wait_mean", found.mean_wait),
    ])
}

fn bursty(params: &Value) -> Computed {
    let pair = |key: &str| [numbers(&params[key])[0], numbers(&params[key])[1]];
    let servers = number(params, "c") as u64;
    let found = bursts(pair("rates"), pair("switch"), 1.0, servers).unwrap();
    named([
        ("mean_rate", found.mean_rate),
        ("Lq", found.mean_queue),
        ("Wq", found.mean_wait),
        ("p_wait_arrival", found.p_wait),
    ])
}

fn fluid(id: &str) -> Computed {
    if id == "fluid-surge" {
        let surge = vec![(0.0, 50.0), (60.0, 50.0), (60.0, -20.0), (1e4, -20.0)];
        let drain = Excess::new(surge).drain();
        let cleared_at = drain.cleared_at.unwrap();
        return named([
            ("max_backlog", drain.largest),
            ("drain_s", cleared_at - drain.largest_at),
            ("clear_at", cleared_at),
            ("fcfs_max_wait", drain.largest / 100.0),
            ("total_wait_job_s", drain.total_wait),
        ]);
    }
    let excess = Excess::new(vec![(0.0, 0.0), (30.0, 60.0)]);
    let at = |t| excess.backlog_at(t);
    named([("b10", at(10.0)), ("b30", at(30.0)), ("b90", at(90.0))])
}
