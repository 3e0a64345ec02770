//! The tables for machines: named columns of equal length, with units. CSV and Parquet write them.
//!
//! Tables are what a notebook wants: one row a point in time (or a tier, a pool, a line of the bill,
//! a fact), one column a quantity, numbers in full and in SI units or USD. A column's title is its
//! name with its unit, and its tier in brackets: `offered_per_s[free]`, `response_p99_s[free]`; a
//! column of all tiers has no brackets.

use crate::metrics::replications::Replicated;
use crate::metrics::summary::{AutoscalerSummary, Column, PartitionSummary, Summary, TierSummary};
use crate::metrics::{Measure, Part, measures};
use crate::report::{date, escape};
use crate::scenario::FactUse;

/// A table.
pub(super) struct Frame {
    /// All of the same length.
    pub(super) columns: Vec<FrameColumn>,
}

/// A column.
pub(super) struct FrameColumn {
    /// Name with unit, safe to show.
    pub(super) title: String,
    /// Unit, empty for text.
    pub(super) unit: String,
    /// Values.
    pub(super) cells: Cells,
}

/// The values of a column.
pub(super) enum Cells {
    /// Text, safe to show.
    Text(Vec<String>),
    /// Counts.
    Count(Vec<u64>),
    /// Numbers; `None`: unknown.
    Number(Vec<Option<f64>>),
    /// Points in time in seconds since 1970 UTC.
    Instant(Vec<i64>),
}

impl Frame {
    fn new() -> Self {
        Self { columns: vec![] }
    }

    fn column(mut self, title: &str, unit: &str, cells: Cells) -> Self {
        self.columns.push(FrameColumn {
            title: title.to_owned(),
            unit: unit.to_owned(),
            cells,
        });
        self
    }

    fn text<T>(self, title: &str, rows: &[T], cell: impl Fn(&T) -> &str) -> Self {
        let cells = rows.iter().map(|row| escape::text(cell(row))).collect();
        self.column(title, "", Cells::Text(cells))
    }

    fn count<T>(self, title: &str, unit: &str, rows: &[T], cell: impl Fn(&T) -> u64) -> Self {
        self.column(title, unit, Cells::Count(rows.iter().map(cell).collect()))
    }

    fn number<T>(
        self,
        title: &str,
        unit: &str,
        rows: &[T],
        cell: impl Fn(&T) -> Option<f64>,
    ) -> Self {
        let finite = |row| cell(row).filter(|value| value.is_finite());
        self.column(
            title,
            unit,
            Cells::Number(rows.iter().map(finite).collect()),
        )
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.columns.first().map_or(0, |column| column.cells.len())
    }
}

impl Cells {
    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(cells) => cells.len(),
            Self::Count(cells) => cells.len(),
            Self::Number(cells) => cells.len(),
            Self::Instant(cells) => cells.len(),
        }
    }
}

/// The time series: one row an interval, which begins at `time_s` after the start, at `time_utc`.
/// A rate or a response time is of the interval, a level or a running total of its end.
pub(super) fn series(summary: &Summary) -> Frame {
    let starts_s: Vec<f64> = (0..summary.series.len())
        .map(|index| index as f64 * summary.series.interval_s)
        .collect();
    let instants = starts_s
        .iter()
        .map(|&start_s| date::unix_s(summary.start_unix_s, start_s))
        .collect();
    let frame = Frame::new()
        .number("time_s", "s", &starts_s, |&start_s| Some(start_s))
        .column("time_utc", "UTC", Cells::Instant(instants));
    summary.series.columns.iter().fold(frame, |frame, column| {
        frame.number(&series_title(column), &column.unit, &column.values, |&v| v)
    })
}

/// Name, unit and tier of a series column in one word.
pub(super) fn series_title(column: &Column) -> String {
    title(&column.name, &column.unit, column.tier.as_deref())
}

/// Name and unit in one word, with what it is of in brackets.
fn title(name: &str, unit: &str, of: Option<&str>) -> String {
    let suffix = match unit {
        "1" => "share".to_owned(),
        "1/s" => "per_s".to_owned(),
        unit => unit.to_lowercase().replace('-', "_"),
    };
    let name = escape::name(name);
    let title = match suffix.as_str() {
        "" => name,
        _ if name.ends_with(&suffix) => name,
        _ => format!("{name}_{suffix}"),
    };
    match of {
        Some(tier) => format!("{title}[{}]", escape::name(tier)),
        None => title,
    }
}

