//! `--autotune` and `--tiles`: what is found is kept, used again, and refused when it does not hold.

use std::fs;

use meltpoint::profile::MeasuredProfile;
use meltpoint::profile::measured::TilesBy;
use meltpoint::profile::read_measured;

use crate::Test;
use crate::program::{Ended, Room, run_to_end};

pub(crate) const TESTS: [Test; 3] = [
    ("tuned_tiles_are_kept_and_used_again", kept),
    (
        "a_damaged_list_of_tiles_is_told_once_and_made_anew",
        damaged,
    ),
    ("a_file_that_is_no_list_of_tiles_is_not_touched", foreign),
];

fn measured(room: &Room, more: &[&str]) -> (Ended, MeasuredProfile) {
    let usual = [
        "measure",
        "--quick",
        "--model=tiny-tokens",
        "--resolution=64",
        "--batches=1",
        "--out=mine.json",
    ];
    let mut command = room.command(&[&usual, more].concat());
    // What the user has kept is none of a test's business.
    let ended = run_to_end(command.env("XDG_CACHE_HOME", room.path("caches")));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let text = fs::read_to_string(room.path("mine.json")).expect("it was written");
    (ended, read_measured(&text).expect("it can be read"))
}

fn count(profile: &MeasuredProfile, by: TilesBy) -> usize {
    let tiles = profile.workload.tiles.iter();
    tiles.filter(|tiles| tiles.by == by).count()
}

fn kept() {
    let room = Room::new();
    let (ended, profile) = measured(&room, &["--autotune"]);
    let found = count(&profile, TilesBy::Search);
    assert!(found > 0, "{:?}", profile.workload.tiles);
    assert!(
        ended.err.contains("products were tuned in"),
        "{}",
        ended.err
    );
    let kept = room.path("caches").join("meltpoint").join("tiles.json");
    if !kept.exists() {
        // Where caches are elsewhere, what was found is with the user's.
        assert!(!cfg!(target_os = "linux"), "{}", ended.err);
        return;
    }
    let (ended, profile) = measured(&room, &[]);
    assert_eq!(count(&profile, TilesBy::Cache), found, "{}", ended.err);
    assert_eq!(count(&profile, TilesBy::Search), 0);
    assert!(
        ended.err.contains("tuned before on this device"),
        "{}",
        ended.err
    );
    // Another driver: nothing of it holds.
    let text = fs::read_to_string(&kept).expect("it is there");
    let other = text.replace("\"driver_info\": \"", "\"driver_info\": \"another ");
    assert_ne!(other, text);
    fs::write(&kept, other).expect("it can be written");
    let (ended, profile) = measured(&room, &[]);
    assert_eq!(
        count(&profile, TilesBy::Rule),
        profile.workload.tiles.len(),
        "{}",
        ended.err
    );
}

fn damaged() {
    let room = Room::new();
    let cut = "{\n  \"format\": \"meltpoint-tiles\",\n  \"version\": 1,\n  \"sets\": [ {";
    room.write("t.json", cut);
    let (ended, profile) = measured(&room, &["--tiles=t.json"]);
    assert_eq!(ended.err.matches("warning:").count(), 1, "{}", ended.err);
    assert!(
        ended.err.contains("tuned tiles in t.json: it is damaged"),
        "{}",
        ended.err
    );
    assert_eq!(count(&profile, TilesBy::Rule), profile.workload.tiles.len());
    let unchanged = fs::read_to_string(room.path("t.json")).expect("it is there");
    assert_eq!(unchanged, cut, "only --autotune writes it");
    let (ended, profile) = measured(&room, &["--tiles=t.json", "--autotune"]);
    assert!(ended.err.contains("it is made anew"), "{}", ended.err);
    assert!(count(&profile, TilesBy::Search) > 0);
    let text = fs::read_to_string(room.path("t.json")).expect("it is there");
    let cache = meltpoint::gpu::tuning::Cache::read(&text).expect("it can be read");
    assert_eq!(cache.sets().len(), 1);
}

fn foreign() {
    let room = Room::new();
    room.write("t.json", "{\"seed\": 1}");
    let arguments = ["measure", "--model=tiny", "--tiles=t.json", "--autotune"];
    room.refused(&arguments, &["`t.json`", "no list of tuned tiles"]);
    let nowhere = [
        "measure",
        "--model=tiny",
        "--tiles=none/t.json",
        "--autotune",
    ];
    let ended = room.run(&nowhere);
    assert_eq!(ended.code, Some(4), "{}", ended.err);
}
