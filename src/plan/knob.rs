//! What is varied: a whole number of the scenario, in steps that change the fleet by one replica.

use crate::profile::DeviceProfile;
use crate::scenario::{Chunk, Input, Scenario, nearest};
use crate::units::SimDuration;

/// A whole number of the scenario and how it grows.
///
/// A *size* counts steps: replicas that are simulated for the GPUs of a chunk and the replicas of a
/// cluster, the number itself for everything else.
#[derive(Clone, Debug, PartialEq)]
pub struct Knob {
    /// Dotted path: `chunk.borrowed.gpus`.
    pub path: String,
    /// Unit of its values, for people.
    pub unit: String,
    /// Why it is this one.
    pub why: String,
    /// Its value in the scenario.
    pub present: u64,
    /// What stands after the number in the scenario.
    suffix: String,
    /// Value of one step, before scaling.
    step: u64,
    /// Simulated steps for each of the story, at most 1: of a larger story each step is still one.
    scale: f64,
    /// The setting that takes it away altogether; `None`: it cannot be 0.
    none: Option<String>,
}

/// What cannot be varied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotVariable {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Knob {
    /// What `path` names, or else the GPUs of the chunk delivered last, or else the replicas of the only
    /// cluster.
    ///
    /// # Errors
    /// There is no such value, it is no whole number, or nothing can be chosen.
    pub fn find(scenario: &Scenario, path: Option<&str>) -> Result<Self, NotVariable> {
        let (path, why) = match path {
            Some(path) => (path.to_owned(), "as asked for".to_owned()),
            None => chosen(scenario)?,
        };
        let input = scenario.inputs.iter().find(|input| input.path == path);
        let input = input.ok_or_else(|| unknown(scenario, &path))?;
        let (present, suffix) = split(input)?;
        let plain = Self {
            unit: suffix.trim().to_owned(),
            path,
            why,
            present,
            suffix,
            step: 1,
            scale: 1.0,
            none: None,
        };
        let parts: Vec<&str> = plain.path.split('.').collect();
        Ok(match parts.as_slice() {
            ["chunk", name, "gpus"] => match scenario.chunks.iter().find(|c| c.name == *name) {
                Some(chunk) => Self {
                    unit: "GPUs".to_owned(),
                    step: gpus_per_replica(scenario, chunk),
                    scale: scenario.scale.min(1.0),
                    none: without(scenario, chunk),
                    ..plain
                },
                None => plain,
            },
            ["cluster", _, "replicas"] => Self {
                unit: "replicas".to_owned(),
                scale: scenario.scale.min(1.0),
                ..plain
            },
            _ => plain,
        })
    }

    /// A number that is what it is: value and size are the same.
    #[must_use]
    pub fn plain(path: &str, unit: &str, present: u64) -> Self {
        Self {
            path: path.to_owned(),
            unit: unit.to_owned(),
            why: "as asked for".to_owned(),
            present,
            suffix: String::new(),
            step: 1,
            scale: 1.0,
            none: None,
        }
    }

    /// The least size that the scenario language allows.
    #[must_use]
    pub fn least(&self) -> u64 {
        u64::from(self.none.is_none())
    }

    /// The value of a size.
    #[must_use]
    pub fn value(&self, size: u64) -> u64 {
        // So many replicas of the story are one that is simulated.
        self.step
            .saturating_mul((size as f64 / self.scale).round() as u64)
    }

    /// The smallest size whose value is at least this.
    #[must_use]
    pub fn size_at_least(&self, value: u64) -> u64 {
        let below = self.size_at_most(value);
        below + u64::from(self.value(below) < value)
    }

    /// The largest size whose value is at most this.
    #[must_use]
    pub fn size_at_most(&self, value: u64) -> u64 {
        let mut size = (value as f64 / self.step as f64 * self.scale).ceil() as u64;
        while size > 0 && self.value(size) > value {
            size -= 1;
        }
        size
    }

    /// What a flag sets for a size.
    #[must_use]
    pub fn setting(&self, size: u64) -> String {
        match (&self.none, size) {
            (Some(none), 0) => none.clone(),
            _ => {
                let value = self.value(size);
                match self.suffix.as_str() {
                    "" => format!("{}={value}", self.path),
                    suffix => format!("{}=\"{value}{suffix}\"", self.path),
                }
            }
        }
    }
}

