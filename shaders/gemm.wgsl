// C = residual + gate * f(A B + bias): what tiles are loaded from and how sums are finished. Twin: `gemm.rs`.
//
// A is [rows, depth] and C [rows, columns], each perhaps a part of a larger tensor (`Place`); B is [depth,
// columns]. A residual has `residual_period` rows that repeat; a gate has one row an image.
struct Place {
    rows_per_image: u32,
    image_stride: u32,
    row_offset: u32,
    row_stride: u32,
}

struct Params {
    rows: u32,
    columns: u32,
    depth: u32,
    function: u32,
    a: Place,
    c: Place,
    a_column: u32,
    c_column: u32,
    residual_period: u32,
    gate_rows: u32,
    gate_stride: u32,
    gate_column: u32,
    unused_0: u32,
    unused_1: u32,
}

@group(0) @binding(1) var<uniform> params: Params;

fn shape() -> vec3<u32> {
    return vec3<u32>(params.rows, params.columns, params.depth);
}

// Where a row begins in its tensor.
fn start(place: Place, row: u32) -> u32 {
    let image = row / place.rows_per_image;
    let within = row % place.rows_per_image;
    return (image * place.image_stride + place.row_offset + within) * place.row_stride;
}

fn load_a(row: u32, term: u32) -> vec4<f32> {
    if row >= params.rows || term >= params.depth {
        return vec4<f32>();
    }
    return read_a(start(params.a, row) + params.a_column + term, params.depth - term);
}

fn load_b(term: u32, column: u32) -> vec4<f32> {
    if term >= params.depth || column >= params.columns {
        return vec4<f32>();
    }
    return read_b(term * params.columns + column, params.columns - column);
}

fn finish(row: u32, column: u32, sums: vec4<f32>) {
    let valid = params.columns - column;
    let x = sums + read_bias(column, valid);
    var y = vec4<f32>(
        activate(params.function, x.x),
        activate(params.function, x.y),
        activate(params.function, x.z),
        activate(params.function, x.w),
    );
    y *= read_gate(row / params.gate_rows * params.gate_stride + params.gate_column + column, valid);
    y += read_residual(row % params.residual_period * params.columns + column, valid);
    write_c(start(params.c, row) + params.c_column + column, valid, y);
}
