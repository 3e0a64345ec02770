//! Normalisation of rows, and what follows it in a transformer: a learned weight, or scale and shift by image.

use bytemuck::{Pod, Zeroable};

use super::slice::{SliceParams, reader, writer};
use super::{Kernel, Operand, Shader, Slice, Tolerance, Variant, Work, prelude};

/// y = norm(x), then as [`Scaling`] says, for each row of each image. Out comes
/// [images * `rows_per_image`, columns].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Modulate {
    /// Images of the batch, twice as many with guidance.
    pub images: usize,
    /// Rows (tokens) an image.
    pub rows_per_image: usize,
    /// Width of a row.
    pub columns: usize,
    /// Where the rows are, in the first input.
    pub input: Slice,
    /// How a row is normalised.
    pub norm: Norm,
    /// What is done to it then.
    pub scaling: Scaling,
    /// Added to the variance or the mean square, so that no root is zero.
    pub epsilon: f32,
}

/// How a row is normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// (x - mean) / sqrt(variance + epsilon) (Ba et al. 2016), the variance of the population.
    Layer,
    /// x / sqrt(mean of x^2 + epsilon) (Zhang and Sennrich 2019).
    Rms,
}

/// What is done to a normalised row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// Nothing: one input.
    Plain,
    /// y * weight; inputs: rows, weight `[columns]`.
    Weight,
    /// y * weight + bias; inputs: rows, weight `[columns]`, bias `[columns]`.
    Affine,
    /// y * (1 + scale) + shift, by image, as adaptive layer norm (Peebles and Xie 2023); inputs: rows,
    /// conditioning `[images, stride]` with scale and shift among its columns.
    Condition {
        /// Elements from one image's conditioning to the next.
        stride: usize,
        /// First column of the scale.
        scale_offset: usize,
        /// First column of the shift.
        shift_offset: usize,
    },
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    input: SliceParams,
    rows_per_image: u32,
    rows: u32,
    columns: u32,
    is_layer: u32,
    condition_stride: u32,
    scale_offset: u32,
    shift_offset: u32,
    epsilon: f32,
}

impl Modulate {
    fn rows(&self) -> usize {
        self.images * self.rows_per_image
    }

    /// The text that applies the scaling, with its inputs.
    fn scaling_text(&self) -> String {
        let vectors = self.vectors();
        match self.scaling {
            Scaling::Plain => include_str!("../../../shaders/shared/scaling_plain.wgsl").to_owned(),
            Scaling::Weight => {
                reader("weight", 3, vectors)
                    + include_str!("../../../shaders/shared/scaling_weight.wgsl")
            }
            Scaling::Affine => {
                reader("weight", 3, vectors)
                    + &reader("bias", 4, vectors)
                    + include_str!("../../../shaders/shared/scaling_affine.wgsl")
            }
            Scaling::Condition { .. } => {
                reader("condition", 3, vectors)
                    + include_str!("../../../shaders/shared/scaling_condition.wgsl")
            }
        }
    }

    fn vectors(&self) -> bool {
        let by_four = |numbers: &[usize]| numbers.iter().all(|n| n.is_multiple_of(4));
        let condition = match self.scaling {
            Scaling::Condition {
                stride,
                scale_offset,
                shift_offset,
            } => by_four(&[stride, scale_offset, shift_offset]),
            Scaling::Plain | Scaling::Weight | Scaling::Affine => true,
        };
        condition && self.input.is_aligned() && self.columns.is_multiple_of(4)
    }

    /// # Panics
    /// When the shape contradicts itself: a program is right or is not made.
    fn assert_valid(&self) {
        assert!(self.columns > 0 && self.epsilon > 0.0, "{self:?}");
        assert!(
            self.input.holds(self.rows_per_image, self.columns),
            "{self:?}"
        );
        if let Scaling::Condition {
            stride,
            scale_offset,
            shift_offset,
        } = self.scaling
        {
            assert!(scale_offset + self.columns <= stride, "{self:?}");
            assert!(shift_offset + self.columns <= stride, "{self:?}");
        }
    }

    /// y of one element from its normalised value.
    fn scaled(&self, image: usize, column: usize, y: f64, inputs: &[&[f32]]) -> f64 {
        match self.scaling {
            Scaling::Plain => y,
            Scaling::Weight => y * f64::from(inputs[1][column]),
            Scaling::Affine => y * f64::from(inputs[1][column]) + f64::from(inputs[2][column]),
            Scaling::Condition {
                stride,
                scale_offset,
                shift_offset,
            } => {
                let of_image = &inputs[1][image * stride..];
                let scale = f64::from(of_image[scale_offset + column]);
                y * (1.0 + scale) + f64::from(of_image[shift_offset + column])
            }
        }
    }
}

