//! How a cluster is divided: `[cluster.name.partition]` and `[cluster.name.moves]`.

use serde_json::{Value as Json, json};

use super::World;
use super::cursor::Cursor;
use super::elastic::{StartUpForm, WrittenStartUp, scaled};
use super::form::{Flag, Form, list, or_word, reference, some, whole, whole_u32};
use super::notes::{Notes, Spot};
use super::quantity::{duration, positive_duration, seconds, share};
use super::tree::Value;
use crate::scenario::{
    Autoscaler, Cluster, Division, Minimum, Moves, Partition, Scenario, Training,
};

/// Most partitions of a cluster.
const MOST_PARTITIONS: usize = 1000;
/// Most GPUs of a unit.
const UNIT_MOST: u32 = 1_000_000;
/// Most units that a decision may move.
const MOST_UNITS: u32 = 100_000_000;

/// A partition before its cluster has said what holds where it says nothing.
pub(super) struct PartitionParts {
    pub(super) name: String,
    pub(super) profile: Option<usize>,
    pub(super) batch_limit: Option<u32>,
    pub(super) serves: Option<Vec<bool>>,
    pub(super) start_up: Option<WrittenStartUp>,
    share: f64,
    minimum: Option<Minimum>,
    training: Option<Training>,
}

/// The partitions of a cluster, and what moves units between them.
#[derive(Default)]
pub(super) struct DivisionParts {
    pub(super) partitions: Vec<PartitionParts>,
    moves: Option<Moves>,
}

/// `"64 GPUs"`, or `"10 %"` of what the cluster has.
struct MinimumForm;

impl Form for MinimumForm {
    type Out = Minimum;
    fn read(&self, spot: &Spot<'_>) -> Option<Minimum> {
        match &spot.node.value {
            Value::Text(text) if text.trim_end().ends_with('%') => {
                share().read(spot).map(Minimum::Share)
            }
            _ => gpus().read(spot).map(Minimum::Gpus),
        }
    }
    fn placeholder(&self) -> Minimum {
        Minimum::Gpus(0)
    }
    fn schema(&self) -> Json {
        json!({ "anyOf": [gpus().schema(), share().schema()] })
    }
    fn example(&self) -> String {
        "\"64 GPUs\", or \"10 %\" of what its cluster has".to_owned()
    }
}

fn gpus() -> impl Form<Out = u64> {
    whole("GPUs", 0, 10_000_000_000)
}

impl PartitionParts {
    /// Whether it serves, rather than trains.
    pub(super) fn serves_somebody(&self) -> bool {
        self.training.is_none()
    }
}

/// Reads both tables of a cluster.
pub(super) fn division(at: &mut Cursor<'_>, world: &World<'_>) -> DivisionParts {
    let doc = "What a product has of the cluster: its own pool, with its own profile.";
    let partitions = at.keyed("partition", doc, |name, at| partition(name, at, world));
    let partitions: Vec<PartitionParts> = partitions.into_iter().map(|entry| entry.1).collect();
    let doc =
        "Moves GPUs between the partitions, in proportion to the load that is offered to each.";
    let moves = at.optional_section("moves", doc, |at| moves(at, world.scale));
    let parts = DivisionParts {
        partitions,
        moves: moves.flatten(),
    };
    parts.check(at);
    parts
}

fn partition(name: &str, at: &mut Cursor<'_>, world: &World<'_>) -> PartitionParts {
    at.annotated();
    let doc = "The works that its replicas can do; by default those of its cluster.";
    let works = list(reference("work", &world.works), 1, 1000);
    let serves = at.optional("serves", doc, works).map(|some| {
        (0..world.works.len())
            .map(|work| some.contains(&work))
            .collect()
    });
    let doc = "What its replicas can do; by default as its cluster says.";
    let profile = at.optional("profile", doc, reference("profile", &world.profiles));
    let doc = "Most requests in one batch of its replicas; by default as its cluster says.";
    let batch = whole_u32("requests", 1, super::supply::BATCH_LIMIT);
    let batch_limit = at.optional("batch_limit", doc, batch);
    let doc = "Time from a unit to its replicas; by default as its cluster says.";
    let start_up = at.optional("start_up", doc, StartUpForm);
    let doc = "Weight of its part of what is delivered.";
    let weight = at.default("share", doc, share().within(0.0, 1e6), "1");
    let doc = "What it keeps, in GPUs or as a share of all; who serves keeps one unit at least.";
    let minimum = at.optional("minimum", doc, MinimumForm);
    let doc = "Whether it serves nobody, but trains, with every unit that it holds.";
    let trains = at.default("trains", doc, Flag, "false");
    PartitionParts {
        name: name.to_owned(),
        profile,
        batch_limit,
        serves,
        start_up,
        share: weight,
        minimum,
        training: training(at, trains),
    }
}

