//! What the times of a device profile mean for images, and how far they are from the ceilings.

use crate::profile::MeasuredProfile;
use crate::profile::fit::nearest_decoder;
use crate::profile::measured::IterationTime;

/// A value with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::report) struct Span {
    pub(in crate::report) value: f64,
    pub(in crate::report) low: f64,
    pub(in crate::report) high: f64,
}

/// What a batch means for its images. Its intervals add the ends of those of iteration and decoder, so they
/// are rather too wide.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Image {
    /// Images made together.
    pub(in crate::report) batch: u32,
    /// Seconds from noise or prompt to RGB, the same for all images of the batch.
    pub(in crate::report) latency_s: Span,
    /// Of it seconds in the decoder.
    pub(in crate::report) decoder_s: f64,
    /// Images a second, batch after batch.
    pub(in crate::report) per_s: Span,
}

/// Which ceiling an iteration meets first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Roofline {
    /// The rate of the matrix product.
    Arithmetic,
    /// The rate of the copy.
    Memory,
}

/// An iteration of one batch and context.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Row {
    pub(in crate::report) batch: u32,
    pub(in crate::report) context_tokens: u64,
    pub(in crate::report) time_s: Span,
    pub(in crate::report) confidence: f64,
    pub(in crate::report) spread: f64,
    pub(in crate::report) noisy: bool,
    pub(in crate::report) samples: usize,
    pub(in crate::report) flop_per_s: f64,
    pub(in crate::report) bytes_per_s: f64,
    /// FLOP for each byte.
    pub(in crate::report) intensity: f64,
    /// `flop_per_s` over that of the measured matrix product.
    pub(in crate::report) share_of_gemm: Option<f64>,
    /// `bytes_per_s` over that of the measured copy.
    pub(in crate::report) share_of_copy: Option<f64>,
    /// Which ceiling would take longer for this work alone (Williams, Waterman and Patterson, CACM 52(4),
    /// 2009).
    pub(in crate::report) roofline: Option<Roofline>,
}

impl Row {
    /// The share of the ceiling that binds.
    pub(in crate::report) fn share_of_roofline(&self) -> Option<f64> {
        match self.roofline? {
            Roofline::Arithmetic => self.share_of_gemm,
            Roofline::Memory => self.share_of_copy,
        }
    }
}

/// The iterations in the order of the file.
pub(in crate::report) fn rows(profile: &MeasuredProfile) -> Vec<Row> {
    let ceilings = &profile.ceilings;
    let gemm = ceilings.gemm.as_ref().map(|gemm| gemm.flop_per_s.median);
    let copy = ceilings.copy.as_ref().map(|copy| copy.bytes_per_s.median);
    let row = |time: &IterationTime| {
        let flop_per_s = time.flop / time.median_s;
        let bytes_per_s = time.bytes / time.median_s;
        let roofline =
            gemm.zip(copy)
                .map(|(gemm, copy)| match time.flop / gemm >= time.bytes / copy {
                    true => Roofline::Arithmetic,
                    false => Roofline::Memory,
                });
        Row {
            batch: time.batch,
            context_tokens: time.context_tokens,
            time_s: span(time),
            confidence: time.interval.confidence,
            spread: time.spread,
            noisy: time.noisy,
            samples: time.samples_s.len(),
            flop_per_s,
            bytes_per_s,
            intensity: time.flop / time.bytes,
            share_of_gemm: gemm.map(|gemm| flop_per_s / gemm),
            share_of_copy: copy.map(|copy| bytes_per_s / copy),
            roofline,
        }
    };
    profile.iterations.iter().map(row).collect()
}

fn span(time: &IterationTime) -> Span {
    Span {
        value: time.median_s,
        low: time.interval.low_s,
        high: time.interval.high_s,
    }
}

