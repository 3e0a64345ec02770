//! Whose released GPUs cost nothing: those of contracts on demand, the dearest first.
//!
//! The GPUs of a cluster are alike, so it does not matter which are released: as many of a chunk on demand are
//! given back as there are released ones that no dearer chunk takes.

use crate::scenario::Scenario;
use crate::units::SimTime;

/// A chunk on demand.
#[derive(Clone, Copy, Debug)]
struct OnDemand {
    chunk: usize,
    cluster: usize,
    from: SimTime,
    gpus: u64,
}

/// What was given back, by chunk.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    /// The dearest first.
    on_demand: Vec<OnDemand>,
    returned_gpu_ns: Vec<u128>,
}

impl Ledger {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let chunks = scenario.chunks.iter().enumerate();
        let mut dearest: Vec<(f64, OnDemand)> = chunks
            .filter(|(_, chunk)| chunk.is_on_demand())
            .map(|(index, chunk)| {
                let on_demand = OnDemand {
                    chunk: index,
                    cluster: chunk.cluster,
                    from: chunk.delivered,
                    gpus: chunk.gpus,
                };
                (chunk.usd_per_gpu_hour, on_demand)
            })
            .collect();
        dearest.sort_by(|a, b| b.0.total_cmp(&a.0));
        Self {
            on_demand: dearest.into_iter().map(|entry| entry.1).collect(),
            returned_gpu_ns: vec![0; scenario.chunks.len()],
        }
    }

    /// So many GPUs of a cluster are released for `ns` from `at` on; how many of them cost nothing.
    pub(super) fn give_back(&mut self, cluster: usize, gpus: u64, at: SimTime, ns: u64) -> u64 {
        let mut rest = gpus;
        for chunk in &self.on_demand {
            if chunk.from <= at && chunk.cluster == cluster {
                let taken = rest.min(chunk.gpus);
                self.returned_gpu_ns[chunk.chunk] += u128::from(taken) * u128::from(ns);
                rest -= taken;
            }
        }
        gpus - rest
    }

    pub(super) fn returned_gpu_ns(&self) -> &[u128] {
        &self.returned_gpu_ns
    }
}
