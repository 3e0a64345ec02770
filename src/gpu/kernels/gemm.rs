//! Matrix products with everything that a transformer does to their results in one pass.
//!
//! ```text
//! C[r, n] = residual[r mod period, n] + gate[r / gate_rows, n] * f(sum_k A[r, k] B[k, n] + bias[n])
//! ```
//!
//! A and C may be parts of larger tensors ([`Place`]): a stream of tokens within a joint sequence, a slice of a
//! packed projection. Three texts compute it: tiles through workgroup memory, a skinny one for few rows, and
//! cooperative matrices (`cooperative.rs`).

use bytemuck::{Pod, Zeroable};

use super::quads::{Rows, absent};
use super::tiles::{self, Tiles};
use super::{Function, Kernel, Operand, Shader, Tolerance, Variant, Work, prelude};

/// A product of a [rows, depth] and a [depth, columns] matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gemm {
    /// Rows of A and C.
    pub rows: usize,
    /// Columns of B and C.
    pub columns: usize,
    /// Terms of each sum.
    pub depth: usize,
    /// Where A is.
    pub input: Place,
    /// Where C is.
    pub output: Place,
    /// Whether a bias [columns] is added.
    pub bias: bool,
    /// What is done to the sum.
    pub function: Function,
    /// Factors by image and column.
    pub gate: Option<Gate>,
    /// Rows of the residual [rows, columns] that is added last; fewer than `rows`: they repeat.
    pub residual: Option<usize>,
}

/// Where a matrix is within its tensor: row r, column c is element
/// `((r / rows_per_image) * image_stride + row_offset + r mod rows_per_image) * row_stride + column_offset + c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Elements of the tensor.
    pub elements: usize,
    /// Rows that follow each other.
    pub rows_per_image: usize,
    /// Rows from one image to the next.
    pub image_stride: usize,
    /// Rows of an image before the first of the matrix.
    pub row_offset: usize,
    /// Elements from one row to the next.
    pub row_stride: usize,
    /// Elements of a row before the first of the matrix.
    pub column_offset: usize,
}

/// A factor for each image and column: a slice of a conditioning tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Elements of the tensor.
    pub elements: usize,
    /// Rows of C that share a factor.
    pub rows_per_image: usize,
    /// Elements from one image to the next.
    pub stride: usize,
    /// Elements of an image before the first factor.
    pub offset: usize,
}

/// Up to so many rows the weights are streamed instead of tiled.
const SKINNY_ROWS_MAX: usize = 16;
/// Outputs of a workgroup of the skinny text, as in its shader.
const SKINNY_TILE: (usize, usize) = (8, 64);

impl Place {
    /// A tensor that is nothing but the matrix.
    #[must_use]
    pub fn whole(rows: usize, columns: usize) -> Self {
        Self::slice(rows, columns, 0)
    }

    /// Columns from `column_offset` on of a tensor of rows of `row_stride`.
    #[must_use]
    pub fn slice(rows: usize, row_stride: usize, column_offset: usize) -> Self {
        Self {
            elements: rows * row_stride,
            rows_per_image: rows,
            image_stride: rows,
            row_offset: 0,
            row_stride,
            column_offset,
        }
    }

    /// The element of row `row`, column 0.
    #[must_use]
    pub fn start(&self, row: usize) -> usize {
        let (image, within) = (row / self.rows_per_image, row % self.rows_per_image);
        let row = image * self.image_stride + self.row_offset + within;
        row * self.row_stride + self.column_offset
    }
}

impl Gemm {
    /// A product and nothing else.
    #[must_use]
    pub fn plain(rows: usize, columns: usize, depth: usize) -> Self {
        Self {
            rows,
            columns,
            depth,
            input: Place::whole(rows, depth),
            output: Place::whole(rows, columns),
            bias: false,
            function: Function::Identity,
            gate: None,
            residual: None,
        }
    }

    /// How its tensors can be read.
    fn alignment(&self) -> Rows {
        let (a, c) = (self.input, self.output);
        let gate = self.gate.map_or([0; 2], |gate| [gate.stride, gate.offset]);
        Rows::of(&[
            self.columns,
            self.depth,
            a.row_stride,
            a.column_offset,
            c.row_stride,
            c.column_offset,
            gate[0],
            gate[1],
        ])
    }

    /// Declarations of its tensors and of what is not there, then loads and the finish of a sum.
    pub(super) fn access(&self) -> String {
        let rows = self.alignment();
        let mut text = rows.input("a", 2) + &rows.input("b", 3);
        let mut binding = 4;
        let optional = [
            ("bias", self.bias, "0.0"),
            ("residual", self.residual.is_some(), "0.0"),
            ("gate", self.gate.is_some(), "1.0"),
        ];
        for (name, is_there, neutral) in optional {
            if is_there {
                text += &rows.input(name, binding);
                binding += 1;
            } else {
                text += &absent(name, neutral);
            }
        }
        text + &rows.output("c", binding)
            + Function::SHARED
            + include_str!("../../../shaders/gemm.wgsl")
    }

