// C = A B, one lane an output, everything read from memory every time: what tiles are measured against.
// Twin: `gemm_naive.rs`.
struct Params {
    rows: u32,
    columns: u32,
    depth: u32,
    unused: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> a: array<Real>;
@group(0) @binding(3) var<storage, read> b: array<Real>;
@group(0) @binding(4) var<storage, read_write> c: array<Real>;

const WORKGROUP: u32 = 256u;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = workgroup_number(id, count);
    let index = group * WORKGROUP + lane;
    if group >= range.end || index >= params.rows * params.columns {
        return;
    }
    let row = index / params.columns;
    let column = index % params.columns;
    var sum = 0.0;
    for (var term = 0u; term < params.depth; term++) {
        sum += f32(a[row * params.depth + term]) * f32(b[term * params.columns + column]);
    }
    c[index] = Real(sum);
}
