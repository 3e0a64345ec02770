//! The scenario language, from outside: what is read, what is refused, and how it is said.

use meltpoint::scenario::{
    DemandKind, EMBEDDED, Problems, Process, QueueLimit, QuotaWindow, Reclaim, Scenario, Settings,
    Source, WarmUpRule, embedded, embedded_trace, json_schema, read,
};
use meltpoint::units::SimDuration;
use serde_json::Value as Json;

/// The traces that the program carries, and no other file.
fn files(name: &str) -> Result<Vec<u8>, String> {
    let bytes = embedded_trace(name).map(<[u8]>::to_vec);
    bytes.ok_or_else(|| format!("{name}: no such file"))
}

fn read_with(text: &str, sets: &[&str]) -> Result<Scenario, Problems> {
    let settings = Settings {
        sets: sets.iter().map(|set| (*set).to_owned()).collect(),
        ..Settings::default()
    };
    let source = Source {
        name: "test.toml",
        text,
    };
    read(source, &settings, &files)
}

fn hello() -> &'static str {
    embedded("hello").expect("it is embedded").text
}

fn ghibli() -> &'static str {
    embedded("ghibli-week").expect("it is embedded").text
}

/// The message for `hello` with one key set.
fn refusal(set: &str) -> String {
    match read_with(hello(), &[set]) {
        Ok(_) => panic!("{set} was accepted"),
        Err(problems) => problems.to_string(),
    }
}

/// Checks that the message for a text says all of `parts`.
fn refused(text: &str, parts: &[&str]) {
    let Err(problems) = read_with(text, &[]) else {
        panic!("accepted: {text}");
    };
    let message = problems.to_string();
    for part in parts {
        assert!(message.contains(part), "no {part:?} in: {message}");
    }
}

#[test]
fn every_embedded_scenario_is_valid() {
    for (name, text) in EMBEDDED {
        match read(Source { name, text }, &Settings::default(), &files) {
            Ok(scenario) => {
                assert_eq!(scenario.name, name);
                assert_eq!(scenario.warnings, Vec::<String>::new(), "{name}");
                assert!(scenario.question.ends_with('?'), "{name} asks nothing");
            }
            Err(problems) => panic!("{name}:\n{problems}"),
        }
    }
}

#[test]
fn hello_means_what_it_says() {
    let scenario = read_with(hello(), &[]).unwrap();
    assert_eq!(scenario.pools.len(), 1);
    assert_eq!(scenario.pools[0].deliveries[0].1, 6);
    let DemandKind::Rate { curve, .. } = &scenario.demands[0].kind else {
        panic!("a rate");
    };
    assert_eq!(curve.points.len(), 3);
    assert_eq!(curve.points[1].1, 20.0);
}

#[test]
fn the_ghibli_week_means_what_it_says() {
    let scenario = read_with(ghibli(), &[]).unwrap();
    assert!(scenario.horizon > SimDuration::from_s(9.0 * 86_400.0));
    assert_eq!(scenario.pools.len(), 8);
    let names: Vec<&str> = scenario
        .demands
        .iter()
        .map(|demand| demand.name.as_str())
        .collect();
    assert_eq!(&names[..3], ["free@americas", "free@asia", "free@emea"]);
    let qualities: Vec<&str> = scenario.works[0]
        .qualities
        .iter()
        .map(|quality| quality.name.as_str())
        .collect();
    assert_eq!(qualities, ["medium", "low"]);
    let [free, plus] = scenario.rules[scenario.rules.len() - 1].1.tiers.as_slice() else {
        panic!("two tiers");
    };
    assert!(free.open && plus.open && !scenario.rules[0].1.tiers[1].open);
    assert_eq!(free.quota.unwrap().window, QuotaWindow::CalendarDay);
    let three_hours = QuotaWindow::Sliding(SimDuration::from_s(10_800.0));
    assert_eq!(plus.quota.unwrap().window, three_hours);
    assert_eq!(scenario.outages.len(), 2);
    assert!(!scenario.fit.is_empty());
    assert!(
        scenario
            .timeline
            .iter()
            .any(|entry| entry.1.contains("chunk research delivered"))
    );
}

#[test]
fn inputs_say_where_each_value_comes_from() {
    let scenario = read_with(ghibli(), &["tier.free.priority=2"]).unwrap();
    let input = |path: &str| {
        let found = scenario.inputs.iter().find(|input| input.path == path);
        found.unwrap_or_else(|| panic!("no {path}"))
    };
    assert_eq!(input("tier.free.priority").origin, "--set");
    assert_eq!(input("tier.free.priority").value, "2");
    assert_eq!(input("policy.dispatch").origin, "default");
    let tokens = input("work.image.quality.low.tokens");
    assert!(tokens.origin.starts_with("test.toml:"));
    assert!(tokens.source.as_ref().unwrap().contains("gpt-image-1"));
    assert!(input("work.image.prompt.mean").source.is_some());
}

