// A tile of a matrix product: C = A B, finished element by element.
//
// One workgroup of 16 x 16 lanes computes ROW_TILE x COLUMN_TILE outputs. Slices of DEPTH_TILE terms of A and B
// pass through workgroup memory as vectors of four; each lane keeps ROWS_PER_LANE x QUADS_PER_LANE vectors of
// sums in registers. Its rows are 16 apart and its columns in runs of four 64 apart, so that lanes side by
// side read neighbouring banks and write neighbouring vectors.
//
// The next slices are on their way from memory to registers while the present ones are multiplied.
//
// Whoever includes this gives: ROWS_PER_LANE, QUADS_PER_LANE, `row_at(row)`, `term_at(term)`, `left(row, term)` of
// their results, `right(term, column)`, `finish(row, column, sums)`, and `shape()` with rows, columns and terms.
const DEPTH_TILE: u32 = 16u;
const DEPTH_QUADS: u32 = DEPTH_TILE / 4u;
const ROW_TILE: u32 = 16u * ROWS_PER_LANE;
const COLUMN_TILE: u32 = 64u * QUADS_PER_LANE;
const COLUMN_QUADS: u32 = COLUMN_TILE / 4u;
// Vectors of A and of B that a lane stages; the last ones may be beyond the tile.
const LEFT_UNITS: u32 = (ROW_TILE * DEPTH_QUADS + 255u) / 256u;
const RIGHT_UNITS: u32 = DEPTH_TILE * COLUMN_QUADS / 256u;

var<workgroup> tile_a: array<vec4<f32>, ROW_TILE * DEPTH_QUADS>;
var<workgroup> tile_b: array<vec4<f32>, DEPTH_TILE * COLUMN_QUADS>;

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

    var rows: array<Row, LEFT_UNITS>;
    for (var i = 0u; i < LEFT_UNITS; i++) {
        rows[i] = row_at(origin.x + (lane + i * 256u) / DEPTH_QUADS);
    }
    var next_a: array<Real4, LEFT_UNITS>;
    var next_b: array<Real4, RIGHT_UNITS>;

    // The round in which `term` is fetched multiplies the slices before it.
    for (var term = 0u; term < extent.z + DEPTH_TILE; term += DEPTH_TILE) {
        let own_term = term_at(term + lane % DEPTH_QUADS * 4u);
        for (var i = 0u; i < LEFT_UNITS; i++) {
            next_a[i] = left(rows[i], own_term);
        }
        for (var i = 0u; i < RIGHT_UNITS; i++) {
            let unit = lane + i * 256u;
            next_b[i] = right(term + unit / COLUMN_QUADS, origin.y + unit % COLUMN_QUADS * 4u);
        }
        if term > 0u {
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
        }
        workgroupBarrier();
        for (var i = 0u; i < LEFT_UNITS; i++) {
            let unit = lane + i * 256u;
            if unit < ROW_TILE * DEPTH_QUADS {
                tile_a[unit] = vec4<f32>(next_a[i]);
            }
        }
        for (var i = 0u; i < RIGHT_UNITS; i++) {
            tile_b[lane + i * 256u] = vec4<f32>(next_b[i]);
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
