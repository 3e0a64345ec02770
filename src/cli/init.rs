//! `meltpoint init`: a scenario to start from.

use super::args::Init;
use super::error::Failure;
use super::folder::write_file;
use super::{load, output};
use crate::report::printable_path;

pub(super) fn run(arguments: &Init) -> Result<u8, Failure> {
    let source = load::built_in(&arguments.from)?;
    if arguments.file.exists() {
        let message = format!("`{}` exists already", printable_path(&arguments.file));
        return Err(Failure::usage(
            message,
            "name another file, or remove it first",
        ));
    }
    write_file(&arguments.file, source.text.as_bytes(), true)?;
    let file = printable_path(&arguments.file);
    output::note(&format!("wrote {file}; next: meltpoint simulate {file}"));
    Ok(0)
}
