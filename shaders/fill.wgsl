// Seeded pseudo-random numbers, uniform in [-scale, scale], so that weights need not cross the bus.
// One invocation makes one element from its index alone: the same on every device. Twin: `fill.rs`.
struct Params {
    elements: u32,
    seed: u32,
    scale: f32,
    offset: f32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> output: array<Real>;

fn element(index: u32) {
    // 24 bits, so that the quotient is exact in f32.
    let unit = f32(pcg(index ^ pcg(params.seed)) >> 8u) / 8388608.0 - 1.0;
    output[index] = Real(params.offset + params.scale * unit);
}
