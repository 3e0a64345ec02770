@group(0) @binding(BINDING) var<storage, read> NAME: array<Real4>;

// Four numbers from element `at` on, a multiple of 4, as stored.
fn stored_NAME(at: u32, count: u32) -> Real4 {
    return NAME[at / 4u];
}

// The same in 32 bits.
fn read_NAME(at: u32, count: u32) -> vec4<f32> {
    return vec4<f32>(stored_NAME(at, count));
}
