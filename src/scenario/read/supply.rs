//! What serves: `[profile]`, `[cluster]` and `[chunk]`, made into clusters, pools and deliveries.

use serde_json::{Value as Json, json};

use super::World;
use super::contracts;
use super::cursor::Cursor;
use super::elastic::{StartUpForm, WrittenStartUp};
use super::failures::{self, ClusterFailures};
use super::form::{Form, list, or_word, reference, some, whole, whole_u32, words};
use super::law::law;
use super::notes::{Notes, Spot};
use super::orders;
use super::partitions::{self, DivisionParts, PartitionParts};
use super::quantity::{
    Money, bytes, duration, fine_seconds, grid_intensity, money, number, power, seconds,
};
use super::tree::Value;
use crate::profile::{DeviceProfile, Provenance, ServiceCurve, Spread};
use crate::scenario::arrival::{Making, Most};
use crate::scenario::{Arrived, Autoscaler, Cause, Chunk, Cluster, Pool, SetUp};
use crate::units::{SimDuration, SimTime};

/// Most requests in one batch.
pub(super) const BATCH_LIMIT: u32 = 65_536;

/// A device profile before a cluster has said how large its batches are.
pub(super) struct ProfileParts {
    pub(super) name: String,
    pub(super) accelerator: String,
    pub(super) gpus_per_replica: u32,
    pub(super) iteration_s: Vec<(u32, f64)>,
    pub(super) per_context_token_s: f64,
    pub(super) per_prompt_token_s: f64,
    pub(super) memory_bytes: Option<u64>,
    pub(super) provenance: Provenance,
    pub(super) source: String,
    pub(super) spread: Option<Spread>,
}

pub(super) fn profiles(root: &mut Cursor<'_>) -> Vec<ProfileParts> {
    let doc = "What one replica, a copy of the model on some GPUs, can do.";
    let profiles = root.keyed("profile", doc, |name, at| {
        let annotation = at.annotated();
        ProfileParts {
            name: name.to_owned(),
            accelerator: at.required("accelerator", "The kind of GPU.", words()),
            gpus_per_replica: at.default(
                "gpus_per_replica",
                "GPUs that one replica takes.",
                whole_u32("GPUs", 1, 100_000),
                "1",
            ),
            iteration_s: at.required(
                "iteration_time",
                "Time of one iteration, by batch size: straight between the sizes given.",
                IterationTime,
            ),
            per_context_token_s: at.default(
                "per_context_token",
                "Further time for each context token in the batch.",
                fine_seconds(),
                "0 ns",
            ),
            per_prompt_token_s: at.default(
                "per_prompt_token",
                "Time for each prompt token of a request that joins.",
                fine_seconds(),
                "0 ns",
            ),
            memory_bytes: at.default(
                "memory",
                "Accelerator memory of a replica that requests can use, or \"none\" for no limit.",
                or_word("none", None, some(bytes())),
                "none",
            ),
            provenance: annotation.provenance.unwrap_or(Provenance::Assumed),
            source: annotation.source.unwrap_or_default(),
            spread: None,
        }
    });
    profiles.into_iter().map(|(_, profile)| profile).collect()
}

impl ProfileParts {
    fn for_batches_up_to(&self, batch_limit: u32) -> DeviceProfile {
        DeviceProfile {
            name: self.name.clone(),
            accelerator: self.accelerator.clone(),
            gpus_per_replica: self.gpus_per_replica,
            memory_bytes: self.memory_bytes,
            curve: ServiceCurve::tabulated(
                &self.iteration_s,
                batch_limit,
                self.per_context_token_s,
                self.per_prompt_token_s,
            ),
            provenance: self.provenance,
            source: self.source.clone(),
            spread: self.spread.clone(),
        }
    }
}

/// The profile of a cluster without one: its replicas serve for the times that the work states.
fn service_profile() -> DeviceProfile {
    DeviceProfile {
        name: "service".to_owned(),
        accelerator: "any".to_owned(),
        gpus_per_replica: 1,
        memory_bytes: None,
        curve: ServiceCurve::service_time(),
        provenance: Provenance::Assumed,
        source: "service times stated by the work".to_owned(),
        spread: None,
    }
}

/// `"22 ms"`, or `{ 1 = "22 ms", 16 = "36 ms" }`: sorted by batch size.
struct IterationTime;

impl IterationTime {
    fn time() -> super::quantity::Quantity {
        fine_seconds().within(1e-9, 1e6)
    }
}

