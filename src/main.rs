//! The `meltpoint` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    meltpoint::cli::main()
}
