//! `meltpoint init`: a scenario to start from.

use super::args::Init;
use super::error::Failure;
use super::folder::write_file;
use super::{load, output};

pub(super) fn run(arguments: &Init) -> Result<u8, Failure> {
    let source = load::built_in(&arguments.from)?;
    if arguments.file.exists() {
        let message = format!("`{}` exists already", arguments.file.display());
        return Err(Failure::usage(
            message,
            "name another file, or remove it first",
        ));
    }
    write_file(&arguments.file, source.text.as_bytes(), true)?;
    let file = arguments.file.display();
    output::note(&format!("wrote {file}; next: meltpoint simulate {file}"));
    Ok(0)
}
