//! Which adapters there are, what they can do, and which models can be measured.

use super::failure::failure;
use crate::cli::args::{Format, Measure};
use crate::cli::error::Failure;
use crate::cli::{output, report};
use crate::gpu::model::models;
use crate::gpu::{Error, adapter};
use crate::report as formats;

pub(super) fn run(arguments: &Measure) -> Result<u8, Failure> {
    let adapters = adapter::list();
    output::result(&match arguments.format {
        Format::Table => formats::measurable_table(&adapters, models(), report::style()),
        Format::Json => formats::measurable_json(&adapters, models()),
        Format::Md => formats::measurable_markdown(&adapters, models()),
        Format::Csv => {
            let message = "two lists have no such format";
            return Err(Failure::usage(message, "say --format json"));
        }
    })?;
    match adapters.is_empty() {
        true => Err(failure(&Error::NoAdapter)),
        false => Ok(0),
    }
}
