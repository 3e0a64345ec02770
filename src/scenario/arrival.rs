//! How chunks arrive: from orders to dated GPUs, and from those to the replicas of pools.
//!
//! For each replication once, before it runs, so `sim` sees plain lists of deliveries. Of every chunk: a
//! lead time is drawn, its stages become lots of at most its pace; the lots of one supplier pass its
//! allocation, first ready first served; of each lot a binomial number of GPUs fails at acceptance, and
//! comes after the replacement time or never; whole replicas are made of what passed; at a site with a
//! power limit they are switched on in the order of acceptance while
//! `replicas x GPUs x busy power x PUE` stays below the limit, and stand dark until then.
//!
//! Draws are from the streams (`chunk/NAME`, `lead-time` | `acceptance` | `replacement`, replication), so a
//! chunk more changes nobody's date. The same with means in the place of draws is what is expected.

use super::order::{Arrived, Pace};
use super::{Chunk, Cluster, Division, Pool, Scenario};
use crate::random::{Law, Seed};
use crate::units::{SimDuration, SimTime};

/// A chunk comes in at most about so many lots; of a slower pace several are put together.
const LOTS_MAX: u64 = 1000;
/// Later than any scenario ends, and within the clock: 400 years, in seconds.
const NEVER_S: f64 = 400.0 * 365.25 * 86_400.0;

/// Where a number comes from that chance decides.
#[derive(Clone, Copy, Debug)]
pub(super) enum Draws {
    /// Its mean.
    Expected,
    /// A draw for this replication.
    Of(Seed, u64),
}

impl Draws {
    fn value(self, chunk: &str, purpose: &str, law: &Law) -> f64 {
        match self {
            Self::Of(seed, number) if !law.is_constant() => {
                law.sample(&mut seed.stream(&format!("chunk/{chunk}"), purpose, number))
            }
            _ => law.mean(),
        }
    }
}

/// GPUs of a chunk at a date, in seconds from the start.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Lot {
    at_s: f64,
    chunk: usize,
    gpus: u64,
}

/// A supplier or a site that lets only so much through.
struct Gate {
    pace: Pace,
    free_at_s: f64,
    smallest: u64,
}

impl Gate {
    fn new(pace: Pace, all_gpus: u64) -> Self {
        Self {
            pace,
            free_at_s: f64::NEG_INFINITY,
            smallest: all_gpus.div_ceil(LOTS_MAX).max(1),
        }
    }

    /// Lets a lot through, in parts of what may pass in one period.
    fn pass(&mut self, lot: Lot, out: &mut Vec<Lot>) {
        let most = (self.pace.gpus.floor() as u64).max(self.smallest);
        let mut left = lot.gpus;
        while left > 0 {
            let gpus = left.min(most);
            let at_s = lot.at_s.max(self.free_at_s);
            self.free_at_s = at_s + gpus as f64 / self.pace.gpus * self.pace.period_s;
            out.push(Lot { at_s, gpus, ..lot });
            left -= gpus;
        }
    }
}

/// What the pools of a cluster, or of a partition, are made from.
#[derive(Clone, Debug)]
pub(super) struct Making {
    /// One of them.
    pub(super) pool: Pool,
    /// How many.
    pub(super) most: Most,
}

/// How many pools are made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Most {
    /// So many alike at most, numbered.
    Alike(u32),
    /// The one of a partition, by its index.
    OfPartition(usize),
}

impl Scenario {
    /// The chunks as they are expected to arrive: with the means of all laws.
    #[must_use]
    pub fn expected_chunks(&self) -> Vec<Chunk> {
        let mut chunks = self.chunks.clone();
        arrive(self, &mut chunks, Draws::Expected);
        chunks
    }

    /// Lets the chunks arrive, and makes the deliveries of the pools from them. Where nothing is left to
    /// chance, every replication is the same.
    pub(super) fn arrive(&mut self, draws: Draws) {
        if !self.chunks.iter().any(|chunk| chunk.order.is_random()) {
            return;
        }
        let mut chunks = std::mem::take(&mut self.chunks);
        arrive(self, &mut chunks, draws);
        self.chunks = chunks;
        self.fill();
    }

