//! What fails and how it is mended: `[failures]`, and the keys of a cluster that go with it.

use serde_json::{Value as Json, json};

use super::World;
use super::amount::failures_per_s;
use super::cursor::Cursor;
use super::form::{Form, choice, or_word, some, whole, whole_u32};
use super::law::law;
use super::notes::{Notes, Spot};
use super::problem::advice;
use super::quantity::{duration, failure_rate, number, positive_duration, seconds, share};
use super::tree::{self, Node, Value};
use super::word_or_table::{WordOrTable, Words};
use crate::random::Law;
use crate::scenario::{
    Cause, Interrupted, Level, Maintenance, Reliability, RepairClass, Scenario, Topology, Work,
    WorkUnit, published_topology,
};
use crate::units::SimDuration;

/// Published rates, in the language.
const PUBLISHED: &str = include_str!("../data/failures.toml");
/// Most tables of one cluster.
const MOST_TABLES: usize = 100;
/// Most GPUs of a node, nodes of a rack, racks of a power domain.
const MOST_IN_ONE: u32 = 100_000;
/// Most crews, and most spares.
const MOST_CREWS: u32 = 100_000_000;
/// Longest mean time between failures; a rate may be lower.
const LONGEST_BETWEEN_S: f64 = 3e9;
/// Weibull shapes: below the first nearly all fail at once, above the second nearly all at one age.
const SHAPES: (f64, f64) = (0.2, 20.0);

/// The published tables, as a tree.
pub(super) fn published() -> Node {
    tree::parse("failures.toml", PUBLISHED).expect("the embedded table is in the language")
}

/// Adds the published tables that clusters of a tree, or flags, name.
pub(super) fn add_published(root: &mut Node, flags: &[String]) {
    let mut tables = published();
    let names = tables.names_in("failures");
    let clusters = root.child("cluster").and_then(Node::table);
    let clusters = clusters
        .into_iter()
        .flat_map(|keyed| keyed.entries.values());
    let named: Vec<String> = clusters
        .filter_map(|cluster| cluster.node.child("failures"))
        .flat_map(Node::texts)
        .collect();
    for name in &names {
        let is_used = named.contains(name) || flags.iter().any(|flag| flag.contains(name));
        if !is_used {
            tree::forget(&mut tables, &["failures", name]);
        }
    }
    if !tables.names_in("failures").is_empty() {
        // What the file says lies above.
        let own = std::mem::replace(root, tables);
        tree::merge(root, own);
    }
}

/// The names of the published tables.
fn published_names() -> Vec<String> {
    published().names_in("failures")
}

/// Reads the tables: by name, its causes.
pub(super) fn tables(root: &mut Cursor<'_>) -> Vec<Vec<Cause>> {
    let doc = "Why things fail, how often, and what brings them back.";
    let tables = root.keyed("failures", doc, |name, at| {
        at.annotated();
        let laws = [
            at.optional(
                "restart",
                "How long a restart takes: a duration, or a law.",
                law(seconds()),
            ),
            at.optional(
                "field",
                "How long a repair in the field takes.",
                law(seconds()),
            ),
            at.optional(
                "replacement",
                "How long it takes to replace parts.",
                law(seconds()),
            ),
        ];
        let causes = at.keyed("cause", "One cause.", |cause, at| {
            at.annotated();
            cause_of(&format!("{name}/{cause}"), &laws, at)
        });
        causes.into_iter().map(|(_, cause)| cause).collect()
    });
    tables.into_iter().map(|(_, causes)| causes).collect()
}

const LEVELS: [(&str, Level); 5] = [
    ("gpu", Level::Gpu),
    ("node", Level::Node),
    ("rack", Level::Rack),
    ("power-domain", Level::PowerDomain),
    ("site", Level::Site),
];

const CLASSES: [(&str, RepairClass); 3] = [
    ("restart", RepairClass::Restart),
    ("field", RepairClass::Field),
    ("replacement", RepairClass::Replacement),
];

