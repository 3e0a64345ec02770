//! A measured device profile in the place of a scenario's own.

use meltpoint::profile::MeasuredProfile;
use meltpoint::profile::measured::{
    Ceilings, Clock, CopyCeiling, Device, DeviceKind, FORMAT, GemmCeiling, IterationTime,
    IterationWork, Method, Rate, VERSION, Variant, Warning, Workload, WorkloadKind,
};
use meltpoint::scenario::{DemandKind, Measured, Settings, embedded, embedded_trace, read};
use serde_json::Value as Json;

use crate::program::{Ended, HELLO, Room};

/// A step of 10 ms and 10 ms an image on an H100, with samples that spread by a share.
pub(crate) fn h100(share: f64) -> MeasuredProfile {
    let around = |value: f64| -> Vec<f64> {
        let offsets = [0.1, -0.7, 0.4, -0.2, 0.9, -0.9, 0.3, -0.4, 0.6, -0.1];
        offsets
            .iter()
            .map(|offset| value * (1.0 + share * offset))
            .collect()
    };
    let iteration = |batch: u32| {
        let n = f64::from(batch);
        let work = IterationWork {
            batch,
            context_tokens: 0,
            flop: 3e12 * n,
            bytes: 3e9 * n,
        };
        IterationTime::of(work, around(0.010 + 0.010 * n)).expect("positive samples")
    };
    MeasuredProfile {
        format: FORMAT.to_owned(),
        version: VERSION,
        valid: true,
        program: "0.1.0".to_owned(),
        measured_at: "2026-01-02T03:04:05Z".to_owned(),
        device: Device {
            name: "NVIDIA H100 80GB HBM3".to_owned(),
            vendor: "NVIDIA".to_owned(),
            kind: DeviceKind::Discrete,
            backend: "vulkan".to_owned(),
            driver: "NVIDIA".to_owned(),
            driver_info: "570.00".to_owned(),
            wgpu: "30.0.0".to_owned(),
            memory_bytes: Some(80_000_000_000),
            accelerator: Some("H100-SXM-80GB".to_owned()),
        },
        workload: Workload {
            model: "made-up".to_owned(),
            kind: WorkloadKind::Diffusion,
            resolution_px: 512,
            iterations_per_image: 15,
            sequences_per_image: 2,
            variant: Variant::CooperativeF16,
            weights: "seeded random".to_owned(),
            weights_seed: 7,
            kernels: Vec::new(),
            parameters: 1_000_000,
            tiles: Vec::new(),
            weight_bytes: 2_000_000,
        },
        method: Method {
            clock: Clock::Timestamps,
            warm_up_iterations: 5,
            samples: 10,
            longest_dispatch_s: 0.01,
        },
        ceilings: Ceilings {
            // 3e12 flop and 3e9 bytes take as long: half of the time is traffic.
            gemm: Some(GemmCeiling {
                flop_per_s: Rate::of(around(3e14)).expect("positive samples"),
                shape: [8192, 8192, 8192],
                variant: Variant::CooperativeF16,
            }),
            copy: Some(CopyCeiling {
                bytes_per_s: Rate::of(around(3e11)).expect("positive samples"),
                bytes: 1 << 30,
            }),
        },
        iterations: vec![iteration(1), iteration(2), iteration(4)],
        decoder: Vec::new(),
        energy: None,
        energy_absent: None,
        warnings: Vec::new(),
    }
}

fn room_with(profile: &MeasuredProfile) -> Room {
    let room = Room::new();
    room.write("p.json", profile.to_json().expect("plain data"));
    room
}

/// What a command says that ends with this exit code.
fn failed(room: &Room, arguments: &[&str], code: i32) -> Ended {
    let ended = room.run(arguments);
    assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.err);
    assert_eq!(ended.out, "");
    ended
}

fn inputs(room: &Room, arguments: &[&str]) -> Vec<Json> {
    let shown = room.done(&[&["config", "show", "--format", "json"], arguments].concat());
    serde_json::from_str(&shown.out).expect("JSON")
}

