//! Observations to numbers: a run in progress to series, and a finished one to its summary.
//!
//! `Recorder` looks at the simulation at the end of every window and every interval; `summarise` makes
//! the plain data that everything after it works on. `measures` lists the numbers of an answer, and
//! `replications` says what they come to over many runs.

mod deliveries;
mod elastic;
mod facts;
mod failures;
mod judge;
mod measures;
mod partitions;
mod recorder;
mod regions;
pub mod replications;
mod summarise;
pub mod summary;

pub use deliveries::deliveries;
pub use measures::{Measure, Part, measures};
pub use recorder::Recorder;
pub use summarise::summarise;
