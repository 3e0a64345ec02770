//! What an interval promises: that it covers the exact value as often as it says, also when the number
//! of replications was chosen by looking at it, and that a warm-up that was found takes a bias away.

#![expect(
    clippy::print_stdout,
    reason = "the coverage that is measured is shown with --nocapture"
)]

use std::ops::ControlFlow;
use std::sync::Arc;

use meltpoint::metrics::replications::{Replicated, Replications};
use meltpoint::metrics::{Part, summary::Summary};
use meltpoint::queueing::Mmc;
use meltpoint::random::{Law, Seed, Stream};
use meltpoint::scenario::{Runs, Scenario, Target, WarmUpRule};
use meltpoint::stats::confidence_interval;
use meltpoint::trials::{self, Look, Stopping};
use meltpoint::units::SimDuration;

/// Ten servers, half of them busy: 50 s after a warm-up of ten mean service times, about 250 customers.
fn short_queue(replications: u64) -> Scenario {
    let service = Law::Exponential { mean: 1.0 };
    let mut scenario = Scenario::textbook(5.0, service, 10, 60.0);
    scenario.warm_up = SimDuration::from_s(10.0);
    scenario.runs.replications = replications;
    scenario
}

const SHORT: Mmc = Mmc {
    arrival_rate: 5.0,
    service_rate: 1.0,
    servers: 10,
};

fn replicated(scenario: Scenario, threads: usize) -> Summary {
    let go_on = &mut |_: &trials::Progress| ControlFlow::Continue(());
    trials::replicate(&Arc::new(scenario), threads, go_on).summary
}

fn replications(scenario: Scenario) -> Replications {
    let replications = replicated(scenario, 1).replications;
    replications.expect("it was run more than once")
}

fn find<'r>(replications: &'r Replications, part: Part, name: &str) -> &'r Replicated {
    let mut measures = replications.measures.iter();
    let found = measures.find(|m| m.part == part && m.name == name);
    found.expect("it is measured")
}

fn covers(replicated: &Replicated, exact: f64) -> bool {
    let (low, high) = (
        replicated.low.expect("known"),
        replicated.high.expect("known"),
    );
    (low..=high).contains(&exact)
}

/// A thousand intervals, each from ten short runs: a share of 0.95 has a standard error of 0.007.
#[test]
fn intervals_at_95_percent_cover_the_exact_value_in_93_to_97_percent() {
    let in_system = 5.0 * (SHORT.mean_wait() + 1.0);
    let exact = [
        (Part::Headline, "response_mean", SHORT.mean_wait() + 1.0),
        (Part::Headline, "utilisation", 0.5),
        (Part::Headline, "completed", 250.0),
        (Part::Pool, "in_pool_mean", in_system),
    ];
    let mut covered = [0_u32; 4];
    for seed in 0..1000 {
        let mut scenario = short_queue(10);
        scenario.seed = Seed(seed);
        let replications = replications(scenario);
        for (count, (part, name, value)) in covered.iter_mut().zip(exact) {
            *count += u32::from(covers(find(&replications, part, name), value));
        }
    }
    for (count, (_, name, value)) in covered.into_iter().zip(exact) {
        println!("{name}: {count} of 1000 intervals cover {value}");
        assert!(
            (930..=970).contains(&count),
            "{name}: {count} of 1000 intervals cover {value}"
        );
    }
}

/// Runs the stopping rule on values of a law with mean 1; the share of final intervals that cover it, and
/// the mean number of values.
fn sequential(target: f64, draw: impl Fn(&mut Stream) -> f64, seed: u64) -> (f64, f64) {
    let (rounds, most) = (4000, 1000);
    let (mut covered, mut drawn) = (0_u32, 0);
    for round in 0..rounds {
        let mut stream = Seed(seed).stream("test", "sequential", round);
        let mut stopping = Stopping::new(target, most);
        let mut values = Vec::new();
        loop {
            values.resize_with(stopping.next_look() as usize, || draw(&mut stream));
            let interval = confidence_interval(&values, 0.95).expect("at least ten");
            if stopping.look(Some(interval.relative_half_width())) != Look::More {
                covered += u32::from((interval.mean - 1.0).abs() <= interval.half_width);
                break;
            }
        }
        drawn += values.len();
    }
    let rounds = rounds as f64;
    (f64::from(covered) / rounds, drawn as f64 / rounds)
}

