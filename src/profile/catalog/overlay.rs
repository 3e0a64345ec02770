//! A user's own rows over those of the catalog: CSV (one table, told by its columns) or TOML (`[[accelerator]]`,
//! `[[price]]`, `[[provider]]`, `[[purchase]]`). A row with the key of another takes its place: an accelerator's
//! name, a price's provider, accelerator and term, a supplier's name, a purchase price's accelerator.

use csv::StringRecord;
use serde::de::DeserializeOwned;
use toml_edit::{Document, Item, Table, Value};

use super::{Accelerator, Catalog, Price, Provider, Purchase};

/// How an overlay is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverlayFormat {
    /// A header and rows of one table.
    Csv,
    /// Lists of tables.
    Toml,
}

/// What is wrong with an overlay, and in which line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct OverlayProblem {
    /// Line, from 1.
    pub line: usize,
    /// What was found, and what is allowed.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// A table of the catalog, as overlays name it.
struct Kind {
    name: &'static str,
    columns: &'static [&'static str],
    /// The column that no other table has.
    mark: &'static str,
}

const ACCELERATOR: Kind = Kind {
    name: "accelerator",
    columns: &[
        "name",
        "vendor",
        "memory_gb",
        "bandwidth_tb_per_s",
        "tflop_per_s_16bit",
        "tflop_per_s_8bit",
        "tflop_per_s_4bit",
        "power_w",
        "year",
        "adapters",
        "provenance",
        "date",
        "source",
    ],
    mark: "memory_gb",
};
const PRICE: Kind = Kind {
    name: "price",
    columns: &[
        "provider",
        "accelerator",
        "term",
        "usd_per_gpu_hour",
        "low",
        "high",
        "sku",
        "provenance",
        "date",
        "source",
    ],
    mark: "usd_per_gpu_hour",
};
const PROVIDER: Kind = Kind {
    name: "provider",
    columns: &[
        "name",
        "kind",
        "gpus_per_month",
        "lead_days_short",
        "lead_days_typical",
        "lead_days_long",
        "provenance",
        "date",
        "source",
        "note",
    ],
    mark: "gpus_per_month",
};
const PURCHASE: Kind = Kind {
    name: "purchase",
    columns: &[
        "accelerator",
        "usd_per_gpu",
        "low",
        "high",
        "provenance",
        "date",
        "source",
    ],
    mark: "usd_per_gpu",
};
const KINDS: [Kind; 4] = [ACCELERATOR, PRICE, PROVIDER, PURCHASE];

/// A row as text, with its columns.
struct Row {
    line: usize,
    columns: StringRecord,
    values: StringRecord,
}

impl Catalog {
    /// Lays the rows of a text over its own.
    ///
    /// # Errors
    ///
    /// The first row that is none, with its line; then nothing was changed.
    pub fn overlay(&mut self, text: &str, format: OverlayFormat) -> Result<(), OverlayProblem> {
        let rows = match format {
            OverlayFormat::Csv => csv_rows(text)?,
            OverlayFormat::Toml => toml_rows(text)?,
        };
        let mut over = self.clone();
        for (kind, row) in rows {
            match kind {
                0 => over.put_accelerator(&row)?,
                1 => over.put_price(&row)?,
                2 => over.put_provider(&row)?,
                _ => over.put_purchase(&row)?,
            }
        }
        *self = over;
        Ok(())
    }

    fn put_accelerator(&mut self, row: &Row) -> Result<(), OverlayProblem> {
        let new: Accelerator = row.read(&ACCELERATOR)?;
        row.within("memory_gb", Some(new.memory_gb))?;
        row.within("bandwidth_tb_per_s", Some(new.bandwidth_tb_per_s))?;
        row.within("tflop_per_s_16bit", Some(new.tflop_per_s_16bit))?;
        row.within("tflop_per_s_8bit", new.tflop_per_s_8bit)?;
        row.within("tflop_per_s_4bit", new.tflop_per_s_4bit)?;
        row.within("power_w", new.power_w)?;
        row.named("name", &new.name)?;
        put(&mut self.accelerators, new, |one, other| {
            one.name.eq_ignore_ascii_case(&other.name)
        });
        Ok(())
    }

