//! One scenario and one seed give one result, wherever and however it is run.

use std::fs;

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
