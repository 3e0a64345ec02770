// Rotary position embedding of heads, after an optional root-mean-square norm of each. Eight lanes take one head of
// one row, 16 such a workgroup; each vector of four columns holds two pairs, turned by the angles of the token's
// position. Joined in front: HEAD_DIM, NORMALISE, slices, reader of rows, writer; behind: `head_weight`.
// Twin: `rotary.rs`.
struct Params {
    input: Slice,
    output: Slice,
    tokens: u32,
    heads: u32,
    head_rows: u32,
    first_token: u32,
    text_tokens: u32,
    grid_columns: u32,
    epsilon: f32,
    unused: u32,
    // For each pair of columns its angle for a step along a row index and along a column index.
    angles: array<vec4<f32>, 64>,
}

@group(0) @binding(1) var<uniform> params: Params;

const WORKGROUP: u32 = 128u;
const VECTORS: u32 = (HEAD_DIM + 3u) / 4u;

var<workgroup> squares: array<f32, WORKGROUP>;

// Where a token stands: zero for text before a grid.
fn position_of(token: u32) -> vec2<f32> {
    if params.grid_columns == 0u {
        return vec2<f32>(f32(token), 0.0);
    }
    if token < params.text_tokens {
        return vec2<f32>();
    }
    let place = token - params.text_tokens;
    return vec2<f32>(f32(place / params.grid_columns), f32(place % params.grid_columns));
}

// Cosine and sine of a non-negative angle. The functions of WGSL are only good near zero; the multiple of pi/2
// is taken off in three parts, of which the first two are exact up to angles of 2^13 pi/2 (Cody and Waite
// 1980), and the polynomials are those of Cephes for +-pi/4.
fn turn(angle: f32) -> vec2<f32> {
    let quarters = round(angle * 0.63661977);
    var rest = fma(quarters, -1.5703125, angle);
    rest = fma(quarters, -4.837512969970703125e-4, rest);
    rest = fma(quarters, -7.54978995489188e-8, rest);
    let square = rest * rest;
    let s = (-1.9515295891e-4 * square + 8.3321608736e-3) * square - 1.6666654611e-1;
    let c = (2.443315711809948e-5 * square - 1.388731625493765e-3) * square + 4.166664568298827e-2;
    let sine = rest + rest * square * s;
    let cosine = 1.0 - 0.5 * square + square * square * c;
    let quadrant = u32(quarters) & 3u;
    let swapped = select(vec2<f32>(cosine, sine), vec2<f32>(sine, cosine), (quadrant & 1u) == 1u);
    let negative = vec2<bool>(quadrant == 1u || quadrant == 2u, quadrant >= 2u);
    return select(swapped, -swapped, negative);
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let group = workgroup_number(id, count);
    if group >= range.end {
        return;
    }
    let head_row = group * 16u + index / 8u;
    let lane = index % 8u;
    let is_there = head_row < params.head_rows;
    let head = head_row % params.heads;
    let token = head_row / params.heads % params.tokens;
    let image = head_row / params.heads / params.tokens;
    let start = row_start(params.input, image, token) + head * HEAD_DIM;
    var factor = 1.0;
    if NORMALISE {
        var own = 0.0;
        for (var v = lane; v < VECTORS && is_there; v += 8u) {
            let x = read_rows(start + v * 4u, HEAD_DIM - v * 4u);
            own += dot(x, x);
        }
        squares[index] = own;
        workgroupBarrier();
        var sum = 0.0;
        for (var other = 0u; other < 8u; other++) {
            sum += squares[index / 8u * 8u + other];
        }
        factor = 1.0 / sqrt(sum / f32(HEAD_DIM) + params.epsilon);
    }
    let position = position_of(params.first_token + token);
    let to = row_start(params.output, image, token) + head * HEAD_DIM;
    for (var v = lane; v < VECTORS && is_there; v += 8u) {
        let left = HEAD_DIM - v * 4u;
        let x = read_rows(start + v * 4u, left) * factor * head_weight(v * 4u, left);
        let angles = params.angles[v];
        let first = turn(position.x * angles.x + position.y * angles.y);
        let second = turn(position.x * angles.z + position.y * angles.w);
        let turned = vec4<f32>(
            x.x * first.x - x.y * first.y,
            x.x * first.y + x.y * first.x,
            x.z * second.x - x.w * second.y,
            x.z * second.y + x.w * second.x,
        );
        write(to + v * 4u, left, turned);
    }
}
