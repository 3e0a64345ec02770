//! A training job on the GPUs that a division gives it: what it does, and what it loses when they are taken.
//!
//! Every GPU does its part of the work alike, and the state is kept at whole multiples of a time. When some of
//! its GPUs are taken, their part of what was done since then is lost; in an outage all of it is. When it gets or
//! loses some, it stands still for a while.

use crate::scenario::Training;
use crate::units::SimTime;

/// What a training job did, in GPUs x ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TrainingTally {
    /// It trained, with what was lost later.
    pub(super) trained_gpu_ns: u128,
    /// Of that it was done again, or never.
    pub(super) lost_gpu_ns: u128,
    /// It held GPUs and stood still.
    pub(super) stalled_gpu_ns: u128,
}

/// The job.
#[derive(Clone, Debug)]
pub(super) struct Job {
    rule: Training,
    gpus: u64,
    /// What it did since its state was kept.
    unsaved_gpu_ns: u128,
    /// It stands still until then.
    resumes: SimTime,
    /// When its cluster stands still.
    outages: Vec<(SimTime, SimTime)>,
    tally: TrainingTally,
}

impl Job {
    pub(super) fn new(rule: Training, outages: Vec<(SimTime, SimTime)>) -> Self {
        Self {
            rule,
            gpus: 0,
            unsaved_gpu_ns: 0,
            resumes: SimTime::ZERO,
            outages,
            tally: TrainingTally::default(),
        }
    }

    /// The start: it has run so all along.
    pub(super) fn begin(&mut self, gpus: u64) {
        self.gpus = gpus;
    }

    /// It has so many GPUs from now on.
    pub(super) fn give(&mut self, gpus: u64, now: SimTime) {
        if gpus == self.gpus {
            return;
        }
        let taken = u128::from(self.gpus.saturating_sub(gpus));
        if let Some(lost) = (self.unsaved_gpu_ns * taken).checked_div(u128::from(self.gpus)) {
            self.unsaved_gpu_ns -= lost;
            self.tally.lost_gpu_ns += lost;
        }
        self.gpus = gpus;
        self.resumes = now + self.rule.restart;
    }

    /// Time has passed; outages begin and end where windows do.
    pub(super) fn pass(&mut self, from: SimTime, until: SimTime) {
        let gpu_ns = |from: SimTime, until: SimTime| {
            u128::from(self.gpus) * u128::from(until.0.saturating_sub(from.0))
        };
        let mut outages = self.outages.iter();
        if outages.any(|&(begin, end)| begin <= from && from < end) {
            self.tally.lost_gpu_ns += self.unsaved_gpu_ns;
            self.unsaved_gpu_ns = 0;
            self.tally.stalled_gpu_ns += gpu_ns(from, until);
            return;
        }
        let resumes = from.max(self.resumes).min(until);
        let (stalled, trained) = (gpu_ns(from, resumes), gpu_ns(resumes, until));
        let every = self.rule.checkpoint_every.0.max(1);
        let kept = SimTime(until.0 / every * every);
        self.unsaved_gpu_ns = match kept > from {
            true => gpu_ns(kept.max(resumes), until),
            false => self.unsaved_gpu_ns + trained,
        };
        self.tally.stalled_gpu_ns += stalled;
        self.tally.trained_gpu_ns += trained;
    }

    pub(super) fn tally(&self) -> TrainingTally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    fn job(restart_s: f64, outages: &[(f64, f64)]) -> Job {
        let rule = Training {
            checkpoint_every: SimDuration::from_s(100.0),
            restart: SimDuration::from_s(restart_s),
        };
        let at = |&(from, until): &(f64, f64)| (SimTime::from_s(from), SimTime::from_s(until));
        let mut job = Job::new(rule, outages.iter().map(at).collect());
        job.begin(8);
        job
    }

    /// GPU-seconds trained, lost and stalled after these changes (seconds, GPUs) up to an end.
    fn played(mut job: Job, changes: &[(f64, u64)], until_s: f64) -> [u128; 3] {
        let mut now = SimTime::ZERO;
        for &(s, gpus) in changes {
            job.pass(now, SimTime::from_s(s));
            now = SimTime::from_s(s);
            job.give(gpus, now);
        }
        job.pass(now, SimTime::from_s(until_s));
        let tally = job.tally();
        [
            tally.trained_gpu_ns,
            tally.lost_gpu_ns,
            tally.stalled_gpu_ns,
        ]
        .map(|gpu_ns| gpu_ns / 1_000_000_000)
    }

    #[test]
    fn gpus_that_are_taken_lose_what_they_did_since_the_state_was_kept() {
        // 130 s with 8 GPUs; 3 of them are taken 30 s after the state was kept; 70 s with 5; then 10 s with 8.
        let found = played(job(0.0, &[]), &[(130.0, 5), (200.0, 8)], 210.0);
        assert_eq!(found, [8 * 130 + 5 * 70 + 8 * 10, 3 * 30, 0]);
        // At the very instant at which it is kept nothing is lost.
        assert_eq!(played(job(0.0, &[]), &[(100.0, 0)], 150.0), [800, 0, 0]);
    }

    #[test]
    fn the_job_stands_still_while_it_restarts_and_in_outages() {
        let found = played(job(20.0, &[]), &[(130.0, 5)], 160.0);
        assert_eq!(found, [8 * 130 + 5 * 10, 3 * 30, 5 * 20]);
        // Up to 150 s, out until 160 s, and on until 170 s.
        let out = job(0.0, &[(150.0, 160.0)]);
        let found = played(out, &[(150.0, 8), (160.0, 8)], 170.0);
        assert_eq!(found, [8 * 160, 8 * 50, 8 * 10]);
    }
}
