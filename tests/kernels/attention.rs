//! Shapes of attention: tiny, odd, prime, several tiles, several images, cross attention, grouped heads.

use meltpoint::gpu::kernels::{Attention, Slice};

use crate::emulated::Emulated;
use crate::{Case, Spread};

/// Images, query tokens, key tokens, heads, heads of keys and values, width of a head.
const SEPARATE: [[usize; 6]; 12] = [
    [1, 1, 1, 1, 1, 16],
    [2, 1, 33, 3, 1, 64],
    [1, 67, 1, 2, 2, 64],
    [1, 3, 5, 1, 1, 1],
    [2, 5, 31, 2, 1, 7],
    [1, 64, 32, 1, 1, 32],
    [1, 65, 77, 4, 2, 72],
    [2, 127, 77, 2, 2, 64],
    [1, 61, 101, 1, 1, 128],
    [1, 9, 40, 2, 1, 136],
    [1, 70, 37, 1, 1, 256],
    [1, 66, 50, 1, 1, 512],
];

/// Images, tokens, heads and width of a head of a packed tensor.
const PACKED: [[usize; 4]; 4] = [
    [2, 64, 2, 64],
    [1, 257, 2, 72],
    [3, 17, 3, 24],
    [1, 131, 1, 80],
];

/// The same for emulated matrices, whose work is slow.
const COOPERATIVE: [[usize; 4]; 7] = [
    [1, 1, 1, 16],
    [2, 131, 1, 24],
    [1, 97, 2, 64],
    [1, 67, 2, 72],
    [2, 65, 1, 128],
    [1, 33, 1, 136],
    [1, 35, 1, 256],
];

pub(crate) fn cases() -> Vec<Case> {
    let separate = SEPARATE.into_iter().map(|shape| {
        let [images, query_tokens, key_tokens, heads, kv_heads, head_dim] = shape;
        let keys = Slice::whole(key_tokens, kv_heads * head_dim);
        let kernel = Attention {
            images,
            query_tokens,
            key_tokens,
            heads,
            kv_heads,
            head_dim,
            query: Slice::whole(query_tokens, heads * head_dim),
            key: keys,
            value: keys,
        };
        Case::new(format!("of {shape:?}"), kernel)
    });
    let packed = PACKED.into_iter().map(|shape| {
        let [images, tokens, heads, head_dim] = shape;
        let kernel = Attention::packed(images, tokens, heads, head_dim);
        Case::new(format!("packed {shape:?}"), kernel)
    });
    // Queries from row 2 on of a tensor with odd strides: numbers are read one by one.
    let odd = Attention {
        query: Slice::whole(13, 101).from_row(2).from_column(3),
        ..Attention::packed(2, 11, 2, 24)
    };
    // Queries that find few keys: larger scores turn up on the way, and most weights vanish.
    let sharp = Case::new("of sharp scores", Attention::packed(1, 101, 2, 72));
    let odd = [
        Case::new("at odd strides", odd),
        sharp.with_first(Spread::wide(32.0)),
    ];
    separate
        .chain(packed)
        .chain(odd)
        .chain(cooperative())
        .collect()
}

/// The text for cooperative matrices, on matrices that are emulated: one and two blocks of queries, columns in two
/// parts, widths that are no multiple of 16, keys of text for queries of an image.
fn cooperative() -> Vec<Case> {
    let packed = COOPERATIVE.into_iter().map(|shape| {
        let [images, tokens, heads, head_dim] = shape;
        let kernel = Emulated {
            attention: Attention::packed(images, tokens, heads, head_dim),
            sharpness: 32.0,
        };
        Case::new(format!("emulated {shape:?}"), kernel)
    });
    let cross = Attention {
        query_tokens: 7,
        kv_heads: 1,
        query: Slice::whole(13, 101).from_row(2).from_column(3),
        key: Slice::whole(11, 72).from_column(24),
        value: Slice::whole(11, 72).from_column(48),
        ..Attention::packed(2, 11, 2, 24)
    };
    let text = Attention {
        images: 2,
        query_tokens: 131,
        key_tokens: 77,
        heads: 4,
        kv_heads: 2,
        head_dim: 64,
        query: Slice::whole(131, 256),
        key: Slice::whole(77, 256),
        value: Slice::whole(77, 256).from_column(128),
    };
    let plain = |attention| Emulated {
        attention,
        sharpness: 1.0,
    };
    let cross = [
        Case::new("emulated at odd strides", plain(cross)),
        Case::new("emulated with text", plain(text)),
    ];
    packed.chain(cross).collect()
}
