// Four neighbours of NAME at once: every start is a multiple of four.
@group(0) @binding(BINDING) var<storage, ACCESS> NAME: array<Real4>;

fn read_NAME(at: u32, valid: u32) -> vec4<f32> {
    return vec4<f32>(NAME[at / 4u]);
}
