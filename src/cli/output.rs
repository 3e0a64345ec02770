//! Printing: the result to stdout, notes to stderr.

use std::io::{self, ErrorKind, IsTerminal, Write};

use super::error::Failure;

/// Writes a result to stdout.
///
/// # Errors
/// `OutputClosed` when nobody reads it any more, `File` for any other failure.
pub(super) fn result(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.write_all(newline.as_bytes()))
        .and_then(|()| stdout.flush())
        .map_err(|cause| match cause.kind() {
            ErrorKind::BrokenPipe => Failure::OutputClosed,
            _ => Failure::File {
                action: "write",
                path: "stdout".into(),
                cause,
            },
        })
}

/// Writes a note to stderr.
pub(super) fn note(text: &str) {
    // There is nowhere left to report that stderr is closed.
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Writes what may be doubted about a scenario to stderr.
pub(super) fn warnings(warnings: &[String]) {
    warnings
        .iter()
        .for_each(|warning| note(&format!("warning: {warning}")));
}

/// Whether stdout is a terminal that shows colour.
pub(super) fn colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Columns of the terminal; 100 where it does not tell.
pub(super) fn width() -> usize {
    let told = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    told.unwrap_or(100).clamp(60, 200)
}
