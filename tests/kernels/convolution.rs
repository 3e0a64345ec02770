//! Shapes of convolutions: channels that are and are not multiples of four, borders, upsampling, images.

use meltpoint::gpu::Variant;
use meltpoint::gpu::kernels::tiles::Tiles;
use meltpoint::gpu::kernels::{Convolution, Function};

use crate::{Case, tiled};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (height, width, input_channels, output_channels) in [
        (1, 1, 1, 1),
        (5, 7, 3, 5),
        (8, 8, 4, 8),
        (10, 6, 12, 68),
        (34, 18, 5, 3),
    ] {
        for side in [1, 3] {
            let plain = Convolution {
                images: 2,
                height,
                width,
                input_channels,
                output_channels,
                side,
                upsampled: false,
                function: Function::Identity,
                residual: false,
            };
            let name =
                format!("{side} on {height} x {width} x {input_channels} to {output_channels}");
            if height % 2 == 0 && width % 2 == 0 {
                let upsampled = Convolution {
                    upsampled: true,
                    function: Function::Silu,
                    residual: true,
                    ..plain
                };
                cases.push(Case::new(format!("{name} upsampled"), upsampled));
            }
            cases.push(Case::new(name, plain));
        }
    }
    // Channels by fours, upsampled and with all else; channels one by one.
    let products = [
        ("wide", image([10, 6], 12, 68, true)),
        ("odd", image([9, 11], 5, 3, false)),
    ];
    for tiles in Tiles::candidates(Variant::CooperativeF16) {
        cases.extend(products.map(|(name, product)| tiled::case(name, product, tiles)));
    }
    let small = tiled::small_matrices();
    let emulated = products.map(|(name, product)| tiled::on_emulated(name, product, small));
    cases.extend(emulated.into_iter().flatten());
    cases
}

/// Two images under 3 x 3 taps, with a residual and an activation.
fn image([height, width]: [usize; 2], from: usize, to: usize, upsampled: bool) -> Convolution {
    Convolution {
        images: 2,
        height,
        width,
        input_channels: from,
        output_channels: to,
        side: 3,
        upsampled,
        function: Function::Silu,
        residual: true,
    }
}
