//! One step of the sampler: the latent moves along what the model predicts.

use bytemuck::{Pod, Zeroable};

use super::{Kernel, Operand, Shader, Tolerance, Variant, Work, elementwise};

/// x' = keep * x + `move_by` * e; inputs: latents, predictions of all sequences, conditioned ones first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// Elements of all latents.
    pub elements: usize,
    /// Weight of the latent.
    pub keep: f32,
    /// Weight of the prediction.
    pub move_by: f32,
    /// Classifier-free guidance (Ho and Salimans 2022): e = u + scale * (c - u); `None`: e is the prediction.
    pub guidance: Option<f32>,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    elements: u32,
    is_guided: u32,
    keep: f32,
    move_by: f32,
    scale: f32,
    unused: [u32; 3],
}

impl Sampler {
    fn predictions(&self) -> usize {
        match self.guidance {
            Some(_) => 2 * self.elements,
            None => self.elements,
        }
    }
}

impl Kernel for Sampler {
    fn name(&self) -> &'static str {
        "sampler"
    }

    fn work(&self) -> Work {
        let each = if self.guidance.is_some() { 6.0 } else { 3.0 };
        Work {
            flop: each * self.elements as f64,
            read: (self.elements + self.predictions()) as f64,
            written: self.elements as f64,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        vec![
            Operand::real(self.elements),
            Operand::real(self.predictions()),
        ]
    }

    fn output(&self) -> Operand {
        Operand::real(self.elements)
    }

    fn shader(&self, variant: Variant) -> Shader {
        let params = Params {
            elements: self.elements as u32,
            is_guided: u32::from(self.guidance.is_some()),
            keep: self.keep,
            move_by: self.move_by,
            scale: self.guidance.unwrap_or(1.0),
            unused: [0; 3],
        };
        let text = include_str!("../../../shaders/sampler.wgsl");
        elementwise::shader(variant, text, &params, self.elements)
    }

    fn tolerance(&self) -> Tolerance {
        // Guidance takes the difference of two numbers times its scale.
        let scale = self.guidance.map_or(1.0, f32::abs).max(1.0);
        Tolerance {
            reduction: (16.0 * scale * scale) as usize,
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        for (index, element) in output.iter_mut().enumerate() {
            let mut prediction = inputs[1][index];
            if let Some(scale) = self.guidance {
                let without = inputs[1][self.elements + index];
                prediction = without + scale * (prediction - without);
            }
            *element = self.keep * inputs[0][index] + self.move_by * prediction;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guidance_moves_away_from_the_unconditioned() {
        let plain = Sampler {
            elements: 1,
            keep: 1.0,
            move_by: -0.5,
            guidance: None,
        };
        let mut output = [0.0];
        plain.twin(&[&[2.0], &[3.0]], &mut output);
        assert_eq!(output, [0.5]);
        let guided = Sampler {
            guidance: Some(4.0),
            ..plain
        };
        guided.twin(&[&[2.0], &[3.0, 1.0]], &mut output);
        assert_eq!(output, [2.0 - 0.5 * 9.0]);
    }
}