impl Form for IterationTime {
    type Out = Vec<(u32, f64)>;
    fn read(&self, spot: &Spot<'_>) -> Option<Self::Out> {
        let Value::Table(table) = &spot.node.value else {
            return Self::time().read(spot).map(|s| vec![(1, s)]);
        };
        let mut points = Vec::new();
        for (size, s) in spot.map(table, &Self::time()) {
            match size.parse::<u32>() {
                Ok(n) if (1..=BATCH_LIMIT).contains(&n) && n.to_string() == size => {
                    points.push((n, s));
                }
                _ => {
                    let allowed =
                        format!("a table whose keys are batch sizes from 1 to {BATCH_LIMIT}");
                    spot.refuse(&allowed, "write it as { 1 = \"22 ms\", 16 = \"36 ms\" }");
                    return None;
                }
            }
        }
        if points.is_empty() {
            spot.refuse("a table with a batch size", "write it as { 1 = \"22 ms\" }");
            return None;
        }
        points.sort_by_key(|point| point.0);
        Some(points)
    }
    fn placeholder(&self) -> Self::Out {
        vec![(1, 1.0)]
    }
    fn schema(&self) -> Json {
        let time = Self::time().schema();
        json!({ "anyOf": [time, {
            "type": "object",
            "propertyNames": { "pattern": "^[1-9][0-9]*$" },
            "additionalProperties": super::cursor::annotatable(time),
            "minProperties": 1,
        }] })
    }
    fn example(&self) -> String {
        "\"22 ms\" or { 1 = \"22 ms\", 16 = \"36 ms\" }".to_owned()
    }
}

/// A cluster with what its pools are made of.
pub(super) struct ClusterParts {
    cluster: Cluster,
    pub(super) profile: Option<usize>,
    pools: u32,
    pub(super) batch_limit: u32,
    start_up: WrittenStartUp,
    set_up: Option<SetUp>,
    replicas: u64,
    failures: Option<ClusterFailures>,
    /// By work: whether its replicas can do it.
    serves: Vec<bool>,
    division: DivisionParts,
}

impl ClusterParts {
    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.cluster.name
    }

    /// Whether it, or a partition of it, names a profile.
    pub(super) fn has_profile(&self, profile: usize) -> bool {
        let mut own = self.division.partitions.iter().map(|part| part.profile);
        self.profile == Some(profile) || own.any(|own| own == Some(profile))
    }

    /// Index of its region.
    pub(super) fn region(&self) -> usize {
        self.cluster.region
    }

    /// Whether its replicas start one by one while the run goes on, rather than at a known date.
    fn starts_singly(&self, index: usize, autoscalers: &[Autoscaler]) -> bool {
        let is_scaled = autoscalers
            .iter()
            .any(|scaler| scaler.clusters.contains(&index));
        match self.division.divides() {
            true => self.division.starts_singly(&self.start_up),
            false => is_scaled || matches!(self.start_up, WrittenStartUp::Parts(_)),
        }
    }

    /// The profiles that its replicas have, each with the most requests in a batch and where that is written.
    pub(super) fn batches(&mut self) -> Vec<(usize, String, &mut u32)> {
        let name = &self.cluster.name;
        let (profile, batch_limit) = (self.profile, self.batch_limit);
        if !self.division.divides() {
            let own = profile.map(|profile| (profile, name.clone(), &mut self.batch_limit));
            return own.into_iter().collect();
        }
        let parts = self.division.partitions.iter_mut();
        let serving = parts.filter(|part| part.serves_somebody());
        let of_parts = serving.filter_map(|part| {
            let profile = part.profile.or(profile)?;
            let place = format!("{name}.partition.{}", part.name);
            Some((profile, place, part.batch_limit.get_or_insert(batch_limit)))
        });
        of_parts.collect()
    }

    /// Its pools: alike, or one for each partition that serves.
    fn makings(&self, index: usize, profiles: &[ProfileParts]) -> Vec<Making> {
        let own = |profile: Option<usize>, batch_limit, serves: &[bool], start_up| {
            let profile = profile.map(|profile| profiles[profile].for_batches_up_to(batch_limit));
            Pool {
                name: self.cluster.name.clone(),
                cluster: index,
                profile: profile.unwrap_or_else(service_profile),
                batch_limit,
                serves: serves.to_vec(),
                start_up,
                set_up: self.set_up,
                deliveries: Vec::new(),
            }
        };
        if !self.division.divides() {
            let start_up = self.start_up.whole();
            let pool = own(self.profile, self.batch_limit, &self.serves, start_up);
            let most = Most::Alike(self.pools);
            return vec![Making { pool, most }];
        }
        let of_part = |(number, part): (usize, &PartitionParts)| {
            let start_up = part.start_up.as_ref().unwrap_or(&self.start_up).whole();
            let serves = part.serves.as_ref().unwrap_or(&self.serves);
            let batch_limit = part.batch_limit.unwrap_or(self.batch_limit);
            let pool = own(part.profile.or(self.profile), batch_limit, serves, start_up);
            let most = Most::OfPartition(number);
            Making { pool, most }
        };
        self.division.serving().map(of_part).collect()
    }
}

