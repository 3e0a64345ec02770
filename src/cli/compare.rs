//! `meltpoint compare`: two results side by side, from their folders.

use super::args::{Compare, Format};
use super::error::Failure;
use super::{output, report};
use crate::report as formats;

pub(super) fn run(arguments: &Compare) -> Result<u8, Failure> {
    let (first, second) = (
        report::read(&arguments.first)?,
        report::read(&arguments.second)?,
    );
    let comparison = formats::compare(&first, &second);
    output::result(&match arguments.format {
        Format::Table => formats::comparison_table(&comparison, report::style()),
        Format::Json => formats::comparison_json(&comparison),
        Format::Csv => formats::comparison_csv(&comparison),
        Format::Md => formats::comparison_markdown(&comparison),
    })?;
    Ok(0)
}
