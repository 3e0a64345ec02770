//! The fit against curves as GPUs have them: a roofline in waves of tiles, with noise.

use super::*;
use crate::profile::fixture;
use crate::profile::measured::{IterationWork, WorkloadKind};
use crate::random::Seed;

/// A GPU that does one transformer's products in waves of tiles of 128 x 128.
struct Gpu {
    flop_per_s: f64,
    bytes_per_s: f64,
    processors: f64,
}

const H100: Gpu = Gpu {
    flop_per_s: 4.5e14,
    bytes_per_s: 2.8e12,
    processors: 132.0,
};
const L4: Gpu = Gpu {
    flop_per_s: 6.0e13,
    bytes_per_s: 2.6e11,
    processors: 58.0,
};

impl Gpu {
    /// Seconds of a step of DiT-XL/2 (28 blocks, width 1152): the four products of a block, each the larger
    /// of its waves and its traffic, and 0.2 ms in which nothing overlaps.
    fn step_s(&self, batch: u32, tokens: f64) -> f64 {
        let rows = f64::from(batch) * 2.0 * tokens;
        let tile_s = |terms: f64| 2.0 * 128.0 * 128.0 * terms * self.processors / self.flop_per_s;
        let product_s = |columns: f64, terms: f64| {
            let tiles = libm::ceil(rows / 128.0) * libm::ceil(columns / 128.0);
            let compute_s = libm::ceil(tiles / self.processors) * tile_s(terms);
            let bytes = 2.0 * (columns * terms + rows * (columns + terms));
            compute_s.max(bytes / self.bytes_per_s)
        };
        let block_s = product_s(3456.0, 1152.0)
            + product_s(1152.0, 1152.0)
            + product_s(4608.0, 1152.0)
            + product_s(1152.0, 4608.0);
        28.0 * block_s + 0.0002
    }

    /// What `measure` would write: ten samples a batch with 1 % of noise, and a median that is off by it.
    fn profile(&self, tokens: f64, seed: u64) -> MeasuredProfile {
        let mut stream = Seed(seed).stream("gpu", "noise", 0);
        let batches = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
        let mut profile = fixture::profile();
        profile.decoder.clear();
        profile.iterations = batches
            .map(|batch| {
                let shift = 1.0 + 0.01 * stream.normal();
                fixture::iteration(batch, self.step_s(batch, tokens) * shift, 0.01)
            })
            .to_vec();
        profile
    }
}

#[test]
fn unseen_batches_of_gpu_curves_are_predicted_within_the_aim() {
    let mut medians = Vec::new();
    for (gpu, name) in [(&H100, "H100"), (&L4, "L4")] {
        // 512 and 1024 pixels.
        for tokens in [1024.0, 4096.0] {
            for seed in 0..10 {
                let profile = gpu.profile(tokens, seed);
                let held_out = every_second_batch(&profile);
                assert_eq!(held_out, [2, 4, 8, 16, 32]);
                let prediction = predict(&profile, &held_out).expect("points on both sides");
                assert_eq!(prediction.held_out.len(), 5);
                let (median, worst) = (prediction.median_error, prediction.worst_error);
                assert!(worst <= 0.10, "{name}, {tokens} tokens, {seed}: {worst:.3}");
                medians.push(median);
            }
        }
    }
    let median = median(&medians, 0.95).expect("forty");
    assert!(median.value <= 0.03, "{median:?}");
}

#[test]
fn where_waves_are_few_the_prediction_is_off_and_the_interval_says_so() {
    // 256 pixels: two images fill the GPU once, and a batch more is a wave more or none.
    let profile = H100.profile(256.0, 0);
    let prediction = predict(&profile, &every_second_batch(&profile)).expect("points");
    assert!(prediction.worst_error > 0.10, "{prediction:?}");
    let few = Fit::of(&profile).expect("points").interpolation_log_sd;
    let many = Fit::of(&H100.profile(4096.0, 0))
        .expect("points")
        .interpolation_log_sd;
    assert!(few > 3.0 * many, "{few} and {many}");
}

#[test]
fn the_interval_holds_unseen_batches() {
    let (mut inside, mut seen) = (0, 0);
    for tokens in [256.0, 1024.0, 4096.0] {
        for seed in 0..10 {
            let profile = H100.profile(tokens, seed);
            let fit = Fit::of(&profile).expect("points");
            for batch in [5, 10, 20, 40, 56] {
                let (low, high) = fit.interval_s(batch);
                let truth = H100.step_s(batch, tokens);
                inside += u32::from(low <= truth && truth <= high);
                seen += 1;
            }
        }
    }
    let share = f64::from(inside) / f64::from(seen);
    assert!(share >= 0.9, "{inside} of {seen}");
}

#[test]
fn the_decoder_is_shared_by_the_iterations_of_an_image() {
    // 2 ms + 5 ms n of the model, 28 ms n of the decoder over 28 iterations.
    let fit = Fit::of(&fixture::profile_with_noise(0.0)).expect("points");
    for (batch, seconds) in [(1, 0.008), (3, 0.020), (16, 0.098)] {
        assert!((fit.iteration_s(batch) - seconds).abs() < 1e-9, "{batch}");
    }
    // Above what was measured no better throughput is promised.
    assert!((fit.iteration_s(32) - 2.0 * 0.098).abs() < 1e-9);
    assert_eq!(fit.table(32).last(), Some(&(32, fit.iteration_s(32))));
    assert_eq!(fit.table(16).last(), Some(&(16, fit.iteration_s(16))));
}

#[test]
fn several_contexts_give_the_time_of_a_token() {
    let mut profile = fixture::profile();
    profile.workload.kind = WorkloadKind::Autoregressive;
    profile.decoder.clear();
    profile.iterations = [(1, 100), (1, 1000), (4, 400), (4, 4000), (8, 800)]
        .map(|(batch, context_tokens)| {
            let work = IterationWork {
                batch,
                context_tokens,
                flop: 1e12,
                bytes: 1e9,
            };
            let seconds = 0.010 + 0.001 * f64::from(batch) + 2e-6 * context_tokens as f64;
            IterationTime::of(work, vec![seconds; 9]).expect("positive")
        })
        .to_vec();
    let fit = Fit::of(&profile).expect("points");
    assert!((fit.per_context_token_s / 2e-6 - 1.0).abs() < 1e-9);
    assert!((fit.iteration_s(4) - 0.014).abs() < 1e-12);
    let prediction = predict(&profile, &[4]).expect("two batches are left");
    assert_eq!(prediction.held_out.len(), 2);
    assert!(prediction.worst_error < 1e-9, "{prediction:?}");
}

#[test]
fn noisier_samples_give_a_wider_interval() {
    let width = |share: f64| {
        let fit = Fit::of(&fixture::profile_with_noise(share)).expect("points");
        let (low, high) = fit.interval_s(4);
        libm::log(high / low)
    };
    assert!(width(0.0) < 1e-12);
    assert!(width(0.02) > 1.9 * width(0.01));
    let mut few = fixture::profile_with_noise(0.0);
    for time in &mut few.iterations {
        time.samples_s.truncate(1);
    }
    few.decoder.clear();
    let fit = Fit::of(&few).expect("points");
    assert!((fit.factor_log_sd(4) - SPREAD_MAX).abs() < 1e-3);
}

#[test]
fn nothing_measured_is_no_fit() {
    let mut profile = fixture::profile();
    profile.iterations.clear();
    assert_eq!(Fit::of(&profile), None);
    assert_eq!(predict(&profile, &[2]), None);
    let one = fixture::profile();
    assert_eq!(predict(&one, &[]), None);
}