impl Kernel for Modulate {
    fn name(&self) -> &'static str {
        "modulate"
    }

    fn work(&self) -> Work {
        let elements = (self.rows() * self.columns) as f64;
        let columns = self.columns as f64;
        let (scaling_flop, scaling_read) = match self.scaling {
            Scaling::Plain => (0.0, 0.0),
            Scaling::Weight => (1.0, columns),
            Scaling::Affine => (2.0, 2.0 * columns),
            Scaling::Condition { .. } => (3.0, 2.0 * columns * self.images as f64),
        };
        // Mean, difference, square and sum, product; without a mean two fewer.
        let norm_flop = match self.norm {
            Norm::Layer => 5.0,
            Norm::Rms => 3.0,
        };
        Work {
            flop: elements * (norm_flop + scaling_flop),
            read: elements + scaling_read,
            written: elements,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        let mut inputs = vec![Operand::real(self.input.elements(self.images))];
        match self.scaling {
            Scaling::Plain => {}
            Scaling::Weight => inputs.push(Operand::real(self.columns)),
            Scaling::Affine => inputs.extend([Operand::real(self.columns); 2]),
            Scaling::Condition { stride, .. } => inputs.push(Operand::real(self.images * stride)),
        }
        inputs
    }

    fn output(&self) -> Operand {
        Operand::real(self.rows() * self.columns)
    }

    fn shader(&self, variant: Variant) -> Shader {
        self.assert_valid();
        let (condition_stride, scale_offset, shift_offset) = match self.scaling {
            Scaling::Condition {
                stride,
                scale_offset,
                shift_offset,
            } => (stride, scale_offset, shift_offset),
            Scaling::Plain | Scaling::Weight | Scaling::Affine => (0, 0, 0),
        };
        let params = Params {
            input: self.input.params(),
            rows_per_image: self.rows_per_image as u32,
            rows: self.rows() as u32,
            columns: self.columns as u32,
            is_layer: u32::from(self.norm == Norm::Layer),
            condition_stride: condition_stride as u32,
            scale_offset: scale_offset as u32,
            shift_offset: shift_offset as u32,
            epsilon: self.epsilon,
        };
        let texts = [
            prelude(variant),
            Slice::SHARED.to_owned(),
            reader("rows", 2, self.vectors()),
            writer(self.inputs().len() as u32 + 2, self.vectors()),
            include_str!("../../../shaders/modulate.wgsl").to_owned(),
            self.scaling_text(),
        ];
        Shader {
            source: texts.concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            workgroups: self.rows() as u32,
        }
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: self.columns,
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        self.assert_valid();
        for (row, out) in output.chunks_exact_mut(self.columns).enumerate() {
            let image = row / self.rows_per_image;
            let at = self.input.at(image, row % self.rows_per_image);
            let x = &inputs[0][at..at + self.columns];
            let mean_of = |f: &dyn Fn(f64) -> f64| {
                x.iter().map(|&v| f(f64::from(v))).sum::<f64>() / self.columns as f64
            };
            let mean = match self.norm {
                Norm::Layer => mean_of(&|v| v),
                Norm::Rms => 0.0,
            };
            let variance = mean_of(&|v| (v - mean) * (v - mean));
            let root = libm::sqrt(variance + f64::from(self.epsilon));
            for (column, (to, &v)) in out.iter_mut().zip(x).enumerate() {
                let y = (f64::from(v) - mean) / root;
                *to = self.scaled(image, column, y, inputs) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_four(norm: Norm, scaling: Scaling) -> Modulate {
        Modulate {
            images: 1,
            rows_per_image: 1,
            columns: 4,
            input: Slice::whole(1, 4),
            norm,
            scaling,
            epsilon: 1e-12,
        }
    }

    #[test]
    fn a_row_is_normalised_then_scaled_and_shifted() {
        // Mean 5, variance 5; mean square 30.
        let x = [2.0, 4.0, 6.0, 8.0];
        let condition = Scaling::Condition {
            stride: 9,
            scale_offset: 5,
            shift_offset: 1,
        };
        let columns = [9.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0];
        let mut y = [0.0; 4];
        of_four(Norm::Layer, condition).twin(&[&x, &columns], &mut y);
        let root = libm::sqrtf(5.0);
        let want = [
            -9.0 / root + 1.0,
            -3.0 / root + 1.0,
            3.0 / root + 1.0,
            9.0 / root + 1.0,
        ];
        assert!(
            y.iter().zip(want).all(|(y, want)| (y - want).abs() < 1e-6),
            "{y:?}"
        );
        of_four(Norm::Rms, Scaling::Weight).twin(&[&x, &[0.5; 4]], &mut y);
        assert!((y[3] - 4.0 / libm::sqrtf(30.0)).abs() < 1e-6, "{y:?}");
    }

    #[test]
    fn a_large_mean_does_not_cancel_the_variance() {
        let x = [1e6, 1e6 + 1.0, 1e6 + 2.0, 1e6 + 3.0];
        let mut y = [0.0; 4];
        of_four(Norm::Layer, Scaling::Plain).twin(&[&x], &mut y);
        assert!((y[3] - 1.5 / libm::sqrtf(1.25)).abs() < 1e-6, "{y:?}");
    }
}
