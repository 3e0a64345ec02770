//! One scenario and one seed give one result, wherever and however it is run.

use std::fs;

use serde_json::Value as Json;

use crate::program::{HELLO, Room, assert_same, run_to_end};

/// Populations, tiers, regions, eight pools, retries, quotas: everything, and little of it.
const WEEK: [&str; 6] = [
    "simulate",
    "ghibli-week",
    "--scale=0.0005",
    "--set=scenario.lasts=3d",
    "--set=tier.free.open=true",
    "--out=r",
];

#[test]
fn the_number_of_threads_changes_no_byte() {
    // D01.
    let room = Room::new();
    let mut first = None;
    for threads in ["1", "2", "3", "8"] {
        room.done(&[&WEEK[..], &["--threads", threads]].concat());
        let files = room.files("r");
        let first = first.get_or_insert_with(|| files.clone());
        assert_same(first, &files, &format!("{threads} threads"));
    }
    let result = room.result("r");
    assert!(
        result["pools"]
            .as_array()
            .is_some_and(|pools| pools.len() > 2)
    );
    assert!(result["total"]["offered"].as_u64() > Some(10_000));
}

#[test]
fn every_seed_runs_and_tells_a_story_of_its_own() {
    // D03.
    let room = Room::new();
    let mut offered = Vec::new();
    for seed in ["0", "1", "9223372036854775808", "18446744073709551615"] {
        room.done(&["simulate", "hello", "--seed", seed, "--out", seed]);
        let result = room.result(seed);
        assert_eq!(result["seed"].to_string(), seed);
        offered.push(result["total"]["offered"].as_u64());
    }
    offered.sort_unstable();
    offered.dedup();
    assert_eq!(offered.len(), 4, "{offered:?}");
}

#[test]
fn another_tier_changes_no_arrival_of_the_others() {
    // D03. The newcomer's name sorts first, so that all indices move.
    let more = "
[tier.another]
client = \"visitor\"
[demand.another]
kind = \"rate\"
tier = \"another\"
work = \"image\"
rate = \"3 requests/s\"
";
    let room = Room::with(HELLO);
    room.done(&["simulate", "it.toml", "--out", "one"]);
    room.write("it.toml", format!("{HELLO}{more}"));
    room.done(&["simulate", "it.toml", "--out", "two"]);
    let arrivals = |result: &str| -> Vec<String> {
        let rows = room.table(result, "series.csv");
        rows.into_iter()
            .map(|row| row["offered_per_s[everyone]"].clone())
            .collect()
    };
    assert_eq!(arrivals("one").len(), 180);
    assert_eq!(arrivals("one"), arrivals("two"));
}

#[test]
fn language_time_zone_and_place_change_no_byte() {
    // D06.
    let scenario = [
        HELLO,
        "\n[[timeline]]\nat = \"10min\"\nwhat = \"ı and İ\"\n",
    ]
    .concat();
    let room = Room::with(&scenario);
    let arguments = ["simulate", "it.toml", "--out", "r"];
    let plain = room.done(&arguments);
    let files = room.files("r");
    for (name, value) in [
        ("LANG", "tr_TR.UTF-8"),
        ("LC_ALL", "de_DE.UTF-8"),
        ("LC_ALL", "C"),
        ("TZ", "Asia/Kathmandu"),
        ("HOME", "/nowhere"),
        ("TERM", "dumb"),
    ] {
        let ended = run_to_end(room.command(&arguments).env(name, value));
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert_eq!(ended.out, plain.out, "{name}={value}");
        assert_same(&files, &room.files("r"), &format!("{name}={value}"));
    }
    let nothing = run_to_end(room.command(&arguments).env_clear());
    assert_eq!(nothing.out, plain.out, "no environment at all");
    fs::create_dir(room.path("elsewhere")).expect("a folder");
    fs::copy(room.path("it.toml"), room.path("elsewhere/it.toml")).expect("a copy");
    let elsewhere = run_to_end(room.command(&arguments).current_dir(room.path("elsewhere")));
    assert_eq!(elsewhere.code, Some(0), "{}", elsewhere.err);
    assert_same(&files, &room.files("elsewhere/r"), "another folder");
}

#[test]
fn events_of_one_instant_have_one_order() {
    // D08: everything happens on whole seconds. The order of the tables in the file is no order.
    let tables = |first: &str, second: &str| {
        let mut text =
            String::from("[scenario]\nquestion = \"Who is first?\"\nlasts = \"10min\"\n");
        text +=
            "[region.here]\n[client.c]\npatience = \"2s\"\n[work.image]\nkind = \"diffusion\"\n";
        text +=
            "steps = 1\n[profile.gpu]\naccelerator = \"H100-SXM-80GB\"\nprovenance = \"assumed\"\n";
        text += "iteration_time = { 1 = \"1s\" }\n[cluster.one]\nregion = \"here\"\nprofile = \"gpu\"\n";
        text += "batch_limit = 1\nreplicas = 1\n";
        for tier in [first, second] {
            text += &format!("[tier.{tier}]\nclient = \"c\"\n[demand.{tier}]\nkind = \"rate\"\n");
            text += &format!("tier = \"{tier}\"\nwork = \"image\"\nrate = \"1 request/s\"\n");
            text += "process = \"even\"\n";
        }
        text
    };
    let room = Room::with(&tables("a", "b"));
    room.done(&["simulate", "it.toml", "--out", "ab"]);
    room.write("it.toml", tables("b", "a"));
    room.done(&["simulate", "it.toml", "--out", "ba"]);
    let (mut first, mut second) = (room.files("ab"), room.files("ba"));
    // It tells in which line each value stands.
    first.remove("result.json");
    second.remove("result.json");
    assert_same(&first, &second, "another order of the tables");
    let total = &room.result("ab")["total"];
    assert!(total["completed"].as_u64() > Some(500), "{total:#}");
    assert!(total["abandoned"].as_u64() > Some(500), "{total:#}");
}

