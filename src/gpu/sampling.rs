//! The same work again and again: warm-up, then samples until there are enough or the time is up.

use super::Error;

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Seconds of work before the first sample: clocks rise and caches fill meanwhile. One run at least.
    pub warm_up_s: f64,
    /// Samples that are taken whatever they cost.
    pub samples_min: u32,
    /// Samples that are enough.
    pub samples_max: u32,
    /// Seconds that samples may take once there are `samples_min`.
    pub budget_s: f64,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// Runs before the first sample.
    pub warm_up: u32,
    /// Seconds of each run, in order.
    pub seconds: Vec<f64>,
}

impl Rule {
    /// Runs `work`, which returns the seconds it took, by this rule.
    ///
    /// # Errors
    /// Whatever `work` fails with.
    pub fn sample(&self, mut work: impl FnMut() -> Result<f64, Error>) -> Result<Samples, Error> {
        let mut samples = Samples::default();
        let mut warm_s = 0.0;
        while samples.warm_up == 0 || warm_s < self.warm_up_s {
            warm_s += work()?;
            samples.warm_up += 1;
            if samples.warm_up >= self.samples_max {
                break;
            }
        }
        let mut spent_s = 0.0;
        while samples.seconds.len() < self.samples_max as usize {
            let few = samples.seconds.len() < self.samples_min as usize;
            if !few && spent_s >= self.budget_s {
                break;
            }
            let seconds = work()?;
            spent_s += seconds;
            samples.seconds.push(seconds);
        }
        Ok(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule {
        warm_up_s: 1.0,
        samples_min: 3,
        samples_max: 20,
        budget_s: 2.0,
    };

    fn taken(seconds: f64) -> (u32, usize) {
        let samples = RULE.sample(|| Ok(seconds)).expect("the work does not fail");
        (samples.warm_up, samples.seconds.len())
    }

    #[test]
    fn cheap_work_is_sampled_often_and_dear_work_a_few_times() {
        assert_eq!(taken(0.001), (20, 20));
        assert_eq!(taken(0.25), (4, 8));
        assert_eq!(taken(30.0), (1, 3));
    }

    #[test]
    fn a_failure_ends_it() {
        let mut runs = 0;
        let outcome = RULE.sample(|| {
            runs += 1;
            Err(Error::NoAdapter)
        });
        assert!(matches!(outcome, Err(Error::NoAdapter)));
        assert_eq!(runs, 1);
    }
}
