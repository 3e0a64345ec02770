//! Recorded requests: CSV, plain or gzipped, to the rows of a `Trace`.
//!
//! Times are replayed as they are: relative to the first row, divided by a factor where one asks for it,
//! never drawn again. More or fewer requests of the same shape come from repeating or leaving out rows
//! evenly. A file that cannot be read in full is refused with the place, what stands there and what may.

mod cell;
mod clock;
mod unpack;

use std::io::Read;

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::demand::{Trace, TraceRow};
use crate::units::SimTime;
use cell::Cell;
use clock::Clock;
use unpack::{OutputLimit, Unpacked};

/// Rows that a trace may have after rescaling: 24 bytes each, 2.4 GB.
const MOST_ROWS: usize = 100_000_000;

/// Images that one row may ask for.
const MOST_IMAGES: u32 = 1000;

/// How a trace is to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceFormat {
    /// Which columns hold what; `None`: found by the names in the header.
    pub columns: Option<Columns>,
    /// Times are divided by it: 10 makes a day last 2.4 hours. Above 0.
    pub compress: f64,
    /// How many requests come for each row: 2.5 repeats rows two and three times in turn, 0.5 leaves every
    /// second one out. Above 0.
    pub rescale: f64,
    /// Whether rows may be out of order: they are then sorted by time, equal times in file order.
    pub sort: bool,
}

impl Default for TraceFormat {
    /// As recorded.
    fn default() -> Self {
        Self {
            columns: None,
            compress: 1.0,
            rescale: 1.0,
            sort: false,
        }
    }
}

/// Names of the columns of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// When the request came: date-times (UTC) or seconds.
    pub time: String,
    /// Its iterations (steps or output tokens) for one image; `None`: as the demand's work says.
    pub iterations: Option<String>,
    /// Its prompt tokens; `None`: none.
    pub prompt: Option<String>,
    /// How many images it asks for; `None`: one.
    pub images: Option<String>,
}

impl Columns {
    /// The columns of a published format.
    ///
    /// `azure-llm`: Azure's public LLM inference traces (Patel et al., Splitwise, ISCA 2024).
    /// `gentd26`: Alibaba's image generation requests; those that failed are replayed too, for they were
    /// asked for.
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        let column = |name: &str| Some(name.to_owned());
        match name {
            "azure-llm" => Some(Self {
                time: "TIMESTAMP".to_owned(),
                iterations: column("GeneratedTokens"),
                prompt: column("ContextTokens"),
                images: None,
            }),
            "gentd26" => Some(Self {
                time: "gmt_create".to_owned(),
                iterations: column("num_inference_steps"),
                prompt: None,
                images: column("num_images_per_prompt"),
            }),
            _ => None,
        }
    }

    /// The preset of which the header has every column; else what it has of `time`, `iterations`,
    /// `prompt_tokens` and `images`.
    fn detect(header: &[String]) -> Option<Self> {
        let has = |name: &str| header.iter().any(|column| column == name);
        let known = ["azure-llm", "gentd26"].into_iter().find_map(|name| {
            Self::preset(name).filter(|columns| columns.names().all(|name| has(name)))
        });
        let optional = |name: &str| has(name).then(|| name.to_owned());
        known.or_else(|| {
            has("time").then(|| Self {
                time: "time".to_owned(),
                iterations: optional("iterations"),
                prompt: optional("prompt_tokens"),
                images: optional("images"),
            })
        })
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        [Some(&self.time)]
            .into_iter()
            .chain([
                self.iterations.as_ref(),
                self.prompt.as_ref(),
                self.images.as_ref(),
            ])
            .flatten()
    }
}

