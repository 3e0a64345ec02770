//! `--autotune` and `--tiles`: what is found is kept, used again, and refused when it does not hold.

use std::fs;

use meltpoint::gpu::tuning::Cache;
use meltpoint::profile::MeasuredProfile;
use meltpoint::profile::measured::TilesBy;
use meltpoint::profile::read_measured;

use crate::Test;
use crate::program::{Ended, Room, run_to_end};

pub(crate) const TESTS: [Test; 3] = [
    (
        "tuned_tiles_are_kept_and_used_again_on_the_same_driver",
        kept,
    ),
    (
        "a_damaged_list_of_tiles_is_told_once_and_left_alone",
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

/// A list that was cut off.
const CUT: &str = "{\n  \"format\": \"meltpoint-tiles\",\n  \"version\": 1,\n  \"sets\": [ {";

fn kept() {
    let room = Room::new();
    // Elsewhere than on Linux the place of caches cannot be moved for a test.
    let (name, tiles) = match cfg!(target_os = "linux") {
        true => ("caches/meltpoint/tiles.json", &[][..]),
        false => ("tiles.json", &["--tiles=tiles.json"][..]),
    };
    let kept = room.path(name);
    fs::create_dir_all(kept.parent().expect("it has one")).expect("a folder");
    fs::write(&kept, CUT).expect("it can be written");
    let (ended, profile) = measured(&room, &[tiles, &["--autotune"]].concat());
    assert!(ended.err.contains("it is made anew"), "{}", ended.err);
    let found = count(&profile, TilesBy::Search);
    assert!(found > 0, "{:?}", profile.workload.tiles);
    assert!(
        ended.err.contains("products were tuned in"),
        "{}",
        ended.err
    );
    let text = fs::read_to_string(&kept).expect("it is there");
    let cache = Cache::read(&text).expect("it can be read");
    // The product of the ceiling is in it too.
    assert_eq!(cache.sets()[0].products.len(), found + 1);
    let (ended, profile) = measured(&room, tiles);
    assert_eq!(count(&profile, TilesBy::Cache), found, "{}", ended.err);
    assert_eq!(count(&profile, TilesBy::Search), 0);
    assert!(
        ended.err.contains("tuned before on this device"),
        "{}",
        ended.err
    );
    // Another driver: nothing of it holds.
    let other = text.replace("\"driver_info\": \"", "\"driver_info\": \"another ");
    assert_ne!(other, text);
    fs::write(&kept, other).expect("it can be written");
    let (ended, profile) = measured(&room, tiles);
    let by_rule = count(&profile, TilesBy::Rule);
    assert_eq!(by_rule, profile.workload.tiles.len(), "{}", ended.err);
}

fn damaged() {
    let room = Room::new();
    room.write("t.json", CUT);
    let (ended, profile) = measured(&room, &["--tiles=t.json"]);
    assert_eq!(ended.err.matches("warning:").count(), 1, "{}", ended.err);
    assert!(
        ended.err.contains("tuned tiles in t.json: it is damaged"),
        "{}",
        ended.err
    );
    assert_eq!(count(&profile, TilesBy::Rule), profile.workload.tiles.len());
    let unchanged = fs::read_to_string(room.path("t.json")).expect("it is there");
    assert_eq!(unchanged, CUT, "only --autotune writes it");
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