    fn put_price(&mut self, row: &Row) -> Result<(), OverlayProblem> {
        let new: Price = row.read(&PRICE)?;
        row.within("usd_per_gpu_hour", Some(new.usd_per_gpu_hour))?;
        row.within("low", new.low)?;
        row.within("high", new.high)?;
        row.named("provider", &new.provider)?;
        row.named("accelerator", &new.accelerator)?;
        row.named("term", &new.term)?;
        put(&mut self.prices, new, |one, other| {
            one.accelerator.eq_ignore_ascii_case(&other.accelerator)
                && one.is_of(&other.provider, &other.accelerator, &other.term)
        });
        Ok(())
    }

    fn put_provider(&mut self, row: &Row) -> Result<(), OverlayProblem> {
        let new: Provider = row.read(&PROVIDER)?;
        row.within("gpus_per_month", Some(new.gpus_per_month))?;
        row.within("lead_days_short", Some(new.lead_days_short))?;
        row.within("lead_days_typical", Some(new.lead_days_typical))?;
        row.within("lead_days_long", Some(new.lead_days_long))?;
        row.named("name", &new.name)?;
        put(&mut self.providers, new, |one, other| {
            one.name.eq_ignore_ascii_case(&other.name)
        });
        Ok(())
    }

    fn put_purchase(&mut self, row: &Row) -> Result<(), OverlayProblem> {
        let new: Purchase = row.read(&PURCHASE)?;
        row.within("usd_per_gpu", Some(new.usd_per_gpu))?;
        row.within("low", new.low)?;
        row.within("high", new.high)?;
        row.named("accelerator", &new.accelerator)?;
        put(&mut self.purchases, new, |one, other| {
            one.accelerator.eq_ignore_ascii_case(&other.accelerator)
        });
        Ok(())
    }
}

/// Puts a row in the place of the one that is the same, or at the end.
fn put<T>(rows: &mut Vec<T>, new: T, same: impl Fn(&T, &T) -> bool) {
    match rows.iter_mut().find(|old| same(old, &new)) {
        Some(old) => *old = new,
        None => rows.push(new),
    }
}

/// Largest number of a catalog: more than any device or supplier will reach.
const LARGEST: f64 = 1e12;

impl Row {
    fn problem(&self, message: String, hint: impl Into<String>) -> OverlayProblem {
        OverlayProblem {
            line: self.line,
            message,
            hint: hint.into(),
        }
    }

    fn read<T: DeserializeOwned>(&self, kind: &Kind) -> Result<T, OverlayProblem> {
        let unknown = self
            .columns
            .iter()
            .find(|name| !kind.columns.contains(name));
        let hint = || format!("columns of `{}` are {}", kind.name, kind.columns.join(", "));
        if let Some(name) = unknown {
            let message = format!("unknown column {name:?} of `{}`", kind.name);
            return Err(self.problem(message, hint()));
        }
        self.values
            .deserialize(Some(&self.columns))
            .map_err(|problem| {
                let message = match problem.kind() {
                    csv::ErrorKind::Deserialize { err, .. } => match err.field() {
                        Some(field) => {
                            let name = self.columns.get(field as usize).unwrap_or_default();
                            let found = self.values.get(field as usize).unwrap_or_default();
                            format!("`{name}` is {found:?}: {}", err.kind())
                        }
                        None => err.kind().to_string(),
                    },
                    _ => problem.to_string(),
                };
                self.problem(message, hint())
            })
    }

    fn within(&self, column: &str, value: Option<f64>) -> Result<(), OverlayProblem> {
        match value {
            Some(value) if !(value > 0.0 && value <= LARGEST) => {
                let message = format!("`{column}` is {value}, but must be above 0 and up to 1e12");
                Err(self.problem(message, "leave it out where it is not known"))
            }
            _ => Ok(()),
        }
    }

