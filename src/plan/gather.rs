//! The whole plan: the search, the sizes worth a look, and what is said about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::judge::{Certainty, Verdict, verdicts};
use super::knob::Knob;
use super::{Answer, Bound, Plan, Reversal, Rung, Tried, binding, bound, ladder, search};
use crate::metrics::summary::Summary;
use crate::scenario::{Input, Scenario};

/// The sizes that may be tried, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub least: u64,
    /// The most.
    pub most: u64,
}

/// A size that was run.
struct Point {
    scenario: Arc<Scenario>,
    summary: Summary,
    verdicts: Vec<Verdict>,
}

impl Point {
    fn holds(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.holds)
    }
}

/// Where the scenario of a size comes from.
type Make<'m, E> = dyn FnMut(u64) -> Result<Arc<Scenario>, E> + 'm;
/// How a scenario is run, as often as it says.
type Run<'r, E> = dyn FnMut(&Arc<Scenario>) -> Result<Summary, E> + 'r;

/// The sizes that were run, each once.
struct Points<'p, E> {
    certainty: Certainty,
    make: &'p mut Make<'p, E>,
    run: &'p mut Run<'p, E>,
    known: BTreeMap<u64, Point>,
}

impl<E> Points<'_, E> {
    fn at(&mut self, size: u64) -> Result<&Point, E> {
        if !self.known.contains_key(&size) {
            let scenario = (self.make)(size)?;
            let summary = (self.run)(&scenario)?;
            let verdicts = verdicts(&scenario, &summary, self.certainty);
            let point = Point {
                scenario,
                summary,
                verdicts,
            };
            self.known.insert(size, point);
        }
        Ok(&self.known[&size])
    }
}

/// Finds the smallest size of `range` at which every promise holds, and what the sizes around it buy.
///
/// The border is of what holds surely: one replica less misses a promise, or may miss it. Where a size
/// changes the number of pools, it changes the gateways too, and with them which users come when.
///
/// `make` gives the scenario of a size, `run` runs one as often as it says, with the seeds that it says.
/// The scenarios differ in what the knob varies and nothing else. A scenario without promises holds at
/// every size.
///
/// # Errors
/// What `make` or `run` ends with.
pub fn plan<'p, E>(
    knob: &Knob,
    range: Range,
    certainty: Certainty,
    make: &'p mut Make<'p, E>,
    run: &'p mut Run<'p, E>,
) -> Result<Plan, E> {
    let mut points = Points {
        certainty,
        make,
        run,
        known: BTreeMap::new(),
    };
    let chunk = knob.size_at_most(knob.present).max(1);
    let found = search::smallest(range.least, chunk, range.most, &mut |size| {
        Ok(points.at(size)?.holds())
    })?;
    let marked = marked(range, chunk, found);
    for &size in marked.keys() {
        points.at(size)?;
    }
    let ladder = rungs(knob, &marked, &points.known);
    let answer = answer(knob, range, found, &ladder);
    let bound = perfect(knob, range, found, &mut points)?;
    let largest = points
        .known
        .values()
        .next_back()
        .expect("the least was run");
    let scenario = &largest.scenario;
    let binds = match found {
        Some(_) => Vec::new(),
        None => binding::binds(scenario, &largest.summary, &largest.verdicts),
    };
    Ok(Plan {
        scenario: scenario.name.clone(),
        question: scenario.question.clone(),
        vary: knob.path.clone(),
        unit: knob.unit.clone(),
        why: knob.why.clone(),
        present: knob.present,
        most: knob.value(range.most),
        seed: scenario.seed.0,
        scale: scenario.scale,
        runs: largest
            .summary
            .replications
            .as_ref()
            .map_or(1, |r| r.count() as u64),
        certainty,
        answer,
        reversals: reversals(knob, &points.known),
        ladder,
        tried: tried(knob, &points.known),
        bound,
        binds,
        inputs: inputs(scenario, knob),
    })
}

/// The sizes worth a look, with what each is; a size that is several things is called by the first.
fn marked(range: Range, chunk: u64, found: Option<u64>) -> BTreeMap<u64, &'static str> {
    let mut sizes = vec![];
    if let Some(found) = found {
        sizes.push((found, "answer"));
    }
    sizes.push(match range.least {
        0 => (0, "none"),
        least => (least, "least"),
    });
    match found {
        Some(found) => sizes.extend([
            (found.saturating_add(1), "one spare"),
            (found.saturating_sub(1), "one less"),
            (found.saturating_add(chunk), "next chunk"),
            (found / 2, "half"),
        ]),
        None => sizes.extend([
            (chunk, "as it is"),
            (range.most, "most"),
            (chunk.saturating_mul(2), "next chunk"),
            (chunk / 2, "half"),
        ]),
    }
    let mut marked = BTreeMap::new();
    for (size, what) in sizes {
        if (range.least..=range.most).contains(&size) {
            marked.entry(size).or_insert(what);
        }
    }
    marked
}

