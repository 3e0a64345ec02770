//! Rotary position embedding (Su et al. 2021) of queries or keys, in one dimension or on a grid.

use bytemuck::{Pod, Zeroable};

use super::slice::{SliceParams, reader, writer};
use super::{Kernel, Operand, Shader, Slice, Tolerance, Variant, Work, prelude};

/// Turns each pair of neighbouring columns of each head by an angle that grows with the token's position, after an
/// optional root-mean-square norm of the head. Inputs: rows, and with the norm its weight `[head_dim]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rotary {
    /// Images, or sequences.
    pub images: usize,
    /// Tokens of each.
    pub tokens: usize,
    /// Heads of a row.
    pub heads: usize,
    /// Width of a head: even, at most 256.
    pub head_dim: usize,
    /// Where the rows are, in the first input.
    pub input: Slice,
    /// Where they go; what is not written stays as it was.
    pub output: Slice,
    /// Added to the mean square, when heads are normalised first.
    pub norm_epsilon: Option<f32>,
    /// Where tokens stand.
    pub positions: Positions,
    /// Number of the first of these tokens in its sequence.
    pub first_token: usize,
    /// Leading columns of each head that are not turned: even.
    pub still: usize,
    /// Ratio of the fastest to the (never reached) slowest angle, mostly 10000.
    pub base: f64,
}

/// Where tokens stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Positions {
    /// One after the other.
    Line,
    /// On a grid, row by row: half of the turned columns by the row, the others by the column.
    Grid {
        /// Tokens of a row.
        columns: usize,
        /// Tokens before the grid; they are not turned.
        text_tokens: usize,
    },
}

/// Heads of rows that a workgroup takes, as in the shader.
const HEADS_PER_WORKGROUP: usize = 16;

/// Pairs in the table of the shader.
const PAIRS_MAX: usize = 128;

/// Up to here the device's reduction of an angle is exact but for its last step; see the shader.
const ANGLE_MAX: f64 = 12_867.0;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    input: SliceParams,
    output: SliceParams,
    tokens: u32,
    heads: u32,
    head_rows: u32,
    first_token: u32,
    text_tokens: u32,
    grid_columns: u32,
    epsilon: f32,
    unused: u32,
    angles: [[f32; 2]; PAIRS_MAX],
}

impl Rotary {
    fn head_rows(&self) -> usize {
        self.images * self.tokens * self.heads
    }

    fn width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// For each pair its angle for a step of the first and of the second coordinate, rounded to 32 bits: what
    /// the device turns by, and therefore what the twin does.
    fn angles(&self) -> Vec<[f32; 2]> {
        let axes = match self.positions {
            Positions::Line => 1,
            Positions::Grid { .. } => 2,
        };
        let (still, turned) = (self.still / 2, (self.head_dim - self.still) / 2);
        let of_axis = turned / axes;
        let mut angles = vec![[0.0; 2]; still + turned];
        for (pair, steps) in angles[still..].iter_mut().enumerate() {
            let exponent = (pair % of_axis) as f64 / of_axis as f64;
            steps[pair / of_axis] = libm::pow(self.base, -exponent) as f32;
        }
        angles
    }

    fn position(&self, token: usize) -> [f32; 2] {
        let token = self.first_token + token;
        match self.positions {
            Positions::Line => [token as f32, 0.0],
            Positions::Grid { text_tokens, .. } if token < text_tokens => [0.0; 2],
            Positions::Grid {
                columns,
                text_tokens,
            } => {
                let place = token - text_tokens;
                [(place / columns) as f32, (place % columns) as f32]
            }
        }
    }

