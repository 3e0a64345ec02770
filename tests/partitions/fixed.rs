//! A division that stays is as if each product had a cluster of its own.

use super::question::{played, read};

const DIVIDED: &str = r#"
[cluster.lab]
region = "here"
replicas = 40
[cluster.lab.partition.chat]
serves = ["answer"]
share = "60 %"
[cluster.lab.partition.pictures]
serves = ["picture"]
share = "40 %"
"#;

const APART: &str = r#"
[cluster.lab-chat]
region = "here"
replicas = 24
serves = ["answer"]
[cluster.lab-pictures]
region = "here"
replicas = 16
serves = ["picture"]
"#;

#[test]
fn a_fixed_division_is_as_separate_clusters() {
    let (divided, apart) = (played(read(DIVIDED)), played(read(APART)));
    let tallies = |run: &meltpoint::sim::Simulation| {
        let tiers = run.tiers();
        let tier = |tier: &meltpoint::sim::TierTally| {
            let wait = (tier.wait.count(), tier.wait.mean_s(), tier.wait.max_s());
            (tier.offered, tier.completed, wait, tier.response.mean_s())
        };
        tiers.iter().map(tier).collect::<Vec<_>>()
    };
    assert_eq!(tallies(&divided), tallies(&apart));
    assert!(divided.tiers()[1].wait.mean_s().unwrap() > 0.01);
    let pools = |run: &meltpoint::sim::Simulation| run.pools().collect::<Vec<_>>();
    assert_eq!(pools(&divided), pools(&apart));
}

#[test]
fn what_fails_stands_where_it_would_in_as_many_pools() {
    let fails = "failures = [\"own\"]\ntopology = { gpus_per_node = 4, nodes_per_rack = 2 }\n";
    let causes = r#"
[failures.own]
field = "10min"
[failures.own.cause.node]
level = "node"
rate = "50 /1000 node-days"
repair = "field"
running = "lost"
[failures.own.cause.rack]
level = "rack"
rate = "2 /rack-day"
repair = "field"
running = "lost"
"#;
    let lab = format!("[cluster.lab]\nregion = \"here\"\nreplicas = 40\n{fails}");
    let halves = "[cluster.lab.partition.a]\n[cluster.lab.partition.b]\n";
    let lost = |tables: &str| {
        let run = played(read(&format!("{lab}{tables}{causes}")));
        let failed = |tier: &meltpoint::sim::TierTally| (tier.completed, tier.failed);
        run.tiers().iter().map(failed).collect::<Vec<_>>()
    };
    let divided = lost(halves);
    assert_eq!(divided, lost("pools = 2\n"));
    assert!(divided[0].1 > 0, "something failed");
}

#[test]
fn units_are_the_least_common_multiple_of_what_replicas_take() {
    let scenario = read(
        r#"
[profile.large]
accelerator = "H100"
gpus_per_replica = 12
iteration_time = "20 ms"
[profile.small]
accelerator = "H100"
gpus_per_replica = 8
iteration_time = "10 ms"
[cluster.lab]
region = "here"
profile = "large"
[cluster.lab.partition.chat]
serves = ["answer"]
share = 3
[cluster.lab.partition.pictures]
serves = ["picture"]
profile = "small"
[chunk.first]
gpus = 100
accelerator = "H100"
cluster = "lab"
[chunk.second]
gpus = 100
accelerator = "H100"
cluster = "lab"
delivered = "30min"
"#,
    );
    let division = scenario.clusters[0].division.as_ref().unwrap();
    assert_eq!(division.unit_gpus, 24);
    // Four units of 24 GPUs twice, three of four to chat; the rest of a chunk makes no unit.
    let replicas: Vec<Vec<u32>> = scenario
        .pools
        .iter()
        .map(|pool| pool.deliveries.iter().map(|delivery| delivery.1).collect())
        .collect();
    assert_eq!(replicas, [[6, 6], [3, 3]]);
    assert_eq!(scenario.pools[1].name, "lab/pictures");
}
