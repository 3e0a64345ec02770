//! Supply: regions, clusters, pools and the chunks that fill them.

use crate::profile::DeviceProfile;
use crate::random::Law;
use crate::scenario::Contract;
use crate::units::{SimDuration, SimTime};

/// A part of the world.
#[derive(Clone, Debug)]
pub struct Region {
    /// Name: americas, emea, asia ...
    pub name: String,
    /// Local time minus UTC in seconds, for the daily rhythm and the calendar day of quotas.
    pub utc_offset_s: i64,
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
    /// What a kWh of its grid emits, in kg of CO2 equivalent; `None`: unknown.
    pub grid_kgco2_per_kwh: Option<f64>,
}

/// Identical replicas behind one queue.
#[derive(Clone, Debug)]
pub struct Pool {
    /// `cluster/1`.
    pub name: String,
    /// Index of its cluster.
    pub cluster: usize,
    /// What each replica can do.
    pub profile: DeviceProfile,
    /// Most requests in one batch of a replica.
    pub batch_limit: u32,
    /// Time from powered GPUs to a serving replica.
    pub start_up: SimDuration,
    /// How its replicas go off when they are idle; `None`: never.
    pub set_up: Option<SetUp>,
    /// Replicas that come into service: (date, how many), by date; made from the chunks.
    pub deliveries: Vec<(SimTime, u32)>,
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
    /// Who supplies them.
    pub provider: String,
    /// Contract: on-demand, reserved-1y, multi-year ...
    pub term: String,
    /// Index of the cluster into which they are delivered.
    pub cluster: usize,
    /// When they are delivered and paid from.
    pub delivered: SimTime,
    /// USD an hour for each GPU.
    pub usd_per_gpu_hour: f64,
    /// How it is paid for; `None`: rent by the hour, whatever `term` says.
    pub contract: Option<Contract>,
    /// Further USD an hour for each GPU: the network.
    pub network_usd_per_gpu_hour: f64,
    /// Further USD an hour for each GPU: the staff.
    pub staff_usd_per_gpu_hour: f64,
    /// Power of one GPU with its share of the node, busy, in watts; 0: the price includes power.
    pub busy_w_per_gpu: f64,
    /// The same, idle.
    pub idle_w_per_gpu: f64,
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
}
