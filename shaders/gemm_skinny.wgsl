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
    let across = (params.columns + 63u) / 64u;
    let first_row = number / across * ROWS;
    let column = number % across * 64u + lane % 16u * 4u;
    let part = lane / 16u;
    var sums: array<vec4<f32>, ROWS>;

    for (var term = part * 4u; term < params.depth; term += PARTS * 4u) {
        var b: array<vec4<f32>, 4>;
        for (var t = 0u; t < 4u; t++) {
            b[t] = right(term + t, column);
        }
        for (var r = 0u; r < ROWS; r++) {
            let a = left(first_row + r, term);
            sums[r] += a.x * b[0] + a.y * b[1] + a.z * b[2] + a.w * b[3];
        }
    }

    for (var r = 0u; r < ROWS; r++) {
        partial[lane] = sums[r];
        workgroupBarrier();
        if part == 0u && first_row + r < params.images * params.rows && column < params.columns {
            var sum = partial[lane];
            for (var other = 1u; other < PARTS; other++) {
                sum += partial[other * 16u + lane];
            }
            finish(first_row + r, column, sum);
        }
        workgroupBarrier();
    }
}
