//! Bursty arrivals: a Poisson stream whose rate switches between two values.

use super::chain::{self, Moves};

/// What M/M/c does under bursts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bursts {
    /// Mean arrivals per unit of time.
    pub mean_rate: f64,
    /// Mean number waiting.
    pub mean_queue: f64,
    /// Mean wait.
    pub mean_wait: f64,
    /// Probability that an arrival has to wait; arrivals do not see time averages here.
    pub p_wait: f64,
}

/// MMPP(2)/M/c: `servers` of `service_rate`; arrivals have the rate `rates`\[phase\] and the phase is left
/// at `switch`\[phase\] (Neuts 1981). States are (number, phase). `None` where the load is at or too near to
/// saturation.
#[must_use]
pub fn bursts(
    rates: [f64; 2],
    switch: [f64; 2],
    service_rate: f64,
    servers: u64,
) -> Option<Bursts> {
    let law = chain::stationary(4 * servers as usize, |state| {
        let (number, phase) = (state / 2, state % 2);
        let first = state.saturating_sub(2);
        let mut moves = vec![0.0; state + 3 - first];
        moves[state + 2 - first] = rates[phase];
        moves[state + 1 - 2 * phase - first] = switch[phase];
        if number > 0 {
            let busy = servers.min(number as u64) as f64;
            moves[0] = busy * service_rate;
        }
        Moves {
            first,
            rates: moves,
        }
    })?;
    let share_first = switch[1] / (switch[0] + switch[1]);
    let mean_rate = share_first * rates[0] + (1.0 - share_first) * rates[1];
    let (mut mean_queue, mut waiting_rate) = (0.0, 0.0);
    for (state, p) in law.iter().enumerate() {
        let number = (state / 2) as u64;
        mean_queue += p * number.saturating_sub(servers) as f64;
        if number >= servers {
            waiting_rate += p * rates[state % 2];
        }
    }
    Some(Bursts {
        mean_rate,
        mean_queue,
        mean_wait: mean_queue / mean_rate,
        p_wait: waiting_rate / mean_rate,
    })
}
