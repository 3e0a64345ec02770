//! `meltpoint config show`: every effective value with where it was set and what it rests on.

use super::args::{Config, ConfigCommand, TextFormat};
use super::error::Failure;
use super::{load, output, report};
use crate::report as formats;

pub(super) fn run(arguments: &Config) -> Result<u8, Failure> {
    let ConfigCommand::Show(arguments) = &arguments.command;
    let scenario = load::scenario(&arguments.question)?;
    output::result(&match arguments.format {
        TextFormat::Table => formats::inputs_table(&scenario.inputs, report::style()),
        TextFormat::Json => formats::inputs_json(&scenario.inputs),
    })?;
    Ok(0)
}
