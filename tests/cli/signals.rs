//! Signals and closed pipes: what was found is written, and nothing panics.
#![cfg(unix)]

use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{Ended, Room, finished};

/// Nobody waits longer for a program that was asked to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// A run that would take minutes, once it listens to signals.
fn started(room: &Room) -> Child {
    let arguments = [
        "simulate",
        "hello",
        "--set=scenario.lasts=300d",
        "--set=scenario.series_interval=1d",
        "--out=r",
    ];
    let child = room.command(&arguments).spawn().expect("it starts");
    let since = Instant::now();
    // The draft of the result folder is made after the signals are listened to.
    while room.names().is_empty() {
        assert!(since.elapsed() < PATIENCE, "it does not start");
        thread::sleep(Duration::from_millis(5));
    }
    child
}

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args(["-s", signal, &child.id().to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()));
}

fn wait(child: Child) -> Ended {
    let started = Instant::now();
    let output = child.wait_with_output().expect("it ends");
    let ended = finished(output, started);
    assert!(ended.took < PATIENCE, "{:?}", ended.took);
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
    ended
}

/// Stops a run with a signal: the partial result is there, marked, and nothing else.
fn stops(signal: &str, code: i32) {
    let room = Room::new();
    let child = started(&room);
    send(&child, signal);
    let ended = wait(child);
    assert_eq!(ended.code, Some(code), "{}", ended.err);
    assert_eq!(room.names(), ["r"]);
    let result = room.result("r");
    assert_eq!(result["partial"], true);
    assert!(result["simulated_s"].as_f64() < Some(300.0 * 86_400.0));
    assert!(
        ended.out.contains("STOPPED before its horizon"),
        "{}",
        ended.out
    );
    let again = room.done(&["report", "r"]);
    assert_eq!(again.out, ended.out);
}

#[test]
fn an_interrupt_writes_what_was_found() {
    // C02.
    stops("INT", 130);
}

#[test]
fn a_termination_writes_what_was_found() {
    // C02.
    stops("TERM", 143);
}

#[test]
fn a_hang_up_writes_what_was_found() {
    // C02.
    stops("HUP", 129);
}

#[test]
fn a_second_interrupt_ends_at_once() {
    // C02: there is a whole result or none, as the second signal comes after or before it is in place.
    let room = Room::new();
    let child = started(&room);
    send(&child, "INT");
    send(&child, "INT");
    let ended = wait(child);
    assert_eq!(ended.code, Some(130), "{}", ended.err);
    if room.names().contains(&"r".to_owned()) {
        assert_eq!(room.result("r")["partial"], true);
    }
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    // C02.
    let room = Room::new();
    for arguments in [
        ["simulate", "hello", "--format=json"].as_slice(),
        &["schema", "scenario"],
        &["completions", "bash"],
        &["config", "show", "ghibli-week"],
        &["--help"],
    ] {
        let mut child = room.command(arguments).spawn().expect("it starts");
        drop(child.stdout.take());
        let ended = wait(child);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.err);
        assert!(!ended.err.contains("error"), "{}", ended.err);
    }
}
