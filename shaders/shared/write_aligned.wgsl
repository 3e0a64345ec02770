
fn write_NAME(at: u32, valid: u32, quad: vec4<f32>) {
    NAME[at / 4u] = Real4(quad);
}
