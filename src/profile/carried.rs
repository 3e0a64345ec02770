//! Tables that the program carries: CSV with `#` before comments.

use serde::de::DeserializeOwned;

/// The rows of a table.
///
/// # Panics
///
/// If one is no such row: the tables are part of the program.
pub(crate) fn rows<T: DeserializeOwned>(csv: &str) -> Vec<T> {
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(csv.as_bytes());
    let rows = reader.deserialize();
    rows.map(|row| row.expect("a row of a table of the program"))
        .collect()
}
