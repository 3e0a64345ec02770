// C = residual + gate * f(A B + bias): what tiles are loaded from and how sums are finished. Twin: `gemm.rs`.
//
// A and C are slices of tensors with `rows` rows an image; B is [depth, columns]. A residual is [rows of all
// images, columns], or [rows of one image, columns] that repeat; a gate has one row an image.
struct Params {
    a: Slice,
    c: Slice,
    images: u32,
    rows: u32,
    columns: u32,
    depth: u32,
    function: u32,
    residual_rows: u32,
    gate_stride: u32,
    gate_offset: u32,
}

@group(0) @binding(1) var<uniform> params: Params;

fn shape() -> vec3<u32> {
    return vec3<u32>(params.images * params.rows, params.columns, params.depth);
}

// Where a row of A starts. Tiles ask once for a row and once for a term, and then often for both together.
alias Row = u32;
alias Term = u32;
const OUTSIDE: Row = 0xffffffffu;

fn row_at(row: u32) -> Row {
    if row >= params.images * params.rows {
        return OUTSIDE;
    }
    return row_start(params.a, row / params.rows, row % params.rows);
}

fn term_at(term: u32) -> Term {
    return term;
}

fn left(row: Row, term: Term) -> Real4 {
    if row == OUTSIDE || term >= params.depth {
        return Real4();
    }
    return stored_a(row + term, params.depth - term);
}

fn right(term: u32, column: u32) -> Real4 {
    if term >= params.depth || column >= params.columns {
        return Real4();
    }
    return stored_b(term * params.columns + column, params.columns - column);
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
    let image = row / params.rows;
    y *= read_gate(image * params.gate_stride + params.gate_offset + column, valid);
    y += read_residual(row % params.residual_rows * params.columns + column, valid);
    write(row_start(params.c, image, row % params.rows) + column, valid, y);
}