fn input<'i>(inputs: &'i [Json], path: &str) -> &'i Json {
    let mut found = inputs.iter().filter(|input| input["path"] == path);
    let first = found
        .next()
        .unwrap_or_else(|| panic!("no {path} in {inputs:#?}"));
    assert!(found.next().is_none(), "{path} is there twice");
    first
}

#[test]
fn the_measured_times_take_the_place_of_the_scenarios() {
    let room = room_with(&h100(0.01));
    let inputs = inputs(&room, &["hello", "--profile", "p.json"]);
    let four = input(&inputs, "profile.gpu.iteration_time.4");
    assert_eq!(four["origin"], "--profile p.json");
    assert_eq!(four["provenance"], "measured");
    let source = four["source"].as_str().expect("a source");
    for part in [
        "p.json",
        "NVIDIA H100 80GB HBM3",
        "570.00",
        "2026-01-02",
        "made-up 512 px",
    ] {
        assert!(source.contains(part), "no {part} in {source}");
    }
    let run = room.done(&["simulate", "hello", "--profile", "p.json", "--out", "r"]);
    let result = room.result("r");
    assert_eq!(result["inputs"], Json::from(inputs));
    let own = room.done(&["simulate", "hello", "--out", "own"]);
    assert_ne!(run.out, own.out);
}

#[test]
fn another_accelerator_is_scaled_and_the_table_says_so() {
    let room = room_with(&h100(0.0));
    let b200 = [
        "hello",
        "--profile",
        "p.json",
        "--set",
        "profile.gpu.accelerator=B200-SXM-180GB",
    ];
    let inputs = inputs(&room, &b200);
    let one = input(&inputs, "profile.gpu.iteration_time.1");
    // 20 ms, half arithmetic (989 to 2250 TFLOP/s), half traffic (3.35 to 7.7 TB/s).
    let expected_ms = 20.0 * (0.5 * 989.0 / 2250.0 + 0.5 * 3.35 / 7.7);
    assert_eq!(one["value"], format!("\"{expected_ms:.6} ms\""));
    assert_eq!(one["provenance"], "datasheet");
    let source = one["source"].as_str().expect("a source");
    assert!(
        source.contains("scaled from H100-SXM-80GB to B200-SXM-180GB"),
        "{source}"
    );
    assert_eq!(
        input(&inputs, "profile.gpu.memory")["value"],
        "\"179998000000 B\""
    );
}

#[test]
fn an_accelerator_that_is_not_known_is_refused_with_what_to_write() {
    let room = room_with(&h100(0.0));
    let tried = [
        "check",
        "hello",
        "--profile",
        "p.json",
        "--set",
        "profile.gpu.accelerator=H101-SXM-80GB",
    ];
    let refused = failed(&room, &tried, 2);
    for part in [
        "H101-SXM-80GB",
        "did you mean `H100-SXM-80GB`",
        "MI325X",
        "accelerator = \"H100-SXM-80GB\"",
    ] {
        assert!(refused.err.contains(part), "no {part} in {}", refused.err);
    }
    let mut f32 = h100(0.0);
    f32.workload.variant = Variant::F32;
    room.write("p.json", f32.to_json().expect("plain data"));
    let b200 = [
        "check",
        "hello",
        "--profile",
        "p.json",
        "--set",
        "profile.gpu.accelerator=L4",
    ];
    let refused = failed(&room, &b200, 2);
    assert!(
        refused
            .err
            .contains("measured in f32, off the matrix units"),
        "{}",
        refused.err
    );
    // As it is, it can be used.
    room.done(&["check", "hello", "--profile", "p.json"]);
}

#[test]
fn tokens_are_translated_into_steps() {
    let room = room_with(&h100(0.0));
    let checked = room.done(&["check", "ghibli-week", "--profile", "p.json"]);
    let note = "the 1056 of \"image\" become the 15 of one image (diffusion)";
    assert!(checked.err.contains(note), "{}", checked.err);
    let inputs = inputs(&room, &["ghibli-week", "--profile", "p.json"]);
    let low = input(&inputs, "work.image.quality.low.iterations");
    assert_eq!(low["value"], format!("{:.6}", 272.0 * 15.0 / 1056.0));
    assert_eq!(low["source"], "272 x 15 / 1056");
    assert_eq!(
        input(&inputs, "profile.h100-image.gpus_per_replica")["value"],
        "1"
    );
    // Steps stay steps.
    let same = room.done(&["check", "hello", "--profile", "p.json"]);
    assert!(!same.err.contains("become"), "{}", same.err);
}

