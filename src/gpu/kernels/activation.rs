//! Activation functions, alone on a tensor; matrix products apply the same ones to what they write.

use bytemuck::{Pod, Zeroable};

use super::{Kernel, Operand, Shader, Tolerance, Variant, Work, elementwise};

/// What is done to each number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Function {
    /// Nothing.
    #[default]
    Identity = 0,
    /// x / (1 + exp(-x)), also called swish.
    Silu = 1,
    /// The Gaussian error linear unit in its tanh form (Hendrycks and Gimpel 2016), as `DiT` has it.
    Gelu = 2,
}

impl Function {
    /// WGSL of all functions, `activate(function, x)`.
    pub(super) const SHARED: &str = include_str!("../../../shaders/shared/activate.wgsl");

    /// f(x).
    #[must_use]
    pub fn of(self, x: f32) -> f32 {
        match self {
            Self::Identity => x,
            Self::Silu => x / (1.0 + libm::expf(-x)),
            Self::Gelu => {
                let inner = 0.797_884_6 * (x + 0.044_715 * x * x * x);
                0.5 * x * (1.0 + libm::tanhf(inner.clamp(-15.0, 15.0)))
            }
        }
    }

    /// Operations of one evaluation, a transcendental function counted as one.
    #[must_use]
    pub fn flop(self) -> f64 {
        match self {
            Self::Identity => 0.0,
            Self::Silu => 4.0,
            Self::Gelu => 9.0,
        }
    }
}

/// f of each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Length of the tensor.
    pub elements: usize,
    /// What is done.
    pub function: Function,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    elements: u32,
    function: u32,
    unused: [u32; 2],
}

impl Kernel for Activation {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn work(&self) -> Work {
        let elements = self.elements as f64;
        Work {
            flop: elements * self.function.flop(),
            read: elements,
            written: elements,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        vec![Operand::real(self.elements)]
    }

    fn output(&self) -> Operand {
        Operand::real(self.elements)
    }

    fn shader(&self, variant: Variant) -> Shader {
        let params = Params {
            elements: self.elements as u32,
            function: self.function as u32,
            unused: [0; 2],
        };
        let body = include_str!("../../../shaders/activation.wgsl");
        let text = Function::SHARED.to_owned() + body;
        elementwise::shader(variant, &text, &params, self.elements)
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: 1,
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        for (element, &x) in output.iter_mut().zip(inputs[0]) {
            *element = self.function.of(x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_their_known_values() {
        // From the definitions, to nine digits: 1 / (1 + 1/e), and the tanh form of GELU at 1 and -2.
        assert!((Function::Silu.of(1.0) - 0.731_058_6).abs() < 1e-6);
        assert!((Function::Gelu.of(1.0) - 0.841_192).abs() < 1e-6);
        assert!((Function::Gelu.of(-2.0) + 0.045_402_3).abs() < 1e-6);
        assert_eq!(Function::Silu.of(-200.0), 0.0);
        assert_eq!(Function::Gelu.of(200.0), 200.0);
        assert_eq!(Function::Identity.of(3.5), 3.5);
    }
}
