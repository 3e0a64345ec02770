//! Made-up answers to draw and print in tests: a surge that melts, and the hard cases.

mod money;

use crate::metrics::replications::{Gathered, Replication, TargetResult};
use crate::metrics::summary::{
    AutoscalerSummary, Check, Column, FactResult, Melted, Money, PartitionSummary, People,
    PoolSummary, Quantiles, SCHEMA_VERSION, Series, Shed, SloResult, Summary, TierSummary,
    TimelineEntry, WarmUp,
};
use crate::profile::Provenance;
use crate::scenario::{FactUse, Input};

const INTERVAL_S: f64 = 900.0;
const INTERVALS: usize = 960;
/// 25 March 2025, 17:00 UTC.
const START_UNIX_S: i64 = 1_742_922_000;
/// Name, share of the demand, seconds of its median response when the fleet is idle.
const TIERS: [(&str, f64, f64); 3] = [
    ("free", 0.62, 30.0),
    ("plus", 0.3, 18.0),
    ("pro", 0.08, 15.0),
];

/// Every fixture.
pub(super) fn all() -> Vec<Summary> {
    vec![
        surge(),
        empty(),
        unknown(),
        constant(),
        one_interval(),
        huge(),
        replicated(),
    ]
}

/// Ten days at 15 minutes: a surge of three tiers that melts on the third day and recovers.
pub(super) fn surge() -> Summary {
    let tiers: Vec<TierSummary> = TIERS.iter().map(|t| tier(t.0, t.1, t.2)).collect();
    Summary {
        schema_version: SCHEMA_VERSION,
        meltpoint_version: "0.1.0".into(),
        scenario: "ghibli-week".into(),
        question: "What melted in the week of 25 March 2025, and what would have held?".into(),
        start_unix_s: START_UNIX_S,
        simulated_s: INTERVALS as f64 * INTERVAL_S,
        measured_s: INTERVALS as f64 * INTERVAL_S,
        partial: false,
        seed: 1,
        scale: 1.0,
        warm_up: WarmUp::default(),
        tiers,
        total: TierSummary {
            served_users: 130_000_000,
            ..tier("all", 1.0, 24.0)
        },
        pools: pools(),
        autoscalers: autoscalers(),
        partitions: partitions(),
        sites: Vec::new(),
        regions: Vec::new(),
        people: People {
            interested: 171_000_000,
            served: 130_400_000,
            sign_ups: 31_000_000,
            sign_ups_peak_hour: 1_010_000,
            days_to_million: Some(2.3),
            subscribers: 1_200_000,
        },
        series: series(),
        deliveries: Vec::new(),
        money: money::money(),
        slos: slos(),
        facts: facts(),
        melted: melted(),
        timeline: timeline(),
        checks: vec![Check {
            name: "ledger".into(),
            times: 960,
            evidence: "980000000 offered = 702000000 + 232000000 + 40000000 + 1000000 + 5000000"
                .into(),
        }],
        theory: vec![],
        warnings: vec!["the batch of pool west/main went beyond the measured batches".into()],
        inputs: vec![Input {
            path: "tier.free.quota".into(),
            value: "3 images/day".into(),
            origin: "ghibli-week.toml:12".into(),
            provenance: Some(Provenance::Published),
            source: Some("a post of 27 March 2025".into()),
        }],
        replications: None,
    }
}

/// The surge four times: its mean response time differs, promises are kept now and then, and a
/// precision that was asked for was not reached.
pub(super) fn replicated() -> Summary {
    let mut gathered = Gathered::default();
    for number in 0..4_u32 {
        let mut summary = surge();
        summary.seed = u64::from(number) + 1;
        summary.total.response_s.mean = Some(40.0 + 2.0 * f64::from(number));
        summary.slos[0].kept = Some(number == 1);
        summary.slos[1].kept = Some(number > 0);
        summary.slos[2].kept = (number < 3).then_some(true);
        gathered.add(Replication::of(&summary, None));
    }
    let measures = ["response_mean", "goodput"];
    let target = TargetResult {
        relative_half_width: 0.01,
        measures: measures.map(str::to_owned).to_vec(),
        reached_half_width: gathered.relative_half_width(&measures),
        reached: false,
    };
    Summary {
        replications: Some(gathered.finish(4, false, Some(target))),
        ..surge()
    }
}

