//! The rule by which a stochastic case is held against a program, as `open.json` states it.
//!
//! Twenty independent replications with fixed seeds, of which the first 10 % of the time is dropped. A
//! number agrees if the mean of the replications differs from the exact value by at most
//! t(0.9999, 19) s / sqrt(20), and if the run was long enough to tell: the half width of the 95 %
//! interval is at most a given share of the exact value.

use std::sync::Arc;

use meltpoint::random::Seed;
use meltpoint::scenario::Scenario;
use meltpoint::stats::{confidence_interval, student_t_quantile};
use rayon::prelude::*;

const REPLICATIONS: u64 = 20;
/// Largest half width of the 95 % interval, as a share of the exact value.
pub(crate) const WITHIN: f64 = 0.02;
const SEED: Seed = Seed(20_250_325);

/// A number of a case, and what the replications gave for it.
pub(crate) struct Measured {
    /// Case, variant and number.
    pub what: String,
    pub exact: f64,
    pub values: Vec<f64>,
    /// Largest half width of the 95 % interval, as a share of the exact value.
    pub within: f64,
    /// A relative error that no length of run removes: that of a histogram's bucket, say.
    pub slack: f64,
}

/// What `play` makes of each replication of a scenario.
pub(crate) fn replicate<T: Send>(
    scenario: &Scenario,
    play: impl Fn(Scenario) -> T + Sync,
) -> Vec<T> {
    let one = |index| {
        let seed = SEED.replication(index);
        play(Scenario {
            seed,
            ..scenario.clone()
        })
    };
    (0..REPLICATIONS).into_par_iter().map(one).collect()
}

/// A scenario to its summary, on one thread.
pub(crate) fn summarise(scenario: Scenario) -> meltpoint::metrics::summary::Summary {
    let go_on = &mut |_: &_| std::ops::ControlFlow::Continue(());
    meltpoint::trials::run(&Arc::new(scenario), 1, go_on).summary
}

impl Measured {
    /// One line with the verdict; `Err` if the number does not agree.
    pub(crate) fn judge(&self) -> Result<String, String> {
        let interval = confidence_interval(&self.values, 0.95).unwrap();
        let n = REPLICATIONS as f64;
        let standard_error = interval.half_width / student_t_quantile(0.975, n - 1.0);
        let allowed = student_t_quantile(0.9999, n - 1.0) * standard_error
            + (self.slack + 1e-9) * self.exact.abs();
        let difference = (interval.mean - self.exact).abs();
        let line = format!(
            "{}: {:.6} +- {:.2} %, exactly {:.6}",
            self.what,
            interval.mean,
            100.0 * interval.half_width / self.exact.abs(),
            self.exact
        );
        match () {
            () if difference > allowed => Err(format!("{line}: differs by more than {allowed:.6}")),
            () if interval.half_width > self.within * self.exact.abs() => Err(format!(
                "{line}: too short a run to tell, {} % are wanted",
                100.0 * self.within
            )),
            () => Ok(line),
        }
    }
}

/// Prints the verdicts and fails if one is bad.
pub(crate) fn hold(measured: &[Measured]) {
    let (good, bad): (Vec<_>, Vec<_>) = measured
        .iter()
        .map(Measured::judge)
        .partition(Result::is_ok);
    good.into_iter()
        .flatten()
        .for_each(|line| println!("{line}"));
    println!("{} numbers held", measured.len());
    let bad: Vec<String> = bad.into_iter().filter_map(Result::err).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
