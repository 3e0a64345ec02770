//! What grows and shrinks: `[autoscaler]`, and the parts of a cluster's `start_up`.

use serde_json::{Value as Json, json};

use super::World;
use super::amount::duration_s;
use super::cursor::{Cursor, describe};
use super::form::{Form, list, or_word, reference, some, whole_u32};
use super::law::law;
use super::notes::{Notes, Spot};
use super::quantity::{bytes, bytes_per_s, duration, number, positive_duration, seconds, share};
use super::tree::Value;
use super::week::{Entries, Timetable};
use crate::scenario::{
    Autoscaler, Forecast, Pool, ScalingBounds, ScalingRule, Scenario, ScheduledReplicas, Staffing,
    StartUp, published_start_up, start_up_names,
};
use crate::units::SimDuration;

/// Most replicas of a fleet.
const MOST_REPLICAS: u32 = 100_000_000;
/// Most clusters of one autoscaler.
const MOST_CLUSTERS: usize = 1000;

/// `"5min"`, a published one by its name, or what it is made of.
pub(super) struct StartUpForm;

/// A start-up as it is written: a length of time, or its parts.
#[derive(Clone)]
pub(super) enum WrittenStartUp {
    Whole(SimDuration),
    Parts(StartUp),
}

impl WrittenStartUp {
    /// As one length of time, alone and in the mean.
    pub(super) fn whole(&self) -> SimDuration {
        match self {
            Self::Whole(whole) => *whole,
            Self::Parts(parts) => SimDuration::from_s(parts.mean_alone_s()),
        }
    }

    /// As parts, for `share` of the cluster.
    pub(super) fn parts(&self, share: f64) -> StartUp {
        match self {
            Self::Whole(whole) => StartUp::constant(whole.as_s()),
            Self::Parts(parts) => StartUp {
                site_bytes_per_s: parts.site_bytes_per_s * share,
                ..parts.clone()
            },
        }
    }
}

fn parts(at: &mut Cursor<'_>) -> StartUp {
    let time = || law(seconds());
    let provision = "Until the machine is there: a duration, or a law.";
    let image = "Until its image is there: a duration, or a law.";
    let before = [
        at.optional("provision", provision, time()),
        at.optional("image", image, time()),
    ];
    let weights_bytes = at.optional("weights", "What a replica loads.", bytes());
    let bandwidth = "How fast a replica loads.";
    let own = at.optional("load_bandwidth", bandwidth, bytes_per_s());
    let site = "How fast all replicas of the cluster together load; by default without limit.";
    let shared = at.optional("site_bandwidth", site, bytes_per_s());
    let load = "How long loading takes where it is not told in bytes: a duration, or a law.";
    let warm_up = "From loaded weights to serving: a duration, or a law.";
    let after = [
        at.optional("load", load, time()),
        at.optional("warm_up", warm_up, time()),
    ];
    let has_bandwidth = own.is_some() || shared.is_some();
    if weights_bytes.is_some() && !has_bandwidth {
        let hint = "add `load_bandwidth = \"2 GB/s\"`";
        at.problem("weights", "stands without a bandwidth", hint);
    }
    StartUp {
        before_s: before.into_iter().flatten().collect(),
        weights_bytes: weights_bytes.unwrap_or(0),
        bytes_per_s: own.unwrap_or(f64::INFINITY),
        site_bytes_per_s: shared.unwrap_or(f64::INFINITY),
        after_s: after.into_iter().flatten().collect(),
    }
}

impl Form for StartUpForm {
    type Out = WrittenStartUp;
    fn read(&self, spot: &Spot<'_>) -> Option<WrittenStartUp> {
        if let Some(table) = spot.node.table() {
            let mut cursor = spot.cursor(table);
            let parts = parts(&mut cursor);
            cursor.finish();
            return Some(WrittenStartUp::Parts(parts));
        }
        let word = match &spot.node.value {
            Value::Text(text) => text.as_str(),
            _ => "",
        };
        if let Some(published) = published_start_up(word) {
            return Some(WrittenStartUp::Parts(published));
        }
        if duration_s(word).is_none() {
            let names = start_up_names().join("\", \"");
            let hint = format!("{}; or one of \"{names}\"", self.example());
            spot.refuse(
                "a duration, a published start-up, or a table of its parts",
                hint,
            );
            return None;
        }
        duration().read(spot).map(WrittenStartUp::Whole)
    }
    fn placeholder(&self) -> WrittenStartUp {
        WrittenStartUp::Whole(SimDuration::ZERO)
    }
    fn schema(&self) -> Json {
        let names = json!({ "enum": start_up_names() });
        json!({ "anyOf": [duration().schema(), names, describe(parts).0] })
    }
    fn example(&self) -> String {
        "write \"5min\", or { provision = \"50s\", weights = \"80 GB\", load_bandwidth = \"2 GB/s\" }"
            .to_owned()
    }
}

