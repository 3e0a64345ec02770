//! Scenario files and flags that are wrong, strange or hostile.

use std::fs::File;
use std::process::Command;
use std::time::Duration;

use meltpoint::queueing::erlang_b;

use crate::program::{HELLO, Room, assert_same, path_exists, run_to_end, with_sets};

/// Nothing that is refused may take longer.
const AT_ONCE: Duration = Duration::from_secs(5);

/// What a terminal obeys, and what turns a line round.
fn obeyed(character: char) -> bool {
    character.is_control() && character != '\n' || ('\u{202a}'..='\u{202e}').contains(&character)
}

#[test]
fn a_number_that_is_none_is_refused_with_its_place() {
    // S01; every field of the language is tried in tests/language.rs.
    for (key, line) in [
        ("seed", "seed = 1 "),
        ("lasts", "lasts = \"30min\""),
        ("steps", "steps = 30 "),
        ("gpus_per_replica", "gpus_per_replica = 1 "),
        ("batch_limit", "batch_limit = 4 "),
        ("replicas", "replicas = 6 "),
        ("queue_limit", "queue_limit = 2000 "),
        ("completed", "completed = \"80 %\" "),
    ] {
        assert_eq!(HELLO.matches(line).count(), 1, "{line}");
        for word in ["nan", "inf", "-inf"] {
            let room = Room::with(&HELLO.replace(line, &format!("{key} = {word} ")));
            let number = HELLO.lines().position(|found| found.contains(line));
            let number = number.expect("it is there") + 1;
            let column = key.len() + 4;
            let place = format!("it.toml:{number}:{column}");
            room.refused(&["simulate", "it.toml", "--out", "r"], &[&place, key]);
        }
    }
}

#[test]
fn a_negative_number_is_refused_with_what_is_allowed() {
    // S02.
    let room = Room::new();
    for (set, allowed) in [
        (
            "demand.visitors.curve=[[\"0s\", \"-8 requests/s\"]]",
            "from 0 to",
        ),
        ("scenario.lasts=-5s", "from 1 ns to 100 years"),
        ("work.image.price=\"-1 USD/image\"", "from 0 to"),
        ("scenario.seed=-1", "from 0 to 18446744073709551615"),
    ] {
        room.refused(&["simulate", "hello", "--set", set], &[allowed]);
    }
    room.refused(
        &["simulate", "hello", "--seed", "-1"],
        &["from 0 to 18446744073709551615"],
    );
    room.refused(&["simulate", "hello", "--scale", "-1"], &["from 1e-9 to"]);
}

#[test]
fn what_would_overflow_is_refused() {
    // S03.
    let rate = "demand.visitors.curve=[[\"0s\", \"1e308 requests/s\"]]";
    let room = Room::new();
    room.refused(
        &[
            "simulate",
            "hello",
            "--set",
            rate,
            "--set",
            "scenario.lasts=1e308s",
        ],
        &["1e15"],
    );
    // Each of these is allowed; together they are too much to run.
    let (rate, lasts) = (
        "demand.visitors.curve=[[\"0s\", \"1e12 requests/s\"]]",
        "scenario.lasts=99 years",
    );
    let ended = room.run(&["simulate", "hello", "--set", rate, "--set", lasts]);
    assert!([Some(2), Some(4)].contains(&ended.code), "{}", ended.err);
    assert!(ended.took < AT_ONCE);
}

#[test]
fn what_is_below_the_tick_does_not_hang() {
    // S04.
    let room = Room::new();
    let time = "profile.gpu.iteration_time={ 1 = \"5e-324 s\" }";
    let ended = room.refused(&["simulate", "hello", "--set", time], &["iteration_time"]);
    assert!(ended.took < AT_ONCE);
    let rate = "demand.visitors.curve=[[\"0s\", \"1e-300 requests/s\"]]";
    let ended = room.done(&["simulate", "hello", "--set", rate, "--out", "r"]);
    assert!(ended.took < AT_ONCE);
    assert_eq!(room.result("r")["total"]["offered"], 0);
}

#[test]
fn line_ends_and_byte_order_marks_change_nothing() {
    // S07.
    let room = Room::with(HELLO);
    room.done(&["simulate", "it.toml", "--out", "plain"]);
    for text in [
        HELLO.replace('\n', "\r\n"),
        format!("\u{feff}{HELLO}"),
        HELLO.trim_end().to_owned(),
    ] {
        room.write("it.toml", text);
        room.done(&["simulate", "it.toml", "--out", "other"]);
        assert_same(
            &room.files("plain"),
            &room.files("other"),
            "another encoding",
        );
    }
}

