//! What stands on many parts: how long it is up, how often the parts fail, and how long a job takes that keeps steps.

use super::restarting_job_time;

/// The long-run availability of a unit that fails for several reasons, each with its rate while the unit is up and
/// its mean repair, whatever the law of the repairs: 1 / (1 + sum of rate x repair) (alternating renewal process;
/// Barlow and Proschan 1975).
#[must_use]
pub fn availability(causes: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    let causes = causes.into_iter();
    1.0 / (1.0 + causes.map(|(rate, repair)| rate * repair).sum::<f64>())
}

/// The mean number of failures, up to an age, of so many units whose first failure has a Weibull law of the given
/// mean and shape and whose repairs leave the age as it is: n (age / scale)^shape, a power-law process (Crow 1974).
#[must_use]
pub fn weibull_failures(units: f64, age: f64, mean: f64, shape: f64) -> f64 {
    let scale = mean / libm::tgamma(1.0 + 1.0 / shape);
    units * libm::pow(age / scale, shape)
}

/// The mean time of a job that needs `work` and keeps what it has done after each `segment` of it, on a machine that
/// fails at `failure_rate` while it works and then takes `repair` on average: each segment is a job of its own that
/// starts from zero.
#[must_use]
pub fn checkpointed_job_time(work: f64, segment: f64, failure_rate: f64, repair: f64) -> f64 {
    let whole = libm::floor(work / segment);
    let time = |work: f64| restarting_job_time(work, failure_rate, repair);
    whole * time(segment) + time(work - whole * segment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queueing::{Repair, k_out_of_n};

    #[test]
    fn one_machine_with_a_crew_is_up_as_machine_repair_says() {
        let (rate, repair) = (0.02, 4.0);
        let chain = Repair::new(1, 1, (rate, 1.0 / repair), 1);
        let up = availability([(rate, repair)]);
        assert!((up - chain.mean_running).abs() < 1e-14);
        // Two reasons at half the rate are one at the whole, and eight in series are eight of eight.
        let halves = [(rate / 2.0, repair), (rate / 2.0, repair)];
        assert!((availability(halves) - up).abs() < 1e-15);
        assert!((libm::pow(up, 8.0) - k_out_of_n(8, 8, up)).abs() < 1e-14);
    }

    #[test]
    fn of_shape_one_the_weibull_process_is_poisson_and_one_segment_is_a_restart() {
        assert!((weibull_failures(50.0, 3.0, 20.0, 1.0) - 7.5).abs() < 1e-12);
        let (whole, kept) = (
            restarting_job_time(6.0, 0.1, 2.0),
            checkpointed_job_time(6.0, 6.0, 0.1, 2.0),
        );
        assert!((whole - kept).abs() < 1e-12);
        // Steps that are kept without end: work / availability.
        let dense = checkpointed_job_time(6.0, 1e-3, 0.1, 2.0);
        assert!((dense - 6.0 / availability([(0.1, 2.0)])).abs() < 1e-3);
    }
}
