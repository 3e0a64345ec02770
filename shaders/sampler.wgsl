// One update of a latent: x' = keep * x + move * e. With guidance e = u + scale * (c - u), c and u the
// predictions of the conditioned sequences (first half) and of the others. One lane an element. Twin:
// `sampler.rs`.
struct Params {
    elements: u32,
    is_guided: u32,
    keep: f32,
    move_by: f32,
    scale: f32,
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> latents: array<Real>;
@group(0) @binding(3) var<storage, read> predictions: array<Real>;
@group(0) @binding(4) var<storage, read_write> output: array<Real>;

fn element(index: u32) {
    var prediction = f32(predictions[index]);
    if params.is_guided == 1u {
        let without = f32(predictions[params.elements + index]);
        prediction = without + params.scale * (prediction - without);
    }
    output[index] = Real(params.keep * f32(latents[index]) + params.move_by * prediction);
}
