//! How numbers are stored on the device, what that costs in exactness, and which shaders it takes.

pub use crate::profile::measured::Variant;

/// How a tensor of real numbers is stored. Sums are always accumulated in 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// IEEE binary32.
    F32,
    /// IEEE binary16.
    F16,
}

impl Precision {
    /// Bytes of one number.
    #[must_use]
    pub fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }

    /// Unit roundoff u: a stored number is within u of the exact one, relatively (IEEE 754).
    #[must_use]
    pub fn roundoff(self) -> f64 {
        match self {
            Self::F32 => f64::from(f32::EPSILON) / 2.0,
            Self::F16 => f64::from(half::f16::EPSILON) / 2.0,
        }
    }

    /// What becomes of a number that is stored and read again.
    #[must_use]
    pub fn stored(self, value: f32) -> f32 {
        match self {
            Self::F32 => value,
            Self::F16 => half::f16::from_f32(value).to_f32(),
        }
    }
}

impl Variant {
    /// How this variant stores real numbers.
    #[must_use]
    pub fn precision(self) -> Precision {
        match self {
            Self::F32 => Precision::F32,
            Self::F16 | Self::CooperativeF16 => Precision::F16,
        }
    }
}

/// By how much a device may differ from the twin, relative to the larger of the element and the root mean
/// square of the output.
///
/// ```text
/// roundings * u_stored + 4 * sqrt(reduction) * u_32
/// ```
///
/// The first term is storage: once for the output and once for each intermediate that a kernel rounds. The
/// second is the order of summation: rounding errors of a sum of `reduction` terms grow like its square
/// root when they are independent (Higham and Mary 2019), and four standard deviations are allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Terms of the longest sum behind one output.
    pub reduction: usize,
    /// How often a number is rounded to storage on its way, the output included.
    pub roundings: u32,
}

impl Tolerance {
    /// The bound for this storage.
    #[must_use]
    pub fn relative(self, precision: Precision) -> f64 {
        let order = 4.0 * libm::sqrt(self.reduction.max(1) as f64) * Precision::F32.roundoff();
        // The arithmetic of transcendental functions in WGSL is itself only good to a few units.
        f64::from(self.roundings) * precision.roundoff() + order + 16.0 * Precision::F32.roundoff()
    }
}
