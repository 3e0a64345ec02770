//! How fast the engine is, as ratios against a bare loop on the same machine in the same run.
//!
//! `cargo bench --bench engine` prints the table. The bare loop is the least that simulates M/M/100: one
//! binary heap of departure times, one generator, no features. Both are checked to give the Erlang-C wait.
//! The Ghibli week runs at two scales with all its features, on one thread and on two.

#![expect(clippy::print_stdout, reason = "the table is what it is run for")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use meltpoint::queueing::Mmc;
use meltpoint::random::{Law, Seed};
use meltpoint::scenario::{self, Scenario, Settings};
use meltpoint::trials::{self, Trial};

const SERVERS: u64 = 100;
const ARRIVALS_PER_S: f64 = 90.0;
const ROUNDS: usize = 3;

fn main() {
    // `cargo test --benches` passes `--test`: a small run that keeps the code alive.
    let small = std::env::args().any(|argument| argument == "--test");
    let customers = if small { 20_000.0 } else { 9_000_000.0 };
    let scale = if small { 0.000_5 } else { 0.02 };

    let bare = best(|| bare_loop(customers));
    let engine = best(|| engine(customers));
    println!("| what | threads | M/s | x bare loop |");
    println!("| --- | ---: | ---: | ---: |");
    row("M/M/100, bare loop: customers", 1, bare, bare);
    row("M/M/100, engine: customers", 1, engine, bare);
    for (scale, threads) in [(scale / 10.0, 1), (scale, 1), (scale, 2)] {
        let rate = best(|| week(scale, threads));
        let what = format!("ghibli-week at scale {scale}: requests");
        row(&what, threads, rate, bare);
    }
}

fn row(what: &str, threads: usize, rate: f64, bare: f64) {
    println!(
        "| {what} | {threads} | {:.2} | {:.2} |",
        rate / 1e6,
        rate / bare
    );
}

/// The best rate of a few rounds: what disturbs only makes it slower.
fn best(mut rate: impl FnMut() -> f64) -> f64 {
    (0..ROUNDS).map(|_| rate()).fold(0.0, f64::max)
}

/// Customers a second of the least that simulates M/M/c, first come first served.
fn bare_loop(customers: f64) -> f64 {
    let mut stream = Seed(1).stream("bench", "bare", 0);
    let started = now();
    let mut free: BinaryHeap<Reverse<u64>> = (0..SERVERS).map(|_| Reverse(0)).collect();
    let (mut clock, mut waited) = (0_u64, 0_u64);
    let count = customers as u64;
    for _ in 0..count {
        clock += (stream.exponential() / ARRIVALS_PER_S * 1e9) as u64;
        let Some(mut first) = free.peek_mut() else {
            return 0.0;
        };
        let start = first.0.max(clock);
        waited += start - clock;
        *first = Reverse(start + (stream.exponential() * 1e9) as u64);
    }
    let rate = count as f64 / started.elapsed().as_secs_f64();
    check_wait("bare loop", waited as f64 / 1e9 / count as f64, count);
    rate
}

/// Customers a second of the engine on the same queue.
fn engine(customers: f64) -> f64 {
    let service = Law::Exponential { mean: 1.0 };
    let horizon_s = customers / ARRIVALS_PER_S;
    let scenario = Scenario::textbook(ARRIVALS_PER_S, service, SERVERS as u32, horizon_s);
    let (trial, rate) = timed(scenario, 1);
    let wait = trial.summary.total.wait_s;
    check_wait("engine", wait.mean.unwrap_or(0.0), wait.samples);
    rate
}

/// Requests a second of the Ghibli week.
fn week(scale: f64, threads: usize) -> f64 {
    let source = scenario::embedded("ghibli-week").expect("it is built in");
    let settings = Settings {
        scale: Some(scale),
        ..Settings::default()
    };
    let no_files = |_: &str| Err("it names no file".to_owned());
    let scenario = scenario::read(source, &settings, &no_files).expect("it is valid");
    timed(scenario, threads).1
}

fn timed(scenario: Scenario, threads: usize) -> (Trial, f64) {
    let scenario = Arc::new(scenario);
    let started = now();
    let trial = trials::run(&scenario, threads, &mut |_| ControlFlow::Continue(()));
    let rate = trial.progress.requests as f64 / started.elapsed().as_secs_f64();
    (trial, rate)
}

/// Within 10 % of Erlang C where the run is long enough to tell.
fn check_wait(who: &str, wait_s: f64, customers: u64) {
    let exact = Mmc {
        arrival_rate: ARRIVALS_PER_S,
        service_rate: 1.0,
        servers: SERVERS,
    };
    let exact = exact.mean_wait();
    if customers > 1_000_000 {
        assert!(
            (wait_s / exact - 1.0).abs() < 0.1,
            "{who}: mean wait {wait_s} s, exact {exact} s"
        );
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn now() -> Instant {
    Instant::now()
}
