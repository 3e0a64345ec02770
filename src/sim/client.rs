//! The user's side of a failure: how long one waits, whether and when one tries again.

use super::tally::Refusal;
use crate::random::Stream;
use crate::scenario::Retry;
use crate::units::SimDuration;

/// Retries that clients under a budget can save up, for each tier and pool: as in common RPC
/// libraries, enough for a burst, not for a storm.
pub(crate) const RETRIES_SAVED_MAX: f64 = 100.0;

/// How an attempt ended without an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Shed(Refusal),
    Abandoned,
    Failed,
}

/// Whether a retry follows on an attempt that ended so, after `tries` attempts.
pub(crate) fn retries(retry: &Retry, ended: Ended, tries: u16) -> bool {
    let wants = match ended {
        Ended::Shed(_) => retry.after_shed,
        Ended::Abandoned => retry.after_abandoned,
        Ended::Failed => retry.after_failed,
    };
    wants && u32::from(tries) <= retry.limit
}

/// The delay before the retry that follows on the `tries`-th attempt: exponential backoff, jittered,
/// from the delay before the first.
pub(crate) fn backoff(retry: &Retry, first_s: f64, tries: u16, stream: &mut Stream) -> SimDuration {
    let mut delay_s = first_s;
    for _ in 1..tries {
        let longer_s = (delay_s * retry.factor).min(retry.longest_s);
        if longer_s <= delay_s {
            break;
        }
        delay_s = longer_s;
    }
    if retry.jitter > 0.0 {
        delay_s *= 1.0 + retry.jitter * (2.0 * stream.unit() - 1.0);
    }
    SimDuration::from_s(delay_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Law, Seed};

    #[test]
    fn backoff_doubles_up_to_the_longest() {
        let retry = Retry {
            limit: 9,
            backoff: Law::Constant { value: 2.0 },
            factor: 2.0,
            longest_s: 10.0,
            jitter: 0.0,
            budget: None,
            after_shed: true,
            after_abandoned: false,
            after_failed: true,
        };
        let mut stream = Seed(1).stream("client", "test", 0);
        let delays: Vec<f64> = (1..=5)
            .map(|t| backoff(&retry, 2.0, t, &mut stream).as_s())
            .collect();
        assert_eq!(delays, [2.0, 4.0, 8.0, 10.0, 10.0]);
        assert!(retries(&retry, Ended::Failed, 9) && !retries(&retry, Ended::Failed, 10));
        assert!(!retries(&retry, Ended::Abandoned, 1));
    }
}
