// Copies columns of rows of each image to another place: new keys into a cache, text tokens before those of the
// image. One invocation moves four neighbours. Joined in front: slices, reader and writer.
// Twin: `append.rs`.
struct Params {
    input: Slice,
    output: Slice,
    rows: u32,
    columns: u32,
    units: u32,
    unused: u32,
}

@group(0) @binding(1) var<uniform> params: Params;

const WORKGROUP: u32 = 256u;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = workgroup_number(id, count);
    let unit = group * WORKGROUP + lane;
    if group >= range.end || unit >= params.units {
        return;
    }
    let units_per_row = (params.columns + 3u) / 4u;
    let column = unit % units_per_row * 4u;
    let row = unit / units_per_row % params.rows;
    let image = unit / units_per_row / params.rows;
    let left = params.columns - column;
    let value = read_rows(row_start(params.input, image, row) + column, left);
    write(row_start(params.output, image, row) + column, left, value);
}
