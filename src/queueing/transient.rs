//! M/M/c on its way: the law of the number in the system after a time under constant rates.

use super::mmc::Mmc;
use super::poisson::poisson_terms;

/// The law of the number in the system after `time`, from the law `start` on 0..`start.len()` (arrivals at
/// the highest number are lost). By uniformisation (Jensen 1953): the law after k jumps of a Poisson
/// clock that is faster than every state, weighted with the Poisson probability of k jumps.
#[must_use]
pub fn mmc_transient(queue: Mmc, start: &[f64], time: f64) -> Vec<f64> {
    let clock = queue.arrival_rate + queue.servers as f64 * queue.service_rate;
    let (first, weights) = poisson_terms(clock * time);
    let mut law = start.to_vec();
    for _ in 0..first {
        law = after_jump(queue, clock, &law);
    }
    let mut sum = vec![0.0; law.len()];
    for weight in weights {
        for (total, p) in sum.iter_mut().zip(&law) {
            *total += weight * p;
        }
        law = after_jump(queue, clock, &law);
    }
    sum
}

/// The law after one jump of the clock.
fn after_jump(queue: Mmc, clock: f64, law: &[f64]) -> Vec<f64> {
    let up = queue.arrival_rate / clock;
    let down = |n: usize| queue.servers.min(n as u64) as f64 * queue.service_rate / clock;
    let last = law.len() - 1;
    (0..=last)
        .map(|n| {
            let stays = 1.0 - down(n) - if n < last { up } else { 0.0 };
            let from_below = if n > 0 { up * law[n - 1] } else { 0.0 };
            let from_above = if n < last {
                down(n + 1) * law[n + 1]
            } else {
                0.0
            };
            stays * law[n] + from_below + from_above
        })
        .collect()
}