/// The chunk delivered last, or the only cluster.
fn chosen(scenario: &Scenario) -> Result<(String, String), NotVariable> {
    let last = scenario.chunks.iter().max_by_key(|chunk| chunk.delivered);
    if let Some(chunk) = last {
        let why = match (scenario.chunks.len(), chunk.delivered.0) {
            (1, _) => "the only chunk".to_owned(),
            (_, 0) => "of the chunks, all there from the start, the last by name".to_owned(),
            (_, ns) => format!(
                "the chunk delivered last, {} after the start",
                SimDuration(ns)
            ),
        };
        return Ok((format!("chunk.{}.gpus", chunk.name), why));
    }
    if let [cluster] = scenario.clusters.as_slice() {
        let path = format!("cluster.{}.replicas", cluster.name);
        return Ok((path, "the only cluster".to_owned()));
    }
    let paths: Vec<String> = scenario
        .clusters
        .iter()
        .map(|cluster| format!("cluster.{}.replicas", cluster.name))
        .collect();
    Err(NotVariable {
        message: format!(
            "scenario `{}` has no chunk and {} clusters: it does not say what to vary",
            scenario.name,
            paths.len()
        ),
        hint: format!("choose one with --vary: {}", paths.join(", ")),
    })
}

fn unknown(scenario: &Scenario, path: &str) -> NotVariable {
    let paths = scenario.inputs.iter().map(|input| input.path.as_str());
    let near = nearest(path, paths).map(|near| format!("did you mean `{near}`? "));
    let shown: String = path.chars().take(100).filter(|c| !c.is_control()).collect();
    NotVariable {
        message: format!("`{shown}` is no value of scenario `{}`", scenario.name),
        hint: format!(
            "{}`meltpoint config show` lists all values",
            near.unwrap_or_default()
        ),
    }
}

/// The whole number of an input, and what stands after it.
fn split(input: &Input) -> Result<(u64, String), NotVariable> {
    let text = input.value.trim().trim_matches('"');
    let is_number = |c: char| c.is_ascii_digit() || c == '_';
    let end = text.find(|c| !is_number(c)).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    match number.replace('_', "").parse::<u64>() {
        Ok(number) if !suffix.starts_with(['.', 'e', 'E', '-']) => Ok((number, suffix.to_owned())),
        _ => Err(NotVariable {
            message: format!(
                "`{}` is {}, which is no whole number",
                input.path, input.value
            ),
            hint: "vary the GPUs of a chunk, the replicas of a cluster, or another whole number"
                .to_owned(),
        }),
    }
}

/// GPUs of a replica that a chunk makes, or of a unit where its cluster is divided.
fn gpus_per_replica(scenario: &Scenario, chunk: &Chunk) -> u64 {
    if let Some(division) = &scenario.clusters[chunk.cluster].division {
        return u64::from(division.unit_gpus);
    }
    let pools = scenario.pools.iter();
    let profile: Option<&DeviceProfile> = pools
        .filter(|pool| pool.cluster == chunk.cluster)
        .map(|pool| &pool.profile)
        .next();
    profile.map_or(1, |profile| u64::from(profile.gpus_per_replica))
}