#[test]
fn bytes_that_are_no_toml_are_refused_with_their_place() {
    // S07.
    let utf16: Vec<u8> = HELLO.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&[0xff, 0xfe], utf16.as_slice()].concat();
    let invalid = [b"# one\n# \xc3\xa9".as_slice(), &[0xff], HELLO.as_bytes()].concat();
    let twice = HELLO.replace("seed = 1 ", "seed = 1\nseed = 1 ");
    let redefined = format!("{HELLO}\n[scenario]\nseed = 2\n");
    for (bytes, parts) in [
        (utf16, ["it.toml:1:2", "not TOML"]),
        (marked, ["it.toml:1:1", "UTF-16"]),
        (invalid, ["it.toml:2:4", "not UTF-8"]),
        (b"seed = 1\0".to_vec(), ["it.toml:1:", "not TOML"]),
        (twice.into_bytes(), ["it.toml:11:1", "duplicate"]),
        (redefined.into_bytes(), ["it.toml:54:2", "duplicate"]),
    ] {
        let room = Room::new();
        room.write("it.toml", bytes);
        room.refused(&["check", "it.toml"], &parts);
    }
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    // S08.
    for text in [
        format!("a = {}", "[".repeat(20_000)),
        format!("{} = 1", ["a"; 20_000].join(".")),
        format!("a = {}1{}", "[".repeat(128), "]".repeat(128)),
        format!("a = {}1{}", "[".repeat(129), "]".repeat(129)),
    ] {
        let ended = Room::with(&text).refused(&["check", "it.toml"], &["it.toml:1:"]);
        assert!(ended.took < AT_ONCE);
    }
}

#[test]
fn a_file_without_a_scenario_is_refused() {
    // S09.
    for text in ["", "# only a comment\n"] {
        Room::with(text).refused(&["simulate", "it.toml"], &["`scenario.lasts` is missing"]);
    }
    let room = Room::new();
    room.refused(&["simulate", "."], &["is a folder"]);
    room.refused(&["simulate", "helo"], &["did you mean `hello`?"]);
}

#[test]
fn what_could_be_read_for_ever_is_not_read() {
    // S09.
    let room = Room::new();
    if path_exists("/dev/zero") {
        let ended = room.refused(&["simulate", "/dev/zero"], &["not a regular file"]);
        assert!(ended.took < AT_ONCE);
    }
    let made = Command::new("mkfifo").arg(room.path("pipe")).status();
    if made.is_ok_and(|status| status.success()) {
        for arguments in [
            ["simulate", "pipe"].as_slice(),
            &["simulate", "--trace", "pipe"],
            &["check", "pipe"],
        ] {
            let ended = room.refused(arguments, &["not a regular file"]);
            assert!(ended.took < AT_ONCE);
        }
    }
}

#[test]
fn a_file_of_a_gigabyte_is_refused_unread() {
    // S10: with 200 MB of address space the program could not hold it.
    let room = Room::new();
    let file = File::create(room.path("it.toml")).expect("a temporary file");
    file.set_len(1 << 30).expect("a sparse file");
    let ended = room.refused(&["check", "it.toml"], &["at most 16777216"]);
    assert!(ended.took < Duration::from_secs(1));
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -v 200000; exec \"$0\" check it.toml"]);
    limited
        .arg(env!("CARGO_BIN_EXE_meltpoint"))
        .current_dir(room.path(""));
    let ended = run_to_end(&mut limited);
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    assert!(ended.err.contains("at most 16777216"), "{}", ended.err);
}

#[test]
fn a_fleet_of_nothing_is_refused() {
    // S15.
    let room = Room::new();
    for (set, part) in [
        ("cluster.lab.replicas=0", "replicas"),
        ("profile.gpu.gpus_per_replica=0", "gpus_per_replica"),
        ("cluster.lab.batch_limit=0", "batch_limit"),
        ("client.visitor.patience=0s", "patience"),
        (
            "policy.batching={ kind = \"static\", minimum = 5, window = \"1s\" }",
            "minimum",
        ),
    ] {
        room.refused(&["simulate", "hello", "--set", set], &[part]);
    }
}

#[test]
fn a_queue_of_no_place_is_the_loss_system_of_erlang() {
    // S15: blocking in M/G/c/c depends on the mean service time alone.
    let room = Room::new();
    let sets = [
        "client.visitor.patience=forever",
        "policy.admission.queue_limit=0",
        "policy.batching=single",
        "cluster.lab.batch_limit=1",
        "demand.visitors.curve=[[\"0s\", \"8 requests/s\"]]",
        "scenario.lasts=5h",
    ];
    room.done(&with_sets(&["simulate", "hello", "--out", "r"], &sets));
    let total = &room.result("r")["total"];
    let count = |of: &serde_json::Value| of.as_f64().expect("a count");
    let offered = count(&total["offered"]);
    let blocked = count(&total["shed"]["queue_full"]) / offered;
    let expected = erlang_b(8.0 * 30.0 * 0.025, 6);
    // Blocked requests come in bunches: twice the error of independent ones, three times over.
    let error = 6.0 * (expected * (1.0 - expected) / offered).sqrt();
    assert!(
        (blocked - expected).abs() < error,
        "{blocked} is not {expected}"
    );
    assert_eq!(count(&total["abandoned"]), 0.0);
}

