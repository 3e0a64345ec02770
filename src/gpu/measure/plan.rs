//! How the time of a measurement is spent.

use crate::gpu::sampling::Rule;
use crate::profile::measured::IterationTime;

/// How long a measurement may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// About a quarter of a minute.
    Quick,
    /// Under a minute.
    Normal,
    /// As long as tight intervals and all batch sizes take.
    Full,
}

/// Seconds and samples.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Seconds in all, compilation included.
    total_s: f64,
    /// For each of the two ceilings.
    pub(super) ceiling: Rule,
    /// For an iteration or a decoder of one batch size.
    pub(super) point: Rule,
    /// For the first point, measured once more.
    pub(super) again: Rule,
    /// Seconds that a search for tiles may take, beside all that.
    pub(super) tuning_s: f64,
    /// Whether batch sizes between the powers of two are measured too: the fit is tested on them.
    between: bool,
}

/// No device of today gains from more images together than this.
const BATCH_MAX: u32 = 256;

impl Plan {
    pub(super) fn of(effort: Effort) -> Self {
        let rule = |warm_up_s, samples_min, samples_max, budget_s| Rule {
            warm_up_s,
            samples_min,
            samples_max,
            budget_s,
        };
        match effort {
            Effort::Quick => Self {
                total_s: 15.0,
                ceiling: rule(0.1, 5, 20, 0.5),
                point: rule(0.1, 5, 20, 0.7),
                again: rule(0.1, 5, 10, 0.5),
                tuning_s: 15.0,
                between: false,
            },
            Effort::Normal => Self {
                total_s: 50.0,
                ceiling: rule(0.5, 7, 50, 1.5),
                point: rule(0.5, 7, 50, 2.5),
                again: rule(0.2, 7, 20, 1.5),
                tuning_s: 60.0,
                between: false,
            },
            Effort::Full => Self {
                total_s: 900.0,
                ceiling: rule(1.0, 20, 200, 5.0),
                point: rule(1.0, 20, 200, 10.0),
                again: rule(1.0, 10, 50, 5.0),
                tuning_s: 300.0,
                between: true,
            },
        }
    }

    /// The same without a search for tiles.
    pub(super) fn without_search(self) -> Self {
        Self {
            tuning_s: 0.0,
            ..self
        }
    }

    /// Share of the time that has passed, the search included, below 1 while anything is left to do.
    pub(super) fn share(&self, passed_s: f64) -> f64 {
        (passed_s / (self.total_s + self.tuning_s)).min(0.99)
    }

    /// The batch sizes in order.
    pub(super) fn batches(&self, stated: Option<&[u32]>) -> Vec<u32> {
        if let Some(stated) = stated {
            return stated.to_vec();
        }
        let mut batches = Vec::new();
        let mut power = 1;
        while power <= BATCH_MAX {
            batches.push(power);
            let between = power + power / 2;
            if self.between && power >= 2 && between < BATCH_MAX {
                batches.push(between);
            }
            power *= 2;
        }
        batches
    }

    /// Whether a batch would probably not be done in time, from how long the last one took: its iteration, and
    /// the decoder, which may take far longer than one iteration.
    pub(super) fn is_late(
        &self,
        passed_s: f64,
        batch: u32,
        iterations: &[IterationTime],
        decoder: &[IterationTime],
    ) -> bool {
        let Some(first) = iterations.first() else {
            return false;
        };
        let last = [iterations.last(), decoder.last()];
        let needed_s: f64 = last
            .iter()
            .flatten()
            .map(|last| self.needed_s(batch, last))
            .sum();
        let again_s = f64::from(1 + self.again.samples_min) * first.median_s;
        passed_s + needed_s + again_s > self.total_s
    }

    /// Seconds that the samples of a batch will take, from those of another.
    fn needed_s(&self, batch: u32, last: &IterationTime) -> f64 {
        let once_s = last.median_s * f64::from(batch) / f64::from(last.batch);
        // The careful first run takes about as long as two, then warm-up and the fewest samples.
        let runs = f64::from(3 + self.point.samples_min);
        let sampling_s = self.point.warm_up_s + self.point.budget_s;
        (runs * once_s).max(sampling_s.min(once_s * 70.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::measured::IterationWork;

    fn known(batch: u32, seconds: f64) -> IterationTime {
        let work = IterationWork {
            batch,
            context_tokens: 0,
            flop: 1.0,
            bytes: 1.0,
        };
        IterationTime::of(work, vec![seconds; 7]).expect("positive samples")
    }

    #[test]
    fn batches_double_and_a_full_measurement_has_those_between() {
        let normal = Plan::of(Effort::Normal).batches(None);
        assert_eq!(normal, [1, 2, 4, 8, 16, 32, 64, 128, 256]);
        let full = Plan::of(Effort::Full).batches(None);
        assert_eq!(full[..7], [1, 2, 3, 4, 6, 8, 12]);
        assert_eq!(Plan::of(Effort::Quick).batches(Some(&[3, 5])), [3, 5]);
    }

    #[test]
    fn a_batch_that_would_take_too_long_is_late() {
        let plan = Plan::of(Effort::Normal);
        assert!(!plan.is_late(0.0, 1, &[], &[]));
        assert!(!plan.is_late(10.0, 2, &[known(1, 0.1)], &[]));
        // Twice six seconds, ten times over, is more than all the time there is.
        assert!(plan.is_late(10.0, 2, &[known(1, 6.0)], &[]));
        assert!(plan.is_late(49.9, 2, &[known(1, 0.1)], &[]));
        // A quick iteration does not help where the decoder is slow.
        assert!(plan.is_late(10.0, 2, &[known(1, 0.1)], &[known(1, 6.0)]));
        assert!(!plan.is_late(10.0, 2, &[known(1, 0.1)], &[known(1, 0.1)]));
    }

    #[test]
    fn progress_stays_below_the_end() {
        assert_eq!(Plan::of(Effort::Quick).share(1e9), 0.99);
        assert_eq!(Plan::of(Effort::Quick).share(0.0), 0.0);
        // A search takes longer, so that the bar is slower.
        assert_eq!(Plan::of(Effort::Quick).share(15.0), 0.5);
        assert_eq!(Plan::of(Effort::Quick).without_search().share(7.5), 0.5);
    }
}
