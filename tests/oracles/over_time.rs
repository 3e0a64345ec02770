//! Cases whose numbers belong to instants: how many are in the system, how many have come.

use std::sync::Arc;

use meltpoint::scenario::Scenario;
use meltpoint::sim::Simulation;
use meltpoint::units::SimTime;
use serde_json::Value;

use crate::json::{number, text};
use crate::protocol::{self, Measured};
use crate::questions::{Class, Question, at_rates, constant, exponential, law};

/// Infinitely many servers: the number in the system is a Poisson variable whose mean is proportional
/// to the rate, so the rate is taken so many times larger and the number divided by it.
const CROWD: f64 = 50.0;
/// Replicas that are never all busy at `CROWD`.
const PLENTY: u32 = 40_000;
/// Seconds in one unit of time of the Bass case, so that the lookahead of a second is short.
const UNIT_S: f64 = 1000.0;

/// A scenario, the instants to look at it, and what is seen there.
struct Film {
    variant: &'static str,
    scenario: Scenario,
    /// Name of the number, its exact value, and when it is read, in seconds; the mean of all times.
    numbers: Vec<(String, f64, Vec<f64>)>,
    read: fn(&Simulation) -> f64,
    divided_by: f64,
    slack: f64,
}

/// Runs a case and reads its numbers; the half width reaches `within`.
pub(crate) fn measure(case: &Value, within: f64) -> Vec<Measured> {
    let mut measured = Vec::new();
    for film in films(case) {
        let replications = protocol::replicate(&film.scenario, |scenario| play(scenario, &film));
        for (index, (number, exact, _)) in film.numbers.iter().enumerate() {
            measured.push(Measured {
                what: format!("{} {} {number}", text(case, "id"), film.variant),
                exact: *exact,
                values: replications.iter().map(|run| run[index]).collect(),
                within,
                slack: film.slack,
            });
        }
    }
    measured
}

/// One replication: the numbers of the film, each averaged over the times at which it is read.
fn play(scenario: Scenario, film: &Film) -> Vec<f64> {
    let scenario = Arc::new(scenario);
    let mut simulation = Simulation::new(&scenario, false);
    let mut looks: Vec<(SimTime, usize)> = Vec::new();
    for (index, (_, _, times)) in film.numbers.iter().enumerate() {
        looks.extend(times.iter().map(|&t| (SimTime::from_s(t), index)));
    }
    looks.sort_unstable();
    let mut sums = vec![0.0; film.numbers.len()];
    for (at, index) in looks {
        while simulation.clock() < at {
            simulation.advance(at);
            simulation.assert_ledger();
        }
        sums[index] += (film.read)(&simulation) / film.divided_by;
    }
    simulation.assert_invariants();
    let count = |index: usize| film.numbers[index].2.len() as f64;
    sums.iter()
        .enumerate()
        .map(|(index, sum)| sum / count(index))
        .collect()
}

fn in_system(simulation: &Simulation) -> f64 {
    let levels = simulation
        .pools()
        .map(|(_, levels, _)| levels.waiting + levels.running);
    levels.sum::<u64>() as f64
}

fn films(case: &Value) -> Vec<Film> {
    let (params, expect) = (&case["params"], &case["expect"]);
    match text(case, "id") {
        "mginf" => empty_start(params, expect),
        "mtginf-surge" => vec![surge_of_many(params, expect)],
        "mtmc-surge" => vec![surge_of_25(params, expect)],
        "bass" => vec![bass(params, expect)],
        _ => vec![cycle(params, expect)],
    }
}

/// From an empty system.
fn empty_start(params: &Value, expect: &Value) -> Vec<Film> {
    let mean = number(params, "service_mean");
    let film = |variant, service: String, numbers: &[(&str, f64)]| {
        let rate = number(params, "lam") * CROWD;
        let read = |&(name, t): &(&str, f64)| (name.to_owned(), number(expect, name), vec![t]);
        Film {
            variant,
            scenario: Question::new(rate, &service, PLENTY, 10.0).scenario(),
            numbers: numbers.iter().map(read).collect(),
            read: in_system,
            divided_by: CROWD,
            slack: 0.0,
        }
    };
    vec![
        film(
            "exponential",
            exponential(mean),
            &[("transient_exp_t1", 1.0), ("transient_exp_t5", 5.0)],
        ),
        film("constant", constant(mean), &[("transient_det_t1", 1.0)]),
    ]
}

