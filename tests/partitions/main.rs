//! Partitions: a fixed division against separate clusters, moves against a timeline and a naive twin, training
//! against arithmetic, and what must always hold.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixed;
mod language;
mod moves;
mod question;
mod training;
mod waits;
