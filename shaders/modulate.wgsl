// Normalises one row a workgroup in three passes over it (mean, squares of what differs from it, result), so
// that no large mean cancels; the second and third find the row in the cache. `scaled` is joined behind, the
// readers of rows and of what `scaled` takes in front. Twin: `modulate.rs`.
struct Params {
    input: Slice,
    rows_per_image: u32,
    rows: u32,
    columns: u32,
    is_layer: u32,
    condition_stride: u32,
    scale_offset: u32,
    shift_offset: u32,
    epsilon: f32,
}

@group(0) @binding(1) var<uniform> params: Params;

const WORKGROUP: u32 = 128u;

var<workgroup> partial: array<f32, WORKGROUP>;

// The sum of a value of each lane, for all lanes.
fn sum_of(lane: u32, value: f32) -> f32 {
    partial[lane] = value;
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            partial[lane] += partial[lane + half];
        }
    }
    workgroupBarrier();
    let sum = partial[0];
    workgroupBarrier();
    return sum;
}

// 1 for the columns from `column` on that there are, 0 behind them.
fn present(column: u32) -> vec4<f32> {
    let columns = vec4<u32>(column) + vec4<u32>(0u, 1u, 2u, 3u);
    return select(vec4<f32>(), vec4<f32>(1.0), columns < vec4<u32>(params.columns));
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = workgroup_number(id, count);
    if row >= range.end {
        return;
    }
    let image = row / params.rows_per_image;
    let start = row_start(params.input, image, row % params.rows_per_image);
    let columns = f32(params.columns);
    var mean = 0.0;
    if params.is_layer != 0u {
        var sum = vec4<f32>();
        for (var column = lane * 4u; column < params.columns; column += WORKGROUP * 4u) {
            sum += read_rows(start + column, params.columns - column);
        }
        mean = sum_of(lane, dot(sum, vec4<f32>(1.0))) / columns;
    }
    var squares = vec4<f32>();
    for (var column = lane * 4u; column < params.columns; column += WORKGROUP * 4u) {
        let x = (read_rows(start + column, params.columns - column) - mean) * present(column);
        squares += x * x;
    }
    let variance = sum_of(lane, dot(squares, vec4<f32>(1.0))) / columns;
    let factor = 1.0 / sqrt(variance + params.epsilon);
    for (var column = lane * 4u; column < params.columns; column += WORKGROUP * 4u) {
        let x = read_rows(start + column, params.columns - column);
        write(
            row * params.columns + column,
            params.columns - column,
            scaled(image, column, (x - mean) * factor),
        );
    }
}
