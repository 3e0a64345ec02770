//! From measured points to the iteration time of every batch size, with how sure it is.
//!
//! tau(n, c) = a(n) + g c. Between measured batches a(n) runs straight. What a GPU takes is the larger of
//! arithmetic and traffic, in whole waves of tiles, so it is a staircase around a line with a knee: cubic
//! interpolation (in n or in logarithms), chords averaged with tangents, and a fitted smooth maximum of a
//! constant and a line predicted unseen batches of such curves no better than straight lines, and each needs
//! more points. Below the smallest batch a(n) is level, and above the largest it grows in proportion: no
//! better throughput than was seen is promised.
//!
//! g is the common slope of the batches for which several contexts were measured, 0 without any. The
//! decoder runs once an image, after its last iteration; here a share of it, one over the iterations of an
//! image, is part of each iteration, which is the same for a busy replica.

use super::measured::{CONFIDENCE, IterationTime, MeasuredProfile, SPREAD_MAX};
use crate::stats::{median, normal_quantile};

/// Iteration times of all batch sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// What was measured, by batch; not empty.
    pub points: Vec<Point>,
    /// g: seconds for each context token and iteration.
    pub per_context_token_s: f64,
    /// Standard deviation of the logarithm of what a batch between two measured ones takes, given them:
    /// that of the inner points, each predicted from its neighbours. Their gaps are wider than those
    /// between measured points, so it is rather too large; 0 with fewer than three points.
    pub interpolation_log_sd: f64,
}

/// The iteration time of one batch size without context, its share of the decoder included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Images made together.
    pub batch: u32,
    /// Seconds of one iteration.
    pub iteration_s: f64,
    /// Standard deviation of its logarithm, from the interval of the median.
    pub log_sd: f64,
    /// Which share of the time is arithmetic, 0..=1, the rest traffic: in the proportion of the times
    /// that both would take at the ceilings. `None` where no ceiling was measured.
    pub compute_share: Option<f64>,
}

impl Fit {
    /// The fit of all points; `None` where there are none, as in a run that ended early, or where the
    /// context explains more than all of the time.
    #[must_use]
    pub fn of(profile: &MeasuredProfile) -> Option<Self> {
        Self::of_batches(profile, &|_| true)
    }

    /// The fit of the batch sizes that are wanted.
    fn of_batches(profile: &MeasuredProfile, wanted: &dyn Fn(u32) -> bool) -> Option<Self> {
        let times: Vec<&IterationTime> = profile
            .iterations
            .iter()
            .filter(|time| wanted(time.batch))
            .collect();
        let per_context_token_s = context_slope(&times);
        let same_batch = |a: &&IterationTime, b: &&IterationTime| a.batch == b.batch;
        let points: Vec<Point> = times
            .chunk_by(same_batch)
            .map(|group| point(profile, group, per_context_token_s))
            .collect();
        let usable = points.iter().all(|point| point.iteration_s > 0.0);
        (usable && !points.is_empty()).then(|| Self {
            interpolation_log_sd: interpolation_log_sd(&points),
            points,
            per_context_token_s,
        })
    }

    /// Seconds of one iteration of `batch` images without context.
    #[must_use]
    pub fn iteration_s(&self, batch: u32) -> f64 {
        straight(&self.points, batch)
    }

    /// Standard deviation of the logarithm of the iteration time of a batch.
    #[must_use]
    pub fn log_sd(&self, batch: u32) -> f64 {
        let after = self.points.partition_point(|point| point.batch < batch);
        let above = &self.points[after.min(self.points.len() - 1)];
        let below = &self.points[after.saturating_sub(1)];
        match above.batch == batch {
            true => above.log_sd,
            false => libm::hypot(above.log_sd.max(below.log_sd), self.interpolation_log_sd),
        }
    }

    /// Ends of the 95 % interval of `iteration_s`: log-normal around it.
    #[must_use]
    pub fn interval_s(&self, batch: u32) -> (f64, f64) {
        let reach = z(CONFIDENCE) * self.log_sd(batch);
        let middle = self.iteration_s(batch);
        (middle * libm::exp(-reach), middle * libm::exp(reach))
    }

