//! Supply: regions, clusters, pools and the chunks that fill them.

use super::order::{Arrived, Order, up_to};
use super::{Division, Reliability, StartUp};
use crate::profile::DeviceProfile;
use crate::random::Law;
use crate::scenario::{Batching, Contract};
use crate::units::{SimDuration, SimTime};

/// A part of the world.
#[derive(Clone, Debug)]
pub struct Region {
    /// Name: americas, emea, asia ...
    pub name: String,
    /// Local time minus UTC in seconds, for the daily rhythm and the calendar day of quotas.
    pub utc_offset_s: i64,
    /// By region: one way over the network from here to there; none where the list ends.
    pub delays: Vec<SimDuration>,
    /// By region: whether requests of users here may be served there; they may where the list ends.
    pub served_in: Vec<bool>,
}

impl Region {
    /// One way over the network from here to another region.
    #[must_use]
    pub fn delay_to(&self, region: usize) -> SimDuration {
        self.delays
            .get(region)
            .copied()
            .unwrap_or(SimDuration::ZERO)
    }

    /// Whether requests of users here may be served in another region.
    #[must_use]
    pub fn may_be_served_in(&self, region: usize) -> bool {
        self.served_in.get(region).copied().unwrap_or(true)
    }

    /// Whether it says how far other regions are.
    #[must_use]
    pub fn knows_distances(&self) -> bool {
        self.delays.iter().any(|delay| delay.0 > 0)
    }
}

/// One site: one region, one power bill.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Name.
    pub name: String,
    /// Index of its region.
    pub region: usize,
    /// USD per kWh.
    pub power_usd_per_kwh: f64,
    /// Facility power over IT power (PUE), at least 1.
    pub power_usage_effectiveness: f64,
    /// What a start-up of its replicas is made of, where they start one by one; `None`: each delivery
    /// serves from a known date on.
    pub start_up: Option<StartUp>,
    /// Facility power in watts that may be drawn from each date on, never falling; empty: no limit.
    pub power_limits_w: Vec<(SimTime, f64)>,
    /// Replicas that are there from the start, free of charge and outside the power limit.
    pub free_replicas: u32,
    /// What a kWh of its grid emits, in kg of CO2 equivalent; `None`: unknown.
    pub grid_kgco2_per_kwh: Option<f64>,
    /// How it fails and is mended; `None`: it does not.
    pub reliability: Option<Reliability>,
    /// How its GPUs are divided among products; `None`: they are not. What else counts replicas of a cluster
    /// then counts units.
    pub division: Option<Division>,
}

/// Identical replicas behind one queue.
#[derive(Clone, Debug)]
pub struct Pool {
    /// `cluster/1`, or `cluster/partition`.
    pub name: String,
    /// Index of its cluster.
    pub cluster: usize,
    /// What each replica can do.
    pub profile: DeviceProfile,
    /// Most requests in one batch of a replica.
    pub batch_limit: u32,
    /// By work: whether its replicas can do it; they can where the list ends.
    pub serves: Vec<bool>,
    /// Time from powered GPUs to a serving replica, alone and in the mean.
    pub start_up: SimDuration,
    /// How its replicas go off when they are idle; `None`: never.
    pub set_up: Option<SetUp>,
    /// Replicas that come into service, or that can be started where they start one by one: (date, how
    /// many), by date; made from the chunks.
    pub deliveries: Vec<(SimTime, u32)>,
}

impl Pool {
    /// Whether its replicas can do a work.
    #[must_use]
    pub fn can_do(&self, work: usize) -> bool {
        self.serves.get(work).copied().unwrap_or(true)
    }

    /// Places in the batch of a replica that its memory allows for requests of so many bytes, one at least.
    #[must_use]
    pub fn places(&self, batching: &Batching, request_bytes: u64) -> u32 {
        let held = self.profile.memory_bytes.unwrap_or(u64::MAX);
        let fitting = held.checked_div(request_bytes).unwrap_or(u64::MAX);
        let fitting = u32::try_from(fitting).unwrap_or(u32::MAX).max(1);
        batching.places(self.batch_limit).min(fitting)
    }
}

