//! Trace files: recorded requests as CSV.

use crate::scenario::Trace;

/// How to read a trace.
#[derive(Clone, Debug)]
pub struct TraceFormat {
    /// Which columns; `None`: by the header.
    pub columns: Option<Columns>,
    /// Time runs so many times faster.
    pub compress: f64,
    /// So many times the requests.
    pub rescale: f64,
    /// Whether rows out of order are sorted.
    pub sort: bool,
}

/// Names of the columns.
#[derive(Clone, Debug)]
pub struct Columns {
    /// When a request came.
    pub time: String,
    /// Its iterations.
    pub iterations: Option<String>,
    /// Its prompt tokens.
    pub prompt: Option<String>,
    /// How many images it asks for.
    pub images: Option<String>,
}

impl Columns {
    /// The columns of a known trace.
    #[must_use]
    pub fn preset(_name: &str) -> Option<Self> {
        None
    }
}

/// What is wrong with a trace.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TraceProblem(String);

/// Reads a trace.
///
/// # Errors
///
/// Always, until the reader of traces lands.
pub fn parse(name: &str, _bytes: &[u8], _format: &TraceFormat) -> Result<Trace, TraceProblem> {
    Err(TraceProblem(format!("{name}: traces cannot be read yet")))
}
