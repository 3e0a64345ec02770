//! The kernel of discrete-event simulation: what happens next.
//!
//! Two event lists, both totally ordered, so that a run has one order of events on every machine:
//! `Earliest` holds exactly one due time for each of some entities (the replicas of a pool, the gateways that send
//! to it) and breaks ties by index; `Timers` holds any number of timers and breaks ties by the order in which
//! they were set. A timer cannot be taken back: one that no longer holds is recognised by its generation
//! when it falls due.

mod earliest;
mod sift;
mod sorter;
mod timers;

pub use earliest::Earliest;
pub use sift::sift;
pub use sorter::{Sorter, covering_bits};
pub use timers::Timers;