/// Nothing happened and nothing is known.
pub(super) fn empty() -> Summary {
    Summary {
        simulated_s: 0.0,
        measured_s: 0.0,
        partial: true,
        tiers: vec![],
        total: TierSummary {
            name: "all".into(),
            ..TierSummary::default()
        },
        pools: vec![],
        autoscalers: vec![],
        partitions: vec![],
        sites: vec![],
        people: People::default(),
        series: Series {
            interval_s: INTERVAL_S,
            columns: vec![],
        },
        deliveries: Vec::new(),
        money: Money::default(),
        slos: vec![],
        facts: vec![],
        melted: vec![],
        timeline: vec![],
        checks: vec![],
        theory: vec![],
        warnings: vec![],
        inputs: vec![],
        ..surge()
    }
}

/// All columns are there, and no value is known.
pub(super) fn unknown() -> Summary {
    with_values(|_, _| None)
}

/// Nothing changes.
pub(super) fn constant() -> Summary {
    with_values(|_, _| Some(5.0))
}

/// One interval only.
pub(super) fn one_interval() -> Summary {
    let mut summary = surge();
    summary.simulated_s = INTERVAL_S;
    summary
        .series
        .columns
        .iter_mut()
        .for_each(|c| c.values.truncate(1));
    summary
}

/// Values near the end of what a float holds, and long hostile names.
pub(super) fn huge() -> Summary {
    let mut summary = with_values(|i, _| Some(if i % 2 == 0 { 1e300 } else { 1e-300 }));
    let hostile = format!(
        "a<b>&\"{}\u{1b}]0;x\u{7}\n\t\u{202e}|*",
        "long ".repeat(2000)
    );
    summary.tiers[0].name.clone_from(&hostile);
    summary.scenario.clone_from(&hostile);
    summary.question.clone_from(&hostile);
    summary.timeline[0].what.clone_from(&hostile);
    summary.slos[0].tier.clone_from(&hostile);
    summary.melted[0].tier.clone_from(&hostile);
    summary.warnings.push(hostile.clone());
    for column in &mut summary.series.columns {
        if column.tier.as_deref() == Some("free") {
            column.tier = Some(hostile.clone());
        }
    }
    summary
}

fn with_values(value: impl Fn(usize, &str) -> Option<f64>) -> Summary {
    let mut summary = surge();
    for column in &mut summary.series.columns {
        let name = &column.name;
        column.values = (0..INTERVALS).map(|i| value(i, name)).collect();
    }
    summary
}

/// Offered images a second: a daily wave on a surge that rises for five days.
fn offered_per_s(interval: usize) -> f64 {
    let day = interval as f64 / 96.0;
    let wave = 1.0 + 0.45 * libm::sin(2.0 * std::f64::consts::PI * (day - 0.35));
    let surge = 2600.0 / (1.0 + libm::exp(-1.6 * (day - 4.2))) * libm::exp(-0.06 * day);
    (90.0 + surge) * wave * (1.0 + 0.03 * libm::sin(interval as f64 * 1.7))
}

fn capacity_per_s(interval: usize) -> f64 {
    match interval {
        0..240 => 420.0,
        240..520 => 900.0,
        _ => 1550.0,
    }
}

/// How much more is offered than the fleet can do: 1 and above melts.
fn load(interval: usize) -> f64 {
    offered_per_s(interval) / capacity_per_s(interval)
}

fn series() -> Series {
    let mut columns = Vec::new();
    for (name, share, idle_s) in std::iter::once((None, 1.0, 24.0)).chain(
        TIERS
            .iter()
            .map(|&(name, share, idle_s)| (Some(name), share, idle_s)),
    ) {
        let mut add = |what: &str, unit: &str, value: &dyn Fn(usize) -> Option<f64>| {
            columns.push(column(what, name, unit, value));
        };
        let done = move |i: usize| offered_per_s(i).min(0.96 * capacity_per_s(i)) * share;
        let excess = move |i: usize| offered_per_s(i) * share - done(i);
        let response = move |i: usize, tail: f64| {
            (share > 0.1 || i % 40 > 3)
                .then(|| idle_s * tail * (1.0 + 14.0 * (load(i) - 0.8).max(0.0)))
        };
        add("offered", "1/s", &|i| Some(offered_per_s(i) * share));
        add("admitted", "1/s", &|i| Some(done(i) + 0.35 * excess(i)));
        add("completed", "1/s", &|i| Some(done(i)));
        add("shed", "1/s", &|i| Some(0.7 * excess(i)));
        add("shed_quota", "1/s", &|i| Some(0.25 * excess(i)));
        add("shed_queue_full", "1/s", &|i| Some(0.45 * excess(i)));
        add("abandoned", "1/s", &|i| Some(0.28 * excess(i)));
        add("failed", "1/s", &|i| Some(0.02 * excess(i)));
        add("retries", "1/s", &|i| Some(1.3 * excess(i)));
        add("degraded", "1/s", &|i| {
            Some(0.2 * done(i) * load(i).min(1.0))
        });
        add("response_p50", "s", &|i| response(i, 1.0));
        add("response_p90", "s", &|i| response(i, 1.9));
        add("response_p99", "s", &|i| response(i, 4.1));
        add("response_p999", "s", &|i| {
            response(i, 7.5).filter(|_| i > 60)
        });
    }
    columns.extend(totals());
    Series {
        interval_s: INTERVAL_S,
        columns,
    }
}

