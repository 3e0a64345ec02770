//! Tables of device profiles, of a good one and of doubtful ones.

use super::*;
use crate::profile::fixture;

const PLAIN: Style = Style {
    colour: false,
    width: 100,
};

fn software() -> MeasuredProfile {
    let mut profile = fixture::profile_with_noise(0.3);
    profile.device.kind = DeviceKind::Software;
    profile.warnings = vec![
        Warning::SoftwareAdapter,
        Warning::Noisy {
            what: "iteration".to_owned(),
            batch: Some(4),
            spread: 0.21,
        },
    ];
    profile
}

#[test]
fn the_table_tells_images_iterations_and_ceilings() {
    let text = measured_table(&fixture::profile(), PLAIN);
    assert!(
        text.starts_with("NVIDIA H100 80GB HBM3: made-up at 512 px, cooperative-f16\n"),
        "{text}"
    );
    for part in [
        "discrete GPU, 85.9 GB of memory; vulkan, driver NVIDIA 570.00; the device's clock",
        "an image is 28 denoise steps of 2 sequences (guidance) and a decoder",
        "GEMM of 8192 x 8192 x 8192, cooperative-f16",
        "400 TFLOP/s",
        "copy, 1.07 GB read and written",
        "3 TB/s",
        "arithmetic",
        "not measured: the platform does not tell power",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    // 28 iterations of 7 ms and 28 ms of decoder.
    assert!(text.contains("  4.46 "), "{text}");
    assert!(text.contains("224 ms"), "{text}");
    assert!(!text.contains("SOFTWARE") && !text.contains("INVALID"));
}

#[test]
fn tuned_tiles_are_counted_and_others_are_not_mentioned() {
    let mut profile = fixture::profile();
    profile.workload.tiles = vec![fixture::tiles(TilesBy::Rule)];
    assert!(!measured_table(&profile, PLAIN).contains("tuned"));
    for by in [TilesBy::Search, TilesBy::Cache] {
        profile.workload.tiles.push(fixture::tiles(by));
    }
    let text = measured_table(&profile, PLAIN);
    assert!(
        text.contains("; 2 of 3 products in tuned tiles\n"),
        "{text}"
    );
}

#[test]
fn a_software_adapter_and_an_early_end_come_first() {
    let mut profile = software();
    profile.valid = false;
    let text = measured_table(&profile, PLAIN);
    let mut lines = text.lines();
    assert!(lines.next().unwrap().starts_with("SOFTWARE ADAPTER: "));
    assert!(lines.next().unwrap().starts_with("INVALID: "));
    let text = measured_markdown(&profile);
    assert!(text.contains("**SOFTWARE ADAPTER: "), "{text}");
    assert!(text.contains("- iteration at batch 4 spreads by 21.0 %; close what else"));
}

#[test]
fn tables_fit_the_line() {
    for profile in [fixture::profile(), software()] {
        let text = measured_table(&profile, PLAIN);
        let rows = text.lines().filter(|line| line.starts_with("  "));
        for line in rows.filter(|line| !line.contains(';')) {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

#[test]
fn an_empty_profile_has_a_table() {
    let mut profile = fixture::profile();
    profile.valid = false;
    profile.iterations.clear();
    profile.decoder.clear();
    profile.ceilings.gemm = None;
    profile.ceilings.copy = None;
    assert!(measured_table(&profile, PLAIN).contains("no decoder"));
    assert_eq!(measured_csv(&profile).lines().count(), 1);
}

#[test]
fn no_name_is_obeyed() {
    let mut profile = fixture::profile();
    profile.device.driver = "a\u{1b}[2J\u{202e}|b".to_owned();
    profile.energy_absent = Some("x\ny".to_owned());
    let texts = [
        measured_table(&profile, PLAIN),
        measured_markdown(&profile),
        measured_csv(&profile),
    ];
    for text in texts {
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains("x\ny"));
    }
}

#[test]
fn the_csv_has_a_row_for_each_batch_in_si_units() {
    let text = measured_csv(&fixture::profile_with_noise(0.0));
    let mut reader = csv_reader(&text);
    let rows: Vec<Vec<String>> = reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect();
    assert_eq!(rows.len(), 5);
    assert!(text.starts_with("batch,context_tokens,samples,iteration_s,iteration_low_s"));
    assert_eq!(rows[1][..4], ["2", "0", "10", "0.012"]);
}

fn csv_reader(text: &str) -> ::csv::Reader<&[u8]> {
    ::csv::Reader::from_reader(text.as_bytes())
}
