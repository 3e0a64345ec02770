//! `meltpoint report`: a result again, from its folder.

use std::path::Path;

use super::args::Report;
use super::error::Failure;
use super::folder::RESULT_FILE;
use super::{load, output, simulate};
use crate::metrics::summary::Summary;
use crate::report::{Style, parse_result, printable_path};

/// Largest result file that is read.
const RESULT_BYTES_MAX: u64 = 1 << 30;

pub(super) fn run(arguments: &Report) -> Result<u8, Failure> {
    let summary = read(&arguments.folder)?;
    output::result(&simulate::rendered(&summary, arguments.format))?;
    Ok(0)
}

/// The summary in a result folder.
pub(super) fn read(folder: &Path) -> Result<Summary, Failure> {
    let path = folder.join(RESULT_FILE);
    if !path.is_file() {
        let message = format!(
            "`{}` is not a result folder: it has no {RESULT_FILE}",
            printable_path(folder)
        );
        return Err(Failure::usage(
            message,
            "name a folder that `meltpoint simulate` wrote",
        ));
    }
    let bytes = load::read_file(&path, RESULT_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    parse_result(&text).map_err(|problem| {
        let hint = "run the scenario again with this version of meltpoint";
        Failure::usage(format!("{}: {problem}", printable_path(&path)), hint)
    })
}

/// Colour and width for tables on stdout.
pub(super) fn style() -> Style {
    Style {
        colour: output::colour(),
        width: output::width(),
    }
}
