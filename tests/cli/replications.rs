//! Many runs of one scenario, and two scenarios beside each other.

use serde_json::Value as Json;

use crate::program::{Room, assert_same};

const MORE: &str = "extends = \"hello\"\n[cluster.lab]\nreplicas = 7\n";

#[test]
fn replications_are_the_same_for_any_number_of_threads() {
    let room = Room::new();
    let run = |threads: &str, out: &str| {
        let arguments = [
            "simulate",
            "hello",
            "--replications",
            "7",
            "--threads",
            threads,
        ];
        room.done(&[&arguments[..], &["--out", out]].concat())
    };
    let one = run("1", "one");
    let three = run("3", "three");
    assert_eq!(one.out, three.out);
    assert_same(&room.files("one"), &room.files("three"), "1 and 3 threads");
    assert!(one.err.contains("7 replications, "), "{}", one.err);
    assert_eq!(room.table("one", "replications.csv").len(), 7);
    let intervals = room.table("one", "intervals.csv");
    let mean = intervals.iter().find(|row| row["name"] == "response_mean");
    let number = |column: &str| -> f64 { mean.expect("a row")[column].parse().expect("a number") };
    assert!(number("low") < number("mean") && number("mean") < number("high"));
    let report = room.done(&["report", "one"]);
    assert_eq!(report.out, one.out);
    assert!(
        one.out.contains("7 independent replications"),
        "{}",
        one.out
    );
}

#[test]
fn replication_0_is_the_run_that_it_was() {
    let room = Room::new();
    room.done(&["simulate", "hello", "--out", "single"]);
    room.done(&["simulate", "hello", "--replications", "3", "--out", "many"]);
    let (single, many) = (room.files("single"), room.files("many"));
    for name in [
        "series.csv",
        "tiers.parquet",
        "pools.csv",
        "figures/demand.svg",
    ] {
        assert_eq!(single[name], many[name], "{name}");
    }
    let result = room.result("many");
    assert_eq!(result["replications"]["seeds"][0], result["seed"]);
    assert_eq!(room.result("single").get("replications"), None);
}

#[test]
fn a_result_with_replications_follows_its_schema() {
    let room = Room::new();
    room.done(&["simulate", "hello", "--target-ci", "5%", "--out", "r"]);
    let schema: Json = serde_json::from_str(&room.done(&["schema", "result"]).out).expect("JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let result = room.result("r");
    assert!(validator.is_valid(&result));
    let target = &result["replications"]["target"];
    assert_eq!(target["reached"], true, "{target:#}");
    assert!(target["reached_half_width"].as_f64() <= Some(0.05));
    let count = result["replications"]["seeds"].as_array().map(Vec::len);
    assert!(count >= Some(20), "{count:?}");
}

#[test]
fn numbers_of_runs_that_make_no_sense_are_refused() {
    let room = Room::new();
    for (flags, parts) in [
        (
            ["--replications", "0"].as_slice(),
            ["--replications", "from 1 to 10000"],
        ),
        (
            &["--replications", "-3"],
            ["--replications", "from 1 to 10000"],
        ),
        (
            &["--replications", "1.5"],
            ["--replications", "whole number"],
        ),
        (
            &["--replications", "many"],
            ["--replications", "whole number"],
        ),
        (&["--replications", ""], ["--replications", "no value"]),
        (&["--target-ci", "0"], ["--target-ci", "from 0.0001 to 0.5"]),
        (
            &["--target-ci", "-1%"],
            ["--target-ci", "from 0.0001 to 0.5"],
        ),
        (
            &["--target-ci", "nan"],
            ["--target-ci", "from 0.0001 to 0.5"],
        ),
        (&["--target-ci", "tight"], ["--target-ci", "\"1 %\""]),
        (
            &["--target-ci", "1e400%"],
            ["--target-ci", "from 0.0001 to 0.5"],
        ),
        (
            &["--target-metric", "goodput"],
            ["--target-metric", "needs `target_ci`"],
        ),
        (
            &["--target-ci", "1%", "--target-metric", "respons_mean"],
            ["--target-metric", "did you mean `response_mean`?"],
        ),
        (
            &["--target-ci", "1%", "--replications", "9"],
            ["--replications", "at least 10"],
        ),
    ] {
        room.refused(&[&["simulate", "hello"], flags].concat(), &parts);
    }
}

#[test]
fn replications_count_for_the_limit() {
    let room = Room::new();
    let arguments = [
        "simulate",
        "ghibli-week",
        "--scale=0.1",
        "--replications=1000",
    ];
    let ended = room.run(&arguments);
    assert_eq!(ended.code, Some(4), "{}", ended.err);
    assert!(
        ended.err.contains("1000 replications are estimated at"),
        "{}",
        ended.err
    );
    assert!(room.names().is_empty());
}

#[test]
fn two_scenarios_are_compared_on_common_random_numbers() {
    let room = Room::new();
    room.write("more.toml", MORE);
    let arguments = [
        "compare",
        "hello",
        "more.toml",
        "--replications",
        "10",
        "--format",
        "json",
    ];
    let ended = room.done(&arguments);
    let comparison: Json = serde_json::from_str(&ended.out).expect("it is JSON");
    assert_eq!(comparison["method"], "paired-t");
    let rows = comparison["headline"].as_array().expect("rows");
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).expect("a row");
    // The same users come to both.
    assert_eq!(row("offered")["finding"], "identical");
    let abandoned = row("abandoned");
    assert_eq!(abandoned["finding"], "differs");
    assert!(abandoned["high"].as_f64() < Some(0.0), "{abandoned:#}");
    assert!(
        abandoned["variance_saved"].as_f64() > Some(0.5),
        "{abandoned:#}"
    );
    assert!(room.names() == ["more.toml"], "a comparison writes nothing");
}

#[test]
fn nothing_is_made_of_chance() {
    let room = Room::new();
    let run = |seed: &str| {
        room.done(&[
            "simulate",
            "hello",
            "--replications=10",
            "--seed",
            seed,
            "--out",
            seed,
        ]);
    };
    run("1");
    run("2");
    let other = room.done(&["compare", "1", "2"]).out;
    assert!(other.contains("\nno difference: "), "{other}");
    assert!(other.contains("different seeds, Welch's t"), "{other}");
    let same = room
        .done(&["compare", "1", "hello", "--replications=10"])
        .out;
    assert!(same.contains("\nidentical: all "), "{same}");
    room.done(&["simulate", "hello", "--out", "single"]);
    let single = room.done(&["compare", "single", "2"]).out;
    assert!(single.contains("a single run"), "{single}");
}

#[test]
fn what_was_run_before_cannot_be_run_otherwise() {
    let room = Room::new();
    room.done(&["simulate", "hello", "--out", "r"]);
    room.refused(
        &["compare", "r", "r", "--replications", "5"],
        &["both sides are results", "name scenarios instead"],
    );
    room.refused(&["compare", "r", "helo"], &["did you mean `hello`?"]);
}
