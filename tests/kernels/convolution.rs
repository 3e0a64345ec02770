//! Shapes of convolutions: channels that are and are not multiples of four, borders, upsampling, images.

use meltpoint::gpu::kernels::{Convolution, Function};

use crate::Case;

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
    cases
}
