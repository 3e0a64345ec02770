//! A run that somebody watches: with a progress bar, and stopped by a signal.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::progress::Bar;
use super::signals::Signals;
use crate::scenario::Scenario;
use crate::trials::{self, Trial};

/// Runs a scenario as often as it says until its end or a signal; the trial, and the seconds it took.
pub(super) fn run(scenario: &Arc<Scenario>, threads: usize, signals: &Signals) -> (Trial, f64) {
    let mut bar = Bar::start();
    let trial = trials::replicate(scenario, threads, &mut |progress| {
        bar.show(progress);
        match signals.exit_code() {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    });
    (trial, bar.finish())
}

/// The threads that were asked for, or as many as there are cores.
pub(super) fn threads(asked: Option<u16>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    asked.map_or_else(cores, usize::from)
}
