//! Matrix products with everything that a transformer does to their results in one pass.
//!
//! ```text
//! C[r, n] = residual[r, n] + gate[image of r, n] * f(sum_k A[r, k] B[k, n] + bias[n])
//! ```
//!
//! A and C may be parts of larger tensors ([`Slice`]): a stream of tokens within a joint sequence, a slice of a
//! packed projection. Three texts compute it: tiles through workgroup memory, a skinny one for few rows, and
//! cooperative matrices.

use bytemuck::{Pod, Zeroable};

use super::slice::{SliceParams, absent, reader, writer};
use super::tiles::Tiles;
use super::{Function, Kernel, Operand, Product, Shader, Slice, Tolerance, Variant, Work};

/// A product of a [images * rows, depth] and a `[depth, columns]` matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gemm {
    /// Images, sequences, or 1.
    pub images: usize,
    /// Rows of A and C an image.
    pub rows: usize,
    /// Columns of B and C.
    pub columns: usize,
    /// Terms of each sum.
    pub depth: usize,
    /// Where A is.
    pub input: Slice,
    /// Where C is.
    pub output: Slice,
    /// Whether a bias `[columns]` is added.
    pub bias: bool,
    /// What is done to the sum.
    pub function: Function,
    /// Factors by image and column.
    pub gate: Option<Gate>,
    /// What is added last.
    pub residual: Option<Residual>,
}

/// A factor for each image and column: some columns of a conditioning tensor `[images, stride]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Elements from one image to the next.
    pub stride: usize,
    /// Elements of an image before the first factor.
    pub offset: usize,
}

/// What is added to a finished product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residual {
    /// [images * rows, columns], as of a residual connection.
    Whole,
    /// `[rows, columns]`, the same for every image, as of position embeddings.
    Repeated,
}

impl Gemm {
    /// A product of whole matrices and nothing else.
    #[must_use]
    pub fn plain(rows: usize, columns: usize, depth: usize) -> Self {
        Self::tokens(1, rows, columns, depth)
    }

    /// A product of the rows of some images with the same matrix, and nothing else.
    #[must_use]
    pub fn tokens(images: usize, rows: usize, columns: usize, depth: usize) -> Self {
        Self {
            images,
            rows,
            columns,
            depth,
            input: Slice::whole(rows, depth),
            output: Slice::whole(rows, columns),
            bias: false,
            function: Function::Identity,
            gate: None,
            residual: None,
        }
    }

    /// Rows of all images.
    fn all_rows(&self) -> usize {
        self.images * self.rows
    }

    /// Whether every access is at a multiple of four.
    fn vectors(&self) -> bool {
        let gate = self.gate.map_or([0; 2], |gate| [gate.stride, gate.offset]);
        let all = [self.columns, self.depth, gate[0], gate[1]];
        let slices = self.input.is_aligned() && self.output.is_aligned();
        slices && all.iter().all(|n| n.is_multiple_of(4))
    }

    /// Rows of the residual tensor.
    fn residual_rows(&self) -> usize {
        match self.residual {
            Some(Residual::Whole) => self.all_rows(),
            Some(Residual::Repeated) => self.rows,
            None => 1,
        }
    }

    /// Declarations of its tensors and of what is not there, then loads and the finish of a sum.
    fn access(&self) -> String {
        let vectors = self.vectors();
        let mut text = Slice::SHARED.to_owned();
        text += &reader("a", 2, vectors);
        text += &reader("b", 3, vectors);
        let mut binding = 4;
        let optional = [
            ("bias", self.bias, "0.0"),
            ("residual", self.residual.is_some(), "0.0"),
            ("gate", self.gate.is_some(), "1.0"),
        ];
        for (name, is_there, neutral) in optional {
            if is_there {
                text += &reader(name, binding, vectors);
                binding += 1;
            } else {
                text += &absent(name, neutral);
            }
        }
        text + &writer(binding, vectors)
            + Function::SHARED
            + include_str!("../../../shaders/gemm.wgsl")
    }

    fn params(&self) -> Params {
        Params {
            a: self.input.params(),
            c: self.output.params(),
            images: self.images as u32,
            rows: self.rows as u32,
            columns: self.columns as u32,
            depth: self.depth as u32,
            function: self.function as u32,
            residual_rows: self.residual_rows() as u32,
            gate_stride: self.gate.map_or(0, |gate| gate.stride) as u32,
            gate_offset: self.gate.map_or(0, |gate| gate.offset) as u32,
        }
    }

