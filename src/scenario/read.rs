//! The scenario language: from text to a valid `Scenario`, or to all that is wrong with the text.
//!
//! ```text
//! text -> tree (merged: extended scenario, file, flags) -> sections -> checks -> Scenario
//! ```
//!
//! Each section is one function over a `Cursor`, which is the only definition of its keys: it reads
//! them, checks them, notes their effective values, and describes them as JSON Schema.

mod amount;
mod catalog;
mod checks;
mod contracts;
mod cursor;
mod demands;
mod elastic;
mod embedded;
mod failures;
mod form;
mod general;
mod goals;
mod investments;
mod law;
mod measured;
mod moment;
mod notes;
mod orders;
mod partitions;
mod people;
mod policies;
mod problem;
mod processes;
mod quantity;
mod regions;
mod scaled;
mod supply;
mod timeline;
mod tree;
mod week;
mod word_or_table;
mod works;

pub use embedded::{EMBEDDED, embedded, embedded_trace};
pub use measured::Measured;
pub use problem::{Origin, Place, Problem, Problems, nearest};

use serde_json::{Value as Json, json};

use cursor::{Cursor, describe};
use form::choice;
use notes::Notes;
use tree::Node;

use crate::scenario::arrival::Making;
use crate::scenario::{
    Autoscaler, Cause, Client, Demand, Fact, FitPair, Investment, Market, Policy, Region, Rules,
    Scenario, Slo, Work,
};

/// A scenario as text.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Name, as errors show it.
    pub name: &'a str,
    /// The TOML.
    pub text: &'a str,
}

/// What the command line changes in a scenario.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `path=value` of each `--set`, in order; the last one wins.
    pub sets: Vec<String>,
    /// Instead of `scenario.seed`.
    pub seed: Option<u64>,
    /// Instead of `scenario.scale`.
    pub scale: Option<f64>,
    /// Instead of `scenario.replications`, as it was written.
    pub replications: Option<String>,
    /// Instead of `scenario.target_ci`, as it was written.
    pub target_ci: Option<String>,
    /// Instead of `scenario.target_metric`.
    pub target_metric: Option<String>,
    /// A device profile whose iteration times take the place of those of the scenario's profiles.
    pub measured: Option<Measured>,
}

/// Gives the bytes of a file that a scenario names, or says why it cannot.
pub type Files<'a> = dyn Fn(&str) -> Result<Vec<u8>, String> + 'a;

/// Reads and checks a scenario.
///
/// # Errors
///
/// Everything that is wrong with the text and the settings, at once.
pub fn read(
    source: Source<'_>,
    settings: &Settings,
    files: &Files<'_>,
) -> Result<Scenario, Problems> {
    let tree = tree_of(source, settings)?;
    let notes = Notes::default();
    let file_stem = file_stem(source.name);
    let mut root = Cursor::root(&tree, &notes);
    let (sections, world) = sections(&mut root, &file_stem, files);
    root.finish();
    let scenario = match notes.is_clean() {
        true => assemble(&notes, &tree, sections, &world, settings.measured.as_ref()),
        false => None,
    };
    let (problems, inputs) = notes.into_parts();
    match scenario {
        Some(scenario) if problems.is_empty() => Ok(Scenario { inputs, ..scenario }),
        _ => Err(Problems(problems)),
    }
}

/// The JSON Schema (draft 2020-12) of the language.
///
/// A file that extends a scenario states only what is different, so the keys that a whole scenario
/// needs are required only of a file that extends none.
#[must_use]
pub fn json_schema() -> Json {
    let nothing = |_: &str| Err(String::new());
    let (whole, ()) = describe(|root| {
        sections(root, "", &nothing);
    });
    let mut schema = partial(&whole);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("A meltpoint scenario");
    schema["if"] = json!({ "not": { "required": ["extends"] } });
    schema["then"] = whole;
    schema
}

/// A schema of parts of what `schema` describes: nothing is required.
fn partial(schema: &Json) -> Json {
    match schema {
        Json::Object(keywords) => {
            let needed = keywords.iter().filter(|(keyword, value)| {
                // A key of the language may be called "required"; a keyword of that name is a list.
                *keyword != "required" || !value.is_array()
            });
            let parts = needed.map(|(keyword, value)| {
                // Without what is required, more than one variant may fit.
                let keyword = match (keyword.as_str(), value) {
                    ("oneOf", Json::Array(_)) => "anyOf",
                    (keyword, _) => keyword,
                };
                (keyword.to_owned(), partial(value))
            });
            Json::Object(parts.collect())
        }
        Json::Array(values) => values.iter().map(partial).collect(),
        plain => plain.clone(),
    }
}