/// When something fails for the first time.
const FIRST_FAILURE: Words<Option<f64>> = Words {
    plain: &[("exponential", None)],
    tables: &[("weibull", "Less often with age, or more often.", |at| {
        let doc = "Below 1 failures become fewer with age, above 1 more.";
        Some(at.required("shape", doc, number(SHAPES.0, SHAPES.1)))
    })],
};

const INTERRUPTED: Words<Interrupted> = Words {
    plain: &[
        ("requeued", Interrupted::Requeued),
        ("lost", Interrupted::Lost),
    ],
    tables: &[("kept", "They go on from the last step kept.", |at| {
        let doc = "A step is kept after each so many steps or tokens.";
        Interrupted::Kept {
            every: at.required("every", doc, whole("steps", 1, 10_000_000)),
        }
    })],
};

fn cause_of(name: &str, laws: &[Option<Law>; 3], at: &mut Cursor<'_>) -> Cause {
    let level = at.required("level", "What fails.", choice(&LEVELS));
    let rate = at.optional(
        "rate",
        "Failures of each unit of that level.",
        failure_rate(level),
    );
    let between = at.optional(
        "mtbf",
        "Mean time between failures of each, instead of a rate.",
        seconds().within(1.0, LONGEST_BETWEEN_S),
    );
    let rate_per_s = match (rate, between) {
        (Some(rate), None) => rate,
        (None, Some(between)) => 1.0 / between,
        (both, _) => {
            let message = match both {
                Some(_) => "stands beside `mtbf`",
                None => "is missing, and so is `mtbf`",
            };
            at.problem(
                "rate",
                message,
                "write one of the two: rate = \"0.1 /GPU-year\"",
            );
            1.0
        }
    };
    let weibull_shape = at.default(
        "law",
        "Law of the age at the first failure; its mean follows from the rate.",
        WordOrTable(&FIRST_FAILURE),
        "exponential",
    );
    let repair = at.required("repair", "What brings it back.", choice(&CLASSES));
    let repair_s = laws[repair as usize].unwrap_or_else(|| {
        let word = CLASSES[repair as usize].0;
        let hint = format!("add `{word} = \"4h\"` to the table above, or a law");
        at.problem("repair", "has no law", hint);
        Law::Constant { value: 0.0 }
    });
    Cause {
        name: name.to_owned(),
        level,
        rate_per_s,
        weibull_shape,
        repair,
        repair_s,
        running: running(at),
    }
}

fn running(at: &mut Cursor<'_>) -> Interrupted {
    at.default(
        "running",
        "Whether running requests start again from zero, fail, or go on from the last step kept.",
        WordOrTable(&INTERRUPTED),
        "requeued",
    )
}

/// What a cluster says about failures.
#[derive(Clone)]
pub(super) struct ClusterFailures {
    tables: Vec<usize>,
    gpus_per_node: Option<u32>,
    nodes_per_rack: Option<u32>,
    racks_per_power_domain: Option<u32>,
    crews: Option<u32>,
    spares: u32,
    swap_s: Law,
    maintenance: Option<Maintenance>,
}

/// One name, or a list of names.
struct Names<'n>(&'n [String]);

impl Names<'_> {
    fn one(&self, spot: &Spot<'_>, node: &Node) -> Option<usize> {
        let text = match &node.value {
            Value::Text(text) => text.as_str(),
            _ => "",
        };
        let found = self.0.iter().position(|name| name == text);
        if found.is_none() {
            let mut known = published_names();
            known.extend(self.0.iter().cloned());
            known.sort();
            known.dedup();
            let near = advice(text, known.iter().map(String::as_str));
            let hint = format!("{near}; or add a table `[failures.name]`");
            spot.refuse("the name of a table of failures", hint);
        }
        found
    }
}

