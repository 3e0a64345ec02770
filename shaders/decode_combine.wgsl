// Puts the parts of `decode_attention.wgsl` together, weighted by their sums of weights, whose logarithms follow
// each part's result. One invocation takes one element. Joined in front: HEAD_DIM, parameters.
// Twin: `decode.rs`.
@group(0) @binding(2) var<storage, read> partial: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<Real>;

const WORKGROUP: u32 = 128u;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = workgroup_number(id, count);
    let index = group * WORKGROUP + lane;
    if group >= range.end || index >= params.outputs {
        return;
    }
    let start = index / HEAD_DIM * params.parts * (HEAD_DIM + 1u);
    var peak = -3.0e38;
    for (var part = 0u; part < params.parts; part++) {
        peak = max(peak, partial[start + part * (HEAD_DIM + 1u) + HEAD_DIM]);
    }
    var sum = 0.0;
    var total = 0.0;
    for (var part = 0u; part < params.parts; part++) {
        let at = start + part * (HEAD_DIM + 1u);
        let weight = exp(partial[at + HEAD_DIM] - peak);
        sum += weight;
        total += weight * partial[at + index % HEAD_DIM];
    }
    output[index] = Real(total / sum);
}
