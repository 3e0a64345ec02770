//! From what was done to what the profile says: device, workload, method, warnings.

use sha2::{Digest, Sha256};

use super::Options;
use super::point::{Bench, Measured, Point};
use crate::gpu::adapter::Kind;
use crate::gpu::power::Power;
use crate::gpu::tuning::{self, Tuner};
use crate::gpu::{Adapter, Variant, kernels};
use crate::profile::catalog;
use crate::profile::measured::{
    Ceilings, Clock, Device, DeviceKind, FORMAT, Kernel, MeasuredProfile, Method, ProductTiles,
    VERSION, Warning, Workload,
};

/// Version of wgpu that measures; a test holds it against Cargo.lock.
pub(in crate::gpu) const WGPU: &str = "30.0.2";

/// A profile with everything that is known before the first dispatch.
pub(super) fn begun(options: &Options, bench: &Bench) -> MeasuredProfile {
    let mut warnings = Vec::new();
    if bench.device.adapter.kind == Kind::Software {
        warnings.push(Warning::SoftwareAdapter);
    }
    let clock = match bench.device.clock().is_on_device() {
        true => Clock::Timestamps,
        false => {
            warnings.push(Warning::WallClock);
            Clock::Wall
        }
    };
    MeasuredProfile {
        format: FORMAT.to_owned(),
        version: VERSION,
        valid: false,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        measured_at: options.measured_at.clone(),
        device: device(bench),
        workload: workload(bench),
        method: Method {
            clock,
            warm_up_iterations: 0,
            samples: 0,
            longest_dispatch_s: 0.0,
        },
        ceilings: Ceilings::default(),
        iterations: Vec::new(),
        decoder: Vec::new(),
        energy: None,
        energy_absent: None,
        warnings,
    }
}

/// Takes into account how a point was measured.
pub(super) fn method(profile: &mut MeasuredProfile, measured: &Measured) {
    let method = &mut profile.method;
    method.warm_up_iterations = match method.warm_up_iterations {
        0 => measured.warm_up,
        fewest => fewest.min(measured.warm_up),
    };
    method.samples = method.samples.max(measured.time.samples_s.len() as u32);
    method.longest_dispatch_s = method.longest_dispatch_s.max(measured.longest_dispatch_s);
    for (name, &parts) in &measured.splits {
        split(&mut profile.warnings, name, parts);
    }
}

/// One warning a kernel, with the greatest number of parts.
fn split(warnings: &mut Vec<Warning>, name: &str, most: u32) {
    for warning in warnings.iter_mut() {
        if let Warning::SplitDispatch { kernel, parts } = warning
            && kernel == name
        {
            *parts = most.max(*parts);
            return;
        }
    }
    warnings.push(Warning::SplitDispatch {
        kernel: name.to_owned(),
        parts: most,
    });
}

/// The variants of an adapter, in words.
pub(super) fn variants(adapter: &Adapter) -> String {
    let names: Vec<&str> = adapter
        .capability
        .variants()
        .into_iter()
        .map(Variant::name)
        .collect();
    names.join(", ")
}

fn device(bench: &Bench) -> Device {
    let adapter = &bench.device.adapter;
    let memory_bytes = bench.power.as_ref().ok().and_then(Power::memory_bytes);
    Device {
        name: adapter.name.clone(),
        vendor: adapter.vendor.clone(),
        kind: match adapter.kind {
            Kind::Discrete => DeviceKind::Discrete,
            Kind::Integrated => DeviceKind::Integrated,
            Kind::Virtual => DeviceKind::Virtual,
            Kind::Software => DeviceKind::Software,
            Kind::Other => DeviceKind::Other,
        },
        backend: adapter.backend.clone(),
        driver: adapter.driver.clone(),
        driver_info: adapter.driver_info.clone(),
        wgpu: WGPU.to_owned(),
        memory_bytes,
        accelerator: catalog::recognise(&adapter.name).map(|known| known.name.clone()),
    }
}

fn workload(bench: &Bench) -> Workload {
    let (model, px) = (&bench.model, bench.resolution_px);
    let context = bench.contexts()[0];
    let program = bench.program(Point::Iteration { batch: 1, context });
    let decoder = bench.program(Point::Decoder { batch: 1 });
    let parameters = program.parameters() + decoder.parameters();
    Workload {
        model: model.name().to_owned(),
        kind: model.kind(),
        resolution_px: px,
        iterations_per_image: model.iterations_per_image(px),
        sequences_per_image: model.sequences_per_image(),
        variant: bench.variant,
        weights: "seeded random".to_owned(),
        weights_seed: 0,
        kernels: Vec::new(),
        tiles: Vec::new(),
        parameters,
        weight_bytes: parameters * bench.variant.precision().bytes(),
    }
}

/// Takes down which shaders a point ran, of its smallest batch only, and in which tiles.
pub(super) fn ran(profile: &mut MeasuredProfile, bench: &Bench, point: Point, tuner: &Tuner) {
    let workload = &mut profile.workload;
    let smallest = profile.iterations.first();
    let is_smallest = smallest.is_none_or(|first| first.batch == point.batch());
    for step in bench.program(point).steps() {
        let (kernel, variant) = (step.kernel.as_ref(), bench.variant);
        let known = tuner.tuning().of(kernel);
        if let Some(tiles) = product_tiles(kernel, variant, tuner)
            && !workload.tiles.contains(&tiles)
        {
            workload.tiles.push(tiles);
        }
        if is_smallest {
            let shader = match known {
                Some(tiles) => kernel.shader_with(variant, tiles),
                None => kernel.shader(variant),
            };
            let kernel = Kernel {
                name: kernel.name().to_owned(),
                variant,
                shader_hash: hexadecimal(&Sha256::digest(shader.source.as_bytes())),
            };
            if !workload.kernels.contains(&kernel) {
                workload.kernels.push(kernel);
            }
        }
    }
}

/// The tiles of a kernel that has some.
fn product_tiles(
    kernel: &dyn kernels::Kernel,
    variant: Variant,
    tuner: &Tuner,
) -> Option<ProductTiles> {
    let product = kernel.product()?;
    let tiles = tuner.tuning().of(kernel);
    let tiles = tiles.or_else(|| tuning::usual(kernel, variant))?;
    Some(ProductTiles {
        by: tuner.origin(&product),
        kernel: product.kernel,
        rows: product.rows,
        columns: product.columns,
        depth_class: product.depth_class,
        vectors: product.vectors,
        tiles: tiles.to_string(),
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_wgpu_is_the_one_that_is_locked() {
        let lock = include_str!("../../../Cargo.lock");
        let locked = format!("name = \"wgpu\"\nversion = \"{WGPU}\"\n");
        assert!(lock.contains(&locked), "WGPU says {WGPU}");
    }

    #[test]
    fn a_kernel_is_warned_of_once_with_its_greatest_number_of_parts() {
        let mut warnings = Vec::new();
        for parts in [3, 9, 2] {
            split(&mut warnings, "gemm", parts);
        }
        split(&mut warnings, "attention", 2);
        let warning = |kernel: &str, parts| Warning::SplitDispatch {
            kernel: kernel.to_owned(),
            parts,
        };
        assert_eq!(warnings, [warning("gemm", 9), warning("attention", 2)]);
    }
}
