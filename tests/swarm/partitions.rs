//! The same scenarios with a cluster whose GPUs are divided: fixed or moved, with a training job or without.

use meltpoint::scenario::{Division, Minimum, Moves, Partition, Scenario, StartUp, Training};
use meltpoint::units::{SimDuration, SimTime};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::ask;
use crate::elastic::{lasting, start_up};

/// Weight and minimum of a partition, and GPUs of its replicas.
type Part = (u32, Option<u32>, u32);

fn moves() -> impl Strategy<Value = Moves> {
    let times = (1..200_u32, 0..200_u32, 1..200_u32, 0..300_u32);
    (times, 1..5_u32, 0..3_u32, 1..12_u32).prop_map(|(times, step, tolerance, target)| Moves {
        every: lasting(times.0),
        reaction: lasting(times.1),
        window: lasting(times.2),
        cool_down: lasting(times.3),
        backlog_within_s: (times.3 % 2 == 1).then(|| f64::from(times.0)),
        step: if step == 4 { u32::MAX } else { step },
        tolerance: f64::from(tolerance) / 10.0,
        target: f64::from(target) / 10.0,
    })
}

fn training() -> impl Strategy<Value = Training> {
    (1..600_u32, 0..60_u32).prop_map(|(every, restart)| Training {
        checkpoint_every: lasting(every),
        restart: lasting(restart),
    })
}

fn partition(name: String, part: Part, unit_gpus: u32, start_up: StartUp) -> Partition {
    let (share, minimum, gpus) = part;
    Partition {
        name,
        share: f64::from(share),
        minimum: minimum.map_or(Minimum::Share(0.1), |gpus| Minimum::Gpus(gpus.into())),
        pool: None,
        replicas_per_unit: unit_gpus / gpus,
        start_up,
        training: None,
        deliveries: Vec::new(),
    }
}

/// Divides the first cluster of a scenario.
fn divide(
    scenario: &mut Scenario,
    parts: &[Part],
    starts: &[StartUp],
    job: Option<Training>,
) -> Division {
    const UNIT_GPUS: u32 = 12;
    let mut division = Division {
        unit_gpus: UNIT_GPUS,
        partitions: Vec::new(),
        moves: None,
    };
    let own = scenario.pools.iter_mut().enumerate();
    for (index, pool) in own.filter(|(_, pool)| pool.cluster == 0) {
        let part = parts[index % parts.len()];
        // One link, but each its own weights.
        let start_up = StartUp {
            bytes_per_s: starts[0].bytes_per_s,
            site_bytes_per_s: starts[0].site_bytes_per_s,
            ..starts[index % starts.len()].clone()
        };
        pool.profile.gpus_per_replica = part.2;
        pool.set_up = None;
        let mut partition = partition(pool.name.clone(), part, UNIT_GPUS, start_up);
        for (_, replicas) in &mut pool.deliveries {
            *replicas *= partition.replicas_per_unit;
        }
        partition.pool = Some(index);
        division.partitions.push(partition);
    }
    if let Some(job) = job {
        let mut partition = partition(
            "training".into(),
            (1, Some(0), UNIT_GPUS),
            UNIT_GPUS,
            StartUp::default(),
        );
        partition.training = Some(job);
        let later = SimTime::ZERO + SimDuration(scenario.horizon.0 / 3);
        partition.deliveries = vec![(SimTime::ZERO, 2), (later, 3)];
        division.partitions.push(partition);
    }
    division
}

/// A scenario.
pub(crate) fn scenario() -> impl Strategy<Value = Scenario> {
    let gpus = prop_oneof![Just(1_u32), Just(4), Just(6), Just(12)];
    let parts = vec((0..5_u32, option::of(0..40_u32), gpus), 1..4);
    let starts = vec(start_up(), 1..4);
    let (moves, job) = (option::of(moves()), option::of(training()));
    (ask::scenario(), parts, starts, moves, job).prop_map(
        |(mut scenario, parts, starts, moves, job)| {
            let mut division = divide(&mut scenario, &parts, &starts, job);
            division.moves = moves;
            scenario.clusters[0].start_up = moves.map(|_| starts[0].clone());
            scenario.clusters[0].division = Some(division);
            scenario
        },
    )
}