/// A rate with a cycle; four cycles are let pass, so that the start is forgotten.
fn cycle(params: &Value, expect: &Value) -> Film {
    let (level, period) = (number(params, "l0"), number(params, "period"));
    let start = 4.0 * period;
    let service = law(&params["service"], "s");
    let mut question = Question::new(level * CROWD, &service, PLENTY, start + period);
    // A sine is a cosine whose maximum comes after a quarter.
    question.classes[0].demand += &format!(
        "\nrhythm = {{ amplitude = {:e}, peak = {}, period = {} }}",
        number(params, "amp") / level,
        constant(period / 4.0),
        constant(period)
    );
    let scenario = question.scenario();
    Film {
        variant: "",
        scenario,
        numbers: by_time(&expect["m"], |t| vec![start + t]),
        read: in_system,
        divided_by: CROWD,
        slack: 0.0,
    }
}

/// The numbers of an object whose keys are times.
fn by_time(expected: &Value, when: impl Fn(f64) -> Vec<f64>) -> Vec<(String, f64, Vec<f64>)> {
    let number = |(key, value): (&String, &Value)| {
        let value = value.as_f64().or(value["mean_L"].as_f64()).unwrap();
        (key.clone(), value, when(key.parse().unwrap()))
    };
    expected.as_object().unwrap().iter().map(number).collect()
}

/// A surge of one unit of time, twenty mean services after the start.
fn surge_of_many(params: &Value, expect: &Value) -> Film {
    let start = 10.0;
    let (level, high) = (number(params, "l0") * CROWD, number(params, "l1") * CROWD);
    let service = law(&params["service"], "s");
    let mut question = Question::new(level, &service, PLENTY, start + 5.0);
    question.classes[0].demand = at_rates(&[(0.0, level), (start, high), (start + 1.0, level)]);
    let scenario = question.scenario();
    Film {
        variant: "",
        scenario,
        numbers: by_time(&expect["m"], |t| vec![start + t]),
        read: in_system,
        divided_by: CROWD,
        slack: 0.0,
    }
}

/// A surge of two units of time, again and again: each time the system has long been steady again, so
/// one run gives many independent surges.
fn surge_of_25(params: &Value, expect: &Value) -> Film {
    const SURGES: usize = 320;
    const APART: f64 = 60.0;
    let (low, high) = (number(params, "lam_before"), number(params, "lam_surge"));
    let starts: Vec<f64> = (1..=SURGES).map(|k| k as f64 * APART).collect();
    let horizon_s = (SURGES + 1) as f64 * APART;
    let servers = number(params, "c") as u32;
    let mut question = Question::new(low, &exponential(1.0), servers, horizon_s);
    let surges = starts.iter().flat_map(|&t| [(t, high), (t + 2.0, low)]);
    let points: Vec<(f64, f64)> = [(0.0, low)].into_iter().chain(surges).collect();
    question.classes[0].demand = at_rates(&points);
    let scenario = question.scenario();
    Film {
        variant: "",
        scenario,
        numbers: by_time(expect, |t| starts.iter().map(|start| start + t).collect()),
        read: in_system,
        divided_by: 1.0,
        slack: 0.0,
    }
}

/// Each of the people who come makes one image, which is delivered at once and seen for ever: the
/// images that are being seen are the people who have come, as the model has it. The program hears of
/// an image up to a lookahead later, and a chance process is a little behind its fluid limit at the
/// start, both together under 1 %.
fn bass(params: &Value, expect: &Value) -> Film {
    let people = 50_000.0;
    let mut question = Question::new(1.0, "", 1000, 20.0 * UNIT_S);
    question.lookahead_s = 1.0;
    question.classes = vec![Class {
        demand: format!(
            "kind = \"population\"\npotential = \"{people} people\"\ninnovation = \"{:e}/s\"\nimitation = \
             \"{:e}/s\"",
            number(params, "p") / UNIT_S,
            number(params, "q") / UNIT_S
        ),
        work: format!("kind = \"service\"\nservice = {}", constant(0.001)),
    }];
    let scenario = question.scenario();
    let cumulated = |t: f64| {
        let exact = number(&expect[format!("t{t}")], "cum");
        (format!("t{t}/cum"), exact, vec![t * UNIT_S])
    };
    Film {
        variant: "",
        scenario,
        numbers: [1.0, 2.0, 5.0, 10.0, 20.0].map(cumulated).into(),
        read: |simulation| simulation.tiers()[0].served_users as f64,
        divided_by: people / number(params, "m"),
        slack: 0.01,
    }
}