fn totals() -> Vec<Column> {
    let running = |f: &dyn Fn(usize) -> f64, i: usize| (0..=i).map(f).sum::<f64>() * INTERVAL_S;
    let done = |i: usize| offered_per_s(i).min(0.96 * capacity_per_s(i));
    let all = |what: &str, unit: &str, value: &dyn Fn(usize) -> Option<f64>| {
        column(what, None, unit, value)
    };
    vec![
        all("capacity", "1/s", &|i| Some(capacity_per_s(i))),
        all("waiting", "requests", &|i| {
            Some(60_000.0 * (load(i) - 0.95).max(0.0))
        }),
        all("running", "requests", &|i| Some(done(i) * 21.0)),
        all("in_orbit", "requests", &|i| {
            Some(24_000.0 * (load(i) - 1.0).max(0.0))
        }),
        all("utilisation", "1", &|i| Some(load(i).min(0.97))),
        all("gpus", "GPUs", &|i| Some(capacity_per_s(i) * 40.0)),
        all("interested", "users", &|i| {
            Some(running(&offered_per_s, i) * 0.16)
        }),
        all("served", "users", &|i| Some(running(&done, i) * 0.17)),
        all("sign_ups", "users", &|i| {
            Some(running(&offered_per_s, i) * 0.04)
        }),
        all("images", "images", &|i| Some(running(&done, i))),
        all("cost", "USD", &|i| {
            Some(running(&|j| capacity_per_s(j) * 40.0 * 2.1 / 3600.0, i))
        }),
        all("income", "USD", &|i| Some(running(&done, i) * 0.031)),
    ]
}

fn column(
    name: &str,
    tier: Option<&str>,
    unit: &str,
    value: &dyn Fn(usize) -> Option<f64>,
) -> Column {
    Column {
        name: name.into(),
        tier: tier.map(Into::into),
        unit: unit.into(),
        values: (0..INTERVALS).map(value).collect(),
    }
}

fn tier(name: &str, share: f64, idle_s: f64) -> TierSummary {
    let count = |of_all: f64| (of_all * share) as u64;
    let quantiles = |scale: f64| Quantiles {
        samples: count(702e6),
        mean: Some(idle_s * 1.8 * scale),
        deviation: Some(idle_s * 3.1 * scale),
        p50: Some(idle_s * 1.2 * scale),
        p90: Some(idle_s * 6.0 * scale),
        p95: Some(idle_s * 9.0 * scale),
        p99: Some(idle_s * 19.0 * scale),
        p999: None,
        max: Some(idle_s * 80.0 * scale),
    };
    TierSummary {
        name: name.into(),
        offered: count(980e6),
        completed: count(702e6),
        in_time: count(610e6),
        shed: Shed {
            quota: count(92e6),
            queue_full: count(140e6),
            ..Shed::default()
        },
        abandoned: count(40e6),
        failed: count(1e6),
        in_system: count(5e6),
        attempts: count(1310e6),
        admitted: count(1050e6),
        waited_share: Some(0.93),
        degraded: count(120e6),
        wasted: count(9e6),
        response_s: quantiles(1.0),
        wait_s: quantiles(0.7),
        served_users: count(130e6),
    }
}

fn pools() -> Vec<PoolSummary> {
    [("east/main", 2600_u64, 8), ("west/main", 4900, 8)]
        .map(|(name, replicas, gpus_per_replica)| PoolSummary {
            name: name.into(),
            replicas,
            gpus_per_replica,
            utilisation: Some(0.71),
            batch_mean: Some(13.4),
            full_rate_per_s: replicas as f64 * 0.21,
            gpu_hours: replicas as f64 * 8.0 * 240.0,
            in_pool_mean: 18_412.6,
            in_pool_deviation: 9_230.5,
            waiting_mean: 15_120.4,
            waiting_deviation: 9_114.2,
            in_orbit_mean: 310.7,
            all_busy_share: 0.68,
            batch_start_mean: None,
            waiting_max: 61_004,
        })
        .to_vec()
}

