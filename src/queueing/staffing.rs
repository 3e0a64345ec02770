//! How many servers: the square-root rule and the limits behind it.

use super::mmc::Mmc;
use crate::stats::{normal_cdf, normal_density, root};

/// The limit of the probability of waiting in M/M/c with c = a + beta sqrt(a) servers for a large load a:
/// 1 / (1 + beta Phi(beta) / phi(beta)) (Halfin and Whitt 1981).
#[must_use]
pub fn halfin_whitt_p_wait(beta: f64) -> f64 {
    1.0 / (1.0 + beta * normal_cdf(beta) / normal_density(beta))
}

/// The beta with which a share `p_wait` (between 0 and 1) has to wait.
#[must_use]
pub fn halfin_whitt_beta(p_wait: f64) -> f64 {
    root(0.0, 30.0, |beta| p_wait - halfin_whitt_p_wait(beta))
}

/// The servers that the square-root rule gives a load in erlang: ceil(a + beta sqrt(a)). With a load that
/// changes over time a is the mean of M(t)/G/infinity, not rate x service time (Jennings,
/// Mandelbaum, Massey and Whitt 1996).
#[must_use]
pub fn square_root_servers(offered: f64, beta: f64) -> u64 {
    (offered + beta * libm::sqrt(offered)).ceil() as u64
}

/// The limit of the probability of waiting when those who wait leave at a rate: with
/// h = phi / (1 - Phi) and beta = (c - a) / sqrt(a), 1 / (1 + sqrt(theta / mu) h(beta sqrt(mu / theta)) /
/// h(-beta)) (Garnett, Mandelbaum and Reiman 2002).
#[must_use]
pub fn garnett_p_wait(queue: Mmc, abandonment_rate: f64) -> f64 {
    let hazard = |x: f64| normal_density(x) / normal_cdf(-x);
    let beta = (queue.servers as f64 - queue.offered()) / libm::sqrt(queue.offered());
    let ratio = libm::sqrt(abandonment_rate / queue.service_rate);
    1.0 / (1.0 + ratio * hazard(beta / ratio) / hazard(-beta))
}
