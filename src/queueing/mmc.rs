//! M/M/c, with an unlimited queue and with K places in the system.

use super::birth_death;
use super::erlang::erlang_c;
use crate::stats::root;

/// M/M/c, first come first served: Poisson arrivals, exponential service, unlimited patience.
/// Gross, Shortle, Thompson and Harris (2008), Fundamentals of Queueing Theory, 3.3.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mmc {
    /// Arrivals per unit of time.
    pub arrival_rate: f64,
    /// Services per unit of time of one busy server.
    pub service_rate: f64,
    /// Servers.
    pub servers: u64,
}

impl Mmc {
    /// Offered load in erlang, a = lambda / mu.
    #[must_use]
    pub fn offered(&self) -> f64 {
        self.arrival_rate / self.service_rate
    }

    /// Share of the servers' time that is worked, rho = a / c, at most 1.
    #[must_use]
    pub fn utilisation(&self) -> f64 {
        (self.offered() / self.servers as f64).min(1.0)
    }

    /// Probability of having to wait: Erlang C.
    #[must_use]
    pub fn p_wait(&self) -> f64 {
        erlang_c(self.offered(), self.servers)
    }

    /// Rate at which the queue drains while all are busy, c mu - lambda; 0 when it does not.
    fn spare_rate(&self) -> f64 {
        (self.servers as f64 * self.service_rate - self.arrival_rate).max(0.0)
    }

    /// Mean wait, C / (c mu - lambda).
    #[must_use]
    pub fn mean_wait(&self) -> f64 {
        self.p_wait() / self.spare_rate()
    }

    /// Mean response time, Wq + 1 / mu.
    #[must_use]
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + 1.0 / self.service_rate
    }

    /// Mean number waiting, lambda Wq.
    #[must_use]
    pub fn mean_queue(&self) -> f64 {
        self.arrival_rate * self.mean_wait()
    }

    /// Mean number in the system, lambda W.
    #[must_use]
    pub fn mean_in_system(&self) -> f64 {
        self.arrival_rate * self.mean_response()
    }

    /// P(wait > t) = C exp(-(c mu - lambda) t).
    #[must_use]
    pub fn wait_above(&self, t: f64) -> f64 {
        self.p_wait() * libm::exp(-self.spare_rate() * t)
    }

    /// The `q`-quantile of the wait; 0 where fewer than 1 - q wait at all.
    #[must_use]
    pub fn wait_quantile(&self, q: f64) -> f64 {
        (libm::log(self.p_wait() / (1.0 - q)) / self.spare_rate()).max(0.0)
    }

    /// P(response > t): the wait is 0 or exponential with the spare rate s, the service exponential
    /// with mu, and they are independent: (1 - C) e^(-mu t) + C (s e^(-mu t) - mu e^(-s t)) / (s - mu).
    #[must_use]
    pub fn response_above(&self, t: f64) -> f64 {
        let (mu, s, waits) = (self.service_rate, self.spare_rate(), self.p_wait());
        let served = libm::exp(-mu * t);
        // (1 - e^(-(s - mu) t)) / (s - mu), which is t in the limit s = mu.
        let gap = (s - mu) * t;
        let both = if gap.abs() < 1e-9 {
            t * (1.0 - 0.5 * gap)
        } else {
            -libm::expm1(-gap) / (s - mu)
        };
        served * (1.0 + waits * mu * both)
    }

    /// The `q`-quantile of the response time; infinite when the queue grows without end.
    #[must_use]
    pub fn response_quantile(&self, q: f64) -> f64 {
        if self.spare_rate() <= 0.0 {
            return f64::INFINITY;
        }
        let mut high = 1.0 / self.service_rate;
        while self.response_above(high) > 1.0 - q {
            high *= 2.0;
        }
        root(0.0, high, |t| 1.0 - q - self.response_above(t))
    }
}

/// What M/M/c does when only so many may be in the system and the others are lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mmck {
    /// Probability that a request is lost.
    pub p_block: f64,
    /// Mean number in the system.
    pub mean_in_system: f64,
    /// Mean number waiting.
    pub mean_queue: f64,
    /// Mean wait of those who are let in.
    pub mean_wait: f64,
    /// Mean response time of those who are let in.
    pub mean_response: f64,
    /// Requests served per unit of time.
    pub throughput: f64,
    /// Share of the servers' time that is worked.
    pub utilisation: f64,
}

impl Mmck {
    /// `queue` with room for `places` requests in all, waiting and served; from the stationary law of
    /// the birth-death process (Gross et al. 2008, 3.5).
    #[must_use]
    pub fn new(queue: Mmc, places: u64) -> Self {
        let servers = queue.servers as f64;
        let law = birth_death::stationary(
            places as usize,
            |_| queue.arrival_rate,
            |n| servers.min(n as f64) * queue.service_rate,
        );
        let p_block = law[places as usize];
        let mean_in_system = birth_death::mean(&law, |n| n as f64);
        let mean_queue = birth_death::mean(&law, |n| (n as f64 - servers).max(0.0));
        let throughput = queue.arrival_rate * (1.0 - p_block);
        Self {
            p_block,
            mean_in_system,
            mean_queue,
            mean_wait: mean_queue / throughput,
            mean_response: mean_in_system / throughput,
            throughput,
            utilisation: throughput / queue.service_rate / servers,
        }
    }
}
