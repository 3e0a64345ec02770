//! What the choice of tiles depends on: the shape of a matrix product.

/// A kernel's product as far as tiles are concerned. What is done to its sums is left out: it is the same work in any
/// tiles.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Product {
    /// Stem of the kernel.
    pub kernel: String,
    /// Rows of the output: of all images.
    pub rows: u64,
    /// Columns of the output.
    pub columns: u64,
    /// Terms of each sum, rounded up to a power of two: beyond that the best tiles hardly depend on them.
    pub depth_class: u64,
    /// Whether every access is a vector of four.
    pub vectors: bool,
}

impl Product {
    /// The product of a kernel with so many rows, columns and terms.
    pub(super) fn new(kernel: &str, [rows, columns, depth]: [usize; 3], vectors: bool) -> Self {
        Self {
            kernel: kernel.to_owned(),
            rows: rows as u64,
            columns: columns as u64,
            depth_class: (depth as u64).next_power_of_two(),
            vectors,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::gpu::kernels::{Convolution, Fill, Function, Gemm, Kernel};

    #[test]
    fn products_of_nearly_equal_depth_share_their_tiles() {
        let product = |depth| Gemm::tokens(2, 100, 64, depth).product();
        assert_eq!(product(1100), product(1152));
        assert_ne!(product(1000), product(1152));
        let product = product(1152).expect("it is one");
        assert_eq!(
            (product.rows, product.columns, product.depth_class),
            (200, 64, 2048)
        );
        // What is done to the sums does not matter, but how they are read does.
        let biased = Gemm {
            bias: true,
            ..Gemm::plain(200, 64, 1152)
        };
        assert_eq!(biased.product(), Some(product.clone()));
        assert_ne!(Gemm::plain(200, 64, 1153).product(), Some(product));
    }

    #[test]
    fn a_convolution_is_the_product_of_its_pixels_by_taps_and_channels() {
        let convolution = Convolution {
            images: 2,
            height: 4,
            width: 8,
            input_channels: 16,
            output_channels: 12,
            side: 3,
            upsampled: false,
            function: Function::Identity,
            residual: false,
        };
        let product = convolution.product().expect("it is one");
        assert_eq!(
            (product.rows, product.columns, product.depth_class),
            (64, 12, 256)
        );
        assert_eq!(product.kernel, "convolution");
    }

    #[test]
    fn what_has_no_tiles_is_no_product() {
        let fill = Fill {
            elements: 4,
            seed: 0,
            scale: 1.0,
            offset: 0.0,
        };
        assert_eq!(fill.product(), None);
    }
}