pub(super) fn autoscalers(root: &mut Cursor<'_>, world: &World<'_>) -> Vec<Autoscaler> {
    let doc = "Adds and takes away replicas of clusters, after the load that is offered.";
    let autoscalers = root.keyed("autoscaler", doc, |name, at| autoscaler(name, at, world));
    autoscalers
        .into_iter()
        .filter_map(|(_, autoscaler)| autoscaler)
        .collect()
}

fn autoscaler(name: &str, at: &mut Cursor<'_>, world: &World<'_>) -> Option<Autoscaler> {
    at.annotated();
    let mut clusters = at.required(
        "clusters",
        "Whose replicas.",
        list(reference("cluster", &world.clusters), 1, MOST_CLUSTERS),
    );
    clusters.sort_unstable();
    clusters.dedup();
    let every_doc = "How often it decides.";
    let every = at.default("every", every_doc, positive_duration(), "15s");
    let window_doc = "Over how long it measures; by default from one decision to the next.";
    let window = at.optional("window", window_doc, positive_duration());
    let scale = world.scale;
    let bounds = bounds(at, scale);
    let initial_doc = "Replicas that serve at the start; by default the minimum.";
    let initial = at.optional("initial", initial_doc, replicas(0));
    let backlog_doc = "In what time what waits is to be worked off beside the load; \"none\": it is not looked at.";
    let autoscaler = Autoscaler {
        name: name.to_owned(),
        clusters,
        bounds,
        every,
        reaction: at.default("reaction", "How old what it measures is.", duration(), "0s"),
        window: window.unwrap_or(every),
        backlog_within_s: at.default(
            "backlog_within",
            backlog_doc,
            or_word("none", None, some(seconds().positive())),
            "none",
        ),
        initial: initial.map_or(bounds.minimum, |initial| scaled(initial, scale)),
        warm: scaled(
            at.default(
                "warm",
                "Replicas kept ready beside those that serve.",
                replicas(0),
                "0",
            ),
            scale,
        ),
        warm_start_s: at.default(
            "warm_start",
            "How long a ready one takes to serve: a duration, or a law.",
            law(seconds()),
            "0s",
        ),
        rule: rule(at, scale)?,
    };
    Some(autoscaler)
}

fn replicas(least: u32) -> impl Form<Out = u32> {
    whole_u32("replicas", least, MOST_REPLICAS)
}

/// So many replicas of the simulated share: at least one where there are any.
pub(super) fn scaled(replicas: u32, scale: f64) -> u32 {
    let share = (f64::from(replicas) * scale).round() as u32;
    share.max(replicas.min(1))
}

fn bounds(at: &mut Cursor<'_>, scale: f64) -> ScalingBounds {
    let limit = || or_word("none", u32::MAX, replicas(1));
    let bound = |replicas: u32| match replicas {
        u32::MAX => u32::MAX,
        replicas => scaled(replicas, scale),
    };
    let least = "Fewest replicas that serve or are on their way.";
    let minimum = at.default("minimum", least, replicas(1), "1");
    let maximum = at.default(
        "maximum",
        "Most; \"none\": all that are delivered.",
        limit(),
        "none",
    );
    if minimum > maximum {
        at.problem("minimum", "is above `maximum`", "exchange the two bounds");
    }
    let up = at.default(
        "step_up",
        "Most that one decision adds, or \"none\".",
        limit(),
        "none",
    );
    let down_doc = "Most that one decision takes away, or \"none\".";
    let down = at.default("step_down", down_doc, limit(), "none");
    let cool_up = "Nothing is added so soon after the last change, up or down.";
    let cool_down = "Nothing is taken away so soon after the last change, up or down.";
    ScalingBounds {
        minimum: scaled(minimum, scale),
        maximum: bound(maximum).max(scaled(minimum, scale)),
        step_up: bound(up),
        step_down: bound(down),
        cool_down_up: at.default("cool_down_up", cool_up, duration(), "0s"),
        cool_down_down: at.default("cool_down_down", cool_down, duration(), "5min"),
    }
}

fn rule(at: &mut Cursor<'_>, scale: f64) -> Option<ScalingRule> {
    at.variants(
        "kind",
        "How many replicas a load asks for.",
        &[
            (
                "threshold",
                "More above one load, fewer below another.",
                &|at| threshold(at, scale),
            ),
            ("target", "As many as bring the load to a target.", &|at| {
                ScalingRule::Target {
                    staffing: staffing(at),
                    tolerance: at.default(
                        "tolerance",
                        "Nothing changes while the load is so near the target.",
                        share(),
                        "10 %",
                    ),
                }
            }),
            (
                "predictive",
                "As many as a forecast of the load needs.",
                &|at| ScalingRule::Predictive {
                    staffing: staffing(at),
                    forecast: forecast(at),
                },
            ),
            ("scheduled", "As many as a timetable says.", &|at| {
                let doc =
                    "Replicas from a local time on: { \"08:00\" = 500, \"sat-sun 10:00\" = 200 }.";
                let entries: Entries = at.required("timetable", doc, Timetable);
                let entries = entries
                    .into_iter()
                    .map(|(week_s, replicas)| ScheduledReplicas {
                        week_s,
                        replicas: scaled(replicas, scale),
                    });
                ScalingRule::Scheduled {
                    entries: entries.collect(),
                    ahead: at.default(
                        "ahead",
                        "So long before its time an entry holds already.",
                        duration(),
                        "0s",
                    ),
                }
            }),
        ],
    )
}

