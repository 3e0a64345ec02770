//! The plainest matrix product on a device: what the tiled one is measured against.

use bytemuck::{Pod, Zeroable};

use super::{Gemm, Kernel, Operand, Shader, Tolerance, Variant, Work, prelude};

/// C = A B, of `[rows, depth]` and `[depth, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GemmNaive {
    /// Rows of A and C.
    pub rows: usize,
    /// Columns of B and C.
    pub columns: usize,
    /// Terms of each sum.
    pub depth: usize,
}

/// Invocations of a workgroup, as in the shader.
const WORKGROUP: usize = 256;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    rows: u32,
    columns: u32,
    depth: u32,
    unused: u32,
}

impl GemmNaive {
    /// The product that it is, for everything but the shader.
    fn product(&self) -> Gemm {
        Gemm::plain(self.rows, self.columns, self.depth)
    }
}

impl Kernel for GemmNaive {
    fn name(&self) -> &'static str {
        "gemm_naive"
    }

    fn work(&self) -> Work {
        self.product().work()
    }

    fn inputs(&self) -> Vec<Operand> {
        self.product().inputs()
    }

    fn output(&self) -> Operand {
        self.product().output()
    }

    fn shader(&self, variant: Variant) -> Shader {
        let params = Params {
            rows: self.rows as u32,
            columns: self.columns as u32,
            depth: self.depth as u32,
            unused: 0,
        };
        Shader {
            source: prelude(variant) + include_str!("../../../shaders/gemm_naive.wgsl"),
            params: bytemuck::bytes_of(&params).to_vec(),
            workgroups: (self.rows * self.columns).div_ceil(WORKGROUP) as u32,
        }
    }

    fn tolerance(&self) -> Tolerance {
        self.product().tolerance()
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        self.product().twin(inputs, output);
    }
}
