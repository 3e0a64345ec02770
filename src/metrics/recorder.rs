//! Looks at a run at the end of windows and intervals, and remembers what the summary needs.

use std::collections::BTreeMap;

use crate::economics::{self, QualityImages, Usage};
use crate::metrics::summary::{Column, Series};
use crate::metrics::{elastic, partitions};
use crate::scenario::{DemandKind, Scenario};
use crate::sim::{
    PartitionTally, PeopleTally, PoolTally, Refusal, ScalerTally, Simulation, TierTally,
};
use crate::stats::Histogram;
use crate::units::{SimDuration, SimTime};

const HOUR: SimDuration = SimDuration(3600 * crate::units::NS_PER_S);

/// What is remembered of a run in progress.
#[derive(Debug)]
pub struct Recorder {
    frames: Vec<Frame>,
    /// The start of the running interval, or the end of the warm-up within it.
    interval_from: SimTime,
    /// The tallies at that time.
    tiers_before: Vec<TierTally>,
    pools_before: PoolTally,
    scalers_before: ScalerTally,
    partitions_before: Vec<PartitionTally>,
    people_before: PeopleTally,
    /// Sign-ups by clock hour of the scenario.
    sign_ups_by_hour: Vec<u64>,
    sign_ups: u64,
    million_at: Option<SimTime>,
    /// By demand: people at the beginning and at the end of the market's week.
    week: [Option<Vec<PeopleTally>>; 2],
    ledger_checks: u64,
    invariant_checks: u64,
}

/// One interval of the series.
#[derive(Clone, Debug)]
struct Frame {
    seconds: f64,
    /// By tier, then of all.
    tiers: Vec<TierFrame>,
    capacity_per_s: f64,
    waiting: Option<f64>,
    running: Option<f64>,
    orbit: Option<f64>,
    utilisation: Option<f64>,
    gpus: u64,
    people: PeopleTally,
    sign_ups: u64,
    served: u64,
    images: u64,
    cost_usd: f64,
    income_usd: f64,
    /// What autoscalers did, where there are any.
    scalers: Option<ScalerTally>,
    /// What partitions had, where there are any.
    partitions: Vec<PartitionTally>,
}

#[derive(Clone, Debug, Default)]
struct TierFrame {
    offered: u64,
    admitted: u64,
    completed: u64,
    shed: u64,
    shed_quota: u64,
    shed_queue_full: u64,
    abandoned: u64,
    failed: u64,
    retries: u64,
    degraded: u64,
    response: [Option<f64>; 4],
}

/// The quantiles of the response time in the series.
const QUANTILES: [(&str, f64); 4] = [
    ("response_p50", 0.5),
    ("response_p90", 0.9),
    ("response_p99", 0.99),
    ("response_p999", 0.999),
];

impl Recorder {
    /// A recorder for a run at its start.
    #[must_use]
    pub fn new(scenario: &Scenario, simulation: &Simulation) -> Self {
        let mut recorder = Self {
            frames: Vec::new(),
            interval_from: SimTime::ZERO,
            tiers_before: simulation.tiers(),
            pools_before: PoolTally::default(),
            scalers_before: ScalerTally::default(),
            partitions_before: Vec::new(),
            people_before: PeopleTally::default(),
            sign_ups_by_hour: Vec::new(),
            sign_ups: 0,
            million_at: None,
            week: [None, None],
            ledger_checks: 0,
            invariant_checks: 0,
        };
        recorder.mark_week(scenario, simulation);
        recorder
    }

    /// Where the run must stop for the recorder to look at it, at the latest: the end of the interval,
    /// the hour, the market's week, the warm-up.
    #[must_use]
    pub fn next_stop(&self, scenario: &Scenario, clock: SimTime) -> SimTime {
        let grid = |step: SimDuration| SimTime((clock.0 / step.0 + 1).saturating_mul(step.0));
        let week = scenario
            .market
            .iter()
            .flat_map(|market| [market.week_from, market.week_until]);
        let warm_up = SimTime::ZERO + scenario.warm_up;
        week.chain([warm_up])
            .filter(|&time| time > clock)
            .fold(grid(scenario.series_interval).min(grid(HOUR)), SimTime::min)
    }

