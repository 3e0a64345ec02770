//! One kernel a file: its shape, its work, its shader and its twin.
//!
//! A kernel reads tensors and writes one. Bindings are always in this order: 0 the range of workgroups that this
//! dispatch covers (`shaders/shared/range.wgsl`), 1 the kernel's parameters, then its inputs, then its
//! output. Workgroups are numbered in one row, so any kernel can be cut into shorter dispatches.
//!
//! # How to add one
//! `shaders/NAME.wgsl` with a header that says what one workgroup does; `kernels/NAME.rs` with a struct of its
//! shape that implements [`Kernel`]; a line below; its shapes in `tests/kernels`.

mod activation;
mod append;
mod attention;
mod convolution;
mod copy;
mod decode;
mod elementwise;
mod embedding;
mod fill;
mod gated;
mod gemm;
mod gemm_naive;
mod group_norm;
mod matrix;
mod modulate;
mod patchify;
mod product;
mod rotary;
mod sample;
mod sampler;
mod slice;
mod sum;
pub mod tiles;
mod timestep;
mod unpatchify;

pub use activation::{Activation, Function};
pub use append::Append;
pub use attention::Attention;
pub use convolution::Convolution;
pub use copy::Copy;
pub use decode::{DecodeAttention, DecodeCombine};
pub use embedding::Embedding;
pub use fill::Fill;
pub use gated::Gated;
pub use gemm::{Gate, Gemm, Residual};
pub use gemm_naive::GemmNaive;
pub use group_norm::{GroupNorm, GroupStatistics, Grouped};
pub use modulate::{Modulate, Norm, Scaling};
pub use patchify::Patchify;
pub use product::Product;
pub use rotary::{Positions, Rotary};
pub use sample::Sample;
pub use sampler::Sampler;
pub use slice::Slice;
pub use sum::Sum;
pub use timestep::Timestep;
pub use unpatchify::Unpatchify;

use std::fmt::Debug;

use super::precision::{Precision, Tolerance, Variant};
use tiles::Tiles;

/// One compute stage: what it computes is its twin.
pub trait Kernel: Debug + Send + Sync {
    /// Stem of its shader and of its file.
    fn name(&self) -> &'static str;

    /// What it computes and moves.
    fn work(&self) -> Work;

    /// Its inputs in order of their bindings.
    fn inputs(&self) -> Vec<Operand>;

    /// Its output.
    fn output(&self) -> Operand;

    /// Whether it leaves a part of its output as it was, as a write into a cache does.
    fn updates(&self) -> bool {
        false
    }

    /// WGSL and parameters for a variant of storage and arithmetic.
    fn shader(&self, variant: Variant) -> Shader;

    /// The matrix product that it is, if it is one whose tiles can be chosen.
    fn product(&self) -> Option<Product> {
        None
    }

    /// As [`Kernel::shader`], a product in these tiles, of which [`Tiles::candidates`] has the list.
    ///
    /// # Panics
    /// When it is a product and the variant does not have these tiles.
    fn shader_with(&self, variant: Variant, _tiles: Tiles) -> Shader {
        self.shader(variant)
    }

    /// How exact the device has to be.
    fn tolerance(&self) -> Tolerance;

    /// The same in plain Rust: the definition. `inputs` and `output` are as long as said above; indices
    /// come as whole numbers.
    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]);
}

/// A tensor's length and what its elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Elements.
    pub elements: usize,
    /// What they are.
    pub element: Element,
}

/// What a tensor holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// Real numbers in the storage of the variant.
    Real,
    /// Real numbers in 32 bits whatever the variant: statistics and sums that are not finished.
    Single,
    /// Whole numbers in 32 bits, below this bound.
    Index(u32),
}

impl Operand {
    /// A tensor of real numbers.
    #[must_use]
    pub fn real(elements: usize) -> Self {
        Self {
            elements,
            element: Element::Real,
        }
    }

    /// A tensor of real numbers in 32 bits.
    #[must_use]
    pub fn single(elements: usize) -> Self {
        Self {
            elements,
            element: Element::Single,
        }
    }

    /// A tensor of whole numbers below `bound`.
    #[must_use]
    pub fn index(elements: usize, bound: u32) -> Self {
        Self {
            elements,
            element: Element::Index(bound),
        }
    }

    /// Bytes on the device; a multiple of 16, so that vectors can be read to the end.
    #[must_use]
    pub fn bytes(self, precision: Precision) -> u64 {
        let each = match self.element {
            Element::Real => precision.bytes(),
            Element::Single | Element::Index(_) => 4,
        };
        (self.elements as u64 * each).next_multiple_of(16)
    }
}

/// What a kernel asks of a device. A multiplication and an addition are two FLOP; each tensor is moved once,
/// as by a perfect cache.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Floating-point operations.
    pub flop: f64,
    /// Real elements read from memory.
    pub read: f64,
    /// Real elements written to memory.
    pub written: f64,
}

impl Work {
    /// Bytes moved with this storage.
    #[must_use]
    pub fn bytes(self, precision: Precision) -> f64 {
        (self.read + self.written) * precision.bytes() as f64
    }
}

impl std::ops::Add for Work {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            flop: self.flop + other.flop,
            read: self.read + other.read,
            written: self.written + other.written,
        }
    }
}

impl std::iter::Sum for Work {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), std::ops::Add::add)
    }
}

/// A shader ready to compile, with the parameters of one shape.
#[derive(Clone, Debug)]
pub struct Shader {
    /// Whole WGSL text; its entry point is `main`.
    pub source: String,
    /// The bytes of its `Params`, a multiple of 16.
    pub params: Vec<u8>,
    /// Workgroups that cover the output.
    pub workgroups: u32,
}

/// The start of each shader: what `Real` is, then the range of workgroups. `enable` must come first.
#[must_use]
pub fn prelude(variant: Variant) -> String {
    let real = match variant.precision() {
        Precision::F32 => include_str!("../../shaders/shared/real_f32.wgsl"),
        Precision::F16 => include_str!("../../shaders/shared/real_f16.wgsl"),
    };
    let cooperative = match variant {
        Variant::CooperativeF16 => "enable wgpu_cooperative_matrix;\n",
        Variant::F32 | Variant::F16 => "",
    };
    format!(
        "{cooperative}{real}\n{}\n",
        include_str!("../../shaders/shared/range.wgsl")
    )
}
