//! Machines that fail: how many run, and how long a job takes on one.

use super::birth_death;
use crate::stats::{incomplete_beta, root};

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

/// The machine-repair model on its way, as a fluid: units break at what runs and are mended at what is at work, so with
/// d down, d' = failure rate x min(needed, units - d) - repair rate x min(d, crews).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RepairFluid {
    /// All units, cold spares among them.
    pub units: f64,
    /// At most so many run.
    pub needed: f64,
    /// Failures of each running one in a unit of time.
    pub failure_rate: f64,
    /// Repairs of each crew in a unit of time.
    pub repair_rate: f64,
    /// At most so many repairs at a time.
    pub crews: f64,
}

impl RepairFluid {
    /// Units that run when so many are down.
    #[must_use]
    pub fn running(&self, down: f64) -> f64 {
        (self.units - down).clamp(0.0, self.needed)
    }

    /// Units that are down after a time, from so many. Short pieces, each exact for rates that stay on their side of
    /// the number of crews and of spares.
    #[must_use]
    pub fn after(&self, down: f64, time: f64) -> f64 {
        const PIECES: u32 = 16;
        let piece = time / f64::from(PIECES);
        (0..PIECES).fold(down, |down, _| {
            let speed =
                self.failure_rate * self.running(down) - self.repair_rate * down.min(self.crews);
            let mut relaxes = 0.0;
            let spares = self.units - self.needed;
            if down > spares || down == spares && speed > 0.0 {
                relaxes += self.failure_rate;
            }
            if down < self.crews || down == self.crews && speed < 0.0 {
                relaxes += self.repair_rate;
            }
            let passed = match relaxes > 0.0 {
                true => -libm::expm1(-relaxes * piece) / relaxes,
                false => piece,
            };
            (down + speed * passed).clamp(0.0, self.units)
        })
    }

    /// Units that are down in the long run.
    #[must_use]
    pub fn rest(&self) -> f64 {
        root(0.0, self.units, |down| {
            self.repair_rate * down.min(self.crews) - self.failure_rate * self.running(down)
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_a_crew_each_units_break_in_as_an_exponential() {
        let fluid = RepairFluid {
            units: 50.0,
            needed: 50.0,
            failure_rate: 0.02,
            repair_rate: 0.1,
            crews: 50.0,
        };
        let exact = |time: f64| 50.0 / 6.0 * -libm::expm1(-0.12 * time);
        for time in [1.0, 10.0, 100.0] {
            assert!((fluid.after(0.0, time) - exact(time)).abs() < 1e-9);
        }
        let chain = Repair::new(50, 50, (0.02, 0.1), 50);
        assert!((fluid.rest() - chain.mean_down).abs() < 1e-9);
    }

    #[test]
    fn too_few_crews_fall_behind_until_little_is_left_to_break() {
        let fluid = RepairFluid {
            units: 120.0,
            needed: 100.0,
            failure_rate: 0.01,
            repair_rate: 0.1,
            crews: 4.0,
        };
        // At first 1 breaks and 0.4 are mended a unit of time; later what runs breaks as fast as 4 crews mend.
        let [early, late] = [fluid.after(4.0, 20.0), fluid.after(4.0, 1e4)];
        assert!((early - (4.0 + 20.0 * 0.6)).abs() < 1e-9, "{early}");
        assert!(
            (late - 80.0).abs() < 1e-6 && (fluid.rest() - 80.0).abs() < 1e-9,
            "{late}"
        );
        let chain = Repair::new(120, 100, (0.01, 0.1), 4);
        assert!((fluid.running(fluid.rest()) / chain.mean_running - 1.0).abs() < 1e-3);
    }
}
