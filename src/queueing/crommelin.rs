//! M/D/c: Poisson arrivals, every service takes the same time.

use super::chain::{self, Moves};
use super::poisson::poisson_terms;

/// M/D/c, first come first served. Everyone in service at t is gone at t + D and nobody who came after t
/// is, so the number in the system moves in steps of D: N(t + D) = max(N(t) - c, 0) + Poisson(lambda D)
/// (Crommelin 1932). The wait follows from the law of N (Franx 2001).
#[derive(Clone, Debug)]
pub struct Mdc {
    arrival_rate: f64,
    service_time: f64,
    servers: usize,
    /// P(at most j wait), j = 0, 1, ...
    waiting_at_most: Vec<f64>,
    mean_queue: f64,
}

impl Mdc {
    /// Solves the queue. `None` where the load is at or so near to saturation that the queue's law
    /// takes more than some thousand states.
    #[must_use]
    pub fn new(arrival_rate: f64, service_time: f64, servers: usize) -> Option<Self> {
        let (first, terms) = poisson_terms(arrival_rate * service_time);
        if arrival_rate * service_time >= servers as f64 {
            return None;
        }
        let law = chain::stationary(servers, |n| Moves {
            first: n.saturating_sub(servers) + first,
            rates: terms.clone(),
        })?;
        let mut at_most: f64 = law[..servers].iter().sum();
        let waiting_at_most = law[servers..].iter().map(|p| {
            at_most += p;
            at_most
        });
        let waiting = law.iter().skip(servers).enumerate();
        Some(Self {
            arrival_rate,
            service_time,
            servers,
            waiting_at_most: waiting_at_most.collect(),
            mean_queue: waiting.map(|(j, p)| j as f64 * p).sum(),
        })
    }

    /// Mean number waiting.
    #[must_use]
    pub fn mean_queue(&self) -> f64 {
        self.mean_queue
    }

    /// Mean wait.
    #[must_use]
    pub fn mean_wait(&self) -> f64 {
        self.mean_queue / self.arrival_rate
    }

    /// Mean response time.
    #[must_use]
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + self.service_time
    }

    /// Probability of having to wait.
    #[must_use]
    pub fn p_wait(&self) -> f64 {
        1.0 - self.wait_at_most(0.0)
    }

    /// P(wait <= t), for (k - 1) D <= t < k D: the sum over j < k c of Q(k c - 1 - j) times the Poisson
    /// probability of j arrivals in k D - t, where Q(j) = P(at most j wait) (Franx 2001, eq. 4).
    #[must_use]
    pub fn wait_at_most(&self, t: f64) -> f64 {
        let k = libm::floor(t / self.service_time) + 1.0;
        let (first, terms) = poisson_terms(self.arrival_rate * (k * self.service_time - t));
        let places = k as usize * self.servers;
        let last = self.waiting_at_most.len() - 1;
        (first..places)
            .zip(terms)
            .map(|(j, p)| p * self.waiting_at_most[(places - 1 - j).min(last)])
            .sum()
    }

    /// The `q`-quantile of the wait.
    #[must_use]
    pub fn wait_quantile(&self, q: f64) -> f64 {
        if self.wait_at_most(0.0) >= q {
            return 0.0;
        }
        let mut high = self.service_time;
        while self.wait_at_most(high) < q {
            high *= 2.0;
        }
        crate::stats::root(0.0, high, |t| self.wait_at_most(t) - q)
    }
}
