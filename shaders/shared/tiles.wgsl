// A tile of a matrix product: C = A B, finished element by element.
//
// One workgroup of 16 x 16 lanes computes ROW_TILE x COLUMN_TILE outputs. Slices of DEPTH_TILE terms of A and B
// pass through workgroup memory as vectors of four; each lane keeps ROWS_PER_LANE x QUADS_PER_LANE vectors of
// sums in registers. Its rows are 16 apart and its columns in runs of four 64 apart, so that lanes side by
// side read neighbouring banks and write neighbouring vectors.
//
// Whoever includes this gives: ROWS_PER_LANE, QUADS_PER_LANE, `left(row, term)`, `right(term, column)`,
// `finish(row, column, sums)`, and `shape()` with rows, columns and terms.
const DEPTH_TILE: u32 = 16u;
const DEPTH_QUADS: u32 = DEPTH_TILE / 4u;
const ROW_TILE: u32 = 16u * ROWS_PER_LANE;
const COLUMN_TILE: u32 = 64u * QUADS_PER_LANE;
const COLUMN_QUADS: u32 = COLUMN_TILE / 4u;
// Tiles are taken in bands of so many rows, so that those at work together share slices of A and B in the
// cache of the device.
const BAND: u32 = 8u;

var<workgroup> tile_a: array<vec4<f32>, ROW_TILE * DEPTH_QUADS>;
var<workgroup> tile_b: array<vec4<f32>, DEPTH_TILE * COLUMN_QUADS>;

// The first row and column of a tile by its number.
fn tile_origin(number: u32, rows: u32, columns: u32) -> vec2<u32> {
    let down = (rows + ROW_TILE - 1u) / ROW_TILE;
    let across = (columns + COLUMN_TILE - 1u) / COLUMN_TILE;
    let band = number / (BAND * across);
    let within = number % (BAND * across);
    let height = min(down - band * BAND, BAND);
    return vec2<u32>((band * BAND + within % height) * ROW_TILE, within / height * COLUMN_TILE);
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(id, count);
    if number >= range.end {
        return;
    }
    let extent = shape();
    let origin = tile_origin(number, extent.x, extent.y);
    let lane_row = lane / 16u;
    let lane_quad = lane % 16u;
    var sums: array<array<vec4<f32>, QUADS_PER_LANE>, ROWS_PER_LANE>;

    for (var term = 0u; term < extent.z; term += DEPTH_TILE) {
        for (var i = lane; i < ROW_TILE * DEPTH_QUADS; i += 256u) {
            tile_a[i] = left(origin.x + i / DEPTH_QUADS, term + i % DEPTH_QUADS * 4u);
        }
        for (var i = lane; i < DEPTH_TILE * COLUMN_QUADS; i += 256u) {
            tile_b[i] = right(term + i / COLUMN_QUADS, origin.y + i % COLUMN_QUADS * 4u);
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH_QUADS; k++) {
            var b: array<array<vec4<f32>, QUADS_PER_LANE>, 4>;
            for (var t = 0u; t < 4u; t++) {
                for (var q = 0u; q < QUADS_PER_LANE; q++) {
                    b[t][q] = tile_b[(k * 4u + t) * COLUMN_QUADS + q * 16u + lane_quad];
                }
            }
            for (var r = 0u; r < ROWS_PER_LANE; r++) {
                let a = tile_a[(r * 16u + lane_row) * DEPTH_QUADS + k];
                for (var q = 0u; q < QUADS_PER_LANE; q++) {
                    sums[r][q] += a.x * b[0][q] + a.y * b[1][q] + a.z * b[2][q] + a.w * b[3][q];
                }
            }
        }
        workgroupBarrier();
    }

    for (var r = 0u; r < ROWS_PER_LANE; r++) {
        for (var q = 0u; q < QUADS_PER_LANE; q++) {
            let row = origin.x + r * 16u + lane_row;
            let column = origin.y + (q * 16u + lane_quad) * 4u;
            if row < extent.x && column < extent.y {
                finish(row, column, sums[r][q]);
            }
        }
    }
}
