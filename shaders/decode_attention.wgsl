// Attention of one query to a part of its sequence's cache, one workgroup for a sequence, head and part. Tokens
// pass by in spans of 256: eight lanes share a token and read neighbouring columns of its key, then of its
// value. Joined in front: HEAD_DIM, parameters, readers of queries, keys and values, `write_part`.
// Twin: `decode.rs`.
const WORKGROUP = 128u;
const SPAN = 256u;
const TEAMS = WORKGROUP / 8u;
const VECTORS = (HEAD_DIM + 3u) / 4u;
const OWN_VECTORS = (VECTORS + 7u) / 8u;
// A token's eight partial sums and one of padding against bank conflicts.
const PITCH = 9u;

var<workgroup> sums: array<f32, SPAN * PITCH>;
var<workgroup> weights: array<f32, SPAN>;
var<workgroup> shared_lanes: array<f32, WORKGROUP>;
var<workgroup> gathered: array<vec4<f32>, WORKGROUP>;

fn largest_of(index: u32, value: f32) -> f32 {
    shared_lanes[index] = value;
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if index < half {
            shared_lanes[index] = max(shared_lanes[index], shared_lanes[index + half]);
        }
    }
    workgroupBarrier();
    return shared_lanes[0];
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
    let first = group % params.parts * params.part_tokens;
    let end = min(first + params.part_tokens, params.context);
    let head = group / params.parts % params.heads;
    let sequence = group / params.parts / params.heads;
    let kv_heads = params.heads / params.heads_per_kv;
    let row_stride = kv_heads * HEAD_DIM;
    let start = sequence * params.tokens_max * row_stride + head / params.heads_per_kv * HEAD_DIM;
    let lane = index % 8u;
    let team = index / 8u;

    var query: array<vec4<f32>, OWN_VECTORS>;
    for (var v = 0u; v < OWN_VECTORS; v++) {
        let column = (lane + v * 8u) * 4u;
        if column < HEAD_DIM {
            let at = row_start(params.query, sequence, 0u) + head * HEAD_DIM + column;
            query[v] = read_queries(at, HEAD_DIM - column) * params.score_scale;
        }
    }
    var peak = -3.0e38;
    var own_sum = 0.0;
    var totals: array<vec4<f32>, OWN_VECTORS>;
    for (var span = first; span < end; span += SPAN) {
        let tokens = min(end - span, SPAN);
        for (var token = team; token < tokens; token += TEAMS) {
            var dots = 0.0;
            for (var v = 0u; v < OWN_VECTORS; v++) {
                let column = (lane + v * 8u) * 4u;
                if column < HEAD_DIM {
                    let at = start + (span + token) * row_stride + column;
                    dots += dot(query[v], read_keys(at, HEAD_DIM - column));
                }
            }
            sums[token * PITCH + lane] = dots;
        }
        workgroupBarrier();
        var largest = peak;
        for (var token = index; token < tokens; token += WORKGROUP) {
            var score = 0.0;
            for (var part = 0u; part < 8u; part++) {
                score += sums[token * PITCH + part];
            }
            weights[token] = clamp(score, -1.0e38, 1.0e38);
            largest = max(largest, weights[token]);
        }
        largest = largest_of(index, largest);
        let rescale = exp(peak - largest);
        peak = largest;
        own_sum *= rescale;
        for (var token = index; token < tokens; token += WORKGROUP) {
            let weight = exp(weights[token] - peak);
            weights[token] = weight;
            own_sum += weight;
        }
        for (var v = 0u; v < OWN_VECTORS; v++) {
            totals[v] *= rescale;
        }
        workgroupBarrier();
        for (var token = team; token < tokens; token += TEAMS) {
            let weight = weights[token];
            for (var v = 0u; v < OWN_VECTORS; v++) {
                let column = (lane + v * 8u) * 4u;
                if column < HEAD_DIM {
                    let at = start + (span + token) * row_stride + column;
                    totals[v] += weight * read_values(at, HEAD_DIM - column);
                }
            }
        }
        workgroupBarrier();
    }

    shared_lanes[index] = own_sum;
    workgroupBarrier();
    var sum = 0.0;
    for (var other = 0u; other < WORKGROUP; other++) {
        sum += shared_lanes[other];
    }
    for (var v = 0u; v < OWN_VECTORS; v++) {
        gathered[index] = totals[v];
        workgroupBarrier();
        let column = (index + v * 8u) * 4u;
        if index < 8u && column < HEAD_DIM {
            var total = vec4<f32>();
            for (var other = 0u; other < TEAMS; other++) {
                total += gathered[other * 8u + index];
            }
            write_part(group, column, total / sum, peak + log(sum));
        }
        workgroupBarrier();
    }
}