#[test]
fn an_extension_states_only_what_is_different() {
    let text = "extends = \"ghibli-week\"\n[chunk.azure-us]\ngpus = 48_000\n";
    let (base, more) = (
        read_with(ghibli(), &[]).unwrap(),
        read_with(text, &[]).unwrap(),
    );
    assert_ne!(base.chunks[2].gpus, 48_000);
    assert_eq!(more.chunks[2].gpus, 48_000);
    assert_eq!(more.name, "test");
    let gpus = more
        .inputs
        .iter()
        .find(|input| input.path == "chunk.azure-us.gpus")
        .unwrap();
    assert_eq!(gpus.origin, "test.toml:3");
    let price = more
        .inputs
        .iter()
        .find(|input| input.path == "chunk.azure-us.price")
        .unwrap();
    assert!(price.origin.starts_with("ghibli-week:"));
    refused("extends = \"gibli-week\"", &["did you mean `ghibli-week`?"]);
}

#[test]
fn scale_multiplies_everything_extensive() {
    let settings = Settings {
        scale: Some(0.001),
        seed: Some(u64::MAX),
        ..Settings::default()
    };
    let source = embedded("ghibli-week").unwrap();
    let small = read(source, &settings, &files).unwrap();
    let whole = read(source, &Settings::default(), &files).unwrap();
    assert_eq!(small.seed.0, u64::MAX);
    let potential = |s: &Scenario| match &s.demands[0].kind {
        DemandKind::Population(population) => population.potential,
        _ => panic!("a population"),
    };
    assert!((potential(&small) / potential(&whole) - 0.001).abs() < 1e-15);
    let limit = |s: &Scenario| s.rules[0].1.tiers[0].rate_limit.unwrap().per_s;
    assert!((limit(&small) / limit(&whole) - 0.001).abs() < 1e-15);
}

#[test]
fn a_scaled_fleet_has_no_empty_pools() {
    let sets = ["cluster.lab.replicas=6000", "cluster.lab.pools=4"];
    let fleet = |scale: &str| {
        let pools = read_with(hello(), &[sets[0], sets[1], scale])
            .unwrap()
            .pools;
        let replicas = pools.iter().map(|pool| pool.deliveries[0].1);
        replicas.collect::<Vec<u32>>()
    };
    assert_eq!(fleet("scenario.scale=1"), [1500, 1500, 1500, 1500]);
    assert_eq!(fleet("scenario.scale=0.001"), [2, 2, 1, 1]);
    assert_eq!(fleet("scenario.scale=0.0005"), [1, 1, 1]);
    assert_eq!(fleet("scenario.scale=1e-9"), [1]);
}

/// The schema at a path such as `tier.*.quota`, and all leaves below it.
fn leaves(path: &str, schema: &Json, found: &mut Vec<(String, Json)>) {
    for branch in ["oneOf", "anyOf"] {
        for alternative in schema[branch].as_array().into_iter().flatten() {
            leaves(path, alternative, found);
        }
    }
    for (key, below) in schema["properties"].as_object().into_iter().flatten() {
        if !["value", "source", "provenance"].contains(&key.as_str()) {
            leaves(&format!("{path}.{key}"), below, found);
        }
    }
    if schema["additionalProperties"].is_object() {
        leaves(&format!("{path}.*"), &schema["additionalProperties"], found);
    }
    if schema["properties"].is_null() && schema["oneOf"].is_null() {
        found.push((path.trim_start_matches('.').to_owned(), schema.clone()));
    }
}

#[test]
fn no_number_may_be_infinite_or_none() {
    let mut found = Vec::new();
    leaves("", &json_schema(), &mut found);
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found.dedup_by(|a, b| a.0 == b.0);
    let tables = read_with(ghibli(), &[]).unwrap().inputs;
    let mut tried = 0;
    for (path, _) in &found {
        let parts: Vec<&str> = path.split('.').collect();
        let Some((kind, key)) = path.split_once(".*.").or_else(|| path.split_once('.')) else {
            continue;
        };
        // A name that is there, where the path leads through a table of named tables.
        let name = tables
            .iter()
            .find(|i| i.path.starts_with(&format!("{kind}.")));
        let name = name
            .and_then(|input| input.path.split('.').nth(1))
            .unwrap_or("x");
        let path = match parts.get(1) {
            Some(&"*") => format!("{kind}.{name}.{}", key.replace(".*", ".medium")),
            _ => path.clone(),
        };
        for word in ["nan", "inf", "-inf"] {
            tried += 1;
            let message = match read_with(ghibli(), &[&format!("{path}={word}")]) {
                Ok(_) => panic!("{path}={word} was accepted"),
                Err(problems) => problems.to_string(),
            };
            let key = path.rsplit('.').next().unwrap();
            // A long path is cut where it is shown.
            let key = key.get(..8).unwrap_or(key);
            assert!(
                message.contains("--set ") && message.contains(key),
                "{path}: {message}"
            );
        }
    }
    assert!(tried > 300, "only {tried} tried");
}

