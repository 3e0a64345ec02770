//! The progress bar: how far, how fast, time to go; on stderr, only on a terminal.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::trials::Progress;
use crate::units::SimDuration;

/// Updates of the bar a second.
const UPDATES_PER_S: u64 = 8;
/// Steps from the start of the bar to its end.
const STEPS: u64 = 1000;

/// The bar of one run.
pub(super) struct Bar {
    bar: Option<ProgressBar>,
    started: Instant,
    shown: Instant,
}

impl Bar {
    /// A bar for a run, however many replications it has.
    #[expect(clippy::disallowed_methods, reason = "the bar shows wall-clock time")]
    pub(super) fn start() -> Self {
        let template = "{msg} [{bar:30}] {percent:>3} %  {elapsed} gone, {eta} to go";
        let bar = io::stderr().is_terminal().then(|| ProgressBar::new(STEPS));
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

    /// Shows how far a run is, not more often than the eye can follow.
    pub(super) fn show(&mut self, progress: &Progress) {
        let done = progress.clock.0 as f64 / progress.end.0.max(1) as f64;
        let started = self.started;
        self.at(done, |now| {
            let rate = progress.requests as f64 / (now - started).as_secs_f64();
            format!(
                "{}, {:.1} M requests, {:.2} M/s",
                what(progress),
                progress.requests as f64 / 1e6,
                rate / 1e6
            )
        });
    }

    /// Shows a share of the whole, 0 to 1, with words, not more often than the eye can follow.
    #[expect(clippy::disallowed_methods, reason = "the bar shows wall-clock time")]
    pub(super) fn at(&mut self, share: f64, message: impl FnOnce(Instant) -> String) {
        let Some(bar) = &self.bar else { return };
        let now = Instant::now();
        if now - self.shown < Duration::from_millis(1000 / UPDATES_PER_S) {
            return;
        }
        self.shown = now;
        bar.set_position((share.clamp(0.0, 1.0) * STEPS as f64) as u64);
        bar.set_message(message(now));
    }

    /// Seconds since the start; the bar goes away.
    pub(super) fn finish(self) -> f64 {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.started.elapsed().as_secs_f64()
    }
}

/// How far the run is, in words.
fn what(progress: &Progress) -> String {
    match progress.planned {
        0 => "pilot runs for the warm-up".to_owned(),
        1 => {
            let hours = SimDuration(progress.clock.0 / 3_600_000_000_000 * 3_600_000_000_000);
            format!("{hours} simulated")
        }
        planned => format!("{} of {planned} replications", progress.done),
    }
}