    /// A window has ended.
    pub fn after_window(&mut self, scenario: &Scenario, simulation: &Simulation, from: SimTime) {
        simulation.assert_ledger();
        self.ledger_checks += 1;
        let sign_ups = simulation.people(None).sign_ups;
        let hour = (from.0 / HOUR.0) as usize;
        if self.sign_ups_by_hour.len() <= hour {
            self.sign_ups_by_hour.resize(hour + 1, 0);
        }
        self.sign_ups_by_hour[hour] += sign_ups - self.sign_ups;
        self.sign_ups = sign_ups;
        if self.million_at.is_none() && sign_ups as f64 >= 1e6 * scenario.scale {
            self.million_at = Some(simulation.clock());
        }
        self.mark_week(scenario, simulation);
        if scenario.warm_up.0 > 0 && simulation.clock() == SimTime::ZERO + scenario.warm_up {
            self.interval_from = simulation.clock();
            self.tiers_before = simulation.tiers();
            self.pools_before = PoolTally::default();
            self.scalers_before = ScalerTally::default();
            self.partitions_before = Vec::new();
        }
    }

    /// An interval of the series has ended, or the run has within one.
    pub fn after_interval(&mut self, scenario: &Scenario, simulation: &Simulation) {
        simulation.assert_invariants();
        self.invariant_checks += 1;
        let clock = simulation.clock();
        // A warm-up that ends with the interval leaves nothing of it to look at.
        let seconds = clock.since(self.interval_from).as_s();
        self.interval_from = clock;
        let tiers = simulation.tiers();
        let mut pools = PoolTally::default();
        simulation.pools().for_each(|(tally, ..)| pools.add(&tally));
        let spent = pools.since(&self.pools_before);
        let people = simulation.people(None);
        let money = economics::bill(scenario, &usage(scenario, simulation, &tiers));
        let per_tier = tiers
            .iter()
            .zip(&self.tiers_before)
            .map(|(now, before)| frame(now, before));
        let mut frames: Vec<TierFrame> = per_tier.collect();
        frames.push(all_tiers(&frames, &tiers, &self.tiers_before));
        let scalers = elastic::together(simulation);
        let of_partitions = partitions::tallies(simulation);
        let divided: u64 = simulation.divisions().map(|(_, tally)| tally.gpus).sum();
        let whole =
            |pool: &crate::scenario::Pool| scenario.clusters[pool.cluster].division.is_none();
        let gpus = simulation.pools().zip(&scenario.pools);
        let gpus = gpus.filter(|(_, pool)| whole(pool));
        // Of a fleet that is scaled those count that are in service, else all that are delivered.
        let gpus = gpus.map(|((_, levels, delivered), pool)| {
            let replicas = match simulation.paid_gpu_ns(pool.cluster) {
                Some(_) => levels.in_service,
                None => delivered,
            };
            replicas * u64::from(pool.profile.gpus_per_replica)
        });
        let mean = |integral_ns: u128| per_s(integral_ns as f64 / 1e9, seconds);
        self.frames.push(Frame {
            seconds,
            tiers: frames,
            capacity_per_s: simulation.full_rate_per_s(),
            waiting: mean(spent.waiting_ns),
            running: mean(spent.running_ns),
            orbit: mean(spent.orbit_ns),
            utilisation: (spent.in_service_ns > 0)
                .then(|| spent.busy_ns as f64 / spent.in_service_ns as f64),
            gpus: gpus.sum::<u64>() + divided,
            people,
            sign_ups: people.sign_ups - self.people_before.sign_ups,
            served: tiers.iter().map(|tier| tier.served_users).sum(),
            images: tiers.iter().map(|tier| tier.completed).sum(),
            cost_usd: money.cost_total_usd,
            income_usd: money.income_total_usd,
            scalers: scalers.map(|tally| tally.since(&self.scalers_before)),
            partitions: partitions::since(&of_partitions, &self.partitions_before),
        });
        self.partitions_before = of_partitions;
        self.scalers_before = scalers.unwrap_or_default();
        self.tiers_before = tiers;
        self.pools_before = pools;
        self.people_before = people;
    }

