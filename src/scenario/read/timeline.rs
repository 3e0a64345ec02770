//! What changes while the run goes on: `[[timeline]]`.
//!
//! An entry that sets keys is evaluated by writing them into the tree and reading the rules again, so
//! that a value in the timeline is checked exactly like the same value in its section.

use serde_json::{Value as Json, json};

use super::World;
use super::cursor::Cursor;
use super::form::{Form, Map, choice, reference, words};
use super::moment::Moment;
use super::notes::{Notes, Spot};
use super::problem::{advice, shown};
use super::quantity::positive_duration;
use super::tree::{Node, set_path};
use super::{people, policies};
use crate::scenario::{Chunk, Cluster, Outage, Pool, Rules};
use crate::units::{SimDuration, SimTime};

/// An entry of the timeline.
pub(super) struct Intervention {
    at: SimTime,
    what: String,
    changes: Vec<(String, Node)>,
    outage: Option<SiteOutage>,
}

/// Clusters that stand still for a while.
struct SiteOutage {
    clusters: Where,
    lasts: SimDuration,
    running: Running,
}

#[derive(Clone, Copy)]
enum Where {
    Cluster(usize),
    Region(usize),
}

/// What becomes of those who are there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Running {
    Lost,
    Requeued,
    Evacuated,
}

/// Any value, to be read later.
struct Anything;

impl Form for Anything {
    type Out = Node;
    fn read(&self, spot: &Spot<'_>) -> Option<Node> {
        Some(spot.node.clone())
    }
    fn placeholder(&self) -> Node {
        Node::empty_table()
    }
    fn schema(&self) -> Json {
        json!({})
    }
}

/// The keys of a tier that may change.
const TIER_KEYS: [&str; 9] = [
    "open",
    "priority",
    "quota",
    "quota_window",
    "rate_limit",
    "burst",
    "deadline",
    "share",
    "places_limit",
];

pub(super) fn interventions(root: &mut Cursor<'_>, world: &World<'_>) -> Vec<Intervention> {
    let moment = Moment {
        start_unix_s: world.start_unix_s,
        clamped: false,
    };
    let mut interventions = root.list("timeline", "What changes at a date.", |at| {
        at.annotated();
        let intervention = Intervention {
            at: at.required("at", "When.", moment),
            what: at.required("what", "What happens, in words.", words()),
            changes: at
                .optional(
                    "set",
                    "Rules by their dotted paths: `tier.NAME.KEY` or `policy....`.",
                    Map(Anything),
                )
                .unwrap_or_default(),
            outage: at.optional_section("outage", "A cluster or a region stands still.", |at| {
                outage(at, world)
            }),
        };
        for (path, _) in &intervention.changes {
            check_path(at, path, &world.tiers);
        }
        intervention
    });
    interventions.sort_by_key(|intervention| intervention.at);
    interventions
}

fn outage(at: &mut Cursor<'_>, world: &World<'_>) -> SiteOutage {
    let cluster = at.optional(
        "cluster",
        "Which cluster.",
        reference("cluster", &world.clusters),
    );
    let region = at.optional(
        "region",
        "Which region: all clusters in it.",
        reference("region", &world.regions),
    );
    let clusters = match (cluster, region) {
        (Some(cluster), None) => Where::Cluster(cluster),
        (None, Some(region)) => Where::Region(region),
        (both, _) => {
            let hint = "write either `cluster = ...` or `region = ...`";
            at.not_one_of(["cluster", "region"], both.is_some(), hint);
            Where::Cluster(0)
        }
    };
    SiteOutage {
        clusters,
        lasts: at.required("lasts", "For how long.", positive_duration()),
        running: at.default(
            "running",
            "Whether running requests fail, or start again when it is back, or all who are there move elsewhere.",
            choice(&[
                ("lost", Running::Lost),
                ("requeued", Running::Requeued),
                ("evacuated", Running::Evacuated),
            ]),
            "lost",
        ),
    }
}