/// The setting with which the chunk never comes: delivered after the end. `None` where nothing else
/// serves, for a fleet without any replica is no scenario.
fn without(scenario: &Scenario, chunk: &Chunk) -> Option<String> {
    let others = scenario
        .chunks
        .iter()
        .any(|other| other.name != chunk.name && other.delivered.0 < scenario.horizon.0);
    let free = scenario
        .inputs
        .iter()
        .any(|input| input.path.starts_with("cluster.") && input.path.ends_with(".replicas"));
    let after_s = scenario.horizon.as_s().ceil() + 1.0;
    let key = match chunk.order.ordered_s {
        Some(_) => "ordered",
        None => "delivered",
    };
    (others || free).then(|| format!("chunk.{}.{key}=\"{after_s}s\"", chunk.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Law;
    use crate::scenario::{Arrived, Order};
    use crate::units::SimTime;

    #[test]
    fn a_chunk_never_comes_if_it_is_ordered_after_the_end() {
        let mut scenario = Scenario::textbook(1.0, Law::Constant { value: 1.0 }, 1, 100.0);
        let chunk = |name: &str, order: Order| Chunk {
            name: name.into(),
            gpus: 1,
            accelerator: "any".into(),
            vendor: String::new(),
            provider: String::new(),
            term: String::new(),
            cluster: 0,
            delivered: SimTime::ZERO,
            order,
            arrived: Arrived::default(),
            replicas: 1,
            gpus_per_replica: 1,
            usd_per_gpu_hour: 1.0,
            contract: None,
            network_usd_per_gpu_hour: 0.0,
            staff_usd_per_gpu_hour: 0.0,
            purchase_usd_per_gpu: None,
            busy_w_per_gpu: 0.0,
            idle_w_per_gpu: 0.0,
        };
        let fixed = Order::on(SimTime::ZERO);
        let ordered = Order {
            ordered_s: Some(5.0),
            ..fixed.clone()
        };
        scenario.chunks = vec![chunk("fixed", fixed), chunk("ordered", ordered)];
        let never = |index: usize| without(&scenario, &scenario.chunks[index]);
        assert_eq!(never(0).as_deref(), Some("chunk.fixed.delivered=\"101s\""));
        assert_eq!(never(1).as_deref(), Some("chunk.ordered.ordered=\"101s\""));
    }

    fn knob(step: u64, scale: f64) -> Knob {
        Knob {
            step,
            scale,
            none: Some("chunk.x.delivered=\"9s\"".into()),
            ..Knob::plain("chunk.x.gpus", "GPUs", 100)
        }
    }

    #[test]
    fn a_size_is_so_many_simulated_replicas_whatever_the_scale() {
        for scale in [1.0, 0.7, 0.3, 0.01, 0.000_7] {
            let knob = knob(8, scale);
            for size in 1..200_u64 {
                let replicas = (knob.value(size) / 8) as f64;
                assert_eq!((replicas * scale).round() as u64, size, "scale {scale}");
                assert_eq!(knob.size_at_least(knob.value(size)), size);
                assert_eq!(knob.size_at_most(knob.value(size)), size);
            }
        }
    }

    #[test]
    fn sizes_keep_within_the_values_that_are_asked_for() {
        let knob = knob(8, 0.01);
        for value in [0, 1, 799, 800, 801, 100_000] {
            assert!(knob.value(knob.size_at_least(value)) >= value);
            assert!(knob.value(knob.size_at_most(value)) <= value);
        }
        assert_eq!(knob.size_at_most(799), 0);
        assert_eq!(knob.size_at_least(1), 1);
    }

    #[test]
    fn a_chunk_of_nothing_is_one_that_never_comes() {
        assert_eq!(knob(8, 1.0).setting(0), "chunk.x.delivered=\"9s\"");
        assert_eq!(knob(8, 1.0).setting(2), "chunk.x.gpus=16");
    }

    #[test]
    fn only_whole_numbers_are_split_from_their_unit() {
        let input = |value: &str| Input {
            path: "p".into(),
            value: value.into(),
            origin: String::new(),
            provenance: None,
            source: None,
        };
        assert_eq!(
            split(&input("\"4000 requests/s\"")),
            Ok((4000, " requests/s".into()))
        );
        assert_eq!(split(&input("100_000")), Ok((100_000, String::new())));
        for wrong in ["2.5", "\"forever\"", "true", "1e3", "-4"] {
            assert!(split(&input(wrong)).is_err(), "{wrong}");
        }
    }
}
