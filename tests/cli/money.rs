//! Contracts, the table of chunks and the money loop, from the file to the output.

use serde_json::Value as Json;

use crate::program::Room;

/// Hello with a fleet of chunks, one a contract.
const CONTRACTS: &str = r#"
extends = "hello"

[cluster.lab]
grid_intensity = { value = "0.38 kgCO2/kWh", source = "an example", provenance = "assumed" }

[chunk.rented]
accelerator = "H100-SXM-80GB"
gpus = 3
cluster = "lab"
price = "2 USD/GPU-hour"
network = "0.05 USD/GPU-hour"
staff = "0.03 USD/GPU-hour"
contract = { kind = "take-or-pay", committed = "60 %" }

[chunk.bought]
accelerator = "H100-SXM-80GB"
gpus = 2
cluster = "lab"
busy_power = "1 kW"
idle_power = "300 W"
contract = { kind = "owned", capex = "50000 USD/GPU", years = 4, cost_of_capital = "8 %", salvage = "10 %" }
"#;

fn number(row: &Json, key: &str) -> f64 {
    row[key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key} of {row}"))
}

#[test]
fn parts_of_the_cost_table_add_up_and_are_the_same_in_every_file() {
    let room = Room::new();
    room.write("contracts.toml", CONTRACTS);
    let text = room
        .done(&["simulate", "contracts.toml", "--out", "out"])
        .out;
    let result = room.result("out");
    let chunks = result["money"]["chunks"].as_array().unwrap();
    let table = room.table("out", "chunks.csv");
    assert_eq!((chunks.len(), table.len()), (2, 2));
    let cents = |usd: f64| (usd * 100.0).round() as i64;
    let mut sum = 0;
    for (row, fields) in chunks.iter().zip(&table) {
        let parts = [
            "capital_usd",
            "rent_usd",
            "power_usd",
            "network_usd",
            "staff_usd",
        ];
        let total: i64 = parts.iter().map(|part| cents(number(row, part))).sum();
        assert_eq!(total, cents(number(row, "total_usd")));
        let did = ["busy_usd", "idle_usd", "failures_usd"];
        let did: i64 = did.iter().map(|part| cents(number(row, part))).sum();
        let time: i64 = parts[..3].iter().map(|part| cents(number(row, part))).sum();
        assert_eq!(did, time);
        for part in parts.iter().chain(&["total_usd", "idle_usd"]) {
            assert_eq!(fields[*part].parse::<f64>().unwrap(), number(row, part));
        }
        sum += total;
    }
    assert_eq!(sum, cents(number(&result["money"], "cost_total_usd")));
    assert!(text.contains("What each chunk costs in USD"), "{text}");
    let [bought, rented] = [&chunks[0], &chunks[1]];
    assert_eq!(bought["contract"], "owned");
    assert!(number(bought, "carbon_t") > 0.0 && number(rented, "committed_usd") > 0.0);
}

#[test]
fn a_wrong_contract_is_told_with_its_place() {
    let room = Room::new();
    let wrong = [
        (
            r#"kind = "take-or-pay", committed = "60 %""#,
            r#"kind = "take-or-pay""#,
            "committed",
        ),
        (
            r#"kind = "take-or-pay""#,
            r#"kind = "take-and-pay""#,
            "take-or-pay",
        ),
        (
            r#"cost_of_capital = "8 %""#,
            r#"cost_of_capital = "800 %""#,
            "cost_of_capital",
        ),
        (r#"years = 4"#, r#"years = 0"#, "years"),
    ];
    for (right, wrong, told) in wrong {
        room.write("wrong.toml", CONTRACTS.replace(right, wrong));
        room.refused(&["check", "wrong.toml"], &["wrong.toml:", told]);
    }
}

#[test]
fn the_money_loop_is_printed_in_every_format_with_its_figure() {
    let room = Room::new();
    let loop_of = |format: &str| {
        let arguments = ["invest", "investment-loop", "--figure=loop.svg", "--format"];
        room.done(&[&arguments[..], &[format]].concat()).out
    };
    let found: Json = serde_json::from_str(&loop_of("json")).unwrap();
    assert_eq!(found["months"].as_array().unwrap().len(), 24);
    // The middle of 1 to 2 billion USD a year for 100,000 GPUs.
    assert!((number(&found, "usd_per_gpu_hour") - 1.5e9 / 8.76e8).abs() < 1e-12);
    assert!(room.names().contains(&"loop.svg".to_owned()));
    assert_eq!(loop_of("csv").lines().count(), 25);
    for text in [loop_of("table"), loop_of("md")] {
        assert!(text.contains("1.7123 USD a GPU-hour"), "{text}");
        assert!(text.contains("nvidia"), "{text}");
    }
}

#[test]
fn the_loop_takes_the_speed_of_its_gpus_from_the_profile() {
    let room = Room::new();
    let speed = |set: &str| {
        let arguments = ["invest", "investment-loop", "--format=json", "--set", set];
        let found: Json = serde_json::from_str(&room.done(&arguments).out).unwrap();
        number(&found, "images_per_gpu_hour")
    };
    let (one, two) = (
        speed("profile.h100-image.gpus_per_replica=8"),
        speed("profile.h100-image.gpus_per_replica=16"),
    );
    assert!((one / two - 2.0).abs() < 1e-12, "{one} {two}");
}

#[test]
fn a_batch_of_the_loop_is_what_fits_in_memory() {
    let room = Room::new();
    let speed = |sets: &[&str]| {
        let mut arguments = vec!["invest", "investment-loop", "--format=json"];
        arguments.push("--set=profile.h100-image.memory=16 GiB");
        arguments.extend(sets);
        let found: Json = serde_json::from_str(&room.done(&arguments).out).unwrap();
        number(&found, "images_per_gpu_hour")
    };
    // 600 tokens of the prompt and 1056 of the medium quality: 9 fit instead of 16.
    let none = "--set=work.image.memory=0 B";
    let by_token = speed(&[none, "--set=work.image.memory_per_token=1 MiB"]);
    let at_once = speed(&["--set=work.image.memory=1656 MiB"]);
    assert!(
        (by_token / at_once - 1.0).abs() < 1e-9,
        "{by_token} {at_once}"
    );
    assert!(by_token < 0.99 * speed(&[none]));
}

#[test]
fn a_scenario_without_a_loop_says_how_to_get_one() {
    let room = Room::new();
    room.refused(&["invest", "hello"], &["no money loop", "[investment]"]);
    let arguments = ["invest", "investment-loop", "--set"];
    let shares = "investment.vendor.amd.share=9 %";
    room.refused(&[&arguments[..], &[shares]].concat(), &["101 %"]);
}
