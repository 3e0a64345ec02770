//! An outage that tips a loaded fleet into a failure which outlasts it: the deterministic cases of the
//! file, as scenarios.
//!
//! The file's own program serves attempts of 1 / 300 s on one replica; each client waits for a second,
//! leaves without telling, and tries once more; from 60 s to 70 s the replica stands still. Our rules
//! differ from it in these points, each worth a few requests:
//!
//! - even arrivals come at k / rate with k from 1, there in steps that are added up;
//! - the request that runs when the outage begins starts again from zero at the end of the line;
//! - at one instant retries come before new requests, there after them; a retry therefore comes a
//!   microsecond late here, which matters because a retry meets a new request to the nanosecond. In
//!   `meta-dropstale` it decides everything, and there the rounding of added steps decides it: here
//!   retries come first in that case, as most do there, and only the outcome is compared;
//! - who is refused or dropped learns it at once, there only by his own timeout. Where attempts are
//!   refused (`meta-shed`) clients therefore wait for a second before they try again, after timeouts too.

use meltpoint::scenario::Scenario;
use serde_json::Value;

use crate::json::{number, numbers, text};
use crate::protocol;
use crate::questions::{Question, at_rate, at_rates, constant};

const HORIZON_S: f64 = 300.0;
/// The share by which a number may differ, for the reasons above; and so many requests.
const TOLERANCE: (f64, f64) = (0.002, 8.0);
/// By how much a retry comes after a new request of the same instant.
const AFTER_S: f64 = 1e-6;

/// What became of a run.
struct Outcome {
    users: f64,
    ok_total: f64,
    wasted: f64,
    attempts: f64,
    queue_end: f64,
    goodput_before: f64,
    goodput_last60: f64,
    attempts_per_s_last60: f64,
    recovered: bool,
}

/// Holds one case; what disagrees, in words.
pub(crate) fn hold(case: &Value) -> Vec<String> {
    let (id, params, expect) = (text(case, "id"), &case["params"], &case["expect"]);
    if id == "meta-critical" {
        return critical(params, expect);
    }
    let outcome = play(scenario(params, outage_s(params)));
    if expect["recovered"].as_bool() != Some(outcome.recovered) {
        return vec![format!("{id}: recovered {}", outcome.recovered)];
    }
    if id == "meta-dropstale" {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    let mut compare = |name: &str, found: f64| {
        let exact = number(expect, name);
        println!("{id} {name}: {found}, exactly {exact}");
        if (found - exact).abs() > TOLERANCE.0 * exact.abs() + TOLERANCE.1 {
            wrong.push(format!("{id} {name}: {found}, exactly {exact}"));
        }
    };
    compare("users", outcome.users);
    compare("ok_total", outcome.ok_total);
    compare("wasted", outcome.wasted);
    compare("attempts", outcome.attempts);
    compare("queue_end", outcome.queue_end);
    compare("goodput_before", outcome.goodput_before);
    compare("goodput_last60", outcome.goodput_last60);
    compare("attempts_per_s_last60", outcome.attempts_per_s_last60);
    wrong
}

/// How long an outage the system survives.
fn critical(params: &Value, expect: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (length, recovers) in expect.as_object().unwrap() {
        let until_s = 60.0 + length.parse::<f64>().unwrap();
        let recovered = play(scenario(params, [60.0, until_s])).recovered;
        println!("meta-critical {length} s: recovered {recovered}");
        if recovers.as_bool() != Some(recovered) {
            wrong.push(format!("meta-critical {length} s: recovered {recovered}"));
        }
    }
    wrong
}

/// From when to when the replica stands still.
fn outage_s(params: &Value) -> [f64; 2] {
    match params["o"].is_array() {
        true => [0, 1].map(|i| numbers(&params["o"])[i]),
        false => [60.0, 70.0],
    }
}

fn scenario(params: &Value, outage_s: [f64; 2]) -> Scenario {
    let rate = number(params, "lam");
    let mut question = Question::new(rate, &constant(1.0 / 300.0), 1, HORIZON_S);
    question.series_interval_s = 1.0;
    let refuses = params["shed"].as_u64();
    let drops_stale = params["drop_stale"].as_bool() == Some(true);
    let backoff_s = match () {
        () if drops_stale => 0.0,
        () if refuses.is_some() => 1.0 + AFTER_S,
        () => AFTER_S,
    };
    let retries = params["r"].as_u64().unwrap_or(1);
    question.client = format!(
        "patience = \"1s\"\nuntil = \"done\"\nsilent_share = 1\nretry = {{ limit = {retries}, backoff = {}, \
         factor = 1, jitter = 0 }}",
        constant(backoff_s)
    );
    if let Some(waiting) = refuses {
        question.policy += &format!("\nadmission.queue_limit = {waiting}");
    }
    if params["lifo"].as_bool() == Some(true) {
        question.policy += "\norder = \"lifo\"";
    }
    question.policy += match () {
        () if drops_stale => "\ndrop = \"stale\"",
        () if params["drop_hopeless"].as_bool() == Some(true) => "\ndrop = \"hopeless\"",
        () => "",
    };
    let [from_s, until_s] = outage_s;
    question.more = format!(
        "[[timeline]]\nat = {}\nwhat = \"the replica stands still\"\noutage = {{ cluster = \"lab\", lasts = {}, \
         running = \"requeued\" }}",
        constant(from_s),
        constant(until_s - from_s)
    );
    let demand = match params["load_drop"].is_array() {
        true => {
            let cut = numbers(&params["load_drop"]);
            at_rates(&[(0.0, rate), (cut[0], cut[2]), (cut[1], rate)])
        }
        false => at_rate(rate),
    };
    question.classes[0].demand = format!("{demand}\nprocess = \"even\"");
    question.scenario()
}

/// It has recovered if in the last minute nearly every request got its image in time.
fn play(scenario: Scenario) -> Outcome {
    let summary = protocol::summarise(scenario);
    let column = |name: &str| -> Vec<f64> {
        let column = summary.series.column(name, None).unwrap();
        column.values.iter().map(|value| value.unwrap()).collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (completed, attempts, waiting) =
        (column("completed"), column("admitted"), column("waiting"));
    let last = waiting.len() - 1;
    let offered = mean(&column("offered")[240..]);
    let goodput_last60 = mean(&completed[240..]);
    let tier = &summary.tiers[0];
    Outcome {
        users: tier.offered as f64,
        ok_total: tier.completed as f64,
        wasted: tier.wasted as f64,
        attempts: tier.attempts as f64,
        // Means of seconds, continued to the end of the last.
        queue_end: 1.5 * waiting[last] - 0.5 * waiting[last - 1],
        goodput_before: mean(&completed[30..60]),
        goodput_last60,
        attempts_per_s_last60: mean(&attempts[240..]),
        recovered: goodput_last60 > 0.95 * offered,
    }
}
