//! Seeded pseudo-random numbers, made where they are needed: weights of billions need not cross the bus.

use bytemuck::{Pod, Zeroable};

use super::{Kernel, Operand, Shader, Tolerance, Variant, Work, elementwise};

/// Fills a tensor with numbers uniform in `offset` +- `scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fill {
    /// Length of the tensor.
    pub elements: usize,
    /// Equal seeds give equal numbers, on every device.
    pub seed: u32,
    /// Half the width of the range.
    pub scale: f32,
    /// Its middle.
    pub offset: f32,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    elements: u32,
    seed: u32,
    scale: f32,
    offset: f32,
}

impl Kernel for Fill {
    fn name(&self) -> &'static str {
        "fill"
    }

    fn work(&self) -> Work {
        Work {
            written: self.elements as f64,
            ..Work::default()
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        Vec::new()
    }

    fn output(&self) -> Operand {
        Operand::real(self.elements)
    }

    fn shader(&self, variant: Variant) -> Shader {
        let params = Params {
            elements: self.elements as u32,
            seed: self.seed,
            scale: self.scale,
            offset: self.offset,
        };
        let text = PCG.to_owned() + include_str!("../../../shaders/fill.wgsl");
        elementwise::shader(variant, &text, &params, self.elements)
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: 1,
            roundings: 1,
        }
    }

    fn twin(&self, _inputs: &[&[f32]], output: &mut [f32]) {
        for (index, element) in output.iter_mut().enumerate() {
            let bits = pcg(index as u32 ^ pcg(self.seed));
            let unit = (bits >> 8) as f32 / 8_388_608.0 - 1.0;
            *element = self.offset + self.scale * unit;
        }
    }
}

/// WGSL of [`pcg`].
pub(super) const PCG: &str = include_str!("../../../shaders/shared/pcg.wgsl");

/// The finaliser of PCG's `RXS-M-XS` on one step of its generator (Jarzynski and Olano 2020, "Hash
/// Functions for GPU Rendering").
pub(super) fn pcg(index: u32) -> u32 {
    let state = index.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let word = ((state >> ((state >> 28) + 4)) ^ state).wrapping_mul(277_803_737);
    (word >> 22) ^ word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_uniform_and_differ_by_seed() {
        let fill = |seed| {
            let kernel = Fill {
                elements: 10_000,
                seed,
                scale: 2.0,
                offset: 1.0,
            };
            let mut output = vec![0.0; 10_000];
            kernel.twin(&[], &mut output);
            output
        };
        let (one, two) = (fill(1), fill(2));
        assert!(one.iter().all(|value| (-1.0..=3.0).contains(value)));
        let mean = one.iter().sum::<f32>() / 10_000.0;
        // The standard error of the mean is 2 / sqrt(3) / 100.
        assert!((mean - 1.0).abs() < 0.05, "{mean}");
        let equal = one.iter().zip(&two).filter(|(a, b)| a == b).count();
        assert!(equal < 5, "{equal} elements are equal");
    }
}