    /// The largest standard deviation of the logarithm over batches up to a limit: of the one factor by
    /// which a whole curve may be off.
    #[must_use]
    pub fn factor_log_sd(&self, batch_limit: u32) -> f64 {
        let batches = 1..=batch_limit.max(1);
        batches.map(|batch| self.log_sd(batch)).fold(0.0, f64::max)
    }

    /// The largest batch that was measured.
    #[must_use]
    pub fn largest_batch(&self) -> u32 {
        self.points.last().map_or(1, |point| point.batch)
    }

    /// Points of a table that is straight between them and level outside, for batches up to a limit.
    #[must_use]
    pub fn table(&self, batch_limit: u32) -> Vec<(u32, f64)> {
        let mut table: Vec<(u32, f64)> = self
            .points
            .iter()
            .map(|point| (point.batch, point.iteration_s))
            .collect();
        if batch_limit > self.largest_batch() {
            table.push((batch_limit, self.iteration_s(batch_limit)));
        }
        table
    }
}

/// Predictions of batches that the fit did not see.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// By batch and context.
    pub held_out: Vec<HeldOut>,
    /// Median of the sizes of the relative errors.
    pub median_error: f64,
    /// The largest of them.
    pub worst_error: f64,
}

/// One point that the fit did not see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut {
    /// Images made together.
    pub batch: u32,
    /// Context tokens of the batch.
    pub context_tokens: u64,
    /// What was measured, in seconds, with its share of the decoder.
    pub measured_s: f64,
    /// What the fit of the other batches says.
    pub predicted_s: f64,
}

impl HeldOut {
    /// By how much the prediction is off, as a share of what was measured.
    #[must_use]
    pub fn error(&self) -> f64 {
        self.predicted_s / self.measured_s - 1.0
    }
}

/// Fits all batches but those held out, predicts these, and says how far off it is. `None` where nothing
/// is left to fit, or nothing is held out.
#[must_use]
pub fn predict(profile: &MeasuredProfile, held_out: &[u32]) -> Option<Prediction> {
    let fit = Fit::of_batches(profile, &|batch| !held_out.contains(&batch))?;
    let unseen = profile.iterations.iter();
    let unseen = unseen.filter(|time| held_out.contains(&time.batch));
    let held_out: Vec<HeldOut> = unseen
        .map(|time| HeldOut {
            batch: time.batch,
            context_tokens: time.context_tokens,
            measured_s: time.median_s + decoder_share(profile, time.batch).0,
            predicted_s: fit.iteration_s(time.batch)
                + fit.per_context_token_s * time.context_tokens as f64,
        })
        .collect();
    let errors: Vec<f64> = held_out.iter().map(|point| point.error().abs()).collect();
    Some(Prediction {
        held_out,
        median_error: median(&errors, CONFIDENCE)?.value,
        worst_error: errors.iter().copied().fold(0.0, f64::max),
    })
}

/// Every second of the batches between the smallest and the largest: what `predict` is asked for where
/// nobody chose.
#[must_use]
pub fn every_second_batch(profile: &MeasuredProfile) -> Vec<u32> {
    let mut batches: Vec<u32> = profile.iterations.iter().map(|time| time.batch).collect();
    batches.dedup();
    let inner = batches.len().saturating_sub(1);
    batches[..inner]
        .iter()
        .copied()
        .skip(1)
        .step_by(2)
        .collect()
}

/// The common slope within batches, each point weighted by the square of its precision, that is, of
/// 1 / time; not below 0.
fn context_slope(times: &[&IterationTime]) -> f64 {
    let (mut products, mut squares) = (0.0, 0.0);
    for group in times.chunk_by(|a, b| a.batch == b.batch) {
        let weight = |time: &IterationTime| 1.0 / (time.median_s * time.median_s);
        let weights: f64 = group.iter().map(|time| weight(time)).sum();
        let mean = |value: &dyn Fn(&IterationTime) -> f64| {
            group
                .iter()
                .map(|time| weight(time) * value(time))
                .sum::<f64>()
                / weights
        };
        let context = mean(&|time| time.context_tokens as f64);
        let seconds = mean(&|time| time.median_s);
        for time in group {
            let distance = time.context_tokens as f64 - context;
            products += weight(time) * distance * (time.median_s - seconds);
            squares += weight(time) * distance * distance;
        }
    }
    if squares > 0.0 {
        (products / squares).max(0.0)
    } else {
        0.0
    }
}

