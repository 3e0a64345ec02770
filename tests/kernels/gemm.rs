//! Shapes of matrix products: tiny, odd, prime, larger than a tile, parts of larger tensors.

use meltpoint::gpu::Variant;
use meltpoint::gpu::kernels::{Function, Gate, Gemm, GemmNaive, Residual, Slice};

use crate::{Case, tiled};

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
    cases.extend(tiles());
    cases
}

/// All tiles on shapes beyond one of them: several slices of terms and the rest of one, with everything that can be
/// done to a sum; numbers read one by one; parts of larger tensors; a single number. Matrices are emulated in all
/// tiles once, and in small ones on every shape, because software adapters are slow to compile them.
fn tiles() -> Vec<Case> {
    let products = [
        ("odd", Gemm::plain(131, 67, 33)),
        ("joint", joint(20, 48, 24)),
        ("single", Gemm::plain(1, 1, 1)),
    ];
    let full = finished(Gemm::plain(47, 268, 100));
    let mut cases = Vec::new();
    for tiles in Gemm::candidates(Variant::CooperativeF16) {
        cases.push(tiled::case("finished", full, tiles));
        cases.extend(tiled::on_emulated("finished", full, tiles));
        cases.extend(products.map(|(name, product)| tiled::case(name, product, tiles)));
    }
    let small = tiled::small_matrices();
    let emulated = products.map(|(name, product)| tiled::on_emulated(name, product, small));
    cases.extend(emulated.into_iter().flatten());
    cases
}

/// Everything that can be done to a sum, for three images.
fn finished(plain: Gemm) -> Gemm {
    let residual = match plain.rows % 2 {
        0 => Residual::Whole,
        _ => Residual::Repeated,
    };
    Gemm {
        bias: true,
        function: Function::Gelu,
        gate: Some(Gate {
            stride: plain.columns * 3,
            offset: plain.columns,
        }),
        residual: Some(residual),
        ..Gemm::tokens(3, plain.rows, plain.columns, plain.depth)
    }
}

/// Two images of `tokens` within sequences of ten more, columns within wider rows.
fn joint(tokens: usize, columns: usize, depth: usize) -> Gemm {
    let slice = |width: usize| {
        let all = Slice::whole(tokens + 10, width * 3);
        all.from_row(10).from_column(width)
    };
    Gemm {
        input: slice(depth),
        output: slice(columns),
        ..Gemm::tokens(2, tokens, columns, depth)
    }
}