fn training(at: &mut Cursor<'_>, trains: bool) -> Option<Training> {
    let every_doc = "How often the state of the training is kept; 30min where it is not said.";
    let checkpoint_every = at.optional("checkpoint_every", every_doc, positive_duration());
    let restart_doc = "How long all of the training stands still when it gets or loses units.";
    let restart = at.optional("restart", restart_doc, duration());
    let of_serving = ["serves", "profile", "batch_limit", "start_up"];
    let wrong: &[&str] = match trains {
        true => &of_serving,
        false => &["checkpoint_every", "restart"],
    };
    for key in wrong.iter().filter(|key| at.has(key)) {
        let (message, hint) = match trains {
            true => (
                "stands beside `trains`",
                "leave it out: who trains serves nobody",
            ),
            false => (
                "needs `trains = true`",
                "add `trains = true`, or leave it out",
            ),
        };
        at.problem(key, message, hint);
    }
    let half_hour = crate::units::SimDuration::from_s(1800.0);
    trains.then(|| Training {
        checkpoint_every: checkpoint_every.unwrap_or(half_hour),
        restart: restart.unwrap_or_default(),
    })
}

/// `None`: it never decides.
fn moves(at: &mut Cursor<'_>, scale: f64) -> Option<Moves> {
    at.annotated();
    let doc = "How often it decides; \"never\": nothing moves.";
    let every = at.default(
        "every",
        doc,
        or_word("never", None, some(positive_duration())),
        "1min",
    );
    let doc = "Over how long it measures; by default from one decision to the next.";
    let window = at.optional("window", doc, positive_duration());
    let doc = "How old what it measures is.";
    let reaction = at.default("reaction", doc, duration(), "0s");
    let doc = "Most units that one decision moves, or \"none\".";
    let limit = or_word("none", u32::MAX, whole_u32("units", 1, MOST_UNITS));
    let step = at.default("step", doc, limit, "none");
    let doc =
        "Nothing moves while no partition lacks or exceeds more than this share of what it has.";
    let tolerance = at.default("tolerance", doc, share(), "10 %");
    let doc = "Nothing moves so soon after the last move.";
    let cool_down = at.default("cool_down", doc, duration(), "0s");
    let doc = "In what time what waits is to be worked off beside the load; \"none\": it is not looked at.";
    let within = or_word("none", None, some(seconds().positive()));
    let backlog_within_s = at.default("backlog_within", doc, within, "none");
    let doc =
        "The load that a unit is to have, 100 %: its batches are always full; the rest trains.";
    let target = at.default("target", doc, share().within(0.01, 10.0), "85 %");
    let every = every?;
    Some(Moves {
        every,
        window: window.unwrap_or(every),
        reaction,
        step: match step {
            u32::MAX => step,
            step => scaled(step, scale),
        },
        tolerance,
        cool_down,
        backlog_within_s,
        target,
    })
}

impl DivisionParts {
    /// Whether the cluster is divided.
    pub(super) fn divides(&self) -> bool {
        !self.partitions.is_empty()
    }

    /// Whether replicas of the cluster start one by one, given what it says of start-ups itself.
    pub(super) fn starts_singly(&self, start_up: &WrittenStartUp) -> bool {
        let has_parts = |part: &PartitionParts| {
            let start_up = part.start_up.as_ref().unwrap_or(start_up);
            part.training.is_none() && matches!(start_up, WrittenStartUp::Parts(_))
        };
        self.divides() && (self.moves.is_some() || self.partitions.iter().any(has_parts))
    }

    /// Those who serve, with their numbers.
    pub(super) fn serving(&self) -> impl Iterator<Item = (usize, &PartitionParts)> {
        let all = self.partitions.iter().enumerate();
        all.filter(|(_, part)| part.training.is_none())
    }

