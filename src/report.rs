//! The answer made readable: from a `Summary` to bytes and text, one file a format.
//!
//! Everything here is a function of plain data. It computes nothing new but layout, opens no file and
//! prints nothing. The rows of a table are made once and written by each format that shows them:
//! `frame` holds the tables for machines (CSV and Parquet), `answer` those for people (terminal and
//! Markdown), `figure` the figures (SVG and PNG). A new format is one new file.

mod json;

#[cfg(test)]
mod fixture;

pub use json::{ReadProblem, parse_result, result_json, result_schema};