impl Form for Names<'_> {
    type Out = Vec<usize>;
    fn read(&self, spot: &Spot<'_>) -> Option<Vec<usize>> {
        match &spot.node.value {
            Value::List(nodes) if (1..=MOST_TABLES).contains(&nodes.len()) => {
                let mut found: Vec<usize> = nodes
                    .iter()
                    .map(|node| self.one(spot, node))
                    .collect::<Option<_>>()?;
                found.sort_unstable();
                found.dedup();
                Some(found)
            }
            _ => self.one(spot, spot.node).map(|index| vec![index]),
        }
    }
    fn placeholder(&self) -> Vec<usize> {
        Vec::new()
    }
    fn schema(&self) -> Json {
        let name = json!({ "type": "string", "pattern": super::form::NAME_PATTERN });
        let most = MOST_TABLES;
        json!({ "anyOf": [name, { "type": "array", "items": name, "minItems": 1, "maxItems": most }] })
    }
    fn example(&self) -> String {
        "\"llama3\" or [\"llama3\", \"name\"]".to_owned()
    }
}

/// The keys of a cluster; `None` where it neither fails nor is maintained.
pub(super) fn of_cluster(at: &mut Cursor<'_>, world: &World<'_>) -> Option<ClusterFailures> {
    let doc = "Tables of what fails: own ones, or published ones (llama3, rsc1, rsc2).";
    let tables = at.optional("failures", doc, Names(&world.failures));
    let in_one = || whole_u32("", 1, MOST_IN_ONE);
    let doc = "Where its GPUs stand; by default as its accelerator does.";
    let [gpus_per_node, nodes_per_rack, racks_per_power_domain] =
        at.section("topology", doc, |at| {
            at.annotated();
            [
                at.optional("gpus_per_node", "GPUs of a node.", in_one()),
                at.optional("nodes_per_rack", "Nodes of a rack.", in_one()),
                at.optional(
                    "racks_per_power_domain",
                    "Racks on one feed of power.",
                    in_one(),
                ),
            ]
        });
    let (crews, spares, swap_s) =
        at.section("repair", "Who mends it, and what stands ready.", |at| {
            at.annotated();
            let crews = or_word("unlimited", None, some(whole_u32("crews", 1, MOST_CREWS)));
            let doc = "Repairs at a time, first come first served; a restart needs no crew.";
            (
                at.default("crews", doc, crews, "unlimited"),
                at.default(
                    "spares",
                    "Cold nodes that take the place of broken ones.",
                    whole_u32("nodes", 0, MOST_CREWS),
                    "0",
                ),
                at.default(
                    "swap",
                    "How long that takes: a duration, or a law.",
                    law(seconds()),
                    "0s",
                ),
            )
        });
    let doc = "Planned work on all replicas, a few at a time.";
    let maintenance = at.optional_section("maintenance", doc, maintenance);
    let fails = tables.is_some() || maintenance.is_some();
    fails.then(|| ClusterFailures {
        tables: tables.unwrap_or_default(),
        gpus_per_node,
        nodes_per_rack,
        racks_per_power_domain,
        crews,
        spares,
        swap_s,
        maintenance,
    })
}

fn maintenance(at: &mut Cursor<'_>) -> Maintenance {
    at.annotated();
    let first = at.default(
        "first",
        "When it begins, after the start.",
        duration(),
        "0s",
    );
    let every = at.optional(
        "every",
        "How often it begins; once by default.",
        positive_duration(),
    );
    let drain = "How long replicas take nobody more before they are taken out.";
    Maintenance {
        first,
        every: every.unwrap_or(SimDuration::FOREVER),
        drain: at.default("drain", drain, duration(), "60s"),
        lasts: at.required("lasts", "How long a replica is out.", positive_duration()),
        at_most: at.default(
            "at_most",
            "Share of the replicas that are worked on at a time; one at least.",
            share().positive(),
            "5 %",
        ),
        running: running(at),
    }
}

