//! One server with any service law, and what is known of many: M/G/1, processor sharing, M/G/c.

use super::mmc::Mmc;
use super::service::ServiceMoments;

/// M/G/1, first come first served (Pollaczek 1930; Khinchine 1932).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mg1 {
    /// Arrivals per unit of time.
    pub arrival_rate: f64,
    /// Moments of the service time.
    pub service: ServiceMoments,
}

impl Mg1 {
    /// Share of the time that is worked, rho = lambda E\[S\], at most 1.
    #[must_use]
    pub fn utilisation(&self) -> f64 {
        (self.arrival_rate * self.service.mean).min(1.0)
    }

    /// Mean wait, lambda E\[S^2\] / (2 (1 - rho)).
    #[must_use]
    pub fn mean_wait(&self) -> f64 {
        self.arrival_rate * self.service.second / (2.0 * (1.0 - self.utilisation()))
    }

    /// Variance of the wait, Wq^2 + lambda E\[S^3\] / (3 (1 - rho)) (Takacs 1962).
    #[must_use]
    pub fn wait_variance(&self) -> f64 {
        let third = self.arrival_rate * self.service.third / (3.0 * (1.0 - self.utilisation()));
        self.mean_wait() * self.mean_wait() + third
    }

    /// Mean response time.
    #[must_use]
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + self.service.mean
    }

    /// Mean number waiting.
    #[must_use]
    pub fn mean_queue(&self) -> f64 {
        self.arrival_rate * self.mean_wait()
    }

    /// Mean number in the system.
    #[must_use]
    pub fn mean_in_system(&self) -> f64 {
        self.arrival_rate * self.mean_response()
    }

    /// Mean length of a busy period, E\[S\] / (1 - rho).
    #[must_use]
    pub fn mean_busy_period(&self) -> f64 {
        self.service.mean / (1.0 - self.utilisation())
    }
}

/// M/G/1 with processor sharing: the mean response time of a request of the given size, x / (1 - rho),
/// whatever the service law (Sakata, Noguchi and Oizumi 1971). With c servers that share their work
/// equally the number in the system is that of M/M/c.
#[must_use]
pub fn processor_sharing_response(size: f64, utilisation: f64) -> f64 {
    size / (1.0 - utilisation.min(1.0))
}

/// The mean wait of G/G/c by the approximation of Allen and Cunneen (Allen 1990): that of M/M/c times the
/// mean of the squared coefficients of variation of the times between arrivals and of the service
/// times. Exact for M/M/c and M/G/1.
#[must_use]
pub fn allen_cunneen_wait(queue: Mmc, arrival_scv: f64, service_scv: f64) -> f64 {
    queue.mean_wait() * f64::midpoint(arrival_scv, service_scv)
}
