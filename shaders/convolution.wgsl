// A convolution as a matrix product that is never laid out: row = output pixel, term = tap and channel,
// column = output channel. Images are [image, y, x, channel]. Twin: `convolution.rs`.
//
// The input may be half as high and wide as the output: each of its pixels then counts as two by two
// (nearest upsampling). Beyond the border everything is zero.
struct Params {
    rows: u32,
    columns: u32,
    depth: u32,
    function: u32,
    height: u32,
    width: u32,
    channels: u32,
    side: u32,
    upsampling: u32,
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
}

@group(0) @binding(1) var<uniform> params: Params;

fn shape() -> vec3<u32> {
    return vec3<u32>(params.rows, params.columns, params.depth);
}

// Channels from `term` on of the pixel that its tap sees from output pixel `row`.
fn load_tap(row: u32, term: u32, valid: u32) -> vec4<f32> {
    let tap = term / params.channels;
    let channel = term % params.channels;
    let border = params.side / 2u;
    // One beyond the border on the left or on top wraps around to a huge number, which is outside too.
    let y = row / params.width % params.height + tap / params.side - border;
    let x = row % params.width + tap % params.side - border;
    if y >= params.height || x >= params.width {
        return vec4<f32>();
    }
    let image = row / (params.width * params.height);
    let source_height = params.height / params.upsampling;
    let source_width = params.width / params.upsampling;
    let line = image * source_height + y / params.upsampling;
    let pixel = line * source_width + x / params.upsampling;
    return read_input(pixel * params.channels + channel, valid);
}

fn left(row: u32, term: u32) -> vec4<f32> {
    if row >= params.rows || term >= params.depth {
        return vec4<f32>();
    }
    if params.channels % 4u == 0u {
        return load_tap(row, term, 4u);
    }
    // Neighbouring terms may belong to different taps.
    var quad = vec4<f32>();
    for (var i = 0u; i < min(4u, params.depth - term); i++) {
        quad[i] = load_tap(row, term + i, 1u).x;
    }
    return quad;
}

fn right(term: u32, column: u32) -> vec4<f32> {
    if term >= params.depth || column >= params.columns {
        return vec4<f32>();
    }
    return read_weights(term * params.columns + column, params.columns - column);
}

fn finish(row: u32, column: u32, sums: vec4<f32>) {
    let valid = params.columns - column;
    let x = sums + read_bias(column, valid);
    let y = vec4<f32>(
        activate(params.function, x.x),
        activate(params.function, x.y),
        activate(params.function, x.z),
        activate(params.function, x.w),
    );
    let at = row * params.columns + column;
    write(at, valid, y + read_residual(at, valid));
}
