@group(0) @binding(BINDING) var<storage, read> NAME: array<Real>;

// The `count` numbers, at most four, from element `at` on, as stored; zeros behind them.
fn stored_NAME(at: u32, count: u32) -> Real4 {
    var found = Real4();
    for (var i = 0u; i < min(count, 4u); i++) {
        found[i] = NAME[at + i];
    }
    return found;
}

// The same in 32 bits.
fn read_NAME(at: u32, count: u32) -> vec4<f32> {
    return vec4<f32>(stored_NAME(at, count));
}