    /// The division, in units of so many GPUs; `start_up` is what the cluster says of start-ups itself.
    pub(super) fn build(
        &self,
        unit_gpus: u32,
        replicas_gpus: &[u32],
        start_up: &WrittenStartUp,
        scale: f64,
    ) -> Option<Division> {
        let mut gpus = replicas_gpus.iter();
        let partition = |part: &PartitionParts| {
            let each = match part.training {
                Some(_) => unit_gpus,
                None => gpus.next().copied().unwrap_or(unit_gpus),
            };
            let least = match part.minimum.unwrap_or(Minimum::Gpus(0)) {
                Minimum::Gpus(gpus) => Minimum::Gpus((gpus as f64 * scale).round() as u64),
                share @ Minimum::Share(_) => share,
            };
            Partition {
                name: part.name.clone(),
                share: part.share,
                minimum: least,
                pool: None,
                replicas_per_unit: unit_gpus / each,
                start_up: part.start_up.as_ref().unwrap_or(start_up).parts(scale),
                training: part.training,
                deliveries: Vec::new(),
            }
        };
        let partitions: Vec<Partition> = self.partitions.iter().map(partition).collect();
        self.divides().then_some(Division {
            unit_gpus,
            partitions,
            moves: self.moves,
        })
    }

    /// What is wrong with it by itself.
    fn check(&self, at: &Cursor<'_>) {
        if self.moves.is_some() && !self.divides() {
            let hint = "add a table `[cluster.name.partition.name]` for each product";
            at.problem("moves", "stands without partitions", hint);
        }
        if !self.divides() {
            return;
        }
        if at.has("pools") {
            let hint = "leave it out: each partition is a pool";
            at.problem("pools", "stands beside `partition`", hint);
        }
        let trains = self
            .partitions
            .iter()
            .filter(|part| part.training.is_some());
        if trains.count() > 1 {
            at.problem(
                "partition",
                "has more than one that trains",
                "put them into one",
            );
        }
        if self.serving().next().is_none() {
            at.problem(
                "partition",
                "has none that serves",
                "add one without `trains`",
            );
        }
        if self.partitions.len() > MOST_PARTITIONS {
            let message = format!("has more than {MOST_PARTITIONS}");
            at.problem("partition", &message, "put some together");
        }
        if self.partitions.iter().all(|part| part.share <= 0.0) {
            at.problem("partition", "has no share above 0", "give one a `share`");
        }
        let shares = self.partitions.iter().map(|part| match part.minimum {
            Some(Minimum::Share(share)) => share,
            _ => 0.0,
        });
        let sum: f64 = shares.sum();
        if sum > 1.0 + 1e-9 {
            let message = format!("keeps {:.0} % of the cluster by `minimum`", 100.0 * sum);
            at.problem("partition", &message, "lower `minimum` of some");
        }
    }
}

/// The least common multiple of what replicas take; `None` where it is too large for a unit.
pub(super) fn unit_gpus(replicas_gpus: &[u32]) -> Option<u32> {
    let unit = replicas_gpus.iter().try_fold(1_u64, |unit, &gpus| {
        let gpus = u64::from(gpus.max(1));
        let unit = unit / greatest_divisor(unit, gpus) * gpus;
        (unit <= u64::from(UNIT_MOST)).then_some(unit)
    });
    unit.map(|unit| unit as u32)
}

/// The replicas of a cluster fit into no unit.
pub(super) fn refuse_unit(notes: &Notes, cluster: &str) {
    let message = format!(
        "the least common multiple of the GPUs of replicas in `cluster.{cluster}` is above {UNIT_MOST}"
    );
    let hint = "let one `gpus_per_replica` be a multiple of the others";
    notes.problem_at(&format!("cluster.{cluster}.partition"), message, hint);
}

