//! A story as it is written: an autoscaler that is minutes behind a surge.

use std::ops::ControlFlow;
use std::sync::Arc;

use meltpoint::estimate::estimate;
use meltpoint::scenario::{Settings, embedded, read};
use meltpoint::trials;

/// The share of requests that is lost is expected within this; retries, which the fluid model does not send back, are
/// most of it.
const TOLERANCE: f64 = 0.004;

#[test]
fn what_an_autoscaled_launch_loses_is_expected_before_the_run() {
    let name = "autoscaled-launch";
    let source = embedded(name).expect("it is built in");
    let settings = Settings {
        scale: Some(0.25),
        ..Settings::default()
    };
    let scenario = read(source, &settings, &|_| Err("no files".to_owned())).expect("it is valid");
    let expected = estimate(&scenario);
    let run = trials::run(&Arc::new(scenario), 1, &mut |_| ControlFlow::Continue(()));
    let total = &run.summary.total;
    let lost = 1.0 - total.completed as f64 / total.offered as f64;
    let found = 1.0 - expected.total.completed / expected.total.offered;
    assert!(lost > 0.005, "{lost}");
    assert!((found - lost).abs() < TOLERANCE, "{found} expected, {lost}");
}
