//! The same scenarios, with autoscalers or without, and clusters in which things fail and are maintained.

use meltpoint::random::Law;
use meltpoint::scenario::{
    Cause, Interrupted, Level, Maintenance, Reliability, RepairClass, Scenario, Topology,
};
use meltpoint::units::SimDuration;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::{ask, elastic};

fn lasting(seconds: u32) -> SimDuration {
    SimDuration::from_s(f64::from(seconds))
}

fn running() -> impl Strategy<Value = Interrupted> {
    prop_oneof![
        Just(Interrupted::Lost),
        Just(Interrupted::Requeued),
        (1..12_u64).prop_map(|every| Interrupted::Kept { every }),
    ]
}

fn cause() -> impl Strategy<Value = Cause> {
    let levels = [
        Level::Gpu,
        Level::Node,
        Level::Rack,
        Level::PowerDomain,
        Level::Site,
    ];
    let classes = [
        RepairClass::Restart,
        RepairClass::Field,
        RepairClass::Replacement,
    ];
    let times = (100..5000_u32, 0..600_u32, option::of(2..30_u8));
    let what = (select(levels.to_vec()), select(classes.to_vec()));
    (what, times, running()).prop_map(|((level, repair), (between, mean, shape), running)| Cause {
        name: String::new(),
        level,
        rate_per_s: 1.0 / f64::from(between),
        weibull_shape: shape.map(|tenths| f64::from(tenths) / 10.0),
        repair,
        repair_s: Law::Exponential {
            mean: f64::from(mean),
        },
        running,
    })
}

fn maintenance() -> impl Strategy<Value = Maintenance> {
    let times = (0..3000_u32, 1..3000_u32, 0..200_u32, 1..300_u32);
    (times, 1..=10_u8, running()).prop_map(|((first, every, drain, lasts), tenths, running)| {
        Maintenance {
            first: lasting(first),
            every: lasting(every),
            drain: lasting(drain),
            lasts: lasting(lasts),
            at_most: f64::from(tenths) / 10.0,
            running,
        }
    })
}

fn reliability() -> impl Strategy<Value = Reliability> {
    let topology = (1..20_u32, 1..9_u32, 1..4_u32, 1..4_u32);
    let topology = topology.prop_map(|(wide, node, rack, racks)| Topology {
        gpus_per_replica: wide,
        gpus_per_node: node,
        nodes_per_rack: rack,
        nodes_per_power_domain: rack * racks,
    });
    let mended = (option::of(1..4_u32), 0..3_u32, 0..100_u32);
    let plan = option::of(maintenance());
    (topology, vec(cause(), 0..5), mended, plan).prop_map(
        |(topology, mut causes, (crews, spares, swap), maintenance)| {
            for (index, cause) in causes.iter_mut().enumerate() {
                cause.name = format!("cause {index}");
            }
            Reliability {
                topology,
                causes,
                crews,
                spares,
                swap_s: Law::Constant {
                    value: f64::from(swap),
                },
                maintenance,
            }
        },
    )
}

/// A scenario.
pub(crate) fn scenario() -> impl Strategy<Value = Scenario> {
    let asked = prop_oneof![ask::scenario(), elastic::scenario()];
    (asked, vec(option::weighted(0.8, reliability()), 2..3)).prop_map(|(mut scenario, all)| {
        for (cluster, reliability) in scenario.clusters.iter_mut().zip(all) {
            cluster.reliability = reliability;
        }
        scenario
    })
}
