//! Convolutions of images, with bias, activation, residual, and nearest upsampling of the input in one pass.
//!
//! Images are `[image, y, x, channel]`; weights are `[tap, input channel, output channel]` with taps row by row.
//! It is a matrix product of output pixels by (tap, channel) whose left side is read in place, so it shares
//! the tiles of [`super::Gemm`].

use bytemuck::{Pod, Zeroable};

use super::slice::{absent, reader, writer};
use super::tiles::Tiles;
use super::{Function, Kernel, Operand, Product, Shader, Tolerance, Variant, Work};

/// A convolution with stride 1 that keeps height and width (of the upsampled input).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Images at once.
    pub images: usize,
    /// Height of the output.
    pub height: usize,
    /// Width of the output.
    pub width: usize,
    /// Channels of the input.
    pub input_channels: usize,
    /// Channels of the output.
    pub output_channels: usize,
    /// Width and height of the kernel: 1 or 3, or another odd number.
    pub side: usize,
    /// Whether the input is half as high and wide, each pixel counted as two by two.
    pub upsampled: bool,
    /// What is done to sum and bias.
    pub function: Function,
    /// Whether a tensor like the output is added last.
    pub residual: bool,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    rows: u32,
    columns: u32,
    depth: u32,
    function: u32,
    height: u32,
    width: u32,
    channels: u32,
    side: u32,
    doublings: u32,
    unused: [u32; 3],
}

impl Convolution {
    /// Output pixels.
    fn rows(&self) -> usize {
        self.images * self.height * self.width
    }

    /// Terms of each sum.
    fn depth(&self) -> usize {
        self.side * self.side * self.input_channels
    }

    fn upsampling(&self) -> usize {
        if self.upsampled { 2 } else { 1 }
    }

    fn input_elements(&self) -> usize {
        let factor = self.upsampling();
        self.images * (self.height / factor) * (self.width / factor) * self.input_channels
    }

    /// Declarations, loads, and the finish of a sum.
    pub(super) fn access(&self) -> String {
        let vectors = self.vectors();
        let residual = match self.residual {
            true => reader("residual", 5, vectors),
            false => absent("residual", "0.0"),
        };
        let output = if self.residual { 6 } else { 5 };
        let texts = [
            reader("input", 2, vectors),
            reader("weights", 3, vectors),
            reader("bias", 4, vectors),
            residual,
            writer(output, vectors),
            Function::SHARED.to_owned(),
            include_str!("../../../shaders/convolution.wgsl").to_owned(),
        ];
        texts.concat()
    }

    /// Whether every access is at a multiple of four.
    fn vectors(&self) -> bool {
        let channels = [self.input_channels, self.output_channels];
        channels.iter().all(|channels| channels.is_multiple_of(4))
    }

    fn params(&self) -> Params {
        Params {
            rows: self.rows() as u32,
            columns: self.output_channels as u32,
            depth: self.depth() as u32,
            function: self.function as u32,
            height: self.height as u32,
            width: self.width as u32,
            channels: self.input_channels as u32,
            side: self.side as u32,
            doublings: u32::from(self.upsampled),
            unused: [0; 3],
        }
    }
}

impl Kernel for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn work(&self) -> Work {
        let outputs = (self.rows() * self.output_channels) as f64;
        let each = 2.0 * self.depth() as f64 + 1.0 + self.function.flop();
        let residual = if self.residual { outputs } else { 0.0 };
        let weights = (self.depth() + 1) * self.output_channels;
        Work {
            flop: outputs * each + residual,
            read: (self.input_elements() + weights) as f64 + residual,
            written: outputs,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        let mut elements = vec![
            self.input_elements(),
            self.depth() * self.output_channels,
            self.output_channels,
        ];
        if self.residual {
            elements.push(self.rows() * self.output_channels);
        }
        elements.into_iter().map(Operand::real).collect()
    }

    fn output(&self) -> Operand {
        Operand::real(self.rows() * self.output_channels)
    }

    fn shader(&self, variant: Variant) -> Shader {
        self.shader_with(
            variant,
            Tiles::tiled(variant, self.rows(), self.output_channels),
        )
    }

    fn product(&self) -> Option<Product> {
        let shape = [self.rows(), self.output_channels, self.depth()];
        Some(Product::new(self.name(), shape, self.vectors()))
    }

    fn shader_with(&self, variant: Variant, tiles: Tiles) -> Shader {
        let shape = (self.rows(), self.output_channels);
        let params = self.params();
        tiles.shader(variant, &self.access(), bytemuck::bytes_of(&params), shape)
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: self.depth(),
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        for (pixel, sums) in output.chunks_exact_mut(self.output_channels).enumerate() {
            for (channel, sum) in sums.iter_mut().enumerate() {
                let value = self.sum(inputs[0], inputs[1], pixel, channel);
                let value = self.function.of(value as f32 + inputs[2][channel]);
                let at = pixel * self.output_channels + channel;
                *sum = value + inputs.get(3).map_or(0.0, |residual| residual[at]);
            }
        }
    }
}

impl Convolution {
    /// One output without bias, tap by tap.
    fn sum(&self, input: &[f32], weights: &[f32], pixel: usize, channel: usize) -> f64 {
        let (border, factor) = (self.side / 2, self.upsampling());
        let (x, line) = (pixel % self.width, pixel / self.width);
        let (y, image) = (line % self.height, line / self.height);
        let mut sum = 0.0;
        for tap in 0..self.side * self.side {
            let (y, x) = (y + tap / self.side, x + tap % self.side);
            let inside = (border..self.height + border).contains(&y)
                && (border..self.width + border).contains(&x);
            if !inside {
                continue;
            }
            let line = image * (self.height / factor) + (y - border) / factor;
            let seen = line * (self.width / factor) + (x - border) / factor;
            for from in 0..self.input_channels {
                let weight = (tap * self.input_channels + from) * self.output_channels + channel;
                let value = input[seen * self.input_channels + from];
                sum += f64::from(value) * f64::from(weights[weight]);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Convolution = Convolution {
        images: 1,
        height: 2,
        width: 2,
        input_channels: 1,
        output_channels: 1,
        side: 3,
        upsampled: false,
        function: Function::Identity,
        residual: false,
    };

    #[test]
    fn a_sum_over_neighbours_sees_zeros_beyond_the_border() {
        let mut output = [0.0; 4];
        let ones = [1.0; 9];
        PLAIN.twin(&[&[1.0, 2.0, 3.0, 4.0], &ones, &[0.5]], &mut output);
        assert_eq!(output, [10.5; 4]);
        // The tap in the middle of the upper row sees the pixel above.
        let mut above = [0.0; 9];
        above[1] = 1.0;
        PLAIN.twin(&[&[1.0, 2.0, 3.0, 4.0], &above, &[0.0]], &mut output);
        assert_eq!(output, [0.0, 0.0, 1.0, 2.0]);
    }

    #[test]
    fn upsampling_repeats_each_pixel() {
        let kernel = Convolution {
            side: 1,
            upsampled: true,
            width: 4,
            residual: true,
            ..PLAIN
        };
        let mut output = [0.0; 8];
        let residual = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        kernel.twin(&[&[3.0, 5.0], &[2.0], &[0.0], &residual], &mut output);
        assert_eq!(output, [6.0, 6.0, 10.0, 10.0, 7.0, 7.0, 11.0, 11.0]);
    }
}
