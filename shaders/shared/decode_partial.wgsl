
@group(0) @binding(5) var<storage, read_write> output: array<f32>;

// The result of a part; the first column brings the logarithm of the sum of its weights along.
fn write_part(group: u32, column: u32, value: vec4<f32>, logarithm: f32) {
    let start = group * (HEAD_DIM + 1u);
    for (var i = 0u; i < min(4u, HEAD_DIM - column); i++) {
        output[start + column + i] = value[i];
    }
    if column == 0u {
        output[start + HEAD_DIM] = logarithm;
    }
}