    fn named(&self, column: &str, value: &str) -> Result<(), OverlayProblem> {
        match value.trim() {
            "" => {
                let message = format!("`{column}` is empty");
                Err(self.problem(message, "give it a name"))
            }
            _ => Ok(()),
        }
    }
}

fn csv_rows(text: &str) -> Result<Vec<(usize, Row)>, OverlayProblem> {
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let columns = reader.headers().map_err(|p| csv_problem(&p))?.clone();
    let kind = KINDS
        .iter()
        .position(|kind| columns.iter().any(|name| name == kind.mark));
    let kind = kind.ok_or_else(|| OverlayProblem {
        line: columns.position().map_or(1, |at| at.line() as usize),
        message: "the header is that of no table of the catalog".to_owned(),
        hint: KINDS
            .map(|kind| format!("a table with `{}` has {}s", kind.mark, kind.name))
            .join("; "),
    })?;
    let rows = reader.records().map(|record| {
        let values = record.map_err(|problem| csv_problem(&problem))?;
        let line = values.position().map_or(1, |at| at.line() as usize);
        Ok((
            kind,
            Row {
                line,
                columns: columns.clone(),
                values,
            },
        ))
    });
    rows.collect()
}

fn csv_problem(problem: &csv::Error) -> OverlayProblem {
    let message = match problem.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("the row has {len} values, but the header {expected_len}")
        }
        _ => problem.to_string(),
    };
    OverlayProblem {
        line: problem.position().map_or(1, |at| at.line() as usize),
        message,
        hint: "write a header and rows of as many values, with quotes around commas".to_owned(),
    }
}

fn toml_rows(text: &str) -> Result<Vec<(usize, Row)>, OverlayProblem> {
    let line_of = |span: Option<std::ops::Range<usize>>| {
        let end = span.map_or(0, |span| span.start).min(text.len());
        text.as_bytes()[..end]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count()
            + 1
    };
    let tables =
        "write rows below `[[accelerator]]`, `[[price]]`, `[[provider]]` or `[[purchase]]`";
    let problem = |line: usize, message: String| OverlayProblem {
        line,
        message,
        hint: tables.to_owned(),
    };
    let document = Document::parse(text)
        .map_err(|refused| problem(line_of(refused.span()), refused.message().to_owned()))?;
    let mut rows = Vec::new();
    for (name, item) in document.iter() {
        let kind = KINDS.iter().position(|kind| kind.name == name);
        let (Some(kind), Item::ArrayOfTables(list)) = (kind, item) else {
            let line = line_of(item.span());
            return Err(problem(
                line,
                format!("{name:?} is no list of rows of the catalog"),
            ));
        };
        for table in list {
            let line = line_of(table.span());
            let (columns, values) = toml_row(table).ok_or_else(|| {
                problem(
                    line,
                    format!("a row of `{name}` holds a table, a list or a date"),
                )
            })?;
            rows.push((
                kind,
                Row {
                    line,
                    columns,
                    values,
                },
            ));
        }
    }
    Ok(rows)
}

/// Columns and values of a row, as text.
fn toml_row(table: &Table) -> Option<(StringRecord, StringRecord)> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.value().clone()),
        Value::Integer(number) => Some(number.value().to_string()),
        Value::Float(number) => Some(number.value().to_string()),
        _ => None,
    };
    let cells = table
        .iter()
        .map(|(key, item)| Some((key.to_owned(), text(item.as_value()?)?)));
    let cells: Option<Vec<(String, String)>> = cells.collect();
    let (columns, values): (Vec<String>, Vec<String>) = cells?.into_iter().unzip();
    Some((columns.into(), values.into()))
}

#[cfg(test)]
mod tests {
    use super::super::purchases;
    use super::*;

    const PRICE_ROW: &str = "provider,accelerator,term,usd_per_gpu_hour\nAzure,H100-SXM-80GB,on-demand,5\nMine,X,spot,1\n";

