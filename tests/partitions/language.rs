//! `[cluster.name.partition]` and `[cluster.name.moves]` as they are written.

use meltpoint::scenario::{Minimum, Settings};

use super::question::{read, read_with};

const LAB: &str = r#"
[cluster.lab]
region = "here"
replicas = 40
[cluster.lab.partition.chat]
serves = ["answer"]
"#;

/// What is wrong with the cluster and these tables.
fn refused(tables: &str) -> String {
    read_with(&format!("{LAB}{tables}"), &Settings::default()).unwrap_err()
}

const PICTURES: &str = "[cluster.lab.partition.pictures]\nserves = [\"picture\"]\n";

#[test]
fn a_minimum_is_told_in_gpus_or_as_a_share() {
    let scenario = read(&format!(
        "{LAB}minimum = \"7 GPUs\"\n{PICTURES}minimum = \"25 %\""
    ));
    let division = scenario.clusters[0].division.as_ref().unwrap();
    let minimums: Vec<Minimum> = division
        .partitions
        .iter()
        .map(|part| part.minimum)
        .collect();
    assert_eq!(minimums, [Minimum::Gpus(7), Minimum::Share(0.25)]);
    assert_eq!(division.least(40), [7, 10]);
}

#[test]
fn what_cannot_be_combined_is_refused_with_what_to_do() {
    let cases = [("pools = 2", "`cluster.lab.pools` stands beside `partition`")];
    for (key, message) in cases {
        let text =
            format!("{LAB}{PICTURES}").replace("replicas = 40", &format!("replicas = 40\n{key}"));
        let found = read_with(&text, &Settings::default()).unwrap_err();
        assert!(found.contains(message), "{key}: {found}");
    }
    let moves = "[cluster.lab.moves]\nevery = \"1min\"\n";
    let scaler = "[autoscaler.main]\nclusters = [\"lab\"]\nkind = \"target\"\n";
    let trains = "[cluster.lab.partition.training]\ntrains = true\n";
    let cases = [
        (format!("{PICTURES}{scaler}"), "`autoscaler.main` scales it"),
        (
            format!("{PICTURES}{trains}serves = [\"answer\"]"),
            "stands beside `trains`",
        ),
        (
            format!("{PICTURES}checkpoint_every = \"1h\""),
            "needs `trains = true`",
        ),
        (
            format!("{PICTURES}{trains}[cluster.lab.partition.other]\ntrains = true"),
            "has more than one that trains",
        ),
        (format!("{PICTURES}minimum = \"101 %\""), "a share"),
        (format!("{PICTURES}{moves}step = 0"), "from 1 to"),
    ];
    for (tables, message) in cases {
        let found = refused(&tables);
        assert!(found.contains(message), "{tables}: {found}");
    }
    let failing = format!("{LAB}{PICTURES}{moves}")
        .replace("replicas = 40", "replicas = 40\nfailures = [\"rsc1\"]");
    let found = read_with(&failing, &Settings::default()).unwrap_err();
    assert!(
        found.contains("is divided and moves replicas, and fails"),
        "{found}"
    );
    let few = format!("{LAB}{PICTURES}").replace("replicas = 40", "replicas = 1");
    let found = read_with(&few, &Settings::default()).unwrap_err();
    assert!(found.contains("has too few units of 1 GPUs"), "{found}");
    let off = format!("{LAB}{PICTURES}{moves}")
        .replace("replicas = 40", "replicas = 40\nset_up = \"5s\"");
    let found = read_with(&off, &Settings::default()).unwrap_err();
    assert!(found.contains("turns idle replicas off"), "{found}");
    let loads = |partition: &str, gb_per_s: u32| {
        format!(
            "{partition}start_up = {{ weights = \"8 GB\", load_bandwidth = \"{gb_per_s} GB/s\" }}\n"
        )
    };
    let links = format!("{}{}", loads(LAB, 1), loads(PICTURES, 2));
    let found = read_with(&links, &Settings::default()).unwrap_err();
    assert!(
        found.contains("load weights with other bandwidths"),
        "{found}"
    );
    let alone = "[cluster.lab]\nregion = \"here\"\nreplicas = 4\n[cluster.lab.moves]\n";
    let found = read_with(alone, &Settings::default()).unwrap_err();
    assert!(found.contains("stands without partitions"), "{found}");
}

#[test]
fn moves_that_never_come_are_none() {
    let moves = "[cluster.lab.moves]\nevery = \"never\"\n";
    let scenario = read(&format!("{LAB}{PICTURES}{moves}"));
    assert_eq!(scenario.clusters[0].division.as_ref().unwrap().moves, None);
    let moves = "[cluster.lab.moves]\nstep = 300\nreaction = \"5min\"\n";
    let settings = Settings {
        scale: Some(0.1),
        ..Settings::default()
    };
    let scenario = read_with(
        &format!("{LAB}minimum = \"19 GPUs\"\n{PICTURES}{moves}"),
        &settings,
    )
    .unwrap();
    let division = scenario.clusters[0].division.as_ref().unwrap();
    // A tenth of the story has a tenth of the units, of the step and of what is kept.
    assert_eq!(division.moves.unwrap().step, 30);
    assert_eq!(division.least(4), [2, 1]);
}

#[test]
fn who_keeps_more_than_there_is_gets_his_part_and_a_warning() {
    let minimums = format!("{LAB}minimum = \"60 GPUs\"\n{PICTURES}minimum = \"20 GPUs\"\n");
    let scenario = read(&minimums);
    let deliveries: Vec<u32> = scenario
        .pools
        .iter()
        .map(|pool| pool.deliveries[0].1)
        .collect();
    assert_eq!(deliveries, [30, 10]);
    let warned = scenario
        .warnings
        .iter()
        .any(|text| text.contains("keep 80 units by `minimum`, but it has 40"));
    assert!(warned, "{:?}", scenario.warnings);
}