    /// The tiles that may be tried for this product.
    #[must_use]
    pub fn candidates(variant: Variant) -> Vec<Tiles> {
        Tiles::candidates(variant)
    }
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    a: SliceParams,
    c: SliceParams,
    images: u32,
    rows: u32,
    columns: u32,
    depth: u32,
    function: u32,
    residual_rows: u32,
    gate_stride: u32,
    gate_offset: u32,
}

impl Kernel for Gemm {
    fn name(&self) -> &'static str {
        "gemm"
    }

    fn work(&self) -> Work {
        let [rows, columns, depth] =
            [self.all_rows(), self.columns, self.depth].map(|count| count as f64);
        let outputs = rows * columns;
        let mut flop = 2.0 * outputs * depth + outputs * self.function.flop();
        let mut read = rows * depth + depth * columns;
        if self.bias {
            flop += outputs;
            read += columns;
        }
        if self.residual.is_some() {
            flop += outputs;
            read += self.residual_rows() as f64 * columns;
        }
        if self.gate.is_some() {
            flop += outputs;
            read += self.images as f64 * columns;
        }
        Work {
            flop,
            read,
            written: outputs,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        let residual = self.residual.map(|_| self.residual_rows() * self.columns);
        let all = [
            Some(self.input.elements(self.images)),
            Some(self.depth * self.columns),
            self.bias.then_some(self.columns),
            residual,
            self.gate.map(|gate| self.images * gate.stride),
        ];
        all.into_iter().flatten().map(Operand::real).collect()
    }

    fn output(&self) -> Operand {
        Operand::real(self.output.elements(self.images))
    }

    fn updates(&self) -> bool {
        !self.output.is_covered_by(self.rows, self.columns)
    }

    fn shader(&self, variant: Variant) -> Shader {
        self.shader_with(variant, Tiles::of(variant, self.all_rows(), self.columns))
    }

    fn product(&self) -> Option<Product> {
        let (rows, columns) = (self.all_rows(), self.columns);
        Some(Product::new(
            self.name(),
            [rows, columns, self.depth],
            self.vectors(),
        ))
    }

    fn shader_with(&self, variant: Variant, tiles: Tiles) -> Shader {
        let shape = (self.all_rows(), self.columns);
        let params = self.params();
        tiles.shader(variant, &self.access(), bytemuck::bytes_of(&params), shape)
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: self.depth,
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        let mut optional = inputs[2..].iter();
        let bias = self.bias.then(|| optional.next()).flatten();
        let residual = self.residual.and_then(|_| optional.next());
        let gate = self.gate.and_then(|_| optional.next());
        for row in 0..self.all_rows() {
            let (image, within) = (row / self.rows, row % self.rows);
            for column in 0..self.columns {
                let a = &inputs[0][self.input.at(image, within)..][..self.depth];
                let b = inputs[1][column..].iter().step_by(self.columns);
                let products = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
                let sum = products.sum::<f64>() as f32;
                let mut value = self
                    .function
                    .of(sum + bias.map_or(0.0, |bias| bias[column]));
                if let (Some(factors), Some(gate)) = (gate, self.gate) {
                    value *= factors[image * gate.stride + gate.offset + column];
                }
                if let Some(residual) = residual {
                    value += residual[row % self.residual_rows() * self.columns + column];
                }
                output[self.output.at(image, within) + column] = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twin_does_what_the_formula_says() {
        let kernel = Gemm {
            bias: true,
            function: Function::Silu,
            gate: Some(Gate {
                stride: 2,
                offset: 0,
            }),
            residual: Some(Residual::Repeated),
            ..Gemm::tokens(2, 1, 2, 2)
        };
        let a = [1.0, 2.0, 3.0, 4.0];
        let b = [0.5, -1.0, 0.25, 1.0];
        let (bias, residual, gate) = ([0.0, 1.0], [10.0, 20.0], [1.0, 2.0, 3.0, 4.0]);
        let mut c = [0.0; 4];
        kernel.twin(&[&a, &b, &bias, &residual, &gate], &mut c);
        let f = |x| Function::Silu.of(x);
        let want = [
            10.0 + f(1.0),
            20.0 + 2.0 * f(2.0),
            10.0 + 3.0 * f(2.5),
            20.0 + 4.0 * f(2.0),
        ];
        assert_eq!(c, want);
    }

    #[test]
    fn work_is_two_operations_a_term_and_each_matrix_once() {
        let work = Gemm::plain(3, 5, 7).work();
        assert_eq!(work.flop, 210.0);
        assert_eq!((work.read, work.written), (21.0 + 35.0, 15.0));
    }
}
