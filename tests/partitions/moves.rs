//! What moves: a timeline to the nanosecond, and where it settles.

use meltpoint::sim::{PartitionTally, Simulation};
use meltpoint::units::{NS_PER_S, SimTime};

use super::question::{evenly, partitions, play, played, read, start};

const MOVED: &str = r#"
[cluster.lab]
region = "here"
replicas = 10
start_up = { provision = "50s", weights = "80 GB", load_bandwidth = "2 GB/s", site_bandwidth = "2 GB/s", warm_up = "20s" }
[cluster.lab.partition.chat]
serves = ["answer"]
[cluster.lab.partition.pictures]
serves = ["picture"]
[cluster.lab.moves]
every = "1min"
reaction = "30s"
"#;

/// When the replicas in service of a pool become so many, in ns; the run is checked on the way.
fn reaches(run: &mut Simulation, pool: usize, replicas: u64) -> u64 {
    let end = SimTime::from_s(7200.0);
    while run.clock() < end {
        run.advance(end);
        run.assert_invariants();
        let in_service = run.pools().nth(pool).unwrap().1.in_service;
        if in_service == replicas {
            return run.clock().0;
        }
    }
    panic!("pool {pool} never has {replicas}");
}

#[test]
fn a_unit_serves_after_window_decision_and_every_part_of_its_start() {
    // Both products load two of their five replicas; from 1000 s on pictures load six.
    let pictures = [(0.0, 0.2), (1000.0, 0.6)];
    let scenario = evenly(MOVED, (&[(0.0, 1.0)], 2.0), (&pictures, 10.0));
    let mut run = start(scenario);
    // What was decided at 1020 s looked at the minute up to 990 s. At 1080 s it looks at that up to 1050 s, in
    // which the load was (10 x 2 + 50 x 6) / 60 = 5.33: seven of ten for pictures. Idle replicas leave at once.
    assert_eq!(reaches(&mut run, 0, 3), 1080 * NS_PER_S);
    assert_eq!(partitions(&run)[1].moved_in, 2);
    // Machines for 50 s, then both load 80 GB at 1 GB/s each, and warm up for 20 s.
    assert_eq!(reaches(&mut run, 1, 7), (1080 + 50 + 80 + 20) * NS_PER_S);
    let [chat, pictures] = partitions(&run)[..] else {
        panic!("two partitions");
    };
    assert_eq!((chat.gpus_first, chat.gpus, chat.moved_out), (5, 3, 2));
    assert_eq!(pictures.starting_gpu_ns, 2 * 150 * u128::from(NS_PER_S));
    assert_eq!((chat.draining_gpu_ns, pictures.gpus_least), (0, 5));
}

#[test]
fn a_busy_replica_ends_its_batch_before_its_unit_moves() {
    // An answer takes 400 s, so four of five replicas are busy, and two are to leave.
    let pictures = [(0.0, 0.4), (1000.0, 1.2)];
    let moved = MOVED.replace("1min", "100s");
    let scenario = evenly(&moved, (&[(0.0, 0.01)], 400.0), (&pictures, 10.0));
    let mut run = start(scenario);
    let first = reaches(&mut run, 1, 6);
    let drained = reaches(&mut run, 1, 7);
    let chat = partitions(&run)[0];
    // One was idle; the other drained until a window after its batch had ended, and both loaded alone.
    let start_up_ns = (50 + 40 + 20) * NS_PER_S;
    assert_eq!(first, 1100 * NS_PER_S + start_up_ns);
    assert_eq!(chat.draining_gpu_ns, u128::from(drained - first));
    assert_eq!(chat.gpus, 3);
    assert_eq!(run.tiers()[0].failed, 0);
}

#[test]
fn who_drains_serves_on_when_his_product_wants_him_again() {
    // Both load four of their five, answers for 400 s each; pictures twelve from 1000 s to 1100 s. At 1100 s an idle
    // and a busy replica of chat are to leave, at 1200 s both are wanted back.
    let moved = MOVED.replace("1min", "100s").replace("30s", "0s");
    let pictures = [(0.0, 0.4), (1000.0, 1.2), (1100.0, 0.4)];
    let answers = [(0.0, 0.0), (30.0, 0.01)];
    let mut run = start(evenly(&moved, (&answers, 400.0), (&pictures, 10.0)));
    play(&mut run, 950.0);
    let before = partitions(&run);
    play(&mut run, 1950.0);
    let now = partitions(&run);
    let parts: Vec<PartitionTally> = now
        .iter()
        .zip(&before)
        .map(|(now, before)| now.since(before))
        .collect();
    assert_eq!((before[0].gpus, now[0].gpus), (5, 5));
    let s = u128::from(NS_PER_S);
    assert_eq!((parts[0].moved_out, parts[0].moved_in), (2, 2));
    // The busy one drained for so long and went on; the idle one's unit, which then loaded for pictures, had to load
    // for chat again.
    assert_eq!(parts[0].draining_gpu_ns, 100 * s);
    assert_eq!(parts[0].starting_gpu_ns, (50 + 40 + 20) * s);
    assert_eq!(parts[1].starting_gpu_ns, 100 * s);
}

