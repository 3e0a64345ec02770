//! Tables as CSV (RFC 4180 with line feeds): a header with units in the titles, numbers in full, an
//! empty field where a quantity is unknown, points in time as `2025-03-25T14:30:00Z`.
//!
//! The series is wide, one row an interval and one column a quantity and tier, because that is what
//! data frames and spreadsheets plot without reshaping.

use crate::metrics::summary::Summary;
use crate::report::date;
use crate::report::frame::{self, Cells, Frame};

/// The time series: `time_s`, `time_utc`, then `offered_per_s`, `offered_per_s[free]` ...
#[must_use]
pub fn series_csv(summary: &Summary) -> String {
    write(&frame::series(summary))
}

/// What became of the requests of each tier, and of all.
#[must_use]
pub fn tiers_csv(summary: &Summary) -> String {
    write(&frame::tiers(summary))
}

/// What each pool did.
#[must_use]
pub fn pools_csv(summary: &Summary) -> String {
    write(&frame::pools(summary))
}

/// What each autoscaler did.
#[must_use]
pub fn autoscalers_csv(summary: &Summary) -> String {
    write(&frame::autoscalers(summary))
}

/// What each partition of a divided cluster had.
#[must_use]
pub fn partitions_csv(summary: &Summary) -> String {
    write(&frame::partitions(summary))
}

/// The lines of cost and income.
#[must_use]
pub fn money_csv(summary: &Summary) -> String {
    write(&frame::money(summary))
}

/// What each chunk costs, one row a chunk.
#[must_use]
pub fn chunks_csv(summary: &Summary) -> String {
    write(&frame::chunks(summary))
}

/// The chunks put together by provider and by vendor, one row each.
#[must_use]
pub fn suppliers_csv(summary: &Summary) -> String {
    write(&frame::suppliers(summary))
}

/// Published facts beside the run.
#[must_use]
pub fn facts_csv(summary: &Summary) -> String {
    write(&frame::facts(summary))
}

/// The headline numbers: `name`, `value`, `unit`; of many replications also `mean`, `low`, `high` ...
#[must_use]
pub fn summary_csv(summary: &Summary) -> String {
    write(&frame::headline(summary))
}

/// Every measure over all replications, one row each, with its confidence interval.
#[must_use]
pub fn intervals_csv(summary: &Summary) -> String {
    write(&frame::intervals(summary))
}

/// The measures of every replication, one row each.
#[must_use]
pub fn replications_csv(summary: &Summary) -> String {
    write(&frame::replications(summary))
}

/// A table as CSV.
pub(super) fn write(frame: &Frame) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(frame.columns.iter().map(|column| &column.title))
        .expect("writing to memory");
    for row in 0..frame.len() {
        writer
            .write_record(frame.columns.iter().map(|column| field(&column.cells, row)))
            .expect("writing to memory, every record with one field a column");
    }
    let bytes = writer.into_inner().expect("flushing to memory");
    String::from_utf8(bytes).expect("all fields are UTF-8")
}

fn field(cells: &Cells, row: usize) -> String {
    match cells {
        Cells::Text(cells) => cells[row].clone(),
        Cells::Count(cells) => cells[row].to_string(),
        Cells::Number(cells) => cells[row].map_or_else(String::new, number),
        Cells::Instant(cells) => date::iso(cells[row]),
    }
}

/// All digits that tell the number from its neighbours, with an exponent where zeros would pad it.
fn number(value: f64) -> String {
    match value.abs() {
        size if size != 0.0 && !(1e-6..1e17).contains(&size) => format!("{value:e}"),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn the_series_has_units_and_tiers_in_its_titles() {
        let text = series_csv(&fixture::surge());
        let header = text.lines().next().unwrap();
        assert!(header.starts_with("time_s,time_utc,offered_per_s,admitted_per_s"));
        for title in [
            "response_p99_s[free]",
            "images,",
            "waiting_requests",
            "cost_usd",
            "gpus,",
        ] {
            assert!(header.contains(title), "{title} in {header}");
        }
        assert!(text.contains("\n900,2025-03-25T17:15:00Z,"));
        assert_eq!(text.lines().count(), 961);
    }

    #[test]
    fn every_record_has_as_many_fields_as_the_header() {
        for summary in fixture::all() {
            let texts = [
                series_csv,
                tiers_csv,
                pools_csv,
                autoscalers_csv,
                partitions_csv,
                money_csv,
                chunks_csv,
                suppliers_csv,
                facts_csv,
                summary_csv,
                intervals_csv,
                replications_csv,
            ];
            for text in texts.map(|make| make(&summary)) {
                let mut reader = csv::Reader::from_reader(text.as_bytes());
                let fields = reader.headers().unwrap().len();
                assert!(
                    reader
                        .records()
                        .all(|record| record.unwrap().len() == fields)
                );
                assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
                assert!(!text.contains("NaN") && !text.contains("inf"));
            }
        }
    }

    #[test]
    fn replications_have_a_row_each_and_measures_their_interval() {
        let summary = fixture::replicated();
        let text = replications_csv(&summary);
        assert!(
            text.starts_with("replication,seed,offered_requests,completed_requests,goodput_per_s")
        );
        for title in [
            "response_mean_s[free]",
            "utilisation_share[east/main]",
            "cost_usd[power east]",
        ] {
            assert!(text.contains(title), "no {title} in {text}");
        }
        assert_eq!(text.lines().count(), 5);
        let text = intervals_csv(&summary);
        // Values 40, 42, 44, 46.
        assert!(
            text.contains("headline,,response_mean,s,4,4,43,38.89"),
            "{text}"
        );
        let text = summary_csv(&summary);
        assert!(text.starts_with("name,value,unit,replications,known,mean,low,high"));
        assert!(text.contains("response_mean,43.2,s,4,4,43,38.89"), "{text}");
    }

    #[test]
    fn the_bill_adds_up_in_the_file() {
        let summary = fixture::surge();
        let text = money_csv(&summary);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let cost: f64 = reader
            .records()
            .map(Result::unwrap)
            .filter(|record| &record[0] == "cost")
            .map(|record| record[3].parse::<f64>().unwrap())
            .sum();
        assert!((cost - summary.money.cost_total_usd).abs() < 0.005);
    }
}
