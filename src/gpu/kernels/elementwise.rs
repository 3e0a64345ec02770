//! Kernels of one lane an element: their shader says only what one element is.

use bytemuck::Pod;

use super::{Shader, Variant, prelude};

/// Invocations of a workgroup, as in the shader.
const WORKGROUP: usize = 256;

/// A shader from the text of `element(index)`, with its parameters and the number of elements, which is the
/// `elements` of the parameters.
pub(super) fn shader(variant: Variant, text: &str, params: &impl Pod, elements: usize) -> Shader {
    let body = include_str!("../../../shaders/shared/elementwise.wgsl");
    Shader {
        source: prelude(variant) + text + "\n" + body,
        params: bytemuck::bytes_of(params).to_vec(),
        workgroups: elements.div_ceil(WORKGROUP) as u32,
    }
}
