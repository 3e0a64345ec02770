// softmax(Q K^T / sqrt(d)) V on cooperative matrices, for 64 * BLOCKS queries of one head of one image and up to
// 128 columns of the values. Each of four subgroups has BLOCKS times 16 queries: they stay in registers as
// matrices, as does the output. Scores of 32 keys go through workgroup memory, where LANES lanes take a query,
// and come back as weights in 16 bits. Weights refer to a score at most 2^8 below the largest so far, so that
// the output is rarely rescaled. Lines marked @ are filled in, for each matrix one, by `cooperative.rs`, which
// also joins the constants in front. Twin: `attention.rs`.
const WORKGROUP = 128u;
const KEYS = 32u;
const QUERIES = 64u * BLOCKS;
const LANES = 2u / BLOCKS;
// Vectors from one row to the next: padded against bank conflicts, a multiple of 16 bytes.
const KEY_PITCH = DIM / 4u + 2u;
const VALUE_PITCH = COLUMNS / 4u + 2u;
const SCORE_PITCH = KEYS / 4u + 1u;
const WEIGHT_PITCH = KEYS / 4u + 2u;

var<workgroup> keys_tile: array<Real4, KEYS * KEY_PITCH>;
var<workgroup> values_tile: array<Real4, KEYS * VALUE_PITCH>;
var<workgroup> scores: array<vec4<f32>, QUERIES * SCORE_PITCH>;
// Weights; before that 32 columns of the queries.
var<workgroup> weights: array<Real4, QUERIES * WEIGHT_PITCH>;
var<workgroup> sums: array<f32, WORKGROUP>;
var<workgroup> rescaled: atomic<u32>;

// A vector of 32 columns of the queries, zeros where there is none.
fn fetch_query(image: u32, head: u32, first_query: u32, first_column: u32, unit: u32) -> Real4 {
    let token = first_query + unit / 8u;
    let column = first_column + unit % 8u * 4u;
    if token >= params.query_tokens || column >= HEAD_DIM {
        return Real4();
    }
    return stored_queries(row_start(params.query, image, token) + head * HEAD_DIM + column, HEAD_DIM - column);
}

fn fetch_key(image: u32, kv_head: u32, first_key: u32, unit: u32) -> Real4 {
    let token = first_key + unit / (DIM / 4u);
    let column = unit % (DIM / 4u) * 4u;
    if token >= params.key_tokens || column >= HEAD_DIM {
        return Real4();
    }
    return stored_keys(row_start(params.key, image, token) + kv_head * HEAD_DIM + column, HEAD_DIM - column);
}

fn fetch_value(image: u32, kv_head: u32, first_key: u32, first_column: u32, unit: u32) -> Real4 {
    let token = first_key + unit / (COLUMNS / 4u);
    let column = first_column + unit % (COLUMNS / 4u) * 4u;
    if token >= params.key_tokens || column >= HEAD_DIM {
        return Real4();
    }
    return stored_values(row_start(params.value, image, token) + kv_head * HEAD_DIM + column, HEAD_DIM - column);
}

// Four scores of a query in units of ln 2; none counts behind the last key.
fn score(at: u32, first_key: u32) -> vec4<f32> {
    let keys = vec4<u32>(first_key) + vec4<u32>(0u, 1u, 2u, 3u);
    let scaled = scores[at] * (params.score_scale * 1.44269504);
    let found = clamp(scaled, vec4<f32>(-1.0e38), vec4<f32>(1.0e38));
    return select(vec4<f32>(LOWEST), found, keys < vec4<u32>(params.key_tokens));
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
    let first_query = group % params.query_tiles * QUERIES;
    let first_column = group / params.query_tiles % PARTS * COLUMNS;
    let head = group / (params.query_tiles * PARTS) % params.heads;
    let image = group / (params.query_tiles * PARTS * params.heads);
    let kv_head = head / params.heads_per_kv;
    // The first query of this subgroup, and the query and the part of its keys of this lane.
    let first_row = index / 32u * 16u * BLOCKS;
    let row = index / LANES;
    let part = index % LANES;
    var reference = LOWEST;
    var sum = 0.0;
    atomicStore(&rescaled, 0u);
    // @queries
    // @first_fetch
    for (var first_key = 0u; first_key < params.key_tokens; first_key += KEYS) {
        // @stage
        workgroupBarrier();
        // @fetch
        // @scores
        workgroupBarrier();
        var largest = LOWEST;
        for (var i = 0u; i < KEYS / 4u; i++) {
            let found = score(row * SCORE_PITCH + i, first_key + i * 4u);
            largest = max(largest, max(max(found.x, found.y), max(found.z, found.w)));
        }
        var factor = 1.0;
        if largest > reference + 8.0 {
            if first_key > 0u {
                factor = exp2(reference - largest);
                atomicStore(&rescaled, 1u);
            }
            reference = largest;
        }
        sum *= factor;
        for (var i = part * 8u / LANES; i < (part + 1u) * 8u / LANES; i++) {
            let weight = Real4(exp2(score(row * SCORE_PITCH + i, first_key + i * 4u) - reference));
            weights[row * WEIGHT_PITCH + i] = weight;
            sum += dot(vec4<f32>(weight), vec4<f32>(1.0));
        }
        if workgroupUniformLoad(&rescaled) != 0u {
            // @rescale
            atomicStore(&rescaled, 0u);
        }
        // @products
        workgroupBarrier();
    }
    sums[index] = sum;
    workgroupBarrier();
    sum = sums[row * LANES] + f32(LANES - 1u) * sums[row * LANES + LANES - 1u];
    let token = first_query + row;
    let start = ((image * params.query_tokens + token) * params.heads + head) * HEAD_DIM;
    // @result
}