/// A replica goes off when it is idle, and is set up before it serves again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetUp {
    /// How long it takes until it serves, in seconds.
    pub law_s: Law,
    /// How long it is kept on without anything to do.
    pub keep_warm: SimDuration,
}

/// GPUs of one accelerator that were ordered from one provider, priced and delivered together.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Name.
    pub name: String,
    /// How many.
    pub gpus: u64,
    /// Of which kind.
    pub accelerator: String,
    /// Who makes them; empty: the catalog does not know.
    pub vendor: String,
    /// Who supplies them.
    pub provider: String,
    /// Contract: on-demand, reserved-1y, multi-year ...
    pub term: String,
    /// Index of the cluster into which they are delivered.
    pub cluster: usize,
    /// When the first of them are delivered and paid from.
    pub delivered: SimTime,
    /// How they come.
    pub order: Order,
    /// How they came in this replication; nothing: all on `delivered`.
    pub arrived: Arrived,
    /// Replicas that all of its GPUs make.
    pub replicas: u32,
    /// GPUs of each.
    pub gpus_per_replica: u32,
    /// USD an hour for each GPU.
    pub usd_per_gpu_hour: f64,
    /// How it is paid for; `None`: rent by the hour, whatever `term` says.
    pub contract: Option<Contract>,
    /// Further USD an hour for each GPU: the network.
    pub network_usd_per_gpu_hour: f64,
    /// Further USD an hour for each GPU: the staff.
    pub staff_usd_per_gpu_hour: f64,
    /// What its vendor gets for each GPU, whoever pays it; `None`: not stated.
    pub purchase_usd_per_gpu: Option<f64>,
    /// Power of one GPU with its share of the node, busy, in watts; 0: the price includes power.
    pub busy_w_per_gpu: f64,
    /// The same, idle.
    pub idle_w_per_gpu: f64,
}

impl Chunk {
    /// Whether GPUs that are given back cost nothing: its term says `on demand` (or `on-demand`).
    #[must_use]
    pub fn is_on_demand(&self) -> bool {
        let mut words = self
            .term
            .split([' ', '-', '_'])
            .filter(|word| !word.is_empty());
        let mut is = |word: &str| {
            words
                .next()
                .is_some_and(|next| next.eq_ignore_ascii_case(word))
        };
        is("on") && is("demand")
    }

    /// GPUs that have arrived and were accepted.
    #[must_use]
    pub fn arrived_gpus(&self, until: SimTime) -> u64 {
        match &self.arrived.accepted[..] {
            [] if self.delivered <= until => self.gpus,
            stages => up_to(stages, until),
        }
    }

    /// Hours for which one of its GPUs has been paid, as the mean over all that were ordered.
    #[must_use]
    pub fn paid_hours(&self, until: SimTime) -> f64 {
        self.mean_hours(&self.arrived.accepted, until)
    }

    /// Hours for which one of its GPUs has drawn power, as the mean over all that were ordered.
    #[must_use]
    pub fn powered_hours(&self, until: SimTime) -> f64 {
        self.mean_hours(&self.arrived.powered, until)
    }

    fn mean_hours(&self, stages: &[(SimTime, u64)], until: SimTime) -> f64 {
        match stages {
            [] if self.arrived.accepted.is_empty() => until.since(self.delivered).as_s() / 3600.0,
            // Of a chunk in one piece the very number of hours, without a detour over GPU-hours.
            [(at, gpus)] if *gpus == self.gpus => until.since(*at).as_s() / 3600.0,
            _ => {
                let hours =
                    |(at, gpus): &(SimTime, u64)| *gpus as f64 * until.since(*at).as_s() / 3600.0;
                stages.iter().map(hours).sum::<f64>() / self.gpus as f64
            }
        }
    }
}

/// A pool stands still for a while; where outages of a pool overlap, until the last of them ends.
#[derive(Clone, Debug)]
pub struct Outage {
    /// Index of the pool.
    pub pool: usize,
    /// From.
    pub from: SimTime,
    /// To.
    pub until: SimTime,
    /// Whether running requests start again from zero when the pool is back; else they fail.
    pub requeue: bool,
    /// Whether all who wait, run or will try again move to other pools, and start there from zero.
    pub evacuate: bool,
}
