//! Every scenario that is built in, run at a small scale: it ends, its books balance, its result is
//! what the schema says.

use serde_json::Value as Json;

use crate::program::Room;

/// Each story with the share that is done in a few seconds without optimisation.
const STORIES: [(&str, &str); 17] = [
    ("hello", "1"),
    ("ghibli-week", "0.0002"),
    ("ghibli-no-quota", "0.0002"),
    ("free-on-day-one", "0.0002"),
    ("hundred-k-chunk", "0.0002"),
    ("hundred-k-orders", "0.00005"),
    ("vendor-mix", "0.001"),
    ("cloud-race", "0.00002"),
    ("shared-fleet", "0.001"),
    ("moved-fleet", "0.001"),
    ("investment-loop", "0.0002"),
    ("launch-2022", "0.0005"),
    ("retry-storm", "0.1"),
    ("replay-chat", "0.1"),
    ("replay-images", "0.1"),
    ("autoscaled-launch", "0.1"),
    ("bad-week", "0.003"),
];

/// The room in which a story ran at a scale with something changed, its result in `r`.
fn varied(name: &str, scale: &str, change: &str) -> Room {
    let room = Room::new();
    let arguments = [
        "simulate", name, "--scale", scale, "--set", change, "--out=r",
    ];
    room.done(&arguments);
    room
}

