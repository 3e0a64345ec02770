// The rows of a table that indices name. One lane an element. Twin: `embedding.rs`.
struct Params {
    elements: u32,
    columns: u32,
    rows: u32,
    unused: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read> weights: array<Real>;
@group(0) @binding(4) var<storage, read_write> output: array<Real>;

fn element(index: u32) {
    let row = min(indices[index / params.columns], params.rows - 1u);
    output[index] = weights[row * params.columns + index % params.columns];
}
