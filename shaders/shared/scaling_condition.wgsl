
fn scaled(image: u32, column: u32, y: vec4<f32>) -> vec4<f32> {
    let left = params.columns - column;
    let start = image * params.condition_stride + column;
    let scale = read_condition(start + params.scale_offset, left);
    return y * (1.0 + scale) + read_condition(start + params.shift_offset, left);
}