/// Runs a story and gives its result, which obeys all rules.
fn told(name: &str) -> Json {
    let (_, scale) = STORIES
        .iter()
        .find(|(story, _)| *story == name)
        .expect("a story");
    let room = Room::new();
    let ended = room.run(&["simulate", name, "--scale", scale, "--out", "r"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let files = room.files("r");
    for (file, bytes) in &files {
        if file.ends_with(".csv") || file.ends_with(".json") || file.ends_with(".svg") {
            let text = String::from_utf8(bytes.clone()).expect("text");
            let wrong = |word: &str| ["NaN", "inf", "-inf", "nan"].contains(&word);
            let found = text
                .split([',', '\n', ' ', '"', ':'])
                .find(|word| wrong(word));
            assert_eq!(found, None, "{name}: {file}");
        }
    }
    let result = room.result("r");
    obeys_the_schema(&room, &result);
    balances(&result);
    result
}

/// H06.
fn obeys_the_schema(room: &Room, result: &Json) {
    let schema = room.done(&["schema", "result"]).out;
    let schema: Json = serde_json::from_str(&schema).expect("it is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let errors: Vec<String> = validator
        .iter_errors(result)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(result["schema_version"], 1);
}

/// N01: nothing is lost, and the checks of the run were made.
fn balances(result: &Json) {
    let count = |value: &Json| value.as_u64().expect("a count");
    let tiers = result["tiers"].as_array().expect("tiers");
    for tier in tiers.iter().chain([&result["total"]]) {
        let shed = tier["shed"].as_object().expect("refusals by reason");
        let known: u64 = ["completed", "abandoned", "failed", "in_system"]
            .iter()
            .map(|of| count(&tier[of]))
            .sum();
        let shed: u64 = shed.values().map(count).sum();
        assert_eq!(count(&tier["offered"]), known + shed, "{tier:#}");
    }
    let offered: u64 = tiers.iter().map(|tier| count(&tier["offered"])).sum();
    assert_eq!(offered, count(&result["total"]["offered"]));
    assert!(offered > 0, "nothing happened");
    for name in ["ledger", "Little's law", "utilisation <= 1"] {
        let checks = result["checks"].as_array().expect("checks");
        let check = checks.iter().find(|check| check["name"] == name);
        let check = check.unwrap_or_else(|| panic!("no check of {name}"));
        assert!(count(&check["times"]) > 0, "{name} was not checked");
    }
    for pool in result["pools"].as_array().expect("pools") {
        let utilisation = pool["utilisation"].as_f64().unwrap_or(0.0);
        assert!((0.0..=1.0).contains(&utilisation), "{pool:#}");
    }
}

#[test]
fn every_built_in_scenario_is_told_here() {
    let listed = Room::new().done(&["scenarios"]).out;
    let mut names: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let mut stories = STORIES.map(|(name, _)| name);
    names.sort_unstable();
    stories.sort_unstable();
    assert_eq!(names, stories);
}

#[test]
fn hello_melts_for_a_while() {
    let result = told("hello");
    assert!(
        result["melted"]
            .as_array()
            .is_some_and(|melted| !melted.is_empty())
    );
}

#[test]
fn the_ghibli_week_is_told() {
    let result = told("ghibli-week");
    assert_eq!(result["facts"].as_array().map(Vec::len), Some(6));
}

#[test]
fn the_week_without_a_quota_refuses_nobody_for_one() {
    let result = told("ghibli-no-quota");
    assert_eq!(result["total"]["shed"]["quota"], 0);
}

#[test]
fn the_free_tier_may_open_on_the_first_day() {
    told("free-on-day-one");
}

#[test]
fn a_chunk_may_come_in_mid_surge() {
    told("hundred-k-chunk");
}

#[test]
fn what_was_ordered_comes_in_parts_and_adds_up() {
    let result = told("hundred-k-orders");
    let deliveries = result["deliveries"].as_array().expect("orders");
    assert_eq!(deliveries.len(), 3);
    for delivery in deliveries {
        let gpus = |key: &str| delivery[key].as_u64().expect("a count");
        let parts = gpus("powered_gpus") + gpus("dark_gpus") + gpus("missing_gpus");
        assert_eq!(parts, gpus("gpus"));
        assert!(delivery["ordered_s"].as_f64() < delivery["first_s"].as_f64());
    }
}

/// The sum of the table of chunks by a provider or a vendor.
fn supplier<'a>(result: &'a Json, name: &str) -> &'a Json {
    let suppliers = result["money"]["suppliers"].as_array().expect("sums");
    let mut named = suppliers.iter().filter(|row| row["name"] == name);
    named.next().expect(name)
}

fn number(row: &Json, key: &str) -> f64 {
    row[key].as_f64().expect(key)
}

#[test]
fn each_vendor_makes_images_at_its_own_price_and_energy() {
    let result = told("vendor-mix");
    let of = |name: &str, key: &str| number(supplier(&result, name), key);
    let vendors = ["NVIDIA", "AMD", "Intel"];
    let images = vendors.map(|name| of(name, "images"));
    assert!(images.iter().all(|&images| images > 0.0), "{images:?}");
    let total: f64 = vendors.iter().map(|name| of(name, "total_usd")).sum();
    let cost = number(&result["money"], "cost_total_usd");
    assert!((total - cost).abs() < 0.005, "{total} of {cost}");
    // What is dearest an hour and an image saves most energy, and its maker gets most.
    let price = |name| of(name, "usd_per_1000_images");
    assert!(price("NVIDIA") > 1.5 * price("AMD"));
    let mwh = |name| of(name, "energy_mwh") / of(name, "images");
    assert!(mwh("NVIDIA") < mwh("AMD") && mwh("AMD") < mwh("Intel"));
    assert!(of("NVIDIA", "purchase_usd") > 5.0 * of("AMD", "purchase_usd"));
}

#[test]
fn vendors_of_whom_nothing_is_ordered_are_left_out() {
    let room = Room::new();
    let mut nvidia = vec!["simulate", "vendor-mix", "--scale=0.001", "--out=r"];
    nvidia.extend([
        "--set=scenario.lasts=6h",
        "--set=chunk.b200.gpus=52_000",
        "--set=chunk.mi300x.gpus=0",
        "--set=chunk.mi325x.gpus=0",
        "--set=chunk.gaudi2.gpus=0",
        "--set=chunk.gaudi3.gpus=0",
    ]);
    room.done(&nvidia);
    let result = room.result("r");
    let suppliers = result["money"]["suppliers"].as_array().expect("sums");
    let names: Vec<&Json> = suppliers.iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["Hyperstack", "NVIDIA"]);
    let text = String::from_utf8(room.files("r")["suppliers.csv"].clone()).expect("text");
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn five_clouds_deliver_sooner_than_one_at_another_price() {
    told("cloud-race");
    let room = Room::new();
    // Few requests: when GPUs come does not depend on them.
    let quiet = "--set=demand.growth.curve=[['0d', '50 requests/s']]";
    let coarse = "--set=scenario.lookahead=1h";
    let race = ["simulate", "cloud-race", quiet, coarse, "--out=race"];
    room.done(&race);
    let alone = [
        "simulate",
        "cloud-race",
        quiet,
        coarse,
        "--out=alone",
        "--set=chunk.azure.gpus=100_000",
        "--set=chunk.aws.gpus=0",
        "--set=chunk.google.gpus=0",
        "--set=chunk.oracle.gpus=0",
        "--set=chunk.coreweave.gpus=0",
    ];
    room.done(&alone);
    let (race, alone) = (room.result("race"), room.result("alone"));
    let last_s = |result: &Json| {
        let deliveries = result["deliveries"].as_array().expect("orders");
        let last = deliveries.iter().map(|delivery| number(delivery, "last_s"));
        last.fold(0.0, f64::max)
    };
    // Of five the slowest decides, of one the 20,000 a month.
    assert!(last_s(&race) + 30.0 * 86_400.0 < last_s(&alone));
    for name in ["Azure", "AWS", "Google Cloud", "Oracle", "CoreWeave"] {
        let row = supplier(&race, name);
        assert_eq!(row["arrived_gpus"], row["gpus"], "{name}");
        assert!(number(row, "rent_usd") > 0.0, "{name}");
    }
    // The vendor is paid for the same 100,000 GPUs, wherever they stand.
    let sold = |result| number(supplier(result, "NVIDIA"), "purchase_usd");
    assert!((sold(&race) - sold(&alone)).abs() < 0.005);
}

#[test]
fn the_money_loop_begins_with_the_week() {
    told("investment-loop");
}

#[test]
fn the_launch_of_2022_is_told() {
    told("launch-2022");
}

#[test]
fn a_retry_storm_outlives_its_cause() {
    let result = told("retry-storm");
    let attempts = result["total"]["attempts"].as_f64();
    let offered = result["total"]["offered"].as_f64().expect("a count");
    assert!(
        attempts > Some(1.5 * offered),
        "{attempts:?} attempts at {offered} requests"
    );
}

#[test]
fn recorded_requests_are_replayed() {
    assert!(told("replay-chat")["total"]["offered"].as_u64() > Some(1000));
    assert!(told("replay-images")["total"]["offered"].as_u64() > Some(300));
}

#[test]
fn reaction_time_costs_an_autoscaled_launch() {
    let prompt = told("autoscaled-launch");
    let scaler = &prompt["autoscalers"][0];
    let number = |key: &str| scaler[key].as_f64().expect(key);
    assert!(number("crossings") > 0.0 && number("short_replica_hours") > 0.0);
    // What is released of the contract on demand costs nothing.
    assert!(number("gpu_hours_saved") > 0.3 * number("gpu_hours_static"));
    assert!(number("gpu_hours_returned") > 0.0);
    let columns = prompt["series"]["columns"].as_array().expect("columns");
    let gpus = columns.iter().find(|column| column["name"] == "gpus");
    let gpus = gpus.expect("GPUs over time")["values"].as_array();
    let gpus: Vec<f64> = gpus
        .expect("values")
        .iter()
        .filter_map(Json::as_f64)
        .collect();
    let most = gpus.iter().copied().fold(0.0, f64::max);
    assert!(most > 1.5 * gpus[0], "{gpus:?}");
    let room = varied("autoscaled-launch", "0.1", "autoscaler.main.reaction=15min");
    assert!(room.files("r").keys().any(|file| file == "autoscalers.csv"));
    let slow = room.result("r");
    let lost = |result: &Json| {
        let short = result["autoscalers"][0]["short_replica_hours"].as_f64();
        (short, result["total"]["abandoned"].as_u64())
    };
    assert!(lost(&slow).0 > lost(&prompt).0 && lost(&slow).1 > lost(&prompt).1);
}

#[test]
fn shares_make_the_surge_pay_for_itself() {
    let lost = |result: &Json, tier: &str| {
        let tiers = result["tiers"].as_array().expect("tiers");
        let tier = tiers.iter().find(|found| found["name"] == tier);
        let tier = tier.expect("a tier");
        let number = |key: &str| tier[key].as_f64().expect(key);
        number("abandoned") / number("offered")
    };
    let shared = told("shared-fleet");
    let first_come = varied("shared-fleet", "0.001", "policy.order=fcfs").result("r");
    assert!(lost(&shared, "pictures") > 1.2 * lost(&first_come, "pictures"));
    for other in ["chat", "copilot", "search"] {
        let (own, theirs) = (lost(&shared, other), lost(&first_come, other));
        assert!(own < 0.03 && theirs > 0.08, "{other}: {own}, {theirs}");
    }
}

#[test]
fn a_bad_week_costs_more_than_what_fails_in_it() {
    let result = told("bad-week");
    let sites = result["sites"].as_array().expect("three sites");
    assert_eq!(sites.len(), 3);
    for site in sites {
        // Each replica is updated once.
        let planned = site["planned"]["replicas"].as_u64();
        assert!(planned > Some(0), "{site}");
        assert!(site["availability"].as_f64() > Some(0.9), "{site}");
    }
    // While the site is away, the two others are too small.
    let melted = result["melted"].as_array().expect("a list");
    let refused = melted.iter().find(|melted| melted["what"] == "was refused");
    let from_s = refused.expect("somebody was refused")["worst_at_s"].as_f64();
    let (gone_s, back_s) = (3.0 * 86_400.0 + 17.0 * 3600.0, 4.0 * 86_400.0);
    assert!(
        from_s >= Some(gone_s) && from_s <= Some(back_s),
        "{from_s:?}"
    );
}

#[test]
fn what_moves_to_pictures_is_missed_in_training() {
    let moved = told("moved-fleet");
    let fixed = varied("moved-fleet", "0.001", "cluster.azure.moves.every=never").result("r");
    let of = |result: &Json, list: &str, name: &str, key: &str| {
        let rows = result[list].as_array().expect("a list");
        let row = rows.iter().find(|found| found["name"] == name);
        row.expect(name)[key].as_f64().expect(key)
    };
    let pictures = |result: &Json| {
        of(result, "tiers", "pictures", "completed") / of(result, "tiers", "pictures", "offered")
    };
    assert!(
        pictures(&moved) > 1.5 * pictures(&fixed),
        "{} {}",
        pictures(&moved),
        pictures(&fixed)
    );
    let kept = |result: &Json| of(result, "partitions", "azure/training", "gpu_hours_kept");
    assert!(
        kept(&moved) < 0.8 * kept(&fixed),
        "{} {}",
        kept(&moved),
        kept(&fixed)
    );
    assert_eq!(
        of(&fixed, "partitions", "azure/training", "gpu_hours_lost"),
        0.0
    );
    // What came from somewhere went somewhere.
    let units = |key: &str| {
        let parts = ["chat", "pictures", "training"].map(|part| format!("azure/{part}"));
        parts
            .iter()
            .map(|part| of(&moved, "partitions", part, key))
            .sum::<f64>()
    };
    assert!(units("units_in") > 0.0);
    assert_eq!(units("units_in"), units("units_out"));
}
