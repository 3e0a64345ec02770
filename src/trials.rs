//! One run from its start to its summary, on a number of threads.
//!
//! Threads are made here and nowhere else; they change how long a run takes and nothing else.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::metrics::summary::Summary;
use crate::metrics::{Recorder, summarise};
use crate::scenario::Scenario;
use crate::sim::Simulation;
use crate::units::SimTime;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Simulated time.
    pub clock: SimTime,
    /// Its end.
    pub end: SimTime,
    /// Requests offered so far.
    pub requests: u64,
    /// Events handled so far.
    pub events: u64,
}

/// A summary and what it took.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The answer.
    pub summary: Summary,
    /// How far it came.
    pub progress: Progress,
}

/// Runs a scenario. `watch` is called now and then and may stop the run; the summary is then marked
/// as partial. `threads` is at least 1; where so many cannot be had the run goes on with one.
pub fn run(
    scenario: &Arc<Scenario>,
    threads: usize,
    watch: &mut (dyn FnMut(&Progress) -> ControlFlow<()> + Send),
) -> Trial {
    let pool = (threads > 1)
        .then(|| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .ok()
        })
        .flatten();
    match pool {
        Some(pool) => pool.install(|| play(scenario, true, watch)),
        None => play(scenario, false, watch),
    }
}

fn play(
    scenario: &Arc<Scenario>,
    parallel: bool,
    watch: &mut (dyn FnMut(&Progress) -> ControlFlow<()> + Send),
) -> Trial {
    let end = SimTime::ZERO + scenario.horizon;
    let mut simulation = Simulation::new(scenario, parallel);
    let mut recorder = Recorder::new(scenario, &simulation);
    let mut interval_end = SimTime::ZERO + scenario.series_interval;
    while simulation.clock() < end {
        let from = simulation.clock();
        simulation.advance(recorder.next_stop(scenario, from).min(end));
        recorder.after_window(scenario, &simulation, from);
        let clock = simulation.clock();
        let stopped = watch(&progress(&simulation, end)).is_break();
        if clock >= interval_end || clock >= end || stopped {
            recorder.after_interval(scenario, &simulation);
            interval_end = clock + scenario.series_interval;
        }
        if stopped {
            break;
        }
    }
    Trial {
        summary: summarise(scenario, &simulation, &recorder),
        progress: progress(&simulation, end),
    }
}

fn progress(simulation: &Simulation, end: SimTime) -> Progress {
    let (requests, events) = (simulation.offered(), simulation.events());
    Progress {
        clock: simulation.clock(),
        end,
        requests,
        events,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Law;
    use crate::units::SimDuration;

    #[test]
    fn a_warm_up_that_ends_within_an_interval_does_not_thin_its_rates() {
        let mut scenario = Scenario::textbook(100.0, Law::Constant { value: 0.001 }, 1, 100.0);
        scenario.series_interval = SimDuration::from_s(10.0);
        for warm_up_s in [0.0, 5.0, 10.0] {
            scenario.warm_up = SimDuration::from_s(warm_up_s);
            let trial = run(&Arc::new(scenario.clone()), 1, &mut |_| {
                ControlFlow::Continue(())
            });
            let series = &trial.summary.series;
            let offered = &series.column("offered", None).expect("always there").values;
            for rate in offered.iter().flatten() {
                // A Poisson rate of 100/s over at least 5 s, within 5 standard deviations.
                assert!(
                    (rate - 100.0).abs() < 23.0,
                    "warm-up {warm_up_s} s: {rate}/s"
                );
            }
        }
    }
}
