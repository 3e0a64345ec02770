//! A streaming histogram of times with a bounded relative error.
//!
//! Buckets are log-linear: each octave [2^k, 2^(k+1)) nanoseconds is cut into 64 equal buckets, and
//! times below 128 ns have a bucket each. The middle of a bucket is then within 1/128 < 0.8 % of every
//! time in it. Finding the bucket is a shift (the idea of HdrHistogram, Tene 2012), so recording is
//! O(1); 3776 buckets cover all of `u64`, 30 KiB, of which only those up to the largest time are held.
//! Count, sum and maximum are exact.

use crate::units::NS_PER_S;

/// log2 of the number of buckets in an octave.
const OCTAVE_BITS: u32 = 6;

/// Samples that must lie beyond a quantile for it to be given: with fewer, the quantile is little more
/// than one of the few largest samples (its relative standard error in rank is above 1 / sqrt(10)).
const SAMPLES_BEYOND: u64 = 10;

/// Counts of times in nanoseconds, by log-linear buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Counts by bucket, up to the largest time seen so far.
    buckets: Vec<u64>,
    count: u64,
    sum: u128,
    max: u64,
}

impl Histogram {
    /// A histogram without samples; it holds no memory yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one time in nanoseconds.
    #[inline]
    pub fn record(&mut self, ns: u64) {
        let index = index_of(ns);
        if index >= self.buckets.len() {
            self.grow(index);
        }
        self.buckets[index] += 1;
        self.count += 1;
        self.sum += u128::from(ns);
        self.max = self.max.max(ns);
    }

    /// Makes room for the bucket `index`, to the end of its octave so that growing stays rare.
    #[cold]
    fn grow(&mut self, index: usize) {
        self.buckets
            .resize((index | ((1 << OCTAVE_BITS) - 1)) + 1, 0);
    }

    /// Adds all samples of `other`.
    pub fn merge(&mut self, other: &Self) {
        if other.buckets.len() > self.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// The samples that came after `before`, an earlier state of this histogram. Their maximum is not
    /// known; that of all stands for it.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut later = self.clone();
        for (count, earlier) in later.buckets.iter_mut().zip(&before.buckets) {
            *count -= earlier;
        }
        later.count -= before.count;
        later.sum -= before.sum;
        later
    }

    /// Number of samples.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Sum of all samples in nanoseconds, exact.
    #[must_use]
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// Mean in seconds, exact up to the rounding of the quotient; `None` without samples.
    #[must_use]
    pub fn mean_s(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64 / NS_PER_S as f64)
    }

    /// The largest sample in seconds; `None` without samples.
    #[must_use]
    pub fn max_s(&self) -> Option<f64> {
        (self.count > 0).then(|| self.max as f64 / NS_PER_S as f64)
    }

    /// The `q`-quantile in nanoseconds (0 <= `q` < 1): the middle of the bucket of the sample of rank
    /// ceil(q x count). `None` where fewer than 10 samples lie beyond it.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let rank = rank_of(q, self.count);
        if self.count.saturating_sub(rank) < SAMPLES_BEYOND {
            return None;
        }
        let mut below = 0;
        let index = self.buckets.iter().position(|&bucket| {
            below += bucket;
            below >= rank
        })?;
        let (lowest, width) = bounds_of(index);
        Some((lowest + (width - 1) / 2).min(self.max))
    }

    /// `quantile` in seconds.
    #[must_use]
    pub fn quantile_s(&self, q: f64) -> Option<f64> {
        self.quantile(q).map(|ns| ns as f64 / NS_PER_S as f64)
    }

    /// Number of samples of at most `ns` nanoseconds: exact where `ns` ends a bucket, in proportion
    /// inside one, rounded down.
    #[must_use]
    pub fn count_at_most(&self, ns: u64) -> u64 {
        if ns >= self.max {
            return self.count;
        }
        let index = index_of(ns);
        let below: u64 = self.buckets.iter().take(index).sum();
        let within = self.buckets.get(index).copied().unwrap_or(0);
        let (lowest, width) = bounds_of(index);
        let part = u128::from(within) * u128::from(ns - lowest + 1) / u128::from(width);
        below + u64::try_from(part).expect("a part of a u64 count is a u64")
    }
}

