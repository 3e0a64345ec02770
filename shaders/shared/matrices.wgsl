// A tile of a matrix product on cooperative matrices: C = A B, accumulated in 32 bits, finished element by element.
//
// One workgroup computes ROW_TILE x COLUMN_TILE outputs. Slices of DEPTH_TILE terms of A and B pass through workgroup
// memory in 16 bits, in STAGES copies; each subgroup of 32 lanes keeps the sums of its part as matrices in registers.
// The next slices are on their way from memory to registers while the present ones are multiplied. At the end the
// sums pass through a strip of workgroup memory for each subgroup, 16 rows high. Lines marked @ are filled in, for each
// matrix and each staged vector one, by `matrices.rs`, which also gives the constants.
//
// Whoever includes this gives what `tiles.wgsl` wants too; `shared/bands.wgsl` comes with it.
const DEPTH_QUADS: u32 = DEPTH_TILE / 4u;
const COLUMN_QUADS: u32 = COLUMN_TILE / 4u;
// Vectors from one row to the next: padded by 16 bytes, so that eight rows lie in different banks.
const LEFT_PITCH: u32 = DEPTH_QUADS + 2u;
const RIGHT_PITCH: u32 = COLUMN_QUADS + 2u;
const STRIP_QUADS: u32 = STRIP_MATRICES * 4u;
const STRIP_PITCH: u32 = STRIP_QUADS + 1u;
const LEFT_STAGE: u32 = ROW_TILE * LEFT_PITCH;
const RIGHT_STAGE: u32 = DEPTH_TILE * RIGHT_PITCH;

var<workgroup> left_tile: array<Real4, STAGES * LEFT_STAGE>;
var<workgroup> right_tile: array<Real4, STAGES * RIGHT_STAGE>;
var<workgroup> strips: array<vec4<f32>, WORKGROUP / 32u * 16u * STRIP_PITCH>;

// Finishes a strip of a subgroup, whose first output is given: lanes side by side take vectors side by side.
fn finish_strip(strip: u32, lane: u32, first_row: u32, first_column: u32) {
    let extent = shape();
    for (var unit = lane; unit < 16u * STRIP_QUADS; unit += 32u) {
        let row = first_row + unit / STRIP_QUADS;
        let column = first_column + unit % STRIP_QUADS * 4u;
        if row < extent.x && column < extent.y {
            finish(row, column, strips[strip + unit / STRIP_QUADS * STRIP_PITCH + unit % STRIP_QUADS]);
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    // `workgroup_number`, written out: naga takes what a function returns for different in each lane.
    let group = range.first + id.y * count.x + id.x;
    if group >= range.end {
        return;
    }
    let extent = shape();
    let origin = tile_origin(group, extent.x, extent.y);
    // Where this subgroup's part of the tile starts, and its strip.
    let own_row = index / 32u / SUBGROUPS_ACROSS * (ROW_TILE / SUBGROUPS_DOWN);
    let own_column = index / 32u % SUBGROUPS_ACROSS * (COLUMN_TILE / SUBGROUPS_ACROSS);
    let strip = index / 32u * 16u * STRIP_PITCH;
    // A lane stages the same columns of A in all its rows.
    let own_term = index % DEPTH_QUADS * 4u;
    var stage = 0u;
    var left_term = term_at(own_term);
    var term = 0u;
    // @begin
    // @fetch
    // @stage
    workgroupBarrier();
    // Each round fetches the slices from `term` on and multiplies those before them. What is fetched in the last one is
    // zeros. The first round is not told apart by a condition: naga takes every variable for different in each lane.
    for (term = DEPTH_TILE; term < params.depth + DEPTH_TILE; term += DEPTH_TILE) {
        left_term = term_at(term + own_term);
        // @fetch
        let left_from = stage * LEFT_STAGE + own_row * LEFT_PITCH;
        let right_from = stage * RIGHT_STAGE + own_column / 4u;
        // @multiply
        if STAGES == 1u {
            workgroupBarrier();
        } else {
            stage = 1u - stage;
        }
        // @stage
        workgroupBarrier();
    }
    // @finish
}
