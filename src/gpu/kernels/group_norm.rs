//! Group normalisation (Wu and He 2018) of images in NHWC, in two kernels: moments of chunks, then the result.

use bytemuck::{Pod, Zeroable};

use super::slice::{reader, writer};
use super::{Function, Kernel, Operand, Shader, Tolerance, Variant, Work, prelude};

/// A tensor `[images, pixels, channels]` whose channels form groups of neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grouped {
    /// Images of the batch.
    pub images: usize,
    /// Height times width.
    pub pixels: usize,
    /// Channels, a multiple of the groups.
    pub channels: usize,
    /// Groups, 32 in latent decoders.
    pub groups: usize,
}

/// Mean and sum of squared deviations of each chunk of pixels: `[images, groups, chunks, 2]`, in 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupStatistics {
    /// What is read.
    pub tensor: Grouped,
}

/// f((x - mean) / sqrt(variance + epsilon) * weight + bias), mean and variance those of image and group.
/// Inputs: x, the output of [`GroupStatistics`], weight `[channels]`, bias `[channels]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupNorm {
    /// What is normalised.
    pub tensor: Grouped,
    /// f, mostly SiLU.
    pub function: Function,
    /// Added to the variance.
    pub epsilon: f32,
}

/// Invocations of a workgroup, as in the shaders.
const WORKGROUP: usize = 256;

/// Workgroups that fill a large GPU several times.
const WORKGROUPS_WANTED: usize = 1024;

/// The most chunks of an image, for each of which the normalisation reads two numbers.
const CHUNKS_MAX: usize = 128;

/// The fewest elements that are worth a workgroup.
const CHUNK_ELEMENTS_MIN: usize = 16_384;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    images: u32,
    pixels: u32,
    channels: u32,
    groups: u32,
    slabs: u32,
    groups_per_slab: u32,
    chunks: u32,
    chunk_pixels: u32,
    blocks: u32,
    block_pixels: u32,
    function: u32,
    epsilon: f32,
}

impl Grouped {
    const SHARED: &str = include_str!("../../../shaders/shared/grouped.wgsl");

    /// Elements.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.images * self.pixels * self.channels
    }

    fn channels_per_group(&self) -> usize {
        self.channels / self.groups
    }

    fn vectors(&self) -> bool {
        self.channels_per_group().is_multiple_of(4)
    }

    /// Whole groups whose channels a workgroup reads at once, so that neighbours read neighbours.
    fn groups_per_slab(&self) -> usize {
        let width = if self.vectors() { 4 } else { 1 };
        let units_per_group = self.channels_per_group() / width;
        (WORKGROUP / units_per_group).clamp(1, self.groups)
    }

    fn slabs(&self) -> usize {
        self.groups.div_ceil(self.groups_per_slab())
    }

    /// Pixels of one workgroup when there are at most `chunks_max` for an image and slab.
    fn pixels_per_workgroup(&self, chunks_max: usize) -> usize {
        let wanted = WORKGROUPS_WANTED.div_ceil(self.images * self.slabs());
        let fewest = self.pixels.div_ceil(wanted.min(chunks_max));
        let channels = self.groups_per_slab() * self.channels_per_group();
        fewest.max(CHUNK_ELEMENTS_MIN.div_ceil(channels))
    }

    fn chunk_pixels(&self) -> usize {
        self.pixels_per_workgroup(CHUNKS_MAX)
    }

    /// Chunks of an image.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.pixels.div_ceil(self.chunk_pixels())
    }

    fn statistics(&self) -> Operand {
        Operand::single(self.images * self.groups * self.chunks() * 2)
    }

    /// # Panics
    /// When the shape contradicts itself: a program is right or is not made.
    fn assert_valid(&self) {
        let whole = self.groups > 0 && self.channels.is_multiple_of(self.groups);
        assert!(whole && self.channels > 0 && self.pixels > 0, "{self:?}");
    }

    fn params(&self, function: Function, epsilon: f32) -> Params {
        let block_pixels = self.pixels_per_workgroup(usize::MAX);
        Params {
            images: self.images as u32,
            pixels: self.pixels as u32,
            channels: self.channels as u32,
            groups: self.groups as u32,
            slabs: self.slabs() as u32,
            groups_per_slab: self.groups_per_slab() as u32,
            chunks: self.chunks() as u32,
            chunk_pixels: self.chunk_pixels() as u32,
            blocks: self.pixels.div_ceil(block_pixels) as u32,
            block_pixels: block_pixels as u32,
            function: function as u32,
            epsilon,
        }
    }

    /// What one pixel of a group has.
    fn pixel<'a>(&self, x: &'a [f32], image: usize, pixel: usize, group: usize) -> &'a [f32] {
        let width = self.channels_per_group();
        let at = (image * self.pixels + pixel) * self.channels + group * width;
        &x[at..at + width]
    }

    /// How vectors or single channels are named in the shaders.
    fn unit_text(&self) -> String {
        let width = if self.vectors() { 4 } else { 1 };
        format!("const UNIT = {width}u;\n")
    }
}

