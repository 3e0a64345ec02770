@group(0) @binding(BINDING) var<storage, read_write> output: array<Real>;

// The first `count` numbers, at most four, from element `at` on.
fn write(at: u32, count: u32, value: vec4<f32>) {
    for (var i = 0u; i < min(count, 4u); i++) {
        output[at + i] = Real(value[i]);
    }
}
