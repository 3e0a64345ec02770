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
    let alone = "[cluster.lab]\nregion = \"here\"\nreplicas = 4\n[cluster.lab.moves]\n";
    let found = read_with(alone, &Settings::default()).unwrap_err();
    assert!(found.contains("stands without partitions"), "{found}");
}
