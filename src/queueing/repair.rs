//! Machines that fail: how many run, and how long a job takes on one.

use super::birth_death;
use crate::stats::incomplete_beta;

/// Identical units of which some are needed, the others being cold spares, repaired by crews.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Repair {
    /// Mean number of units down.
    pub mean_down: f64,
    /// Mean number of units that run.
    pub mean_running: f64,
    /// Probability that as many run as are needed.
    pub p_all_running: f64,
    /// Probability that no unit is down.
    pub p_none_down: f64,
}

impl Repair {
    /// `units` of which at most `needed` run at a time; each running one fails at `failure_rate`, each of
    /// at most `crews` repairs ends at `repair_rate` (the machine-repair model, Gross et al. 2008, 3.6).
    #[must_use]
    pub fn new(units: usize, needed: usize, rates: (f64, f64), crews: usize) -> Self {
        let (failure_rate, repair_rate) = rates;
        let running = |down: usize| (units - down).min(needed) as f64;
        let law = birth_death::stationary(
            units,
            |down| running(down) * failure_rate,
            |down| down.min(crews) as f64 * repair_rate,
        );
        Self {
            mean_down: birth_death::mean(&law, |down| down as f64),
            mean_running: birth_death::mean(&law, running),
            p_all_running: law[..=units - needed].iter().sum(),
            p_none_down: law[0],
        }
    }
}

/// The probability that at least `needed` of `units` independent units are up, each with the given
/// availability, MTBF / (MTBF + MTTR), whatever the law of the repairs.
#[must_use]
pub fn k_out_of_n(needed: u64, units: u64, availability: f64) -> f64 {
    match needed {
        0 => 1.0,
        k if k > units => 0.0,
        k => incomplete_beta(availability, k as f64, (units - k + 1) as f64),
    }
}

/// The mean time of a job that needs `work` without interruption, on a machine that fails at
/// `failure_rate` while it works and then takes `repair` on average; a failure loses all work:
/// (1 / f + R) (e^(f S) - 1).
#[must_use]
pub fn restarting_job_time(work: f64, failure_rate: f64, repair: f64) -> f64 {
    (1.0 / failure_rate + repair) * libm::expm1(failure_rate * work)
}
