//! The sum of two tensors, the second repeated where it is shorter.

use bytemuck::{Pod, Zeroable};

use super::{Kernel, Operand, Shader, Tolerance, Variant, Work, elementwise};

/// a\[i\] + b\[i mod period\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Length of a and of the sum.
    pub elements: usize,
    /// Length of b.
    pub period: usize,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    elements: u32,
    period: u32,
    unused: [u32; 2],
}

impl Kernel for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn work(&self) -> Work {
        Work {
            flop: self.elements as f64,
            read: (self.elements + self.period) as f64,
            written: self.elements as f64,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        vec![Operand::real(self.elements), Operand::real(self.period)]
    }

    fn output(&self) -> Operand {
        Operand::real(self.elements)
    }

    fn shader(&self, variant: Variant) -> Shader {
        let params = Params {
            elements: self.elements as u32,
            period: self.period as u32,
            unused: [0; 2],
        };
        let text = include_str!("../../../shaders/sum.wgsl");
        elementwise::shader(variant, text, &params, self.elements)
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: 2,
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        for (index, element) in output.iter_mut().enumerate() {
            *element = inputs[0][index] + inputs[1][index % self.period];
        }
    }
}
