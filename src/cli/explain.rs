//! `meltpoint explain`: what a scenario will do, before it runs.

use super::args::{Explain, TextFormat};
use super::error::Failure;
use super::{load, output, report};
use crate::{estimate, report as formats};

pub(super) fn run(arguments: &Explain) -> Result<u8, Failure> {
    let scenario = load::scenario(&arguments.question)?;
    let estimate = estimate::estimate(&scenario);
    output::result(&match arguments.format {
        TextFormat::Table => formats::estimate_table(&scenario, &estimate, report::style()),
        TextFormat::Json => formats::estimate_json(&estimate),
    })?;
    Ok(0)
}
