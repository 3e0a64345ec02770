//! Models: a profile from end to end, and what becomes of a device that is lost (`G02`, `G03`).

use std::fs;
use std::ops::ControlFlow;

use meltpoint::gpu::Error;
use meltpoint::gpu::measure::{Effort, Options, Progress, measure};
use meltpoint::gpu::model::model;
use meltpoint::profile::MeasuredProfile;
use meltpoint::profile::measured::Warning;
use meltpoint::profile::read_measured;

use crate::Test;
use crate::program::Room;

pub(crate) const TESTS: [Test; 5] = [
    ("a_measurement_ends_in_a_profile_that_can_be_read", whole),
    (
        "a_software_adapter_feeds_no_simulation_unless_forced",
        software,
    ),
    ("a_lost_device_is_replaced_once_at_half_the_batch", lost),
    ("a_device_lost_at_its_smallest_batch_ends_it", lost_at_once),
    ("a_measurement_that_is_stopped_keeps_what_it_has", stopped),
];

/// Tokens are quick even on a processor.
fn options(lose_at_batch: Option<u32>) -> Options {
    Options {
        adapter: meltpoint::gpu::Wanted::Best,
        model: model("tiny-tokens").expect("it is built in").clone(),
        resolution_px: 64,
        batches: Some(vec![2, 4]),
        variant: None,
        effort: Effort::Quick,
        measured_at: "2026-11-25T12:00:00Z".to_owned(),
        lose_at_batch,
    }
}

fn batches(profile: &MeasuredProfile) -> Vec<u32> {
    let mut batches: Vec<u32> = profile.iterations.iter().map(|time| time.batch).collect();
    batches.dedup();
    batches
}

fn whole() {
    let room = Room::new();
    let arguments = [
        "measure",
        "--model=tiny-tokens",
        "--resolution=64",
        "--batches=4,1",
        "--quick",
        "--out=mine.json",
    ];
    let shown = room.done(&arguments).out;
    let text = |name: &str| fs::read_to_string(room.path(name)).expect("it was written");
    let profile = read_measured(&text("mine.json")).expect("what was written can be read");
    assert!(profile.valid);
    assert_eq!(batches(&profile), [1, 4]);
    assert_eq!(profile.decoder.len(), 2);
    assert!(profile.ceilings.gemm.is_some() && profile.ceilings.copy.is_some());
    assert_eq!(profile.energy.is_some(), profile.energy_absent.is_none());
    assert!(shown.contains(&profile.device.name), "{shown}");
    assert!(text("mine.svg").contains("<svg"));
}

fn software() {
    let profile = measure(&options(None), &mut |_| ControlFlow::Continue(())).expect("it ends");
    let room = Room::new();
    room.write("mine.json", profile.to_json().expect("plain data"));
    let asked = ["explain", "hello", "--profile=mine.json"];
    if profile.is_software() {
        assert!(profile.warnings.contains(&Warning::SoftwareAdapter));
        let refused = room.run(&asked);
        assert_eq!(refused.code, Some(5));
        assert!(refused.err.contains("software adapter"), "{}", refused.err);
    }
}

fn lost() {
    let profile =
        measure(&options(Some(4)), &mut |_| ControlFlow::Continue(())).expect("a second device");
    assert!(profile.warnings.contains(&Warning::DeviceLost { batch: 4 }));
    assert_eq!(batches(&profile), [2]);
    let profile =
        measure(&options(Some(2)), &mut |_| ControlFlow::Continue(())).expect("a second device");
    assert_eq!(batches(&profile), [1], "half of the batch that was lost");
}

fn lost_at_once() {
    let mut options = options(Some(1));
    options.batches = Some(vec![1]);
    let failed = measure(&options, &mut |_| ControlFlow::Continue(())).expect_err("it is lost");
    assert!(
        matches!(failed.error, Error::Lost { .. }),
        "{}",
        failed.error
    );
    assert!(failed.partial.is_none());
}

fn stopped() {
    let mut stop_at_four = |progress: &Progress| match progress.what == "batch 4" {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let failed = measure(&options(None), &mut stop_at_four).expect_err("it is stopped");
    assert!(matches!(failed.error, Error::Stopped));
    let partial = failed.partial.expect("batch 2 was measured");
    assert!(!partial.valid);
    assert_eq!(batches(&partial), [2]);
}