fn threshold(at: &mut Cursor<'_>, scale: f64) -> ScalingRule {
    let load = || share().within(0.0, 100.0);
    let above = at.default(
        "above",
        "More above this load for each replica.",
        load(),
        "80 %",
    );
    let below = at.default("below", "Fewer below this one.", load(), "40 %");
    if below > above {
        at.problem("below", "is above `above`", "exchange the two thresholds");
    }
    ScalingRule::Threshold {
        above,
        below,
        add: scaled(at.default("add", "How many more.", replicas(1), "1"), scale),
        remove: scaled(
            at.default("remove", "How many fewer.", replicas(1), "1"),
            scale,
        ),
    }
}

fn staffing(at: &mut Cursor<'_>) -> Staffing {
    let target = "The load that a replica is to have, 100 %: its batches are always full.";
    let spare = "Replicas more for each root of the load in replicas (square-root staffing).";
    Staffing {
        target: at.default("target", target, share().within(0.01, 10.0), "70 %"),
        spare: at.default("spare", spare, number(0.0, 1000.0), "0"),
    }
}

fn forecast(at: &mut Cursor<'_>) -> Forecast {
    let level = share().within(0.001, 1.0);
    let horizon = at.default("horizon", "How far ahead it looks.", duration(), "10min");
    let level_doc = "Weight of the newest load in the level.";
    let trend_doc = "Weight of the newest slope in the trend.";
    let season_doc = "How long until the load repeats itself, or \"none\".";
    let season = or_word("none", None, some(positive_duration()));
    Forecast {
        horizon,
        level: at.default("level", level_doc, level, "0.2"),
        trend: at.default("trend", trend_doc, share(), "0.05"),
        season: at.default("season", season_doc, season, "none"),
        season_weight: at.default(
            "season_weight",
            "Weight of the newest difference to the level in the season.",
            share(),
            "0.3",
        ),
    }
}

/// What must hold between autoscalers.
pub(super) fn check(notes: &Notes, scenario: &Scenario) {
    /// Most values that a season may remember.
    const MOST_STEPS: f64 = 1e6;
    /// Most decisions of a run: each ends a window.
    const MOST_DECISIONS: f64 = 1e8;
    for (index, autoscaler) in scenario.autoscalers.iter().enumerate() {
        let path = format!("autoscaler.{}", autoscaler.name);
        let earlier = scenario.autoscalers[..index].iter();
        let twice = autoscaler.clusters.iter().find(|cluster| {
            earlier
                .clone()
                .any(|other| other.clusters.contains(cluster))
        });
        if let Some(&twice) = twice {
            let name = &scenario.clusters[twice].name;
            notes.problem_at(
                &format!("{path}.clusters"),
                format!("`{path}` scales the cluster \"{name}\", as another autoscaler does"),
                "leave each cluster to one autoscaler",
            );
        }
        let off_when_idle =
            |pool: &&Pool| pool.set_up.is_some() && autoscaler.clusters.contains(&pool.cluster);
        if let Some(pool) = scenario.pools.iter().find(off_when_idle) {
            let name = &scenario.clusters[pool.cluster].name;
            notes.problem_at(
                &format!("cluster.{name}.set_up"),
                format!(
                    "`cluster.{name}` turns idle replicas off (`set_up`), and `{path}` scales it"
                ),
                "leave one of the two out: each decides which replicas are on",
            );
        }
        if scenario.horizon.as_s() / autoscaler.every.as_s() > MOST_DECISIONS {
            notes.problem_at(
                &format!("{path}.every"),
                format!("`{path}.every` makes more than {MOST_DECISIONS:.0} decisions of the run"),
                "decide less often, or let the scenario last shorter",
            );
        }
        if let ScalingRule::Predictive { forecast, .. } = &autoscaler.rule
            && let Some(season) = forecast.season
            && season.as_s() / autoscaler.every.as_s() > MOST_STEPS
        {
            notes.problem_at(
                &format!("{path}.season"),
                format!("`{path}.season` has more than {MOST_STEPS:.0} decisions"),
                "decide less often (`every`), or choose a shorter season",
            );
        }
    }
}

/// What may be doubted about autoscalers.
pub(super) fn warnings(scenario: &Scenario) -> Vec<String> {
    let mut warnings = Vec::new();
    for autoscaler in &scenario.autoscalers {
        let pools = scenario.pools.iter();
        let own = pools.filter(|pool| autoscaler.clusters.contains(&pool.cluster));
        let deliveries = own.flat_map(|pool| &pool.deliveries);
        let delivered: u64 = deliveries.map(|delivery| u64::from(delivery.1)).sum();
        let asked = autoscaler.bounds.minimum.max(autoscaler.initial);
        if u64::from(asked) > delivered {
            warnings.push(format!(
                "`[autoscaler.{}]` asks for {asked} replicas at least, but its clusters have {delivered}",
                autoscaler.name
            ));
        }
    }
    warnings
}
