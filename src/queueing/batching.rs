//! Closed forms around batches: the bound for dynamic batching and the batch that waits for company.

use super::poisson::poisson_above;

/// An upper bound on the mean response time of a server that, when idle, takes all who wait, a batch of n
/// taking `per_request` n + `per_batch` (Inoue 2021, Queueing analysis of GPU-based inference servers with
/// dynamic batching: theorem 2). Infinite at or above saturation, lambda `per_request` >= 1.
///
/// The response time follows from the mean batch m alone, and falls with it; m is at least 1, and
/// at least its value lambda `per_batch` / (1 - lambda `per_request`) under a server that never idles.
#[must_use]
pub fn dynamic_batching_bound(arrival_rate: f64, per_request: f64, per_batch: f64) -> f64 {
    let load = arrival_rate * per_request;
    if load >= 1.0 {
        return f64::INFINITY;
    }
    let response = |batch: f64| {
        // Of the squared batch size.
        let arrivals_squared =
            arrival_rate * arrival_rate * per_batch * (2.0 * per_request * batch + per_batch);
        let second = (arrivals_squared + batch) / (1.0 - load * load);
        let time_squared = per_request * per_request * second
            + 2.0 * per_request * per_batch * batch
            + per_batch * per_batch;
        arrival_rate * time_squared / (2.0 * batch) + per_request * second / batch + per_batch
    };
    response(1.0).min(response(arrival_rate * per_batch / (1.0 - load)))
}

/// A batch that waits for company.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Mean time of a request from its arrival to the closing of its batch.
    pub mean_wait: f64,
    /// Mean requests in a batch.
    pub mean_batch: f64,
    /// Probability that a batch closes because it is full.
    pub p_full: f64,
}

/// A batch opens with its first request and closes after `window`, or as soon as it has `largest`
/// requests; batches never wait for a server. Those after the first are a Poisson number, cut at
/// `largest` - 1, and the mean time with k present is P(at least k more come) / lambda.
#[must_use]
pub fn batching_window(arrival_rate: f64, window: f64, largest: Option<u64>) -> Window {
    let mean = arrival_rate * window;
    let Some(largest) = largest else {
        return Window {
            mean_wait: (window + 0.5 * mean * window) / (1.0 + mean),
            mean_batch: 1.0 + mean,
            p_full: 0.0,
        };
    };
    let (mut present_time, mut more) = (0.0, 0.0);
    for k in 1..largest {
        let at_least = poisson_above(k - 1, mean);
        more += at_least;
        present_time += k as f64 * at_least / arrival_rate;
    }
    let p_full = match largest {
        0 | 1 => 1.0,
        _ => poisson_above(largest - 2, mean),
    };
    Window {
        mean_wait: present_time / (1.0 + more),
        mean_batch: 1.0 + more,
        p_full,
    }
}
