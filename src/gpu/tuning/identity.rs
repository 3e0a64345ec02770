//! What tuned tiles depend on beside the product: another device, driver or shader, other tiles.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::gpu::adapter::Adapter;
use crate::gpu::kernels::tiles::Tiles;
use crate::gpu::kernels::{Convolution, Function, Gate, Gemm, Kernel, Residual};
use crate::gpu::{Variant, measure};

/// Where timings of tiles hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Name of the adapter.
    pub adapter: String,
    /// Vulkan, Metal or DX12.
    pub backend: String,
    /// Name of the driver.
    pub driver: String,
    /// Its version and build.
    pub driver_info: String,
    /// Version of the wgpu library, which translates the shaders.
    pub wgpu: String,
    /// Storage and arithmetic.
    pub variant: Variant,
    /// SHA-256 over the texts of all candidates, in hexadecimal.
    pub shaders: String,
}

impl Identity {
    /// That of an adapter and a variant with the shaders of this program.
    #[must_use]
    pub fn of(adapter: &Adapter, variant: Variant) -> Self {
        Self {
            adapter: adapter.name.clone(),
            backend: adapter.backend.clone(),
            driver: adapter.driver.clone(),
            driver_info: adapter.driver_info.clone(),
            wgpu: measure::WGPU.to_owned(),
            variant,
            shaders: shaders(variant),
        }
    }

    /// Whether both are of the same device and variant, so that one takes the place of the other.
    #[must_use]
    pub fn is_of_same_device(&self, other: &Self) -> bool {
        let device = |identity: &Self| {
            let adapter = identity.adapter.clone();
            (adapter, identity.backend.clone(), identity.variant)
        };
        device(self) == device(other)
    }
}

/// One hash over every text that a product of the variant may have.
fn shaders(variant: Variant) -> String {
    let mut hash = Sha256::new();
    for kernel in everything() {
        for tiles in Tiles::candidates(variant) {
            hash.update(tiles.to_string().as_bytes());
            hash.update(kernel.shader_with(variant, tiles).source.as_bytes());
        }
    }
    let bytes = hash.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Products with all that can be done to their sums, read in vectors and one by one.
fn everything() -> Vec<Box<dyn Kernel>> {
    let mut kernels: Vec<Box<dyn Kernel>> = Vec::new();
    for side in [4, 5] {
        kernels.push(Box::new(Gemm {
            bias: true,
            function: Function::Silu,
            gate: Some(Gate {
                stride: side,
                offset: 0,
            }),
            residual: Some(Residual::Whole),
            ..Gemm::plain(side, side, side)
        }));
        kernels.push(Box::new(Convolution {
            images: 1,
            height: side,
            width: side,
            input_channels: side,
            output_channels: side,
            side: 3,
            upsampled: false,
            function: Function::Silu,
            residual: true,
        }));
    }
    kernels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variant_has_a_hash_of_its_own_and_always_the_same() {
        let all = [Variant::F32, Variant::F16, Variant::CooperativeF16].map(shaders);
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
        assert!(all.iter().all(|hash| hash.len() == 64));
        assert_eq!(all[0], shaders(Variant::F32));
    }

    #[test]
    fn the_products_that_are_hashed_have_both_kinds_of_loads() {
        let products = everything();
        let vectors: Vec<bool> = products
            .iter()
            .filter_map(|kernel| kernel.product())
            .map(|product| product.vectors)
            .collect();
        assert_eq!(vectors, [true, true, false, false]);
    }
}
