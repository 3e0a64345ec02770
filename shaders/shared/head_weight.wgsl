
fn head_weight(column: u32, left: u32) -> vec4<f32> {
    return read_weight(column, left);
}