#[test]
fn the_schema_accepts_what_the_reader_accepts() {
    let schema = json_schema();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, text) in EMBEDDED {
        let document: toml_edit::Document<&str> = toml_edit::Document::parse(text).unwrap();
        let mut json = to_json(document.as_item());
        let errors: Vec<String> = validator
            .iter_errors(&json)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
        let mut incomplete = json.clone();
        incomplete
            .as_object_mut()
            .expect("a table")
            .remove("demand");
        incomplete["demand"]["x"]["kind"] = Json::from("rate");
        let extends = json["extends"].is_string();
        assert_eq!(
            validator.is_valid(&incomplete),
            extends,
            "{name}: a demand without a tier"
        );
        json["scenario"]["lats"] = Json::from("9d");
        assert!(!validator.is_valid(&json), "{name}: an unknown key");
    }
}

fn to_json(item: &toml_edit::Item) -> Json {
    if let Some(table) = item.as_table_like() {
        let entries = table
            .iter()
            .map(|(key, item)| (key.to_owned(), to_json(item)));
        return Json::Object(entries.collect());
    }
    if let Some(tables) = item.as_array_of_tables() {
        let tables = tables.iter().cloned();
        return tables
            .map(|table| to_json(&toml_edit::Item::Table(table)))
            .collect();
    }
    if let Some(array) = item.as_array() {
        let values = array.iter().cloned();
        return values
            .map(|value| to_json(&toml_edit::Item::Value(value)))
            .collect();
    }
    match item.as_value().expect("tables and lists are done") {
        toml_edit::Value::Integer(number) => Json::from(*number.value()),
        toml_edit::Value::Float(number) => Json::from(*number.value()),
        toml_edit::Value::Boolean(flag) => Json::from(*flag.value()),
        value => Json::from(value.as_str().expect("scenarios write dates as text")),
    }
}

#[test]
fn negative_numbers_are_refused_with_the_range() {
    for (set, allowed) in [
        ("demand.visitors.rate=\"-1 requests/s\"", "from 0 to"),
        ("scenario.lasts=-5s", "from 1 ns to 100 years"),
        ("work.image.price=\"-1 USD/image\"", "from 0 to"),
        ("scenario.seed=-1", "from 0 to 18446744073709551615"),
        ("cluster.lab.replicas=-1", "from 1 to"),
    ] {
        let message = refusal(set);
        assert!(message.contains(allowed), "{set}: {message}");
    }
}

#[test]
fn what_would_overflow_is_refused() {
    for set in [
        "demand.visitors.curve=[[\"0s\", \"1e308 requests/s\"]]",
        "demand.visitors.curve=[[\"0s\", \"1e13 requests/s\"]]",
        "scenario.lasts=101 d 1e308 s",
        "scenario.lasts=5300w",
        "work.image.steps=1e308",
    ] {
        refusal(set);
    }
    let people = "demand.free.potential=1e11";
    let message = read_with(ghibli(), &[people, "demand.free.sessions=1e5/s"]).unwrap_err();
    assert!(message.to_string().contains("overflows"), "{message}");
}

#[test]
fn what_is_below_the_tick_is_refused() {
    for set in [
        "client.visitor.patience=5e-324 s",
        "scenario.lasts=0.5ns",
        "scenario.lookahead=1ns",
        "scenario.series_interval=1us",
        "profile.gpu.iteration_time=5e-324 s",
    ] {
        refusal(set);
    }
    // A rate that gives no request in the age of the universe is a rate.
    assert!(
        read_with(
            hello(),
            &["demand.visitors.curve=[[\"0s\", \"1e-300 requests/s\"]]"]
        )
        .is_ok()
    );
}