/// The loss of coverage that looking costs. Of four thousand rounds 0.95 has a standard error of 0.0034.
#[test]
fn the_stopping_rule_covers_nearly_as_often_as_it_says() {
    let normal = |spread: f64| move |s: &mut Stream| 1.0 + spread * s.normal();
    // Skewed like a mean response time: log-normal with standard deviation 0.3.
    let sigma = libm::sqrt(libm::log(1.09));
    let skewed = move |s: &mut Stream| libm::exp(sigma * s.normal() - sigma * sigma / 2.0);
    let found = [
        ("normal, 10 %, to 5 %", sequential(0.05, normal(0.1), 1)),
        ("normal, 10 %, to 3 %", sequential(0.03, normal(0.1), 2)),
        ("normal, 30 %, to 10 %", sequential(0.10, normal(0.3), 3)),
        ("normal, 30 %, to 5 %", sequential(0.05, normal(0.3), 4)),
        ("log-normal, 30 %, to 10 %", sequential(0.10, skewed, 5)),
        ("log-normal, 30 %, to 5 %", sequential(0.05, skewed, 6)),
    ];
    for (what, (coverage, values)) in found {
        println!(
            "{what}: {:.1} % after {values:.0} replications",
            coverage * 100.0
        );
        assert!((0.92..=0.97).contains(&coverage), "{what}: {coverage}");
    }
}

/// The share of intervals that cover, when the simulator chooses the number of replications: of three
/// hundred rounds 0.95 has a standard error of 0.013.
#[test]
fn a_target_is_reached_and_covers() {
    let exact = SHORT.mean_wait() + 1.0;
    let (mut covered, mut counts) = (0, Vec::new());
    for seed in 0..300 {
        let mut scenario = short_queue(200);
        scenario.seed = Seed(1_000_000 + seed);
        scenario.runs.target = Some(Target {
            relative_half_width: 0.02,
            measures: &["response_mean"],
        });
        let replications = replications(scenario);
        let target = replications.target.as_ref().expect("it was asked for");
        assert!(
            target.reached && target.reached_half_width <= Some(0.02),
            "{target:?}"
        );
        let response = find(&replications, Part::Headline, "response_mean");
        covered += u32::from(covers(response, exact));
        counts.push(replications.count());
    }
    let least = counts.iter().min();
    println!(
        "{covered} of 300 cover, after {least:?} to {:?}",
        counts.iter().max()
    );
    assert!(least >= Some(&20), "two looks are taken at the least");
    assert!((272..=296).contains(&covered), "{covered} of 300");
}

/// Requests in an M/M/1 that starts empty, by second, averaged over many runs: arrivals at 0.5/s,
/// service at 1/s.
fn mean_queue(runs: u64, seconds: usize) -> Vec<f64> {
    let mut means = vec![0.0; seconds];
    for run in 0..runs {
        let mut stream = Seed(9).stream("test", "queue", run);
        let (mut clock, mut present) = (0.0, 0.0);
        while clock < seconds as f64 {
            let rate = if present > 0.0 { 1.5 } else { 0.5 };
            let until = (clock + stream.exponential() / rate).min(seconds as f64);
            let mut at = clock;
            while at < until {
                let second = at as usize;
                let end = until.min((second + 1) as f64);
                means[second.min(seconds - 1)] += present * (end - at) / runs as f64;
                at = end;
            }
            clock = until;
            present += if stream.chance(0.5 / rate) { 1.0 } else { -1.0 };
        }
    }
    means
}

/// What is left of the bias of an M/M/1 that starts empty, when MSER-5 has cut it.
#[test]
fn mser5_takes_most_of_the_bias_of_an_empty_start_away() {
    let queue = mean_queue(20_000, 200);
    let cut = meltpoint::stats::mser5(&queue).expect("long enough");
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let [with, without] = [mean(&queue), mean(&queue[cut.observations..])].map(|m| m - 1.0);
    println!(
        "bias {with:.4} of 1, {without:.4} after {} s",
        cut.observations
    );
    assert!(cut.trusted && cut.observations > 0, "{cut:?}");
    assert!(with < -0.01, "starting empty costs {with}");
    assert!(without.abs() < 0.6 * with.abs(), "{with} became {without}");
}

/// A thousand servers that start empty, nine in ten of them busy once they are warm.
fn cold_fleet() -> Scenario {
    let service = Law::Exponential { mean: 1.0 };
    let mut scenario = Scenario::textbook(900.0, service, 1000, 60.0);
    scenario.lookahead = SimDuration::from_s(0.1);
    scenario.warm_up_rule = WarmUpRule::Auto;
    scenario
}

