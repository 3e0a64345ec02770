//! The gated activation of an MLP: SwiGLU (Shazeer 2020).

use bytemuck::{Pod, Zeroable};

use super::{Function, Kernel, Operand, Shader, Tolerance, Variant, Work, elementwise};

/// silu(a) * b of rows `[a, b]` of twice `columns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gated {
    /// Rows.
    pub rows: usize,
    /// Columns of the output.
    pub columns: usize,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    elements: u32,
    columns: u32,
    unused: [u32; 2],
}

impl Gated {
    fn elements(&self) -> usize {
        self.rows * self.columns
    }
}

impl Kernel for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn work(&self) -> Work {
        let elements = self.elements() as f64;
        Work {
            flop: elements * (Function::Silu.flop() + 1.0),
            read: 2.0 * elements,
            written: elements,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        vec![Operand::real(2 * self.elements())]
    }

    fn output(&self) -> Operand {
        Operand::real(self.elements())
    }

    fn shader(&self, variant: Variant) -> Shader {
        let params = Params {
            elements: self.elements() as u32,
            columns: self.columns as u32,
            unused: [0; 2],
        };
        let text = Function::SHARED.to_owned() + include_str!("../../../shaders/gated.wgsl");
        elementwise::shader(variant, &text, &params, self.elements())
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: 1,
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        for (index, element) in output.iter_mut().enumerate() {
            let at = index / self.columns * 2 * self.columns + index % self.columns;
            *element = Function::Silu.of(inputs[0][at]) * inputs[0][at + self.columns];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_half_of_a_row_gates_the_second() {
        let kernel = Gated {
            rows: 2,
            columns: 1,
        };
        let mut output = [0.0; 2];
        kernel.twin(&[&[1.0, 2.0, 0.0, 5.0]], &mut output);
        assert_eq!(output, [2.0 * Function::Silu.of(1.0), 0.0]);
    }
}
