// Draws a token for each image from its logits: the largest of logit / temperature plus Gumbel noise, which is
// a draw from their softmax. With guidance logits are those of the conditioned sequence (first half) moved
// away from the other's. One workgroup an image; its lanes share the vocabulary. Twin: `sample.rs`.
struct Params {
    images: u32,
    vocabulary: u32,
    is_guided: u32,
    seed: u32,
    scale: f32,
    inverse_temperature: f32,
    unused_0: u32,
    unused_1: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> logits: array<Real>;
@group(0) @binding(3) var<storage, read_write> tokens: array<u32>;

const WORKGROUP: u32 = 256u;

var<workgroup> best_score: array<f32, WORKGROUP>;
var<workgroup> best_token: array<u32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let image = workgroup_number(id, count);
    if image >= range.end {
        return;
    }
    best_score[lane] = -3.0e38;
    best_token[lane] = 0u;
    for (var token = lane; token < params.vocabulary; token += WORKGROUP) {
        let at = image * params.vocabulary + token;
        var logit = f32(logits[at]);
        if params.is_guided == 1u {
            let without = f32(logits[params.images * params.vocabulary + at]);
            logit = without + params.scale * (logit - without);
        }
        // The middle of one of 2^23 equal parts of (0, 1): neither logarithm is ever infinite.
        let unit = (f32(pcg(at ^ pcg(params.seed)) >> 9u) + 0.5) / 8388608.0;
        let score = logit * params.inverse_temperature - log(-log(unit));
        if score > best_score[lane] {
            best_score[lane] = score;
            best_token[lane] = token;
        }
    }
    workgroupBarrier();
    for (var stride = WORKGROUP / 2u; stride > 0u; stride /= 2u) {
        if lane < stride && best_score[lane + stride] > best_score[lane] {
            best_score[lane] = best_score[lane + stride];
            best_token[lane] = best_token[lane + stride];
        }
        workgroupBarrier();
    }
    if lane == 0u {
        tokens[image] = best_token[0];
    }
}
