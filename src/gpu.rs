//! The measured half: what a real GPU does with a batch of image generation, through Vulkan, Metal or DX12.
//!
//! ```text
//!  Model --program--> Program --session--> on a device: seconds   --measure--> MeasuredProfile
//!  (shapes, as data)  (kernels and tensors)  through the twins: numbers (tests)
//! ```
//!
//! A [`kernels::Kernel`] is one WGSL file, its shape, its work in FLOP and bytes and its *twin*, the same
//! thing in the plainest Rust. A program is a list of kernels with the tensors they read and write; time and
//! roofline therefore talk of the same work. Nothing here knows the simulator: out comes a
//! [`crate::profile`], which is all that the two halves share.

pub mod adapter;
pub mod ceiling;
pub mod device;
pub mod error;
pub mod kernels;
pub mod measure;
pub mod model;
pub mod operands;
pub mod pace;
pub mod power;
pub mod precision;
pub mod program;
pub mod sampling;
pub mod session;
pub mod timing;
mod trusted;
pub mod tuning;
pub mod user_kernel;

pub use adapter::{Adapter, Capability, Wanted};
pub use device::Device;
pub use error::Error;
pub use model::Model;
pub use precision::{Precision, Tolerance, Variant};
pub use program::Program;
