//! Shapes of what a token step needs: copies into caches, rotary positions, attention to a cache in parts.

use meltpoint::gpu::kernels::{Append, DecodeAttention, DecodeCombine, Positions, Rotary, Slice};

use crate::{Case, Spread};

/// Sequences, heads, heads of keys, width of a head, context, room, parts.
const DECODE: [[usize; 7]; 9] = [
    [1, 1, 1, 16, 1, 1, 1],
    [3, 2, 2, 64, 77, 128, 1],
    [2, 6, 2, 72, 257, 300, 1],
    [1, 2, 1, 128, 601, 601, 1],
    [2, 3, 3, 5, 31, 40, 1],
    [1, 1, 1, 256, 300, 300, 1],
    [2, 4, 2, 64, 1031, 1100, 3],
    [1, 3, 1, 7, 29, 32, 4],
    [1, 1, 1, 128, 5, 8, 5],
];

/// Images, tokens, heads, width of a head, columns that stand still.
const ROTARY: [[usize; 5]; 5] = [
    [1, 1, 1, 16, 0],
    [2, 77, 3, 64, 0],
    [1, 41, 2, 128, 16],
    [3, 5, 7, 72, 0],
    [1, 19, 1, 256, 0],
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = decode();
    cases.extend(rotary());
    cases.extend(append());
    cases
}

fn decode() -> Vec<Case> {
    let mut cases = Vec::new();
    for shape @ [
        sequences,
        heads,
        kv_heads,
        head_dim,
        context,
        tokens_max,
        parts,
    ] in DECODE
    {
        let width = (heads + 2 * kv_heads) * head_dim;
        let attention = DecodeAttention {
            sequences,
            heads,
            kv_heads,
            head_dim,
            context,
            tokens_max,
            query: Slice::whole(1, width),
            parts,
        };
        cases.push(Case::new(format!("of {shape:?}"), attention));
        // Queries that find few keys: the largest score moves from span to span and from part to part.
        let sharp = Case::new(format!("of sharp scores {shape:?}"), attention);
        cases.push(sharp.with_first(Spread::wide(32.0)));
        if parts > 1 {
            let combine = DecodeCombine { attention };
            cases.push(Case::new(format!("of {shape:?}"), combine));
            // Parts of which most do not count.
            let uneven = Case::new(format!("of uneven parts {shape:?}"), combine);
            cases.push(uneven.with_first(Spread::wide(32.0)));
        }
    }
    cases
}

fn rotary() -> Vec<Case> {
    let mut cases = Vec::new();
    for shape @ [images, tokens, heads, head_dim, still] in ROTARY {
        let width = heads * head_dim;
        let line = Rotary {
            images,
            tokens,
            heads,
            head_dim,
            input: Slice::whole(tokens, 3 * width).from_column(width),
            output: Slice::whole(tokens, width),
            norm_epsilon: None,
            positions: Positions::Line,
            // Angles near the largest that are reduced exactly.
            first_token: 12_700,
            still,
            base: 10_000.0,
        };
        let grid = Rotary {
            positions: Positions::Grid {
                columns: 6,
                text_tokens: 4,
            },
            norm_epsilon: Some(1e-6),
            first_token: 0,
            ..line
        };
        cases.push(Case::new(format!("line {shape:?}"), line));
        cases.push(Case::new(format!("grid {shape:?}"), grid));
    }
    // Heads of six columns at odd strides into the middle of a joint tensor.
    let joint = Rotary {
        images: 2,
        tokens: 5,
        heads: 3,
        head_dim: 6,
        input: Slice::whole(7, 37).from_row(1).from_column(19),
        output: Slice::whole(11, 18).from_row(4),
        norm_epsilon: Some(1e-5),
        positions: Positions::Line,
        first_token: 1,
        still: 0,
        base: 10_000.0,
    };
    cases.push(Case::new("into a joint tensor", joint));
    cases
}

fn append() -> Vec<Case> {
    let packed = |columns: usize| Slice::whole(1, 3 * columns).from_column(columns);
    let joint = Append {
        images: 3,
        rows: 77,
        columns: 36,
        input: Slice::whole(77, 36),
        output: Slice::whole(101, 36).from_row(24),
    };
    let odd = Append {
        images: 2,
        rows: 3,
        columns: 7,
        input: Slice::whole(5, 11).from_row(2).from_column(3),
        output: Slice::whole(4, 9).from_row(1).from_column(2),
    };
    let whole = Append {
        output: Slice::whole(77, 36),
        ..joint
    };
    vec![
        Case::new("of one number", Append::token(1, 1, packed(1), 3, 2)),
        Case::new("of a token", Append::token(5, 128, packed(128), 17, 9)),
        Case::new("of a text", joint),
        Case::new("of odd rows", odd),
        Case::new("of all rows", whole),
    ]
}