fn greatest_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// What must hold between divisions and the rest.
pub(super) fn check(notes: &Notes, scenario: &Scenario) {
    /// Most decisions of a run: each ends a window.
    const MOST_DECISIONS: f64 = 1e8;
    for (index, cluster) in scenario.clusters.iter().enumerate() {
        let Some(division) = &cluster.division else {
            continue;
        };
        let path = format!("cluster.{}", cluster.name);
        let scales = |scaler: &&Autoscaler| scaler.clusters.contains(&index);
        if let Some(scaler) = scenario.autoscalers.iter().find(scales) {
            let message = format!(
                "`{path}` is divided, and `autoscaler.{}` scales it",
                scaler.name
            );
            let hint = "leave one of the two out: the partitions hold all GPUs of the cluster";
            notes.problem_at(
                &format!("autoscaler.{}.clusters", scaler.name),
                message,
                hint,
            );
        }
        failing(notes, cluster, division);
        enough(notes, cluster, division);
        same_link(notes, cluster, division);
        let off = scenario
            .pools
            .iter()
            .any(|pool| pool.cluster == index && pool.set_up.is_some());
        let Some(moves) = &division.moves else {
            continue;
        };
        if off {
            let message =
                format!("`{path}` turns idle replicas off (`set_up`), and moves replicas");
            let hint = "leave one of the two out: each decides which replicas are on";
            notes.problem_at(&format!("{path}.set_up"), message, hint);
        }
        if scenario.horizon.as_s() / moves.every.as_s() > MOST_DECISIONS {
            let message =
                format!("`{path}.moves.every` makes more than {MOST_DECISIONS:.0} decisions");
            let hint = "decide less often, or let the scenario last shorter";
            notes.problem_at(&format!("{path}.moves.every"), message, hint);
        }
    }
}

/// What fails is a place, and only of a fixed division is it known whose replica stands there.
fn failing(notes: &Notes, cluster: &Cluster, division: &Division) {
    if cluster.reliability.is_none() {
        return;
    }
    let parts = || division.partitions.iter();
    let what = if division.moves.is_some() {
        "moves replicas"
    } else if parts().any(|part| part.training.is_some()) {
        "trains"
    } else if parts().any(|part| part.replicas_per_unit > 1) {
        "has replicas of different sizes"
    } else {
        return;
    };
    let message = format!(
        "`cluster.{}` is divided and {what}, and fails",
        cluster.name
    );
    let hint = "leave out its failures and maintenance, or divide it into equal replicas that stay";
    notes.problem_at(&format!("cluster.{}.failures", cluster.name), message, hint);
}

/// Each who serves begins with a unit.
fn enough(notes: &Notes, cluster: &Cluster, division: &Division) {
    let first = division.partitions.iter().flat_map(|part| &part.deliveries);
    let first = first.clone().map(|entry| entry.0).min();
    let serving = division
        .partitions
        .iter()
        .filter(|part| part.training.is_none());
    let without = serving.filter(|part| part.deliveries.first().map(|entry| entry.0) != first);
    let names: Vec<&str> = without.map(|part| part.name.as_str()).collect();
    if first.is_some() && !names.is_empty() {
        let message = format!(
            "the first delivery to `cluster.{}` has too few units of {} GPUs for its partition \"{}\"",
            cluster.name, division.unit_gpus, names[0]
        );
        let hint =
            "deliver more at first, lower `minimum` of others, or simulate at a larger scale";
        notes.problem_at(
            &format!("cluster.{}.partition", cluster.name),
            message,
            hint,
        );
    }
}

/// Who loads weights does it over one link.
fn same_link(notes: &Notes, cluster: &Cluster, division: &Division) {
    let serving = division
        .partitions
        .iter()
        .filter(|part| part.training.is_none());
    let mut links = serving
        .filter(|part| part.start_up.weights_bytes > 0)
        .map(|part| {
            (
                part,
                [part.start_up.bytes_per_s, part.start_up.site_bytes_per_s],
            )
        });
    let Some((first, link)) = links.next() else {
        return;
    };
    if let Some((other, _)) = links.find(|entry| entry.1 != link) {
        let message = format!(
            "the partitions \"{}\" and \"{}\" of `cluster.{}` load weights with other bandwidths",
            first.name, other.name, cluster.name
        );
        let hint = "give both the same `load_bandwidth` and `site_bandwidth`: they share one link";
        notes.problem_at(
            &format!("cluster.{}.partition", cluster.name),
            message,
            hint,
        );
    }
}

/// What may be doubted about divisions.
pub(super) fn warnings(scenario: &Scenario) -> Vec<String> {
    let mut warnings = Vec::new();
    for cluster in &scenario.clusters {
        let Some(division) = &cluster.division else {
            continue;
        };
        let units = |part: &Partition| part.deliveries.iter().map(|entry| entry.1).sum::<u32>();
        let all = division.partitions.iter().map(units).sum::<u32>();
        let least: u64 = division
            .least(all)
            .iter()
            .map(|&least| u64::from(least))
            .sum();
        if all > 0 && least > u64::from(all) {
            warnings.push(format!(
                "the partitions of `[cluster.{}]` keep {least} units by `minimum`, but it has {all}",
                cluster.name
            ));
        }
    }
    warnings
}