/// Why a trace cannot be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TraceProblem {
    /// No byte, or a header without rows.
    #[error("{name}: {found}; a header line and at least one row are needed")]
    Empty {
        /// File name.
        name: String,
        /// What there is.
        found: String,
    },
    /// More data than a trace may have.
    #[error("{name}: {what}; split the file, or check that it is not a decompression bomb")]
    TooLarge {
        /// File name.
        name: String,
        /// Which limit was passed.
        what: String,
    },
    /// Not a text, or an archive that does not unpack.
    #[error("{name}: {reason}")]
    Unreadable {
        /// File name.
        name: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A column that is not there, or twice.
    #[error("{name}:1: {message}; the header has {columns}")]
    Header {
        /// File name.
        name: String,
        /// What is wrong.
        message: String,
        /// The columns that there are.
        columns: String,
    },
    /// A row that does not fit its header.
    #[error("{name}:{line}: the row has {found} fields, the header {expected}")]
    Row {
        /// File name.
        name: String,
        /// Line on which the row starts, from 1.
        line: u64,
        /// Fields of the row.
        found: usize,
        /// Fields of the header.
        expected: usize,
    },
    /// A value that cannot be.
    #[error("{name}:{line}:{column}: {column_name} is {found}; {allowed}")]
    Value {
        /// File name.
        name: String,
        /// Line on which the row starts, from 1.
        line: u64,
        /// Field of the row, from 1.
        column: usize,
        /// Name of the column.
        column_name: String,
        /// What stands there.
        found: String,
        /// What may stand there, or what to do.
        allowed: String,
    },
    /// A factor that is not a number above 0.
    #[error("{name}: {factor} is {value}; a number above 0 is needed")]
    Factor {
        /// File name.
        name: String,
        /// `compress` or `rescale`.
        factor: &'static str,
        /// Its value.
        value: f64,
    },
}

/// Reads a trace. `name` is for reports and messages; `bytes` are the file's, gzipped or not.
///
/// # Errors
///
/// The first thing that keeps the trace from being read in full.
pub fn parse(name: &str, bytes: &[u8], format: &TraceFormat) -> Result<Trace, TraceProblem> {
    for (factor, value) in [("compress", format.compress), ("rescale", format.rescale)] {
        if !(value > 0.0 && value.is_finite()) {
            let name = name.to_owned();
            return Err(TraceProblem::Factor {
                name,
                factor,
                value,
            });
        }
    }
    let unpacked = unpack::open(name, bytes, OutputLimit::default())?;
    let mut records = read(name, unpacked, format)?;
    records.sort_by_key(|record| record.at_ns);
    let rows = replayed(name, &records, format)?;
    Ok(Trace {
        name: name.to_owned(),
        rows,
    })
}

/// One row of the file, with its time on the file's own clock.
struct Record {
    at_ns: i128,
    iterations: u32,
    prompt_tokens: u32,
    images: u32,
}

/// Where the wanted columns are.
struct Layout {
    header: Vec<String>,
    time: usize,
    iterations: Option<usize>,
    prompt: Option<usize>,
    images: Option<usize>,
}

impl Layout {
    fn find(
        name: &str,
        header: Vec<String>,
        wanted: Option<&Columns>,
    ) -> Result<Self, TraceProblem> {
        let problem = |message: String| TraceProblem::Header {
            name: name.to_owned(),
            message,
            columns: listed(&header),
        };
        let detected = Columns::detect(&header);
        let columns = wanted.or(detected.as_ref()).ok_or_else(|| {
            problem("no known set of columns; say which column is the time".to_owned())
        })?;
        let index = |column: &String| {
            let mut places = (0..header.len()).filter(|&i| header[i] == *column);
            match (places.next(), places.next()) {
                (Some(place), None) => Ok(place),
                (None, _) => Err(problem(format!("no column {column:?}"))),
                (Some(_), Some(_)) => Err(problem(format!("two columns {column:?}"))),
            }
        };
        Ok(Self {
            time: index(&columns.time)?,
            iterations: columns.iterations.as_ref().map(index).transpose()?,
            prompt: columns.prompt.as_ref().map(index).transpose()?,
            images: columns.images.as_ref().map(index).transpose()?,
            header,
        })
    }
}

/// The column names for a message, the first few of them.
fn listed(header: &[String]) -> String {
    /// More names than this do not help.
    const SHOWN: usize = 12;
    let shown: Vec<String> = header.iter().take(SHOWN).map(|c| cell::shown(c)).collect();
    let more = if header.len() > SHOWN { ", ..." } else { "" };
    shown.join(", ") + more
}

