//! `meltpoint plan`: the answer, its formats, and what is refused.

use serde_json::Value as Json;

use crate::program::{HELLO, Room};

fn json(text: &str) -> Json {
    serde_json::from_str(text).expect("it is JSON")
}

#[test]
fn a_plan_finds_the_border_and_says_what_was_varied() {
    let room = Room::new();
    let plan = json(&room.done(&["plan", "hello", "--format", "json"]).out);
    assert_eq!(plan["vary"], "cluster.lab.replicas");
    assert_eq!(plan["why"], "the only cluster");
    assert_eq!(plan["answer"]["found"], "smallest");
    let value = plan["answer"]["value"].as_u64().expect("a number");
    // What the plan says is what the runs say, one by one.
    let kept = |replicas: u64| {
        let set = format!("cluster.lab.replicas={replicas}");
        room.done(&["simulate", "hello", "--set", &set, "--out", "r"]);
        room.result("r")["slos"][0]["kept"] == true
    };
    assert!(kept(value) && !kept(value - 1), "{value}");
    let fewest = plan["bound"]["value"].as_u64().expect("a number");
    assert!((1..=value).contains(&fewest));
    let rungs = plan["ladder"].as_array().expect("rungs");
    assert!(rungs.len() >= 4);
    assert!(
        rungs
            .windows(2)
            .all(|pair| { pair[0]["value"].as_u64() < pair[1]["value"].as_u64() })
    );
}

#[test]
fn a_plan_is_the_same_for_any_number_of_threads_in_every_format() {
    let room = Room::new();
    for format in ["table", "json", "csv", "md"] {
        let with = |threads: &str| {
            let arguments = ["plan", "hello", "--replications", "3", "--format", format];
            let threads = ["--threads", threads];
            room.done(&[&arguments[..], &threads].concat()).out
        };
        let one = with("1");
        assert_eq!(one, with("3"), "{format}");
        assert!(!one.contains("NaN") && !one.contains("inf"), "{one}");
    }
}

#[test]
fn the_csv_has_a_row_a_rung_and_the_table_the_marginal_columns() {
    let room = Room::new();
    let arguments = ["plan", "hello", "--replications", "3"];
    let csv = room
        .done(&[&arguments[..], &["--format", "csv"]].concat())
        .out;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().expect("a header").clone();
    for column in [
        "value",
        "fleet_gpus",
        "further_images",
        "reached_share[everyone]",
    ] {
        assert!(
            header.iter().any(|title| title == column),
            "{column} in {header:?}"
        );
    }
    assert!(reader.records().count() >= 4);
    let table = room.done(&arguments).out;
    assert!(
        table.starts_with("FOUND  cluster.lab.replicas = "),
        "{table}"
    );
    for part in [
        "What each step buys",
        "perfect system",
        "of 3",
        "iteration_time",
    ] {
        assert!(table.contains(part), "no {part} in {table}");
    }
}

#[test]
fn the_chunk_delivered_last_is_varied_from_none_on() {
    let room = Room::new();
    let arguments = [
        "plan",
        "hundred-k-chunk",
        "--scale",
        "0.0002",
        "--to",
        "200_000",
        "--format",
        "json",
    ];
    let ended = room.run(&arguments);
    let plan = json(&ended.out);
    assert_eq!(plan["vary"], "chunk.hundred-k.gpus");
    let first = &plan["ladder"][0];
    assert_eq!(
        (&first["what"], &first["value"]),
        (&"none".into(), &0.into())
    );
    // Quotas refuse what no GPU can give back.
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    assert_eq!(plan["answer"]["found"], "never");
    let binds = plan["binds"].as_array().expect("reasons");
    assert!(!binds.is_empty(), "{plan}");
    let sources = plan["inputs"].as_array().expect("inputs");
    let is_price = |input: &&Json| input["path"] == "chunk.hundred-k.price";
    let price = sources.iter().find(is_price).expect("its price");
    assert_eq!(price["provenance"], "published");
    // None costs less than any.
    let cost = |rung: &Json| rung["cost_usd"].as_f64().expect("a number");
    let last = plan["ladder"].as_array().and_then(|rungs| rungs.last());
    assert!(cost(first) < cost(last.expect("a rung")));
}

#[test]
fn another_number_of_the_scenario_can_be_varied() {
    let room = Room::new();
    let arguments = ["plan", "hello", "--vary", "policy.admission.queue_limit"];
    let set = [
        "--set",
        "slo.everyone.completed=\"70 %\"",
        "--set",
        "cluster.lab.replicas=5",
    ];
    let arguments = [&arguments[..], &set, &["--from", "1", "--format", "json"]].concat();
    let plan = json(&room.done(&arguments).out);
    assert_eq!(plan["vary"], "policy.admission.queue_limit");
    assert_eq!(plan["bound"], Json::Null, "a longer queue is no capacity");
}

#[test]
fn what_cannot_be_planned_is_refused() {
    let room = Room::with(&HELLO.replace("[slo.everyone]", "[unused.slo]"));
    room.refused(&["plan", "it.toml"], &["unused"]);
    let bare = HELLO.split("[slo.everyone]").next().expect("the rest");
    room.write("it.toml", bare);
    room.refused(&["plan", "it.toml"], &["promises nothing", "[slo.name]"]);
    let hello = |arguments: &[&'static str]| [&["plan", "hello"], arguments].concat();
    room.refused(
        &hello(&["--vary", "cluster.lab.replica"]),
        &["is no value", "did you mean `cluster.lab.replicas`"],
    );
    room.refused(
        &hello(&["--vary", "demand.visitors.curve"]),
        &["no whole number"],
    );
    room.refused(&hello(&["--from", "0"]), &["cannot be 0", "at least 1"]);
    room.refused(
        &hello(&["--from", "9", "--to", "8"]),
        &["no size", "from 9 to 8"],
    );
    room.refused(&hello(&["--to", "many"]), &["whole number"]);
    room.refused(&hello(&["--replications", "0"]), &["replications"]);
}

#[test]
fn a_range_without_a_solution_ends_with_3_and_says_what_binds() {
    let room = Room::new();
    let ended = room.run(&["plan", "hello", "--to", "2"]);
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    assert!(ended.out.starts_with("NOT FOUND"), "{}", ended.out);
    for part in ["What binds", "gave up waiting", "  most "] {
        assert!(ended.out.contains(part), "no {part} in {}", ended.out);
    }
}

#[test]
fn a_plan_over_the_budget_is_refused_before_anything_runs() {
    let room = Room::new();
    let ended = room.run(&["plan", "hundred-k-chunk"]);
    assert_eq!(ended.code, Some(4), "{}", ended.err);
    assert!(ended.err.contains("--yes"), "{}", ended.err);
    assert_eq!(ended.out, "");
}
