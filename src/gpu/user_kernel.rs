//! A compute shader of the user's under the harness of our own: read with care, fed with buffers by its own
//! bindings, sped up step by step, timed, and its outputs looked at.
//!
//! The file is a whole WGSL module with an entry point `main`. Its bindings are buffers of group 0:
//!
//! - `var<storage, read>`: seeded random numbers, integers below the number of elements;
//! - `var<storage, read_write>` that is only written: poison, which is looked for afterwards; that is also read:
//!   random numbers; that is used by atomics: zeros;
//! - `var<uniform>`: the number of elements in its first word, then zeros.
//!
//! Arrays without a length get the number of elements that was asked for. Workgroups lie along x.

mod buffers;
mod check;
mod guard;
mod patience;
mod shape;
#[cfg(test)]
mod tests;
mod timing;

pub use check::{BadKernel, Binding, Role, UserKernel};
pub use patience::THREAD;
pub use timing::{BindingReport, Failure, UserTiming, Wish, measure};

/// Longest text of a kernel in bytes.
pub const BYTES_MAX: usize = 1 << 20;
