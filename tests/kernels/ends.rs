//! Shapes of the kernels at the two ends of a model: patches, times, tokens, the sampler.

use meltpoint::gpu::kernels::{
    Embedding, Gated, Patchify, Sample, Sampler, Sum, Timestep, Unpatchify,
};

use crate::Case;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            "of one row",
            Gated {
                rows: 1,
                columns: 1,
            },
        ),
        Case::new(
            "of odd rows",
            Gated {
                rows: 13,
                columns: 37,
            },
        ),
        Case::new(
            "of many rows",
            Gated {
                rows: 300,
                columns: 64,
            },
        ),
    ];
    for (images, height, width, channels, patch) in [
        (1, 1, 1, 1, 1),
        (2, 6, 4, 3, 2),
        (3, 10, 14, 4, 2),
        (2, 32, 32, 16, 2),
        (1, 9, 6, 5, 3),
    ] {
        let name = format!("{patch} of {images} x {height} x {width} x {channels}");
        for sequences_per_image in [1, 2] {
            let patchify = Patchify {
                images,
                sequences_per_image,
                height,
                width,
                channels,
                patch,
            };
            cases.push(Case::new(
                format!("{name}, {sequences_per_image} each"),
                patchify,
            ));
        }
        let unpatchify = Unpatchify {
            images,
            height,
            width,
            channels,
            token_channels: channels + images - 1,
            patch,
        };
        cases.push(Case::new(name, unpatchify));
    }
    for (elements, period) in [(1, 1), (513, 513), (1000, 37)] {
        let sum = Sum { elements, period };
        cases.push(Case::new(format!("of {elements} and {period}"), sum));
    }
    for (sequences, size) in [(1, 2), (3, 10), (5, 256)] {
        let base = 10_000.0;
        let timestep = Timestep {
            sequences,
            size,
            base,
        };
        cases.push(Case::new(format!("of {sequences} as {size}"), timestep));
    }
    for elements in [1, 257, 4099] {
        for guidance in [None, Some(4.5)] {
            let sampler = Sampler {
                elements,
                keep: 1.0,
                move_by: -0.03,
                guidance,
            };
            cases.push(Case::new(
                format!("of {elements} with {guidance:?}"),
                sampler,
            ));
        }
    }
    for (tokens, rows, columns) in [(1, 1, 1), (7, 13, 5), (3, 16_384, 64)] {
        let embedding = Embedding {
            tokens,
            rows,
            columns,
        };
        cases.push(Case::new(
            format!("of {tokens} in {rows} x {columns}"),
            embedding,
        ));
    }
    for (images, vocabulary) in [(1, 1), (3, 101), (2, 16_384)] {
        for guidance in [None, Some(7.5)] {
            let sample = Sample {
                images,
                vocabulary,
                guidance,
                temperature: 0.9,
                seed: 11,
            };
            cases.push(Case::new(
                format!("of {vocabulary} with {guidance:?}"),
                sample,
            ));
        }
    }
    cases
}
