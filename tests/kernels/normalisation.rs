//! Shapes of the normalisations: one column, odd, prime, wider than a workgroup, groups of one and of many.

use meltpoint::gpu::kernels::{
    Function, GroupNorm, GroupStatistics, Grouped, Modulate, Norm, Scaling, Slice,
};

use crate::{Case, Spread};

/// Images, rows an image, columns.
const ROWS: [[usize; 3]; 6] = [
    [1, 1, 1],
    [3, 7, 64],
    [1, 5, 251],
    [2, 77, 1152],
    [1, 3, 513],
    [1, 2, 6144],
];

/// Images, pixels, channels, groups.
const GROUPED: [[usize; 4]; 9] = [
    [1, 1, 1, 1],
    [2, 49, 6, 3],
    [1, 64, 32, 32],
    [2, 1001, 128, 32],
    [1, 4099, 96, 32],
    [1, 257, 512, 32],
    [1, 37, 1100, 2],
    [2, 23, 2048, 1],
    [1, 331, 1000, 8],
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for shape @ [images, rows_per_image, columns] in ROWS {
        let condition = Scaling::Condition {
            stride: 6 * columns,
            scale_offset: columns,
            shift_offset: 3 * columns,
        };
        for norm in [Norm::Layer, Norm::Rms] {
            for scaling in [Scaling::Plain, Scaling::Weight, Scaling::Affine, condition] {
                let kernel = Modulate {
                    images,
                    rows_per_image,
                    columns,
                    input: Slice::whole(rows_per_image, columns),
                    norm,
                    scaling,
                    epsilon: 1e-6,
                };
                cases.push(Case::new(
                    format!("{norm:?} {scaling:?} of {shape:?}"),
                    kernel,
                ));
            }
        }
    }
    let sliced = Modulate {
        images: 2,
        rows_per_image: 5,
        columns: 24,
        input: Slice::whole(9, 30).from_row(3).from_column(5),
        norm: Norm::Layer,
        scaling: Scaling::Affine,
        epsilon: 1e-5,
    };
    cases.push(Case::new("of a slice", sliced));
    for shape @ [images, pixels, channels, groups] in GROUPED {
        let tensor = Grouped {
            images,
            pixels,
            channels,
            groups,
        };
        cases.push(Case::new(
            format!("of {shape:?}"),
            GroupStatistics { tensor },
        ));
        for function in [Function::Identity, Function::Silu] {
            let kernel = GroupNorm {
                tensor,
                function,
                epsilon: 1e-5,
            };
            cases.push(Case::new(format!("{function:?} of {shape:?}"), kernel));
        }
    }
    cases.extend(far_from_zero());
    cases
}

/// Numbers whose mean square is a million times their variance: a difference of the two would lose it.
fn far_from_zero() -> Vec<Case> {
    let rows = Modulate {
        images: 2,
        rows_per_image: 3,
        columns: 1151,
        input: Slice::whole(3, 1151),
        norm: Norm::Layer,
        scaling: Scaling::Plain,
        epsilon: 1e-6,
    };
    let tensor = |pixels, channels, groups| GroupStatistics {
        tensor: Grouped {
            images: 2,
            pixels,
            channels,
            groups,
        },
    };
    let cases = vec![
        Case::new("far from zero", rows),
        Case::new("far from zero", tensor(1001, 128, 32)),
        Case::new("far from zero in odd groups", tensor(331, 6, 3)),
    ];
    let far = |case: Case| case.with_first(Spread::around(1000.0));
    cases.into_iter().map(far).collect()
}