    fn mark_week(&mut self, scenario: &Scenario, simulation: &Simulation) {
        let Some(market) = &scenario.market else {
            return;
        };
        let marks = [market.week_from, market.week_until];
        for (mark, people) in marks.into_iter().zip(&mut self.week) {
            if people.is_none() && simulation.clock() >= mark {
                let demands = 0..scenario.demands.len();
                *people = Some(
                    demands
                        .map(|demand| simulation.people(Some(demand)))
                        .collect(),
                );
            }
        }
    }

    /// Sign-ups in the clock hour with the most.
    #[must_use]
    pub fn sign_ups_peak_hour(&self) -> u64 {
        self.sign_ups_by_hour.iter().copied().max().unwrap_or(0)
    }

    /// When the millionth account (times the scale) was made.
    #[must_use]
    pub fn million_at(&self) -> Option<SimTime> {
        self.million_at
    }

    /// By demand: who came within the market's week, if it is over.
    #[must_use]
    pub fn came_in_week(&self, scenario: &Scenario) -> Option<Vec<CameInWeek>> {
        let (before, after) = (self.week[0].as_ref()?, self.week[1].as_ref()?);
        let came =
            before
                .iter()
                .zip(after)
                .zip(&scenario.demands)
                .map(|((before, after), demand)| {
                    let interested = (after.interested - before.interested) as f64;
                    let (newcomers, dormant) = match &demand.kind {
                        DemandKind::Population(p) => (p.newcomer_share, p.dormant_share),
                        _ => (0.0, 0.0),
                    };
                    CameInWeek {
                        newcomers: interested * newcomers,
                        dormant: interested * dormant,
                        subscribers: (after.subscribers - before.subscribers) as f64,
                    }
                });
        Some(came.collect())
    }

    /// How often the ledger and all invariants were checked.
    #[must_use]
    pub fn checks(&self) -> (u64, u64) {
        (self.ledger_checks, self.invariant_checks)
    }

    /// The series.
    #[must_use]
    pub fn series(&self, scenario: &Scenario) -> Series {
        let mut columns = Vec::new();
        for index in 0..=scenario.tiers.len() {
            let tier = scenario.tiers.get(index).map(|tier| tier.name.clone());
            self.tier_columns(index, tier.as_deref(), &mut columns);
        }
        let mut level = |name: &str, unit: &str, value: &dyn Fn(&Frame) -> Option<f64>| {
            let values = self.frames.iter().map(value).collect();
            columns.push(Column {
                name: name.into(),
                tier: None,
                unit: unit.into(),
                values,
            });
        };
        level("capacity", "1/s", &|f| Some(f.capacity_per_s));
        level("waiting", "requests", &|f| f.waiting);
        level("running", "requests", &|f| f.running);
        level("in_orbit", "requests", &|f| f.orbit);
        level("utilisation", "1", &|f| f.utilisation);
        level("gpus", "GPUs", &|f| Some(f.gpus as f64));
        level("interested", "users", &|f| Some(f.people.interested as f64));
        level("served", "users", &|f| Some(f.served as f64));
        level("sign_ups", "users", &|f| Some(f.people.sign_ups as f64));
        level("sign_up_rate", "1/s", &|f| {
            per_s(f.sign_ups as f64, f.seconds)
        });
        level("images", "images", &|f| Some(f.images as f64));
        level("cost", "USD", &|f| Some(f.cost_usd));
        level("income", "USD", &|f| Some(f.income_usd));
        let scalers = self.frames.iter().map(|f| (f.scalers, f.seconds));
        columns.extend(elastic::columns(&scalers.collect::<Vec<_>>()));
        let partitions = self.frames.iter().map(|f| (&*f.partitions, f.seconds));
        columns.extend(partitions::columns(
            scenario,
            &partitions.collect::<Vec<_>>(),
        ));
        Series {
            interval_s: scenario.series_interval.as_s(),
            columns,
        }
    }

