// A copy, four numbers a lane: as many bytes read as written. Twin: `copy.rs`.
struct Params {
    quads: u32,
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> input: array<Real4>;
@group(0) @binding(3) var<storage, read_write> output: array<Real4>;

const WORKGROUP: u32 = 256u;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = workgroup_number(id, count);
    let index = group * WORKGROUP + lane;
    if group >= range.end || index >= params.quads {
        return;
    }
    output[index] = input[index];
}
