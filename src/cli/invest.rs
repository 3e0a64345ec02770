//! `meltpoint invest`: users, money and GPUs around the loop, month by month.

use super::args::{Format, Invest};
use super::error::Failure;
use super::{folder, load, output, report};
use crate::economics::investment;
use crate::report as formats;

pub(super) fn run(arguments: &Invest) -> Result<u8, Failure> {
    let scenario = load::scenario(&arguments.question)?;
    output::warnings(&scenario.warnings);
    let Some(found) = investment::invest(&scenario) else {
        return Err(Failure::usage(
            format!("scenario `{}` has no money loop", scenario.name),
            "add a table `[investment]`, as in: meltpoint scenarios investment-loop",
        ));
    };
    let figure = formats::investment_figure(&found);
    folder::write_file(&arguments.figure, figure.svg().as_bytes(), false)?;
    output::result(&match arguments.format {
        Format::Table => formats::investment_table(&found, &scenario.inputs, report::style()),
        Format::Json => formats::investment_json(&found),
        Format::Csv => formats::investment_csv(&found),
        Format::Md => formats::investment_markdown(&found, &scenario.inputs),
    })?;
    output::note(&format!(
        "figure: {}",
        formats::printable_path(&arguments.figure)
    ));
    Ok(0)
}
