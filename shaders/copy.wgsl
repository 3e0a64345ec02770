// A copy, four numbers a lane: as many bytes read as written. Twin: `copy.rs`.
struct Params {
    // Vectors of four.
    elements: u32,
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> input: array<Real4>;
@group(0) @binding(3) var<storage, read_write> output: array<Real4>;

fn element(index: u32) {
    output[index] = input[index];
}
