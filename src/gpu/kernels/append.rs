//! Rows copied into a larger tensor: keys and values of a new token into a cache, one stream of tokens behind
//! another.

use bytemuck::{Pod, Zeroable};

use super::slice::{SliceParams, reader, writer};
use super::{Kernel, Operand, Shader, Slice, Tolerance, Variant, Work, prelude};

/// `rows` rows of `columns` of each image from one slice to another. The rest of the output stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Append {
    /// Images, or sequences.
    pub images: usize,
    /// Rows of each that are copied.
    pub rows: usize,
    /// Columns of each row that are copied.
    pub columns: usize,
    /// From where.
    pub input: Slice,
    /// To where.
    pub output: Slice,
}

/// Invocations of a workgroup, as in the shader.
const WORKGROUP: usize = 256;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    input: SliceParams,
    output: SliceParams,
    rows: u32,
    columns: u32,
    units: u32,
    unused: u32,
}

impl Append {
    /// The new token of each sequence into a cache `[sequences, tokens_max, columns]` at a position.
    #[must_use]
    pub fn token(
        sequences: usize,
        columns: usize,
        input: Slice,
        tokens_max: usize,
        position: usize,
    ) -> Self {
        Self {
            images: sequences,
            rows: 1,
            columns,
            input,
            output: Slice::whole(tokens_max, columns).from_row(position),
        }
    }

    /// # Panics
    /// When the shape contradicts itself: a program is right or is not made.
    fn assert_valid(&self) {
        assert!(self.input.holds(self.rows, self.columns), "{self:?}");
        assert!(self.output.holds(self.rows, self.columns), "{self:?}");
    }
}

impl Kernel for Append {
    fn name(&self) -> &'static str {
        "append"
    }

    fn work(&self) -> Work {
        let moved = (self.images * self.rows * self.columns) as f64;
        Work {
            flop: 0.0,
            read: moved,
            written: moved,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        vec![Operand::real(self.input.elements(self.images))]
    }

    fn output(&self) -> Operand {
        Operand::real(self.output.elements(self.images))
    }

    fn updates(&self) -> bool {
        !self.output.is_covered_by(self.rows, self.columns)
    }

    fn shader(&self, variant: Variant) -> Shader {
        self.assert_valid();
        let units = self.images * self.rows * self.columns.div_ceil(4);
        let params = Params {
            input: self.input.params(),
            output: self.output.params(),
            rows: self.rows as u32,
            columns: self.columns as u32,
            units: units as u32,
            unused: 0,
        };
        let whole = self.columns.is_multiple_of(4);
        let texts = [
            prelude(variant),
            Slice::SHARED.to_owned(),
            reader("rows", 2, whole && self.input.is_aligned()),
            writer(3, whole && self.output.is_aligned()),
            include_str!("../../../shaders/append.wgsl").to_owned(),
        ];
        Shader {
            source: texts.concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            workgroups: units.div_ceil(WORKGROUP) as u32,
        }
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: 1,
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        self.assert_valid();
        for image in 0..self.images {
            for row in 0..self.rows {
                let (from, to) = (self.input.at(image, row), self.output.at(image, row));
                let source = &inputs[0][from..from + self.columns];
                output[to..to + self.columns].copy_from_slice(source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lands_at_its_position_and_the_rest_stays() {
        let packed = Slice::whole(1, 6).from_column(2);
        let kernel = Append::token(2, 2, packed, 3, 1);
        assert!(kernel.updates());
        let input: Vec<f32> = (0..12).map(|v| v as f32).collect();
        let mut cache = [-1.0; 12];
        kernel.twin(&[&input], &mut cache);
        let stay = -1.0;
        let first = [stay, stay, 2.0, 3.0, stay, stay];
        let second = [stay, stay, 8.0, 9.0, stay, stay];
        assert_eq!(cache, [first, second].concat()[..]);
    }
}
