//! When requests come: `[demand]`, by a rate, by a trace or by people.

use std::sync::Arc;

use super::World;
use super::cursor::Cursor;
use super::form::{Flag, Map, Pair, choice, list, or_word, reference, some, whole, words};
use super::law::law;
use super::moment::Moment;
use super::processes::process;
use super::quantity::{MOST_REQUESTS, hazard, number, people, rate, seconds, share};
use crate::scenario::trace::{self, Columns, TraceFormat};
use crate::scenario::{Demand, DemandKind, Population, Process, RateCurve, Rhythm, Trace};
use crate::units::SimTime;

/// Largest difference of the regions' shares from 1.
const SHARE_TOLERANCE: f64 = 1e-9;

pub(super) fn demands(root: &mut Cursor<'_>, world: &World<'_>) -> Vec<Demand> {
    let demands = root.keyed("demand", "A source of requests.", |name, at| {
        demand(name, at, world)
    });
    let mut demands: Vec<Demand> = demands
        .into_iter()
        .flat_map(|(_, demands)| demands)
        .collect();
    demands.sort_by(|a, b| a.name.cmp(&b.name));
    demands
}

fn demand(name: &str, at: &mut Cursor<'_>, world: &World<'_>) -> Vec<Demand> {
    at.annotated();
    let moment = Moment {
        start_unix_s: world.start_unix_s,
        clamped: true,
    };
    let tier = at.required(
        "tier",
        "The class of its users.",
        reference("tier", &world.tiers),
    );
    let work = at.required(
        "work",
        "What each request asks for.",
        reference("work", &world.works),
    );
    let regions = regions(at, world);
    let from = at.default("from", "No requests before.", moment, "0s");
    let until = at.optional("until", "No requests from here on.", moment);
    let until = until.unwrap_or(SimTime::NEVER);
    if until <= from {
        at.problem(
            "until",
            "is not after `from`",
            "exchange the two, or leave one out",
        );
    }
    let kind = at.variants(
        "kind",
        "How requests come about.",
        &[
            (
                "population",
                "People who see other people's images and come.",
                &|at| Some(DemandKind::Population(population(at, world))),
            ),
            ("rate", "A given rate.", &|at| Some(given_rate(at, world))),
            (
                "trace",
                "Recorded requests, replayed at their own times.",
                &|at| recorded(at, world).map(|trace| DemandKind::Trace(Arc::new(trace))),
            ),
        ],
    );
    kind.flatten().map_or_else(Vec::new, |kind| {
        let demand = Demand {
            name: name.to_owned(),
            tier,
            work,
            region: 0,
            from,
            until,
            kind,
        };
        by_region(at, demand, regions, world)
    })
}

/// One demand for each region, with its part.
fn by_region(
    at: &Cursor<'_>,
    whole: Demand,
    regions: Vec<(usize, f64)>,
    world: &World<'_>,
) -> Vec<Demand> {
    if matches!(whole.kind, DemandKind::Trace(_)) && regions.len() > 1 {
        at.problem(
            "regions",
            "would split a trace",
            "give a trace one `region`",
        );
    }
    let split = regions.len() > 1;
    let part = |(region, share)| {
        let region_name = world.regions.get(region).map_or("", String::as_str);
        Demand {
            name: match split {
                true => format!("{}@{region_name}", whole.name),
                false => whole.name.clone(),
            },
            region,
            kind: part(&whole.kind, share),
            ..whole.clone()
        }
    };
    regions.into_iter().map(part).collect()
}

/// The regions of a demand with their shares, which sum to 1.
fn regions(at: &mut Cursor<'_>, world: &World<'_>) -> Vec<(usize, f64)> {
    let one = at.optional(
        "region",
        "Where its users are.",
        reference("region", &world.regions),
    );
    let several = at.optional(
        "regions",
        "Where its users are, with the share of each; the shares sum to 100 %.",
        Map(share()),
    );
    match (one, several) {
        (Some(region), None) => vec![(region, 1.0)],
        (None, Some(shares)) => {
            let total: f64 = shares.iter().map(|(_, share)| share).sum();
            if (total - 1.0).abs() > SHARE_TOLERANCE {
                let message = format!("has shares that sum to {total}, not to 1");
                at.problem("regions", &message, "correct the shares; 1e-9 is tolerated");
            }
            let index =
                |name: &String| super::regions::index_of(at, "regions", name, world).unwrap_or(0);
            shares
                .iter()
                .map(|(name, share)| (index(name), *share))
                .collect()
        }
        (None, None) if world.regions.len() == 1 => vec![(0, 1.0)],
        (one, _) => {
            let hint = "write either `region = ...` or `regions = { name = share }`";
            at.not_one_of(["region", "regions"], one.is_some(), hint);
            vec![(0, 1.0)]
        }
    }
}

