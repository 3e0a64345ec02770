//! What must hold of failures: by closed forms, and between runs.

use std::sync::Arc;

use meltpoint::profile::ServiceCurve;
use meltpoint::queueing::{checkpointed_job_time, k_out_of_n, weibull_failures};
use meltpoint::random::{Law, Seed};
use meltpoint::scenario::{
    DemandKind, Interrupted, Level, Maintenance, RepairClass, Scenario, WorkUnit,
};
use meltpoint::sim::Simulation;
use meltpoint::stats::{confidence_interval, student_t_quantile};
use meltpoint::units::SimTime;

use crate::question::{cause, quiet, reliability, run, seconds};

/// Plays to the end; `look` sees the levels of each window with its length in seconds.
fn play(scenario: &Scenario, mut look: impl FnMut(u64, f64)) -> Simulation {
    let scenario = Arc::new(scenario.clone());
    let mut run = Simulation::new(&scenario, false);
    let end = SimTime::ZERO + scenario.horizon;
    while run.clock() < end {
        let from = run.clock();
        let in_service = run.pools().map(|(_, levels, _)| levels.in_service).sum();
        run.advance(end);
        look(in_service, (run.clock() - from).as_s());
        run.assert_ledger();
    }
    run.assert_invariants();
    run
}

/// Twenty replications of a number agree with an exact value, and tell.
fn hold(what: &str, scenario: &Scenario, exact: f64, number: impl Fn(&Scenario) -> f64) {
    let values: Vec<f64> = (0..20)
        .map(|index| {
            number(&Scenario {
                seed: Seed(9).replication(index),
                ..scenario.clone()
            })
        })
        .collect();
    let found = confidence_interval(&values, 0.95).unwrap();
    let error = found.half_width / student_t_quantile(0.975, 19.0);
    let allowed = student_t_quantile(0.9999, 19.0) * error + 1e-9;
    let mean = found.mean;
    assert!(
        (mean - exact).abs() < allowed,
        "{what}: {mean}, exactly {exact}"
    );
    assert!(found.half_width < 0.02 * exact.abs(), "{what}: too short");
}

#[test]
fn so_many_of_so_many_are_up_as_the_binomial_law_says() {
    // Nodes of one replica of 8 GPUs, up 9 of 10 units of time, whatever the law of the repairs.
    let mut nodes = cause("any", Level::Node, 0.1, 1.0);
    nodes.repair_s = Law::Uniform {
        low: 0.0,
        high: 2.0 / 0.9,
    };
    let scenario = quiet(8, 20, 8000.0, vec![nodes]);
    for needed in [16, 18, 20] {
        let exact = k_out_of_n(needed, 20, 0.9);
        hold(&format!("{needed} of 20"), &scenario, exact, |scenario| {
            let (mut enough_s, mut all_s) = (0.0, 0.0);
            play(scenario, |up, lasted_s| {
                all_s += lasted_s;
                enough_s += if up >= needed { lasted_s } else { 0.0 };
            });
            enough_s / all_s
        });
    }
}

#[test]
fn everything_in_which_a_replica_stands_must_be_up() {
    let mut restart = cause("restart", Level::Gpu, 2e-3, 4.0);
    restart.repair = RepairClass::Restart;
    let causes = vec![
        restart,
        cause("gpu", Level::Gpu, 1e-3, 10.0),
        cause("node", Level::Node, 5e-3, 8.0),
        cause("rack", Level::Rack, 4e-3, 6.0),
        cause("feed", Level::PowerDomain, 3e-3, 12.0),
        cause("site", Level::Site, 2e-3, 5.0),
    ];
    for gpus in [2, 8, 12, 24] {
        let scenario = quiet(gpus, 48, 2000.0, causes.clone());
        let summary = run(scenario.clone());
        let exact = summary.theory[0].exact;
        assert_eq!(summary.theory[0].what, "availability of here");
        let name = format!("availability with {gpus} GPUs");
        hold(&name, &scenario, exact, |scenario| {
            run(scenario.clone()).sites[0].availability.unwrap()
        });
        hold(
            "between failures",
            &scenario,
            summary.theory[1].exact,
            |scenario| run(scenario.clone()).sites[0].between_failures_s.unwrap(),
        );
    }
}

#[test]
fn a_rack_takes_all_its_replicas_and_a_power_domain_all_its_racks() {
    for (level, replicas) in [
        (Level::Node, 4),
        (Level::Rack, 16),
        (Level::PowerDomain, 32),
        (Level::Site, 64),
    ] {
        // Two GPUs a replica: four in a node. Seldom, so that never two are down at once.
        let scenario = quiet(2, 64, 2e5, vec![cause("any", level, 1e-5, 1.0)]);
        let site = run(scenario).sites.remove(0);
        assert!(site.failures > 0, "{level:?}");
        assert_eq!(
            site.causes[0].replicas,
            replicas * site.failures,
            "{level:?}"
        );
        assert_eq!(site.down_max, replicas, "{level:?}");
    }
}

