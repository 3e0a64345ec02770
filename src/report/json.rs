//! `result.json`: the whole answer, and its JSON Schema.
//!
//! The file is laid out for people: one line a field, and a list of numbers on one line, so that a
//! series of a thousand intervals does not take a thousand lines. Keys keep the order of the types.
//! JSON knows no NaN and no infinity: a number that is not finite is written as `null`, which is
//! what an unknown quantity is anyway. A reader tolerates fields that it does not know.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

use crate::metrics::summary::{SCHEMA_VERSION, Summary};

/// The result as JSON text, ending with a line feed.
#[must_use]
pub fn result_json(summary: &Summary) -> String {
    to_text(summary)
}

/// Any plain data as JSON text in the layout of this module, ending with a line feed.
pub(super) fn to_text<T: Serialize>(data: &T) -> String {
    let mut bytes = Vec::new();
    data.serialize(&mut Serializer::with_formatter(
        &mut bytes,
        Layout::default(),
    ))
    .expect("plain data with text keys, written to memory");
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

/// Why a text is not a result that this program can read.
#[derive(Debug, thiserror::Error)]
pub enum ReadProblem {
    /// Not JSON at all, or cut short.
    #[error("it is not valid JSON: {0}")]
    NotJson(#[source] serde_json::Error),
    /// JSON, but of something else.
    #[error("it has no whole number `schema_version`, so it is not a meltpoint result")]
    NotAResult,
    /// Written by a later program.
    #[error(
        "its schema_version is {found}, this program reads up to {known}: \
         read it with meltpoint {writer} or newer"
    )]
    Newer {
        /// Version of the file.
        found: u64,
        /// Newest version that this program reads.
        known: u32,
        /// Version of the program that wrote the file.
        writer: String,
    },
    /// A field is missing or has another type.
    #[error("it does not follow the result schema: {0}")]
    Malformed(#[source] serde_json::Error),
}

/// The result in `text`.
///
/// # Errors
///
/// When the text is not JSON, not a result, or one of a newer schema.
pub fn parse_result(text: &str) -> Result<Summary, ReadProblem> {
    // The version is judged first: of a newer result one should hear that it is newer, not which
    // field this program misses in it.
    let value: Value = serde_json::from_str(text).map_err(ReadProblem::NotJson)?;
    let found = value["schema_version"]
        .as_u64()
        .ok_or(ReadProblem::NotAResult)?;
    if found > u64::from(SCHEMA_VERSION) {
        return Err(ReadProblem::Newer {
            found,
            known: SCHEMA_VERSION,
            writer: value["meltpoint_version"]
                .as_str()
                .unwrap_or("of that schema")
                .to_owned(),
        });
    }
    serde_json::from_value(value).map_err(ReadProblem::Malformed)
}

/// The JSON Schema (2020-12) of `result.json`, derived from the types, with their documentation.
#[must_use]
pub fn result_schema() -> Value {
    let mut schema = schemars::schema_for!(Summary).to_value();
    schema["$id"] = Value::from(format!("urn:meltpoint:result:{SCHEMA_VERSION}"));
    schema["title"] = Value::from("meltpoint result");
    schema
}

/// JSON with one line a field and one line a list, unless the list holds objects.
#[derive(Default)]
struct Layout {
    /// What is open, outermost first.
    open: Vec<Container>,
    /// Whether the last thing closed was an object: its list then closes on a line of its own.
    after_object: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Object,
    Array,
}

impl Layout {
    /// Objects and lists of objects indent; a list of numbers stays on its line.
    fn new_line<W: Write + ?Sized>(&self, writer: &mut W) -> io::Result<()> {
        writeln!(writer)?;
        self.open.iter().try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Layout {
    fn begin_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open.push(Container::Array);
        self.after_object = false;
        writer.write_all(b"[")
    }

    fn end_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open.pop();
        if std::mem::take(&mut self.after_object) {
            self.new_line(writer)?;
        }
        writer.write_all(b"]")
    }

    fn begin_array_value<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b"," })
    }

    fn begin_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.open.last() == Some(&Container::Array) {
            self.new_line(writer)?;
        }
        self.open.push(Container::Object);
        writer.write_all(b"{")
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open.pop();
        self.new_line(writer)?;
        self.after_object = true;
        writer.write_all(b"}")
    }

    fn begin_object_key<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b"," })?;
        self.new_line(writer)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_result_read_back_is_the_one_written() {
        let summary = fixture::surge();
        assert_eq!(parse_result(&result_json(&summary)).unwrap(), summary);
    }

    #[test]
    fn results_follow_their_schema() {
        let validator = jsonschema::draft202012::new(&result_schema()).unwrap();
        for summary in fixture::all() {
            let value: Value = serde_json::from_str(&result_json(&summary)).unwrap();
            let problems: Vec<String> = validator
                .iter_errors(&value)
                .map(|e| format!("{}: {e}", e.instance_path()))
                .collect();
            assert_eq!(problems, Vec::<String>::new());
        }
    }

    #[test]
    fn the_schema_refuses_what_is_no_result() {
        let validator = jsonschema::draft202012::new(&result_schema()).unwrap();
        let mut value: Value = serde_json::from_str(&result_json(&fixture::surge())).unwrap();
        value["tiers"][0]["offered"] = Value::from("many");
        assert!(!validator.is_valid(&value));
        assert!(!validator.is_valid(&serde_json::json!({})));
    }

    #[test]
    fn numbers_that_are_not_finite_are_null() {
        let mut summary = fixture::surge();
        summary.series.columns[0].values[0] = Some(f64::NAN);
        summary.total.response_s.p999 = Some(f64::INFINITY);
        let read = parse_result(&result_json(&summary)).unwrap();
        assert_eq!(read.series.columns[0].values[0], None);
        assert_eq!(read.total.response_s.p999, None);
    }

    #[test]
    fn unknown_fields_are_tolerated() {
        let mut value: Value = serde_json::from_str(&result_json(&fixture::surge())).unwrap();
        value["new"] = Value::from(1);
        value["tiers"][0]["new"] = Value::from(1);
        assert_eq!(parse_result(&value.to_string()).unwrap(), fixture::surge());
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let problem = |text: &str| parse_result(text).unwrap_err().to_string();
        assert!(problem("{").contains("not valid JSON"));
        assert!(problem("{}").contains("no whole number `schema_version`"));
        assert!(problem(r#"{"schema_version": 1}"#).contains("missing field"));
        let newer = problem(r#"{"schema_version": 9, "meltpoint_version": "3.1.0"}"#);
        assert!(newer.contains("schema_version is 9") && newer.contains("meltpoint 3.1.0"));
    }

    #[test]
    fn lists_of_numbers_take_one_line() {
        let text = to_text(&serde_json::json!({"a": [1, null, 2.5], "b": [{"c": []}]}));
        let expected =
            "{\n  \"a\": [1,null,2.5],\n  \"b\": [\n    {\n      \"c\": []\n    }\n  ]\n}\n";
        assert_eq!(text, expected);
    }
}