    fn fill(&mut self) {
        for (index, cluster) in self.clusters.iter_mut().enumerate() {
            match cluster.division.take() {
                None => fill_pools(cluster, (index, &self.chunks), &mut self.pools),
                Some(mut division) => {
                    let units = deliveries(cluster, (index, &self.chunks), SimDuration::ZERO);
                    division.deliver(&units);
                    fill_divided(cluster, &division, &mut self.pools);
                    cluster.division = Some(division);
                }
            }
        }
    }
}

impl Scenario {
    /// Makes the pools of the clusters, each given with the most pools that it may have, and lets the chunks
    /// arrive as expected. There are no more pools than the first delivery has replicas, so that each can
    /// serve from then on.
    pub(super) fn set_up_pools(&mut self, makings: Vec<Making>) {
        let mut chunks = std::mem::take(&mut self.chunks);
        arrive(self, &mut chunks, Draws::Expected);
        self.chunks = chunks;
        for Making { pool, most } in makings {
            let cluster = &mut self.clusters[pool.cluster];
            let start_up = start_up(cluster, &pool);
            let first = deliveries(cluster, (pool.cluster, &self.chunks), start_up);
            let first = first
                .first()
                .map_or(0, |&(_, before, after)| after - before);
            if let (Most::OfPartition(part), Some(division)) = (most, &mut cluster.division) {
                let part = &mut division.partitions[part];
                let name = format!("{}/{}", cluster.name, part.name);
                if first > 0 {
                    part.pool = Some(self.pools.len());
                    self.pools.push(Pool { name, ..pool });
                }
                continue;
            }
            let most = match most {
                Most::Alike(most) => most,
                Most::OfPartition(_) => 1,
            };
            self.pools.extend((0..most.min(first)).map(|number| Pool {
                name: format!("{}/{}", cluster.name, number + 1),
                ..pool.clone()
            }));
        }
        self.fill();
    }

    /// Lets the chunks arrive as they do in a replication.
    pub(super) fn arrive_in(&mut self, number: u64) {
        self.arrive(Draws::Of(self.seed, number));
    }
}

fn arrive(scenario: &Scenario, chunks: &mut [Chunk], draws: Draws) {
    for (index, lots) in supplied(scenario, chunks, draws).into_iter().enumerate() {
        let chunk = &mut chunks[index];
        chunk.arrived = accepted(chunk, &lots, draws);
        let first = chunk.arrived.accepted.first().map(|entry| entry.0);
        chunk.delivered = first.unwrap_or_else(|| date(NEVER_S));
    }
    for (index, cluster) in scenario.clusters.iter().enumerate() {
        power_up(cluster, index, chunks);
    }
}

fn date(s: f64) -> SimTime {
    SimTime::from_s(s.clamp(0.0, NEVER_S))
}

/// The lots of each chunk as its supplier hands them over.
fn supplied(scenario: &Scenario, chunks: &[Chunk], draws: Draws) -> Vec<Vec<Lot>> {
    let mut lots: Vec<Lot> = Vec::new();
    for (index, chunk) in chunks.iter().enumerate() {
        lots.extend(offered(index, chunk, draws));
    }
    // First ready, first served; at one time in the order of names.
    lots.sort_by(|one, other| {
        one.at_s
            .total_cmp(&other.at_s)
            .then(one.chunk.cmp(&other.chunk))
    });
    let mut gates: Vec<Gate> = scenario
        .suppliers
        .iter()
        .map(|supplier| {
            let own = chunks
                .iter()
                .filter(|chunk| chunk.provider == supplier.name);
            Gate::new(supplier.deliverable, own.map(|chunk| chunk.gpus).sum())
        })
        .collect();
    let mut by_chunk: Vec<Vec<Lot>> = vec![Vec::new(); chunks.len()];
    for lot in lots {
        let provider = &chunks[lot.chunk].provider;
        let gate = scenario
            .suppliers
            .iter()
            .position(|supplier| supplier.name == *provider);
        match gate {
            Some(gate) => gates[gate].pass(lot, &mut by_chunk[lot.chunk]),
            None => by_chunk[lot.chunk].push(lot),
        }
    }
    by_chunk
}

