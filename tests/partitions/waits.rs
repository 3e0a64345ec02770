//! When moves have ended, each product waits as its replicas alone make it.

use meltpoint::queueing::Mmc;
use meltpoint::random::Seed;
use meltpoint::scenario::DemandKind;
use meltpoint::stats::confidence_interval;
use meltpoint::units::SimDuration;

use super::question::{partitions, play, read, start};

/// Ten units at loads of 5 and 2: whatever half an hour of chance makes of them, chat has seven and pictures three.
const SETTLED: &str = r#"
[cluster.lab]
region = "here"
replicas = 10
start_up = "10s"
[cluster.lab.partition.chat]
serves = ["answer"]
[cluster.lab.partition.pictures]
serves = ["picture"]
[cluster.lab.moves]
every = "30min"
tolerance = "0 %"
"#;

#[test]
fn after_the_moves_each_waits_as_erlang_c_says() {
    const REPLICATIONS: u64 = 20;
    let mut scenario = read(SETTLED);
    for (demand, rate_per_s) in [(0, 2.5), (1, 0.2)] {
        if let DemandKind::Rate { curve, .. } = &mut scenario.demands[demand].kind {
            curve.points[0].1 = rate_per_s;
        }
    }
    scenario.lookahead = SimDuration::from_s(10.0);
    scenario.horizon = SimDuration::from_s(20_000.0);
    // The first decision moves two units; what waited before has long gone when the statistics begin.
    scenario.warm_up = SimDuration::from_s(3000.0);
    let mut waits_s: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for replication in 0..REPLICATIONS {
        let mut scenario = scenario.clone();
        scenario.seed = Seed(replication + 1);
        let mut run = start(scenario);
        play(&mut run, 20_000.0);
        let gpus: Vec<u64> = partitions(&run).iter().map(|part| part.gpus).collect();
        assert_eq!(gpus, [7, 3], "of replication {replication}");
        for (waits_s, tier) in waits_s.iter_mut().zip(run.tiers()) {
            waits_s.push(tier.wait.mean_s().unwrap());
        }
    }
    for (waits_s, (arrivals_per_s, service_s, servers)) in
        waits_s.iter().zip([(2.5, 2.0, 7), (0.2, 10.0, 3)])
    {
        let queue = Mmc {
            arrival_rate: arrivals_per_s,
            service_rate: 1.0 / service_s,
            servers,
        };
        let expected_s = queue.mean_wait();
        let found = confidence_interval(waits_s, 0.999).unwrap();
        assert!(found.half_width < 0.2 * expected_s, "{found:?}");
        assert!(
            (found.mean - expected_s).abs() < found.half_width,
            "{found:?} for {expected_s}"
        );
    }
}