/// The part of a demand that falls to a region.
fn part(kind: &DemandKind, share: f64) -> DemandKind {
    let mut part = kind.clone();
    match &mut part {
        DemandKind::Rate { curve, users, .. } => {
            for point in &mut curve.points {
                point.1 *= share;
            }
            *users = users.map(|users| scaled_users(users, share));
        }
        DemandKind::Population(population) => population.potential *= share,
        DemandKind::Trace(_) => {}
    }
    part
}

fn scaled_users(users: u64, factor: f64) -> u64 {
    ((users as f64 * factor).round() as u64).max(1)
}

fn rhythm(at: &mut Cursor<'_>) -> Rhythm {
    at.optional_section(
        "rhythm",
        "The shape of a day; without it there is none.",
        |at| {
            let amplitude = at.optional(
                "amplitude",
                "How far the day swings around its mean.",
                share(),
            );
            let peak_s = at.optional(
                "peak",
                "Local time of the maximum, after midnight.",
                seconds(),
            );
            let period_s = at.default(
                "period",
                "Length of the cycle.",
                seconds().positive(),
                "24h",
            );
            let hours = at.optional(
                "hours",
                "Instead: 24 numbers, one for each local hour; only their ratios count.",
                list(number(0.0, 1e9), 24, 24),
            );
            match (amplitude, hours) {
                (Some(amplitude), None) => Rhythm::Cosine {
                    amplitude,
                    peak_s: peak_s.unwrap_or(0.0),
                    period_s,
                },
                (None, Some(hours)) => hourly(at, &hours),
                _ => {
                    at.problem(
                        "amplitude",
                        "or `hours` is needed",
                        "write exactly one of the two",
                    );
                    Rhythm::Flat
                }
            }
        },
    )
    .unwrap_or(Rhythm::Flat)
}

fn hourly(at: &Cursor<'_>, hours: &[f64]) -> Rhythm {
    let mean = hours.iter().sum::<f64>() / 24.0;
    if mean <= 0.0 {
        at.problem("hours", "are all 0", "let at least one hour be above 0");
        return Rhythm::Flat;
    }
    let mut factors = Box::new([0.0; 24]);
    for (factor, hour) in factors.iter_mut().zip(hours) {
        *factor = hour / mean;
    }
    Rhythm::Hourly(factors)
}

fn given_rate(at: &mut Cursor<'_>, world: &World<'_>) -> DemandKind {
    // So that the run as a whole stays below the most requests that are counted exactly.
    let rate = rate().within(0.0, MOST_REQUESTS / world.horizon_s.max(1.0));
    let moment = Moment {
        start_unix_s: world.start_unix_s,
        clamped: false,
    };
    let constant = at.optional("rate", "Requests a second, all the time.", rate);
    let points = at.optional(
        "curve",
        "Instead: a list of [time, rate], by time.",
        list(Pair(moment, rate), 1, 100_000),
    );
    let linear = at.default(
        "interpolation",
        "Whether the curve jumps at each point or runs straight from point to point.",
        choice(&[("step", false), ("linear", true)]),
        "step",
    );
    let process = at.default(
        "process",
        "How arrivals fall around the rate: as those of independent users, evenly, with a law, or in \
         bursts.",
        process(),
        "poisson",
    );
    let users = at.optional(
        "users",
        "How many users share the requests, where a quota needs to know them.",
        whole("users", 1, 100_000_000_000),
    );
    let mut points = match (constant, points) {
        (Some(rate), None) => vec![(SimTime::ZERO, rate)],
        (None, Some(points)) => points,
        (constant, _) => {
            let hint = "write either `rate` or `curve`";
            at.not_one_of(["rate", "curve"], constant.is_some(), hint);
            Vec::new()
        }
    };
    if points.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        at.problem(
            "curve",
            "has points that are not in the order of time",
            "sort them",
        );
    }
    let most = points.iter().map(|point| point.1).fold(0.0, f64::max);
    if let Process::Modulated(bursts) = &process
        && most * bursts.largest_factor() > MOST_REQUESTS / world.horizon_s.max(1.0)
    {
        let message = format!("may give more than {MOST_REQUESTS:e} requests in all");
        at.problem("process", &message, "lower its factors, or the rate");
    }
    for point in &mut points {
        point.1 *= world.scale;
    }
    DemandKind::Rate {
        curve: RateCurve { points, linear },
        rhythm: rhythm(at),
        process,
        users: users.map(|users| scaled_users(users, world.scale)),
        activity_skew: activity_skew(at),
    }
}

fn activity_skew(at: &mut Cursor<'_>) -> f64 {
    let doc = "Zipf exponent of the users' activity: 0 means all alike.";
    at.default("activity_skew", doc, number(0.0, 0.99), "0")
}

