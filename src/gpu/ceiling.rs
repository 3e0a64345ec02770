//! What this device does at best: a large matrix product and a large copy, in the same run as the model.
//!
//! Not a datasheet: the same shaders, driver and minute, so that "so many percent of what this GPU can do" is
//! a ratio of two things that were measured alike.

use super::device::Device;
use super::kernels::tiles::Tiles;
use super::kernels::{Copy, Gemm, Kernel};
use super::operands::Operands;
use super::pace::{Pace, Schedule};
use super::sampling::Rule;
use super::{Error, Precision, Variant};
use crate::profile::measured::{CopyCeiling, GemmCeiling, Rate};

/// Sides of the square products that are tried, in order.
const SIDES: [u32; 7] = [128, 256, 512, 1024, 2048, 4096, 8192];

/// Bytes of the copies that are tried: the largest is far beyond any cache.
const COPY_BYTES: [u64; 5] = [1 << 20, 1 << 23, 1 << 26, 1 << 28, 1 << 30];

/// What one run of a ceiling may take, in seconds: larger work tells no more.
const RUN_S_MAX: f64 = 0.05;

/// A kernel alone on the device with its tensors.
#[derive(Debug)]
struct Alone {
    schedule: Schedule,
    /// They live as long as the schedule uses them.
    _operands: Operands,
}

impl Alone {
    /// Makes its tensors and learns the kernel's pace.
    fn new(
        device: &Device,
        kernel: &dyn Kernel,
        variant: Variant,
        tiles: Option<Tiles>,
    ) -> Result<Self, Error> {
        let operands = Operands::random(device, kernel, variant)?;
        let stages = [operands.stage(device, kernel, variant, tiles)?];
        let mut pace = Pace::default();
        pace.learn(device, &stages)?;
        Ok(Self {
            schedule: pace.schedule(device, &stages)?,
            _operands: operands,
        })
    }
}

/// The rate of the largest square product that does not take long, in FLOP/s. `better` is asked whether it knows
/// better tiles for that product than those that it has by its shape.
///
/// # Errors
/// As the device fails, and whatever `better` fails with.
pub fn gemm(
    device: &Device,
    variant: Variant,
    rule: Rule,
    better: &mut dyn FnMut(&Gemm) -> Result<Option<Tiles>, Error>,
) -> Result<Option<GemmCeiling>, Error> {
    let kernel = |side: u32| Gemm::plain(side as usize, side as usize, side as usize);
    let make = |&side: &u32| Alone::new(device, &kernel(side), variant, None);
    let Some((side, mut alone)) = largest(&SIDES, make, device)? else {
        return Ok(None);
    };
    let kernel = kernel(side);
    if let Some(tiles) = better(&kernel)? {
        alone = Alone::new(device, &kernel, variant, Some(tiles))?;
    }
    let rate = rate(device, &alone, rule, kernel.work().flop)?;
    Ok(rate.map(|flop_per_s| GemmCeiling {
        flop_per_s,
        shape: [side; 3],
        variant,
    }))
}

/// The rate of the largest copy that does not take long, in bytes read and written a second.
///
/// # Errors
/// As the device fails.
pub fn copy(device: &Device, rule: Rule) -> Result<Option<CopyCeiling>, Error> {
    let precision = Precision::F32;
    let kernel = |bytes: u64| Copy {
        elements: (bytes / precision.bytes()) as usize,
    };
    let make = |&bytes: &u64| Alone::new(device, &kernel(bytes), Variant::F32, None);
    let Some((bytes, alone)) = largest(&COPY_BYTES, make, device)? else {
        return Ok(None);
    };
    let moved = kernel(bytes).work().bytes(precision);
    let rate = rate(device, &alone, rule, moved)?;
    Ok(rate.map(|bytes_per_s| CopyCeiling {
        bytes_per_s,
        bytes: moved as u64,
    }))
}

/// The last size of a row of growing ones that fits into memory and keeps each run short.
fn largest<Size: std::marker::Copy>(
    sizes: &[Size],
    make: impl Fn(&Size) -> Result<Alone, Error>,
    device: &Device,
) -> Result<Option<(Size, Alone)>, Error> {
    let mut best = None;
    for size in sizes {
        let alone = match make(size) {
            Ok(alone) => alone,
            Err(Error::OutOfMemory { .. }) => break,
            Err(error) => return Err(error),
        };
        let seconds = alone.schedule.run(device)?;
        best = Some((*size, alone));
        // The next size takes about eight times as long.
        if seconds * 8.0 > RUN_S_MAX {
            break;
        }
    }
    Ok(best)
}

fn rate(device: &Device, alone: &Alone, rule: Rule, amount: f64) -> Result<Option<Rate>, Error> {
    let samples = rule.sample(|| alone.schedule.run(device))?;
    Ok(Rate::of(
        samples.seconds.iter().map(|s| amount / s).collect(),
    ))
}