/// The effective tree: what the file extends, below the file, below the flags.
fn tree_of(source: Source<'_>, settings: &Settings) -> Result<Node, Problems> {
    let mut tree = with_base(source, EMBEDDED.len()).map_err(|problem| Problems(vec![problem]))?;
    failures::add_published(&mut tree, &settings.sets);
    let own = |flag: &'static str, path: &str, value: Option<String>| {
        value.map(|value| (flag, format!("scenario.{path}={value}")))
    };
    let own_flags = [
        own("--seed", "seed", settings.seed.map(|seed| seed.to_string())),
        own(
            "--scale",
            "scale",
            settings.scale.map(|scale| scale.to_string()),
        ),
        own(
            "--replications",
            "replications",
            settings.replications.clone(),
        ),
        own("--target-ci", "target_ci", settings.target_ci.clone()),
        own(
            "--target-metric",
            "target_metric",
            settings.target_metric.clone(),
        ),
    ];
    let sets = settings.sets.iter().map(|set| ("--set", set.clone()));
    let problems: Vec<Problem> = sets
        .chain(own_flags.into_iter().flatten())
        .filter_map(|(flag, assignment)| tree::set_flag(&mut tree, flag, &assignment).err())
        .collect();
    match problems.is_empty() {
        true => Ok(tree),
        false => Err(Problems(problems)),
    }
}

/// A scenario's tree upon that of the embedded scenario it extends, at most `depth` deep.
fn with_base(source: Source<'_>, depth: usize) -> Result<Node, Problem> {
    let over = tree::parse(source.name, source.text)?;
    let extends = over.table().and_then(|table| table.entries.get("extends"));
    let base = extends.and_then(|entry| match &entry.node.value {
        tree::Value::Text(name) => embedded(name),
        _ => None,
    });
    // An unknown name is left for the cursor, which says what is allowed.
    let (Some(base), Some(depth)) = (base, depth.checked_sub(1)) else {
        return Ok(over);
    };
    let mut tree = with_base(base, depth)?;
    tree::forget(&mut tree, &["scenario", "name"]);
    tree::forget(&mut tree, &["extends"]);
    tree::merge(&mut tree, over);
    Ok(tree)
}

/// The name of a scenario whose text gives none: its file's, with `-` for what no name may hold.
fn file_stem(file: &str) -> String {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = name.strip_suffix(".toml").unwrap_or(name);
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let stem: String = stem
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .take(100)
        .collect();
    match form::check_name(&stem) {
        Ok(()) => stem,
        Err(_) => "scenario".to_owned(),
    }
}

/// What the sections need to know of each other: the clock, the scale, and the names.
struct World<'a> {
    start_unix_s: i64,
    horizon_s: f64,
    scale: f64,
    files: &'a Files<'a>,
    regions: Vec<String>,
    clients: Vec<String>,
    tiers: Vec<String>,
    works: Vec<String>,
    profiles: Vec<String>,
    clusters: Vec<String>,
    facts: Vec<String>,
    failures: Vec<String>,
}

/// What the sections say, each for itself.
struct Sections {
    general: general::General,
    regions: Vec<Region>,
    clients: Vec<Client>,
    tiers: Vec<people::TierParts>,
    works: Vec<Work>,
    demands: Vec<Demand>,
    profiles: Vec<supply::ProfileParts>,
    clusters: Vec<supply::ClusterParts>,
    chunks: Vec<supply::ChunkParts>,
    suppliers: Vec<orders::SupplierParts>,
    failures: Vec<Vec<Cause>>,
    autoscalers: Vec<Autoscaler>,
    policy: Policy,
    interventions: Vec<timeline::Intervention>,
    slos: Vec<Slo>,
    market: Option<Market>,
    investment: Option<Investment>,
    facts: Vec<Fact>,
    fit: Vec<FitPair>,
}

/// The whole language, section by section.
fn sections<'a>(
    root: &mut Cursor<'_>,
    file_stem: &str,
    files: &'a Files<'a>,
) -> (Sections, World<'a>) {
    let embedded = EMBEDDED.map(|(name, _)| (name, ()));
    let doc = "An embedded scenario, of which this file states only what is different.";
    root.optional("extends", doc, choice(&embedded));
    let general = general::read(root, file_stem);
    let world = World {
        start_unix_s: general.start_unix_s,
        horizon_s: general.horizon.as_s(),
        scale: general.scale,
        files,
        regions: root.names("region"),
        clients: root.names("client"),
        tiers: root.names("tier"),
        works: root.names("work"),
        profiles: root.names("profile"),
        clusters: root.names("cluster"),
        facts: root.names("fact"),
        failures: root.names("failures"),
    };
    let sections = Sections {
        general,
        regions: regions::regions(root, &world),
        clients: people::clients(root),
        tiers: people::tiers(root, &world),
        works: works::works(root),
        demands: demands::demands(root, &world),
        profiles: supply::profiles(root),
        clusters: supply::clusters(root, &world),
        chunks: supply::chunks(root, &world),
        suppliers: orders::suppliers(root),
        failures: failures::tables(root),
        autoscalers: elastic::autoscalers(root, &world),
        policy: policies::policy(root, &world),
        interventions: timeline::interventions(root, &world),
        slos: goals::slos(root, &world),
        market: goals::market(root, &world),
        investment: investments::investment(root, &world),
        facts: goals::facts(root),
        fit: goals::fit(root, &world),
    };
    (sections, world)
}

