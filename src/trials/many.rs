//! Many replications of one scenario, a thread each, put together in the order of their numbers.

use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use rayon::prelude::*;

use super::stopping::{Look, Stopping};
use super::{Progress, Trial, Watch};
use crate::metrics::replications::{Gathered, Replication, TargetResult};
use crate::metrics::summary::Summary;
use crate::scenario::{Scenario, Target};
use crate::units::SimTime;

/// Most replications whose measures wait to be put together.
const WAITING_MOST: u64 = 256;

/// Runs the replications of a scenario within the current pool of so many threads.
pub(super) fn play(scenario: &Arc<Scenario>, threads: usize, watch: &mut Watch<'_>) -> Trial {
    let runs = scenario.runs;
    let board = Board::new(scenario, watch);
    let mut gathered = Gathered::default();
    let mut first = None;
    let mut stopping = runs
        .target
        .map(|target| Stopping::new(target.relative_half_width, runs.replications));
    let mut look = Look::More;
    while look == Look::More && !board.is_stopped() {
        let until = stopping.map_or(runs.replications, |stopping| stopping.next_look());
        board.expect_at_least(until);
        while (gathered.count() as u64) < until && !board.is_stopped() {
            let from = gathered.count() as u64;
            let batch = batch(
                scenario,
                from..until.min(from + WAITING_MOST),
                threads,
                &board,
            );
            // After the first that was stopped the rest is left out: which of them were done in time
            // depends on how long they took, and the quick ones would be overrepresented.
            for played in batch.into_iter().map_while(|played| played) {
                first = first.or(played.summary);
                played.replication.into_iter().for_each(|r| gathered.add(r));
            }
        }
        look = match (&mut stopping, runs.target) {
            (Some(stopping), Some(target)) if !board.is_stopped() => {
                let width = gathered.relative_half_width(target.measures);
                let look = stopping.look(width);
                board.expect_at_least(stopping.expected(until, width.unwrap_or(0.0)));
                look
            }
            _ => Look::GivenUp,
        };
    }
    finish(scenario, &board, first, gathered, look)
}

/// The summary of replication 0 with what all say together.
fn finish(
    scenario: &Scenario,
    board: &Board<'_, '_>,
    first: Option<Summary>,
    gathered: Gathered,
    look: Look,
) -> Trial {
    let runs = scenario.runs;
    let mut summary = first.expect("replication 0 is always begun");
    if gathered.count() > 0 {
        let target = runs.target.map(|target| reached(&target, &gathered, look));
        // A signal that came after the last of them stopped nothing.
        let is_short = runs.target.is_some() || (gathered.count() as u64) < runs.replications;
        let is_stopped = board.is_stopped() && is_short;
        let doubted = target.as_ref().filter(|t| !t.reached && !is_stopped);
        let doubt = doubted.map(|target| doubt_words(target, gathered.count()));
        summary.warnings.extend(doubt);
        summary.replications = Some(gathered.finish(runs.replications, is_stopped, target));
    }
    Trial {
        summary,
        progress: board.progress(),
    }
}

fn reached(target: &Target, gathered: &Gathered, look: Look) -> TargetResult {
    let width = gathered.relative_half_width(target.measures);
    TargetResult {
        relative_half_width: target.relative_half_width,
        measures: target.measures.iter().map(|&name| name.into()).collect(),
        reached_half_width: width.filter(|width| width.is_finite()),
        reached: look == Look::Enough,
    }
}

fn doubt_words(target: &TargetResult, count: usize) -> String {
    let percent = |share: f64| format!("{:.3} %", share * 100.0);
    let what = target.measures.join(" and ");
    let asked = percent(target.relative_half_width);
    match target.reached_half_width {
        Some(width) => format!(
            "the target was not reached: after {count} replications the half width of {what} is \
             {} of the mean, {asked} at two looks in a row was asked for; allow more `replications`, or \
             run longer ones",
            percent(width)
        ),
        None => format!(
            "the target was not reached: after {count} replications {what} has no relative \
             precision, as it is unknown in some of them or 0 on average, and {asked} was asked for"
        ),
    }
}

/// One replication.
struct Played {
    /// Of replication 0, also if it was stopped.
    summary: Option<Summary>,
    /// `None`: it was stopped.
    replication: Option<Replication>,
}