/// All rows in file order.
fn read(
    name: &str,
    unpacked: Unpacked<'_>,
    format: &TraceFormat,
) -> Result<Vec<Record>, TraceProblem> {
    let failed = |error: csv::Error| unpack::problem(name, error);
    let mut reader: Reader<Box<dyn Read + '_>> = ReaderBuilder::new()
        .flexible(true)
        .delimiter(unpacked.delimiter)
        .from_reader(unpacked.text);
    let header = reader.byte_headers().map_err(failed)?;
    let header = header.iter().map(|column| {
        let column = String::from_utf8_lossy(column);
        column.trim_start_matches('\u{feff}').trim().to_owned()
    });
    let layout = Layout::find(name, header.collect(), format.columns.as_ref())?;
    let (mut records, mut clock) = (Vec::new(), None);
    let mut raw = ByteRecord::new();
    while reader.read_byte_record(&mut raw).map_err(failed)? {
        let record = read_row(name, &layout, &raw, &mut clock)?;
        let earlier = records
            .last()
            .filter(|last: &&Record| last.at_ns > record.at_ns);
        if earlier.is_some() && !format.sort {
            let cell = Cell::new(name, &layout.header, &raw, layout.time);
            return Err(cell.problem("it is before the row above; ask for `sort` if that is meant"));
        }
        if records.len() == MOST_ROWS {
            return Err(too_many_rows(name));
        }
        records.push(record);
    }
    if records.is_empty() {
        return Err(TraceProblem::Empty {
            name: name.to_owned(),
            found: "there is a header and no row".to_owned(),
        });
    }
    Ok(records)
}

/// One row; the first one sets the clock, which is how times are written.
fn read_row(
    name: &str,
    layout: &Layout,
    raw: &ByteRecord,
    clock: &mut Option<Clock>,
) -> Result<Record, TraceProblem> {
    if raw.len() != layout.header.len() {
        return Err(TraceProblem::Row {
            name: name.to_owned(),
            line: raw.position().map_or(0, csv::Position::line),
            found: raw.len(),
            expected: layout.header.len(),
        });
    }
    let cell = |index: usize| Cell::new(name, &layout.header, raw, index);
    let count = |index: Option<usize>, least: u32, most: u32, missing: u32| {
        index.map_or(Ok(missing), |i| cell(i).count(least, most, missing))
    };
    let time = cell(layout.time);
    let text = time.text()?;
    let clock = *clock.get_or_insert_with(|| Clock::of(text));
    Ok(Record {
        at_ns: clock.read(text).map_err(|allowed| time.problem(allowed))?,
        iterations: count(layout.iterations, 0, u32::MAX, 0)?,
        prompt_tokens: count(layout.prompt, 0, u32::MAX, 0)?,
        images: count(layout.images, 1, MOST_IMAGES, 1)?,
    })
}

/// The requests to replay: the i-th row as often as the whole numbers up to (i + 1) x rescale are more
/// than those up to i x rescale, so that errors never add up.
fn replayed(
    name: &str,
    records: &[Record],
    format: &TraceFormat,
) -> Result<Vec<TraceRow>, TraceProblem> {
    let upto = |rows: usize| (rows as f64 * format.rescale) as usize;
    let total = upto(records.len());
    if total > MOST_ROWS {
        return Err(too_many_rows(name));
    }
    let start_ns = records.first().map_or(0, |record| record.at_ns);
    let mut rows = Vec::with_capacity(total);
    for (i, record) in records.iter().enumerate() {
        let row = TraceRow {
            at: compressed(record.at_ns - start_ns, format.compress),
            iterations: record.iterations,
            prompt_tokens: record.prompt_tokens,
            images: record.images,
        };
        rows.extend(std::iter::repeat_n(row, upto(i + 1) - upto(i)));
    }
    Ok(rows)
}

/// A time since the first row over a factor, to the nearest nanosecond; as it is for the factor 1.
fn compressed(since_start_ns: i128, factor: f64) -> SimTime {
    let exact = u64::try_from(since_start_ns).unwrap_or(u64::MAX);
    if factor == 1.0 {
        return SimTime(exact);
    }
    SimTime((exact as f64 / factor).round() as u64)
}

fn too_many_rows(name: &str) -> TraceProblem {
    TraceProblem::TooLarge {
        name: name.to_owned(),
        what: format!("more than {MOST_ROWS} requests"),
    }
}

#[cfg(test)]
mod tests;