#[test]
fn whole_numbers_are_exact_or_refused() {
    let seed = |text: &str| read_with(hello(), &[&format!("scenario.seed={text}")]);
    assert_eq!(
        seed("9223372036854775807").unwrap().seed.0,
        9_223_372_036_854_775_807
    );
    assert_eq!(
        seed("9223372036854775808").unwrap().seed.0,
        9_223_372_036_854_775_808
    );
    assert_eq!(seed("0x1f").unwrap().seed.0, 31);
    assert_eq!(seed("1_000").unwrap().seed.0, 1000);
    assert!(seed("1.0").is_err());
    assert!(seed("18446744073709551616").is_err());
    let replicas = read_with(hello(), &["cluster.lab.replicas=4294967297"]);
    assert!(replicas.is_err());
    let text = hello().replace("seed = 1 ", "seed = 9223372036854775808 ");
    refused(&text, &["test.toml:10:8:"]);
}

#[test]
fn unknown_keys_are_answered_with_the_nearest() {
    let text = hello().replace("queue_limit =", "queue_limt =");
    refused(
        &text,
        &[
            "test.toml:",
            "unknown key `queue_limt`",
            "did you mean `queue_limit`?",
        ],
    );
    let text = hello().replace("client = \"visitor\"", "client = \"vistor\"");
    refused(
        &text,
        &["\"vistor\"", "did you mean `visitor`?", "[client.name]"],
    );
    let text = hello().replace("kind = \"rate\"", "kind = \"rat\"");
    refused(&text, &["did you mean `rate`?", "population, rate, trace"]);
    refused("[polcy]\n", &["did you mean `policy`?"]);
}

#[test]
fn all_problems_of_a_file_are_shown_at_once() {
    let text = hello()
        .replace("steps = 30", "steps = \"thirty\"")
        .replace("batch_limit = 4", "batch_limit = 0")
        .replace("lasts = ", "lats = ");
    let problems = read_with(&text, &[]).unwrap_err().0;
    let messages: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 4, "{messages:#?}");
}

#[test]
fn toml_is_read_as_toml_allows() {
    let twice = hello().replace("[region.here]", "[scenario]\nseed = 2\n[region.here]");
    refused(&twice, &["test.toml:12:2:", "not TOML"]);
    refused(
        &hello().replace("seed = 1 ", "seed = 1\nseed = 1 "),
        &["test.toml:11:1:", "duplicate"],
    );
    let bom = format!("\u{feff}{}", hello());
    assert!(read_with(&bom, &[]).is_ok());
    assert!(read_with(&hello().replace('\n', "\r\n"), &[]).is_ok());
    assert!(read_with(hello().trim_end(), &[]).is_ok());
    refused(
        &hello().replace("seed = 1 ", "seed = 1\0 "),
        &["test.toml:10:"],
    );
    let utf16: String = hello().chars().flat_map(|c| [c, '\0']).collect();
    refused(&utf16, &["test.toml:1:"]);
    for nothing in ["", "# nothing\n", "   "] {
        refused(nothing, &["`scenario.lasts` is missing"]);
    }
}

#[test]
fn deep_nesting_ends_in_a_message() {
    refused(&format!("a = {}", "[".repeat(20_000)), &["test.toml:1:"]);
    refused(
        &format!("a = {}{}", "[".repeat(20_000), "]".repeat(20_000)),
        &["test.toml:1:"],
    );
    refused(
        &format!("a = {}1{}", "{ a = ".repeat(20_000), " }".repeat(20_000)),
        &["test.toml:1:"],
    );
    refused(
        &format!("{} = 1", ["a"; 20_000].join(".")),
        &["test.toml:1:"],
    );
    refused(&format!("[{}]", ["a"; 20_000].join(".")), &["test.toml:1:"]);
    for depth in [70, 128, 129] {
        refused(
            &format!("a = {}1{}", "[".repeat(depth), "]".repeat(depth)),
            &["test.toml:1:"],
        );
    }
    let path = ["a"; 20_000].join(".");
    assert!(refusal(&format!("{path}=1")).contains("--set"));
}

