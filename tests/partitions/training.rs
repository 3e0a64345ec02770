//! A training job gets what others do not need, and gives it back at once.

use std::ops::ControlFlow;
use std::sync::Arc;

use meltpoint::scenario::Scenario;
use meltpoint::units::NS_PER_S;

use super::question::{evenly, partitions, play, start};

const TRAINED: &str = r#"
[cluster.lab]
region = "here"
replicas = 20
start_up = "100s"
[cluster.lab.partition.chat]
serves = ["answer"]
[cluster.lab.partition.pictures]
serves = ["picture"]
[cluster.lab.partition.training]
trains = true
share = 3
minimum = "10 %"
checkpoint_every = "1000s"
[cluster.lab.moves]
every = "1min"
target = "75 %"
tolerance = "0 %"
"#;

/// Chat and pictures load 2 replicas each, and pictures from a time on as many as is said.
fn story(training: &str, from_s: f64, load: f64) -> Scenario {
    let pictures = [(0.0, 0.2), (from_s, load / 10.0)];
    let tables = TRAINED.replace("checkpoint_every = \"1000s\"", training);
    evenly(&tables, (&[(0.0, 1.0)], 2.0), (&pictures, 10.0))
}

#[test]
fn what_training_loses_is_what_the_units_taken_did_since_its_state_was_kept() {
    // Four units each and twelve for the training at first; the decision at 60 s gives it 20 - 3 - 3 = 14. From
    // 3000 s on pictures load 8 replicas, so that they need eleven of 75 %: at 3060 s eight units are taken.
    let mut run = start(story("checkpoint_every = \"1000s\"", 3000.0, 8.0));
    play(&mut run, 2999.0);
    let gpus: Vec<u64> = partitions(&run).iter().map(|part| part.gpus).collect();
    assert_eq!(gpus, [3, 3, 14]);
    play(&mut run, 3200.0);
    let training = partitions(&run)[2];
    let s = u128::from(NS_PER_S);
    // The state was kept at 3000 s.
    assert_eq!(training.lost_gpu_ns, 8 * 60 * s);
    assert_eq!(training.trained_gpu_ns, (12 * 60 + 14 * 3000 + 6 * 140) * s);
    assert_eq!((training.gpus, training.stalled_gpu_ns), (6, 0));
    let pictures = partitions(&run)[1];
    assert_eq!((pictures.gpus, pictures.starting_gpu_ns), (11, 8 * 100 * s));
}

#[test]
fn a_restart_stops_the_whole_job() {
    let restart = "checkpoint_every = \"1000s\"\nrestart = \"30s\"";
    let mut run = start(story(restart, 3000.0, 8.0));
    play(&mut run, 3200.0);
    let training = partitions(&run)[2];
    let s = u128::from(NS_PER_S);
    assert_eq!(training.stalled_gpu_ns, (14 * 30 + 6 * 30) * s);
    assert_eq!(training.trained_gpu_ns, (12 * 60 + 14 * 2970 + 6 * 110) * s);
}

#[test]
fn training_keeps_its_minimum_when_all_others_want_more() {
    let mut run = start(story("checkpoint_every = \"1000s\"", 300.0, 60.0));
    play(&mut run, 600.0);
    let parts = partitions(&run);
    // Two units of twenty are a tenth. Of the other eighteen chat has one for its load of 2 of 62.
    assert_eq!(parts[2].gpus, 2);
    assert_eq!((parts[0].gpus, parts[1].gpus), (1, 17));
}

#[test]
fn an_outage_stops_the_training_too() {
    let mut scenario = story("checkpoint_every = \"1000s\"", 3000.0, 2.0);
    let outage = |pool| meltpoint::scenario::Outage {
        pool,
        from: meltpoint::units::SimTime::from_s(1500.0),
        until: meltpoint::units::SimTime::from_s(1600.0),
        requeue: true,
        evacuate: false,
    };
    scenario.outages = (0..scenario.pools.len()).map(outage).collect();
    let mut run = start(scenario);
    play(&mut run, 2000.0);
    let training = partitions(&run)[2];
    let s = u128::from(NS_PER_S);
    assert_eq!(
        (training.lost_gpu_ns, training.stalled_gpu_ns),
        (14 * 500 * s, 14 * 100 * s)
    );
}

#[test]
fn a_training_is_paid_for_and_busy() {
    let chunk = r#"
[chunk.first]
gpus = 20
accelerator = "H100"
cluster = "lab"
price = "2 USD/GPU-hour"
"#;
    let tables = TRAINED
        .replace("replicas = 20\n", "")
        .replace("every = \"1min\"", "every = \"never\"");
    let constant = [(0.0, 1.0)];
    let scenario = evenly(
        &format!("{tables}{chunk}"),
        (&constant, 2.0),
        (&[(0.0, 0.2)], 10.0),
    );
    let summary =
        meltpoint::trials::run(&Arc::new(scenario), 1, &mut |_| ControlFlow::Continue(())).summary;
    let cost = &summary.money.chunks[0];
    // Of 20 GPUs two each are busy with chat and pictures, once they have come, and twelve train.
    assert!(
        (cost.utilisation - 0.8).abs() < 0.002,
        "{}",
        cost.utilisation
    );
    assert_eq!(cost.total_usd, 20.0 * 2.0 * 2.0);
    let training = &summary.partitions[2];
    assert_eq!(
        (training.name.as_str(), training.gpu_hours_kept),
        ("lab/training", 24.0)
    );
    let gpus = summary
        .series
        .column("partition_gpus", Some("lab/training"))
        .unwrap();
    assert!(gpus.values.iter().all(|&value| value == Some(12.0)));
    let fleet = summary.series.column("gpus", None).unwrap();
    assert!(fleet.values.iter().all(|&value| value == Some(20.0)));
}
