
fn scaled(image: u32, column: u32, y: vec4<f32>) -> vec4<f32> {
    let left = params.columns - column;
    return y * read_weight(column, left) + read_bias(column, left);
}
