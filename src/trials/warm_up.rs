//! How long the warm-up is, where the scenario leaves it to be found: MSER-5 on pilot runs.
//!
//! The pilots have seeds of their own, so that what they choose does not depend on the runs that are then
//! measured. They watch the number of requests in the pools (waiting, running, about to retry), whose
//! means over short intervals are the observations: of all series it sees the start best, as everything
//! else that is slow to settle follows from it. The observations are averaged over five pilots, since in
//! a single run of a queue chance mostly hides the start, and MSER-5 then cuts nothing or far too much.

use std::sync::Arc;

use super::many::{self, Board};
use super::{Progress, Watch};
use crate::metrics::summary::{Column, Series, Summary, WarmUp};
use crate::random::Seed;
use crate::scenario::{Scenario, WarmUpRule};
use crate::stats::mser5;
use crate::units::SimDuration;

/// Pilot runs.
const PILOTS: u64 = 5;
/// Observations of a pilot, about: four hundred batches of five.
const OBSERVATIONS: u64 = 2000;

/// A scenario whose warm-up is settled.
pub(super) struct Settled {
    /// It.
    pub(super) scenario: Arc<Scenario>,
    /// How it was found; `None`: it was stated.
    basis: Option<String>,
    /// What may be doubted about it.
    doubt: Option<String>,
}

impl Settled {
    /// Tells a summary how its warm-up came about.
    pub(super) fn tell(self, summary: &mut Summary) {
        if let Some(basis) = self.basis {
            summary.warm_up = WarmUp {
                basis,
                ..summary.warm_up.clone()
            };
        }
        summary.warnings.extend(self.doubt);
    }
}

/// Settles the warm-up of a scenario, by pilot runs if it says so.
pub(super) fn settle(scenario: &Arc<Scenario>, threads: usize, watch: &mut Watch<'_>) -> Settled {
    match scenario.warm_up_rule {
        WarmUpRule::Stated => Settled {
            scenario: Arc::clone(scenario),
            basis: None,
            doubt: None,
        },
        WarmUpRule::Auto => found(scenario, threads, watch),
    }
}

fn found(scenario: &Arc<Scenario>, threads: usize, watch: &mut Watch<'_>) -> Settled {
    let mut watch = |progress: &Progress| {
        watch(&Progress {
            done: 0,
            planned: 0,
            ..*progress
        })
    };
    let board = Board::new(scenario, &mut watch);
    board.expect_at_least(PILOTS);
    let series = many::spread(0..PILOTS, threads, |number, parallel| {
        let pilot = Arc::new(pilot(scenario, number));
        present(&board.play(&pilot, parallel).series)
    });
    let (warm_up, basis, doubt) = judge(&averaged(&series), observation(scenario));
    let settled = Scenario {
        warm_up,
        ..Scenario::clone(scenario)
    };
    Settled {
        scenario: Arc::new(settled),
        basis: Some(basis),
        doubt,
    }
}

/// The scenario of a pilot: all of it is observed, at short intervals.
fn pilot(scenario: &Scenario, number: u64) -> Scenario {
    Scenario {
        seed: Seed(scenario.seed.stream("trials", "pilot", number).bits()),
        warm_up: SimDuration::ZERO,
        warm_up_rule: WarmUpRule::Stated,
        series_interval: observation(scenario),
        ..scenario.clone()
    }
}

/// The length of an observation; windows are not cut shorter than they are in the runs.
fn observation(scenario: &Scenario) -> SimDuration {
    let interval = (scenario.horizon.0 / OBSERVATIONS).max(scenario.lookahead.0);
    SimDuration(interval.max(1))
}

/// The mean of the pilots, observation by observation, as far as all of them came.
fn averaged(series: &[Vec<f64>]) -> Vec<f64> {
    let length = series.iter().map(Vec::len).min().unwrap_or(0);
    let mean = |index: usize| {
        let sum: f64 = series.iter().map(|pilot| pilot[index]).sum();
        sum / series.len() as f64
    };
    (0..length).map(mean).collect()
}

/// Requests in the pools by interval.
fn present(series: &Series) -> Vec<f64> {
    let names = ["waiting", "running", "in_orbit"];
    let levels = names.iter().filter_map(|name| series.column(name, None));
    let levels: Vec<&Column> = levels.collect();
    let sum = |index: usize| levels.iter().filter_map(|level| level.values[index]).sum();
    (0..series.len()).map(sum).collect()
}

/// The warm-up, what it rests on, and what may be doubted about it.
fn judge(observations: &[f64], interval: SimDuration) -> (SimDuration, String, Option<String>) {
    let remedy = "state a `warm_up`, or let the scenario last longer";
    match mser5(observations) {
        None => {
            let doubt = format!(
                "no warm-up was left out: the pilot runs have {} observations, too few for MSER-5; {remedy}",
                observations.len()
            );
            (
                SimDuration::ZERO,
                "MSER-5 had too few observations".into(),
                Some(doubt),
            )
        }
        Some(cut) if !cut.trusted => {
            let doubt = format!(
                "no warm-up was left out: MSER-5 would cut the pilot runs in their second half, so they are \
                 too short to become steady, or never do; {remedy}"
            );
            (
                SimDuration::ZERO,
                "MSER-5 found no steady state".into(),
                Some(doubt),
            )
        }
        Some(cut) => {
            let warm_up = SimDuration(interval.0 * cut.observations as u64);
            let basis = format!(
                "MSER-5 on {PILOTS} pilot runs: {} of {} means over {interval} of the requests in the pools",
                cut.observations,
                observations.len()
            );
            (warm_up, basis, None)
        }
    }
}