#[test]
fn a_job_that_keeps_steps_takes_as_long_as_the_closed_form_says() {
    // A step of 0.1 s, 25 steps, of which each sixth is kept: four segments of 0.6 s and one of 0.1 s. Another
    // replica is always free, so nobody waits for a repair.
    for (running, segment) in [
        (Interrupted::Kept { every: 6 }, 0.6),
        (Interrupted::Requeued, 2.5),
    ] {
        let mut steps = cause("any", Level::Node, 0.5, 0.5);
        steps.running = running;
        let mut scenario = quiet(8, 50, 1500.0, vec![steps]);
        scenario.works[0].unit = WorkUnit::Iterations;
        scenario.works[0].qualities[0].amount = Law::Constant { value: 25.0 };
        scenario.pools[0].profile.curve = ServiceCurve::tabulated(&[(1, 0.1)], 1, 0.0, 0.0);
        if let DemandKind::Rate { curve, .. } = &mut scenario.demands[0].kind {
            curve.points[0].1 = 2.0;
        }
        let exact = checkpointed_job_time(2.5, segment, 0.5, 0.0);
        hold("time of a job", &scenario, exact, |scenario| {
            run(scenario.clone()).total.response_s.mean.unwrap()
        });
    }
}

#[test]
fn failures_of_young_machines_come_as_the_weibull_law_says() {
    for shape in [0.5, 1.0, 2.0] {
        let mut young = cause("young", Level::Node, 1.0 / 5000.0, 1e-6);
        young.weibull_shape = Some(shape);
        let scenario = quiet(8, 500, 2000.0, vec![young]);
        let exact = weibull_failures(500.0, 2000.0, 5000.0, shape);
        hold(
            &format!("failures with shape {shape}"),
            &scenario,
            exact,
            |s| {
                // Many clusters in one: the mean of runs with seeds of their own.
                let runs = (0..20).map(|index| {
                    let seed = s.seed.replication(100 + index);
                    let scenario = Scenario { seed, ..s.clone() };
                    run(scenario).sites[0].failures as f64
                });
                runs.sum::<f64>() / 20.0
            },
        );
    }
}

#[test]
fn planned_work_takes_each_replica_once_a_round_and_never_more_than_allowed() {
    let mut scenario = quiet(8, 40, 10_000.0, vec![]);
    let mut reliability = reliability(8, vec![]);
    reliability.maintenance = Some(Maintenance {
        first: seconds(100.0),
        every: seconds(5000.0),
        drain: seconds(10.0),
        lasts: seconds(200.0),
        at_most: 0.1,
        running: Interrupted::Requeued,
    });
    scenario.clusters[0].reliability = Some(reliability);
    let mut least = u64::MAX;
    let run = play(&scenario, |up, _| least = least.min(up));
    assert_eq!(least, 36);
    let (_, tally) = run.failures().next().unwrap();
    assert_eq!(tally.planned.replicas, 80);
    // Ten groups of four, 200 s each, twice.
    assert_eq!(tally.maintained_ns, 2 * 40 * 200 * 1_000_000_000);
    assert_eq!(tally.down_ns, 0);
}

#[test]
fn draining_saves_what_runs() {
    // Everybody is busy for 50 s at a time.
    let with = |drain: f64, running| {
        let mut scenario = quiet(8, 20, 20_000.0, vec![]);
        scenario.works[0].qualities[0].amount = Law::Uniform {
            low: 1.0,
            high: 50.0,
        };
        if let DemandKind::Rate { curve, .. } = &mut scenario.demands[0].kind {
            curve.points[0].1 = 0.6;
        }
        scenario.lookahead = seconds(1.0);
        let mut reliability = reliability(8, vec![]);
        reliability.maintenance = Some(Maintenance {
            first: seconds(100.0),
            every: seconds(2000.0),
            drain: seconds(drain),
            lasts: seconds(50.0),
            at_most: 0.05,
            running,
        });
        scenario.clusters[0].reliability = Some(reliability);
        let summary = run(scenario);
        let planned = summary.sites[0].planned.clone().unwrap();
        assert_eq!(summary.total.failed, planned.lost);
        planned
    };
    let hasty = with(0.0, Interrupted::Lost);
    assert!(hasty.lost > 50, "{hasty:?}");
    assert_eq!(with(60.0, Interrupted::Lost).lost, 0);
    let kept = with(0.0, Interrupted::Requeued);
    assert!(kept.lost == 0 && kept.requeued > 50, "{kept:?}");
}

#[test]
fn a_cause_changes_no_draw_of_another() {
    let causes = |more: bool| {
        let mut causes = vec![cause("a", Level::Node, 1e-3, 1.0)];
        causes.extend(more.then(|| cause("b", Level::Rack, 1e-4, 1.0)));
        run(quiet(8, 50, 5000.0, causes)).sites.remove(0)
    };
    let (alone, both) = (causes(false), causes(true));
    assert_eq!(alone.causes[0], both.causes[0]);
    assert!(both.causes[1].failures > 0);
}
