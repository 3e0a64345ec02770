//! The text of a trace file: gzip undone within bounds, and its separator.

use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;

use super::TraceProblem;

/// Bounds on what a compressed trace may unpack to.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutputLimit {
    /// Bytes.
    pub(super) bytes: u64,
    /// Bytes for each compressed byte.
    pub(super) ratio: u64,
}

impl Default for OutputLimit {
    /// 4 GiB, and 200 times: traces compress 5 to 20 times, bombs a thousand.
    fn default() -> Self {
        Self {
            bytes: 4 << 30,
            ratio: 200,
        }
    }
}

/// The text of a trace.
pub(super) struct Unpacked<'a> {
    /// The text; reading fails with `FileTooLarge` at the limit.
    pub(super) text: Box<dyn Read + 'a>,
    /// What separates its columns: the most frequent of comma, semicolon and tab in the first line.
    pub(super) delimiter: u8,
}

/// Bytes of the text in which the first line is looked at.
const FIRST_LINE: u64 = 64 << 10;

/// Opens the text of a trace.
pub(super) fn open<'a>(
    name: &str,
    bytes: &'a [u8],
    limit: OutputLimit,
) -> Result<Unpacked<'a>, TraceProblem> {
    let unreadable = |reason: &str| TraceProblem::Unreadable {
        name: name.to_owned(),
        reason: reason.to_owned(),
    };
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(unreadable("a zip archive; unpack it first, or use gzip"));
    }
    let mut start = Vec::new();
    text(bytes, limit)
        .take(FIRST_LINE)
        .read_to_end(&mut start)
        .map_err(|error| problem(name, error.into()))?;
    if start.is_empty() {
        return Err(TraceProblem::Empty {
            name: name.to_owned(),
            found: "the file is empty".to_owned(),
        });
    }
    if start.contains(&0) || is_gzip(&start) {
        return Err(unreadable(
            "not a text file; CSV, plain or gzipped, is needed",
        ));
    }
    Ok(Unpacked {
        text: text(bytes, limit),
        delimiter: delimiter(&start),
    })
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

fn text(bytes: &[u8], limit: OutputLimit) -> Box<dyn Read + '_> {
    if !is_gzip(bytes) {
        return Box::new(bytes);
    }
    Box::new(Bounded {
        inner: MultiGzDecoder::new(bytes),
        left: limit.bytes.min(limit.ratio * bytes.len() as u64),
    })
}

fn delimiter(start: &[u8]) -> u8 {
    let line = start
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|&&byte| byte == delimiter).count();
    // The last of equals wins: a comma.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|&candidate| count(candidate))
        .unwrap_or(b',')
}

/// A reader that fails instead of giving more than so many bytes.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(count)
    }
}

/// What an error of reading means.
pub(super) fn problem(name: &str, error: csv::Error) -> TraceProblem {
    let name = name.to_owned();
    match error.kind() {
        csv::ErrorKind::Io(io) if io.kind() == io::ErrorKind::FileTooLarge => {
            TraceProblem::TooLarge {
                name,
                what: "unpacks to more than 4 GiB or 200 times its size".to_owned(),
            }
        }
        csv::ErrorKind::Io(io) => TraceProblem::Unreadable {
            name,
            reason: format!("the gzip data is damaged or cut off ({io}); get the file again"),
        },
        _ => TraceProblem::Unreadable {
            name,
            reason: error.to_string(),
        },
    }
}