#[test]
fn a_warm_up_that_is_found_is_left_out_and_told() {
    let summary = replicated(cold_fleet(), 1);
    // The fleet fills with 1 - exp(-t): 5 % are missing after 3 s, nothing that matters after 10 s.
    let found_s = summary.warm_up.seconds;
    assert!((2.0..=10.0).contains(&found_s), "{:?}", summary.warm_up);
    assert!(summary.warm_up.basis.starts_with("MSER-5 on 5 pilot runs"));
    let measured = summary.pools[0].in_pool_mean;
    assert!((measured - 900.0).abs() < 30.0, "{measured}");
    assert_eq!(summary.warnings, Vec::<String>::new());
    let mut stated = cold_fleet();
    stated.warm_up = SimDuration::from_s(found_s);
    stated.warm_up_rule = WarmUpRule::Stated;
    let again = replicated(stated, 1);
    assert_eq!(
        (&again.total, &again.pools),
        (&summary.total, &summary.pools)
    );
}

#[test]
fn without_a_steady_state_no_warm_up_is_found_and_it_is_said() {
    let mut scenario = cold_fleet();
    // Twice what one server can do: the queue grows to the end.
    let service = Law::Exponential { mean: 1.0 };
    scenario.pools = Scenario::textbook(900.0, service, 450, 60.0).pools;
    let summary = replicated(scenario, 1);
    assert_eq!(summary.warm_up.seconds, 0.0);
    assert_eq!(summary.warm_up.basis, "MSER-5 found no steady state");
    let warnings = summary.warnings.join("; ");
    assert!(warnings.contains("no warm-up was left out"), "{warnings}");
}

#[test]
fn threads_change_nothing_and_replication_0_is_the_single_run() {
    let mut scenario = cold_fleet();
    scenario.horizon = SimDuration::from_s(20.0);
    let single = replicated(scenario.clone(), 1);
    scenario.runs = Runs {
        replications: 40,
        target: Some(Target {
            relative_half_width: 0.005,
            measures: &["response_mean", "goodput"],
        }),
    };
    let one = replicated(scenario.clone(), 1);
    for threads in [2, 3, 64] {
        assert_eq!(
            one,
            replicated(scenario.clone(), threads),
            "{threads} threads"
        );
    }
    let replications = one.replications.clone().expect("there are many");
    assert_eq!(replications.seeds[0], single.seed);
    let first = find(&replications, Part::Headline, "response_mean").values[0];
    assert_eq!(first, single.total.response_s.mean);
    let rest = Summary {
        replications: None,
        warnings: single.warnings.clone(),
        ..one
    };
    assert_eq!(rest, single);
}

#[test]
fn a_target_out_of_reach_ends_at_the_limit_and_is_said() {
    let mut scenario = short_queue(12);
    scenario.runs.target = Some(Target {
        relative_half_width: 0.0001,
        measures: &["response_mean"],
    });
    let summary = replicated(scenario, 2);
    let replications = summary.replications.expect("there are many");
    let target = replications.target.as_ref().expect("it was asked for");
    assert_eq!((replications.count(), target.reached), (12, false));
    assert!(target.reached_half_width > Some(0.0001));
    let warnings = summary.warnings.join("; ");
    assert!(
        warnings.contains("the target was not reached: after 12 replications"),
        "{warnings}"
    );
}

#[test]
fn a_signal_leaves_the_replications_that_are_done() {
    let scenario = Arc::new(short_queue(50));
    for threads in [1, 3] {
        let trial = trials::replicate(
            &scenario,
            threads,
            &mut |progress| match progress.done >= 7 {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            },
        );
        // With several threads the first replication may be the last to end, and what comes after it is left out.
        let Some(replications) = trial.summary.replications else {
            assert!(threads > 1, "one thread had done seven");
            continue;
        };
        assert!(replications.stopped && !trial.summary.partial);
        assert!(
            (1..50).contains(&replications.count()),
            "{}",
            replications.count()
        );
        for (number, &seed) in replications.seeds.iter().enumerate() {
            assert_eq!(Seed(seed), scenario.seed.replication(number as u64));
        }
    }
    let at_once = &mut |_: &trials::Progress| ControlFlow::Break(());
    let summary = trials::replicate(&scenario, 2, at_once).summary;
    assert!(summary.partial && summary.replications.is_none());
}
