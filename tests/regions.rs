//! Users and sites in different parts of the world: ways over the network, data that must stay, and the evacuation
//! of a site.

use std::sync::Arc;

use meltpoint::random::Law;
use meltpoint::scenario::{Client, Outage, PatienceUntil, Region, Retry, Routing, Scenario};
use meltpoint::scenario::{Settings, Source, read};
use meltpoint::sim::{Simulation, TierTally};
use meltpoint::units::{SimDuration, SimTime};

const HORIZON_S: f64 = 4000.0;

fn lasting(seconds: f64) -> SimDuration {
    SimDuration::from_s(seconds)
}

/// Users and ten servers here, ten servers there; service takes a second.
fn two_regions(rate_per_s: f64) -> Scenario {
    let service = Law::Constant { value: 1.0 };
    let mut scenario = Scenario::textbook(rate_per_s, service, 10, HORIZON_S);
    scenario.lookahead = lasting(0.5);
    scenario.regions.push(Region {
        name: "there".into(),
        ..scenario.regions[0].clone()
    });
    let mut cluster = scenario.clusters[0].clone();
    cluster.region = 1;
    scenario.clusters.push(cluster);
    let mut pool = scenario.pools[0].clone();
    pool.name = "there/1".into();
    pool.cluster = 1;
    scenario.pools.push(pool);
    scenario.rules[0].1.policy.routing = Routing::Nearest { spill_above: 1.0 };
    scenario
}

fn play(scenario: Scenario) -> Simulation {
    let end = SimTime::ZERO + scenario.horizon;
    let mut run = Simulation::new(&Arc::new(scenario), false);
    while run.clock() < end {
        run.advance(end);
        run.assert_ledger();
        run.assert_invariants();
    }
    run
}

fn tier(run: &Simulation) -> TierTally {
    run.tiers().swap_remove(0)
}

#[test]
fn the_network_adds_the_way_there_and_back_to_the_response() {
    // Longer than a window, so requests are on their way when it ends.
    let (out_s, back_s) = (0.7, 0.9);
    let mut scenario = two_regions(2.0);
    scenario.regions[0].delays = vec![lasting(0.0), lasting(out_s)];
    scenario.regions[1].delays = vec![lasting(back_s), lasting(0.0)];
    scenario.regions[0].served_in = vec![false, true];
    let run = play(scenario);
    let tally = tier(&run);
    assert_eq!(run.sent(), [[0, tally.offered]]);
    assert!(tally.completed > 7500, "{} completed", tally.completed);
    let near = |found: Option<f64>, wanted: f64| (found.expect("many") - wanted).abs() < 1e-4;
    let slowest = tally.response.quantile_s(0.1);
    assert!(near(tally.wait.quantile_s(0.1), 0.0));
    assert!(
        (slowest.expect("many") / (1.0 + out_s + back_s) - 1.0).abs() < 0.01,
        "{slowest:?}"
    );
}

#[test]
fn data_that_must_stay_never_leave() {
    // More than ten servers can do: without the rule it spills over.
    let free = play(two_regions(14.0));
    assert!(free.sent()[0][1] > 10_000, "{:?}", free.sent());
    let mut scenario = two_regions(14.0);
    scenario.regions[0].served_in = vec![true, false];
    let bound = play(scenario);
    assert_eq!(bound.sent()[0][1], 0);
    assert!(tier(&bound).in_system > 10_000, "who may not leave waits");
}

#[test]
fn who_asks_for_a_work_goes_where_it_is_done() {
    let mut scenario = two_regions(5.0);
    scenario.pools[0].serves = vec![false];
    for routing in [
        Routing::Random,
        Routing::RoundRobin,
        Routing::PowerOfD(2),
        Routing::LeastLoaded,
        Routing::Nearest { spill_above: 1.0 },
    ] {
        scenario.rules[0].1.policy.routing = routing;
        let run = play(scenario.clone());
        assert_eq!(run.sent()[0][0], 0, "{routing:?}");
        assert!(tier(&run).completed > 19_000, "{routing:?}");
    }
}

/// Users who wait 30 s and come back; the site here stands still from 1000 to 2000 s.
fn outage(evacuate: bool) -> Simulation {
    let mut scenario = two_regions(8.0);
    scenario.tiers[0].client = Client {
        patience_s: Some(Law::Constant { value: 30.0 }),
        until: PatienceUntil::Done,
        silent_share: 0.0,
        retry: Some(Retry {
            limit: 2,
            backoff: Law::Constant { value: 20.0 },
            factor: 1.0,
            longest_s: 20.0,
            jitter: 0.0,
            budget: None,
            after_shed: true,
            after_abandoned: true,
            after_failed: true,
        }),
    };
    scenario.outages.push(Outage {
        pool: 0,
        from: SimTime::from_s(1000.25),
        until: SimTime::from_s(2000.0),
        requeue: true,
        evacuate,
    });
    play(scenario)
}

#[test]
fn who_is_evacuated_is_served_elsewhere() {
    let (stays, moves) = (tier(&outage(false)), tier(&outage(true)));
    // Eight run when it stops; each of them gives up three times where it stands.
    assert!(stays.abandoned >= 5, "{} gave up", stays.abandoned);
    assert_eq!((moves.abandoned, moves.failed), (0, 0));
    assert_eq!(moves.completed + moves.in_system, moves.offered);
    let tries = |tally: &TierTally| tally.attempts - tally.offered;
    assert!((5..=10).contains(&tries(&moves)), "{} moved", tries(&moves));
    // A second of work is lost, not the whole wait.
    let slowest = moves.response.max_s().expect("many");
    assert!((1.01..4.0).contains(&slowest), "{slowest} s");
}

/// What is wrong with two regions, one cluster and one demand, when something is added.
fn problems(region: &str, cluster: &str) -> String {
    let text = format!(
        r#"
[scenario]
lasts = "1h"
[region.here]
{region}
[region.there]
[client.patient]
[tier.free]
client = "patient"
[work.image]
kind = "service"
service = "1 s"
[work.text]
kind = "service"
service = "1 s"
[demand.images]
kind = "rate"
tier = "free"
work = "image"
region = "here"
rate = "1 requests/s"
[cluster.site]
region = "there"
replicas = 2
{cluster}
"#
    );
    let source = Source {
        name: "two.toml",
        text: &text,
    };
    match read(source, &Settings::default(), &|_| Err(String::new())) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn what_cannot_be_served_anywhere_is_refused() {
    assert_eq!(problems("", ""), "");
    assert_eq!(
        problems("delay = { there = \"90ms\" }\nserved_in = [\"there\"]", ""),
        ""
    );
    let nowhere = problems("served_in = [\"here\"]", "");
    assert!(nowhere.contains("two.toml:5"), "{nowhere}");
    assert!(nowhere.contains("may not be served"), "{nowhere}");
    let nobody = problems("", "serves = [\"text\"]");
    assert!(
        nobody.contains("no cluster serves the work \"image\""),
        "{nobody}"
    );
    let unknown = problems("delay = { their = \"90ms\" }", "");
    assert!(unknown.contains("did you mean `there`"), "{unknown}");
    let far = problems("delay = { there = \"2h\" }", "");
    assert!(far.contains("more than 1 m"), "{far}");
}
