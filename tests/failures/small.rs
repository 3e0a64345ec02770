//! A fleet so small that one can follow it: one cause, two pools, one rack over both.

use meltpoint::random::Law;
use meltpoint::scenario::{Level, Scenario};
use meltpoint::units::SimTime;

use crate::question::{cause, quiet, run};

#[test]
fn a_failure_may_take_replicas_of_several_pools() {
    let mut scenario = quiet(8, 2, 50_000.0, vec![cause("rack", Level::Rack, 1e-3, 5.0)]);
    let mut second = scenario.pools[0].clone();
    second.name = "here/2".into();
    scenario.pools.push(second);
    let site = run(scenario).sites.remove(0);
    assert!(site.failures > 20);
    assert_eq!(site.causes[0].replicas, 4 * site.failures);
    assert_eq!(site.down_max, 4);
}

#[test]
fn what_is_delivered_into_a_broken_site_waits_for_its_repair() {
    let mut scenario: Scenario = quiet(8, 1, 1000.0, vec![cause("site", Level::Site, 0.5, 1.0)]);
    let reliability = scenario.clusters[0].reliability.as_mut().unwrap();
    reliability.causes[0].repair_s = Law::Constant { value: 1e6 };
    scenario.pools[0]
        .deliveries
        .push((SimTime::from_s(500.0), 9));
    let summary = run(scenario);
    let site = &summary.sites[0];
    assert_eq!((site.failures, site.down_max), (1, 10));
    assert_eq!(summary.total.completed, 0);
}
