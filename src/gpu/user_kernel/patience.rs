//! Work on text of the user's, which may need much stack, panic in a compiler or never end.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Name of the threads on which such work is done.
pub const THREAD: &str = "user kernel";

/// Stack for whoever walks a syntax tree. It is reserved, and taken only as far as it is used.
const STACK_BYTES: usize = 256 << 20;

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Without {
    /// It panicked.
    Panicked,
    /// It took longer than this many seconds, and may still be at it.
    Late(f64),
    /// The system gave no thread.
    NoThread,
}

/// The result of `work`, on a thread of its own with a large stack, if it comes in time.
pub(super) fn patiently<T: Send + 'static>(
    limit_s: f64,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Without> {
    let (done, result) = channel();
    let started = thread::Builder::new()
        .name(THREAD.to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || drop(done.send(work())));
    if started.is_err() {
        return Err(Without::NoThread);
    }
    let limit = Duration::from_secs_f64(limit_s);
    result.recv_timeout(limit).map_err(|error| match error {
        RecvTimeoutError::Timeout => Without::Late(limit_s),
        RecvTimeoutError::Disconnected => Without::Panicked,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_waited_for_only_so_long() {
        assert_eq!(patiently(10.0, || 7), Ok(7));
        let late = patiently(0.02, || thread::sleep(Duration::from_secs(2)));
        assert_eq!(late, Err(Without::Late(0.02)));
    }
}
