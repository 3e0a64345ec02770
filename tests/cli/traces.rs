//! Traces that are short, torn or out of order.

use crate::program::{Ended, Room};

/// Replays a trace with this text.
fn replayed(room: &Room, text: &str, more: &[&str]) -> Ended {
    room.write("it.csv", text);
    let arguments = ["simulate", "--trace", "it.csv", "--out", "r"];
    room.run(&[&arguments, more].concat())
}

/// Replays it and expects so many requests.
#[track_caller]
fn offers(text: &str, more: &[&str], requests: u64) {
    let room = Room::new();
    let ended = replayed(&room, text, more);
    assert_eq!(ended.code, Some(0), "{text}: {}", ended.err);
    assert_eq!(room.result("r")["total"]["offered"], requests, "{text}");
}

/// Replays it and expects a message with these parts.
#[track_caller]
fn refuses(text: &str, parts: &[&str]) {
    let room = Room::new();
    let ended = replayed(&room, text, &[]);
    assert_eq!(ended.code, Some(2), "{text}: {}", ended.err);
    for part in parts {
        assert!(ended.err.contains(part), "no {part:?} in: {}", ended.err);
    }
    assert_eq!(room.names(), ["it.csv"]);
}

#[test]
fn unusual_tables_are_read_right() {
    // T01.
    offers("time\n0\n", &[], 1);
    offers("time\r\n0\r\n1\r\n", &[], 2);
    offers("time,note\n0,\"two\nlines\"\n1,one\n", &[], 2);
    offers("time;note\n0;a\n1;b\n", &[], 2);
    offers("when,note\n0,a\n", &["--columns", "time=when"], 1);
}

#[test]
fn a_table_that_cannot_be_read_is_refused_with_its_place() {
    // T01.
    refuses("", &["it.csv: the file is empty"]);
    refuses("time\n", &["it.csv: there is a header and no row"]);
    refuses(
        "when,what\n0,1\n",
        &["it.csv:1:", "say which column is the time"],
    );
    refuses("time,iterations\n0\n", &["it.csv:2"]);
    refuses(
        "time,iterations\n0,1\n1,x\n",
        &["it.csv:3:2: iterations is \"x\""],
    );
}

#[test]
fn a_time_that_is_none_is_refused_with_its_row() {
    // T02.
    for time in ["NaN", "inf", "-1", "soon", ""] {
        refuses(
            &format!("time,note\n0,a\n{time},b\n"),
            &["it.csv:3:1", "seconds"],
        );
    }
    refuses("time\n1700000000000\n", &["it.csv:2:1", "milliseconds"]);
}

#[test]
fn times_that_go_backwards_are_refused_unless_they_may() {
    // T02.
    refuses("time\n5\n3\n", &["it.csv:3:1", "before the row above"]);
    offers("time\n5\n3\n", &["--sort"], 2);
    offers("time\n1970-01-01 00:00:00\n1970-01-01 00:00:00\n", &[], 2);
}

#[test]
fn requests_at_one_instant_keep_the_order_of_their_rows() {
    // T02: one slot; the long request stands first, so that the short ones wait for it.
    let waits = |text: &str| {
        let room = Room::new();
        let sets = [
            "--set",
            "cluster.here.batch_limit=1",
            "--set",
            "chunk.node.gpus=4",
            "--format",
            "csv",
        ];
        let ended = replayed(&room, text, &sets);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        let wait = &room.result("r")["total"]["wait_s"];
        wait["mean"].as_f64().expect("a mean")
    };
    let first = waits("time,iterations\n0,2000\n0,10\n0,10\n");
    let last = waits("time,iterations\n0,10\n0,10\n0,2000\n");
    assert!(first > 10.0 * last, "{first} s, {last} s");
    assert_eq!(last, waits("time,iterations\n0,10\n0,10\n0,2000\n"));
}

#[test]
fn a_shorter_day_has_as_many_requests() {
    let text: String = (0..600).map(|second| format!("{second}\n")).collect();
    let text = format!("time\n{text}");
    offers(&text, &["--compress", "10"], 600);
    offers(&text, &["--rescale", "2.5"], 1500);
}