impl Kernel for GroupStatistics {
    fn name(&self) -> &'static str {
        "group_statistics"
    }

    fn work(&self) -> Work {
        let elements = self.tensor.elements() as f64;
        Work {
            // Welford's update: a difference, a product and a sum for the mean, and the same for the squares.
            flop: 6.0 * elements,
            read: elements,
            written: self.output().elements as f64,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        vec![Operand::real(self.tensor.elements())]
    }

    fn output(&self) -> Operand {
        self.tensor.statistics()
    }

    fn shader(&self, variant: Variant) -> Shader {
        self.tensor.assert_valid();
        let params = self.tensor.params(Function::Identity, 0.0);
        let texts = [
            prelude(variant),
            self.tensor.unit_text(),
            reader("pixels", 2, self.tensor.vectors()),
            Grouped::SHARED.to_owned(),
            include_str!("../../../shaders/group_statistics.wgsl").to_owned(),
        ];
        Shader {
            source: texts.concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            workgroups: params.images * params.slabs * params.chunks,
        }
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: self.tensor.chunk_pixels() * self.tensor.channels_per_group(),
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        let tensor = &self.tensor;
        tensor.assert_valid();
        for (index, out) in output.chunks_exact_mut(2).enumerate() {
            let chunk = index % tensor.chunks();
            let group = index / tensor.chunks() % tensor.groups;
            let image = index / tensor.chunks() / tensor.groups;
            let first = chunk * tensor.chunk_pixels();
            let last = (first + tensor.chunk_pixels()).min(tensor.pixels);
            let values: Vec<f64> = (first..last)
                .flat_map(|pixel| tensor.pixel(inputs[0], image, pixel, group))
                .map(|&value| f64::from(value))
                .collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
            out[0] = mean as f32;
            out[1] = squares as f32;
        }
    }
}

impl GroupNorm {
    /// Mean and variance of a group by Chan's combination of its chunks (Chan, Golub and `LeVeque` 1983).
    fn moments(&self, statistics: &[f32], image: usize, group: usize) -> (f64, f64) {
        let tensor = &self.tensor;
        let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for chunk in 0..tensor.chunks() {
            let at = ((image * tensor.groups + group) * tensor.chunks() + chunk) * 2;
            let first = chunk * tensor.chunk_pixels();
            let pixels = tensor.chunk_pixels().min(tensor.pixels - first);
            let more = (pixels * tensor.channels_per_group()) as f64;
            let apart = f64::from(statistics[at]) - mean;
            let total = count + more;
            mean += apart * more / total;
            squares += f64::from(statistics[at + 1]) + apart * apart * count * more / total;
            count = total;
        }
        (mean, squares.max(0.0) / count)
    }
}

