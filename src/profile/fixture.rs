//! A device profile for tests: a diffusion model on a made-up device.

use super::measured::{
    Ceilings, Clock, CopyCeiling, Device, DeviceKind, FORMAT, GemmCeiling, IterationTime,
    IterationWork, Kernel, MeasuredProfile, Method, ProductTiles, Rate, TilesBy, VERSION, Variant,
    Workload, WorkloadKind,
};

/// Ten samples around a value, spread by about a share of it.
pub(crate) fn around(value: f64, share: f64) -> Vec<f64> {
    let offsets = [0.1, -0.7, 0.4, -0.2, 0.9, -0.9, 0.3, -0.4, 0.6, -0.1];
    offsets
        .iter()
        .map(|offset| value * (1.0 + share * offset))
        .collect()
}

/// What a batch of diffusion takes.
pub(crate) fn iteration(batch: u32, seconds: f64, share: f64) -> IterationTime {
    let work = IterationWork {
        batch,
        context_tokens: 0,
        flop: 1e12 * f64::from(batch),
        bytes: 1.4e9 + 1e8 * f64::from(batch),
    };
    IterationTime::of(work, around(seconds, share)).expect("positive samples")
}

/// Twenty-eight steps, batches of 1 to 16, 2 ms and 5 ms an image at 1 % of noise, a decoder of 28 ms an image.
pub(crate) fn profile() -> MeasuredProfile {
    profile_with_noise(0.01)
}

/// The same with samples that spread by about a share of their median.
pub(crate) fn profile_with_noise(share: f64) -> MeasuredProfile {
    let batches = [1, 2, 4, 8, 16];
    MeasuredProfile {
        format: FORMAT.to_owned(),
        version: VERSION,
        valid: true,
        program: "0.1.0".to_owned(),
        measured_at: "2026-01-02T03:04:05Z".to_owned(),
        device: Device {
            name: "NVIDIA H100 80GB HBM3".to_owned(),
            vendor: "NVIDIA".to_owned(),
            kind: DeviceKind::Discrete,
            backend: "vulkan".to_owned(),
            driver: "NVIDIA".to_owned(),
            driver_info: "570.00".to_owned(),
            wgpu: "30.0.0".to_owned(),
            memory_bytes: Some(85_899_345_920),
            accelerator: Some("H100-SXM-80GB".to_owned()),
        },
        workload: Workload {
            model: "made-up".to_owned(),
            kind: WorkloadKind::Diffusion,
            resolution_px: 512,
            iterations_per_image: 28,
            sequences_per_image: 2,
            variant: Variant::CooperativeF16,
            weights: "seeded random".to_owned(),
            weights_seed: 7,
            kernels: vec![Kernel {
                name: "gemm".to_owned(),
                variant: Variant::CooperativeF16,
                shader_hash: "00ff".to_owned(),
            }],
            tiles: Vec::new(),
            parameters: 675_000_000,
            weight_bytes: 1_350_000_000,
        },
        method: Method {
            clock: Clock::Timestamps,
            warm_up_iterations: 5,
            samples: 10,
            longest_dispatch_s: 0.01,
        },
        ceilings: Ceilings {
            gemm: Some(GemmCeiling {
                flop_per_s: Rate::of(around(4e14, share)).expect("positive samples"),
                shape: [8192, 8192, 8192],
                variant: Variant::CooperativeF16,
            }),
            copy: Some(CopyCeiling {
                bytes_per_s: Rate::of(around(3e12, share)).expect("positive samples"),
                bytes: 1 << 30,
            }),
        },
        iterations: batches
            .map(|n| iteration(n, 0.002 + 0.005 * f64::from(n), share))
            .to_vec(),
        decoder: batches
            .map(|n| iteration(n, 0.028 * f64::from(n), share))
            .to_vec(),
        energy: None,
        energy_absent: Some("the platform does not tell power".to_owned()),
        warnings: Vec::new(),
    }
}

/// A product whose tiles somebody chose.
pub(crate) fn tiles(by: TilesBy) -> ProductTiles {
    ProductTiles {
        kernel: "gemm".to_owned(),
        rows: 4096,
        columns: 1152,
        depth_class: 2048,
        vectors: true,
        tiles: "lanes 128x64".to_owned(),
        by,
    }
}