/// One row a batch. The decoder of a batch that was not measured is taken from its neighbours.
pub(in crate::report) fn images(profile: &MeasuredProfile) -> Vec<Image> {
    let iterations = f64::from(profile.workload.iterations_per_image);
    let same_batch = |a: &IterationTime, b: &IterationTime| a.batch == b.batch;
    let image = |times: &[IterationTime]| {
        let batch = times[0].batch;
        let decoder = |value| nearest_decoder(profile, batch, value);
        let whole = |of_iteration, of_decoder| {
            iterations * over_contexts(times, of_iteration) + decoder(of_decoder)
        };
        let latency_s = Span {
            value: whole(|time| time.median_s, |time| time.median_s),
            low: whole(|time| time.interval.low_s, |time| time.interval.low_s),
            high: whole(|time| time.interval.high_s, |time| time.interval.high_s),
        };
        Image {
            batch,
            latency_s,
            decoder_s: decoder(|time| time.median_s),
            per_s: Span {
                value: f64::from(batch) / latency_s.value,
                low: f64::from(batch) / latency_s.high,
                high: f64::from(batch) / latency_s.low,
            },
        }
    };
    let batches = profile.iterations.chunk_by(same_batch);
    batches.map(image).collect()
}

/// The mean over an image, whose context grows evenly from the least to the greatest that was measured: the
/// trapezoidal rule.
fn over_contexts(times: &[IterationTime], value: fn(&IterationTime) -> f64) -> f64 {
    let (first, last) = (&times[0], &times[times.len() - 1]);
    let length = last.context_tokens - first.context_tokens;
    if length == 0 {
        return value(first);
    }
    let areas = times.windows(2).map(|pair| {
        let width = (pair[1].context_tokens - pair[0].context_tokens) as f64;
        width * f64::midpoint(value(&pair[0]), value(&pair[1]))
    });
    areas.sum::<f64>() / length as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::fixture;
    use crate::profile::measured::{IterationWork, WorkloadKind};

    #[test]
    fn an_image_is_its_iterations_and_its_decoder() {
        let images = images(&fixture::profile_with_noise(0.0));
        // 28 iterations of 2 ms + 5 ms an image, and a decoder of 28 ms an image.
        let eight = images.iter().find(|image| image.batch == 8).unwrap();
        let latency_s = 28.0 * 0.042 + 8.0 * 0.028;
        assert!((eight.latency_s.value - latency_s).abs() < 1e-12);
        assert!((eight.decoder_s - 0.224).abs() < 1e-12);
        assert!((eight.per_s.value - 8.0 / latency_s).abs() < 1e-12);
        assert_eq!(eight.latency_s.low, eight.latency_s.high);
    }

    #[test]
    fn intervals_hold_their_value() {
        for image in images(&fixture::profile()) {
            for span in [image.latency_s, image.per_s] {
                assert!(span.low < span.value && span.value < span.high);
            }
        }
    }

    #[test]
    fn the_ceiling_that_takes_longer_binds() {
        let mut profile = fixture::profile_with_noise(0.0);
        // 1e12 FLOP at 4e14 a second take 2.5 ms, 1.5e9 bytes at 3e12 a second 0.5 ms.
        let row = &rows(&profile)[0];
        assert_eq!(row.roofline, Some(Roofline::Arithmetic));
        assert!((row.share_of_gemm.unwrap() - 2.5 / 7.0).abs() < 1e-12);
        assert!((row.share_of_copy.unwrap() - 0.5 / 7.0).abs() < 1e-12);
        profile.iterations[0].bytes *= 6.0;
        assert_eq!(rows(&profile)[0].roofline, Some(Roofline::Memory));
        profile.ceilings.copy = None;
        assert_eq!(rows(&profile)[0].roofline, None);
    }

    #[test]
    fn a_growing_context_is_averaged() {
        let mut profile = fixture::profile_with_noise(0.0);
        profile.workload.kind = WorkloadKind::Autoregressive;
        profile.decoder.clear();
        let at = |context_tokens: u64, seconds: f64| {
            let work = IterationWork {
                batch: 2,
                context_tokens,
                flop: 1e9,
                bytes: 1e9,
            };
            IterationTime::of(work, vec![seconds; 6]).unwrap()
        };
        profile.iterations = vec![at(0, 0.010), at(100, 0.020), at(400, 0.050)];
        // A line from 10 to 50 ms has a mean of 30 ms.
        let latency_s = images(&profile)[0].latency_s.value;
        assert!((latency_s - 28.0 * 0.030).abs() < 1e-12);
        assert_eq!(images(&profile)[0].decoder_s, 0.0);
    }
}