/// The bucket of a time. With `shift` the bits that the bucket drops, the kept 7 bits (6 below 64 ns)
/// are 64..128, which continue where the octave before ended.
#[inline]
fn index_of(ns: u64) -> usize {
    let shift = (u64::BITS - 1 - OCTAVE_BITS).saturating_sub((ns | 1).leading_zeros());
    ((u64::from(shift) << OCTAVE_BITS) + (ns >> shift)) as usize
}

/// The smallest time of a bucket and how many nanoseconds it spans.
fn bounds_of(index: usize) -> (u64, u64) {
    let shift = (index >> OCTAVE_BITS).saturating_sub(1);
    let kept = (index - (shift << OCTAVE_BITS)) as u64;
    (kept << shift, 1 << shift)
}

/// ceil(q x count), at least 1; a product a rounding above a whole number counts as that number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a product of a share and a count is a count"
)]
fn rank_of(q: f64, count: u64) -> u64 {
    let product = q * count as f64;
    ((product * (1.0 - 4.0 * f64::EPSILON)).ceil() as u64).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_tile_all_times_with_a_relative_error_under_0_8_percent() {
        let mut next = 0_u64;
        for index in 0.. {
            let (lowest, width) = bounds_of(index);
            assert_eq!(lowest, next);
            assert_eq!(index_of(lowest), index);
            assert_eq!(index_of(lowest + (width - 1)), index);
            assert!(width == 1 || width as f64 / 2.0 / lowest as f64 <= 1.0 / 128.0);
            match lowest.checked_add(width) {
                Some(end) => next = end,
                None => {
                    assert_eq!(index, 3775);
                    break;
                }
            }
        }
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_samples() {
        let mut histogram = Histogram::new();
        let samples: Vec<u64> = (1..=10_000_u64).map(|i| i * i * 1000).collect();
        for &ns in &samples {
            histogram.record(ns);
        }
        for q in [0.0, 0.01, 0.5, 0.9, 0.99, 0.999] {
            let exact = samples[(rank_of(q, 10_000) - 1) as usize] as f64;
            let found = histogram.quantile(q).expect("enough samples") as f64;
            assert!(
                (found / exact - 1.0).abs() <= 1.0 / 128.0,
                "{q}: {found} {exact}"
            );
        }
        assert_eq!(
            histogram.sum(),
            samples.iter().map(|&ns| u128::from(ns)).sum()
        );
        assert_eq!(histogram.max_s(), Some(100.0));
    }

    #[test]
    fn a_quantile_needs_ten_samples_beyond_it() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), None);
        assert_eq!(histogram.mean_s(), None);
        for _ in 0..99 {
            histogram.record(5);
        }
        assert_eq!(histogram.quantile(0.9), None);
        histogram.record(5);
        assert_eq!(histogram.quantile(0.9), Some(5));
        assert_eq!(histogram.quantile(0.99), None);
    }

    #[test]
    fn a_merge_equals_recording_everything_in_one() {
        let (mut left, mut right, mut both) =
            (Histogram::new(), Histogram::new(), Histogram::new());
        for ns in [0, 1, 127, 128, 1_000_000, u64::MAX] {
            left.record(ns);
            both.record(ns);
        }
        for ns in [3, 77_777_777] {
            right.record(ns);
            both.record(ns);
        }
        right.merge(&left);
        assert_eq!(right, both);
        let mut later = both.since(&left);
        later.max = 77_777_777;
        let mut expected = Histogram::new();
        expected.record(3);
        expected.record(77_777_777);
        expected.buckets.resize(later.buckets.len(), 0);
        assert_eq!(later, expected, "what came since");
    }

    #[test]
    fn counts_at_bucket_edges_are_exact_and_run_straight_inside() {
        let mut histogram = Histogram::new();
        for ns in 0..4096 {
            histogram.record(ns);
        }
        for ns in [0, 63, 127, 128, 129, 1000, 4094, 4095, 1 << 40] {
            assert_eq!(histogram.count_at_most(ns), (ns + 1).min(4096));
        }
    }
}
