//! Many single servers, each with its own queue, and a choice between them.

use super::chain::{self, Moves};

/// Requests at one of two servers above which a longer queue is left out; its share falls off
/// with the square of the load.
const LONGEST: usize = 62;

/// The mean response time, in service times, of M/M/1 servers of the given utilisation when each request
/// joins the shortest of `choices` random queues, in the limit of many servers: the sum over i >= 1 of
/// rho^((d^i - d) / (d - 1)) (Vvedenskaya, Dobrushin and Karpelevich 1996; Mitzenmacher 2001).
#[must_use]
pub fn power_of_d_response(utilisation: f64, choices: u32) -> f64 {
    if choices <= 1 {
        return 1.0 / (1.0 - utilisation);
    }
    let d = f64::from(choices);
    let log_load = libm::log(utilisation);
    let (mut sum, mut exponent) = (0.0, 0.0);
    loop {
        let term = libm::exp(exponent * log_load);
        sum += term;
        if term < f64::EPSILON * sum {
            return sum;
        }
        exponent = d * (exponent + 1.0);
    }
}

/// The mean number in the system of two M/M/1 servers of rate 1 when each request joins the shorter
/// queue, ties at random, with `arrival_rate` requests in all (below 2). There is no simple formula
/// (Flatto and McKean 1977); the chain of both lengths is solved, cut off where its share is below
/// rho^124.
#[must_use]
pub fn join_shortest_of_two_in_system(arrival_rate: f64) -> f64 {
    let width = LONGEST + 1;
    let law = chain::stationary_within(width * width, |state| {
        let lengths = [state / width, state % width];
        let first = state.saturating_sub(width);
        let mut rates = vec![0.0; 2 * width + 1];
        for (index, step) in [width, 1].into_iter().enumerate() {
            let (mine, other) = (lengths[index], lengths[1 - index]);
            let joins = match mine.cmp(&other) {
                _ if mine == LONGEST => 0.0,
                std::cmp::Ordering::Less => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Greater => 0.0,
            };
            rates[state + step - first] += joins * arrival_rate;
            if mine > 0 {
                rates[state - step - first] += 1.0;
            }
        }
        Moves { first, rates }
    });
    law.iter()
        .enumerate()
        .map(|(state, p)| p * (state / width + state % width) as f64)
        .sum()
}