/// One row a tier, and `all`.
pub(super) fn tiers(summary: &Summary) -> Frame {
    let rows: Vec<&TierSummary> = summary.tiers.iter().chain([&summary.total]).collect();
    let count = |frame: Frame, title: &str, cell: fn(&TierSummary) -> u64| {
        let unit = match title {
            "served_users" => "users",
            "attempts" | "admitted" => "attempts",
            "wasted_images" => "images",
            _ => "requests",
        };
        frame.count(title, unit, &rows, |tier| cell(tier))
    };
    let time = |frame: Frame, title: &str, cell: fn(&TierSummary) -> Option<f64>| {
        frame.number(title, "s", &rows, |tier| cell(tier))
    };
    let mut frame = Frame::new().text("tier", &rows, |tier| &tier.name);
    frame = count(frame, "offered", |t| t.offered);
    frame = count(frame, "completed", |t| t.completed);
    frame = count(frame, "in_time", |t| t.in_time);
    frame = count(frame, "shed_quota", |t| t.shed.quota);
    frame = count(frame, "shed_rate_limit", |t| t.shed.rate_limit);
    frame = count(frame, "shed_queue_full", |t| t.shed.queue_full);
    frame = count(frame, "shed_hopeless", |t| t.shed.hopeless);
    frame = count(frame, "shed_closed", |t| t.shed.closed);
    frame = count(frame, "abandoned", |t| t.abandoned);
    frame = count(frame, "failed", |t| t.failed);
    frame = count(frame, "in_system", |t| t.in_system);
    frame = count(frame, "attempts", |t| t.attempts);
    frame = count(frame, "admitted", |t| t.admitted);
    frame = count(frame, "degraded", |t| t.degraded);
    frame = count(frame, "wasted_images", |t| t.wasted);
    frame = count(frame, "served_users", |t| t.served_users);
    frame = frame.number("never_served_share", "1", &rows, |t| t.never_served_share());
    frame = time(frame, "response_mean_s", |t| t.response_s.mean);
    frame = time(frame, "response_deviation_s", |t| t.response_s.deviation);
    frame = time(frame, "response_p50_s", |t| t.response_s.p50);
    frame = time(frame, "response_p90_s", |t| t.response_s.p90);
    frame = time(frame, "response_p95_s", |t| t.response_s.p95);
    frame = time(frame, "response_p99_s", |t| t.response_s.p99);
    frame = time(frame, "response_p999_s", |t| t.response_s.p999);
    frame = time(frame, "response_max_s", |t| t.response_s.max);
    frame = frame.number("waited_share", "1", &rows, |t| t.waited_share);
    frame = time(frame, "wait_mean_s", |t| t.wait_s.mean);
    frame = time(frame, "wait_deviation_s", |t| t.wait_s.deviation);
    frame = time(frame, "wait_p50_s", |t| t.wait_s.p50);
    frame = time(frame, "wait_p90_s", |t| t.wait_s.p90);
    frame = time(frame, "wait_p95_s", |t| t.wait_s.p95);
    frame = time(frame, "wait_p99_s", |t| t.wait_s.p99);
    frame = time(frame, "wait_p999_s", |t| t.wait_s.p999);
    time(frame, "wait_max_s", |t| t.wait_s.max)
}

/// One row a pool.
pub(super) fn pools(summary: &Summary) -> Frame {
    let rows = &summary.pools;
    Frame::new()
        .text("pool", rows, |pool| &pool.name)
        .count("replicas", "replicas", rows, |pool| pool.replicas)
        .count("gpus_per_replica", "GPUs", rows, |pool| {
            u64::from(pool.gpus_per_replica)
        })
        .number("utilisation_share", "1", rows, |pool| pool.utilisation)
        .number("batch_mean_requests", "requests", rows, |pool| {
            pool.batch_mean
        })
        .number("full_rate_images_per_s", "1/s", rows, |pool| {
            Some(pool.full_rate_per_s)
        })
        .number("gpu_hours", "GPU-hours", rows, |pool| Some(pool.gpu_hours))
        .number("in_pool_mean_requests", "requests", rows, |pool| {
            Some(pool.in_pool_mean)
        })
        .number("in_pool_deviation_requests", "requests", rows, |pool| {
            Some(pool.in_pool_deviation)
        })
        .number("waiting_mean_requests", "requests", rows, |pool| {
            Some(pool.waiting_mean)
        })
        .number("waiting_deviation_requests", "requests", rows, |pool| {
            Some(pool.waiting_deviation)
        })
        .number("in_orbit_mean_requests", "requests", rows, |pool| {
            Some(pool.in_orbit_mean)
        })
        .number("all_busy_share", "1", rows, |pool| {
            Some(pool.all_busy_share)
        })
        .number("batch_start_mean_requests", "requests", rows, |pool| {
            pool.batch_start_mean
        })
        .count("waiting_max_requests", "requests", rows, |pool| {
            pool.waiting_max
        })
}

