// Parameters of `attention.wgsl` and `attention_cooperative.wgsl`.
struct Params {
    query: Slice,
    key: Slice,
    value: Slice,
    query_tokens: u32,
    key_tokens: u32,
    heads: u32,
    heads_per_kv: u32,
    query_tiles: u32,
    score_scale: f32,
    unused_0: u32,
    unused_1: u32,
}

@group(0) @binding(1) var<uniform> params: Params;

// Below every score: scores are clamped to 1e38.
const LOWEST = -3.0e38;
