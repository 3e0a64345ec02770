// Images in NHWC whose channels form groups, as `Grouped` in `group_norm.rs`. A workgroup takes a slab of whole
// groups; a unit is UNIT neighbouring channels of one pixel and group. When a pixel of a slab has fewer units
// than the workgroup lanes, a lane keeps to one unit of each of its pixels; else there is one group.
struct Params {
    images: u32,
    pixels: u32,
    channels: u32,
    groups: u32,
    slabs: u32,
    groups_per_slab: u32,
    chunks: u32,
    chunk_pixels: u32,
    blocks: u32,
    block_pixels: u32,
    function: u32,
    epsilon: f32,
}

@group(0) @binding(1) var<uniform> params: Params;

const WORKGROUP: u32 = 256u;

// Mean and sum of squared deviations of `count` numbers.
struct Moments {
    count: f32,
    mean: f32,
    squares: f32,
}

// Of both sets together (Chan, Golub and LeVeque 1983).
fn joined(a: Moments, b: Moments) -> Moments {
    let count = a.count + b.count;
    let part = b.count / max(count, 1.0);
    let apart = b.mean - a.mean;
    return Moments(count, a.mean + apart * part, a.squares + b.squares + apart * apart * a.count * part);
}

var<workgroup> moments: array<Moments, WORKGROUP>;

// Joins neighbours, `own` slots for each group, into the first of each; slots past the last group stay.
fn join_slots(slot: u32, own: u32) {
    let place = slot % own;
    var half = 1u;
    while half < own {
        half *= 2u;
    }
    for (half /= 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if place < half && place + half < own && slot + half < WORKGROUP {
            moments[slot] = joined(moments[slot], moments[slot + half]);
        }
    }
    workgroupBarrier();
}