/// One row an autoscaler.
pub(super) fn autoscalers(summary: &Summary) -> Frame {
    type Cell = fn(&AutoscalerSummary) -> Option<f64>;
    const LEVELS: [(&str, Cell); 7] = [
        ("load_mean_replicas", |s| s.load_mean),
        ("wanted_mean_replicas", |s| s.wanted_mean),
        ("starting_mean_replicas", |s| s.starting_mean),
        ("warm_mean_replicas", |s| s.warm_mean),
        ("serving_mean_replicas", |s| s.serving_mean),
        ("draining_mean_replicas", |s| s.draining_mean),
        ("delivered_mean_replicas", |s| s.delivered_mean),
    ];
    const HOURS: [(&str, Cell); 5] = [
        ("static_gpu_hours", |s| Some(s.gpu_hours_static)),
        ("held_gpu_hours", |s| Some(s.gpu_hours_held)),
        ("saved_gpu_hours", |s| Some(s.gpu_hours_saved)),
        ("returned_gpu_hours", |s| Some(s.gpu_hours_returned)),
        ("idle_gpu_hours", |s| Some(s.gpu_hours_idle)),
    ];
    const TIMES: [(&str, Cell); 3] = [
        ("crossing_mean_s", |s| s.crossing_mean_s),
        ("crossing_longest_s", |s| s.crossing_longest_s),
        ("crossing_open_s", |s| Some(s.crossing_open_s)),
    ];
    let rows = &summary.autoscalers;
    let mut frame = Frame::new().text("autoscaler", rows, |s| &s.name);
    for (cells, unit) in [
        (&LEVELS[..], "replicas"),
        (&HOURS[..], "GPU-hours"),
        (&TIMES[..], "s"),
    ] {
        for (title, cell) in cells {
            frame = frame.number(title, unit, rows, cell);
        }
    }
    frame
        .count("ups", "", rows, |s| s.ups)
        .count("downs", "", rows, |s| s.downs)
        .count("crossings", "", rows, |s| s.crossings)
        .number("short_replica_hours", "replica-hours", rows, |s| {
            Some(s.short_replica_hours)
        })
}

/// One row a partition of a divided cluster.
pub(super) fn partitions(summary: &Summary) -> Frame {
    type Cell = fn(&PartitionSummary) -> f64;
    const HOURS: [(&str, Cell); 6] = [
        ("held_gpu_hours", |p| p.gpu_hours_held),
        ("starting_gpu_hours", |p| p.gpu_hours_starting),
        ("draining_gpu_hours", |p| p.gpu_hours_draining),
        ("kept_gpu_hours", |p| p.gpu_hours_kept),
        ("lost_gpu_hours", |p| p.gpu_hours_lost),
        ("stalled_gpu_hours", |p| p.gpu_hours_stalled),
    ];
    let rows = &summary.partitions;
    let work = |part: &PartitionSummary| if part.trains { "training" } else { "serving" };
    let frame = Frame::new()
        .text("partition", rows, |p| &p.name)
        .text("does", rows, |p| work(p))
        .count("unit_gpus", "GPUs", rows, |p| p.gpus_per_unit.into())
        .count("first_gpus", "GPUs", rows, |p| p.gpus_first)
        .count("least_gpus", "GPUs", rows, |p| p.gpus_least)
        .count("most_gpus", "GPUs", rows, |p| p.gpus_most)
        .count("last_gpus", "GPUs", rows, |p| p.gpus_last)
        .count("units_in", "", rows, |p| p.units_in)
        .count("units_out", "", rows, |p| p.units_out)
        .number("load_mean_gpus", "GPUs", rows, |p| p.load_mean);
    HOURS.iter().fold(frame, |frame, (title, cell)| {
        frame.number(title, "GPU-hours", rows, |part| Some(cell(part)))
    })
}

