// softmax(Q K^T / sqrt(d)) V for 64 queries of one head of one image and up to 256 columns of the values.
// Keys pass by in tiles of 32; the sum so far is rescaled when a larger score comes (Dao et al. 2022). Eight
// lanes share ROWS queries: lane l holds the scores of keys l, l + 8, l + 16, l + 24 of a tile, and the output
// vectors l, l + 8, ... of four columns. Joined in front: HEAD_DIM, COLUMNS, PARTS, ROWS, STEPS and the
// readers of queries, keys and values. Twin: `attention.rs`.
const QUERIES = 64u;
const KEYS = 32u;
const WORKGROUP = QUERIES / ROWS * 8u;
// A row of the tile has four vectors of a chunk of 16 dimensions and one of padding against bank conflicts.
const PITCH = 5u;
const VECTORS = (COLUMNS + 3u) / 4u;
const OWN_VECTORS = (VECTORS + 7u) / 8u;

// Queries and keys of a chunk, later some values.
var<workgroup> tile: array<vec4<f32>, 480>;
// Per query and lane the weights of its four keys; before that the largest score of each lane.
var<workgroup> weights: array<vec4<f32>, QUERIES * 8u>;

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
    let first_query = group % params.query_tiles * QUERIES;
    let part = group / params.query_tiles % PARTS;
    let head = group / (params.query_tiles * PARTS) % params.heads;
    let image = group / (params.query_tiles * PARTS * params.heads);
    let kv_head = head / params.heads_per_kv;
    let first_column = part * COLUMNS;
    let lane = index % 8u;
    let row_0 = index / 8u * ROWS;
    var peaks: array<f32, ROWS>;
    var sums: array<f32, ROWS>;
    var totals: array<array<vec4<f32>, OWN_VECTORS>, ROWS>;
    for (var r = 0u; r < ROWS; r++) {
        peaks[r] = LOWEST;
    }
    for (var first_key = 0u; first_key < params.key_tokens; first_key += KEYS) {
        var scores: array<vec4<f32>, ROWS>;
        for (var chunk = 0u; chunk < HEAD_DIM; chunk += 16u) {
            workgroupBarrier();
            for (var i = index; i < (QUERIES + KEYS) * 4u; i += WORKGROUP) {
                let column = chunk + i % 4u * 4u;
                let row = i / 4u;
                var found = vec4<f32>();
                if column < HEAD_DIM && row < QUERIES && first_query + row < params.query_tokens {
                    let at = row_start(params.query, image, first_query + row) + head * HEAD_DIM;
                    found = read_queries(at + column, HEAD_DIM - column) * params.score_scale;
                } else if column < HEAD_DIM && row >= QUERIES && first_key + row - QUERIES < params.key_tokens {
                    let at = row_start(params.key, image, first_key + row - QUERIES) + kv_head * HEAD_DIM;
                    found = read_keys(at + column, HEAD_DIM - column);
                }
                tile[row * PITCH + i % 4u] = found;
            }
            workgroupBarrier();
            for (var c = 0u; c < 4u; c++) {
                let k0 = tile[(QUERIES + lane) * PITCH + c];
                let k1 = tile[(QUERIES + lane + 8u) * PITCH + c];
                let k2 = tile[(QUERIES + lane + 16u) * PITCH + c];
                let k3 = tile[(QUERIES + lane + 24u) * PITCH + c];
                for (var r = 0u; r < ROWS; r++) {
                    let q = tile[(row_0 + r) * PITCH + c];
                    scores[r] += vec4<f32>(dot(q, k0), dot(q, k1), dot(q, k2), dot(q, k3));
                }
            }
        }
        let keys = vec4<u32>(0u, 8u, 16u, 24u) + first_key + lane;
        let valid = keys < vec4<u32>(params.key_tokens);
        for (var r = 0u; r < ROWS; r++) {
            scores[r] = select(vec4<f32>(LOWEST), clamp(scores[r], vec4<f32>(-1.0e38), vec4<f32>(1.0e38)), valid);
            let pair = max(scores[r].xy, scores[r].zw);
            weights[(row_0 + r) * 8u + lane].x = max(pair.x, pair.y);
        }
        workgroupBarrier();
        var found: array<f32, ROWS>;
        for (var r = 0u; r < ROWS; r++) {
            found[r] = peaks[r];
            for (var other = 0u; other < 8u; other++) {
                found[r] = max(found[r], weights[(row_0 + r) * 8u + other].x);
            }
        }
        workgroupBarrier();
        for (var r = 0u; r < ROWS; r++) {
            let rescale = exp(peaks[r] - found[r]);
            let weight = exp(scores[r] - found[r]);
            weights[(row_0 + r) * 8u + lane] = weight;
            peaks[r] = found[r];
            sums[r] = sums[r] * rescale + dot(weight, vec4<f32>(1.0));
            for (var v = 0u; v < OWN_VECTORS; v++) {
                totals[r][v] *= rescale;
            }
        }
        // A step is four keys, those of one lane: step, step + 8, step + 16, step + 24.
        for (var first_step = 0u; first_step < 8u; first_step += STEPS) {
            for (var i = index; i < STEPS * 4u * VECTORS; i += WORKGROUP) {
                let row = i / VECTORS;
                let key = first_key + first_step + row / 4u + row % 4u * 8u;
                let column = first_column + i % VECTORS * 4u;
                var value = vec4<f32>();
                if key < params.key_tokens && column < HEAD_DIM {
                    let at = row_start(params.value, image, key) + kv_head * HEAD_DIM;
                    value = read_values(at + column, HEAD_DIM - column);
                }
                tile[i] = value;
            }
            workgroupBarrier();
            for (var step = 0u; step < STEPS; step++) {
                var weight: array<vec4<f32>, ROWS>;
                for (var r = 0u; r < ROWS; r++) {
                    weight[r] = weights[(row_0 + r) * 8u + first_step + step];
                }
                for (var v = 0u; v < OWN_VECTORS; v++) {
                    // The last vectors of the last lanes may lie behind the row: read again, never written.
                    let at = step * 4u * VECTORS + min(lane + v * 8u, VECTORS - 1u);
                    let values = mat4x4<f32>(
                        tile[at], tile[at + VECTORS], tile[at + 2u * VECTORS], tile[at + 3u * VECTORS],
                    );
                    for (var r = 0u; r < ROWS; r++) {
                        totals[r][v] += values * weight[r];
                    }
                }
            }
            workgroupBarrier();
        }
    }
    for (var r = 0u; r < ROWS; r++) {
        weights[(row_0 + r) * 8u + lane].x = sums[r];
    }
    workgroupBarrier();
    for (var r = 0u; r < ROWS; r++) {
        let token = first_query + row_0 + r;
        var sum = 0.0;
        for (var other = 0u; other < 8u; other++) {
            sum += weights[(row_0 + r) * 8u + other].x;
        }
        for (var v = 0u; v < OWN_VECTORS; v++) {
            let column = first_column + (lane + v * 8u) * 4u;
            if token < params.query_tokens && lane + v * 8u < VECTORS && column < HEAD_DIM {
                let at = ((image * params.query_tokens + token) * params.heads + head) * HEAD_DIM + column;
                write(at, HEAD_DIM - column, totals[r][v] / sum);
            }
        }
    }
}
