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
    output[index] = Real(f32(a[index]) + f32(b[index % params.period]));
}