fn recorded(at: &mut Cursor<'_>, world: &World<'_>) -> Option<Trace> {
    let file = at.required("file", "The trace, as CSV or CSV.gz.", words());
    let preset = at.default(
        "format",
        "Whose columns it has; \"columns\" where `columns` says so, \"auto\" to go by its header.",
        choice(&[
            ("auto", ""),
            ("azure-llm", "azure-llm"),
            ("gentd26", "gentd26"),
            ("columns", "columns"),
        ]),
        "auto",
    );
    let columns = at.optional_section("columns", "Names of the columns.", |at| Columns {
        time: at.required("time", "When a request came.", words()),
        iterations: at.optional("iterations", "Its iterations.", words()),
        prompt: at.optional("prompt", "Its prompt tokens.", words()),
        images: at.optional("images", "How many images it asks for.", words()),
    });
    let compress = at.default(
        "compress",
        "Time runs so many times faster.",
        number(1e-6, 1e9),
        "1",
    );
    let rescale = at.default(
        "rescale",
        "So many times the requests, with the same shape.",
        number(1e-9, 1e6),
        "1",
    );
    let sort = at.default(
        "sort",
        "Whether rows out of order are sorted, not refused.",
        Flag,
        "false",
    );
    if file.is_empty() {
        return None;
    }
    let format = TraceFormat {
        columns: columns.or_else(|| Columns::preset(preset)),
        compress,
        rescale: rescale * world.scale,
        sort,
    };
    let bytes = (world.files)(&file).map_err(|problem| {
        at.problem(
            "file",
            &format!("cannot be read: {problem}"),
            "correct its path",
        );
    });
    let trace = trace::parse(&file, &bytes.ok()?, &format);
    trace
        .map_err(|problem| at.problem("file", &format!("is not a usable trace: {problem}"), ""))
        .ok()
}

fn population(at: &mut Cursor<'_>, world: &World<'_>) -> Population {
    let population = population_keys(at, world);
    if population.newcomer_share + population.dormant_share > 1.0 {
        at.problem(
            "newcomer_share",
            "and `dormant_share` sum to more than 1",
            "lower one of them",
        );
    }
    if population.conversion_share > 0.0 && population.conversion_tier.is_none() {
        let hint = "add `conversion_tier = ...`, the tier to which they subscribe";
        at.problem("conversion_share", "needs `conversion_tier`", hint);
    }
    let sessions = 1.0 + population.sessions_per_s * world.horizon_s;
    if population.potential * sessions * population.images_per_session > MOST_REQUESTS {
        let message =
            format!("may ask for more than {MOST_REQUESTS:e} images in all, which overflows");
        at.problem("potential", &message, "lower it, or `sessions`, or `lasts`");
    }
    Population {
        potential: population.potential * world.scale,
        ..population
    }
}

const NEWCOMERS: &str = "The share of those who come that has no account yet.";
const DORMANT: &str = "The share of those who come that was not active in the weeks before.";
const CONVERSION: &str =
    "The share of those who come while the tier is closed that subscribes instead.";

fn population_keys(at: &mut Cursor<'_>, world: &World<'_>) -> Population {
    let half_life = || or_word("forever", None, some(seconds().positive()));
    Population {
        potential: at.required("potential", "People who may come.", people().positive()),
        innovation_per_s: at.default(
            "innovation",
            "The chance with which each who has not come yet comes by oneself.",
            hazard(),
            "0/day",
        ),
        imitation_per_s: at.default(
            "imitation",
            "The further chance for each image that is being seen per head of all populations.",
            hazard(),
            "0/day",
        ),
        seen_half_life_s: at.default(
            "seen_half_life",
            "For how long a delivered image is seen by others, or \"forever\".",
            half_life(),
            "forever",
        ),
        release_s: at.default(
            "release",
            "Mean time after the opening of the tier until somebody who waited for it comes.",
            seconds().positive(),
            "6h",
        ),
        images_per_session: at.default(
            "images_per_session",
            "Mean images in a session.",
            number(1.0, 1000.0),
            "1",
        ),
        think_s: at.default(
            "think",
            "Time between an answer and the user's next request: a duration, or a law.",
            law(seconds()),
            "60s",
        ),
        sessions_per_s: at.default(
            "sessions",
            "Further sessions of somebody who has come and is still interested.",
            hazard(),
            "0/day",
        ),
        interest_half_life_s: at.default(
            "interest_half_life",
            "For how long one stays interested, or \"forever\".",
            half_life(),
            "forever",
        ),
        activity_skew: activity_skew(at),
        rhythm: rhythm(at),
        newcomer_share: at.default("newcomer_share", NEWCOMERS, share(), "0 %"),
        dormant_share: at.default("dormant_share", DORMANT, share(), "0 %"),
        conversion_share: at.default("conversion_share", CONVERSION, share(), "0 %"),
        conversion_tier: at.optional(
            "conversion_tier",
            "The tier to which they subscribe, while it is open.",
            reference("tier", &world.tiers),
        ),
    }
}
