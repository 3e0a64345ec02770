//! Whole results by their digest, so that another machine, another build or another version of a dependency
//! that gives other bytes shows.
//!
//! Figures are left out: how they look may change at any time.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::assert_pinned;

/// Runs that together use every kind of demand, law, policy and file.
const RUNS: [(&str, &[&str]); 6] = [
    ("hello", &["hello"]),
    ("retry-storm", &["retry-storm", "--scale=0.05"]),
    ("ghibli-week", &["ghibli-week", "--scale=0.0001"]),
    ("replay-images", &["replay-images"]),
    ("launch-2022", &["launch-2022", "--scale=0.01"]),
    ("bad-week", &["bad-week", "--scale=0.01"]),
];

const FILES: [&str; 6] = [
    "result.json",
    "series.csv",
    "series.parquet",
    "tiers.csv",
    "pools.csv",
    "money.csv",
];

/// FNV-1a: short, and enough against accidents.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// One line a run: the digests of its files.
fn line(folder: &Path, name: &str, arguments: &[&str]) -> String {
    let out = folder.join(name);
    let ended = Command::new(env!("CARGO_BIN_EXE_meltpoint"))
        .arg("simulate")
        .args(arguments)
        .args(["--threads=2", "--out"])
        .arg(&out)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{name}: {said}");
    let digests: Vec<String> = FILES
        .iter()
        .map(|file| fs::read(out.join(file)).expect(file))
        .map(|bytes| format!("{:016x}", digest(&bytes)))
        .collect();
    format!("{name}: {}\n", digests.join(" "))
}

#[test]
fn results_are_the_same_bytes_as_ever() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runs = RUNS
        .iter()
        .map(|(name, arguments)| line(folder.path(), name, arguments));
    let table: String = runs.collect();
    assert_pinned("results.txt", include_str!("results.txt"), &table);
}
