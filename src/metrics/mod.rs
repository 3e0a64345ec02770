//! Observations to numbers: a run in progress to series, and a finished one to its summary.
//!
//! `Recorder` looks at the simulation at the end of every window and every interval; `summarise` makes
//! the plain data that everything after it works on.

mod facts;
mod judge;
mod recorder;
mod summarise;
pub mod summary;

pub use recorder::Recorder;
pub use summarise::summarise;
