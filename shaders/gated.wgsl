// SwiGLU: silu(a) * b, where a and b are the halves of each row. One lane an element. Twin: `gated.rs`.
struct Params {
    elements: u32,
    columns: u32,
    unused_0: u32,
    unused_1: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> input: array<Real>;
@group(0) @binding(3) var<storage, read_write> output: array<Real>;

fn element(index: u32) {
    let at = index / params.columns * 2u * params.columns + index % params.columns;
    let gate = activate(SILU, f32(input[at]));
    output[index] = Real(gate * f32(input[at + params.columns]));
}
