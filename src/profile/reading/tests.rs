//! Files that are whole, and files that are broken in one place each.

use super::*;
use crate::profile::fixture;
use crate::profile::measured::{DeviceKind, TilesBy, Warning};

fn json() -> serde_json::Value {
    serde_json::to_value(fixture::profile()).expect("plain data")
}

fn refused(change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut json = json();
    change(&mut json);
    let problem = read_measured(&json.to_string()).expect_err("it is broken");
    problem.to_string()
}

#[test]
fn what_is_written_is_read_back_to_the_last_bit() {
    let mut profile = fixture::profile();
    profile.warnings = vec![
        Warning::SoftwareAdapter,
        Warning::OutOfMemory { batch: 32 },
        Warning::Noisy {
            what: "gemm".into(),
            batch: None,
            spread: 0.07,
        },
    ];
    profile.workload.tiles = vec![fixture::tiles(TilesBy::Search)];
    let text = profile.to_json().expect("plain data");
    assert_eq!(read_measured(&text), Ok(profile));
}

#[test]
fn a_profile_of_a_version_without_tiles_is_read() {
    let mut json = json();
    let workload = json["workload"].as_object_mut().expect("a table");
    workload.remove("tiles");
    let profile = read_measured(&json.to_string()).expect("it is whole");
    assert_eq!(profile.workload.tiles, []);
    let strange = refused(|json| json["workload"]["tiles"] = serde_json::json!([{ "by": "luck" }]));
    assert!(strange.contains("unknown variant `luck`"), "{strange}");
}

#[test]
fn unknown_fields_are_let_pass() {
    let mut json = json();
    json["colour"] = "green".into();
    json["device"]["slot"] = 3.into();
    assert!(read_measured(&json.to_string()).is_ok());
}

#[test]
fn a_file_of_another_kind_is_named_first() {
    let another = refused(|json| *json = serde_json::json!({ "name": "a result" }));
    assert_eq!(
        another,
        "`format` is \"\", but must be \"meltpoint-device-profile\""
    );
    let later = refused(|json| json["version"] = 2.into());
    assert_eq!(later, "`version` is 2, but this program reads version 1");
    let cut = read_measured("{\n  \"format\": ").expect_err("cut off");
    assert!(matches!(cut, NotAProfile::Json { line: 2, .. }), "{cut}");
}

#[test]
fn a_missing_field_is_named_with_its_line() {
    let mut json = json();
    json["device"]
        .as_object_mut()
        .expect("a table")
        .remove("kind");
    let text = serde_json::to_string_pretty(&json).expect("plain data");
    let problem = read_measured(&text).expect_err("it is broken");
    let NotAProfile::Json { line, message, .. } = problem else {
        panic!("{problem}");
    };
    assert!(line > 2);
    assert_eq!(message, "missing field `kind`");
}

#[test]
fn numbers_that_cannot_be_are_named_with_what_is_allowed() {
    let zero = refused(|json| json["iterations"][1]["samples_s"][3] = 0.0.into());
    assert_eq!(
        zero,
        "`iterations[1].samples_s[3]` is 0, but must be from 1 ns to 1e6 s"
    );
    let batch = refused(|json| json["decoder"][0]["batch"] = 0.into());
    assert_eq!(
        batch,
        "`decoder[0].batch` is 0, but must be from 1 to 65,536"
    );
    let steps = refused(|json| json["workload"]["iterations_per_image"] = 0.into());
    assert!(
        steps.starts_with("`workload.iterations_per_image` is 0"),
        "{steps}"
    );
    let context = refused(|json| json["iterations"][0]["context_tokens"] = 5.into());
    assert!(
        context.contains("context_tokens` is 5, but must be 0"),
        "{context}"
    );
    let sure = refused(|json| json["ceilings"]["gemm"]["flop_per_s"]["confidence"] = 1.5.into());
    assert!(sure.ends_with("is 1.5, but must be from 0 to 1"), "{sure}");
    let long = refused(|json| json["iterations"][0]["samples_s"][0] = 1e9.into());
    assert!(
        long.ends_with("is 1000000000, but must be from 1 ns to 1e6 s"),
        "{long}"
    );
    let work = refused(|json| json["iterations"][0]["flop"] = 1e300.into());
    assert!(
        work.ends_with("must be a number above 0 and up to 1e30"),
        "{work}"
    );
    // Too large for a float: JSON knows neither infinity nor NaN.
    let text = json()
        .to_string()
        .replacen("\"flop\":1000000000000.0", "\"flop\":1e999", 1);
    assert!(read_measured(&text).is_err());
}

#[test]
fn points_out_of_order_are_refused() {
    let swapped = refused(|json| {
        let list = json["iterations"].as_array_mut().expect("a list");
        list.swap(1, 2);
    });
    assert!(
        swapped.starts_with("`iterations[2]` does not come after"),
        "{swapped}"
    );
    let twice = refused(|json| json["iterations"][1]["batch"] = 1.into());
    assert!(
        twice.starts_with("`iterations[1]` does not come after"),
        "{twice}"
    );
}

#[test]
fn statistics_must_be_those_of_the_samples() {
    let median = refused(|json| json["iterations"][0]["median_s"] = 0.001.into());
    assert!(
        median.starts_with("`iterations[0].median_s` is 0.001, but its samples give 0.00699"),
        "{median}"
    );
    let low = refused(|json| json["iterations"][0]["interval"]["low_s"] = 0.5.into());
    assert!(
        low.starts_with("`iterations[0].interval.low_s` is 0.5"),
        "{low}"
    );
    let none = refused(|json| json["iterations"][0]["samples_s"] = serde_json::json!([]));
    assert!(
        none.starts_with("`iterations[0].samples_s` is empty or missing"),
        "{none}"
    );
}

#[test]
fn only_a_run_that_ended_early_may_lack_what_it_did_not_reach() {
    let lacks = |json: &mut serde_json::Value| {
        json["ceilings"] = serde_json::json!({});
        json["iterations"] = serde_json::json!([]);
    };
    assert_eq!(
        refused(lacks),
        "`iterations` is empty or missing, but a valid profile has it"
    );
    let mut early = json();
    lacks(&mut early);
    early["valid"] = false.into();
    assert!(read_measured(&early.to_string()).is_ok());
}

#[test]
fn texts_do_not_reach_the_terminal_raw() {
    let escape = refused(|json| json["device"]["name"] = "\u{1b}[2J".into());
    assert_eq!(
        escape,
        "`device.name` must be printable text of at most 500 characters"
    );
    let seen = refused(|json| {
        json["warnings"] = serde_json::json!([{ "kind": "foreign-load", "seen": "a\u{7}b" }]);
    });
    assert!(
        seen.starts_with("`warnings[0].seen` must be printable"),
        "{seen}"
    );
    let kind = refused(|json| json["device"]["kind"] = "\u{1b}[2J".into());
    assert!(
        kind.starts_with("`device.kind` must be printable"),
        "{kind}"
    );
    let key = refused(|json| json["\u{1b}[2J"] = "\u{7}".into());
    assert!(key.starts_with("`\\u{1b}[2J` must be printable"), "{key}");
    let long = refused(|json| json["workload"]["model"] = "x".repeat(501).into());
    assert!(long.starts_with("`workload.model` must be"), "{long}");
}

#[test]
fn a_software_adapter_is_known_by_its_kind_or_its_warning() {
    let mut profile = fixture::profile();
    assert!(!profile.is_software());
    profile.warnings.push(Warning::SoftwareAdapter);
    assert!(profile.is_software());
    profile.warnings.clear();
    profile.device.kind = DeviceKind::Software;
    assert!(profile.is_software());
}