impl Kernel for GroupNorm {
    fn name(&self) -> &'static str {
        "group_norm"
    }

    fn work(&self) -> Work {
        let elements = self.tensor.elements() as f64;
        Work {
            // Difference, two products, a sum, then f.
            flop: elements * (4.0 + self.function.flop()),
            read: elements
                + self.tensor.statistics().elements as f64
                + 2.0 * self.tensor.channels as f64,
            written: elements,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        let channels = Operand::real(self.tensor.channels);
        let x = Operand::real(self.tensor.elements());
        vec![x, self.tensor.statistics(), channels, channels]
    }

    fn output(&self) -> Operand {
        Operand::real(self.tensor.elements())
    }

    fn shader(&self, variant: Variant) -> Shader {
        self.tensor.assert_valid();
        let params = self.tensor.params(self.function, self.epsilon);
        let vectors = self.tensor.vectors();
        let texts = [
            prelude(variant),
            self.tensor.unit_text(),
            reader("pixels", 2, vectors),
            reader("weight", 4, vectors),
            reader("bias", 5, vectors),
            writer(6, vectors),
            Grouped::SHARED.to_owned(),
            Function::SHARED.to_owned(),
            include_str!("../../../shaders/group_norm.wgsl").to_owned(),
        ];
        Shader {
            source: texts.concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            workgroups: params.images * params.slabs * params.blocks,
        }
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: self.tensor.chunks(),
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        let tensor = &self.tensor;
        tensor.assert_valid();
        let image_elements = tensor.pixels * tensor.channels;
        for image in 0..tensor.images {
            let moments: Vec<(f64, f64)> = (0..tensor.groups)
                .map(|group| self.moments(inputs[1], image, group))
                .collect();
            for at in image * image_elements..(image + 1) * image_elements {
                let channel = at % tensor.channels;
                let (mean, variance) = moments[channel / tensor.channels_per_group()];
                let root = libm::sqrt(variance + f64::from(self.epsilon));
                let y = (f64::from(inputs[0][at]) - mean) / root;
                let y = y * f64::from(inputs[2][channel]) + f64::from(inputs[3][channel]);
                output[at] = self.function.of(y as f32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_join_to_the_moments_of_all() {
        let tensor = Grouped {
            images: 1,
            pixels: 20_000,
            channels: 4,
            groups: 2,
        };
        assert!(tensor.chunks() > 3);
        // Large against what it varies by: the sum of squares alone would lose the variance.
        let value = |at: usize| 1000.0 + (at % 17) as f32 / 16.0;
        let x: Vec<f32> = (0..tensor.elements()).map(value).collect();
        let mut statistics = vec![0.0; tensor.statistics().elements];
        GroupStatistics { tensor }.twin(&[&x], &mut statistics);
        let norm = GroupNorm {
            tensor,
            function: Function::Identity,
            epsilon: 1e-9,
        };
        let of_group = (0..tensor.pixels).flat_map(|pixel| tensor.pixel(&x, 0, pixel, 1));
        let of_group: Vec<f64> = of_group.map(|&v| f64::from(v)).collect();
        let mean = of_group.iter().sum::<f64>() / of_group.len() as f64;
        let squares = of_group
            .iter()
            .map(|v| (v - mean) * (v - mean))
            .sum::<f64>();
        let variance = squares / of_group.len() as f64;
        let found = norm.moments(&statistics, 0, 1);
        // The mean of a chunk is rounded to 32 bits: 3e-5 at 1000.
        assert!((found.0 - mean).abs() < 6e-5, "{found:?} {mean}");
        assert!(
            (found.1 / variance - 1.0).abs() < 1e-5,
            "{found:?} {variance}"
        );
        let mut y = vec![0.0; tensor.elements()];
        norm.twin(&[&x, &statistics, &[2.0; 4], &[1.0; 4]], &mut y);
        let want = (f64::from(x[0]) - 1000.5) / libm::sqrt(variance) * 2.0 + 1.0;
        assert!((f64::from(y[0]) - want).abs() < 1e-3, "{} {want}", y[0]);
    }
}
