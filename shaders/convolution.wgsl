// A convolution as a matrix product that is never laid out: row = output pixel, term = tap and channel,
// column = output channel. Images are [image, y, x, channel]. Twin: `convolution.rs`.
//
// The input may be half as high and wide as the output: each of its pixels then counts as two by two
// (nearest upsampling, `doublings` is 1). Beyond the border everything is zero.
struct Params {
    rows: u32,
    columns: u32,
    depth: u32,
    function: u32,
    height: u32,
    width: u32,
    channels: u32,
    side: u32,
    doublings: u32,
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
}

@group(0) @binding(1) var<uniform> params: Params;

fn shape() -> vec3<u32> {
    return vec3<u32>(params.rows, params.columns, params.depth);
}

// An output pixel: the first line of its image in the input, and the corner of what its taps see. One beyond the
// border on the left or on top wraps around to a huge number, which is outside too.
struct Row {
    first_line: u32,
    y: u32,
    x: u32,
}

// A tap and a channel; `number` is the term itself.
struct Term {
    number: u32,
    y: u32,
    x: u32,
    channel: u32,
}

// As a coordinate: outside, also with any border or tap added.
const OUTSIDE: u32 = 0x40000000u;

fn row_at(row: u32) -> Row {
    if row >= params.rows {
        return Row(0u, OUTSIDE, OUTSIDE);
    }
    let border = params.side / 2u;
    let line = row / params.width;
    let first_line = line / params.height * (params.height >> params.doublings);
    return Row(first_line, line % params.height - border, row % params.width - border);
}

fn term_at(term: u32) -> Term {
    if term >= params.depth {
        return Term(term, OUTSIDE, OUTSIDE, 0u);
    }
    let tap = term / params.channels;
    return Term(term, tap / params.side, tap % params.side, term % params.channels);
}

// Channels of the pixel that a tap sees.
fn seen(row: Row, term: Term, valid: u32) -> Real4 {
    let y = row.y + term.y;
    let x = row.x + term.x;
    if y >= params.height || x >= params.width {
        return Real4();
    }
    let line = row.first_line + (y >> params.doublings);
    let pixel = line * (params.width >> params.doublings) + (x >> params.doublings);
    return stored_input(pixel * params.channels + term.channel, valid);
}

fn left(row: Row, term: Term) -> Real4 {
    if params.channels % 4u == 0u {
        return seen(row, term, 4u);
    }
    // Neighbouring terms may belong to different taps.
    var quad = Real4();
    for (var i = 0u; i < 4u; i++) {
        quad[i] = seen(row, term_at(term.number + i), 1u).x;
    }
    return quad;
}

fn right(term: u32, column: u32) -> Real4 {
    if term >= params.depth || column >= params.columns {
        return Real4();
    }
    return stored_weights(term * params.columns + column, params.columns - column);
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
