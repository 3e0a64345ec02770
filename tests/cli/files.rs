//! The result folder: written whole, replaced whole, and nothing of anybody else's touched.

use std::fs;

use crate::program::{HELLO, Room, assert_same};

#[test]
fn a_result_is_replaced_as_a_whole() {
    let room = Room::new();
    room.done(&["simulate", "hello", "--out", "r"]);
    room.done(&["simulate", "hello", "--seed", "2", "--out", "r"]);
    room.done(&["simulate", "hello", "--seed", "2", "--out", "fresh"]);
    assert_same(&room.files("r"), &room.files("fresh"), "a replaced result");
    assert_eq!(room.names(), ["fresh", "r"], "nothing is left beside it");
}

#[test]
fn a_refused_run_leaves_the_old_result() {
    let room = Room::new();
    room.done(&["simulate", "hello", "--out", "r"]);
    let before = room.files("r");
    room.refused(
        &[
            "simulate",
            "hello",
            "--set",
            "scenario.lasts=5",
            "--out",
            "r",
        ],
        &["lasts"],
    );
    assert_same(&before, &room.files("r"), "the old result");
}

#[test]
fn what_is_no_result_is_not_replaced() {
    let room = Room::new();
    fs::create_dir(room.path("photos")).expect("a folder");
    room.write("photos/cat.jpg", "a cat");
    room.write("letter", "dear");
    room.refused(
        &["simulate", "hello", "--out", "photos"],
        &["`photos` exists and is not a result folder"],
    );
    room.refused(
        &["simulate", "hello", "--out", "letter"],
        &["`letter` exists and is not a folder"],
    );
    assert!(room.path("photos/cat.jpg").is_file());
    fs::create_dir(room.path("empty")).expect("a folder");
    room.done(&["simulate", "hello", "--out", "empty"]);
}

#[test]
fn a_result_with_notes_of_the_user_is_not_replaced() {
    let room = Room::new();
    room.done(&["simulate", "hello", "--out", "r"]);
    room.write("r/notes.txt", "mine");
    let ended = room.run(&["simulate", "hello", "--out", "r"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("`r` holds `notes.txt`"), "{}", ended.err);
    assert!(room.path("r/notes.txt").is_file());
}

#[test]
fn a_folder_that_cannot_be_made_ends_with_4() {
    let room = Room::new();
    room.write("file", "");
    let ended = room.run(&["simulate", "hello", "--out", "file/r"]);
    assert_eq!(ended.code, Some(4), "{}", ended.err);
    assert!(ended.err.contains("`file`"), "{}", ended.err);
}

#[test]
fn without_a_name_the_result_goes_by_its_scenario() {
    let room = Room::with(HELLO);
    let ended = room.done(&["simulate", "it.toml"]);
    assert_eq!(room.names(), ["it.toml", "meltpoint-results"]);
    assert!(room.path("meltpoint-results/it/result.json").is_file());
    assert!(ended.err.contains("meltpoint-results/it"), "{}", ended.err);
}

#[test]
fn a_folder_that_is_no_result_is_not_reported() {
    let room = Room::new();
    fs::create_dir(room.path("r")).expect("a folder");
    room.refused(&["report", "r"], &["`r` is not a result folder"]);
    room.refused(&["compare", "r", "r"], &["`r` is not a result folder"]);
    room.write("r/result.json", "{}");
    room.refused(&["report", "r"], &["result.json", "run the scenario again"]);
    room.write("r/result.json", "{ \"schema_version\": 999 }");
    room.refused(&["report", "r"], &["999"]);
}

#[test]
fn init_writes_a_scenario_that_passes_its_check() {
    let room = Room::new();
    room.done(&["init"]);
    room.done(&["check", "scenario.toml"]);
    room.refused(&["init"], &["`scenario.toml` exists already"]);
    room.done(&["init", "mine.toml", "--from", "retry-storm"]);
    room.done(&["check", "mine.toml"]);
    room.refused(
        &["init", "other.toml", "--from", "nothing"],
        &["built-in scenarios: hello"],
    );
}
