//! One server that takes requests in batches: M/D^\[a,b\]/1 and dynamic batching.

use super::chain::{self, Moves};
use super::poisson::poisson_terms;

/// How a batch is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bulk {
    /// Arrivals per unit of time.
    pub arrival_rate: f64,
    /// A batch starts as soon as so many wait, at least 1.
    pub smallest: usize,
    /// A batch takes at most so many; `None`: all who wait.
    pub largest: Option<usize>,
}

/// What a server that takes batches does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BulkService {
    /// Mean wait of a request until its batch starts.
    pub mean_wait: f64,
    /// Mean response time of a request.
    pub mean_response: f64,
    /// Mean number waiting.
    pub mean_queue: f64,
    /// Mean size of a batch.
    pub mean_batch: f64,
    /// Share of the time that is worked.
    pub utilisation: f64,
}

impl Bulk {
    /// The exact stationary answer for batches of n requests that take `batch_time(n)`, which must not
    /// fall with n. `None` where the load is at or too near to saturation.
    ///
    /// The number waiting when a batch ends is a Markov chain (Bailey 1954; Chaudhry and Templeton
    /// 1983): from n, the server waits for `smallest`, takes m, and finds the others and a Poisson number
    /// of new ones. Averages over time follow from averages over its cycles.
    #[must_use]
    pub fn solve(&self, batch_time: impl Fn(usize) -> f64) -> Option<BulkService> {
        let largest = self.largest.unwrap_or(usize::MAX);
        let at_start = |n: usize| n.max(self.smallest);
        let taken = |n: usize| at_start(n).min(largest);
        let law = chain::stationary(self.largest.unwrap_or(self.smallest), |n| {
            let (first, rates) = poisson_terms(self.arrival_rate * batch_time(taken(n)));
            Moves {
                first: at_start(n) - taken(n) + first,
                rates,
            }
        })?;
        // Per cycle: time worked, time in all, requests served, and the integrals over time of who
        // waits and who is served.
        let (mut busy, mut cycle, mut served) = (0.0, 0.0, 0.0);
        let (mut waiting, mut serving) = (0.0, 0.0);
        for (n, &p) in law.iter().enumerate() {
            let (start, batch) = (at_start(n), taken(n));
            let time = batch_time(batch);
            busy += p * time;
            cycle += p * (time + (start - n) as f64 / self.arrival_rate);
            served += p * batch as f64;
            serving += p * batch as f64 * time;
            // While the server waits n, n + 1, ..., start - 1 requests are there, one gap each.
            let filling = (n + start).saturating_sub(1) as f64 / 2.0 * (start - n) as f64;
            waiting += p * filling / self.arrival_rate;
            let arriving = 0.5 * self.arrival_rate * time * time;
            waiting += p * ((start - batch) as f64 * time + arriving);
        }
        let mean_queue = waiting / cycle;
        let mean_wait = mean_queue / self.arrival_rate;
        Some(BulkService {
            mean_wait,
            mean_response: mean_wait + serving / served,
            mean_queue,
            mean_batch: served,
            utilisation: busy / cycle,
        })
    }
}
