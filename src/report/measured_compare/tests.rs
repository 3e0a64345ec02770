//! Comparisons of made-up devices.

use super::*;
use crate::profile::fixture;
use crate::profile::measured::{DeviceKind, Variant};
use crate::report::Style;

const PLAIN: Style = Style {
    colour: false,
    width: 100,
};

/// The same device with times multiplied.
fn times_as_long(factor: f64) -> MeasuredProfile {
    let mut profile = fixture::profile();
    for time in profile.iterations.iter_mut().chain(&mut profile.decoder) {
        time.samples_s.iter_mut().for_each(|s| *s *= factor);
    }
    profile
}

fn compared(a: &MeasuredProfile, b: &MeasuredProfile) -> MeasuredComparison {
    compare_measured(a, b).expect("the same work")
}

#[test]
fn a_profile_does_not_differ_from_itself() {
    let profile = fixture::profile();
    let comparison = compared(&profile, &profile);
    assert_eq!(comparison.rows.len(), 12);
    for row in &comparison.rows {
        assert_eq!(row.finding, MeasuredFinding::NoDifference, "{row:?}");
    }
    assert!(comparison.differs.is_empty() && comparison.alarms.is_empty());
    assert!(
        comparison
            .conclusion
            .starts_with("of 5 iterations B is no different in 5;")
    );
}

#[test]
fn half_the_time_is_faster_and_half_the_rate_is_slower() {
    let a = fixture::profile();
    let mut b = times_as_long(0.5);
    if let Some(copy) = &mut b.ceilings.copy {
        copy.bytes_per_s
            .samples
            .iter_mut()
            .for_each(|rate| *rate *= 0.5);
    }
    let comparison = compared(&a, &b);
    let of = |what| comparison.rows.iter().find(|row| row.what == what).unwrap();
    assert_eq!(of("iteration").finding, MeasuredFinding::Faster);
    assert!((of("iteration").ratio - 0.5).abs() < 0.01);
    assert_eq!(of("decoder").finding, MeasuredFinding::Faster);
    assert_eq!(of("gemm").finding, MeasuredFinding::NoDifference);
    assert_eq!(of("copy").finding, MeasuredFinding::Slower);
    assert!(
        comparison
            .conclusion
            .contains("B is faster in 5; an iteration of B takes 0.5 times"),
        "{}",
        comparison.conclusion
    );
    assert_eq!(compared(&b, &a).rows[0].finding, MeasuredFinding::Slower);
}

#[test]
fn other_work_is_refused() {
    let a = fixture::profile();
    let mut b = fixture::profile();
    b.workload.resolution_px = 1024;
    let text = compare_measured(&a, &b).unwrap_err().to_string();
    assert!(text.contains("made-up (diffusion) at 512 px"), "{text}");
    assert!(text.contains("at 1024 px with 2 sequences"), "{text}");
    b = fixture::profile();
    b.workload.model = "other".to_owned();
    assert!(compare_measured(&a, &b).is_err());
}

#[test]
fn what_is_not_the_same_is_named() {
    let a = fixture::profile();
    let mut b = fixture::profile();
    b.device.kind = DeviceKind::Software;
    b.device.driver_info = "575.00".to_owned();
    b.workload.variant = Variant::F32;
    b.workload.kernels[0].shader_hash = "123456789abc".to_owned();
    b.iterations[0].flop *= 1.01;
    b.valid = false;
    let comparison = compared(&a, &b);
    let what: Vec<&str> = comparison.differs.iter().map(|d| d.what.as_str()).collect();
    assert_eq!(
        what,
        [
            "kind",
            "driver version",
            "variant",
            "shaders",
            "work of batch 1"
        ]
    );
    assert_eq!(comparison.differs[3].b, "gemm/cooperative-f16/12345678");
    assert_eq!(comparison.alarms.len(), 2);
    let text = measured_comparison_table(&comparison, PLAIN);
    assert!(
        text.starts_with("SOFTWARE ADAPTER: B is of a processor"),
        "{text}"
    );
}

#[test]
fn few_samples_are_not_judged_and_nothing_in_common_is_said() {
    let a = fixture::profile();
    let mut b = times_as_long(2.0);
    for time in &mut b.iterations {
        time.samples_s.truncate(1);
    }
    let comparison = compared(&a, &b);
    assert_eq!(comparison.rows[0].finding, MeasuredFinding::TooFewSamples);
    b.iterations.retain(|time| time.batch > 99);
    let comparison = compared(&a, &b);
    assert_eq!(comparison.conclusion, "no batch was measured by both");
}

#[test]
fn every_format_tells_the_rows_and_obeys_no_name() {
    let a = fixture::profile();
    let mut b = times_as_long(0.9);
    b.device.name = "x\u{1b}[2J|y".to_owned();
    let comparison = compared(&a, &b);
    let table = measured_comparison_table(&comparison, PLAIN);
    assert!(table.contains("iteration at batch 16"), "{table}");
    assert!(table.contains("faster"), "{table}");
    assert!(!table.contains('\u{1b}'));
    let markdown = measured_comparison_markdown(&comparison);
    assert!(!markdown.contains('\u{1b}'));
    assert_eq!(measured_comparison_csv(&comparison).lines().count(), 13);
    let json: serde_json::Value =
        serde_json::from_str(&measured_comparison_json(&comparison)).unwrap();
    assert_eq!(json["rows"][0]["finding"], "faster");
}
