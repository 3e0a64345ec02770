//! How long each kernel takes, found out carefully, and dispatches that are short because of it.
//!
//! A dispatch that takes seconds freezes a desktop, and Windows resets a device after two. So the first run
//! of a program feels its way: each kernel starts with one workgroup and takes a few times more as long as
//! the next dispatch is predicted to be short. From the pace so found the program is cut into submissions
//! that keep well below [`DISPATCH_S_MAX`].

use std::collections::BTreeMap;
use std::ops::Range;

use super::Error;
use super::device::{Device, Part, Stage};

/// No dispatch may be predicted to take longer, in seconds.
pub const DISPATCH_S_MAX: f64 = 0.25;

/// What a submission aims at: the margin is for a prediction that is off, as when a device throttles.
const SUBMISSION_S: f64 = 0.1;

/// By how much a dispatch may be larger than the one from which its time is predicted.
const GROWTH_MAX: u32 = 8;

/// Seconds a workgroup by kind of stage, from the largest dispatch of it that was seen.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    by_kind: BTreeMap<String, Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    workgroups: u32,
    s_per_workgroup: f64,
}

/// A program cut into submissions.
#[derive(Debug)]
pub struct Schedule {
    submissions: Vec<Vec<Part>>,
    /// Kernels whose one stage takes several dispatches, with their greatest number.
    pub splits: BTreeMap<String, u32>,
    /// The longest predicted dispatch in seconds.
    pub longest_dispatch_s: f64,
}

impl Pace {
    /// Runs the stages once, in order, and learns how long they take.
    ///
    /// # Errors
    /// As the device fails.
    pub fn learn(&mut self, device: &Device, stages: &[Stage]) -> Result<(), Error> {
        for stage in stages {
            let mut done = 0;
            while done < stage.workgroups {
                let count = self.next(stage.kind()).min(stage.workgroups - done);
                let part = device.part(stage, done..done + count)?;
                if !self.by_kind.contains_key(stage.kind()) {
                    // Some drivers compile at the first dispatch; that is not the kernel's time.
                    device.run(&[&part])?;
                }
                let seconds = device.run(&[&part])?;
                self.note(stage.kind(), count, seconds);
                done += count;
            }
        }
        Ok(())
    }

    /// Workgroups that the next dispatch of this kind may have.
    fn next(&self, kind: &str) -> u32 {
        let Some(seen) = self.by_kind.get(kind) else {
            return 1;
        };
        let short = SUBMISSION_S / seen.s_per_workgroup.max(f64::MIN_POSITIVE);
        let grown = seen.workgroups.saturating_mul(GROWTH_MAX);
        // `as` saturates where a workgroup takes no time that the clock can tell.
        grown.min(short as u32).max(1)
    }

    fn note(&mut self, kind: &str, workgroups: u32, seconds: f64) {
        let seen = Seen {
            workgroups,
            s_per_workgroup: seconds / f64::from(workgroups),
        };
        let known = self.by_kind.entry(kind.to_owned()).or_insert(seen);
        // Others on the device can only make it slower, so the quickest of equals is the truest.
        let is_quicker = seen.s_per_workgroup < known.s_per_workgroup;
        if workgroups > known.workgroups || (workgroups == known.workgroups && is_quicker) {
            *known = seen;
        }
    }

    /// Predicted seconds of some workgroups of a kind.
    fn predict(&self, kind: &str, workgroups: u32) -> f64 {
        let each = self.by_kind.get(kind).map_or(0.0, |s| s.s_per_workgroup);
        each * f64::from(workgroups)
    }

    /// The stages in order, cut and gathered into submissions of about a tenth of a second.
    ///
    /// # Errors
    /// As the device fails.
    pub fn schedule(&self, device: &Device, stages: &[Stage]) -> Result<Schedule, Error> {
        let mut schedule = Schedule {
            submissions: Vec::new(),
            splits: BTreeMap::new(),
            longest_dispatch_s: 0.0,
        };
        let mut open_s = f64::INFINITY;
        for stage in stages {
            let whole_s = self.predict(stage.kind(), stage.workgroups);
            let pieces = (whole_s / SUBMISSION_S).ceil().max(1.0) as u32;
            let ranges = cut(stage.workgroups, pieces);
            if ranges.len() > 1 {
                let most = schedule.splits.entry(stage.name().to_owned()).or_default();
                *most = (*most).max(ranges.len() as u32);
            }
            for range in ranges {
                let seconds = self.predict(stage.kind(), range.len() as u32);
                schedule.longest_dispatch_s = schedule.longest_dispatch_s.max(seconds);
                if open_s + seconds > SUBMISSION_S {
                    schedule.submissions.push(Vec::new());
                    open_s = 0.0;
                }
                open_s += seconds;
                let part = device.part(stage, range)?;
                if let Some(last) = schedule.submissions.last_mut() {
                    last.push(part);
                }
            }
        }
        Ok(schedule)
    }
}

impl Schedule {
    /// Runs everything once and returns the seconds that the device was at it.
    ///
    /// # Errors
    /// As the device fails.
    pub fn run(&self, device: &Device) -> Result<f64, Error> {
        let mut seconds = 0.0;
        for submission in &self.submissions {
            seconds += device.run(&submission.iter().collect::<Vec<_>>())?;
        }
        Ok(seconds)
    }

    /// Number of submissions.
    #[must_use]
    pub fn submissions(&self) -> usize {
        self.submissions.len()
    }
}

/// `count` in `pieces` ranges of nearly equal length, none empty.
fn cut(count: u32, pieces: u32) -> Vec<Range<u32>> {
    let length = count.div_ceil(pieces.max(1)).max(1);
    (0..count)
        .step_by(length as usize)
        .map(|start| start..(start + length).min(count))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dispatch_grows_only_while_it_is_predicted_to_be_short() {
        let mut pace = Pace::default();
        assert_eq!(pace.next("gemm"), 1);
        pace.note("gemm", 1, 1e-5);
        assert_eq!(pace.next("gemm"), 8);
        pace.note("gemm", 8, 0.08);
        // Ten milliseconds each: ten of them take a tenth of a second.
        assert_eq!(pace.next("gemm"), 10);
        pace.note("gemm", 2, 1.0);
        assert_eq!(pace.next("gemm"), 10, "smaller dispatches tell less");
        pace.note("gemm", 10, 20.0);
        assert_eq!(pace.next("gemm"), 1);
        pace.note("copy", 1, 0.0);
        assert_eq!(pace.next("copy"), 8);
    }

    #[test]
    fn a_cut_covers_everything_once() {
        for (count, pieces) in [(1, 1), (7, 3), (65_536, 5), (3, 9)] {
            let ranges = cut(count, pieces);
            assert!(ranges.len() <= pieces as usize);
            let mut next = 0;
            for range in ranges {
                assert_eq!(range.start, next);
                assert!(!range.is_empty());
                next = range.end;
            }
            assert_eq!(next, count);
        }
    }
}