impl ClusterFailures {
    /// Put together for replicas of so many GPUs of an accelerator, for `scale` of the fleet.
    pub(super) fn reliability(
        &self,
        tables: &[Vec<Cause>],
        gpus_per_replica: u32,
        accelerator: &str,
        scale: f64,
    ) -> Reliability {
        let published = published_topology(accelerator);
        let rack = self.nodes_per_rack.unwrap_or(published.nodes_per_rack);
        let racks = self.racks_per_power_domain;
        let racks = racks.unwrap_or(published.racks_per_power_domain);
        let topology = Topology {
            gpus_per_replica,
            gpus_per_node: self.gpus_per_node.unwrap_or(published.gpus_per_node),
            nodes_per_rack: rack,
            nodes_per_power_domain: rack.saturating_mul(racks),
        };
        let scaled = |count: u32| match count {
            0 => 0,
            count => (f64::from(count) * scale)
                .round()
                .clamp(1.0, f64::from(u32::MAX)) as u32,
        };
        Reliability {
            topology: topology.scaled(scale),
            causes: self
                .tables
                .iter()
                .flat_map(|&table| tables[table].clone())
                .collect(),
            crews: self.crews.map(scaled),
            spares: scaled(self.spares),
            swap_s: self.swap_s,
            maintenance: self.maintenance.clone(),
        }
    }
}

/// Steps can be kept only of work that has some.
pub(super) fn check(notes: &Notes, scenario: &Scenario) {
    let is_timed = |work: &Work| work.unit == WorkUnit::ServiceTime;
    let Some(timed) = scenario.works.iter().find(|work| is_timed(work)) else {
        return;
    };
    let keeps = |running: Interrupted| matches!(running, Interrupted::Kept { .. });
    for cluster in &scenario.clusters {
        let Some(reliability) = &cluster.reliability else {
            continue;
        };
        let planned = reliability.maintenance.iter().map(|plan| plan.running);
        let mut all = reliability
            .causes
            .iter()
            .map(|cause| cause.running)
            .chain(planned);
        if all.any(keeps) {
            let message = format!(
                "`cluster.{}` keeps steps of running requests, but the work \"{}\" has none",
                cluster.name, timed.name
            );
            let hint = "write running = \"requeued\" or \"lost\"";
            notes.problem_at(&format!("cluster.{}.failures", cluster.name), message, hint);
        }
    }
}

/// `"148 /884736 GPU-days"` in failures a second.
pub(super) fn parse_rate(level: Level) -> fn(&str) -> Option<f64> {
    match level {
        Level::Gpu => |text| failures_per_s(text, "GPU"),
        Level::Node => |text| failures_per_s(text, "node"),
        Level::Rack => |text| failures_per_s(text, "rack"),
        Level::PowerDomain => |text| failures_per_s(text, "domain"),
        Level::Site => |text| failures_per_s(text, "site"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_rates_are_the_counts_of_their_source() {
        let root = published();
        let notes = super::super::notes::Notes::default();
        let mut at = Cursor::root(&root, &notes);
        let names = at.names("failures");
        let tables = tables(&mut at);
        at.finish();
        assert!(notes.is_clean(), "{:?}", notes.into_parts().0);
        let index = names
            .iter()
            .position(|name| name == "llama3")
            .expect("it is there");
        let total: f64 = tables[index].iter().map(|cause| cause.rate_per_s).sum();
        let year_s = 365.25 * 86_400.0;
        // 419 in 54 days on 16,384 GPUs.
        let published = 419.0 / (16_384.0 * 54.0 / 365.25);
        assert!((total * year_s / published - 1.0).abs() < 1e-12);
        assert!((total * year_s - 0.173).abs() < 5e-4);
        // Of the GPUs themselves, without network, processor of the host and the rest.
        let of_gpus = tables[index].iter().filter(|cause| {
            let word = cause.name.trim_start_matches("llama3/");
            ["gpu", "hbm", "sram", "system-processor"].contains(&word)
        });
        let of_gpus: f64 = of_gpus.map(|cause| cause.rate_per_s).sum();
        assert!((of_gpus * year_s - 0.106).abs() < 5e-4);
    }
}