/// Units given one after the other to whoever then has most load for each: what moves settle at.
fn one_by_one(units: u64, loads: [f64; 2]) -> [u64; 2] {
    let mut has = [1, 1];
    for _ in 2..units {
        let pressed = |index: usize| loads[index] / has[index] as f64;
        let most = usize::from(pressed(1) > pressed(0));
        has[most] += 1;
    }
    has
}

#[test]
fn constant_loads_settle_at_what_giving_units_one_by_one_makes_of_them() {
    let moved = MOVED.replace("replicas = 10", "replicas = 40");
    for (chat, pictures) in [(2.0, 11.0), (30.0, 1.0), (13.0, 13.0), (5.0, 50.0)] {
        for step in ["1", "7", "\"none\""] {
            let tables = format!("{moved}step = {step}\ntolerance = \"0 %\"\nwindow = \"5min\"\n");
            let rates = [[(0.0, chat / 2.0)], [(0.0, pictures / 10.0)]];
            let run = played(evenly(&tables, (&rates[0], 2.0), (&rates[1], 10.0)));
            let gpus: Vec<u64> = partitions(&run).iter().map(|part| part.gpus).collect();
            assert_eq!(
                gpus,
                one_by_one(40, [chat, pictures]),
                "{chat} and {pictures}"
            );
        }
    }
}

#[test]
fn what_waits_is_load_where_it_is_to_be_worked_off() {
    // Two hundred seconds of three pictures a second leave hundreds who wait long after the minute that is measured.
    let pictures = [(0.0, 0.2), (300.0, 3.0), (500.0, 0.2)];
    let settled = |key: &str| {
        let tables = MOVED.replace("every = \"1min\"", "every = \"10min\"\nwindow = \"1min\"");
        let mut run = start(evenly(
            &format!("{tables}{key}"),
            (&[(0.0, 1.0)], 2.0),
            (&pictures, 10.0),
        ));
        play(&mut run, 600.0);
        let waiting = run.pools().nth(1).unwrap().1.waiting;
        play(&mut run, 1100.0);
        let gpus: Vec<u64> = partitions(&run).iter().map(|part| part.gpus).collect();
        (waiting as f64, gpus)
    };
    assert_eq!(settled("").1, [5, 5]);
    // Ten seconds of a replica each, within five minutes.
    let (waiting, gpus) = settled("backlog_within = \"5min\"\n");
    assert!(waiting > 300.0, "{waiting}");
    assert_eq!(gpus, one_by_one(10, [2.0, 2.0 + waiting * 10.0 / 300.0]));
}

#[test]
fn gpus_are_neither_made_nor_lost() {
    let tables = MOVED.replace("start_up =", "#").replace(
        "serves = [\"picture\"]",
        "serves = [\"picture\"]\n[cluster.lab.partition.training]\ntrains = true\nrestart = \"10s\"",
    );
    let run = played(read(&tables));
    let (_, division) = run.divisions().next().unwrap();
    let held = division.partitions.iter().map(|part| {
        assert!(part.lost_gpu_ns <= part.trained_gpu_ns);
        if part.trained_gpu_ns > 0 {
            assert_eq!(
                part.trained_gpu_ns + part.stalled_gpu_ns,
                part.serving_gpu_ns
            );
        }
        part.serving_gpu_ns + part.starting_gpu_ns + part.draining_gpu_ns
    });
    assert_eq!(held.sum::<u128>() + division.free_gpu_ns, division.gpu_ns);
    assert_eq!(division.gpu_ns, 10 * 7200 * u128::from(NS_PER_S));
    let sum =
        |count: fn(&PartitionTally) -> u64| division.partitions.iter().map(count).sum::<u64>();
    assert!(sum(|part| part.moved_in) > 10);
    assert_eq!(sum(|part| part.moved_in), sum(|part| part.moved_out));
}