pub(super) fn clusters(root: &mut Cursor<'_>, world: &World<'_>) -> Vec<ClusterParts> {
    let clusters = root.keyed("cluster", "One site: one region, one power bill.", |name, at| {
        at.annotated();
        let region = at.required("region", "Where it is.", reference("region", &world.regions));
        let power_usd_per_kwh = at.default(
            "power_price",
            "What power costs.",
            money(Money::PerKwh),
            "0 USD/kWh",
        );
        let power_usage_effectiveness = at.default(
            "pue",
            "Facility power over IT power.",
            number(1.0, 10.0),
            "1",
        );
        let serves = serves(at, world);
        ClusterParts {
            cluster: Cluster {
                name: name.to_owned(),
                region,
                power_usd_per_kwh,
                power_usage_effectiveness,
                start_up: None,
                power_limits_w: orders::power_limits_w(at, world),
                free_replicas: 0,
                grid_kgco2_per_kwh: at.optional(
                    "grid_intensity",
                    "What a kWh of its grid emits.",
                    grid_intensity(),
                ),
                reliability: None,
                division: None,
            },
            profile: at.optional(
                "profile",
                "What its replicas can do; not needed where the work states service times.",
                reference("profile", &world.profiles),
            ),
            pools: at.default("pools", "Pools of identical replicas.", whole_u32("", 1, 10_000), "1"),
            batch_limit: at.default(
                "batch_limit",
                "Most requests in one batch of a replica.",
                whole_u32("requests", 1, BATCH_LIMIT),
                "1",
            ),
            start_up: at.default(
                "start_up",
                "Time from delivered GPUs to a serving replica: a duration, or its parts.",
                StartUpForm,
                "0s",
            ),
            set_up: set_up(at),
            replicas: at
                .optional(
                    "replicas",
                    "Replicas, or units of a divided cluster, that are there from the start, free of charge, beside the chunks.",
                    whole("replicas", 1, 100_000_000),
                )
                .unwrap_or(0),
            failures: failures::of_cluster(at, world),
            serves,
            division: partitions::division(at, world),
        }
    });
    clusters.into_iter().map(|(_, cluster)| cluster).collect()
}

/// By work: whether its replicas can do it.
fn serves(at: &mut Cursor<'_>, world: &World<'_>) -> Vec<bool> {
    let doc = "The works that its replicas can do, each copy being of one model; by default all.";
    let some = at.optional(
        "serves",
        doc,
        list(reference("work", &world.works), 1, 1000),
    );
    let can = |work: usize| some.as_ref().is_none_or(|some| some.contains(&work));
    (0..world.works.len()).map(can).collect()
}

fn set_up(at: &mut Cursor<'_>) -> Option<SetUp> {
    let law_s = at.optional(
        "set_up",
        "Replicas go off when they are idle; how long one takes to serve again: a duration, or a law.",
        law(seconds()),
    );
    let keep_warm = at.optional(
        "keep_warm",
        "How long an idle replica is kept on before it goes off; by default not at all.",
        or_word("forever", SimDuration::FOREVER, duration()),
    );
    if law_s.is_none() && keep_warm.is_some() {
        let hint = "add `set_up = ...`, or leave it out: without a set-up replicas never go off";
        at.problem("keep_warm", "needs `set_up`", hint);
    }
    let keep_warm = keep_warm.unwrap_or(SimDuration::ZERO);
    law_s.map(|law_s| SetUp { law_s, keep_warm })
}

