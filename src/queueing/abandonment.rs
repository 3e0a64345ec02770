//! Erlang A, M/M/c+M: those who wait lose their patience.

use super::birth_death;
use super::mmc::Mmc;

/// What M/M/c does when each waiting request leaves after an exponential patience (Palm 1957; Garnett,
/// Mandelbaum and Reiman 2002). It is stable at any load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErlangA {
    /// Probability that a request finds all servers busy.
    pub p_wait: f64,
    /// Probability that a request abandons.
    pub p_abandon: f64,
    /// Mean number waiting.
    pub mean_queue: f64,
    /// Mean time in the queue of all requests, those who abandon included.
    pub mean_wait: f64,
    /// Mean number in the system.
    pub mean_in_system: f64,
    /// Share of the servers' time that is worked.
    pub utilisation: f64,
}

impl ErlangA {
    /// `queue` whose waiting requests each leave at the rate `abandonment_rate` > 0.
    #[must_use]
    pub fn new(queue: Mmc, abandonment_rate: f64) -> Self {
        let servers = queue.servers as f64;
        let down = |n: usize| {
            let busy = servers.min(n as f64);
            busy * queue.service_rate + (n as f64 - busy) * abandonment_rate
        };
        // Far above the level at which arrivals and departures balance the law falls off faster than
        // a Poisson law of that mean.
        let balance = queue.offered() + queue.arrival_rate / abandonment_rate + servers;
        let last = (balance + 20.0 * libm::sqrt(balance) + 100.0) as usize;
        let law = birth_death::stationary(last, |_| queue.arrival_rate, down);
        let mean_queue = birth_death::mean(&law, |n| (n as f64 - servers).max(0.0));
        let busy = birth_death::mean(&law, |n| servers.min(n as f64));
        Self {
            p_wait: law[queue.servers as usize..].iter().sum(),
            p_abandon: abandonment_rate * mean_queue / queue.arrival_rate,
            mean_queue,
            mean_wait: mean_queue / queue.arrival_rate,
            mean_in_system: mean_queue + busy,
            utilisation: busy / servers,
        }
    }
}
