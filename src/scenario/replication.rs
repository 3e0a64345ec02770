//! What differs from replication to replication of a scenario: the seed, and what a measurement left open.

use super::Scenario;
use crate::profile::{DeviceProfile, Spread};

impl Scenario {
    /// The scenario of a replication. Number 0 is the scenario itself, with the medians of what was
    /// measured; each other has a seed of its own, and draws by which factor the iteration times of
    /// each measured device, and of each accelerator to which they were scaled, are off.
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
