//! Tiles that are chosen by trying: they change how long a session takes, and not what it computes.

use meltpoint::gpu::device::Device;
use meltpoint::gpu::kernels::tiles::Tiles;
use meltpoint::gpu::kernels::{Gemm, Kernel};
use meltpoint::gpu::model::model;
use meltpoint::gpu::pace::Pace;
use meltpoint::gpu::program::Program;
use meltpoint::gpu::session::{Session, Weights};
use meltpoint::gpu::tuning::{Tuning, fastest, timings};
use meltpoint::gpu::{Error, Variant};

/// A test on a device.
type Test = fn(&Device) -> Result<(), String>;

pub(crate) const ALL: [(&str, Test); 3] = [
    (
        "tuned: a denoise step is the same in any tiles",
        denoise_steps,
    ),
    (
        "tuned: latents to pixels are the same in any tiles",
        decoders,
    ),
    ("tuned: all tiles of a product are timed", timed),
];

fn denoise_steps(device: &Device) -> Result<(), String> {
    let model = model("tiny").expect("it is built in");
    in_any_tiles(device, &model.denoise(64, 3))
}

fn decoders(device: &Device) -> Result<(), String> {
    let model = model("tiny").expect("it is built in");
    in_any_tiles(device, &model.decode(64, 1))
}

/// Gives each product another candidate in turn, so that every candidate is used.
fn in_any_tiles(device: &Device, program: &Program) -> Result<(), String> {
    for variant in device.adapter.capability.variants() {
        let candidates = Tiles::candidates(variant);
        let usual = output(device, program, variant, &Tuning::default()).map_err(text)?;
        for first in 0..candidates.len() {
            let mut tuning = Tuning::default();
            let mut others = candidates.iter().cycle().skip(first);
            let products = program.steps().iter().map(|step| step.kernel.product());
            let mut tuned = 0;
            for product in products.flatten() {
                if !tuning.knows(&product) {
                    let tiles = others.next().expect("they go round and round");
                    tuning.set(product, *tiles);
                    tuned += 1;
                }
            }
            assert!(tuned >= 4, "only {tuned} products");
            let got = output(device, program, variant, &tuning).map_err(text)?;
            same(program, variant, &got, &usual)
                .map_err(|text| format!("{variant}, tiles from {first}: {text}"))?;
        }
    }
    Ok(())
}

fn output(
    device: &Device,
    program: &Program,
    variant: Variant,
    tuning: &Tuning,
) -> Result<Vec<f32>, Error> {
    let (mut weights, mut pace) = (Weights::default(), Pace::default());
    let session = Session::tuned(device, program, variant, tuning, &mut weights, &mut pace)?;
    pace.learn(device, session.stages())?;
    session.checked_output(device)
}

/// Two runs of a program differ by no more than what its kernels may add up to, twice: errors of kernels are
/// independent, so their squares add up.
fn same(program: &Program, variant: Variant, got: &[f32], want: &[f32]) -> Result<(), String> {
    let steps = program.steps().iter();
    let each = steps.map(|step| step.kernel.tolerance().relative(variant.precision()));
    let allowed = 2.0 * each.map(|error| error * error).sum::<f64>().sqrt();
    let square = |v: f64| v * v;
    let pairs = got.iter().zip(want);
    let errors: f64 = pairs.map(|(&a, &b)| square(f64::from(a - b))).sum();
    let size: f64 = want.iter().map(|&v| square(f64::from(v))).sum();
    let error = (errors / size).sqrt();
    match size > 0.0 && error <= allowed {
        true => Ok(()),
        false => Err(format!("error {error:.2e}, allowed {allowed:.2e}")),
    }
}

fn timed(device: &Device) -> Result<(), String> {
    for variant in device.adapter.capability.variants() {
        let product = Gemm::plain(65, 68, 32);
        let usual = Tiles::candidates(variant).into_iter().find(|&tiles| {
            product.shader_with(variant, tiles).source == product.shader(variant).source
        });
        let mut asked = 0;
        let mut tell = || {
            asked += 1;
            Ok(())
        };
        let timings = timings(device, &product, variant, usual, &mut tell).map_err(text)?;
        let has_usual = timings.iter().any(|timing| Some(timing.tiles) == usual);
        let are_positive = timings.iter().all(|timing| timing.seconds > 0.0);
        if !has_usual || !are_positive || asked < timings.len() {
            return Err(format!("{variant}: {timings:?}, asked {asked} times"));
        }
        let best = fastest(&timings, None).ok_or("nothing is the fastest")?;
        if timings.iter().any(|timing| timing.seconds < best.seconds) {
            return Err(format!("{variant}: {best:?} of {timings:?}"));
        }
        let mut stop = || Err(Error::Stopped);
        let stopped = meltpoint::gpu::tuning::timings(device, &product, variant, usual, &mut stop);
        if !matches!(stopped, Err(Error::Stopped)) {
            return Err(format!("it was not stopped: {stopped:?}"));
        }
    }
    Ok(())
}

fn text(error: Error) -> String {
    error.to_string()
}
