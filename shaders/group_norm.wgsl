// Normalises the groups of a slab in a block of pixels, one workgroup each: first the moments of the groups from
// those of their chunks, then f of each element. Joined in front: `grouped.wgsl`, `activate.wgsl`, the
// readers of pixels, weight and bias. Twin: `group_norm.rs`.
@group(0) @binding(3) var<storage, read> statistics: array<vec2<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = workgroup_number(id, count);
    if group >= range.end {
        return;
    }
    let slab = group % params.slabs;
    let block = group / params.slabs % params.blocks;
    let image = group / params.slabs / params.blocks;
    let width = params.channels / params.groups;
    let first_group = slab * params.groups_per_slab;
    let groups = min(params.groups_per_slab, params.groups - first_group);

    let own = WORKGROUP / groups;
    var found = Moments(0.0, 0.0, 0.0);
    if lane < own * groups {
        let start = (image * params.groups + first_group + lane / own) * params.chunks;
        for (var chunk = lane % own; chunk < params.chunks; chunk += own) {
            let pixels = min(params.chunk_pixels, params.pixels - chunk * params.chunk_pixels);
            let pair = statistics[start + chunk];
            found = joined(found, Moments(f32(pixels * width), pair.x, pair.y));
        }
    }
    moments[lane] = found;
    join_slots(lane, own);

    let units = groups * width / UNIT;
    let first_pixel = block * params.block_pixels;
    let pixels = min(params.block_pixels, params.pixels - first_pixel);
    let start = (image * params.pixels + first_pixel) * params.channels + first_group * width;
    // A lane keeps to its channels where a pixel has no more units than there are lanes.
    let step = max(WORKGROUP / units, 1u) * units;
    for (var first = lane; first < step; first += WORKGROUP) {
        let channel = first % units * UNIT;
        let of_group = moments[channel / width * own];
        let variance = max(of_group.squares, 0.0) / of_group.count;
        let factor = 1.0 / sqrt(variance + params.epsilon);
        let weight = read_weight(first_group * width + channel, UNIT);
        let bias = read_bias(first_group * width + channel, UNIT);
        for (var unit = first; unit < pixels * units; unit += step) {
            let at = start + unit / units * params.channels + channel;
            let x = read_pixels(at, UNIT);
            var y = (x - of_group.mean) * factor * weight + bias;
            for (var i = 0u; i < UNIT; i++) {
                y[i] = activate(params.function, y[i]);
            }
            write(at, UNIT, y);
        }
    }
}