    #[test]
    fn a_row_with_the_key_of_another_takes_its_place_and_others_are_added() {
        let mut catalog = Catalog::built_in();
        let before = catalog.prices.len();
        catalog
            .overlay(PRICE_ROW, OverlayFormat::Csv)
            .expect("rows");
        assert_eq!(catalog.prices.len(), before + 1);
        let mut prices = catalog.prices.iter();
        let changed = prices.find(|price| price.is_of("azure", "h100-sxm-80gb", "on-demand"));
        assert!((changed.expect("it is there").usd_per_gpu_hour - 5.0).abs() < 1e-12);
    }

    #[test]
    fn a_purchase_price_may_be_changed_and_one_below_nothing_is_refused() {
        let mut catalog = Catalog::built_in();
        let rows = "accelerator,usd_per_gpu\nmi300x,9999.5\nTPU-v6e,8000\n";
        catalog.overlay(rows, OverlayFormat::Csv).expect("rows");
        let price = |name: &str| catalog.purchase(name).map(|row| row.usd_per_gpu);
        assert_eq!(price("MI300X"), Some(9999.5));
        assert_eq!(price("TPU-v6e"), Some(8000.0));
        assert_eq!(catalog.purchases.len(), purchases().len() + 1);
        let wrong = "[[purchase]]\naccelerator = \"MI300X\"\nusd_per_gpu = -1\n";
        let problem = catalog.overlay(wrong, OverlayFormat::Toml);
        assert!(problem.is_err_and(|problem| problem.message.contains("above 0")));
    }

    #[test]
    fn toml_and_csv_say_the_same() {
        let toml = "[[price]]\nprovider = \"Azure\"\naccelerator = \"H100-SXM-80GB\"\n\
                    term = \"on-demand\"\nusd_per_gpu_hour = 5\n\n[[price]]\nprovider = \"Mine\"\n\
                    accelerator = \"X\"\nterm = \"spot\"\nusd_per_gpu_hour = 1.0\n";
        let (mut one, mut other) = (Catalog::built_in(), Catalog::built_in());
        one.overlay(PRICE_ROW, OverlayFormat::Csv).expect("rows");
        other.overlay(toml, OverlayFormat::Toml).expect("rows");
        assert_eq!(one, other);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_nothing_changes() {
        let csv = |rows: &str| {
            format!(
                "name,kind,gpus_per_month,lead_days_short,lead_days_typical,lead_days_long\n{rows}"
            )
        };
        let cases = [
            (
                csv("a,b,1,1,1,1\nc,d,many,1,1,1\n"),
                OverlayFormat::Csv,
                3,
                "\"many\"",
            ),
            (csv("a,b,-1,1,1,1\n"), OverlayFormat::Csv, 2, "above 0"),
            (csv("a,b,nan,1,1,1\n"), OverlayFormat::Csv, 2, "above 0"),
            (csv("a,b,1\n"), OverlayFormat::Csv, 2, "3 values"),
            ("x,y\n1,2\n".to_owned(), OverlayFormat::Csv, 1, "no table"),
            (
                "\n[[price]]\nprovider = 'a'\ncost = 3\n".to_owned(),
                OverlayFormat::Toml,
                2,
                "cost",
            ),
            ("[[prices]]\n".to_owned(), OverlayFormat::Toml, 1, "prices"),
            (
                "[[price]]\nprovider = \n".to_owned(),
                OverlayFormat::Toml,
                2,
                "",
            ),
            (
                "[[price]]\nprovider = [1]\n".to_owned(),
                OverlayFormat::Toml,
                1,
                "list",
            ),
        ];
        for (text, format, line, part) in cases {
            let mut catalog = Catalog::built_in();
            let problem = catalog.overlay(&text, format).expect_err(&text);
            assert_eq!(problem.line, line, "{text}{problem}");
            assert!(problem.message.contains(part), "{text}{problem}");
            assert_eq!(catalog, Catalog::built_in());
        }
    }
}
