//! What builders of programs share: scratch that is used again, and linear layers.

use std::collections::BTreeMap;

use crate::gpu::kernels::{Function, Gemm, Operand};
use crate::gpu::program::{Program, Role, TensorId};

/// A program under construction with the scratch that is free at this point.
///
/// Tensors of one length take turns, so that the memory of a program is that of its widest place and not the
/// sum of all its layers.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) program: Program,
    free: BTreeMap<usize, Vec<TensorId>>,
    scratch: usize,
}

impl Builder {
    /// A tensor of real numbers that nobody uses.
    pub(super) fn take(&mut self, elements: usize) -> TensorId {
        if let Some(tensor) = self.free.get_mut(&elements).and_then(Vec::pop) {
            return tensor;
        }
        self.scratch += 1;
        let name = format!("scratch-{}", self.scratch);
        self.program.scratch(&name, Operand::real(elements))
    }

    /// Whoever takes one of this length next may overwrite it. What the caller fills stays as it is, so that a
    /// program can run again.
    pub(super) fn give(&mut self, tensor: TensorId) {
        let spec = &self.program.tensors()[tensor.index()];
        if spec.role == Role::Scratch {
            let elements = spec.operand.elements;
            self.free.entry(elements).or_default().push(tensor);
        }
    }

    /// A weight matrix of a layer with `inputs` inputs, uniform with the variance 1 / `inputs`, so that what
    /// passes keeps its size.
    pub(super) fn matrix(&mut self, name: &str, inputs: usize, outputs: usize) -> TensorId {
        let scale = libm::sqrt(3.0 / inputs as f64) as f32;
        self.program.weight(name, inputs * outputs, scale, 0.0)
    }

    /// A bias, small.
    pub(super) fn bias(&mut self, name: &str, outputs: usize) -> TensorId {
        self.program.weight(name, outputs, 0.05, 0.0)
    }

    /// Factors near 1.
    pub(super) fn scale(&mut self, name: &str, columns: usize) -> TensorId {
        self.program.weight(name, columns, 0.1, 1.0)
    }

    /// A linear layer with bias on a whole tensor into a new one.
    pub(super) fn linear(
        &mut self,
        name: &str,
        input: TensorId,
        shape: [usize; 3],
        function: Function,
    ) -> TensorId {
        let [rows, inputs, outputs] = shape;
        let gemm = Gemm {
            bias: true,
            function,
            ..Gemm::plain(rows, outputs, inputs)
        };
        let output = self.take(rows * outputs);
        self.gemm(name, gemm, input, &[], output);
        output
    }

    /// A product whose weight and bias are made here; `others` are its residual and its gate, as it has them.
    pub(super) fn gemm(
        &mut self,
        name: &str,
        gemm: Gemm,
        input: TensorId,
        others: &[TensorId],
        output: TensorId,
    ) {
        let weight = self.matrix(&format!("{name}.weight"), gemm.depth, gemm.columns);
        let mut inputs = vec![input, weight];
        if gemm.bias {
            inputs.push(self.bias(&format!("{name}.bias"), gemm.columns));
        }
        inputs.extend(others);
        self.program.push(gemm, &inputs, output);
    }
}
