// Four neighbours of NAME, of which the first `valid` exist; the others count as zero.
@group(0) @binding(BINDING) var<storage, ACCESS> NAME: array<Real>;

fn read_NAME(at: u32, valid: u32) -> vec4<f32> {
    var quad = vec4<f32>();
    for (var i = 0u; i < min(valid, 4u); i++) {
        quad[i] = f32(NAME[at + i]);
    }
    return quad;
}
