//! `meltpoint measure`: a model or a kernel on the GPU of this machine, or two device profiles side by side.

#[cfg(feature = "gpu")]
mod failure;
#[cfg(feature = "gpu")]
mod kernel;
#[cfg(feature = "gpu")]
mod list;
#[cfg(feature = "gpu")]
mod model;
#[cfg(feature = "gpu")]
mod tiles;

use super::args::{Format, Measure, MeasureCommand, MeasureCompare};
use super::error::Failure;
use super::{load, output, report};
use crate::report as formats;

pub(super) fn run(arguments: &Measure) -> Result<u8, Failure> {
    match &arguments.command {
        Some(MeasureCommand::Compare(arguments)) => compare(arguments),
        None => here(arguments),
    }
}

/// On this machine.
#[cfg(feature = "gpu")]
fn here(arguments: &Measure) -> Result<u8, Failure> {
    match &arguments.kernel {
        None if arguments.elements.is_some() => {
            let message = "--elements is about the kernel of --kernel, and there is none";
            Err(Failure::usage(message, "name one with --kernel FILE"))
        }
        _ if arguments.list => list::run(arguments),
        Some(file) => kernel::run(arguments, file),
        None => model::run(arguments),
    }
}

/// The adapter that was asked for.
#[cfg(feature = "gpu")]
fn wanted(arguments: &Measure) -> crate::gpu::Wanted {
    let named = arguments.adapter.clone().map(crate::gpu::Wanted::Named);
    named.unwrap_or_default()
}

#[cfg(not(feature = "gpu"))]
fn here(_: &Measure) -> Result<u8, Failure> {
    Err(Failure::usage(
        "this meltpoint was built without the feature `gpu`, so it cannot measure",
        "build it with the default features: cargo install meltpoint; `measure compare` works without",
    ))
}

fn compare(arguments: &MeasureCompare) -> Result<u8, Failure> {
    let first = load::profile(&arguments.first)?;
    let second = load::profile(&arguments.second)?;
    let comparison = formats::compare_measured(&first, &second).map_err(|problem| {
        let hint = "measure both with the same --model and --resolution";
        Failure::usage(problem.to_string(), hint)
    })?;
    output::result(&match arguments.format {
        Format::Table => formats::measured_comparison_table(&comparison, report::style()),
        Format::Json => formats::measured_comparison_json(&comparison),
        Format::Csv => formats::measured_comparison_csv(&comparison),
        Format::Md => formats::measured_comparison_markdown(&comparison),
    })?;
    Ok(0)
}
