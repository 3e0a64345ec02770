//! A copy: what memory can do at best, as a ceiling for everything that is bound by it.

use bytemuck::{Pod, Zeroable};

use super::{Kernel, Operand, Shader, Tolerance, Variant, Work, elementwise};

/// Copies a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Its length.
    pub elements: usize,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    /// Vectors of four.
    elements: u32,
    unused: [u32; 3],
}

impl Kernel for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }

    fn work(&self) -> Work {
        Work {
            flop: 0.0,
            read: self.elements as f64,
            written: self.elements as f64,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        vec![Operand::real(self.elements)]
    }

    fn output(&self) -> Operand {
        Operand::real(self.elements)
    }

    fn shader(&self, variant: Variant) -> Shader {
        // Tensors are padded, so the last quad may be read and written whole.
        let quads = self.elements.div_ceil(4);
        let params = Params {
            elements: quads as u32,
            unused: [0; 3],
        };
        let text = include_str!("../../../shaders/copy.wgsl");
        elementwise::shader(variant, text, &params, quads)
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: 1,
            roundings: 0,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        output.copy_from_slice(inputs[0]);
    }
}