#[test]
fn recorded_tokens_are_translated_too() {
    let name = "replay-chat";
    let files = |name: &str| Ok(embedded_trace(name).expect("an embedded trace").to_vec());
    let rows = |settings: &Settings| {
        let scenario = read(embedded(name).expect("embedded"), settings, &files).expect("valid");
        match &scenario.demands[0].kind {
            DemandKind::Trace(trace) => trace.rows.clone(),
            other => panic!("{other:?}"),
        }
    };
    let measured = Measured {
        name: "p.json".into(),
        profile: h100(0.0),
    };
    let own = rows(&Settings::default());
    let translated = rows(&Settings {
        measured: Some(measured),
        ..Settings::default()
    });
    assert_eq!(own.len(), translated.len());
    for (own, translated) in own.iter().zip(&translated) {
        // 211 tokens, the mean, are the 15 steps of an image.
        let steps = (f64::from(own.iterations) * 15.0 / 211.0).round().max(1.0);
        assert_eq!(f64::from(translated.iterations), steps);
    }
}

#[test]
fn a_scenario_of_service_times_has_nothing_to_replace() {
    let room = room_with(&h100(0.0));
    let service = HELLO
        .replace("kind = \"diffusion\"", "kind = \"service\"")
        .replace("steps = 30", "service = \"1s\"")
        .replace("profile = \"gpu\"", "");
    room.write("service.toml", service);
    room.done(&["check", "service.toml"]);
    let refused = failed(&room, &["check", "service.toml", "--profile", "p.json"], 2);
    let said = "`--profile` gives iteration times, but no cluster has a profile";
    assert!(refused.err.contains(said), "{}", refused.err);
}

#[test]
fn a_software_adapter_is_refused_unless_forced_and_then_marked() {
    // G02.
    let mut software = h100(0.0);
    software.device.kind = DeviceKind::Software;
    software.warnings.push(Warning::SoftwareAdapter);
    let room = room_with(&software);
    let refused = failed(&room, &["simulate", "hello", "--profile", "p.json"], 5);
    for part in ["software adapter", "--force-profile"] {
        assert!(refused.err.contains(part), "no {part} in {}", refused.err);
    }
    let forced = ["hello", "--profile", "p.json", "--force-profile"];
    room.done(&[&["simulate"], &forced[..], &["--out", "r"]].concat());
    let warnings = room.result("r")["warnings"].to_string();
    assert!(
        warnings.contains("software adapter, and its use was forced"),
        "{warnings}"
    );

    let mut early = h100(0.0);
    early.valid = false;
    room.write("p.json", early.to_json().expect("plain data"));
    let refused = failed(&room, &["check", "hello", "--profile", "p.json"], 5);
    assert!(refused.err.contains("ended early"), "{}", refused.err);
    let marked = room.done(&[&["check"], &forced[..]].concat());
    assert!(
        marked.err.contains("ended early, and its use was forced"),
        "{}",
        marked.err
    );
}

#[test]
fn a_file_that_is_no_profile_is_refused() {
    let room = Room::new();
    room.write("p.json", "{}");
    let refused = failed(&room, &["check", "hello", "--profile", "p.json"], 2);
    assert!(
        refused
            .err
            .contains("`p.json` is no device profile: `format` is \"\""),
        "{}",
        refused.err
    );
    let absent = failed(&room, &["check", "hello", "--profile", "q.json"], 4);
    assert!(absent.err.contains("q.json"), "{}", absent.err);
    failed(&room, &["check", "hello", "--force-profile"], 2);
}

