//! Latents to tokens: each square patch becomes one row.

use bytemuck::{Pod, Zeroable};

use super::{Kernel, Operand, Shader, Tolerance, Variant, Work, elementwise};

/// Cuts latents `[images, height, width, channels]` into tokens [sequences * patches, patch * patch * channels].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patchify {
    /// Latents.
    pub images: usize,
    /// Sequences of each image: 2 with guidance.
    pub sequences_per_image: usize,
    /// Height of a latent, a multiple of the patch.
    pub height: usize,
    /// Width of a latent, a multiple of the patch.
    pub width: usize,
    /// Channels of a latent.
    pub channels: usize,
    /// Side of a patch.
    pub patch: usize,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    elements: u32,
    images: u32,
    height: u32,
    width: u32,
    channels: u32,
    patch: u32,
    unused: [u32; 2],
}

impl Patchify {
    fn latent_elements(&self) -> usize {
        self.images * self.height * self.width * self.channels
    }

    fn elements(&self) -> usize {
        self.latent_elements() * self.sequences_per_image
    }
}

impl Kernel for Patchify {
    fn name(&self) -> &'static str {
        "patchify"
    }

    fn work(&self) -> Work {
        Work {
            flop: 0.0,
            read: self.latent_elements() as f64,
            written: self.elements() as f64,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        vec![Operand::real(self.latent_elements())]
    }

    fn output(&self) -> Operand {
        Operand::real(self.elements())
    }

    fn shader(&self, variant: Variant) -> Shader {
        let params = Params {
            elements: self.elements() as u32,
            images: self.images as u32,
            height: self.height as u32,
            width: self.width as u32,
            channels: self.channels as u32,
            patch: self.patch as u32,
            unused: [0; 2],
        };
        let text = include_str!("../../../shaders/patchify.wgsl");
        elementwise::shader(variant, text, &params, self.elements())
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: 1,
            roundings: 0,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        let (down, across) = (self.height / self.patch, self.width / self.patch);
        let mut tokens = output.chunks_exact_mut(self.channels);
        for sequence in 0..self.images * self.sequences_per_image {
            let image = sequence % self.images;
            for patch in 0..down * across {
                for within in 0..self.patch * self.patch {
                    let y = patch / across * self.patch + within / self.patch;
                    let x = patch % across * self.patch + within % self.patch;
                    let pixel = ((image * self.height + y) * self.width + x) * self.channels;
                    if let Some(token) = tokens.next() {
                        token.copy_from_slice(&inputs[0][pixel..pixel + self.channels]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_becomes_a_row_and_guidance_repeats_it() {
        let kernel = Patchify {
            images: 1,
            sequences_per_image: 2,
            height: 2,
            width: 4,
            channels: 1,
            patch: 2,
        };
        let mut output = [0.0; 16];
        let latent = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        kernel.twin(&[&latent], &mut output);
        let once = [0.0, 1.0, 4.0, 5.0, 2.0, 3.0, 6.0, 7.0];
        assert_eq!(output[..8], once);
        assert_eq!(output[8..], once);
    }
}
