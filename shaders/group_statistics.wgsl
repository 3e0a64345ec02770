// Mean and squared deviations of the groups of a slab over a chunk of pixels, one workgroup each: Welford's
// update in each lane, then Chan's combination. Joined in front: `grouped.wgsl`, the reader of pixels.
// Twin: `group_norm.rs`.
@group(0) @binding(3) var<storage, read_write> output: array<vec2<f32>>;

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
    let chunk = group / params.slabs % params.chunks;
    let image = group / params.slabs / params.chunks;
    let width = params.channels / params.groups;
    let first_group = slab * params.groups_per_slab;
    let groups = min(params.groups_per_slab, params.groups - first_group);
    let units_per_group = width / UNIT;
    let units = groups * units_per_group;
    let first_pixel = chunk * params.chunk_pixels;
    let pixels = min(params.chunk_pixels, params.pixels - first_pixel);

    // Lanes stand by group, so that those of one group are neighbours.
    let rows = max(WORKGROUP / units, 1u);
    let own = min(rows * units_per_group, WORKGROUP);
    var n = 0.0;
    var mean = vec4<f32>();
    var squares = vec4<f32>();
    if lane < own * groups {
        let place = lane % own;
        let start = (image * params.pixels + first_pixel) * params.channels
            + (first_group + lane / own) * width;
        // With one unit a lane the step is whole pixels; with more the units of one group pass by.
        for (var unit = place; unit < pixels * units_per_group; unit += own) {
            let at = start + unit / units_per_group * params.channels + unit % units_per_group * UNIT;
            let x = read_pixels(at, UNIT);
            n += 1.0;
            let apart = x - mean;
            mean += apart / n;
            squares += apart * (x - mean);
        }
    }
    var found = Moments(n, mean.x, squares.x);
    if UNIT == 4u {
        let low = joined(found, Moments(n, mean.y, squares.y));
        let high = joined(Moments(n, mean.z, squares.z), Moments(n, mean.w, squares.w));
        found = joined(low, high);
    }
    moments[lane] = found;
    join_slots(lane, own);
    if lane < groups {
        let result = moments[lane * own];
        let place = (image * params.groups + first_group + lane) * params.chunks + chunk;
        output[place] = vec2<f32>(result.mean, result.squares);
    }
}
