
fn scaled(image: u32, column: u32, y: vec4<f32>) -> vec4<f32> {
    return y * read_weight(column, params.columns - column);
}
