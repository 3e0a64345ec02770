//! `meltpoint scenarios`: what is built in.

use super::args::Scenarios;
use super::error::Failure;
use super::{load, output};
use crate::scenario::{self, Settings, Source};

pub(super) fn run(arguments: &Scenarios) -> Result<u8, Failure> {
    match &arguments.name {
        Some(name) => output::result(load::built_in(name)?.text)?,
        None => output::result(&list())?,
    }
    Ok(0)
}

fn list() -> String {
    let width = scenario::EMBEDDED
        .iter()
        .map(|entry| entry.0.len())
        .max()
        .unwrap_or(0);
    scenario::EMBEDDED
        .iter()
        .map(|&(name, text)| format!("{name:width$}  {}\n", question(name, text)))
        .collect()
}

fn question(name: &str, text: &str) -> String {
    let files = |name: &str| {
        scenario::embedded_trace(name)
            .map(<[u8]>::to_vec)
            .ok_or_else(|| "not built in".to_owned())
    };
    let source = Source { name, text };
    scenario::read(source, &Settings::default(), &files).map_or_else(
        |problems| problems.to_string(),
        |scenario| scenario.question,
    )
}
