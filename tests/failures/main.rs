//! Failures: how often things fail, what stands in them, what they cost and how they are written.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod facts;
mod language;
mod published;
mod question;
mod small;
