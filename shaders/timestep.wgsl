// Sinusoidal embedding of a time for each sequence: the cosines of all frequencies, then the sines. One lane
// an element. Twin: `timestep.rs`.
struct Params {
    elements: u32,
    size: u32,
    log_base: f32,
    unused: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> times: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<Real>;

fn element(index: u32) {
    let half_size = params.size / 2u;
    let column = index % params.size;
    let frequency = exp(-params.log_base * f32(column % half_size) / f32(half_size));
    let angle = times[index / params.size] * frequency;
    output[index] = Real(select(sin(angle), cos(angle), column < half_size));
}
