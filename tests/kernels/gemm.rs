//! Shapes of matrix products: tiny, odd, prime, larger than a tile, parts of larger tensors.

use meltpoint::gpu::kernels::{Function, Gate, Gemm, GemmNaive, Place};

use crate::Case;

/// Rows, columns, terms. Up to 16 rows take the skinny text.
const SHAPES: [(usize, usize, usize); 10] = [
    (1, 1, 1),
    (1, 64, 4),
    (7, 13, 31),
    (16, 132, 260),
    (17, 1, 5),
    (33, 65, 17),
    (64, 64, 16),
    (101, 103, 107),
    (130, 140, 36),
    (257, 129, 20),
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (rows, columns, depth) in SHAPES {
        let name = format!("{rows} x {columns} x {depth}");
        let plain = Gemm::plain(rows, columns, depth);
        cases.push(Case::new(format!("{name} finished"), finished(plain)));
        let naive = GemmNaive {
            rows,
            columns,
            depth,
        };
        cases.push(Case::new(name.clone(), naive));
        cases.push(Case::new(name, plain));
    }
    // Large enough for the largest tiles.
    cases.push(Case::new("in large tiles", Gemm::plain(2050, 2052, 12)));
    cases.push(Case::new("of a joint sequence", joint(20, 48, 24)));
    cases.push(Case::new("of an odd joint sequence", joint(19, 47, 23)));
    cases.push(Case::new("of a few joint rows", joint(3, 40, 64)));
    cases
}

/// Everything that can be done to a sum.
fn finished(plain: Gemm) -> Gemm {
    let images = plain.rows.div_ceil(5);
    Gemm {
        bias: true,
        function: Function::Gelu,
        gate: Some(Gate {
            elements: images * plain.columns * 3,
            rows_per_image: 5,
            stride: plain.columns * 3,
            offset: plain.columns,
        }),
        residual: Some(plain.rows.min(9)),
        ..plain
    }
}

/// Two images of `tokens` within sequences of ten more, columns within wider rows.
fn joint(tokens: usize, columns: usize, depth: usize) -> Gemm {
    let place = |width: usize| Place {
        elements: 2 * (tokens + 10) * width * 3,
        rows_per_image: tokens,
        image_stride: tokens + 10,
        row_offset: 10,
        row_stride: width * 3,
        column_offset: width,
    };
    Gemm {
        input: place(depth),
        output: place(columns),
        ..Gemm::plain(2 * tokens, columns, depth)
    }
}