    fn tier_columns(&self, index: usize, tier: Option<&str>, columns: &mut Vec<Column>) {
        type Count = fn(&TierFrame) -> u64;
        const COUNTS: [(&str, Count); 10] = [
            ("offered", |f| f.offered),
            ("admitted", |f| f.admitted),
            ("completed", |f| f.completed),
            ("shed", |f| f.shed),
            ("shed_quota", |f| f.shed_quota),
            ("shed_queue_full", |f| f.shed_queue_full),
            ("abandoned", |f| f.abandoned),
            ("failed", |f| f.failed),
            ("retries", |f| f.retries),
            ("degraded", |f| f.degraded),
        ];
        let tier = tier.map(str::to_owned);
        for (name, count) in COUNTS {
            let rate = |f: &Frame| per_s(count(&f.tiers[index]) as f64, f.seconds);
            let values = self.frames.iter().map(rate).collect();
            columns.push(Column {
                name: name.into(),
                tier: tier.clone(),
                unit: "1/s".into(),
                values,
            });
        }
        for (quantile, (name, _)) in QUANTILES.iter().enumerate() {
            let values = self
                .frames
                .iter()
                .map(|f| f.tiers[index].response[quantile])
                .collect();
            columns.push(Column {
                name: (*name).into(),
                tier: tier.clone(),
                unit: "s".into(),
                values,
            });
        }
    }
}

/// Who came within the market's week from one demand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameInWeek {
    /// People without an account.
    pub newcomers: f64,
    /// People with an account who had not been active.
    pub dormant: f64,
    /// New subscribers.
    pub subscribers: f64,
}

/// What the bill depends on, as the run stands.
pub(super) fn usage(scenario: &Scenario, simulation: &Simulation, tiers: &[TierTally]) -> Usage {
    let mut busy = vec![(0_u128, 0_u128); scenario.clusters.len()];
    for ((tally, ..), pool) in simulation.pools().zip(&scenario.pools) {
        let (busy_ns, all_ns) = &mut busy[pool.cluster];
        if scenario.clusters[pool.cluster].division.is_some() {
            *busy_ns += tally.busy_ns * u128::from(pool.profile.gpus_per_replica);
            continue;
        }
        match simulation.paid_gpu_ns(pool.cluster) {
            None => {
                *busy_ns += tally.busy_ns;
                *all_ns += tally.in_service_ns;
            }
            // Who starts up or is kept ready takes power too.
            Some(paid_gpu_ns) => {
                *busy_ns += tally.busy_ns * u128::from(pool.profile.gpus_per_replica);
                *all_ns = paid_gpu_ns;
            }
        }
    }
    // A job that trains has something to do; GPUs that start up, or that nobody holds, have nothing.
    for (cluster, tally) in simulation.divisions() {
        let trained = tally.partitions.iter().map(|part| part.trained_gpu_ns);
        busy[cluster].0 += trained.sum::<u128>();
        busy[cluster].1 = tally.gpu_ns;
    }
    let share = |&(busy, all): &(u128, u128)| {
        if all == 0 {
            0.0
        } else {
            busy as f64 / all as f64
        }
    };
    let price = |tier: usize| {
        let demand = scenario.demands.iter().find(|demand| demand.tier == tier);
        demand.map_or(0.0, |demand| {
            scenario.works[demand.work].qualities[0].usd_per_image
        })
    };
    let lost = |(index, tier): (usize, &TierTally)| {
        (tier.shed_total() + tier.abandoned + tier.failed) as f64 * price(index)
    };
    let mut subscribers = vec![0; scenario.tiers.len()];
    for (index, demand) in scenario.demands.iter().enumerate() {
        if let DemandKind::Population(population) = &demand.kind
            && let Some(tier) = population.conversion_tier
        {
            subscribers[tier] += simulation.people(Some(index)).subscribers;
        }
    }
    Usage {
        until: simulation.clock(),
        utilisation: busy.iter().map(share).collect(),
        lost: lost_shares(scenario, simulation),
        list_value_micro_usd: tiers.iter().map(|tier| tier.list_value_micro_usd).collect(),
        images: tiers.iter().map(|tier| tier.completed).sum(),
        images_by_quality: images_by_quality(scenario, simulation),
        lost_list_value_usd: tiers.iter().enumerate().map(lost).sum(),
        subscribers,
        returned_gpu_hours: simulation
            .returned_gpu_ns()
            .iter()
            .map(|&gpu_ns| gpu_ns as f64 / 3.6e12)
            .collect(),
    }
}

