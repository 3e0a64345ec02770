//! `meltpoint catalog`: lists, filters, exports, and a user's own rows.

use serde_json::Value as Json;

use crate::program::Room;

fn json(text: &str) -> Json {
    serde_json::from_str(text).expect("it is JSON")
}

#[test]
fn it_lists_all_that_the_story_names() {
    let out = Room::new().done(&["catalog", "--format", "json"]).out;
    let catalog = json(&out);
    let names: Vec<&str> = ["accelerators", "providers"]
        .iter()
        .flat_map(|table| catalog[table].as_array().expect("rows"))
        .filter_map(|row| row["name"].as_str())
        .collect();
    for name in [
        "A100-SXM-80GB",
        "H100-SXM-80GB",
        "H200-SXM-141GB",
        "B200-SXM-180GB",
        "GB200-NVL72",
        "B300-SXM-288GB",
        "L40S",
        "RTX-PRO-6000-Blackwell-Server",
        "RTX-5090",
        "MI300X",
        "MI325X",
        "MI355X",
        "Gaudi-2",
        "Gaudi-3",
        "TPU-v5e",
        "TPU-v6e",
        "Azure",
        "AWS",
        "Google Cloud",
        "Oracle",
        "CoreWeave",
        "Lambda",
        "own build",
    ] {
        assert!(names.contains(&name), "{name}");
    }
}

#[test]
fn filters_hold_together() {
    let room = Room::new();
    let prices = |flags: &[&str]| {
        let all = [&["catalog", "prices", "--format", "json"], flags].concat();
        json(&room.done(&all).out).as_array().expect("rows").clone()
    };
    let all = prices(&[]).len();
    let some = prices(&[
        "--provider",
        "coreweave",
        "--term",
        "spot",
        "--accelerator",
        "h100",
    ]);
    assert_eq!(some.len(), 1);
    assert_eq!(some[0]["usd_per_gpu_hour"], 2.464);
    let amd = prices(&["--vendor", "amd"]);
    assert!(!amd.is_empty() && amd.len() < all);
    let named = |row: &Json| {
        row["accelerator"]
            .as_str()
            .is_some_and(|name| name.starts_with("MI3"))
    };
    assert!(amd.iter().all(named));
    assert!(
        room.done(&["catalog", "--provider", "nobody"])
            .out
            .contains("none")
    );
}

#[test]
fn an_export_is_an_overlay_and_an_overlay_changes_rows() {
    let room = Room::new();
    let before = room.done(&["catalog", "prices", "--format", "csv"]).out;
    room.write("same.csv", &before);
    let same = [
        "catalog",
        "prices",
        "--format",
        "csv",
        "--overlay",
        "same.csv",
    ];
    assert_eq!(room.done(&same).out, before);
    room.write(
        "mine.toml",
        "[[price]]\nprovider = \"Mine\"\naccelerator = \"H100-SXM-80GB\"\nterm = \"spot\"\nusd_per_gpu_hour = 1\n",
    );
    let over = room.done(&[
        "catalog",
        "prices",
        "--overlay",
        "mine.toml",
        "--provider",
        "mine",
    ]);
    assert!(
        over.out.contains("Mine") && over.out.contains("assumed"),
        "{}",
        over.out
    );
}

#[test]
fn what_is_wrong_with_an_overlay_is_said_with_its_line() {
    let room = Room::new();
    room.write(
        "a.csv",
        "provider,accelerator,term,usd_per_gpu_hour\nA,B,spot,cheap\n",
    );
    room.refused(
        &["catalog", "--overlay", "a.csv"],
        &["a.csv:2:", "\"cheap\"", "help"],
    );
    room.write("a.toml", "[[price]]\nprovider = 'A'\n");
    room.refused(
        &["catalog", "--overlay", "a.toml"],
        &["a.toml:1:", "missing field"],
    );
    room.write("a.txt", "");
    room.refused(
        &["catalog", "--overlay", "a.txt"],
        &["neither a .csv nor a .toml"],
    );
    room.write("b.csv", [0xff, 0xfe]);
    room.refused(&["catalog", "--overlay", "b.csv"], &["not UTF-8"]);
    room.refused(&["catalog", "--format", "csv"], &["one table"]);
}
