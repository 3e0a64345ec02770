// Parameters of `decode_attention.wgsl` and `decode_combine.wgsl`.
struct Params {
    query: Slice,
    heads: u32,
    heads_per_kv: u32,
    context: u32,
    tokens_max: u32,
    parts: u32,
    part_tokens: u32,
    score_scale: f32,
    outputs: u32,
}

@group(0) @binding(1) var<uniform> params: Params;