/// The replications of these numbers, in order; `None` where one was stopped.
fn batch(
    scenario: &Arc<Scenario>,
    numbers: Range<u64>,
    threads: usize,
    board: &Board<'_, '_>,
) -> Vec<Option<Played>> {
    spread(numbers, threads, |number, parallel| {
        replication(scenario, number, parallel, board)
    })
}

/// Does `one` for each number, on so many threads; the results in the order of the numbers. It is told
/// whether threads are idle: with fewer numbers than threads each run spreads its pools over them.
pub(super) fn spread<T: Send>(
    numbers: Range<u64>,
    threads: usize,
    one: impl Fn(u64, bool) -> T + Sync,
) -> Vec<T> {
    let parallel = threads as u64 > numbers.end - numbers.start;
    if threads == 1 {
        return numbers.map(|number| one(number, false)).collect();
    }
    let numbers: Vec<u64> = numbers.collect();
    numbers
        .into_par_iter()
        .with_max_len(1)
        .map(|number| one(number, parallel))
        .collect()
}

fn replication(
    scenario: &Arc<Scenario>,
    number: u64,
    parallel: bool,
    board: &Board<'_, '_>,
) -> Option<Played> {
    if number > 0 && board.is_stopped() {
        return None;
    }
    let log_factor = scenario.mean_log_factor(number);
    let scenario = match number {
        0 => Arc::clone(scenario),
        _ => Arc::new(scenario.replication(number)),
    };
    let summary = board.play(&scenario, parallel);
    let is_whole = !summary.partial;
    let played = Played {
        replication: is_whole.then(|| Replication::of(&summary, log_factor)),
        summary: (number == 0).then_some(summary),
    };
    (is_whole || number == 0).then_some(played)
}

/// How far all replications are, where every thread notes its part. Nothing of it goes into a result.
pub(super) struct Board<'b, 'w> {
    watch: Mutex<&'b mut Watch<'w>>,
    stopped: AtomicBool,
    end: SimTime,
    /// In microseconds, so that 10,000 replications of a century fit.
    simulated_us: AtomicU64,
    requests: AtomicU64,
    events: AtomicU64,
    done: AtomicU64,
    planned: AtomicU64,
}

impl<'b, 'w> Board<'b, 'w> {
    pub(super) fn new(scenario: &Scenario, watch: &'b mut Watch<'w>) -> Self {
        Self {
            watch: Mutex::new(watch),
            stopped: AtomicBool::new(false),
            end: SimTime::ZERO + scenario.horizon,
            simulated_us: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            events: AtomicU64::new(0),
            done: AtomicU64::new(0),
            planned: AtomicU64::new(1),
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    pub(super) fn expect_at_least(&self, replications: u64) {
        self.planned.store(replications, Relaxed);
    }

    /// Plays one run to its end, or until all are to stop.
    pub(super) fn play(&self, scenario: &Arc<Scenario>, parallel: bool) -> Summary {
        let mut before = Progress {
            clock: SimTime::ZERO,
            requests: 0,
            events: 0,
            ..self.progress()
        };
        let trial = super::play(scenario, parallel, &mut |now| {
            self.note(&before, now);
            before = *now;
            match self.show() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        self.done
            .fetch_add(u64::from(!trial.summary.partial), Relaxed);
        trial.summary
    }

    /// One replication went from `before` to `now`.
    fn note(&self, before: &Progress, now: &Progress) {
        let us = |progress: &Progress| progress.clock.0 / 1000;
        self.simulated_us.fetch_add(us(now) - us(before), Relaxed);
        self.requests
            .fetch_add(now.requests.saturating_sub(before.requests), Relaxed);
        self.events
            .fetch_add(now.events.saturating_sub(before.events), Relaxed);
    }

    /// Shows how far all are, unless another thread is about to; whether they are to stop.
    fn show(&self) -> bool {
        if let Ok(mut watch) = self.watch.try_lock()
            && watch(&self.progress()).is_break()
        {
            self.stopped.store(true, Relaxed);
        }
        self.is_stopped()
    }

    fn progress(&self) -> Progress {
        let planned = self.planned.load(Relaxed).max(1);
        let clock_us = self.simulated_us.load(Relaxed) / planned;
        Progress {
            clock: SimTime(clock_us.saturating_mul(1000)),
            end: self.end,
            requests: self.requests.load(Relaxed),
            events: self.events.load(Relaxed),
            done: self.done.load(Relaxed),
            planned,
        }
    }
}
