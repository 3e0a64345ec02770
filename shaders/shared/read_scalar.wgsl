@group(0) @binding(BINDING) var<storage, read> NAME: array<Real>;

// The `count` numbers, at most four, from element `at` on; zeros behind them.
fn read_NAME(at: u32, count: u32) -> vec4<f32> {
    var found = vec4<f32>();
    for (var i = 0u; i < min(count, 4u); i++) {
        found[i] = f32(NAME[at + i]);
    }
    return found;
}
