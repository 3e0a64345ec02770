//! `meltpoint schema`: the JSON Schema of what goes in and of what comes out.

use super::args::{Schema, SchemaOf};
use super::error::Failure;
use super::output;
use crate::{profile, report, scenario};

pub(super) fn run(arguments: &Schema) -> Result<u8, Failure> {
    let schema = match arguments.of {
        SchemaOf::Scenario => scenario::json_schema(),
        SchemaOf::Result => report::result_schema(),
        SchemaOf::Profile => profile::measured::json_schema(),
    };
    output::result(&format!("{schema:#}"))?;
    Ok(0)
}