#[test]
fn shares_sum_to_one() {
    let regions = |americas: &str| {
        let shares = format!("{{ americas = {americas}, emea = 0.38, asia = 0.22 }}");
        read_with(ghibli(), &[&format!("demand.plus.regions={shares}")])
    };
    assert!(regions("0.4").is_ok());
    assert!(regions("\"40 %\"").is_ok());
    assert!(regions("0.40000000001").is_ok());
    for wrong in ["0.399999", "0.400001", "0", "nan", "-0.4"] {
        assert!(regions(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn traces_are_read_through_the_callers_files() {
    let chat = embedded("replay-chat").unwrap().text;
    let scenario = read_with(chat, &[]).unwrap();
    let rows = |scenario: &Scenario| match &scenario.demands[0].kind {
        DemandKind::Trace(trace) => trace.rows.len(),
        _ => panic!("a trace"),
    };
    let whole = rows(&scenario);
    assert!(whole > 10_000, "{whole} rows");
    let half = rows(&read_with(chat, &["scenario.scale=0.5"]).unwrap());
    assert!(half.abs_diff(whole / 2) <= 1, "{half} of {whole} rows");
    let message = read_with(chat, &["demand.trace.file=nothing.csv"])
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("cannot be read: nothing.csv: no such file"),
        "{message}"
    );
    let message = read_with(chat, &["demand.trace.columns={ time = \"Zeit\" }"]).unwrap_err();
    assert!(message.to_string().contains("Zeit"), "{message}");
    let quota = read_with(chat, &["demand.trace.region=x"])
        .unwrap_err()
        .to_string();
    assert!(quota.contains("the name of a region"), "{quota}");
}

#[test]
fn a_system_that_cannot_work_is_refused() {
    for set in [
        "cluster.lab.replicas=0",
        "cluster.lab.batch_limit=0",
        "cluster.lab.pools=0",
        "policy.batching={ kind = \"static\", minimum = 5, window = \"1s\" }",
        "client.visitor.patience=0s",
        "profile.gpu.gpus_per_replica=0",
        "profile.gpu.iteration_time={}",
        "profile.gpu.iteration_time={ 0 = \"1s\" }",
        "tier.everyone.quota=3 images/day",
        "policy.degradation.quality=low",
        "scenario.warm_up=1h",
    ] {
        refusal(set);
    }
    let gpus = read_with(ghibli(), &["chunk.research.gpus=-8"])
        .unwrap_err()
        .to_string();
    assert!(gpus.contains("from 0 to"), "{gpus}");
    let few = read_with(ghibli(), &["chunk.research.gpus=7"])
        .unwrap_err()
        .to_string();
    assert!(few.contains("one replica takes 8"), "{few}");
    let no_pool = hello().replace("replicas = 6 ", "# ");
    refused(&no_pool, &["no tier can be served"]);
    let loss = read_with(hello(), &["policy.admission.queue_limit=0"]).unwrap();
    assert_eq!(
        loss.rules[0].1.policy.admission.queue_limit,
        QueueLimit::Requests(0)
    );
}

#[test]
fn a_chunk_of_no_gpus_is_as_if_it_were_not_there() {
    let left_out = read_with(ghibli(), &["chunk.research.gpus=0"]).unwrap();
    let names = |scenario: &Scenario| -> Vec<String> {
        let chunks = scenario.chunks.iter();
        chunks.map(|chunk| chunk.name.clone()).collect()
    };
    let mut all = names(&read_with(ghibli(), &[]).unwrap());
    all.retain(|name| name != "research");
    assert_eq!(names(&left_out), all);
}

#[test]
fn a_purchase_price_comes_from_the_catalog_with_its_source() {
    let vendors = |sets: &[&str]| read_with(ghibli(), sets).unwrap();
    let plain = vendors(&[]);
    assert!(
        plain
            .chunks
            .iter()
            .all(|chunk| chunk.purchase_usd_per_gpu.is_none())
    );
    assert!(plain.chunks.iter().all(|chunk| chunk.vendor == "NVIDIA"));
    let asked = vendors(&["chunk.research.purchase_price=catalog"]);
    let research = asked.chunks.iter().find(|chunk| chunk.name == "research");
    let usd = research.expect("it is there").purchase_usd_per_gpu;
    assert_eq!(usd, Some(30_000.0));
    let path = "chunk.research.purchase_price";
    let input = asked.inputs.iter().find(|input| input.path == path);
    let source = input
        .and_then(|input| input.source.clone())
        .expect("it is stated");
    assert!(source.contains("williamspurlock.com"), "{source}");
    let unknown = "chunk.research.accelerator=TPU-v5e";
    let refused = read_with(
        ghibli(),
        &[unknown, "chunk.research.purchase_price=catalog"],
    );
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("no purchase price of \"TPU-v5e\""),
        "{refused}"
    );
    let refused = read_with(ghibli(), &["chunk.research.purchase_price=cheap"]);
    let refused = refused.unwrap_err().to_string();
    let hint = "accepted: \"30000 USD/GPU\"; or \"catalog\"";
    assert!(refused.contains(hint), "{refused}");
}

#[test]
fn a_duration_without_a_clear_unit_is_refused() {
    for text in ["5", "\"5\"", "5 m", "5mo", "-5s", "1e400s", "P1Y", "nan s"] {
        let message = refusal(&format!("scenario.lasts={text}"));
        assert!(message.contains("\"2h30m\""), "{text}: {message}");
    }
    assert!(refusal("scenario.lasts=5 m").contains("write minutes as \"5min\""));
    for text in ["5m", "5min", "5 min", "300 s", "0.5h", "1h 30m"] {
        read_with(hello(), &[&format!("scenario.lasts={text}")]).unwrap();
    }
}

#[test]
fn names_are_short_and_plain() {
    let long = "x".repeat(10_000_000);
    for name in [
        "a\\nb",
        "a\\tb",
        "\\u001b]0;x\\u0007",
        "a\\u202eb",
        "a b",
        "",
        "-a",
        "../x",
        &long,
    ] {
        let text = hello().replace("[scenario]  ", &format!("[scenario]\nname = \"{name}\" "));
        let message = read_with(&text, &[]).unwrap_err().to_string();
        assert!(message.len() < 1000, "{} bytes", message.len());
        assert!(
            !message.contains(['\u{1b}', '\u{202e}', '\u{7}']),
            "{message}"
        );
        let text = hello().replace("[region.here]", &format!("[region.\"{name}\"]"));
        let message = read_with(&text, &[]).unwrap_err().to_string();
        assert!(message.len() < 4000, "{} bytes", message.len());
        assert!(
            !message.contains(['\u{1b}', '\u{202e}', '\u{7}']),
            "{message}"
        );
    }
}

#[test]
fn a_wrong_flag_is_named() {
    for set in [
        "=",
        "a=",
        "=1",
        "nothing",
        "a.b.c=1",
        "tier.every.open=false",
        "tier.everyone.opn=false",
        "tier.everyone.open=yes",
        "scenario=1",
        "scenario.seed.x=1",
        "demand.visitors.curve.7=1",
        "extends=ghibli-week",
        "a..b=1",
    ] {
        let message = refusal(set);
        assert!(message.contains(&format!("--set {set}")), "{message}");
    }
    assert!(refusal("tier.everione.open=false").contains("did you mean `everyone`?"));
}

#[test]
fn the_last_flag_wins_and_equals_an_edit() {
    let flags = read_with(hello(), &["scenario.seed=5", "scenario.seed=6"]).unwrap();
    let edited = read_with(&hello().replace("seed = 1 ", "seed = 6 "), &[]).unwrap();
    let plain = |scenario: Scenario| {
        format!(
            "{:?}",
            Scenario {
                inputs: Vec::new(),
                ..scenario
            }
        )
    };
    assert_eq!(plain(flags), plain(edited));
}

#[test]
fn ten_thousand_flags_are_read_at_once() {
    let sets: Vec<String> = (0..10_000)
        .map(|seed| format!("scenario.seed={seed}"))
        .collect();
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    assert_eq!(read_with(hello(), &sets).unwrap().seed.0, 9999);
    let sets: Vec<String> = (0..10_000)
        .map(|index| format!("nothing{index}.x=1"))
        .collect();
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    assert_eq!(read_with(hello(), &sets).unwrap_err().0.len(), 10_000);
}

#[test]
fn the_timeline_may_change_only_rules() {
    let with = |set: &str| {
        let entry = format!("[[timeline]]\nat = \"60s\"\nwhat = \"x\"\nset = {{ {set} }}\n");
        read_with(&format!("{}\n{entry}", hello()), &[])
    };
    let rules = with("\"policy.drop\" = \"stale\", \"tier.everyone.priority\" = 3")
        .unwrap()
        .rules;
    assert_eq!((rules.len(), rules[1].1.tiers[0].priority), (2, 3));
    for (set, part) in [
        ("\"scenario.seed\" = 3", "which is no rule"),
        ("\"tier.everyone.client\" = \"x\"", "which is fixed"),
        ("\"tier.everion.open\" = true", "did you mean `everyone`?"),
        ("\"policy.dropp\" = \"stale\"", "did you mean `drop`?"),
        ("\"policy.drop\" = \"all\"", "nothing, stale, hopeless"),
        (
            "\"tier.everyone.quota\" = \"3 images/day\"",
            "how many users",
        ),
    ] {
        let message = with(set).unwrap_err().to_string();
        assert!(message.contains(part), "{set}: {message}");
        assert!(message.contains("test.toml:"), "{set}: {message}");
    }
}

#[test]
fn places_are_reclaimed_from_the_date_on_that_the_timeline_says() {
    let entry =
        "[[timeline]]\nat = \"60s\"\nwhat = \"x\"\nset = { \"policy.reclaim\" = \"interrupt\" }\n";
    let rules = read_with(&format!("{}\n{entry}", hello()), &[])
        .unwrap()
        .rules;
    let reclaim = |index: usize| rules[index].1.policy.reclaim;
    assert_eq!(
        (reclaim(0), reclaim(1)),
        (Reclaim::AtEnd, Reclaim::Interrupt)
    );
    let message = read_with(hello(), &["policy.reclaim=now"])
        .unwrap_err()
        .to_string();
    assert!(message.contains("at-end, interrupt"), "{message}");
}

#[test]
fn tables_that_nothing_uses_are_doubted() {
    let text = format!("{}\n[tier.nobody]\nclient = \"visitor\"\n", hello());
    let warnings = read_with(&text, &[]).unwrap().warnings;
    assert_eq!(warnings, ["`[tier.nobody]` is not used"]);
}

#[test]
fn what_a_small_scale_distorts_is_doubted() {
    let week = embedded("ghibli-week").expect("it is embedded");
    let warnings = |scale: f64| {
        let settings = Settings {
            scale: Some(scale),
            ..Settings::default()
        };
        read(week, &settings, &files).unwrap().warnings
    };
    let [fleet, limit] = warnings(0.001).try_into().expect("two warnings");
    assert!(fleet.contains("whole replicas"), "{fleet}");
    assert!(limit.contains("tier.free.rate_limit"), "{limit}");
    for scale in [0.1, 1.0] {
        assert_eq!(warnings(scale), Vec::<String>::new(), "{scale}");
    }
}

#[test]
fn a_process_may_have_a_law_or_states() {
    let with = |process: &str| {
        let set = format!("demand.visitors.process={process}");
        read_with(hello(), &[&set]).map(|scenario| match &scenario.demands[0].kind {
            DemandKind::Rate { process, .. } => process.clone(),
            _ => panic!("a rate"),
        })
    };
    let gap = "{ law = \"erlang\", mean = \"1s\", stages = 4 }";
    let renewal = with(&format!("{{ kind = \"renewal\", gap = {gap} }}")).unwrap();
    assert!(matches!(renewal, Process::Renewal(_)));
    let state = |factor: f64, mean: &str, more: &str| {
        format!(
            "{{ factor = {factor}, stay = {{ law = \"exponential\", mean = \"{mean}\" }}{more} }}"
        )
    };
    let states = |states: &[String]| {
        let list = states.join(", ");
        with(&format!("{{ kind = \"modulated\", states = [{list}] }}"))
    };
    let on_off = states(&[state(3.0, "10s", ""), state(0.0, "20s", "")]).unwrap();
    assert!((on_off.mean_factor() - 1.0).abs() < 1e-12);
    let refused = |states_given: &[String], what: &str| {
        let message = states(states_given).unwrap_err().to_string();
        assert!(message.contains(what), "{message}");
    };
    refused(&[state(1.0, "1s", "")], "a list of 2 to 20 values");
    refused(
        &[state(1.0, "1s", ", next = [0, 1, 0]"), state(2.0, "1s", "")],
        "have a `next` of another length",
    );
    refused(
        &[
            state(1.0, "1s", ", next = [0, 1, 0]"),
            state(2.0, "1s", ", next = [1, 0, 0]"),
            state(2.0, "1s", ""),
        ],
        "are not all reached from each other",
    );
    refused(
        &[state(-1.0, "1s", ""), state(2.0, "1s", "")],
        "process.states.0.factor",
    );
}

#[test]
fn how_often_and_how_precisely_a_scenario_is_run() {
    let once = read_with(hello(), &[]).unwrap();
    assert_eq!((once.runs.replications, once.runs.target), (1, None));
    let twenty = read_with(hello(), &["scenario.replications=20"]).unwrap();
    assert_eq!((twenty.runs.replications, twenty.runs.target), (20, None));
    let precise = read_with(hello(), &["scenario.target_ci=1 %"])
        .unwrap()
        .runs;
    let target = precise.target.unwrap();
    assert_eq!(
        (precise.replications, target.relative_half_width),
        (1000, 0.01)
    );
    assert_eq!(target.measures, ["response_mean", "goodput"]);
    let sets = [
        "scenario.target_ci=0.05",
        "scenario.target_metric=response_p99",
    ];
    let p99 = read_with(hello(), &sets).unwrap().runs.target.unwrap();
    assert_eq!(p99.measures, ["response_p99"]);
    for (set, part) in [
        ("scenario.replications=0", "from 1 to 10000"),
        ("scenario.replications=10001", "from 1 to 10000"),
        ("scenario.target_ci=0", "from 0.0001 to 0.5"),
        ("scenario.target_ci=1", "\"1 %\""),
        ("scenario.target_metric=goodput", "needs `target_ci`"),
        ("scenario.target_metric=godput", "did you mean `goodput`?"),
        ("scenario.target_cj=1 %", "did you mean `target_ci`?"),
        ("scenario.warm_up=automatic", "scenario.warm_up"),
    ] {
        let message = refusal(set);
        assert!(message.contains(part), "no {part:?} in: {message}");
    }
    let few = read_with(
        hello(),
        &["scenario.target_ci=1 %", "scenario.replications=9"],
    );
    assert!(few.unwrap_err().to_string().contains("too few to judge"));
}

#[test]
fn flags_win_over_the_file_and_are_named() {
    let text = hello().replace(
        "[scenario]",
        "[scenario]\nreplications = 5\nwarm_up = \"auto\"",
    );
    let source = Source {
        name: "test.toml",
        text: &text,
    };
    let file = read(source, &Settings::default(), &files).unwrap();
    assert_eq!(
        (file.runs.replications, file.warm_up_rule),
        (5, WarmUpRule::Auto)
    );
    let mut settings = Settings {
        replications: Some("30".into()),
        target_ci: Some("2%".into()),
        target_metric: Some("wait_mean".into()),
        ..Settings::default()
    };
    let flags = read(source, &settings, &files).unwrap();
    assert_eq!(flags.runs.replications, 30);
    assert_eq!(flags.runs.target.unwrap().measures, ["wait_mean"]);
    let origin = |path: &str| {
        let input = flags.inputs.iter().find(|input| input.path == path);
        input.unwrap().origin.clone()
    };
    assert_eq!(origin("scenario.target_ci"), "--target-ci");
    settings.replications = Some("-1".into());
    let problem = read(source, &settings, &files).unwrap_err().to_string();
    assert!(problem.contains("--replications"), "{problem}");
}

#[test]
fn the_schema_knows_replications() {
    let validator = jsonschema::draft202012::new(&json_schema()).unwrap();
    let check = |scenario: Json| {
        validator.is_valid(&serde_json::json!({ "extends": "hello", "scenario": scenario }))
    };
    assert!(check(
        serde_json::json!({ "replications": 20, "target_ci": "1 %" })
    ));
    assert!(check(
        serde_json::json!({ "warm_up": "auto", "target_metric": "main" })
    ));
    assert!(!check(serde_json::json!({ "replications": 0 })));
    assert!(!check(serde_json::json!({ "target_metric": "mean" })));
}

#[test]
fn orders_that_contradict_themselves_are_refused() {
    let with = |keys: &str| {
        format!(
            "extends = \"hello\"\n[chunk.a]\ngpus = 8\naccelerator = \"H100-SXM-80GB\"\ncluster = \"lab\"\n{keys}\n"
        )
    };
    let cases: [(&str, &[&str]); 14] = [
        ("ordered = \"1s\"", &["needs `lead_time`", "test.toml:6:"]),
        ("lead_time = \"1s\"", &["needs `ordered`"]),
        ("promised = \"1s\"", &["needs `ordered`"]),
        (
            "ordered = \"1s\"\nlead_time = \"1s\"\ndelivered = \"1s\"",
            &["`chunk.a.delivered` stands beside `ordered`"],
        ),
        ("stages = [[\"1s\", \"40 %\"]]", &["sum to 0.4"]),
        (
            "stages = [[\"2s\", 0.5], [\"1s\", 0.5]]",
            &["goes back in time"],
        ),
        ("stages = []", &["a list of 1 to 100"]),
        ("pace = \"5_000/week\"", &["GPUs/week"]),
        ("pace = \"0 GPUs/week\"", &["above 0"]),
        ("acceptance_failures = \"101 %\"", &["from 0 to 1"]),
        ("replaced_after = \"1s\"", &["needs `acceptance_failures`"]),
        (
            "price = \"catalog\"",
            &["the catalog has no price of \"H100-SXM-80GB\"", "on-demand"],
        ),
        (
            "[supplier.Nobody]\ndeliverable = \"catalog\"",
            &["no provider \"Nobody\""],
        ),
        (
            "[cluster.b]\nregion = \"here\"\npower_limit = [[\"1s\", \"2 MW\"], [\"2s\", \"1 MW\"]]",
            &["never fall"],
        ),
    ];
    for (keys, parts) in cases {
        refused(&with(keys), parts);
    }
    let limited = "[cluster.lab]\npower_limit = \"1 MW\"";
    refused(&with(limited), &["does not say what power it draws"]);
}

#[test]
fn an_order_may_lie_before_the_start() {
    let text = "extends = \"ghibli-week\"\n[chunk.early]\ngpus = 8\naccelerator = \"H100-SXM-80GB\"\n\
                cluster = \"us-south\"\nordered = \"2024-12-01T00:00Z\"\nlead_time = \"90d\"\n";
    let scenario = read_with(text, &[]).unwrap();
    let mut chunks = scenario.chunks.iter();
    let early = chunks
        .find(|chunk| chunk.name == "early")
        .expect("it was ordered");
    assert_eq!(early.delivered.0, 0, "it came before the start");
    assert!(early.order.promised_s < 0.0);
}
