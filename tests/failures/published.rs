//! Published rates against what a run of the story's chunk gives.

use meltpoint::scenario::Settings;

use crate::question::{run, written};

/// 100,000 H100 in nodes of eight, for ten weeks, with the rates of the Llama 3 paper; `replica` GPUs a replica.
fn chunk(replica: u32, scale: f64) -> meltpoint::scenario::Scenario {
    let text = format!(
        "
        [scenario]
        question = \"How often is a chunk interrupted?\"
        lasts = \"70d\"
        warm_up = \"14d\"
        lookahead = \"1h\"
        series_interval = \"1d\"
        scale = {scale}
        [region.here]
        [client.user]
        [tier.all]
        client = \"user\"
        [work.image]
        kind = \"diffusion\"
        steps = 30
        [demand.all]
        kind = \"rate\"
        tier = \"all\"
        work = \"image\"
        curve = [[\"0s\", \"0.01 requests/s\"]]
        [profile.gpu]
        accelerator = \"H100-SXM-80GB\"
        gpus_per_replica = {replica}
        iteration_time = \"25 ms\"
        [cluster.site]
        region = \"here\"
        profile = \"gpu\"
        pools = 4
        failures = \"llama3\"
        [chunk.hundred-k]
        gpus = 100_000
        accelerator = \"H100-SXM-80GB\"
        cluster = \"site\"
        "
    );
    written(&text, &Settings::default()).unwrap()
}

#[test]
fn a_hundred_thousand_h100_are_interrupted_every_half_hour() {
    let summary = run(chunk(8, 1.0));
    let site = &summary.sites[0];
    // 0.173 a GPU-year: 30.4 minutes; nodes under repair, 0.5 % of all, do not fail. 2,700 failures, so a standard
    // deviation of 1.9 %.
    let minutes = site.between_failures_s.unwrap() / 60.0;
    assert!((minutes / 30.4 - 1.0).abs() < 0.06, "{minutes} minutes");
    for line in &summary.theory {
        let difference = line.difference().unwrap();
        let allowed = if line.unit == "s" { 0.06 } else { 3e-4 };
        assert!(difference.abs() < allowed, "{line:?}");
    }
    assert_eq!(summary.theory.len(), 2);
    // Of 419 interruptions 148 were faulty GPUs.
    let gpus = site.causes.iter().find(|cause| cause.name == "llama3/gpu");
    let share = gpus.unwrap().failures as f64 / site.failures as f64;
    assert!((share - 148.0 / 419.0).abs() < 0.03, "{share}");
}

#[test]
fn the_wider_a_replica_the_less_of_the_fleet_is_up() {
    // A field repair takes a node, so up to 8 GPUs it is all the same but for restarts, and then it falls with the
    // number of nodes.
    let down: Vec<f64> = [1, 8, 16, 72]
        .into_iter()
        .map(|gpus| 1.0 - run(chunk(gpus, 1.0)).sites[0].availability.unwrap())
        .collect();
    assert!((down[1] / down[0] - 1.0).abs() < 0.15, "{down:?}");
    assert!((down[2] / down[1] - 2.0).abs() < 0.3, "{down:?}");
    assert!((down[3] / down[1] - 9.0).abs() < 1.5, "{down:?}");
}

#[test]
fn a_small_part_of_the_fleet_fails_as_seldom_as_it_is_small_and_is_up_as_often() {
    let whole = run(chunk(8, 1.0));
    let part = run(chunk(8, 0.1));
    let (whole, part) = (&whole.sites[0], &part.sites[0]);
    let ratio = part.failures as f64 / whole.failures as f64;
    assert!((ratio - 0.1).abs() < 0.02, "{ratio}");
    let (a, b) = (whole.availability.unwrap(), part.availability.unwrap());
    assert!((a - b).abs() < 2e-3, "{a} {b}");
}
