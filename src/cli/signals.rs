//! Signals: the first asks the run to stop and write what it has, the second ends it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// Which signal has come, if one has.
#[derive(Clone, Debug, Default)]
pub(super) struct Signals {
    came: Arc<AtomicUsize>,
}

impl Signals {
    /// Listens from now on. Where the system does not let us, signals keep their usual effect.
    pub(super) fn listen() -> Self {
        let signals = Self::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let again = Arc::new(AtomicBool::new(false));
            let code = 128 + signal;
            // Order matters: the shutdown looks at the flag before the flag is raised.
            let listening = flag::register_conditional_shutdown(signal, code, Arc::clone(&again))
                .and_then(|_| flag::register(signal, again))
                .and_then(|_| {
                    let number = usize::try_from(signal).unwrap_or(0);
                    flag::register_usize(signal, Arc::clone(&signals.came), number)
                });
            if listening.is_err() {
                break;
            }
        }
        signals
    }

    /// The exit code that belongs to the signal that came.
    pub(super) fn exit_code(&self) -> Option<u8> {
        match self.came.load(Ordering::Relaxed) {
            0 => None,
            signal => u8::try_from(128 + signal).ok(),
        }
    }
}
