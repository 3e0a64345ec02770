//! The program from outside: what is typed, what is printed, what lies in the folder, how it ends.
//!
//! Every test runs the built program in a folder of its own. The faults that are named in comments
//! (`S01`, `D06`, ...) are those of the project's list of faults.

#![expect(
    clippy::disallowed_methods,
    reason = "that a run ends soon is a fact about the wall clock"
)]

mod program;

mod answers;
mod catalog;
mod determinism;
mod files;
mod limits;
mod manual;
mod measured;
mod money;
mod plan;
mod profiles;
mod replications;
mod scenarios;
mod signals;
mod stories;
mod traces;
