//! The progress bar: simulated time, requests a second, time to go; on stderr, only on a terminal.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::trials::Progress;
use crate::units::SimDuration;

/// Updates of the bar a second.
const UPDATES_PER_S: u64 = 8;

/// The bar of one run.
pub(super) struct Bar {
    bar: Option<ProgressBar>,
    started: Instant,
    shown: Instant,
}

impl Bar {
    /// A bar for a run that takes `horizon` of simulated time.
    #[expect(clippy::disallowed_methods, reason = "the bar shows wall-clock time")]
    pub(super) fn start(horizon: SimDuration) -> Self {
        let template = "{msg} [{bar:30}] {percent:>3} %  {elapsed} gone, {eta} to go";
        let bar = io::stderr()
            .is_terminal()
            .then(|| ProgressBar::new(horizon.0));
        if let (Some(bar), Ok(style)) = (&bar, ProgressStyle::with_template(template)) {
            bar.set_style(style.progress_chars("=> "));
        }
        let now = Instant::now();
        Self {
            bar,
            started: now,
            shown: now,
        }
    }

    /// Shows how far the run is, not more often than the eye can follow.
    #[expect(clippy::disallowed_methods, reason = "the bar shows wall-clock time")]
    pub(super) fn show(&mut self, progress: &Progress) {
        let Some(bar) = &self.bar else { return };
        let now = Instant::now();
        if now - self.shown < Duration::from_millis(1000 / UPDATES_PER_S) {
            return;
        }
        self.shown = now;
        let rate = progress.requests as f64 / (now - self.started).as_secs_f64();
        let day = SimDuration(progress.clock.0 / 3_600_000_000_000 * 3_600_000_000_000);
        bar.set_position(progress.clock.0);
        bar.set_message(format!(
            "{day} simulated, {:.1} M requests, {:.2} M/s",
            progress.requests as f64 / 1e6,
            rate / 1e6
        ));
    }

    /// Seconds since the start; the bar goes away.
    pub(super) fn finish(self) -> f64 {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.started.elapsed().as_secs_f64()
    }
}
