// Tokens [sequence, patch, (row, column, channel) within the patch] to images [sequence, y, x, channel], of
// which the first `channels` of `token_channels` are kept (the others predict a variance). One lane an
// element. Twin: `unpatchify.rs`.
struct Params {
    elements: u32,
    height: u32,
    width: u32,
    channels: u32,
    token_channels: u32,
    side: u32,
    unused_0: u32,
    unused_1: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> tokens: array<Real>;
@group(0) @binding(3) var<storage, read_write> images: array<Real>;

fn element(index: u32) {
    let side = params.side;
    let channel = index % params.channels;
    let pixel = index / params.channels;
    let x = pixel % params.width;
    let y = pixel / params.width % params.height;
    let image = pixel / (params.width * params.height);
    let across = params.width / side;
    let token = (image * (params.height / side) + y / side) * across + x / side;
    let within = y % side * side + x % side;
    images[index] = tokens[(token * side * side + within) * params.token_channels + channel];
}
