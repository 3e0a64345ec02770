//! Tables as Parquet: one row group, Snappy, the unit of each column in the file's metadata as
//! `unit.<column title>`. The bytes depend on the table alone.

use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::metrics::summary::Summary;
use crate::report::frame::{self, Cells, Frame, FrameColumn};

/// The time series, with the columns of `series_csv`.
#[must_use]
pub fn series_parquet(summary: &Summary) -> Vec<u8> {
    write(&frame::series(summary))
}

/// What became of the requests of each tier, with the columns of `tiers_csv`.
#[must_use]
pub fn tiers_parquet(summary: &Summary) -> Vec<u8> {
    write(&frame::tiers(summary))
}

fn write(frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_to(&mut bytes, frame).expect("a schema made from the same columns, written to memory");
    bytes
}

fn write_to(bytes: &mut Vec<u8>, frame: &Frame) -> Result<()> {
    let fields = frame.columns.iter().map(field).collect::<Result<_>>()?;
    let schema = Type::group_type_builder("schema")
        .with_fields(fields)
        .build()?;
    let units = frame
        .columns
        .iter()
        .filter(|column| !column.unit.is_empty())
        .map(|column| KeyValue::new(format!("unit.{}", column.title), column.unit.clone()))
        .collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("meltpoint".to_owned())
        .set_key_value_metadata(Some(units))
        .build();
    let mut writer = SerializedFileWriter::new(bytes, Arc::new(schema), Arc::new(properties))?;
    let mut rows = writer.next_row_group()?;
    for column in &frame.columns {
        let mut writer = rows
            .next_column()?
            .expect("the schema has one column for each of the table's");
        write_cells(&mut writer, &column.cells)?;
        writer.close()?;
    }
    rows.close()?;
    writer.close()?;
    Ok(())
}

/// The type of a column.
fn field(column: &FrameColumn) -> Result<TypePtr> {
    let (physical, logical, repetition) = match column.cells {
        Cells::Text(_) => (
            Physical::BYTE_ARRAY,
            Some(LogicalType::String),
            Repetition::REQUIRED,
        ),
        Cells::Count(_) => (Physical::INT64, None, Repetition::REQUIRED),
        Cells::Number(_) => (Physical::DOUBLE, None, Repetition::OPTIONAL),
        Cells::Instant(_) => (
            Physical::INT64,
            Some(LogicalType::timestamp(true, TimeUnit::MILLIS)),
            Repetition::REQUIRED,
        ),
    };
    let field = Type::primitive_type_builder(&column.title, physical)
        .with_logical_type(logical)
        .with_repetition(repetition)
        .build()?;
    Ok(Arc::new(field))
}

fn write_cells(writer: &mut SerializedColumnWriter<'_>, cells: &Cells) -> Result<()> {
    match cells {
        Cells::Text(cells) => {
            let values: Vec<ByteArray> = cells.iter().map(|c| c.as_str().into()).collect();
            writer
                .typed::<ByteArrayType>()
                .write_batch(&values, None, None)?;
        }
        Cells::Count(cells) => {
            let values: Vec<i64> = cells
                .iter()
                .map(|&count| i64::try_from(count).unwrap_or(i64::MAX))
                .collect();
            writer
                .typed::<Int64Type>()
                .write_batch(&values, None, None)?;
        }
        Cells::Number(cells) => {
            // A definition level of 1 says that the row has a value.
            let levels: Vec<i16> = cells.iter().map(|c| i16::from(c.is_some())).collect();
            let values: Vec<f64> = cells.iter().flatten().copied().collect();
            writer
                .typed::<DoubleType>()
                .write_batch(&values, Some(&levels), None)?;
        }
        Cells::Instant(cells) => {
            let values: Vec<i64> = cells.iter().map(|s| s.saturating_mul(1000)).collect();
            writer
                .typed::<Int64Type>()
                .write_batch(&values, None, None)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;
    use std::fs::File;
    use std::io::Write;

    fn read(bytes: &[u8]) -> SerializedFileReader<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        SerializedFileReader::new(file).unwrap()
    }

    #[test]
    fn a_series_read_back_has_its_values_and_units() {
        let summary = fixture::surge();
        let reader = read(&series_parquet(&summary));
        let metadata = reader.metadata().file_metadata();
        assert_eq!(metadata.num_rows(), 960);
        let unit = KeyValue::new("unit.offered_per_s[free]".to_owned(), "1/s".to_owned());
        assert!(metadata.key_value_metadata().unwrap().contains(&unit));
        let row = reader.get_row_iter(None).unwrap().nth(7).unwrap().unwrap();
        assert_eq!(row.get_double(0).unwrap(), 6300.0);
        assert_eq!(
            row.get_timestamp_millis(1).unwrap(),
            (summary.start_unix_s + 6300) * 1000
        );
        assert_eq!(
            Some(row.get_double(2).unwrap()),
            summary.series.columns[0].values[7]
        );
    }

    #[test]
    fn the_same_answer_gives_the_same_bytes() {
        for summary in fixture::all() {
            assert_eq!(series_parquet(&summary), series_parquet(&summary));
            assert_eq!(tiers_parquet(&summary), tiers_parquet(&summary));
        }
    }
}
