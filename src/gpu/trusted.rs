//! The two doors that wgpu keeps behind `unsafe`, and why we may pass them. Nothing else here is unsafe.
#![expect(
    unsafe_code,
    reason = "wgpu marks experimental features and unchecked shaders so; each use says why it is sound"
)]

use std::borrow::Cow;

use wgpu::{
    Device, ExperimentalFeatures, ShaderModule, ShaderModuleDescriptor, ShaderRuntimeChecks,
    ShaderSource,
};

/// Leave to use cooperative matrices, which wgpu calls experimental.
///
/// The token promises to report bugs rather than to rely on safety: our shaders are also validated by naga,
/// and their results are compared with the twins.
pub(super) fn experimental() -> ExperimentalFeatures {
    // SAFETY: an acknowledgement, not an operation; see above.
    unsafe { ExperimentalFeatures::enabled() }
}

/// Compiles one of our own shaders without checks of bounds and loops.
///
/// Checks in inner loops cost a good part of the speed that is to be measured. The same shaders run with the
/// checks on in `tests/kernels`, on the same kinds of shapes; a user's shader never comes here.
pub(super) fn unchecked(device: &Device, name: &str, source: &str) -> ShaderModule {
    let descriptor = ShaderModuleDescriptor {
        label: Some(name),
        source: ShaderSource::Wgsl(Cow::Borrowed(source)),
    };
    // SAFETY: every index of our shaders is guarded by the shape in their parameters, which come from the
    // same kernel as the lengths of the buffers; tests with the checks on would show a difference.
    unsafe { device.create_shader_module_trusted(descriptor, ShaderRuntimeChecks::unchecked()) }
}
