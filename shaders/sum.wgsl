// a + b, b repeated where it is shorter. One lane an element. Twin: `sum.rs`.
struct Params {
    elements: u32,
    period: u32,
    unused_0: u32,
    unused_1: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> a: array<Real>;
@group(0) @binding(3) var<storage, read> b: array<Real>;
@group(0) @binding(4) var<storage, read_write> output: array<Real>;

fn element(index: u32) {
    output[index] = Real(f32(a[index]) + f32(b[index % params.period]));
}