/// Refuses what is no rule.
fn check_path(at: &Cursor<'_>, path: &str, tiers: &[String]) {
    let parts: Vec<&str> = path.split('.').collect();
    match parts.as_slice() {
        ["policy", _, ..] => {}
        ["tier", tier, key] if TIER_KEYS.contains(key) => {
            if !tiers.iter().any(|name| name == tier) {
                let message = format!("names the tier \"{}\", which is not there", shown(tier));
                at.problem(
                    "set",
                    &message,
                    advice(tier, tiers.iter().map(String::as_str)),
                );
            }
        }
        ["tier", _, key] => {
            let message = format!("changes \"{}\", which is fixed", shown(key));
            at.problem("set", &message, advice(key, TIER_KEYS.into_iter()));
        }
        _ => {
            let message = format!("changes \"{}\", which is no rule", shown(path));
            at.problem(
                "set",
                &message,
                "a rule is written in quotes: \"tier.NAME.KEY\" or \"policy...\"",
            );
        }
    }
}

/// The rules that the sections of a tree state.
pub(super) fn rules(root: &mut Cursor<'_>, world: &World<'_>) -> Rules {
    let tiers = people::tiers(root, world);
    Rules {
        tiers: tiers.into_iter().map(|tier| tier.rules).collect(),
        policy: policies::policy(root, world),
    }
}

/// The rules from each date on; `first` are those from the start.
pub(super) fn rules_over_time(
    notes: &Notes,
    tree: &Node,
    interventions: &[Intervention],
    first: Rules,
    world: &World<'_>,
) -> Vec<(SimTime, Rules)> {
    let mut tree = tree.clone();
    let mut over_time = vec![(SimTime::ZERO, first)];
    for intervention in interventions
        .iter()
        .filter(|entry| !entry.changes.is_empty())
    {
        for (path, node) in &intervention.changes {
            if let Err(problem) = set_path(&mut tree, path, node.clone()) {
                notes.problem(problem.place.as_ref(), problem.message, problem.hint);
            }
        }
        let again = Notes::default();
        let rules = rules(&mut Cursor::root(&tree, &again), world);
        notes.take_problems(again);
        if !notes.is_clean() {
            break;
        }
        match over_time
            .last_mut()
            .filter(|last| last.0 == intervention.at)
        {
            Some(last) => last.1 = rules,
            None => over_time.push((intervention.at, rules)),
        }
    }
    over_time
}

/// The interventions in words, with the deliveries of chunks between them.
pub(super) fn in_words(
    interventions: &[Intervention],
    chunks: &[Chunk],
    horizon: SimDuration,
) -> Vec<(SimTime, String)> {
    let said = interventions
        .iter()
        .map(|entry| (entry.at, entry.what.clone()));
    let late = chunks
        .iter()
        .filter(|chunk| chunk.delivered > SimTime::ZERO);
    let delivered = late.map(|chunk| {
        let first = chunk.arrived.accepted.first().map_or(0, |entry| entry.1);
        let part = match first == chunk.gpus {
            true => String::new(),
            false => format!("{first} of "),
        };
        let what = format!(
            "chunk {} delivered: {part}{} {}",
            chunk.name, chunk.gpus, chunk.accelerator
        );
        (chunk.delivered, what)
    });
    let mut entries: Vec<(SimTime, String)> = said.chain(delivered).collect();
    entries.retain(|entry| entry.0.0 <= horizon.0);
    entries.sort_by_key(|entry| entry.0);
    entries
}

/// The outages of the pools: an outage of a cluster takes all of its pools, that of a region all there.
pub(super) fn outages(
    interventions: &[Intervention],
    clusters: &[Cluster],
    pools: &[Pool],
) -> Vec<Outage> {
    let mut outages = Vec::new();
    for entry in interventions {
        let Some(outage) = &entry.outage else {
            continue;
        };
        let is_hit = |pool: &Pool| match outage.clusters {
            Where::Cluster(cluster) => pool.cluster == cluster,
            Where::Region(region) => clusters[pool.cluster].region == region,
        };
        let hit = pools.iter().enumerate().filter(|(_, pool)| is_hit(pool));
        outages.extend(hit.map(|(pool, _)| Outage {
            pool,
            from: entry.at,
            until: entry.at + outage.lasts,
            requeue: outage.running != Running::Lost,
            evacuate: outage.running == Running::Evacuated,
        }));
    }
    outages
}
