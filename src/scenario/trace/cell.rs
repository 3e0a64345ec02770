//! One value of a trace with its place, for messages that say where.

use csv::ByteRecord;

use super::TraceProblem;

/// Characters of a bad value that a message shows.
const SHOWN: usize = 40;

/// A field of a row.
pub(super) struct Cell<'a> {
    name: &'a str,
    header: &'a [String],
    row: &'a ByteRecord,
    index: usize,
}

impl<'a> Cell<'a> {
    /// The field `index` of a row that is as long as the header.
    pub(super) fn new(
        name: &'a str,
        header: &'a [String],
        row: &'a ByteRecord,
        index: usize,
    ) -> Self {
        Self {
            name,
            header,
            row,
            index,
        }
    }

    /// Its text without blanks around it.
    pub(super) fn text(&self) -> Result<&'a str, TraceProblem> {
        let text = std::str::from_utf8(&self.row[self.index]);
        text.map(str::trim)
            .map_err(|_| self.problem("UTF-8 text is needed"))
    }

    /// A whole number in `least..=most`, also written as `30.0`; `missing` where nothing stands.
    pub(super) fn count(&self, least: u32, most: u32, missing: u32) -> Result<u32, TraceProblem> {
        let text = self.text()?;
        if text.is_empty() {
            return Ok(missing);
        }
        let whole = text.split_once('.').map_or(text, |(whole, fraction)| {
            let is_zero = fraction.bytes().all(|digit| digit == b'0');
            if is_zero { whole } else { text }
        });
        match whole.parse() {
            Ok(count) if (least..=most).contains(&count) => Ok(count),
            _ => Err(self.problem(&format!("a whole number from {least} to {most} is needed"))),
        }
    }

    /// The problem with this value.
    pub(super) fn problem(&self, allowed: &str) -> TraceProblem {
        TraceProblem::Value {
            name: self.name.to_owned(),
            line: self.row.position().map_or(0, csv::Position::line),
            column: self.index + 1,
            column_name: self.header[self.index].clone(),
            found: shown(&String::from_utf8_lossy(&self.row[self.index])),
            allowed: allowed.to_owned(),
        }
    }
}

/// A text in quotes on one line, cut where it is long.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(SHOWN).collect();
    let dots = if short.len() < text.len() { "..." } else { "" };
    format!("\"{}{dots}\"", short.escape_debug())
}
