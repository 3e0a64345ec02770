//! The next token: a draw from the softmax of its logits.

use bytemuck::{Pod, Zeroable};

use super::fill::{PCG, pcg};
use super::{Kernel, Operand, Shader, Tolerance, Variant, Work, prelude};

/// The index of the largest logit / temperature + Gumbel noise (Maddison et al. 2014) for each image; logits of all
/// sequences, conditioned ones first. The noise is a hash of seed, image and token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Images.
    pub images: usize,
    /// Tokens to choose from.
    pub vocabulary: usize,
    /// Classifier-free guidance on logits, as in [`super::Sampler`]; `None`: one sequence an image.
    pub guidance: Option<f32>,
    /// Divides the logits, above 0.
    pub temperature: f32,
    /// Of the noise.
    pub seed: u32,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    images: u32,
    vocabulary: u32,
    is_guided: u32,
    seed: u32,
    scale: f32,
    inverse_temperature: f32,
    unused: [u32; 2],
}

impl Sample {
    fn logits(&self) -> usize {
        let sequences = if self.guidance.is_some() { 2 } else { 1 };
        sequences * self.images * self.vocabulary
    }

    /// Logit and noise of a token, as the device adds them.
    fn score(&self, logits: &[f32], image: usize, token: usize) -> f32 {
        let at = image * self.vocabulary + token;
        let mut logit = logits[at];
        if let Some(scale) = self.guidance {
            let without = logits[self.images * self.vocabulary + at];
            logit = without + scale * (logit - without);
        }
        let unit = ((pcg(at as u32 ^ pcg(self.seed)) >> 9) as f32 + 0.5) / 8_388_608.0;
        logit * (1.0 / self.temperature) - libm::logf(-libm::logf(unit))
    }
}

impl Kernel for Sample {
    fn name(&self) -> &'static str {
        "sample"
    }

    fn work(&self) -> Work {
        let scored = (self.images * self.vocabulary) as f64;
        let each = if self.guidance.is_some() { 8.0 } else { 5.0 };
        Work {
            flop: each * scored,
            read: self.logits() as f64,
            written: self.images as f64,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        vec![Operand::real(self.logits())]
    }

    fn output(&self) -> Operand {
        Operand::index(self.images, self.vocabulary as u32)
    }

    fn shader(&self, variant: Variant) -> Shader {
        let params = Params {
            images: self.images as u32,
            vocabulary: self.vocabulary as u32,
            is_guided: u32::from(self.guidance.is_some()),
            seed: self.seed,
            scale: self.guidance.unwrap_or(1.0),
            inverse_temperature: 1.0 / self.temperature,
            unused: [0; 2],
        };
        Shader {
            source: prelude(variant) + PCG + include_str!("../../../shaders/sample.wgsl"),
            params: bytemuck::bytes_of(&params).to_vec(),
            workgroups: self.images as u32,
        }
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: 1,
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        for (image, token) in output.iter_mut().enumerate() {
            let mut best = (f32::NEG_INFINITY, 0);
            for candidate in 0..self.vocabulary {
                let score = self.score(inputs[0], image, candidate);
                if score > best.0 {
                    best = (score, candidate);
                }
            }
            *token = best.1 as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_as_often_as_their_softmax_says() {
        let mut counts = [0_u32; 3];
        let logits = [0.0, libm::logf(2.0), libm::logf(5.0)];
        for seed in 0..8000 {
            let kernel = Sample {
                images: 1,
                vocabulary: 3,
                guidance: None,
                temperature: 1.0,
                seed,
            };
            let mut token = [0.0];
            kernel.twin(&[&logits], &mut token);
            counts[token[0] as usize] += 1;
        }
        // Of 8000 draws an eighth, a quarter and five eighths, within four standard deviations.
        for (count, want) in counts.into_iter().zip([1000.0, 2000.0, 5000.0]) {
            let deviation = libm::sqrt(want * (1.0 - want / 8000.0));
            assert!(
                (f64::from(count) - want).abs() < 4.0 * deviation,
                "{counts:?}"
            );
        }
    }
}
