//! How failures are written, and what is said about what is wrong.

use meltpoint::random::Law;
use meltpoint::scenario::{Interrupted, Level, RepairClass, Scenario, Settings};

use crate::question::written;

/// A scenario with tables of its own below the cluster's keys.
fn with(cluster: &str, tables: &str) -> Result<Scenario, String> {
    set(cluster, tables, &[])
}

fn set(cluster: &str, tables: &str, sets: &[&str]) -> Result<Scenario, String> {
    let text = format!("extends = \"hello\"\n[cluster.lab]\nreplicas = 64\n{cluster}\n{tables}\n");
    let settings = Settings {
        sets: sets.iter().map(|&set| set.to_owned()).collect(),
        ..Settings::default()
    };
    written(&text, &settings)
}

const OWN: &str = "
[failures.own]
field = \"4h\"
[failures.own.cause.node]
level = \"node\"
rate = \"2 /1000 node-days\"
repair = \"field\"
running = { kind = \"kept\", every = 5 }
law = { kind = \"weibull\", shape = 0.7 }
[failures.own.cause.feed]
level = \"power-domain\"
mtbf = \"500d\"
repair = \"field\"
running = \"lost\"
";

#[test]
fn a_cluster_fails_as_its_tables_say() {
    let scenario = with("failures = [\"own\", \"rsc1\"]\nrepair = { crews = 3, spares = 2, swap = \"20min\" }\ntopology = { nodes_per_rack = 2 }", OWN).unwrap();
    let reliability = scenario.clusters[0].reliability.as_ref().unwrap();
    let names: Vec<&str> = reliability
        .causes
        .iter()
        .map(|cause| &*cause.name)
        .collect();
    assert_eq!(names, ["own/feed", "own/node", "rsc1/any"]);
    let [feed, node, any] = reliability.causes.as_slice() else {
        panic!("three causes")
    };
    assert_eq!(
        (feed.level, feed.running),
        (Level::PowerDomain, Interrupted::Lost)
    );
    assert!((feed.rate_per_s * 500.0 * 86_400.0 - 1.0).abs() < 1e-12);
    assert!((node.rate_per_s * 500.0 * 86_400.0 - 1.0).abs() < 1e-12);
    assert_eq!(node.weibull_shape, Some(0.7));
    assert_eq!(node.running, Interrupted::Kept { every: 5 });
    assert_eq!(node.repair_s, Law::Constant { value: 14_400.0 });
    assert_eq!(any.repair, RepairClass::Field);
    assert_eq!((reliability.crews, reliability.spares), (Some(3), 2));
    let topology = reliability.topology;
    assert_eq!((topology.gpus_per_node, topology.nodes_per_rack), (8, 2));
    // The default of its accelerator: eight racks.
    assert_eq!(topology.nodes_per_power_domain, 16);
    let sourced =
        |input: &&meltpoint::scenario::Input| input.path == "failures.rsc1.cause.any.rate";
    let input = scenario.inputs.iter().find(sourced).unwrap();
    assert!(
        input.source.as_ref().unwrap().contains("2410.21680"),
        "{input:?}"
    );
    assert!(input.origin.starts_with("failures.toml:"), "{input:?}");
}

#[test]
fn a_published_table_can_be_changed_and_named_by_flags() {
    let scenario = set(
        "",
        "",
        &["cluster.lab.failures=llama3", "failures.llama3.field=1h"],
    )
    .unwrap();
    let reliability = scenario.clusters[0].reliability.as_ref().unwrap();
    assert_eq!(reliability.causes.len(), 7);
    let field = reliability
        .causes
        .iter()
        .find(|cause| cause.repair == RepairClass::Field);
    assert_eq!(field.unwrap().repair_s, Law::Constant { value: 3600.0 });
    assert_eq!(set("", "", &[]).unwrap().clusters[0].reliability, None);
}

#[test]
fn what_is_wrong_is_told_with_what_is_allowed() {
    let own =
        |from: &str, to: &str| with("failures = \"own\"", &OWN.replace(from, to)).unwrap_err();
    for (told, expected) in [
        (
            with("failures = \"lama3\"", "").unwrap_err(),
            "did you mean `llama3`",
        ),
        (
            own("level = \"node\"", "level = \"nod\""),
            "did you mean `node`",
        ),
        (own("/1000 node-days", "/GPU-year"), "6.5 /1000 node-days"),
        (own("/1000 node-days", "/1000"), "6.5 /1000 node-days"),
        (own("2 /1000 node-days", "0 /node-year"), "above 0"),
        (own("2 /1000 node-days", "2 /0 node-days"), "above 0"),
        (own("mtbf = \"500d\"", ""), "write one of the two"),
        (own("mtbf = \"500d\"", "mtbf = \"0.1s\""), "from 1"),
        (
            own("repair = \"field\"", "repair = \"restart\""),
            "add `restart = \"4h\"`",
        ),
        (own("shape = 0.7", "shape = 0"), "from 0.2 to 20"),
        (own("every = 5", "every = 0"), "whole number from 1"),
        (
            with("failures = \"rsc1\"\nrepair = { crews = 0 }", "").unwrap_err(),
            "whole number from 1",
        ),
        (
            with("maintenance = { at_most = \"10 %\" }", "").unwrap_err(),
            "`cluster.lab.maintenance.lasts` is missing",
        ),
        (
            with("maintenance = { lasts = \"1h\", at_most = \"0 %\" }", "").unwrap_err(),
            "above 0",
        ),
    ] {
        assert!(told.contains(expected), "{told}\nlacks {expected}");
    }
}

#[test]
fn crews_and_spares_shrink_with_the_fleet_and_one_is_left() {
    let scenario = set(
        "failures = \"rsc1\"\nrepair = { crews = 100, spares = 20 }",
        "",
        &["scenario.scale=0.02"],
    )
    .unwrap();
    let reliability = scenario.clusters[0].reliability.as_ref().unwrap();
    assert_eq!((reliability.crews, reliability.spares), (Some(2), 1));
}

#[test]
fn steps_are_kept_only_of_work_that_has_some() {
    let timed = format!("{OWN}\n[work.job]\nkind = \"service\"\nservice = \"1s\"\n");
    let told = with("failures = \"own\"", &timed).unwrap_err();
    assert!(told.contains("the work \"job\" has none"), "{told}");
}