#[test]
fn batches_that_did_not_fit_are_not_simulated() {
    let mut full = h100(0.0);
    full.iterations.pop();
    full.warnings.push(Warning::OutOfMemory { batch: 4 });
    let room = room_with(&full);
    let checked = room.done(&["check", "hello", "--profile", "p.json"]);
    assert!(
        checked.err.contains("batches of at most 2 instead of 4"),
        "{}",
        checked.err
    );
    full.warnings.clear();
    room.write("p.json", full.to_json().expect("plain data"));
    let checked = room.done(&["check", "hello", "--profile", "p.json"]);
    assert!(
        checked.err.contains("only 2 were measured"),
        "{}",
        checked.err
    );
}

#[test]
fn a_profile_follows_its_schema() {
    let room = Room::new();
    let schema: Json = serde_json::from_str(&room.done(&["schema", "profile"]).out).expect("JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let mut profile = serde_json::to_value(h100(0.01)).expect("plain data");
    assert!(validator.is_valid(&profile));
    profile["iterations"][0]["batch"] = "one".into();
    assert!(!validator.is_valid(&profile));
}

/// The interval of the mean response of `hello`, over so many replications.
fn interval(room: &Room, share: f64, accelerator: &str) -> (f64, f64) {
    room.write("p.json", h100(share).to_json().expect("plain data"));
    let set = format!("profile.gpu.accelerator={accelerator}");
    let run = [
        "simulate",
        "hello",
        "--profile",
        "p.json",
        "--set",
        &set,
        "--replications",
        "8",
        "--out",
        "r",
    ];
    room.done(&run);
    let rows = room.table("r", "intervals.csv");
    let row = rows
        .iter()
        .find(|row| row["name"] == "response_mean")
        .expect("a row");
    let number = |column: &str| -> f64 { row[column].parse().expect("a number") };
    (number("high") - number("low"), number("mean"))
}

#[test]
fn a_wider_interval_of_the_iteration_time_widens_that_of_the_answer() {
    let room = Room::new();
    let (narrow, _) = interval(&room, 0.0, "H100-SXM-80GB");
    let (wide, _) = interval(&room, 0.3, "H100-SXM-80GB");
    assert!(wide > 1.5 * narrow, "{narrow} and {wide}");
    let report = room.done(&["report", "r"]);
    assert!(report.out.contains("device profile"), "{}", report.out);
    // An H200 is as good as measured on an H100 within 20 % or so.
    let (scaled, mean) = interval(&room, 0.0, "H200-SXM-141GB");
    assert!(scaled / mean > 0.1, "{scaled} of {mean}");
}

#[test]
fn a_run_with_a_profile_is_the_same_for_any_number_of_threads() {
    let room = room_with(&h100(0.1));
    let run = |threads: &str| {
        let arguments = [
            "simulate",
            "hello",
            "--profile",
            "p.json",
            "--replications",
            "5",
        ];
        room.done(&[&arguments[..], &["--threads", threads, "--out", "r"]].concat())
            .out
    };
    assert_eq!(run("1"), run("3"));
    // Replication 0 has the medians, so it is the single run.
    let many = room.files("r");
    room.done(&[
        "simulate",
        "hello",
        "--profile",
        "p.json",
        "--out",
        "single",
    ]);
    assert_eq!(many["series.csv"], room.files("single")["series.csv"]);
}

#[test]
fn two_scenarios_on_one_profile_are_off_by_the_same_factor() {
    let room = room_with(&h100(0.3));
    let other = HELLO
        .replace("[profile.gpu]", "[profile.card]")
        .replace("\"gpu\"", "\"card\"");
    room.write("more.toml", other);
    let both = [
        "compare",
        "hello",
        "more.toml",
        "--replications",
        "10",
        "--format",
        "json",
    ];
    let compared = room.done(&[&both[..], &["--profile", "p.json"]].concat());
    let compared: Json = serde_json::from_str(&compared.out).expect("JSON");
    let conclusion = compared["conclusion"].as_str().expect("a text");
    assert!(conclusion.starts_with("identical"), "{conclusion}");
    room.done(&["simulate", "hello", "--out", "a"]);
    room.done(&["simulate", "more.toml", "--out", "b"]);
    let results = failed(&room, &["compare", "a", "b", "--profile", "p.json"], 2);
    assert!(results.err.contains("device profile"), "{}", results.err);
}
