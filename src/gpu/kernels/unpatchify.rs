//! Tokens back to images: the inverse of `patchify`, on the channels that are kept.

use bytemuck::{Pod, Zeroable};

use super::{Kernel, Operand, Shader, Tolerance, Variant, Work, elementwise};

/// Puts tokens [images * patches, patch * patch * `token_channels`] together to `[images, height, width, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unpatchify {
    /// Images, or sequences.
    pub images: usize,
    /// Height, a multiple of the patch.
    pub height: usize,
    /// Width, a multiple of the patch.
    pub width: usize,
    /// Channels that are kept, the first of each token's.
    pub channels: usize,
    /// Channels that a token has for each pixel.
    pub token_channels: usize,
    /// Side of a patch.
    pub patch: usize,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    elements: u32,
    height: u32,
    width: u32,
    channels: u32,
    token_channels: u32,
    patch: u32,
    unused: [u32; 2],
}

impl Unpatchify {
    fn pixels(&self) -> usize {
        self.images * self.height * self.width
    }

    fn elements(&self) -> usize {
        self.pixels() * self.channels
    }
}

impl Kernel for Unpatchify {
    fn name(&self) -> &'static str {
        "unpatchify"
    }

    fn work(&self) -> Work {
        let kept = self.elements() as f64;
        Work {
            flop: 0.0,
            read: kept,
            written: kept,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        vec![Operand::real(self.pixels() * self.token_channels)]
    }

    fn output(&self) -> Operand {
        Operand::real(self.elements())
    }

    fn shader(&self, variant: Variant) -> Shader {
        let params = Params {
            elements: self.elements() as u32,
            height: self.height as u32,
            width: self.width as u32,
            channels: self.channels as u32,
            token_channels: self.token_channels as u32,
            patch: self.patch as u32,
            unused: [0; 2],
        };
        let text = include_str!("../../../shaders/unpatchify.wgsl");
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
        for (pixel, channels) in output.chunks_exact_mut(self.channels).enumerate() {
            let (x, line) = (pixel % self.width, pixel / self.width);
            let (y, image) = (line % self.height, line / self.height);
            let token = (image * down + y / self.patch) * across + x / self.patch;
            let within = y % self.patch * self.patch + x % self.patch;
            let at = (token * self.patch * self.patch + within) * self.token_channels;
            channels.copy_from_slice(&inputs[0][at..at + self.channels]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_undoes_patchify_and_drops_the_other_channels() {
        let kernel = Unpatchify {
            images: 1,
            height: 2,
            width: 4,
            channels: 1,
            token_channels: 2,
            patch: 2,
        };
        let wanted = [0.0, 1.0, 4.0, 5.0, 2.0, 3.0, 6.0, 7.0];
        let tokens: Vec<f32> = wanted.iter().flat_map(|&kept| [kept, -1.0]).collect();
        let mut output = [0.0; 8];
        kernel.twin(&[&tokens], &mut output);
        assert_eq!(output, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    }
}
