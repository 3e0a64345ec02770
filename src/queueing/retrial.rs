//! Retrials: no queue, but those who find all servers busy come again.

use super::chain::{self, Moves};
use super::mmc::Mmc;

/// What M/M/c/c does when the blocked come again for ever, each at a rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retrial {
    /// Mean number who are about to come again (the orbit).
    pub mean_orbit: f64,
    /// Probability that a first attempt is blocked.
    pub p_block: f64,
    /// Mean number of busy servers.
    pub mean_busy: f64,
    /// Mean time from the first attempt to the start of service.
    pub mean_wait: f64,
}

/// Solves `queue` without waiting room whose blocked requests each retry at `retry_rate` (Falin and
/// Templeton 1997); with one server the mean orbit is rho / (1 - rho) (rho + lambda / theta). States are
/// (orbit, busy), numbered along the orbit. `None` where the load is at or too near to saturation.
#[must_use]
pub fn retrial(queue: Mmc, retry_rate: f64) -> Option<Retrial> {
    let servers = queue.servers as usize;
    let width = servers + 1;
    let law = chain::stationary(4 * width, |state| {
        let (orbit, busy) = (state / width, state % width);
        // From one place before (orbit - 1, 0) up to (orbit + 1, all busy).
        let first = state.saturating_sub(servers.max(1));
        let mut rates = vec![0.0; state + width - first + 1];
        if busy > 0 {
            rates[state - 1 - first] += busy as f64 * queue.service_rate;
        }
        if busy == servers {
            rates[state + width - first] += queue.arrival_rate;
        } else {
            rates[state + 1 - first] += queue.arrival_rate;
            if orbit > 0 {
                rates[state + 1 - width - first] += orbit as f64 * retry_rate;
            }
        }
        Moves { first, rates }
    })?;
    let (mut mean_orbit, mut mean_busy, mut p_block) = (0.0, 0.0, 0.0);
    for (state, p) in law.iter().enumerate() {
        let busy = state % width;
        mean_orbit += p * (state / width) as f64;
        mean_busy += p * busy as f64;
        if busy == servers {
            p_block += p;
        }
    }
    Some(Retrial {
        mean_orbit,
        p_block,
        mean_busy,
        mean_wait: mean_orbit / queue.arrival_rate,
    })
}