#[test]
fn the_order_of_the_tables_is_no_order() {
    // D08, on a scenario with tables of every kind.
    let text = include_str!("../../scenarios/ghibli-week.toml");
    let starts = text.match_indices("\n[").map(|(at, _)| at + 1);
    let mut cuts: Vec<usize> = starts.collect();
    cuts.push(text.len());
    let tables: Vec<&str> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
    assert!(tables.len() > 40, "{} tables", tables.len());
    let mut turned = tables.clone();
    turned.reverse();
    let mut mixed = tables.clone();
    mixed.sort_by_key(|table| (table.len() * 7919) % 101);
    let room = Room::with(text);
    let week = |out: &str| {
        let out = format!("--out={out}");
        let mut arguments = WEEK.to_vec();
        (arguments[1], arguments[5]) = ("it.toml", &out);
        room.done(&arguments);
    };
    week("first");
    for (name, order) in [("turned", turned), ("mixed", mixed)] {
        assert_ne!(order, tables);
        room.write("it.toml", order.concat());
        week(name);
        let (mut first, mut second) = (room.files("first"), room.files(name));
        first.remove("result.json");
        second.remove("result.json");
        assert_same(&first, &second, name);
        let (first, second) = (room.result("first"), room.result(name));
        assert_eq!(without_places(first), without_places(second), "{name}");
    }
}

/// A result without what tells where in the file a value stands: its line, and the number of its entry.
fn without_places(mut result: Json) -> Json {
    let inputs = result["inputs"].as_array_mut().expect("a list");
    for input in inputs.iter_mut() {
        input["origin"] = Json::Null;
        let path = input["path"].as_str().expect("a path");
        if let Some(entry) = path.strip_prefix("timeline.") {
            let key = entry.trim_start_matches(|c: char| c.is_ascii_digit());
            input["path"] = format!("timeline{key}").into();
        }
    }
    inputs.sort_by_key(Json::to_string);
    result
}

/// Two halves of the world that have nothing to do with each other.
const HERE: &str = "
[scenario]
question = \"Who minds the others?\"
lasts = \"1h\"
lookahead = \"2s\"
[region.here]
[region.there]
[client.c]
patience = { law = \"exponential\", mean = \"20s\" }
[client.c.retry]
limit = 3
backoff = { law = \"exponential\", mean = \"5s\" }
jitter = 0.5
[work.image]
kind = \"autoregressive\"
tokens = { law = \"lognormal\", mean = 30, variation = 0.5 }
[profile.gpu]
accelerator = \"H100-SXM-80GB\"
provenance = \"assumed\"
iteration_time = { 1 = \"20ms\", 8 = \"50ms\" }
[cluster.one]
region = \"here\"
profile = \"gpu\"
batch_limit = 8
replicas = 2
[cluster.two]
region = \"there\"
profile = \"gpu\"
batch_limit = 8
replicas = 2
[policy]
routing = { kind = \"nearest\", spill_above = 1000000 }
[tier.m]
client = \"c\"
[demand.m]
kind = \"rate\"
tier = \"m\"
work = \"image\"
region = \"here\"
rate = \"12 requests/s\"
";

/// Classes before and after `m` by name, a promise and a fact. The first by name asks for the same work as
/// `m`: by its work the full rates of all pools are told.
const THERE: &str = "
[client.a]
patience = { law = \"exponential\", mean = \"2min\" }
[work.a]
kind = \"diffusion\"
steps = 20
[tier.a]
client = \"a\"
[demand.a]
kind = \"rate\"
tier = \"a\"
work = \"image\"
region = \"there\"
rate = \"9 requests/s\"
[tier.z]
client = \"c\"
[demand.z]
kind = \"population\"
tier = \"z\"
work = \"a\"
region = \"there\"
potential = \"2000 users\"
innovation = \"5/day\"
[slo.m]
tier = \"m\"
response_p99 = \"1min\"
enforce = false
[fact.images]
metric = \"images\"
published = \"40000 images\"
tolerance = \"5 %\"
used = \"predicted\"
source = \"a test\"
";

#[test]
fn classes_and_metrics_change_nothing_of_the_others() {
    // D03.
    let room = Room::with(HERE);
    room.done(&["simulate", "it.toml", "--out", "few"]);
    room.write("it.toml", format!("{HERE}{THERE}"));
    room.done(&["simulate", "it.toml", "--out", "many"]);
    let row = |result: &str, list: &str, name: &str| -> Json {
        let result = room.result(result);
        let mut rows = result[list].as_array().expect("a list").iter();
        let row = rows.find(|row| row["name"] == name || row["tier"] == name);
        row.expect("it is there").clone()
    };
    assert_eq!(row("few", "tiers", "m"), row("many", "tiers", "m"));
    assert_eq!(row("few", "pools", "one/1"), row("many", "pools", "one/1"));
    let of_m = |result: &str| -> Vec<Json> {
        let result = room.result(result);
        let columns = result["series"]["columns"].as_array().expect("a list");
        let own = columns.iter().filter(|column| column["tier"] == "m");
        own.cloned().collect()
    };
    assert!(of_m("few").len() > 5);
    assert_eq!(of_m("few"), of_m("many"));
    // They had something to do there, and here it was tight.
    let count = |result: &str, tier: &str, what: &str| row(result, "tiers", tier)[what].as_u64();
    assert!(count("many", "a", "completed") > Some(1000));
    assert!(count("many", "z", "completed") > Some(100));
    assert!(count("few", "m", "abandoned") > Some(100));
    assert!(count("few", "m", "attempts") > count("few", "m", "offered"));
}