/// Puts the sections together and checks what must hold between them.
fn assemble(
    notes: &Notes,
    tree: &Node,
    mut sections: Sections,
    world: &World<'_>,
    measured: Option<&Measured>,
) -> Option<Scenario> {
    let unused = unused(&sections, world);
    let measured = measured.map(|measured| measured::apply(notes, measured, &mut sections));
    let general = sections.general;
    let tiers = sections.tiers.iter();
    let first = Rules {
        tiers: tiers.map(|tier| tier.rules.clone()).collect(),
        policy: sections.policy,
    };
    let rules = timeline::rules_over_time(notes, tree, &sections.interventions, first, world);
    let catalog = catalog::catalog(notes, general.catalog.as_deref(), world);
    let chunks = catalog::priced(notes, &catalog, sections.chunks);
    let (profiles, clusters) = (&sections.profiles, &sections.clusters);
    let supply = supply::build(
        notes,
        world.scale,
        profiles,
        clusters,
        chunks,
        (&sections.autoscalers, &sections.failures),
    );
    let suppliers = orders::known(notes, &catalog, sections.suppliers, world.scale);
    if !notes.is_clean() {
        return None;
    }
    let tiers = sections
        .tiers
        .iter()
        .map(|tier| tier.tier(&sections.clients))
        .collect();
    let mut scenario = Scenario {
        tiers,
        works: sections.works,
        demands: sections.demands,
        regions: sections.regions,
        clusters: supply.clusters,
        autoscalers: sections.autoscalers,
        chunks: supply.chunks,
        suppliers,
        rules,
        slos: sections.slos,
        market: sections.market,
        investment: sections.investment,
        facts: sections.facts,
        fit: sections.fit,
        ..general.scenario()
    };
    deliver(notes, &mut scenario, supply.pools, &sections.interventions);
    scenario.warnings = checks::warnings(&scenario, unused);
    scenario
        .warnings
        .extend(scaled::warnings(&scenario, supply.rounding));
    scenario.warnings.extend(measured.into_iter().flatten());
    Some(scenario)
}

/// Lets the chunks arrive in pools, and checks the whole. It is judged by what is expected, so that no seed
/// makes a scenario invalid.
fn deliver(
    notes: &Notes,
    scenario: &mut Scenario,
    pools: Vec<Making>,
    interventions: &[timeline::Intervention],
) {
    scenario.set_up_pools(pools);
    scenario.outages = timeline::outages(interventions, &scenario.clusters, &scenario.pools);
    checks::check(notes, scenario);
    scenario.arrive_in(0);
    scenario.timeline = timeline::in_words(interventions, &scenario.chunks, scenario.horizon);
}

/// The tables to which nothing refers.
fn unused(sections: &Sections, world: &World<'_>) -> Vec<String> {
    let mut unused = Vec::new();
    let mut note = |kind: &str, names: &[String], used: &dyn Fn(usize) -> bool| {
        let names = names.iter().enumerate().filter(|(index, _)| !used(*index));
        unused.extend(names.map(|(_, name)| format!("{kind}.{name}")));
    };
    let (demands, clusters) = (&sections.demands, &sections.clusters);
    note("client", &world.clients, &|i| {
        sections.tiers.iter().any(|tier| tier.client == i)
    });
    note("tier", &world.tiers, &|i| {
        demands.iter().any(|demand| demand.tier == i)
    });
    note("work", &world.works, &|i| {
        demands.iter().any(|demand| demand.work == i)
    });
    let suppliers: Vec<String> = sections.suppliers.iter().map(|s| s.table.clone()).collect();
    note("supplier", &suppliers, &|i| {
        let name = sections.suppliers[i].name.as_str();
        sections.chunks.iter().any(|chunk| chunk.provider() == name)
    });
    note("profile", &world.profiles, &|i| {
        clusters.iter().any(|c| c.has_profile(i))
    });
    note("region", &world.regions, &|i| {
        demands.iter().any(|demand| demand.region == i) || clusters.iter().any(|c| c.region() == i)
    });
    unused
}