/// One row a line of the bill, `side` being `cost` or `income`; sums are left to the reader's tool.
pub(super) fn money(summary: &Summary) -> Frame {
    let rows: Vec<_> = std::iter::repeat("cost")
        .zip(&summary.money.costs)
        .chain(std::iter::repeat("income").zip(&summary.money.income))
        .collect();
    Frame::new()
        .text("side", &rows, |(side, _)| side)
        .text("what", &rows, |(_, line)| &line.what)
        .text("basis", &rows, |(_, line)| &line.basis)
        .number("amount_usd", "USD", &rows, |(_, line)| Some(line.usd))
}

/// One row a chunk: the amounts of the table, images, energy and carbon; its vendor where suppliers are told.
pub(super) fn chunks(summary: &Summary) -> Frame {
    let rows = &summary.money.chunks;
    let frame = Frame::new()
        .text("chunk", rows, |row| &row.chunk)
        .text("provider", rows, |row| &row.provider)
        .text("accelerator", rows, |row| &row.accelerator)
        .text("contract", rows, |row| &row.contract)
        .count("gpus", "GPUs", rows, |row| row.gpus)
        .number("gpu_hours", "GPU-hours", rows, |row| Some(row.gpu_hours))
        .number("utilisation", "1", rows, |row| Some(row.utilisation))
        .number("capital_usd", "USD", rows, |row| Some(row.capital_usd))
        .number("rent_usd", "USD", rows, |row| Some(row.rent_usd))
        .number("power_usd", "USD", rows, |row| Some(row.power_usd))
        .number("network_usd", "USD", rows, |row| Some(row.network_usd))
        .number("staff_usd", "USD", rows, |row| Some(row.staff_usd))
        .number("total_usd", "USD", rows, |row| Some(row.total_usd))
        .number("busy_usd", "USD", rows, |row| Some(row.busy_usd))
        .number("idle_usd", "USD", rows, |row| Some(row.idle_usd))
        .number("failures_usd", "USD", rows, |row| Some(row.failures_usd))
        .number("committed_usd", "USD", rows, |row| Some(row.committed_usd))
        .count("images", "images", rows, |row| row.images)
        .number("usd_per_1000_images", "USD", rows, |row| {
            row.usd_per_1000_images
        })
        .number("usd_per_chunk_year", "USD", rows, |row| {
            row.usd_per_chunk_year
        })
        .number("energy_mwh", "MWh", rows, |row| row.energy_mwh)
        .number("carbon_t", "t", rows, |row| row.carbon_t);
    match rows.iter().any(|row| !row.vendor.is_empty()) {
        true => frame.text("vendor", rows, |row| &row.vendor).number(
            "purchase_usd",
            "USD",
            rows,
            |row| row.purchase_usd,
        ),
        false => frame,
    }
}

/// One row a provider, then one row a vendor: the sums of the table of chunks.
pub(super) fn suppliers(summary: &Summary) -> Frame {
    let rows = &summary.money.suppliers;
    Frame::new()
        .text("kind", rows, |row| row.kind.word())
        .text("name", rows, |row| &row.name)
        .count("gpus", "GPUs", rows, |row| row.gpus)
        .count("arrived_gpus", "GPUs", rows, |row| row.arrived_gpus)
        .number("gpu_hours", "GPU-hours", rows, |row| Some(row.gpu_hours))
        .count("images", "images", rows, |row| row.images)
        .number("rent_usd", "USD", rows, |row| Some(row.rent_usd))
        .number("total_usd", "USD", rows, |row| Some(row.total_usd))
        .number("usd_per_1000_images", "USD", rows, |row| {
            row.usd_per_1000_images
        })
        .number("energy_mwh", "MWh", rows, |row| row.energy_mwh)
        .number("purchase_usd", "USD", rows, |row| row.purchase_usd)
}

