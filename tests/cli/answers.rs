//! What a run answers: on stdout, in the files, and again later.

use serde_json::Value as Json;

use crate::program::{Room, with_sets};

/// A run with tiers, money and facts.
const WEEK: [&str; 5] = [
    "simulate",
    "ghibli-week",
    "--scale=0.0005",
    "--set=scenario.lasts=2d",
    "--out=week",
];

/// Sums in whole cents.
fn cents(usd: f64) -> i64 {
    (usd * 100.0).round() as i64
}

#[test]
fn stdout_holds_the_result_and_nothing_else() {
    let room = Room::new();
    let arguments = ["simulate", "hello", "--out", "r", "--format"];
    let run = |format: &'static str| room.done(&[&arguments[..], &[format]].concat());
    let json = run("json");
    assert_eq!(json.out.as_bytes(), room.files("r")["result.json"]);
    assert!(json.err.contains("requests in"), "{}", json.err);
    let csv = run("csv");
    let mut reader = csv::Reader::from_reader(csv.out.as_bytes());
    let header: Vec<String> = reader
        .headers()
        .expect("a header")
        .iter()
        .map(Into::into)
        .collect();
    assert_eq!(header, ["name", "value", "unit"]);
    assert!(reader.records().all(|record| record.is_ok()));
    assert!(run("md").out.starts_with("# hello\n"));
    assert!(run("table").out.starts_with("HELD"));
}

#[test]
fn a_report_is_what_the_run_printed() {
    let room = Room::new();
    for format in ["table", "json", "csv", "md"] {
        let run = room.done(&[&WEEK[..], &["--format", format]].concat());
        let report = room.done(&["report", "week", "--format", format]);
        assert_eq!(run.out, report.out, "{format}");
    }
}

#[test]
fn a_run_compared_with_itself_is_the_same() {
    let room = Room::new();
    room.done(&["simulate", "hello", "--out", "r"]);
    let ended = room.done(&["compare", "r", "r", "--format", "csv"]);
    let mut rows = csv::Reader::from_reader(ended.out.as_bytes());
    for row in rows.records().map(|row| row.expect("a row")) {
        let difference = &row[6];
        assert!(["", "0"].contains(&difference), "{row:?}");
    }
    let table = room.done(&["compare", "r", "r"]).out;
    assert!(table.contains("same") && !table.contains('+'), "{table}");
}

#[test]
fn two_runs_compared_tell_their_difference() {
    let room = Room::new();
    room.done(&["simulate", "hello", "--out", "six"]);
    let nine = ["cluster.lab.replicas=9"];
    room.done(&with_sets(&["simulate", "hello", "--out", "nine"], &nine));
    let ended = room.done(&["compare", "six", "nine", "--format", "json"]);
    let comparison: Json = serde_json::from_str(&ended.out).expect("it is JSON");
    let headline = comparison["headline"].as_array().expect("rows");
    let abandoned = headline.iter().find(|row| row["name"] == "abandoned");
    let difference = abandoned.and_then(|row| row["difference"].as_f64());
    assert!(difference < Some(-500.0), "{difference:?}");
}

#[test]
fn parts_add_up_to_the_cent() {
    // N04.
    let room = Room::new();
    let ended = room.done(&WEEK);
    let money = &room.result("week")["money"];
    let rows = room.table("week", "money.csv");
    for (lines, total, side) in [
        ("costs", "cost_total_usd", "cost"),
        ("income", "income_total_usd", "income"),
    ] {
        let lines = money[lines].as_array().expect("lines of the bill");
        let parts = lines
            .iter()
            .map(|line| line["usd"].as_f64().expect("dollars"));
        let parts: Vec<f64> = parts.collect();
        let whole = |usd: &f64| usd.is_sign_positive() && cents(*usd) as f64 / 100.0 == *usd;
        assert!(parts.iter().all(whole), "{parts:?}");
        let sum: i64 = parts.iter().map(|usd| cents(*usd)).sum();
        let total = money[total].as_f64().expect("a total");
        assert_eq!(sum, cents(total), "{side} in JSON");
        assert!(sum > 0, "{side} is something");
        let listed = rows.iter().filter(|row| row["side"] == side);
        let amounts = listed.map(|row| row["amount_usd"].parse::<f64>().expect("dollars"));
        assert_eq!(amounts.map(cents).sum::<i64>(), sum, "{side} in CSV");
        let grouped = grouped(total);
        assert!(
            ended.out.contains(&grouped),
            "no {grouped} in {}",
            ended.out
        );
    }
    let files = room.files("week");
    for name in ["result.json", "money.csv", "series.csv", "tiers.csv"] {
        let text = String::from_utf8(files[name].clone()).expect("text");
        assert!(
            !text.contains("-0,") && !text.contains("-0.0,"),
            "{name} has a minus zero"
        );
    }
}

/// Dollars as the table writes them: `2 016.00`.
fn grouped(usd: f64) -> String {
    let text = format!("{usd:.2}");
    let (whole, rest) = text.split_at(text.len() - 3);
    let mut shown = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            shown.push(' ');
        }
        shown.push(digit);
    }
    shown + rest
}

#[test]
fn the_series_ends_where_the_totals_are() {
    let room = Room::new();
    room.done(&WEEK);
    let result = room.result("week");
    let rows = room.table("week", "series.csv");
    let last = rows.last().expect("a last interval");
    let cost: f64 = last["cost_usd"].parse().expect("dollars");
    let total = result["money"]["cost_total_usd"].as_f64().expect("a total");
    assert_eq!(cents(cost), cents(total));
    let images: f64 = last["images"].parse().expect("a count");
    assert_eq!(Some(images), result["total"]["completed"].as_f64());
}

#[test]
fn config_show_tells_every_value_with_its_origin() {
    let room = Room::new();
    let set = ["tier.everyone.priority=2"];
    let arguments = with_sets(&["config", "show", "hello", "--format", "json"], &set);
    let shown: Json = serde_json::from_str(&room.done(&arguments).out).expect("it is JSON");
    let inputs = shown.as_array().expect("a list");
    let of = |path: &str| {
        inputs
            .iter()
            .find(|input| input["path"] == path)
            .expect("the path")
    };
    assert_eq!(of("tier.everyone.priority")["origin"], "--set");
    assert_eq!(of("work.image.steps")["origin"], "hello:22");
    assert_eq!(of("policy.dispatch")["origin"], "default");
}
