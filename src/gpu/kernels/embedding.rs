//! Tokens to vectors: rows of a table.

use bytemuck::{Pod, Zeroable};

use super::{Kernel, Operand, Shader, Tolerance, Variant, Work, elementwise};

/// Row `indices[i]` of a table `[rows, columns]` for each of `tokens`; inputs: indices, table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Embedding {
    /// Indices.
    pub tokens: usize,
    /// Rows of the table: indices are below this.
    pub rows: usize,
    /// Width of a row.
    pub columns: usize,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    elements: u32,
    columns: u32,
    rows: u32,
    unused: u32,
}

impl Embedding {
    fn elements(&self) -> usize {
        self.tokens * self.columns
    }
}

impl Kernel for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn work(&self) -> Work {
        let elements = self.elements() as f64;
        Work {
            flop: 0.0,
            read: elements + self.tokens as f64,
            written: elements,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        vec![
            Operand::index(self.tokens, self.rows as u32),
            Operand::real(self.rows * self.columns),
        ]
    }

    fn output(&self) -> Operand {
        Operand::real(self.elements())
    }

    fn shader(&self, variant: Variant) -> Shader {
        let params = Params {
            elements: self.elements() as u32,
            columns: self.columns as u32,
            rows: self.rows as u32,
            unused: 0,
        };
        let text = include_str!("../../../shaders/embedding.wgsl");
        elementwise::shader(variant, text, &params, self.elements())
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: 1,
            roundings: 0,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        let rows = output.chunks_exact_mut(self.columns);
        for (row, &index) in rows.zip(inputs[0]) {
            let at = index as usize * self.columns;
            row.copy_from_slice(&inputs[1][at..at + self.columns]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_row_of_the_table() {
        let kernel = Embedding {
            tokens: 2,
            rows: 3,
            columns: 2,
        };
        let mut output = [0.0; 4];
        let table = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        kernel.twin(&[&[2.0, 0.0], &table], &mut output);
        assert_eq!(output, [4.0, 5.0, 0.0, 1.0]);
    }
}
