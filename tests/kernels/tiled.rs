//! Products in tiles other than those that their shape would get, and cooperative ones on emulated matrices.

use meltpoint::gpu::kernels::tiles::Tiles;
use meltpoint::gpu::kernels::{Kernel, Operand, Shader, Work};
use meltpoint::gpu::{Tolerance, Variant};

use crate::Case;
use crate::emulated::emulated;

/// A product in certain tiles, in those variants that have them.
#[derive(Debug)]
struct Tiled<P> {
    product: P,
    tiles: Tiles,
    /// Whether 16-bit storage stands for cooperative matrices, which are then emulated.
    is_emulated: bool,
}

/// A product in certain tiles.
pub(crate) fn case(name: &str, product: impl Kernel + 'static, tiles: Tiles) -> Case {
    let tiled = Tiled {
        product,
        tiles,
        is_emulated: false,
    };
    Case::new(format!("{name} in {tiles}"), tiled)
}

/// The same on emulated matrices, none if the tiles have no matrices.
pub(crate) fn on_emulated(
    name: &str,
    product: impl Kernel + 'static,
    tiles: Tiles,
) -> Option<Case> {
    let tiled = Tiled {
        product,
        tiles,
        is_emulated: true,
    };
    let has_matrices = matches!(tiles, Tiles::Matrices(_));
    has_matrices.then(|| Case::new(format!("emulated {name} in {tiles}"), tiled))
}

/// Tiles whose text is short enough to be emulated often: of small matrices, in two stages.
pub(crate) fn small_matrices() -> Tiles {
    let all = Tiles::candidates(Variant::CooperativeF16);
    let is_small = |tiles: &Tiles| match tiles {
        Tiles::Matrices(tiles) => tiles.matrices == [2, 2] && tiles.stages == 2,
        Tiles::Stream | Tiles::Lanes(_) => false,
    };
    let small = all.into_iter().find(is_small);
    small.expect("the table of tiles has one of 2 x 2 matrices")
}

impl<P: Kernel> Kernel for Tiled<P> {
    fn name(&self) -> &'static str {
        self.product.name()
    }

    fn work(&self) -> Work {
        self.product.work()
    }

    fn inputs(&self) -> Vec<Operand> {
        self.product.inputs()
    }

    fn output(&self) -> Operand {
        self.product.output()
    }

    fn updates(&self) -> bool {
        self.product.updates()
    }

    fn shader(&self, variant: Variant) -> Shader {
        if variant == Variant::F16 && self.is_emulated {
            let shader = self
                .product
                .shader_with(Variant::CooperativeF16, self.tiles);
            let source = emulated(&shader.source);
            return Shader { source, ..shader };
        }
        match Tiles::candidates(variant).contains(&self.tiles) {
            true => self.product.shader_with(variant, self.tiles),
            false => self.product.shader(variant),
        }
    }

    fn tolerance(&self) -> Tolerance {
        self.product.tolerance()
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        self.product.twin(inputs, output);
    }
}