    /// # Panics
    /// When the shape contradicts itself: a program is right or is not made.
    fn assert_valid(&self) {
        let divisor = match self.positions {
            Positions::Line => 2,
            Positions::Grid { columns, .. } => {
                assert!(columns > 0, "{self:?}");
                4
            }
        };
        assert!(
            self.head_dim <= 2 * PAIRS_MAX && self.still < self.head_dim,
            "{self:?}"
        );
        assert!(self.still.is_multiple_of(2), "{self:?}");
        assert!(
            (self.head_dim - self.still).is_multiple_of(divisor),
            "{self:?}"
        );
        assert!(self.input.holds(self.tokens, self.width()), "{self:?}");
        assert!(self.output.holds(self.tokens, self.width()), "{self:?}");
        // A step turns by at most one radian, so these are the largest angles.
        assert!(self.base >= 1.0, "{self:?}");
        let last = self.position(self.tokens.saturating_sub(1));
        let farthest = match self.positions {
            Positions::Line => 0,
            Positions::Grid { columns, .. } => columns - 1,
        };
        assert!(
            f64::from(last[0]) <= ANGLE_MAX && farthest as f64 <= ANGLE_MAX,
            "{self:?}"
        );
    }

    /// A head normalised and weighted, if it is.
    fn normalised(&self, x: &[f32], weight: Option<&&[f32]>) -> Vec<f64> {
        let x = x.iter().map(|&v| f64::from(v));
        let (Some(epsilon), Some(weight)) = (self.norm_epsilon, weight) else {
            return x.collect();
        };
        let mean = x.clone().map(|v| v * v).sum::<f64>() / self.head_dim as f64;
        let root = libm::sqrt(mean + f64::from(epsilon));
        x.zip(*weight)
            .map(|(v, &w)| v / root * f64::from(w))
            .collect()
    }
}

