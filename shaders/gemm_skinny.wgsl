// The same product where there are few rows, as when a token is decoded: the weights are read once, at the
// speed of memory.
//
// One workgroup computes ROWS x 64 outputs: its 256 lanes are 16 column quads times 16 parts of the sum.
// Neighbouring lanes read neighbouring weights; the parts are added up through workgroup memory.
const ROWS: u32 = 8u;
const PARTS: u32 = 16u;

var<workgroup> partial: array<vec4<f32>, 256>;

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
    let across = (extent.y + 63u) / 64u;
    let first_row = number / across * ROWS;
    let column = number % across * 64u + lane % 16u * 4u;
    let part = lane / 16u;
    var rows: array<Row, ROWS>;
    var sums: array<vec4<f32>, ROWS>;
    for (var r = 0u; r < ROWS; r++) {
        rows[r] = row_at(first_row + r);
    }

    for (var term = part * 4u; term < extent.z; term += PARTS * 4u) {
        var b: array<vec4<f32>, 4>;
        for (var t = 0u; t < 4u; t++) {
            b[t] = vec4<f32>(right(term + t, column));
        }
        for (var r = 0u; r < ROWS; r++) {
            let a = vec4<f32>(left(rows[r], term_at(term)));
            sums[r] += a.x * b[0] + a.y * b[1] + a.z * b[2] + a.w * b[3];
        }
    }

    for (var r = 0u; r < ROWS; r++) {
        partial[lane] = sums[r];
        workgroupBarrier();
        if part == 0u && first_row + r < extent.x && column < extent.y {
            var sum = partial[lane];
            for (var other = 1u; other < PARTS; other++) {
                sum += partial[other * 16u + lane];
            }
            finish(first_row + r, column, sum);
        }
        workgroupBarrier();
    }
}
