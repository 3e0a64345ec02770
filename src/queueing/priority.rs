//! Classes of requests of which the first goes first.

use super::mmc::Mmc;
use super::service::ServiceMoments;

/// One class of requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Class {
    /// Its arrivals per unit of time.
    pub arrival_rate: f64,
    /// The moments of its service time.
    pub service: ServiceMoments,
}

/// The mean times of a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassTimes {
    /// Mean time not in service.
    pub wait: f64,
    /// Mean response time.
    pub response: f64,
}

/// M/G/1 where the next to start is the first of the highest class and nobody is interrupted; the
/// highest class comes first in `classes`. With sigma(k) the load of the classes up to k,
/// Wq(k) = (sum over all of lambda E\[S^2\] / 2) / ((1 - sigma(k-1)) (1 - sigma(k))) (Cobham 1954).
#[must_use]
pub fn cobham(classes: &[Class]) -> Vec<ClassTimes> {
    let residual: f64 = classes.iter().map(half_second_moment_rate).sum();
    let mut load = 0.0;
    let mut times = Vec::with_capacity(classes.len());
    for class in classes {
        let above = spare(load);
        load += class.arrival_rate * class.service.mean;
        let wait = residual / (above * spare(load));
        times.push(ClassTimes {
            wait,
            response: wait + class.service.mean,
        });
    }
    times
}

/// M/G/1 where a higher class interrupts a lower one, whose work goes on later where it stopped:
/// W(k) = E\[S\] / (1 - sigma(k-1)) + (sum up to k of lambda E\[S^2\] / 2) /
/// ((1 - sigma(k-1)) (1 - sigma(k))) (Gross et al. 2008, 3.4.3).
#[must_use]
pub fn preemptive_resume(classes: &[Class]) -> Vec<ClassTimes> {
    let (mut load, mut residual) = (0.0, 0.0);
    let mut times = Vec::with_capacity(classes.len());
    for class in classes {
        let above = spare(load);
        load += class.arrival_rate * class.service.mean;
        residual += half_second_moment_rate(class);
        let response = class.service.mean / above + residual / (above * spare(load));
        times.push(ClassTimes {
            wait: response - class.service.mean,
            response,
        });
    }
    times
}

/// M/M/c with classes of equal service rate, nobody is interrupted: Wq(k) = C / (c mu) /
/// ((1 - sigma(k-1)) (1 - sigma(k))) with Erlang C of the whole load (Kella and Yechiali 1985).
#[must_use]
pub fn cobham_many_servers(
    arrival_rates: &[f64],
    service_rate: f64,
    servers: u64,
) -> Vec<ClassTimes> {
    let all = Mmc {
        arrival_rate: arrival_rates.iter().sum(),
        service_rate,
        servers,
    };
    let full_rate = servers as f64 * service_rate;
    let residual = all.p_wait() / full_rate;
    let mut load = 0.0;
    let mut times = Vec::with_capacity(arrival_rates.len());
    for rate in arrival_rates {
        let above = spare(load);
        load += rate / full_rate;
        let wait = residual / (above * spare(load));
        times.push(ClassTimes {
            wait,
            response: wait + 1.0 / service_rate,
        });
    }
    times
}

/// M/M/c with classes of equal service rate, where a higher class interrupts a lower one, whose work goes on later
/// where it stopped. Those of the classes up to k are an M/M/c of their own, so with L(k) in it
/// W(k) = (L(k) - L(k-1)) / lambda(k) (Buzen and Bondi 1983). Rates are above 0.
#[must_use]
pub fn preemptive_many_servers(
    arrival_rates: &[f64],
    service_rate: f64,
    servers: u64,
) -> Vec<ClassTimes> {
    let (mut arrival_rate, mut above) = (0.0, 0.0);
    let mut times = Vec::with_capacity(arrival_rates.len());
    for rate in arrival_rates {
        arrival_rate += rate;
        let all = Mmc {
            arrival_rate,
            service_rate,
            servers,
        };
        let in_system = all.mean_in_system();
        let response = match in_system.is_finite() {
            true => (in_system - above) / rate,
            false => f64::INFINITY,
        };
        above = in_system;
        times.push(ClassTimes {
            wait: response - 1.0 / service_rate,
            response,
        });
    }
    times
}

fn half_second_moment_rate(class: &Class) -> f64 {
    0.5 * class.arrival_rate * class.service.second
}

/// What a load leaves; 0 where it leaves nothing, so that the wait becomes infinite.
fn spare(load: f64) -> f64 {
    (1.0 - load).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Law;

    #[test]
    fn interruptions_before_one_server_are_those_of_a_general_service() {
        let rates = [0.2, 0.3, 0.25, 0.5];
        let service = ServiceMoments::of(&Law::Exponential { mean: 1.0 });
        let class = |arrival_rate| Class {
            arrival_rate,
            service,
        };
        let general = preemptive_resume(&rates.map(class));
        let found = preemptive_many_servers(&rates, 1.0, 1);
        for (found, general) in found[..3].iter().zip(&general) {
            assert!((found.response / general.response - 1.0).abs() < 1e-12);
            assert!((found.wait / general.wait - 1.0).abs() < 1e-12);
        }
        assert_eq!(found[3].response, f64::INFINITY);
    }

    #[test]
    fn a_class_that_interrupts_all_others_has_the_servers_alone() {
        let found = preemptive_many_servers(&[3.0, 4.0], 1.0, 9);
        let alone = Mmc {
            arrival_rate: 3.0,
            service_rate: 1.0,
            servers: 9,
        };
        assert_eq!(found[0].response, alone.mean_response());
        assert!(found[1].response > cobham_many_servers(&[3.0, 4.0], 1.0, 9)[1].response);
    }
}
