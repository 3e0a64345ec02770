// Sinusoidal embedding of a time for each sequence: the cosines of all frequencies, then the sines. One lane
// an element. Twin: `timestep.rs`.
struct Params {
    elements: u32,
    size: u32,
    log_base: f32,
    unused: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> times: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<Real>;

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
    let half_size = params.size / 2u;
    let column = index % params.size;
    let frequency = exp(-params.log_base * f32(column % half_size) / f32(half_size));
    let angle = times[index / params.size] * frequency;
    output[index] = Real(select(sin(angle), cos(angle), column < half_size));
}