#[test]
fn an_overload_runs_to_its_end_and_is_doubted() {
    // S16.
    let room = Room::new();
    let overload = [
        "client.visitor.patience=forever",
        "demand.visitors.curve=[[\"0s\", \"20 requests/s\"]]",
        "policy.admission.queue_limit=none",
    ];
    let ended = room.done(&with_sets(&["simulate", "hello", "--out", "r"], &overload));
    assert!(
        ended.out.contains("unstable: more is offered"),
        "{}",
        ended.out
    );
    let result = room.result("r");
    assert!(
        result["warnings"][0]
            .as_str()
            .is_some_and(|text| text.starts_with("unstable"))
    );
    assert!(result["total"]["in_system"].as_u64() > Some(5000));
    let promise = "goodput = \"95 %\"\nwithin = \"1min\"\n";
    let promised = HELLO.replace("completed = \"80 %\"", promise);
    room.write(
        "it.toml",
        promised.replace("enforce = false", "enforce = true"),
    );
    let arguments = with_sets(&["simulate", "it.toml", "--out", "r"], &overload);
    let ended = room.run(&arguments);
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    assert!(ended.out.starts_with("MELTED"), "{}", ended.out);
}

#[test]
fn a_duration_without_a_clear_unit_is_answered_with_the_accepted_forms() {
    // S18.
    let room = Room::new();
    for text in ["\"5\"", "5 m", "5mo", "-5s", "1e400s", "P1Y"] {
        let set = format!("scenario.lasts={text}");
        room.refused(
            &["check", "hello", "--set", &set],
            &["accepted", "\"2h30m\"", "--set"],
        );
    }
}

#[test]
fn a_name_cannot_command_the_terminal() {
    // S20.
    let long = "x".repeat(10_000_000);
    for name in ["a\\nb", "\\u001b]0;x\\u0007", "a\\u202eb", &long] {
        for text in [
            HELLO.replace("[scenario]  ", &format!("[scenario]\nname = \"{name}\" ")),
            HELLO.replace("[region.here]", &format!("[region.\"{name}\"]")),
        ] {
            let ended = Room::with(&text).refused(&["simulate", "it.toml"], &["it.toml:"]);
            assert!(ended.err.len() < 20_000, "{} bytes", ended.err.len());
            assert!(!ended.err.contains(obeyed), "{:?}", ended.err);
        }
    }
}

#[cfg(unix)]
#[test]
fn the_name_of_a_file_cannot_command_the_terminal() {
    // S20.
    let room = Room::new();
    let name = "a\u{1b}]0;x\u{7}\u{202e}.toml";
    room.write(name, "x");
    let missing = format!("b{name}");
    for arguments in [
        ["check", name],
        ["check", &missing],
        ["report", name],
        ["init", name],
    ] {
        let ended = room.refused(&arguments, &["\\u{1b}"]);
        assert!(!ended.err.contains(obeyed), "{:?}", ended.err);
    }
    room.write(name, HELLO);
    let ended = room.done(&["simulate", name]);
    assert!(!ended.out.contains(obeyed), "{:?}", ended.out);
    assert!(!ended.err.contains(obeyed), "{:?}", ended.err);
    let results = Room::entries(&room.path("meltpoint-results"));
    let [result] = results.as_slice() else {
        panic!("one result: {results:?}");
    };
    for (file, bytes) in room.files(&format!("meltpoint-results/{result}")) {
        if file.ends_with(".csv") || file.ends_with(".md") || file.ends_with(".svg") {
            let text = String::from_utf8(bytes).expect("text");
            assert!(!text.contains(obeyed), "{file}");
        }
    }
}

#[test]
fn a_wrong_flag_is_named() {
    // S21.
    let room = Room::new();
    for set in [
        "a.b.c=1",
        "tier.everyone.open=yes",
        "=",
        "tier.everyone.open=",
    ] {
        room.refused(
            &["simulate", "hello", "--set", set],
            &[&format!("--set {set}")],
        );
    }
    room.refused(&["simulate", "hello", "--threads", "0"], &["--threads"]);
    room.refused(&["simulate", "hello", "--compress", "2"], &["--trace"]);
}

#[test]
fn the_last_flag_wins_and_equals_an_edit() {
    // S21. Where a value was set is part of the result; what came of it is the same.
    let room = Room::with(HELLO);
    let sets = ["cluster.lab.replicas=9", "cluster.lab.replicas=7"];
    room.done(&with_sets(
        &["simulate", "it.toml", "--out", "flags"],
        &sets,
    ));
    room.write("it.toml", HELLO.replace("replicas = 6 ", "replicas = 7 "));
    room.done(&["simulate", "it.toml", "--out", "edited"]);
    let (mut flags, mut edited) = (room.files("flags"), room.files("edited"));
    flags.remove("result.json");
    edited.remove("result.json");
    assert_same(&flags, &edited, "a flag and an edit");
}

#[test]
fn ten_thousand_flags_are_read() {
    // S21.
    let sets: Vec<String> = (0..10_000)
        .map(|n| format!("--set=scenario.seed={n}"))
        .collect();
    let arguments: Vec<&str> = ["simulate", "hello", "--out", "r"]
        .into_iter()
        .chain(sets.iter().map(String::as_str))
        .collect();
    let room = Room::new();
    room.done(&arguments);
    assert_eq!(room.result("r")["seed"], 9999);
}
