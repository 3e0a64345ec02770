// Latents [image, y, x, channel] to tokens [sequence, patch, (row, column, channel) within the patch]. With
// guidance there are several sequences an image, all of the same latent. One lane an element. Twin:
// `patchify.rs`.
struct Params {
    elements: u32,
    images: u32,
    height: u32,
    width: u32,
    channels: u32,
    side: u32,
    unused_0: u32,
    unused_1: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> latents: array<Real>;
@group(0) @binding(3) var<storage, read_write> tokens: array<Real>;

fn element(index: u32) {
    let side = params.side;
    let channel = index % params.channels;
    let within = index / params.channels % (side * side);
    let token = index / (params.channels * side * side);
    let across = params.width / side;
    let per_image = across * (params.height / side);
    let image = token / per_image % params.images;
    let y = token % per_image / across * side + within / side;
    let x = token % across * side + within % side;
    let pixel = (image * params.height + y) * params.width + x;
    tokens[index] = latents[pixel * params.channels + channel];
}