/// The stages of a chunk, in lots of its own pace.
fn offered(index: usize, chunk: &Chunk, draws: Draws) -> Vec<Lot> {
    let order = &chunk.order;
    let lead_s = draws.value(&chunk.name, "lead-time", &order.lead_time_s);
    let first_s = order.ordered_s.unwrap_or(0.0) + lead_s;
    let (mut share, mut before) = (0.0, 0);
    let mut stages = Vec::new();
    for (number, (delay_s, part)) in order.stages.iter().enumerate() {
        share += part;
        // The last stage brings the rest, so that rounding loses nothing.
        let until = match number + 1 == order.stages.len() {
            true => chunk.gpus,
            false => ((chunk.gpus as f64 * share).round() as u64).clamp(before, chunk.gpus),
        };
        stages.push(Lot {
            at_s: first_s + delay_s,
            chunk: index,
            gpus: until - before,
        });
        before = until;
    }
    stages.retain(|lot| lot.gpus > 0);
    let Some(pace) = order.pace else {
        return stages;
    };
    let (mut gate, mut lots) = (Gate::new(pace, chunk.gpus), Vec::new());
    for stage in stages {
        gate.pass(stage, &mut lots);
    }
    lots
}

/// What passes the test of acceptance, and when; those replaced pass.
fn accepted(chunk: &Chunk, lots: &[Lot], draws: Draws) -> Arrived {
    let order = &chunk.order;
    let share = order.failing_share;
    let entity = format!("chunk/{}", chunk.name);
    let mut stream = match draws {
        Draws::Of(seed, number) if share > 0.0 => Some(seed.stream(&entity, "acceptance", number)),
        _ => None,
    };
    let replaced_s = order.replaced_s.as_ref();
    let replaced_s = replaced_s.map(|law| draws.value(&chunk.name, "replacement", law));
    let mut arrived = Arrived::default();
    for lot in lots {
        let failing = match &mut stream {
            Some(stream) => stream.binomial(lot.gpus, share),
            None => (lot.gpus as f64 * share).round() as u64,
        };
        let at = date(lot.at_s);
        arrived.accepted.push((at, lot.gpus - failing));
        arrived.refused.push((at, failing));
        if let Some(after_s) = replaced_s {
            arrived.accepted.push((date(lot.at_s + after_s), failing));
        }
    }
    tidy(&mut arrived.accepted);
    tidy(&mut arrived.refused);
    arrived.powered.clone_from(&arrived.accepted);
    arrived
}

/// Sorts by date, with one entry a date and none of nothing.
fn tidy(list: &mut Vec<(SimTime, u64)>) {
    list.retain(|entry| entry.1 > 0);
    list.sort_by_key(|entry| entry.0);
    list.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        earlier.1 += if same { later.1 } else { 0 };
        same
    });
}

/// GPUs of a chunk's replica; of one without replicas all of them.
fn gpus_per_replica(chunk: &Chunk) -> u64 {
    u64::from(chunk.gpus_per_replica).max(1)
}

/// Whole replicas that so many GPUs of a chunk make; all of its GPUs make all of its replicas.
fn replicas_of(chunk: &Chunk, gpus: u64) -> u64 {
    (gpus / gpus_per_replica(chunk)).min(u64::from(chunk.replicas))
}