impl Kernel for Rotary {
    fn name(&self) -> &'static str {
        "rotary"
    }

    fn work(&self) -> Work {
        let elements = (self.head_rows() * self.head_dim) as f64;
        let norm = f64::from(u8::from(self.norm_epsilon.is_some()));
        Work {
            // Two products and a sum; the norm's square, sum and two products.
            flop: elements * (3.0 + 4.0 * norm),
            read: elements + norm * self.head_dim as f64,
            written: elements,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        let rows = Operand::real(self.input.elements(self.images));
        let weight = self.norm_epsilon.map(|_| Operand::real(self.head_dim));
        [rows].into_iter().chain(weight).collect()
    }

    fn output(&self) -> Operand {
        Operand::real(self.output.elements(self.images))
    }

    fn updates(&self) -> bool {
        !self.output.is_covered_by(self.tokens, self.width())
    }

    fn shader(&self, variant: Variant) -> Shader {
        self.assert_valid();
        let (grid_columns, text_tokens) = match self.positions {
            Positions::Line => (0, 0),
            Positions::Grid {
                columns,
                text_tokens,
            } => (columns, text_tokens),
        };
        let mut angles = [[0.0; 2]; PAIRS_MAX];
        angles[..self.head_dim / 2].copy_from_slice(&self.angles());
        let params = Params {
            input: self.input.params(),
            output: self.output.params(),
            tokens: self.tokens as u32,
            heads: self.heads as u32,
            head_rows: self.head_rows() as u32,
            first_token: self.first_token as u32,
            text_tokens: text_tokens as u32,
            grid_columns: grid_columns as u32,
            epsilon: self.norm_epsilon.unwrap_or(0.0),
            unused: 0,
            angles,
        };
        let whole = self.head_dim.is_multiple_of(4);
        let normalise = self.norm_epsilon.is_some();
        let weight = match normalise {
            true => {
                reader("weight", 3, whole)
                    + include_str!("../../../shaders/shared/head_weight.wgsl")
            }
            false => include_str!("../../../shaders/shared/head_plain.wgsl").to_owned(),
        };
        let texts = [
            prelude(variant),
            Slice::SHARED.to_owned(),
            format!(
                "const HEAD_DIM = {}u;\nconst NORMALISE = {normalise};\n",
                self.head_dim
            ),
            reader("rows", 2, whole && self.input.is_aligned()),
            writer(
                self.inputs().len() as u32 + 2,
                whole && self.output.is_aligned(),
            ),
            include_str!("../../../shaders/rotary.wgsl").to_owned(),
            weight,
        ];
        Shader {
            source: texts.concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            workgroups: self.head_rows().div_ceil(HEADS_PER_WORKGROUP) as u32,
        }
    }

    /// Angles are products of the same two numbers of 32 bits on both sides; their reduction to +-pi/4 leaves
    /// two roundings up to `ANGLE_MAX`, which the allowance for transcendental functions covers.
    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: self.norm_epsilon.map_or(2, |_| self.head_dim),
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        self.assert_valid();
        let angles = self.angles();
        for row in 0..self.head_rows() {
            let head = row % self.heads;
            let token = row / self.heads % self.tokens;
            let image = row / self.heads / self.tokens;
            let from = self.input.at(image, token) + head * self.head_dim;
            let to = self.output.at(image, token) + head * self.head_dim;
            let x = self.normalised(&inputs[0][from..from + self.head_dim], inputs.get(1));
            let position = self.position(token);
            for (pair, steps) in angles.iter().enumerate() {
                let angle = f64::from(position[0] * steps[0] + position[1] * steps[1]);
                let (sine, cosine) = libm::sincos(angle);
                let (a, b) = (x[2 * pair], x[2 * pair + 1]);
                output[to + 2 * pair] = (a * cosine - b * sine) as f32;
                output[to + 2 * pair + 1] = (a * sine + b * cosine) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_four(positions: Positions) -> Rotary {
        Rotary {
            images: 1,
            tokens: 1,
            heads: 1,
            head_dim: 4,
            input: Slice::whole(1, 4),
            output: Slice::whole(1, 4),
            norm_epsilon: None,
            positions,
            first_token: 3,
            still: 0,
            base: 100.0,
        }
    }

    fn near(got: [f32; 4], want: [f64; 4]) {
        let apart = got.iter().zip(want).map(|(&g, w)| (f64::from(g) - w).abs());
        assert!(apart.fold(0.0, f64::max) < 1e-6, "{got:?} {want:?}");
    }

    #[test]
    fn pairs_turn_by_their_own_angles() {
        let mut y = [0.0; 4];
        of_four(Positions::Line).twin(&[&[1.0, 0.0, 0.0, 2.0]], &mut y);
        // Angles 3 and 3 / sqrt(100).
        near(
            y,
            [
                -0.989_992_5,
                0.141_120_0,
                -2.0 * 0.295_520_2,
                2.0 * 0.955_336_5,
            ],
        );
    }

    #[test]
    fn a_grid_turns_half_by_row_and_half_by_column_and_leaves_text() {
        let grid = Positions::Grid {
            columns: 2,
            text_tokens: 1,
        };
        let mut y = [0.0; 4];
        // The first token is number 3, the third of the grid: row 1, column 0.
        of_four(grid).twin(&[&[1.0, 0.0, 1.0, 0.0]], &mut y);
        near(y, [0.540_302_3, 0.841_471_0, 1.0, 0.0]);
        let text = Rotary {
            first_token: 0,
            norm_epsilon: Some(1e-12),
            ..of_four(grid)
        };
        text.twin(&[&[1.0, 2.0, 3.0, 4.0], &[1.0, 1.0, 2.0, 1.0]], &mut y);
        // Only the norm: the mean square is 7.5.
        let root = libm::sqrt(7.5);
        near(y, [1.0 / root, 2.0 / root, 6.0 / root, 4.0 / root]);
    }

    #[test]
    fn columns_that_stand_still_come_before_the_turned_ones() {
        let kernel = Rotary {
            still: 2,
            ..of_four(Positions::Line)
        };
        assert_eq!(kernel.angles(), [[0.0, 0.0], [1.0, 0.0]]);
    }
}
