//! Every kernel against its twin, on an adapter and in each variant it can run.
//!
//! Any adapter will do, a software one included; without one the tests are counted as ignored and say so.
//! `MELTPOINT_REQUIRE_GPU=1` makes that a failure. Inputs are random, outputs are poisoned before, and the
//! tolerances are those that the kernels state (`gpu::precision::Tolerance`).

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a harness of its own tells what it found and what it left out"
)]

mod agreement;
mod attention;
mod cached;
mod convolution;
mod emulated;
mod ends;
mod gemm;
mod normalisation;
mod simple;
mod tiled;
mod tuned;
mod validity;
mod whole;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use meltpoint::gpu::adapter::{self, Wanted};
use meltpoint::gpu::device::{Checks, Device};
use meltpoint::gpu::kernels::Kernel;

/// A kernel of one shape, and what is particular about it.
struct Case {
    name: String,
    kernel: Box<dyn Kernel>,
    first: Spread,
}

/// What the first input holds: numbers uniform in `middle` +- `half_width`.
#[derive(Clone, Copy)]
struct Spread {
    middle: f32,
    half_width: f32,
    /// How many times larger rounding errors in sums become than with numbers in [-1, 1].
    magnified: f64,
}

impl Spread {
    const UNIT: Self = Self {
        middle: 0.0,
        half_width: 1.0,
        magnified: 1.0,
    };

    /// Far from zero against what they differ by: each rounding error is of the middle, and what a norm leaves of
    /// it is over the standard deviation, 1 / sqrt(3).
    fn around(middle: f32) -> Self {
        Self {
            middle,
            magnified: f64::from(middle) * 3.0_f64.sqrt(),
            ..Self::UNIT
        }
    }

    /// Wide, as queries that find few keys: errors of scores grow with the scores.
    fn wide(half_width: f32) -> Self {
        Self {
            half_width,
            magnified: f64::from(half_width),
            ..Self::UNIT
        }
    }
}

impl Case {
    fn new(name: impl Into<String>, kernel: impl Kernel + 'static) -> Self {
        Self {
            name: name.into(),
            kernel: Box::new(kernel),
            first: Spread::UNIT,
        }
    }

    /// The same with another first input.
    fn with_first(self, first: Spread) -> Self {
        Self { first, ..self }
    }
}

/// All cases; a kernel has several: tiny, odd, prime, larger than a tile.
fn cases() -> Vec<Case> {
    let families = [
        simple::cases(),
        gemm::cases(),
        convolution::cases(),
        attention::cases(),
        cached::cases(),
        normalisation::cases(),
        ends::cases(),
    ];
    families.into_iter().flatten().collect()
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Software adapters use all cores for one dispatch; side by side they only wait for each other.
    arguments.test_threads.get_or_insert(2);
    let device = device();
    if device.is_none() {
        let required = std::env::var_os("MELTPOINT_REQUIRE_GPU").is_some_and(|v| v != "0");
        eprintln!(
            "no GPU adapter, not even a software one: kernels are not tested (ignored below)"
        );
        if required {
            eprintln!("MELTPOINT_REQUIRE_GPU is set: that is a failure");
            return ExitCode::FAILURE;
        }
    }
    let trials = cases().into_iter().map(|case| {
        let device = device.clone();
        let (ignored, name) = (
            device.is_none(),
            format!("{} {}", case.kernel.name(), case.name),
        );
        let test = move || match device {
            Some(device) => agreement::check(&device, &case).map_err(Into::into),
            None => Ok(()),
        };
        Trial::test(name, test).with_ignored_flag(ignored)
    });
    let real = cases()
        .into_iter()
        .filter(|case| !case.name.starts_with("emulated"));
    let texts = real.map(|case| {
        let name = format!("{} {} is valid text", case.kernel.name(), case.name);
        Trial::test(name, move || validity::check(&case).map_err(Into::into))
    });
    let wholes = whole::ALL.iter().map(|whole| {
        let device = device.clone();
        let ignored = device.is_none();
        let test = move || match device {
            Some(device) => whole::check(&device, whole).map_err(Into::into),
            None => Ok(()),
        };
        Trial::test(format!("whole model {}", whole.name), test).with_ignored_flag(ignored)
    });
    let tuned = tuned::ALL.iter().map(|(name, test)| {
        let device = device.clone();
        let ignored = device.is_none();
        let test = move || device.map_or(Ok(()), |device| test(&device).map_err(Into::into));
        Trial::test(*name, test).with_ignored_flag(ignored)
    });
    let all = trials.chain(texts).chain(wholes).chain(tuned);
    libtest_mimic::run(&arguments, all.collect()).exit_code()
}

fn device() -> Option<Arc<Device>> {
    let wanted = match std::env::var("MELTPOINT_ADAPTER") {
        Ok(name) => Wanted::Named(name),
        Err(_) => Wanted::Best,
    };
    let adapter = adapter::choose(&wanted).ok()?;
    eprintln!("adapter: {} ({})", adapter.name, adapter.driver_info);
    Device::open(adapter, Checks::On).ok().map(Arc::new)
}
