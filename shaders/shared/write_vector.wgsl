@group(0) @binding(BINDING) var<storage, read_write> output: array<Real4>;

// Four numbers from element `at` on, a multiple of 4.
fn write(at: u32, count: u32, value: vec4<f32>) {
    output[at / 4u] = Real4(value);
}
