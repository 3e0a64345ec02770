//! What differs from replication to replication of a scenario: the seed, and what a measurement left open.

use super::Scenario;
use super::arrival::Draws;
use crate::profile::{DeviceProfile, Spread};

impl Scenario {
    /// The scenario of a replication. Number 0 is the scenario itself, with the medians of what was
    /// measured; each other has a seed of its own, and draws by which factor the iteration times of
    /// each measured device, and of each accelerator to which they were scaled, are off, and draws when its
    /// chunks arrive.
    #[must_use]
    pub fn replication(&self, number: u64) -> Self {
        let mut scenario = Self {
            seed: self.seed.replication(number),
            ..self.clone()
        };
        for pool in &mut scenario.pools {
            if let Some(factor) = self.log_factor(&pool.profile, number) {
                pool.profile.curve = pool.profile.curve.times(libm::exp(factor));
            }
        }
        scenario.arrive(Draws::Of(self.seed, number));
        scenario
    }

    /// The logarithm of the factor by which the iteration times of a replication are off, as the mean over
    /// the pools; `None` where nothing was measured.
    #[must_use]
    pub fn mean_log_factor(&self, number: u64) -> Option<f64> {
        let factors: Option<Vec<f64>> = self
            .pools
            .iter()
            .map(|pool| pool.profile.spread.as_ref().map(|_| &pool.profile))
            .map(|profile| self.log_factor(profile?, number).or(Some(0.0)))
            .collect();
        let factors = factors.filter(|factors| !factors.is_empty())?;
        Some(factors.iter().sum::<f64>() / factors.len() as f64)
    }

    /// The logarithm of the factor of one profile; `None`: it is not off.
    fn log_factor(&self, profile: &DeviceProfile, number: u64) -> Option<f64> {
        let Spread {
            device,
            log_sd,
            scaling_log_sd,
        } = profile.spread.as_ref().filter(|_| number > 0)?;
        // Named by what was measured, so that two scenarios on one profile draw the same.
        let normal = |entity: &str, purpose: &str| {
            let mut stream = self.seed.stream(entity, purpose, number);
            stream.normal()
        };
        let measured = log_sd * normal(&format!("device/{device}"), "iteration-time");
        let accelerator = format!("accelerator/{}", profile.accelerator);
        Some(measured + scaling_log_sd * normal(&accelerator, "scaling"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Law;

    /// A scenario with two pools: one on what was measured, one on what was scaled from it.
    fn scenario(log_sd: f64, scaling_log_sd: f64) -> Scenario {
        let mut scenario = Scenario::textbook(1.0, Law::Constant { value: 0.5 }, 1, 10.0);
        let mut scaled = scenario.pools[0].clone();
        let spread = |scaling_log_sd| Spread {
            device: "a device".to_owned(),
            log_sd,
            scaling_log_sd,
        };
        scenario.pools[0].profile.spread = Some(spread(0.0));
        scaled.profile.spread = Some(spread(scaling_log_sd));
        scaled.profile.accelerator = "another".to_owned();
        scenario.pools.push(scaled);
        scenario
    }

    fn factors(scenario: &Scenario, pool: usize) -> Vec<f64> {
        let profile = &scenario.pools[pool].profile;
        let numbers = 1..4000;
        let factors = numbers.map(|number| scenario.log_factor(profile, number));
        factors.map(|factor| factor.expect("it is off")).collect()
    }

    fn deviation(values: &[f64]) -> f64 {
        let squares: f64 = values.iter().map(|value| value * value).sum();
        libm::sqrt(squares / values.len() as f64)
    }

    #[test]
    fn the_factors_have_the_deviations_that_are_stated() {
        let scenario = scenario(0.03, 0.04);
        let (measured, scaled) = (factors(&scenario, 0), factors(&scenario, 1));
        assert!((deviation(&measured) / 0.03 - 1.0).abs() < 0.04);
        assert!((deviation(&scaled) / 0.05 - 1.0).abs() < 0.04);
        // What was measured is off by the same factor in both; the rest is of the scaling alone.
        let pairs = measured.iter().zip(&scaled);
        let rest: Vec<f64> = pairs.map(|(one, other)| other - one).collect();
        assert!((deviation(&rest) / 0.04 - 1.0).abs() < 0.04);
        let means = (1..4000).map(|number| scenario.mean_log_factor(number));
        let expected = measured
            .iter()
            .zip(&scaled)
            .map(|(a, b)| f64::midpoint(*a, *b));
        for (mean, expected) in means.zip(expected) {
            assert!((mean.expect("measured") - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn replication_0_is_the_scenario_and_others_are_off_as_a_whole() {
        let scenario = scenario(0.1, 0.0);
        let time = |scenario: &Scenario| scenario.pools[0].profile.curve.iteration_s(1, 0.0);
        assert_eq!(scenario.mean_log_factor(0), Some(0.0));
        assert!((time(&scenario.replication(0)) - time(&scenario)).abs() < 1e-15);
        let profile = &scenario.pools[0].profile;
        let factor = scenario.log_factor(profile, 3).expect("it is off");
        let ratio = time(&scenario.replication(3)) / time(&scenario);
        assert!((ratio / libm::exp(factor) - 1.0).abs() < 1e-5, "{ratio}");
    }

    #[test]
    fn without_a_measurement_only_the_seed_differs() {
        let scenario = Scenario::textbook(1.0, Law::Constant { value: 0.5 }, 1, 10.0);
        assert_eq!(scenario.mean_log_factor(1), None);
        let other = scenario.replication(1);
        assert_ne!(other.seed, scenario.seed);
        assert_eq!(
            other.pools[0].profile.curve,
            scenario.pools[0].profile.curve
        );
    }
}
