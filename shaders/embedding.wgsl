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

const WORKGROUP: u32 = 256u;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = workgroup_number(id, count);
    let index = group * WORKGROUP + lane;
    if group >= range.end || index >= params.elements {
        return;
    }
    let row = min(indices[index / params.columns], params.rows - 1u);
    output[index] = weights[row * params.columns + index % params.columns];
}
