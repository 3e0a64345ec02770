//! `meltpoint measure` on an adapter, from outside: what is printed, what is written, how it ends.
//!
//! Any adapter will do, a software one included; without one the tests are counted as ignored and say so.
//! `MELTPOINT_REQUIRE_GPU=1` makes that a failure. The faults that are named in comments (`G07`) are those of
//! the project's list of faults.

#![expect(
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a harness of its own tells what it left out, and that a run ends soon is about the wall clock"
)]

mod kernels;
mod models;
#[expect(dead_code, reason = "the tests of the command line use more of it")]
#[path = "../cli/program.rs"]
mod program;
mod tuned;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use meltpoint::gpu::adapter;

/// A test and the fact that it states.
type Test = (&'static str, fn());

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A software adapter uses all cores: side by side times would only tell of each other.
    arguments.test_threads.get_or_insert(1);
    let is_ignored = adapter::list().is_empty();
    if is_ignored {
        let required = std::env::var_os("MELTPOINT_REQUIRE_GPU").is_some_and(|v| v != "0");
        eprintln!("no GPU adapter, not even a software one: nothing is measured (ignored below)");
        if required {
            eprintln!("MELTPOINT_REQUIRE_GPU is set: that is a failure");
            return ExitCode::FAILURE;
        }
    }
    let tests = kernels::TESTS
        .iter()
        .chain(&models::TESTS)
        .chain(&tuned::TESTS);
    let trials = tests.map(|(name, test)| {
        let test = || -> Result<(), Failed> {
            test();
            Ok(())
        };
        Trial::test(*name, test).with_ignored_flag(is_ignored)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
