
// The result, where the context has one part.
fn write_part(group: u32, column: u32, value: vec4<f32>, logarithm: f32) {
    write(group * HEAD_DIM + column, HEAD_DIM - column, value);
}
