//! Autoscaling: controllers against naive twins, the fleet against closed forms, and what must always hold.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod controllers;
mod facts;
mod fluid;
mod language;
mod question;
mod staffing;
mod twin;