/// One batch size: the mean over its contexts, less what the context takes, with its share of the decoder.
fn point(profile: &MeasuredProfile, group: &[&IterationTime], per_context_token_s: f64) -> Point {
    let count = group.len() as f64;
    let mean = |value: &dyn Fn(&IterationTime) -> f64| {
        group.iter().map(|time| value(time)).sum::<f64>() / count
    };
    let batch = group[0].batch;
    let model_s = mean(&|time| time.median_s - per_context_token_s * time.context_tokens as f64);
    let model_sd_s = mean(&|time| time.median_s * log_sd(time));
    let (decoder_s, decoder_sd_s) = decoder_share(profile, batch);
    let iteration_s = model_s + decoder_s;
    let iterations = f64::from(profile.workload.iterations_per_image);
    let decoder =
        |value: fn(&IterationTime) -> f64| nearest_decoder(profile, batch, value) / iterations;
    let flop = mean(&|time| time.flop) + decoder(|time| time.flop);
    let bytes = mean(&|time| time.bytes) + decoder(|time| time.bytes);
    let ceilings = &profile.ceilings;
    let compute_share = ceilings
        .gemm
        .as_ref()
        .zip(ceilings.copy.as_ref())
        .map(|(gemm, copy)| {
            let compute_s = flop / gemm.flop_per_s.median;
            compute_s / (compute_s + bytes / copy.bytes_per_s.median)
        });
    Point {
        batch,
        iteration_s,
        log_sd: libm::hypot(model_sd_s, decoder_sd_s) / iteration_s,
        compute_share,
    }
}

/// Seconds of the decoder for each iteration of a batch, and their standard deviation.
fn decoder_share(profile: &MeasuredProfile, batch: u32) -> (f64, f64) {
    let iterations = f64::from(profile.workload.iterations_per_image);
    let seconds = nearest_decoder(profile, batch, |time| time.median_s);
    let deviation = nearest_decoder(profile, batch, |time| time.median_s * log_sd(time));
    (seconds / iterations, deviation / iterations)
}

/// A figure of the decoder at a batch: straight between what was measured, in proportion outside; 0 without
/// a decoder.
pub(crate) fn nearest_decoder(
    profile: &MeasuredProfile,
    batch: u32,
    value: fn(&IterationTime) -> f64,
) -> f64 {
    let points: Vec<(u32, f64)> = profile
        .decoder
        .iter()
        .map(|time| (time.batch, value(time)))
        .collect();
    match (points.first(), points.last()) {
        (Some(first), _) if batch < first.0 => first.1 * f64::from(batch) / f64::from(first.0),
        (_, Some(last)) if batch > last.0 => last.1 * f64::from(batch) / f64::from(last.0),
        _ => super::interpolate(&points, batch),
    }
}

/// Standard deviation of the logarithm of a median, from its interval: that of a normal law with such an
/// interval. Where fewer than three samples say next to nothing, the spread that is called noisy.
fn log_sd(time: &IterationTime) -> f64 {
    let interval = time.interval;
    match time.samples_s.len() {
        ..3 => SPREAD_MAX,
        _ => libm::log(interval.high_s / interval.low_s) / (2.0 * z(interval.confidence)),
    }
}

/// How many standard deviations the central interval of a confidence reaches.
fn z(confidence: f64) -> f64 {
    normal_quantile(f64::midpoint(1.0, confidence))
}

/// Straight between points, level below, in proportion above.
fn straight(points: &[Point], batch: u32) -> f64 {
    let table: Vec<(u32, f64)> = points.iter().map(|p| (p.batch, p.iteration_s)).collect();
    match table.last() {
        Some(last) if batch > last.0 => last.1 * f64::from(batch) / f64::from(last.0),
        _ => super::interpolate(&table, batch),
    }
}

/// Root of the mean square of the logarithmic errors of the inner points, each predicted from the others.
fn interpolation_log_sd(points: &[Point]) -> f64 {
    if points.len() < 3 {
        return 0.0;
    }
    let squares = points.windows(3).map(|three| {
        let predicted = straight(&[three[0], three[2]], three[1].batch);
        let error = libm::log(predicted / three[1].iteration_s);
        error * error
    });
    libm::sqrt(squares.sum::<f64>() / (points.len() - 2) as f64)
}

#[cfg(test)]
mod tests;
