//! The command line: all of clap, files, printing, colour and exit codes; one file a command.
//!
//! stdout carries the result and nothing else; progress, notes and errors go to stderr. Exit codes:
//! 0 done; 1 a bug; 2 usage or scenario error; 3 ran, but an enforced promise was missed; 4 input or
//! output, or a limit; 5 a device, or what was measured on it, cannot be used; 130, 143, 129 stopped by a
//! signal, with the partial result written.

pub mod args;

mod catalog;
mod check;
mod compare;
mod config;
mod error;
mod explain;
mod fit;
mod folder;
mod init;
mod invest;
mod load;
mod manual;
mod measure;
mod output;
mod plan;
mod progress;
mod report;
mod scenarios;
mod schema;
mod signals;
mod simulate;
mod watched;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
use error::Failure;

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(problem) => {
            // clap writes help to stdout and errors to stderr; a closed pipe is nobody's fault.
            drop(problem.print());
            return ExitCode::from(if problem.use_stderr() {
                error::USAGE
            } else {
                0
            });
        }
    };
    // A panic has told its numbers on stderr; the code tells whoever called that it is a bug.
    match std::panic::catch_unwind(|| run(&arguments.command)) {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(failure)) => {
            failure.print();
            ExitCode::from(failure.code())
        }
        Err(_) => ExitCode::from(error::BUG),
    }
}

fn run(command: &Command) -> Result<u8, Failure> {
    match command {
        Command::Simulate(arguments) => simulate::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Report(arguments) => report::run(arguments),
        Command::Compare(arguments) => compare::run(arguments),
        Command::Measure(arguments) => measure::run(arguments),
        Command::Plan(arguments) => plan::run(arguments),
        Command::Invest(arguments) => invest::run(arguments),
        Command::Fit(arguments) => fit::run(arguments),
        Command::Catalog(arguments) => catalog::run(arguments),
        Command::Scenarios(arguments) => scenarios::run(arguments),
        Command::Init(arguments) => init::run(arguments),
        Command::Config(arguments) => config::run(arguments),
        Command::Schema(arguments) => schema::run(arguments),
        Command::Completions(arguments) => manual::completions(arguments),
        Command::Man(arguments) => manual::man(arguments),
    }
}