/// By cluster: the share of its replicas' time that failures and planned work took.
fn lost_shares(scenario: &Scenario, simulation: &Simulation) -> Vec<f64> {
    let mut shares = vec![0.0; scenario.clusters.len()];
    for (cluster, tally) in simulation.failures() {
        if tally.installed_ns > 0 {
            let lost_ns = tally.down_ns + tally.maintained_ns;
            shares[cluster] = lost_ns as f64 / tally.installed_ns as f64;
        }
    }
    shares
}

/// Images delivered by cluster, work and quality; what nobody got is left out.
fn images_by_quality(scenario: &Scenario, simulation: &Simulation) -> Vec<QualityImages> {
    let mut counts: BTreeMap<(usize, usize, usize), u64> = BTreeMap::new();
    for (pool_index, pool) in scenario.pools.iter().enumerate() {
        for (demand_index, demand) in scenario.demands.iter().enumerate() {
            let images = simulation.images(pool_index, demand_index);
            for (quality, &count) in images.iter().enumerate().filter(|(_, count)| **count > 0) {
                *counts
                    .entry((pool.cluster, demand.work, quality))
                    .or_default() += count;
            }
        }
    }
    let images = |((cluster, work, index), images): ((usize, usize, usize), u64)| {
        let of = &scenario.works[work];
        QualityImages {
            cluster,
            work,
            index,
            quality: format!("{} {}", of.name, of.qualities[index].name),
            images,
        }
    };
    counts.into_iter().map(images).collect()
}

/// A sum over an interval as a mean per second; `None` for an interval of no length.
fn per_s(sum: f64, seconds: f64) -> Option<f64> {
    (seconds > 0.0).then(|| sum / seconds)
}

fn frame(now: &TierTally, before: &TierTally) -> TierFrame {
    let response = now.response.since(&before.response);
    let shed = |refusal: Refusal| now.shed[refusal as usize] - before.shed[refusal as usize];
    TierFrame {
        offered: now.offered - before.offered,
        admitted: now.admitted - before.admitted,
        completed: now.completed - before.completed,
        shed: now.shed_total() - before.shed_total(),
        shed_quota: shed(Refusal::Quota),
        shed_queue_full: shed(Refusal::QueueFull),
        abandoned: now.abandoned - before.abandoned,
        failed: now.failed - before.failed,
        retries: now.retries - before.retries,
        degraded: now.degraded - before.degraded,
        response: QUANTILES.map(|(_, q)| response.quantile_s(q)),
    }
}

fn all_tiers(frames: &[TierFrame], now: &[TierTally], before: &[TierTally]) -> TierFrame {
    let mut response = Histogram::new();
    for (now, before) in now.iter().zip(before) {
        response.merge(&now.response.since(&before.response));
    }
    let sum = |count: fn(&TierFrame) -> u64| frames.iter().map(count).sum();
    TierFrame {
        offered: sum(|f| f.offered),
        admitted: sum(|f| f.admitted),
        completed: sum(|f| f.completed),
        shed: sum(|f| f.shed),
        shed_quota: sum(|f| f.shed_quota),
        shed_queue_full: sum(|f| f.shed_queue_full),
        abandoned: sum(|f| f.abandoned),
        failed: sum(|f| f.failed),
        retries: sum(|f| f.retries),
        degraded: sum(|f| f.degraded),
        response: QUANTILES.map(|(_, q)| response.quantile_s(q)),
    }
}
