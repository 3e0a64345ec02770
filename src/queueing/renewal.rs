//! GI/M/c: any law of the times between arrivals, exponential service.

/// GI/M/c, first come first served. A request that must wait waits an exponential time of rate
/// c mu (1 - sigma), where sigma solves sigma = A*(c mu (1 - sigma)) and A* is the Laplace transform of
/// the time between arrivals (Kendall 1953).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GiMc {
    service_rate: f64,
    servers: u64,
    sigma: f64,
}

impl GiMc {
    /// Solves for sigma in (0, 1) by iterating the equation from 0, which climbs to its smallest root;
    /// at or above saturation that is 1.
    #[must_use]
    pub fn new(transform: impl Fn(f64) -> f64, service_rate: f64, servers: u64) -> Self {
        let full_rate = servers as f64 * service_rate;
        let mut sigma = 0.0;
        loop {
            let next: f64 = transform(full_rate * (1.0 - sigma));
            if next - sigma <= f64::EPSILON * next {
                break;
            }
            sigma = next;
        }
        Self {
            service_rate,
            servers,
            sigma,
        }
    }

    /// sigma; with one server also the probability of having to wait.
    #[must_use]
    pub fn sigma(&self) -> f64 {
        self.sigma
    }

    /// Rate of the exponential wait of those who must wait.
    #[must_use]
    pub fn wait_rate(&self) -> f64 {
        self.servers as f64 * self.service_rate * (1.0 - self.sigma)
    }

    /// Mean wait of all requests when `p_wait` of them must wait (with one server: `sigma`).
    #[must_use]
    pub fn mean_wait(&self, p_wait: f64) -> f64 {
        p_wait / self.wait_rate()
    }

    /// The `q`-quantile of the wait of all when `p_wait` of them must wait.
    #[must_use]
    pub fn wait_quantile(&self, p_wait: f64, q: f64) -> f64 {
        (libm::log(p_wait / (1.0 - q)) / self.wait_rate()).max(0.0)
    }
}

/// The Laplace transform at `s` of a constant time between arrivals.
#[must_use]
pub fn constant_transform(arrival_rate: f64, s: f64) -> f64 {
    libm::exp(-s / arrival_rate)
}

/// The Laplace transform at `s` of an Erlang time between arrivals: what each of `stages` queues sees
/// of a Poisson stream that is dealt to them in turn.
#[must_use]
pub fn erlang_transform(arrival_rate: f64, stages: u32, s: f64) -> f64 {
    let stage_rate = arrival_rate * f64::from(stages);
    libm::pow(stage_rate / (stage_rate + s), f64::from(stages))
}