/// At a site with a power limit: switches replicas on in the order of acceptance, as far as power allows.
fn power_up(cluster: &Cluster, index: usize, chunks: &mut [Chunk]) {
    if cluster.power_limits_w.is_empty() {
        return;
    }
    // (date, chunk, replicas): what waits for power.
    let mut waiting: Vec<(SimTime, usize, u64)> = Vec::new();
    for (number, chunk) in chunks.iter_mut().enumerate() {
        if chunk.cluster != index {
            continue;
        }
        chunk.arrived.powered.clear();
        let mut gpus = 0;
        for &(at, more) in &chunk.arrived.accepted {
            let before = replicas_of(chunk, gpus);
            gpus += more;
            waiting.push((at, number, replicas_of(chunk, gpus) - before));
        }
    }
    waiting.sort_by_key(|entry| (entry.0, entry.1));
    let mut used_w = 0.0;
    let mut steps = cluster.power_limits_w.iter().copied().peekable();
    let mut step = (SimTime::ZERO, 0.0);
    for (accepted, number, mut replicas) in waiting {
        let chunk = &mut chunks[number];
        let each = gpus_per_replica(chunk);
        let watts = each as f64 * chunk.busy_w_per_gpu * cluster.power_usage_effectiveness;
        while replicas > 0 {
            while let Some(next) = steps.next_if(|next| next.0 <= accepted) {
                step = next;
            }
            // A millionth of a replica more is rounding, not power.
            let room = (((step.1 - used_w) / watts + 1e-6).floor() as u64).min(replicas);
            if room > 0 {
                used_w += room as f64 * watts;
                let at = accepted.max(step.0);
                chunk.arrived.powered.push((at, room * each));
                replicas -= room;
            }
            // First come, first powered: who is next waits for whoever is before.
            if replicas > 0 {
                let Some(next) = steps.next() else { break };
                step = next;
            }
        }
    }
    for chunk in chunks.iter_mut().filter(|chunk| chunk.cluster == index) {
        tidy(&mut chunk.arrived.powered);
    }
}

/// Makes replicas of the units of each partition.
fn fill_divided(cluster: &Cluster, division: &Division, pools: &mut [Pool]) {
    for part in &division.partitions {
        let Some(pool) = part.pool.map(|pool| &mut pools[pool]) else {
            continue;
        };
        let start_up = start_up(cluster, pool);
        let replicas = part.deliveries.iter().map(|&(at, units)| {
            let replicas = units.saturating_mul(part.replicas_per_unit);
            (ready(at, start_up), replicas)
        });
        pool.deliveries = replicas.collect();
    }
}

/// How long after they have power the replicas of a pool serve; nothing where each starts up for itself, which
/// `sim` plays.
fn start_up(cluster: &Cluster, pool: &Pool) -> SimDuration {
    match cluster.start_up {
        Some(_) => SimDuration::ZERO,
        None => pool.start_up,
    }
}

/// When replicas with power serve; those that are there at the start run already.
fn ready(at: SimTime, start_up: SimDuration) -> SimTime {
    match at {
        SimTime::ZERO => SimTime::ZERO,
        at => at + start_up,
    }
}

/// The deliveries to a cluster, each with its chunk: (date, replicas of the chunk until then, and with it).
pub(super) fn deliveries(
    cluster: &Cluster,
    (index, chunks): (usize, &[Chunk]),
    start_up: SimDuration,
) -> Vec<(SimTime, u32, u32)> {
    let mut deliveries = Vec::new();
    if cluster.free_replicas > 0 {
        deliveries.push((SimTime::ZERO, 0, cluster.free_replicas));
    }
    for chunk in chunks.iter().filter(|chunk| chunk.cluster == index) {
        let mut gpus = 0;
        for &(at, more) in &chunk.arrived.powered {
            let before = replicas_of(chunk, gpus) as u32;
            gpus += more;
            let after = replicas_of(chunk, gpus) as u32;
            if after > before {
                deliveries.push((ready(at, start_up), before, after));
            }
        }
    }
    deliveries.sort_by_key(|delivery| delivery.0);
    deliveries
}

/// Shares the replicas of a cluster over its pools: each has its part of what every chunk has brought so far,
/// the first pools the remainder.
fn fill_pools(cluster: &Cluster, (index, chunks): (usize, &[Chunk]), pools: &mut [Pool]) {
    let own = pools.iter_mut().filter(|pool| pool.cluster == index);
    let mut own: Vec<&mut Pool> = own.collect();
    let Some(start_up) = own.first().map(|pool| start_up(cluster, pool)) else {
        return;
    };
    let count = own.len() as u32;
    let deliveries = deliveries(cluster, (index, chunks), start_up);
    for (number, pool) in own.iter_mut().enumerate() {
        let part = |replicas: u32| replicas / count + u32::from((number as u32) < replicas % count);
        let parts = deliveries
            .iter()
            .map(|&(at, before, after)| (at, part(after) - part(before)));
        pool.deliveries = parts.filter(|delivery| delivery.1 > 0).collect();
    }
}
