//! Runs that would take too long.

use std::time::Duration;

use crate::program::Room;

/// 1.8e10 requests in half an hour.
const TOO_MANY: &str = "demand.visitors.curve=[[\"0s\", \"1e7 requests/s\"]]";

#[test]
fn too_many_requests_are_refused_before_they_run() {
    // R01.
    let room = Room::new();
    let ended = room.run(&["simulate", "hello", "--set", TOO_MANY]);
    assert_eq!(ended.code, Some(4), "{}", ended.err);
    assert!(ended.took < Duration::from_secs(1), "{:?}", ended.took);
    for part in ["1.800e10 requests", "GB of memory", "--yes"] {
        assert!(ended.err.contains(part), "no {part:?} in: {}", ended.err);
    }
    assert_eq!(ended.out, "");
    assert!(room.names().is_empty());
}

#[test]
fn explain_shows_the_same_estimate() {
    // R01.
    let room = Room::new();
    let ended = room.done(&["explain", "hello", "--set", TOO_MANY, "--format", "json"]);
    let estimate: serde_json::Value = serde_json::from_str(&ended.out).expect("it is JSON");
    assert_eq!(
        estimate["total"]["offered"].as_f64().map(f64::round),
        Some(1.8e10)
    );
    assert!(estimate["wall_s"].as_f64() > Some(60.0), "{estimate:#}");
    assert!(estimate["memory_bytes"].as_f64().is_some());
}