/// A chunk before the catalog was asked for its price.
pub(super) struct ChunkParts {
    pub(super) chunk: Chunk,
    pub(super) from_catalog: bool,
    /// Whether the purchase price is also to be asked for.
    pub(super) purchase_from_catalog: bool,
}

impl ChunkParts {
    /// Who supplies it.
    pub(super) fn provider(&self) -> &str {
        &self.chunk.provider
    }
}

pub(super) fn chunks(root: &mut Cursor<'_>, world: &World<'_>) -> Vec<ChunkParts> {
    let doc = "GPUs that were ordered from one provider, priced and delivered together.";
    let chunks = root.keyed("chunk", doc, |name, at| {
        at.annotated();
        chunk(name, at, world)
    });
    chunks.into_iter().map(|(_, chunk)| chunk).collect()
}

fn chunk(name: &str, at: &mut Cursor<'_>, world: &World<'_>) -> ChunkParts {
    let doc = "How many GPUs; 0: it is not ordered, as if it were not there.";
    let gpus = at.required("gpus", doc, whole("GPUs", 0, 10_000_000_000));
    let accelerator = at.required("accelerator", "The kind of GPU.", words());
    let provider = at.default("provider", "Who supplies them.", words(), "\"\"");
    let doc = "The contract: on-demand, reserved-1y ...";
    let term = at.default("term", doc, words(), "\"\"");
    let doc = "Where they go.";
    let cluster = at.required("cluster", doc, reference("cluster", &world.clusters));
    let order = orders::order(at, world);
    let price = at.default(
        "price",
        "What a GPU costs; \"catalog\": as the catalog says for its provider, accelerator and term.",
        or_word("catalog", None, some(money(Money::PerGpuHour))),
        "0 USD/GPU-hour",
    );
    let chunk = Chunk {
        name: name.to_owned(),
        gpus,
        accelerator,
        vendor: String::new(),
        provider,
        term,
        cluster,
        delivered: SimTime::ZERO,
        order,
        arrived: Arrived::default(),
        replicas: 0,
        gpus_per_replica: 1,
        usd_per_gpu_hour: price.unwrap_or(0.0),
        contract: contracts::contract(at),
        network_usd_per_gpu_hour: beside(at, "network", "What its network costs beside the price."),
        staff_usd_per_gpu_hour: beside(at, "staff", "What its staff costs beside the price."),
        busy_w_per_gpu: at.default(
            "busy_power",
            "Power of one GPU with its share of the node, busy; 0 if the price includes it.",
            power(),
            "0 W",
        ),
        idle_w_per_gpu: at.default("idle_power", "The same, idle.", power(), "0 W"),
        purchase_usd_per_gpu: None,
    };
    let doc = "What the vendor gets for a GPU, whoever pays it: no cost of the chunk; \"catalog\": as the catalog says.";
    let form = or_word("catalog", None, some(money(Money::PerGpu).positive()));
    let purchase = at.optional("purchase_price", doc, form);
    ChunkParts {
        chunk: Chunk {
            purchase_usd_per_gpu: purchase.flatten(),
            ..chunk
        },
        from_catalog: price.is_none(),
        purchase_from_catalog: purchase == Some(None),
    }
}

/// A cost of a GPU-hour beside its price, 0 where nothing is said.
fn beside(at: &mut Cursor<'_>, key: &'static str, doc: &str) -> f64 {
    at.optional(key, doc, money(Money::PerGpuHour))
        .unwrap_or(0.0)
}

/// What came out of the supply tables; each cluster has one pool for each that it may have.
pub(super) struct Supply {
    pub(super) clusters: Vec<Cluster>,
    pub(super) pools: Vec<Making>,
    pub(super) chunks: Vec<Chunk>,
    /// All replicas over what the scale makes of them before each chunk is rounded to whole ones.
    pub(super) rounding: f64,
}

