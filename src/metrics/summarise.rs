//! A finished run to its summary.

use super::recorder::usage;
use super::regions::regions;
use super::summary::{
    Check, People, PoolSummary, Quantiles, SCHEMA_VERSION, Shed, Summary, TierSummary,
    TimelineEntry, WarmUp,
};
use super::{Recorder, deliveries, elastic, facts, failures, judge, partitions};
use crate::economics;
use crate::scenario::{Pool, Scenario};
use crate::sim::{Levels, PoolTally, Refusal, Simulation, TierTally};
use crate::stats::Histogram;
use crate::units::{SimDuration, SimTime};

/// The summary of a run that has come as far as it will.
#[must_use]
pub fn summarise(scenario: &Scenario, simulation: &Simulation, recorder: &Recorder) -> Summary {
    let tallies = simulation.tiers();
    let mut all = TierTally::default();
    tallies.iter().for_each(|tally| all.add(tally));
    let in_time: Vec<u64> = tallies
        .iter()
        .enumerate()
        .map(|(index, tally)| judge::in_time(scenario, index, tally))
        .collect();
    let series = recorder.series(scenario);
    let people = people(simulation, recorder, &all);
    let reached = simulation.clock();
    let measured = reached.since(SimTime::ZERO + scenario.warm_up);
    let timeline = scenario.timeline.iter().filter(|entry| entry.0 <= reached);
    let mut summary = Summary {
        schema_version: SCHEMA_VERSION,
        meltpoint_version: env!("CARGO_PKG_VERSION").into(),
        scenario: scenario.name.clone(),
        question: scenario.question.clone(),
        start_unix_s: scenario.start_unix_s,
        simulated_s: reached.as_s(),
        measured_s: measured.as_s(),
        partial: reached < SimTime::ZERO + scenario.horizon,
        seed: scenario.seed.0,
        scale: scenario.scale,
        warm_up: WarmUp {
            seconds: scenario.warm_up.as_s(),
            basis: "stated".into(),
        },
        tiers: scenario
            .tiers
            .iter()
            .zip(&tallies)
            .zip(&in_time)
            .map(|((tier, tally), &in_time)| tier_summary(&tier.name, tally, in_time))
            .collect(),
        total: tier_summary("all", &all, in_time.iter().sum()),
        pools: pool_summaries(scenario, simulation, measured),
        autoscalers: elastic::summaries(scenario, simulation, measured),
        partitions: partitions::summaries(scenario, simulation, measured),
        sites: failures::sites(scenario, simulation, measured),
        regions: regions(scenario, simulation),
        people,
        deliveries: deliveries(scenario, &scenario.chunks, reached),
        money: economics::bill(scenario, &usage(scenario, simulation, &tallies)),
        slos: judge::slos(scenario, &tallies),
        facts: facts::facts(scenario, recorder, &people, all.completed),
        melted: judge::melted(scenario, &series),
        timeline: timeline
            .map(|(at, what)| TimelineEntry {
                at_s: at.as_s(),
                what: what.clone(),
            })
            .collect(),
        checks: checks(simulation, recorder, &all),
        theory: Vec::new(),
        warnings: scenario.warnings.clone(),
        inputs: scenario.inputs.clone(),
        series,
        replications: None,
    };
    summary.warnings.extend(doubts(scenario, &summary));
    summary
}

fn tier_summary(name: &str, tally: &TierTally, in_time: u64) -> TierSummary {
    let shed = |refusal: Refusal| tally.shed[refusal as usize];
    TierSummary {
        name: name.into(),
        offered: tally.offered,
        completed: tally.completed,
        in_time,
        shed: Shed {
            quota: shed(Refusal::Quota),
            rate_limit: shed(Refusal::RateLimit),
            queue_full: shed(Refusal::QueueFull),
            hopeless: shed(Refusal::Hopeless),
            closed: shed(Refusal::Closed),
        },
        abandoned: tally.abandoned,
        failed: tally.failed,
        in_system: tally.in_system,
        attempts: tally.attempts,
        admitted: tally.admitted,
        waited_share: waited_share(tally),
        degraded: tally.degraded,
        wasted: tally.wasted,
        response_s: quantiles(&tally.response),
        wait_s: quantiles(&tally.wait),
        served_users: tally.served_users,
    }
}

/// Who is started at once waits for no nanosecond, and is counted when he comes.
fn waited_share(tally: &TierTally) -> Option<f64> {
    let at_once = tally.wait.count_at_most(0);
    let waited = tally.admitted.saturating_sub(at_once) as f64;
    (tally.admitted > 0).then(|| waited / tally.admitted as f64)
}

fn quantiles(histogram: &Histogram) -> Quantiles {
    Quantiles {
        samples: histogram.count(),
        mean: histogram.mean_s(),
        deviation: histogram.deviation_s(),
        p50: histogram.quantile_s(0.5),
        p90: histogram.quantile_s(0.9),
        p95: histogram.quantile_s(0.95),
        p99: histogram.quantile_s(0.99),
        p999: histogram.quantile_s(0.999),
        max: histogram.max_s(),
    }
}

fn pool_summaries(
    scenario: &Scenario,
    simulation: &Simulation,
    measured: SimDuration,
) -> Vec<PoolSummary> {
    let pools = simulation.pools().zip(&scenario.pools);
    pools
        .map(|((tally, _, replicas), pool)| {
            pool_summary(scenario, pool, &tally, replicas, measured)
        })
        .collect()
}

