//! Instructions per customer, request or image, counted by callgrind: the same on a noisy machine.
//!
//! Each workload runs at two sizes, and the difference is divided by the difference in count, so that
//! starting up is left out.

use std::path::Path;
use std::process::Command;

use crate::outcome::Outcome;
use crate::rounds::Row;
use crate::table::cell;

/// (what, workload, smaller and larger size)
const WORKLOADS: [(&str, &str, f64, f64); 10] = [
    (
        "M/M/100, Kiefer-Wolfowitz recursion: customer",
        "recursion",
        1e5,
        3e5,
    ),
    ("M/M/100, bare event loop: customer", "bare", 1e5, 3e5),
    ("M/M/100, engine: customer", "queue", 1e5, 3e5),
    (
        "ghibli-week, from scale 0.001 to 0.002: request",
        "week",
        0.001,
        0.002,
    ),
    (
        "the same with failures and autoscalers: request",
        "week-everything",
        0.001,
        0.002,
    ),
    (
        "one replica, begun together, iteration by iteration: image",
        "step-together",
        1.0,
        2.0,
    ),
    (
        "one replica, begun together, jumping: image",
        "jump-together",
        1.0,
        3.0,
    ),
    (
        "one replica, begun spread, iteration by iteration: image",
        "step-spread",
        1.0,
        2.0,
    ),
    (
        "one replica, begun spread, jumping: image",
        "jump-spread",
        1.0,
        3.0,
    ),
    (
        "1000 replicas, begun spread, jumping: image",
        "jump-spread-fleet",
        1.0,
        2.0,
    ),
];

/// Counts and prints a table; profiles for `callgrind_annotate` stay in `target/callgrind`.
pub(crate) fn print() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/callgrind");
    std::fs::create_dir_all(&folder).expect("a folder for profiles");
    println!("\n| what | instructions |");
    println!("| --- | ---: |");
    for (what, workload, small, large) in WORKLOADS {
        let (count_0, instructions_0) = counted(&folder, workload, small);
        let (count_1, instructions_1) = counted(&folder, workload, large);
        let each = (instructions_1 - instructions_0) / (count_1 - count_0);
        println!("| {what} | {} |", cell(Some(each), ""));
    }
}

/// Count and instructions of one run.
fn counted(folder: &Path, workload: &str, size: f64) -> (f64, f64) {
    let profile = folder.join(format!("{workload}-{size}.out"));
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .args(Row::own("", workload, size, 1).words(1))
        .output()
        .expect("instructions are counted by valgrind: install it");
    let said = String::from_utf8_lossy(&output.stdout);
    let report = String::from_utf8_lossy(&output.stderr);
    let outcome: Outcome = serde_json::from_str(&said).unwrap_or_else(|error| {
        panic!("{workload} under valgrind: {error}\n{said}{report}");
    });
    let collected = report
        .lines()
        .find_map(|line| line.split("Collected : ").nth(1));
    let instructions = collected.and_then(|number| number.trim().parse().ok());
    (
        outcome.count as f64,
        instructions.expect("callgrind says what it collected"),
    )
}