/// One row a published fact; `difference` is relative, or in points for growth rates.
pub(super) fn facts(summary: &Summary) -> Frame {
    let rows = &summary.facts;
    Frame::new()
        .text("fact", rows, |fact| &fact.name)
        .text("unit", rows, |fact| &fact.unit)
        .number("published", "see unit", rows, |fact| Some(fact.published))
        .number("run", "see unit", rows, |fact| fact.run)
        .number("difference_share", "1", rows, |fact| fact.difference)
        .number("tolerance_share", "1", rows, |fact| Some(fact.tolerance))
        .text("agrees", rows, |fact| yes_or_no(fact.agrees))
        .text("used", rows, |fact| used(fact.used))
        .text("source", rows, |fact| &fact.source)
}

/// The headline numbers: `name`, `value`, `unit`; of many replications also their mean, its confidence
/// interval and the standard deviation, and `value` is that of replication 0.
pub(super) fn headline(summary: &Summary) -> Frame {
    let rows: Vec<Measure> = measures(summary)
        .into_iter()
        .filter(|measure| measure.part == Part::Headline)
        .collect();
    let frame = Frame::new()
        .text("name", &rows, |m| &m.name)
        .number("value", "see unit", &rows, |m| m.value)
        .text("unit", &rows, |m| &m.unit);
    let Some(replications) = &summary.replications else {
        return frame;
    };
    let rows: Vec<&Replicated> = rows
        .iter()
        .filter_map(|measure| replications.headline(&measure.name))
        .collect();
    statistics(frame, &rows)
}

/// One row a measure over all replications.
pub(super) fn intervals(summary: &Summary) -> Frame {
    let measures = summary.replications.iter().flat_map(|r| &r.measures);
    let rows: Vec<&Replicated> = measures.collect();
    let frame = Frame::new()
        .text("part", &rows, |m| part(m.part))
        .text("of", &rows, |m| m.of.as_deref().unwrap_or(""))
        .text("name", &rows, |m| &m.name)
        .text("unit", &rows, |m| &m.unit);
    statistics(frame, &rows)
}

fn statistics(frame: Frame, rows: &[&Replicated]) -> Frame {
    frame
        .count("replications", "replications", rows, |m| {
            m.values.len() as u64
        })
        .count("known", "replications", rows, |m| m.known)
        .number("mean", "see unit", rows, |m| m.mean)
        .number("low", "see unit", rows, |m| m.low)
        .number("high", "see unit", rows, |m| m.high)
        .number("standard_deviation", "see unit", rows, |m| {
            m.standard_deviation
        })
}

/// One row a replication, one column a measure: `response_mean_s`, `response_mean_s[free]`,
/// `cost_usd[power east]`.
pub(super) fn replications(summary: &Summary) -> Frame {
    let Some(replications) = &summary.replications else {
        return Frame::new();
    };
    let numbers: Vec<u64> = (0..replications.count() as u64).collect();
    let frame = Frame::new()
        .count("replication", "", &numbers, |&number| number)
        .count("seed", "", &replications.seeds, |&seed| seed);
    replications.measures.iter().fold(frame, |frame, measure| {
        let (name, of) = match measure.part {
            Part::Headline
            | Part::Tier
            | Part::Pool
            | Part::Autoscaler
            | Part::Partition
            | Part::Site => (&*measure.name, measure.of.as_deref()),
            Part::Promise => ("promise", measure.of.as_deref()),
            Part::Chunk | Part::Supplier => (&*measure.name, measure.of.as_deref()),
            Part::Cost | Part::Income => (part(measure.part), Some(&*measure.name)),
        };
        let title = title(name, &measure.unit, of);
        frame.number(&title, &measure.unit, &measure.values, |&value| value)
    })
}

/// A part of the answer in one word.
fn part(part: Part) -> &'static str {
    match part {
        Part::Headline => "headline",
        Part::Tier => "tier",
        Part::Pool => "pool",
        Part::Autoscaler => "autoscaler",
        Part::Partition => "partition",
        Part::Site => "site",
        Part::Promise => "promise",
        Part::Cost => "cost",
        Part::Income => "income",
        Part::Chunk => "chunk",
        Part::Supplier => "supplier",
    }
}

fn yes_or_no(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    }
}

/// How a fact was used, in one word.
pub(super) fn used(used: FactUse) -> &'static str {
    match used {
        FactUse::Fitted => "fitted",
        FactUse::Predicted => "predicted",
    }
}