/// Makes clusters, chunks at the scale of the scenario, and of every cluster the pool of which it has some.
pub(super) fn build(
    notes: &Notes,
    scale: f64,
    profiles: &[ProfileParts],
    parts: &[ClusterParts],
    mut chunks: Vec<Chunk>,
    (autoscalers, failures): (&[Autoscaler], &[Vec<Cause>]),
) -> Supply {
    let mut pools = Vec::new();
    let mut clusters = Vec::new();
    let (mut exact, mut whole) = (0.0, 0.0);
    for (index, part) in parts.iter().enumerate() {
        let makings = part.makings(index, profiles);
        let replicas_gpus = gpus_of_each(&makings);
        let Some(gpus) = partitions::unit_gpus(&replicas_gpus) else {
            partitions::refuse_unit(notes, part.name());
            continue;
        };
        let starts_singly = part.starts_singly(index, autoscalers);
        let mut cluster = part.cluster.clone();
        cluster.start_up = starts_singly.then(|| part.start_up.parts(scale));
        let division = &part.division;
        cluster.division = division.build(gpus, &replicas_gpus, &part.start_up, scale);
        cluster.reliability = part.failures.as_ref().map(|said| {
            let accelerator = makings
                .first()
                .map(|making| &making.pool.profile.accelerator);
            let accelerator = accelerator.map_or("any", String::as_str);
            said.reliability(failures, gpus, accelerator, scale)
        });
        if part.replicas > 0 {
            cluster.free_replicas = scaled_replicas(part.replicas as f64, scale);
            exact += part.replicas as f64 * scale;
            whole += f64::from(cluster.free_replicas);
        }
        for chunk in chunks.iter_mut().filter(|chunk| chunk.cluster == index) {
            let other = |profile: &&DeviceProfile| {
                profile.accelerator != "any" && profile.accelerator != chunk.accelerator
            };
            let mut pool_profiles = makings.iter().map(|making| &making.pool.profile);
            if let Some(other) = pool_profiles.find(other) {
                refuse_accelerator(notes, chunk, other);
                continue;
            }
            exact += (chunk.gpus / u64::from(gpus)) as f64 * scale;
            needs_power(notes, &cluster, chunk);
            chunk.replicas = take_in(notes, chunk, gpus, scale);
            whole += f64::from(chunk.replicas);
            chunk.gpus_per_replica = gpus;
        }
        pools.extend(makings);
        clusters.push(cluster);
    }
    Supply {
        clusters,
        pools,
        chunks,
        rounding: if exact > 0.0 { whole / exact } else { 1.0 },
    }
}

/// GPUs that a replica of each takes.
fn gpus_of_each(makings: &[Making]) -> Vec<u32> {
    let gpus = |making: &Making| making.pool.profile.gpus_per_replica;
    makings.iter().map(gpus).collect()
}

/// At a site with a power limit a chunk must say what it draws.
fn needs_power(notes: &Notes, cluster: &Cluster, chunk: &Chunk) {
    if !cluster.power_limits_w.is_empty() && chunk.busy_w_per_gpu <= 0.0 {
        let message = format!(
            "`chunk.{}` goes to a site with a power limit, but does not say what power it draws",
            chunk.name
        );
        let hint = "add `busy_power = \"1.19 kW\"`, with its share of the node";
        notes.problem_at(&format!("chunk.{}", chunk.name), message, hint);
    }
}

fn refuse_accelerator(notes: &Notes, chunk: &Chunk, profile: &DeviceProfile) {
    notes.problem_at(
        &format!("chunk.{}.accelerator", chunk.name),
        format!(
            "`chunk.{}` brings \"{}\", but the profile \"{}\" of its cluster is of \"{}\"",
            chunk.name,
            super::problem::shown(&chunk.accelerator),
            profile.name,
            super::problem::shown(&profile.accelerator)
        ),
        "deliver it into a cluster with a profile of its accelerator",
    );
}

/// Scales a chunk and gives its replicas; at least one, with its GPUs, where the unscaled has one.
fn take_in(notes: &Notes, chunk: &mut Chunk, gpus_per_replica: u32, scale: f64) -> u32 {
    let gpus_per_replica = u64::from(gpus_per_replica);
    if chunk.gpus < gpus_per_replica {
        notes.problem_at(
            &format!("chunk.{}.gpus", chunk.name),
            format!(
                "`chunk.{}` has {} GPUs, but one replica takes {gpus_per_replica}",
                chunk.name, chunk.gpus
            ),
            "order more GPUs, or change `gpus_per_replica` of the profile",
        );
    }
    let replicas = scaled_replicas((chunk.gpus / gpus_per_replica) as f64, scale);
    let gpus = (chunk.gpus as f64 * scale).round() as u64;
    chunk.gpus = gpus.max(u64::from(replicas) * gpus_per_replica);
    replicas
}

/// So many replicas times the scale, rounded, at least one.
fn scaled_replicas(replicas: f64, scale: f64) -> u32 {
    (replicas * scale).round().clamp(1.0, f64::from(u32::MAX)) as u32
}