fn pool_summary(
    scenario: &Scenario,
    pool: &Pool,
    tally: &PoolTally,
    replicas: u64,
    measured: SimDuration,
) -> PoolSummary {
    let mean = |integral_ns: u128| integral_ns as f64 / measured.0.max(1) as f64;
    let deviation = |integral_ns: u128, squared_ns: u128| {
        let variance = mean(squared_ns) - mean(integral_ns) * mean(integral_ns);
        libm::sqrt(variance.max(0.0))
    };
    let ratio = |part: u128, whole: u128| (whole > 0).then(|| part as f64 / whole as f64);
    let work = scenario
        .demands
        .first()
        .map(|demand| &scenario.works[demand.work]);
    let rate = work.map_or(0.0, |work| {
        work.rate_per_s(&pool.profile.curve, pool.batch_limit, 0)
    });
    PoolSummary {
        name: pool.name.clone(),
        replicas,
        gpus_per_replica: pool.profile.gpus_per_replica,
        utilisation: ratio(tally.busy_ns, tally.in_service_ns),
        batch_mean: ratio(tally.running_ns, tally.busy_ns),
        full_rate_per_s: rate * replicas as f64,
        gpu_hours: tally.in_service_ns as f64 * f64::from(pool.profile.gpus_per_replica) / 3.6e12,
        in_pool_mean: mean(tally.waiting_ns + tally.running_ns),
        in_pool_deviation: deviation(
            tally.waiting_ns + tally.running_ns,
            tally.present_squared_ns,
        ),
        waiting_mean: mean(tally.waiting_ns),
        waiting_deviation: deviation(tally.waiting_ns, tally.waiting_squared_ns),
        in_orbit_mean: mean(tally.orbit_ns),
        all_busy_share: mean(u128::from(tally.all_busy_ns)),
        batch_start_mean: ratio(u128::from(tally.batched), u128::from(tally.batches)),
        waiting_max: tally.waiting_max,
    }
}

fn people(simulation: &Simulation, recorder: &Recorder, all: &TierTally) -> People {
    let people = simulation.people(None);
    People {
        interested: people.interested,
        served: all.served_users,
        sign_ups: people.sign_ups,
        sign_ups_peak_hour: recorder.sign_ups_peak_hour(),
        days_to_million: recorder.million_at().map(|at| at.as_s() / 86_400.0),
        subscribers: people.subscribers,
    }
}

/// The invariants, with the numbers that were compared last.
fn checks(simulation: &Simulation, recorder: &Recorder, all: &TierTally) -> Vec<Check> {
    let (ledger, invariants) = recorder.checks();
    let mut pools = PoolTally::default();
    let mut present = Levels::default();
    for (tally, levels, _) in simulation.pools() {
        pools.add(&tally);
        present.waiting += levels.waiting;
        present.running += levels.running;
    }
    let check = |name: &str, times: u64, evidence: String| Check {
        name: name.into(),
        times,
        evidence,
    };
    vec![
        check(
            "ledger",
            ledger,
            format!(
                "{} offered = {} completed + {} shed + {} abandoned + {} failed + {} in system",
                all.offered,
                all.completed,
                all.shed_total(),
                all.abandoned,
                all.failed,
                all.in_system
            ),
        ),
        check(
            "Little's law",
            invariants,
            format!(
                "{} ns of attempts in pools = {} ns spent by those who left + what the {} present \
                 have spent",
                pools.waiting_ns + pools.running_ns,
                pools.sojourn_ns,
                present.waiting + present.running
            ),
        ),
        check(
            "utilisation <= 1",
            invariants,
            format!(
                "{} ns busy <= {} ns in service",
                pools.busy_ns, pools.in_service_ns
            ),
        ),
    ]
}

/// What may be doubted about a result, and what to do about it.
fn doubts(scenario: &Scenario, summary: &Summary) -> Vec<String> {
    let mut doubts = Vec::new();
    for tier in &summary.tiers {
        let enough = tier.response_s.p99.is_some();
        if tier.offered > 0 && !enough {
            doubts.push(format!(
                "too short: tier {} has {} completed requests, too few for a p99 (10 must lie beyond \
                 it); run longer or at a larger scale",
                tier.name, tier.response_s.samples
            ));
        }
    }
    let waiting = summary.series.column("waiting", None);
    let impatient = scenario
        .tiers
        .iter()
        .all(|tier| tier.client.patience_s.is_some());
    if let Some(waiting) = waiting.filter(|_| !impatient)
        && grows(&waiting.values)
        && summary
            .pools
            .iter()
            .filter_map(|pool| pool.utilisation)
            .any(|u| u > 0.95)
    {
        doubts.push(
            "unstable: more is offered than the fleet can serve and nobody gives up, so the queue \
             grows to the end; means and quantiles depend on the length of the run"
                .into(),
        );
    }
    doubts
}

/// Whether the second half of a level lies well above the first.
fn grows(values: &[Option<f64>]) -> bool {
    let (first, second) = values.split_at(values.len() / 2);
    let mean = |part: &[Option<f64>]| {
        let known: Vec<f64> = part.iter().flatten().copied().collect();
        known.iter().sum::<f64>() / known.len().max(1) as f64
    };
    mean(second) > 1.5 * mean(first).max(1.0)
}