fn rungs(
    knob: &Knob,
    marked: &BTreeMap<u64, &'static str>,
    known: &BTreeMap<u64, Point>,
) -> Vec<Rung> {
    let mut rungs: Vec<Rung> = Vec::new();
    let mut before: Option<&Summary> = None;
    for (&size, what) in marked {
        let point = &known[&size];
        let mut rung = ladder::rung(
            what,
            knob.value(size),
            &point.summary,
            point.verdicts.clone(),
        );
        rung.step = before.map(|before| ladder::step(before, &point.summary));
        before = Some(&point.summary);
        rungs.push(rung);
    }
    rungs
}

fn answer(knob: &Knob, range: Range, found: Option<u64>, ladder: &[Rung]) -> Answer {
    let Some(size) = found else {
        return Answer::Never {
            value: knob.value(range.most),
        };
    };
    let value = knob.value(size);
    let rung = ladder.iter().find(|rung| rung.value == value);
    let fleet_gpus = rung.map_or(0, |rung| rung.fleet_gpus);
    match size == range.least {
        true => Answer::Already { value, fleet_gpus },
        false => Answer::Smallest { value, fleet_gpus },
    }
}

/// The perfect system for the demand of the answer, or of the largest size where none was found.
fn perfect<E>(
    knob: &Knob,
    range: Range,
    found: Option<u64>,
    points: &mut Points<'_, E>,
) -> Result<Option<Bound>, E> {
    let size = found.unwrap_or(range.most);
    // Two neighbours from the answer on tell what one more brings.
    let next = (points.make)(size.saturating_add(1))?;
    let point = &points.known[&size];
    let Some(least) = bound::least([(size, &point.scenario), (size + 1, &next)], &point.summary)
    else {
        return Ok(None);
    };
    let gpus = |scenario: &Scenario| {
        let of_pool = |pool: &crate::scenario::Pool| {
            let replicas: u64 = pool.deliveries.iter().map(|d| u64::from(d.1)).sum();
            replicas * u64::from(pool.profile.gpus_per_replica)
        };
        scenario.pools.iter().map(of_pool).sum::<u64>() as f64 / scenario.scale
    };
    let (here, one) = (gpus(&point.scenario), gpus(&next) - gpus(&point.scenario));
    let fewest = (here - (size as f64 - least.size as f64) * one)
        .round()
        .max(0.0);
    Ok(Some(Bound {
        value: knob.value(least.size),
        fleet_gpus: fewest as u64,
        fleet_ratio: found.filter(|_| fewest > 0.0).map(|_| here / fewest),
        from_s: least.from_s,
        until_s: least.until_s,
        hopeless_s: least.hopeless_s,
    }))
}

/// Each missed size with the largest smaller one that held.
fn reversals(knob: &Knob, known: &BTreeMap<u64, Point>) -> Vec<Reversal> {
    let mut held = None;
    let mut reversals = Vec::new();
    for (&size, point) in known {
        match (point.holds(), held) {
            (true, _) => held = Some(size),
            (false, Some(held)) => reversals.push(Reversal {
                held: knob.value(held),
                missed: knob.value(size),
            }),
            (false, None) => {}
        }
    }
    reversals
}

fn tried(knob: &Knob, known: &BTreeMap<u64, Point>) -> Vec<Tried> {
    let of = |(&size, point): (&u64, &Point)| Tried {
        value: knob.value(size),
        holds: point.holds(),
    };
    known.iter().map(of).collect()
}

/// What is varied, every price of GPUs, and the times of the work.
fn inputs(scenario: &Scenario, knob: &Knob) -> Vec<Input> {
    let matters = |input: &&Input| {
        let path = input.path.as_str();
        path != knob.path
            && (path.starts_with("chunk.") && path.ends_with(".price")
                || path.starts_with("profile.")
                    && (path.contains(".iteration_time") || path.contains(".per_"))
                || path.starts_with("work.") && path.ends_with(".service"))
    };
    scenario.inputs.iter().filter(matters).cloned().collect()
}