    fn params(&self) -> Params {
        Params {
            rows: self.rows as u32,
            columns: self.columns as u32,
            depth: self.depth as u32,
            function: self.function as u32,
            a: words(self.input),
            c: words(self.output),
            a_column: self.input.column_offset as u32,
            c_column: self.output.column_offset as u32,
            residual_period: self.residual.unwrap_or(1) as u32,
            gate_rows: self.gate.map_or(1, |gate| gate.rows_per_image) as u32,
            gate_stride: self.gate.map_or(0, |gate| gate.stride) as u32,
            gate_column: self.gate.map_or(0, |gate| gate.offset) as u32,
            unused: [0; 2],
        }
    }

    /// The tiled text with these tiles.
    #[must_use]
    pub fn tiled(&self, variant: Variant, tiles: Tiles) -> Shader {
        Shader {
            source: prelude(variant) + &tiles.constants() + &self.access() + tiles::SHARED,
            params: bytemuck::bytes_of(&self.params()).to_vec(),
            workgroups: tiles.workgroups(self.rows, self.columns),
        }
    }

    fn skinny(&self, variant: Variant) -> Shader {
        let (rows, columns) = SKINNY_TILE;
        let body = include_str!("../../../shaders/gemm_skinny.wgsl");
        Shader {
            source: prelude(variant) + &self.access() + body,
            params: bytemuck::bytes_of(&self.params()).to_vec(),
            workgroups: (self.rows.div_ceil(rows) * self.columns.div_ceil(columns)) as u32,
        }
    }
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    rows: u32,
    columns: u32,
    depth: u32,
    function: u32,
    a: [u32; 4],
    c: [u32; 4],
    a_column: u32,
    c_column: u32,
    residual_period: u32,
    gate_rows: u32,
    gate_stride: u32,
    gate_column: u32,
    unused: [u32; 2],
}

fn words(place: Place) -> [u32; 4] {
    [
        place.rows_per_image as u32,
        place.image_stride as u32,
        place.row_offset as u32,
        place.row_stride as u32,
    ]
}

impl Kernel for Gemm {
    fn name(&self) -> &'static str {
        "gemm"
    }

    fn work(&self) -> Work {
        let [rows, columns, depth] = [self.rows, self.columns, self.depth].map(|n| n as f64);
        let outputs = rows * columns;
        let mut flop = 2.0 * outputs * depth + outputs * self.function.flop();
        let mut read = rows * depth + depth * columns;
        if self.bias {
            flop += outputs;
            read += columns;
        }
        if let Some(period) = self.residual {
            flop += outputs;
            read += period as f64 * columns;
        }
        if let Some(gate) = self.gate {
            flop += outputs;
            read += (rows / gate.rows_per_image as f64).ceil() * columns;
        }
        Work {
            flop,
            read,
            written: outputs,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        let bias = self.bias.then_some(self.columns);
        let residual = self.residual.map(|period| period * self.columns);
        let gate = self.gate.map(|gate| gate.elements);
        [
            Some(self.input.elements),
            Some(self.depth * self.columns),
            bias,
            residual,
            gate,
        ]
        .into_iter()
        .flatten()
        .map(Operand::real)
        .collect()
    }

    fn output(&self) -> Operand {
        Operand::real(self.output.elements)
    }

    fn updates(&self) -> bool {
        self.output.elements > self.rows * self.columns
    }

    fn shader(&self, variant: Variant) -> Shader {
        if self.rows <= SKINNY_ROWS_MAX {
            return self.skinny(variant);
        }
        self.tiled(variant, Tiles::of(self.rows, self.columns))
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
        for row in 0..self.rows {
            for column in 0..self.columns {
                let a = &inputs[0][self.input.start(row)..][..self.depth];
                let products = a.iter().enumerate().map(|(term, &a)| {
                    f64::from(a) * f64::from(inputs[1][term * self.columns + column])
                });
                let sum = products.sum::<f64>() as f32;
                let mut value = self
                    .function
                    .of(sum + bias.map_or(0.0, |bias| bias[column]));
                if let (Some(gate), Some(place)) = (gate, self.gate) {
                    let image = row / place.rows_per_image;
                    value *= gate[image * place.stride + place.offset + column];
                }
                if let (Some(residual), Some(period)) = (residual, self.residual) {
                    value += residual[row % period * self.columns + column];
                }
                output[self.output.start(row) + column] = value;
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
                elements: 4,
                rows_per_image: 1,
                stride: 2,
                offset: 0,
            }),
            residual: Some(1),
            ..Gemm::plain(2, 2, 2)
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
    fn a_place_skips_what_is_not_its_own() {
        let place = Place {
            elements: 60,
            rows_per_image: 2,
            image_stride: 5,
            row_offset: 3,
            row_stride: 6,
            column_offset: 1,
        };
        assert_eq!([0, 1, 2, 3].map(|row| place.start(row)), [19, 25, 49, 55]);
    }

    #[test]
    fn work_is_two_operations_a_term_and_each_matrix_once() {
        let work = Gemm::plain(3, 5, 7).work();
        assert_eq!(work.flop, 210.0);
        assert_eq!((work.read, work.written), (21.0 + 35.0, 15.0));
    }
}