fn partitions() -> Vec<PartitionSummary> {
    let chat = PartitionSummary {
        name: "azure/chat".into(),
        gpus_per_unit: 8,
        gpus_first: 48_000,
        gpus_least: 40_000,
        gpus_most: 52_000,
        gpus_last: 44_000,
        units_in: 1500,
        units_out: 2000,
        load_mean: Some(39_120.5),
        gpu_hours_held: 9_120_000.0,
        gpu_hours_starting: 1200.5,
        gpu_hours_draining: 310.25,
        ..PartitionSummary::default()
    };
    let training = PartitionSummary {
        name: "azure/training".into(),
        trains: true,
        load_mean: None,
        gpu_hours_kept: 2_000_000.0,
        gpu_hours_lost: 12_000.0,
        gpu_hours_stalled: 800.0,
        ..chat.clone()
    };
    vec![chat, training]
}

fn autoscalers() -> Vec<AutoscalerSummary> {
    vec![AutoscalerSummary {
        name: "main".into(),
        load_mean: Some(4120.7),
        wanted_mean: Some(5900.2),
        starting_mean: Some(31.4),
        warm_mean: Some(20.0),
        serving_mean: Some(5610.8),
        draining_mean: Some(2.9),
        delivered_mean: Some(7500.0),
        gpu_hours_static: 14_400_000.0,
        gpu_hours_held: 11_200_000.0,
        gpu_hours_saved: 3_200_000.0,
        gpu_hours_returned: 2_000_000.0,
        gpu_hours_idle: 1_200_000.0,
        ups: 412,
        downs: 398,
        crossings: 17,
        crossing_mean_s: Some(412.5),
        crossing_longest_s: Some(1860.0),
        crossing_open_s: 120.0,
        short_replica_hours: 9_120.4,
    }]
}

fn slos() -> Vec<SloResult> {
    let slo = |tier: &str, promised: f64, reached: f64| SloResult {
        name: format!("{tier} answers in time"),
        tier: tier.into(),
        promise: format!("p99 response <= {promised} s"),
        reached: Some(reached),
        promised,
        unit: "s".into(),
        kept: Some(reached <= promised),
        enforced: true,
    };
    vec![
        slo("free", 300.0, 570.0),
        slo("plus", 120.0, 342.0),
        slo("pro", 300.0, 285.0),
    ]
}

fn facts() -> Vec<FactResult> {
    let fact = |name: &str, unit: &str, published: f64, run: f64, used: FactUse| FactResult {
        name: name.into(),
        published,
        run: Some(run),
        unit: unit.into(),
        difference: Some((run - published) / published),
        tolerance: 0.05,
        agrees: Some((run - published).abs() / published <= 0.05),
        used,
        source: "Lightcap, post of 3 April 2025".into(),
    };
    vec![
        fact(
            "image users in nine days",
            "users",
            130e6,
            130.4e6,
            FactUse::Fitted,
        ),
        fact(
            "images in nine days",
            "images",
            700e6,
            702e6,
            FactUse::Fitted,
        ),
        fact(
            "sign-ups in the peak hour",
            "users/h",
            1e6,
            1.01e6,
            FactUse::Predicted,
        ),
        FactResult {
            run: None,
            difference: None,
            agrees: None,
            ..fact(
                "days to the first million",
                "d",
                5.0,
                5.0,
                FactUse::Predicted,
            )
        },
    ]
}

fn melted() -> Vec<Melted> {
    let melted = |tier: &str, what: &str, worst: f64| Melted {
        tier: tier.into(),
        what: what.into(),
        from_s: 223_200.0,
        until_s: 684_000.0,
        intervals: 212,
        worst,
        worst_at_s: 460_800.0,
    };
    vec![
        melted("free", "was refused", 0.46),
        melted("free", "gave up", 0.11),
        melted("plus", "waited", 342.0),
    ]
}

fn timeline() -> Vec<TimelineEntry> {
    [
        (3600.0, "images open to Plus"),
        (172_800.0, "quota of 3 a day for Plus"),
        (216_000.0, "second chunk"),
        (468_000.0, "third chunk"),
        (511_200.0, "free rollout"),
        (518_400.0, "quota of 3 a day for free"),
    ]
    .map(|(at_s, what)| TimelineEntry {
        at_s,
        what: what.into(),
    })
    .to_vec()
}
