
fn write_NAME(at: u32, valid: u32, quad: vec4<f32>) {
    for (var i = 0u; i < min(valid, 4u); i++) {
        NAME[at + i] = Real(quad[i]);
    }
}
