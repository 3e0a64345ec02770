//! `meltpoint measure` where no GPU is needed: profiles side by side, kernels that are refused, no adapter.

use meltpoint::profile::MeasuredProfile;
use serde_json::Value as Json;

use crate::profiles::h100;
use crate::program::{HELLO, Room};

/// A room with these profiles as `a.json`, `b.json` ...
fn with(profiles: &[MeasuredProfile]) -> Room {
    let room = Room::new();
    for (profile, name) in profiles.iter().zip(["a.json", "b.json"]) {
        room.write(name, profile.to_json().expect("a profile can be written"));
    }
    room
}

fn slower(factor: f64) -> MeasuredProfile {
    let text = h100(0.01).to_json().expect("a profile can be written");
    let mut json: Json = serde_json::from_str(&text).expect("it is JSON");
    for time in json["iterations"].as_array_mut().expect("a list") {
        for path in ["/median_s", "/interval/low_s", "/interval/high_s"] {
            let value = time.pointer_mut(path).expect("a statistic");
            *value = (value.as_f64().expect("a number") * factor).into();
        }
        for sample in time["samples_s"].as_array_mut().expect("a list") {
            *sample = (sample.as_f64().expect("a number") * factor).into();
        }
    }
    serde_json::from_value(json).expect("still a profile")
}

#[test]
fn two_profiles_are_set_side_by_side() {
    let room = with(&[h100(0.01), slower(1.5)]);
    let text = room.done(&["measure", "compare", "a.json", "b.json"]).out;
    assert!(text.contains("iterations B is slower in"), "{text}");
    assert!(text.contains("iteration at batch 1 "), "{text}");
    let json = ["measure", "compare", "a.json", "b.json", "--format=json"];
    let json: Json = serde_json::from_str(&room.done(&json).out).expect("it is JSON");
    let ratio = json["rows"][0]["ratio"].as_f64().expect("a number");
    assert!((ratio - 1.5).abs() < 0.02, "{ratio}");
    let same = room.done(&["measure", "compare", "a.json", "a.json"]).out;
    assert!(
        same.contains("no different") && !same.contains("slower"),
        "{same}"
    );
    assert_eq!(room.names(), ["a.json", "b.json"], "nothing is written");
}

#[test]
fn profiles_of_other_work_are_not_compared() {
    let mut other = h100(0.01);
    other.workload.resolution_px = 1024;
    let room = with(&[h100(0.01), other]);
    room.refused(
        &["measure", "compare", "a.json", "b.json"],
        &[
            "at 512 px",
            "at 1024 px",
            "the same --model and --resolution",
        ],
    );
    room.write("c.json", "{}");
    room.refused(
        &["measure", "compare", "a.json", "c.json"],
        &["`c.json` is no device profile"],
    );
    let missing = room.run(&["measure", "compare", "a.json", "nothing.json"]);
    assert_eq!(missing.code, Some(4), "{}", missing.err);
}

#[test]
fn arguments_that_contradict_each_other_are_refused() {
    let room = Room::new();
    for arguments in [
        ["measure", "--elements=5"],
        ["measure", "--kernel"],
        ["measure", "--frobnicate"],
    ] {
        room.refused(&arguments, &["error:"]);
    }
}

/// A run with drivers that do not exist.
#[cfg(all(feature = "gpu", target_os = "linux"))]
fn without_adapter(room: &Room, arguments: &[&str]) -> crate::program::Ended {
    let mut command = room.command(arguments);
    command
        .env("VK_ICD_FILENAMES", "/dev/null")
        .env("VK_DRIVER_FILES", "/dev/null");
    crate::program::run_to_end(&mut command)
}

#[cfg(all(feature = "gpu", target_os = "linux"))]
#[test]
fn without_an_adapter_it_ends_with_5_and_all_else_works() {
    // G01.
    let room = Room::with(HELLO);
    room.write("k.wgsl", "@compute @workgroup_size(1) fn main() {}");
    for arguments in [["measure", "--list"], ["measure", "--kernel=k.wgsl"]] {
        let ended = without_adapter(&room, &arguments);
        assert_eq!(ended.code, Some(5), "{}", ended.err);
        assert!(
            ended.err.contains("no GPU adapter was found"),
            "{}",
            ended.err
        );
        assert!(
            ended
                .err
                .contains("VK_DRIVER_FILES=/dev/null says which drivers"),
            "{}",
            ended.err
        );
    }
    assert_eq!(room.names(), ["it.toml", "k.wgsl"], "nothing is written");
    for arguments in [
        ["check", "it.toml"],
        ["simulate", "it.toml"],
        ["measure", "--help"],
    ] {
        assert_eq!(
            without_adapter(&room, &arguments).code,
            Some(0),
            "{arguments:?}"
        );
    }
}

#[cfg(feature = "gpu")]
#[test]
fn a_kernel_with_mistakes_is_refused_with_their_place() {
    // G10: nothing of this needs an adapter.
    let room = Room::new();
    room.write(
        "k.wgsl",
        "@compute @workgroup_size(64)\nfn main() { let a = b; }",
    );
    room.refused(
        &["measure", "--kernel=k.wgsl"],
        &["k.wgsl:2:21: ", "`b`", "^"],
    );
    room.write("k.wgsl", "fn \u{1b}[2J() {}");
    let ended = room.refused(&["measure", "--kernel=k.wgsl"], &["k.wgsl:1:4: "]);
    assert!(!ended.err.contains('\u{1b}'));
    room.write("k.wgsl", "x".repeat(10 << 20));
    room.refused(
        &["measure", "--kernel=k.wgsl"],
        &["10485760 bytes; at most 1048576"],
    );
    room.write("k.wgsl", format!("fn f() {{ {} }}", "(".repeat(100_000)));
    room.refused(
        &["measure", "--kernel=k.wgsl"],
        &["brackets nest deeper than 100"],
    );
    room.write("k.wgsl", b"fn \xff");
    room.refused(
        &["measure", "--kernel=k.wgsl"],
        &["k.wgsl:1:4: found a byte that is not UTF-8"],
    );
    room.write("k.wgsl", "fn main() {}");
    room.refused(
        &["measure", "--kernel=k.wgsl"],
        &["k.wgsl: there is no compute entry point"],
    );
    let csv = ["measure", "--kernel=k.wgsl", "--format=csv"];
    room.refused(&csv, &["--format table"]);
}

#[cfg(not(feature = "gpu"))]
#[test]
fn without_the_feature_it_says_how_to_get_it() {
    Room::with(HELLO).refused(
        &["measure"],
        &["without the feature `gpu`", "cargo install"],
    );
}
