//! The time of a denoise step as a vector: cosines and sines of falling frequencies (Vaswani et al. 2017).

use bytemuck::{Pod, Zeroable};

use super::{Kernel, Operand, Shader, Tolerance, Variant, Work, elementwise};

/// Embeds times `[sequences]`, in 32 bits, as `[sequences, size]`: cos(t f) for all f, then sin(t f).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timestep {
    /// Sequences.
    pub sequences: usize,
    /// Width of the embedding, even.
    pub size: usize,
    /// Ratio of the fastest to the (never reached) slowest frequency, mostly 10000.
    pub base: f64,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    elements: u32,
    size: u32,
    log_base: f32,
    unused: u32,
}

impl Timestep {
    fn elements(&self) -> usize {
        self.sequences * self.size
    }

    /// As the device multiplies it.
    fn log_base(&self) -> f32 {
        libm::log(self.base) as f32
    }
}

impl Kernel for Timestep {
    fn name(&self) -> &'static str {
        "timestep"
    }

    fn work(&self) -> Work {
        let elements = self.elements() as f64;
        Work {
            // A frequency, a product, a cosine.
            flop: 5.0 * elements,
            read: self.sequences as f64,
            written: elements,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        vec![Operand::single(self.sequences)]
    }

    fn output(&self) -> Operand {
        Operand::real(self.elements())
    }

    fn shader(&self, variant: Variant) -> Shader {
        let params = Params {
            elements: self.elements() as u32,
            size: self.size as u32,
            log_base: self.log_base(),
            unused: 0,
        };
        let text = include_str!("../../../shaders/timestep.wgsl");
        elementwise::shader(variant, text, &params, self.elements())
    }

    fn tolerance(&self) -> Tolerance {
        // An angle up to 1000 in 32 bits is off by up to 1000 u, its frequency by a few u more: as a sum of
        // many terms would be.
        Tolerance {
            reduction: 1_000_000,
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        let half_size = self.size / 2;
        for (index, element) in output.iter_mut().enumerate() {
            let column = index % self.size;
            let exponent = (column % half_size) as f32 / half_size as f32;
            let frequency = libm::expf(-self.log_base() * exponent);
            let angle = inputs[0][index / self.size] * frequency;
            *element = match column < half_size {
                true => libm::cosf(angle),
                false => libm::sinf(angle),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_frequency_is_one_and_the_others_fall() {
        let kernel = Timestep {
            sequences: 2,
            size: 4,
            base: 10_000.0,
        };
        let mut output = [0.0; 8];
        kernel.twin(&[&[0.0, 2.0]], &mut output);
        assert_eq!(output[..4], [1.0, 1.0, 0.0, 0.0]);
        let want = [
            libm::cosf(2.0),
            libm::cosf(0.02),
            libm::sinf(2.0),
            libm::sinf(0.02),
        ];
        for (got, want) in output[4..].iter().zip(want) {
            assert!((got - want).abs() < 1e-6);
        }
    }
}
