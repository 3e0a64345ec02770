// An activation function of each element. One invocation takes one element. Twin: `activation.rs`.
struct Params {
    elements: u32,
    function: u32,
    unused_0: u32,
    unused_1: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> input: array<Real>;
@group(0) @binding(3) var<storage, read_write> output: array<Real>;

fn element(index: u32) {
    output[index] = Real(activate(params.function, f32(input[index])));
}
