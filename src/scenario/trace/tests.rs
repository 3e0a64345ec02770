//! Traces are read right or refused with the place and the reason.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn read(text: &str) -> Result<Vec<TraceRow>, String> {
    read_as(text, &TraceFormat::default())
}

fn read_as(text: &str, format: &TraceFormat) -> Result<Vec<TraceRow>, String> {
    let trace = parse("t.csv", text.as_bytes(), format);
    trace.map(|t| t.rows).map_err(|problem| problem.to_string())
}

fn seconds(rows: &[TraceRow]) -> Vec<f64> {
    rows.iter().map(|row| row.at.as_s()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const AZURE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n\
                     2023-11-16 18:15:46.6805900,374,44\r\n\
                     2023-11-16 18:15:50.9951690,396,109";

#[test]
fn azure_rows_are_read_to_the_nanosecond() {
    let rows = read(AZURE).unwrap();
    assert_eq!(rows[0].at, SimTime::ZERO);
    assert_eq!(rows[1].at, SimTime(4_314_579_000));
    assert_eq!((rows[1].prompt_tokens, rows[1].iterations), (396, 109));
    let packed = parse("t.csv.gz", &gzip(AZURE.as_bytes()), &TraceFormat::default()).unwrap();
    assert_eq!(packed.rows, rows);
}

#[test]
fn the_shipped_trace_is_an_hour_of_conversations() {
    let bytes = include_bytes!("../../../scenarios/traces/AzureLLMInferenceTrace_conv.csv.gz");
    let trace = parse("conv", bytes, &TraceFormat::default()).unwrap();
    assert_eq!(trace.rows.len(), 19_366);
    assert_eq!(trace.rows[19_365].at, SimTime(3_501_721_937_000));
}

#[test]
fn image_requests_have_steps_and_images_and_may_leave_them_out() {
    let rows = read(
        "gmt_create,num_images_per_prompt,num_inference_steps\n\
         2024-11-15 16:57:50,8.0,40.0\n2024-11-15 16:57:50,,\n",
    )
    .unwrap();
    assert_eq!((rows[0].images, rows[0].iterations), (8, 40));
    assert_eq!((rows[1].images, rows[1].iterations), (1, 0));
}

#[test]
fn one_row_is_a_trace_and_none_is_not() {
    assert_eq!(read("time\n7").unwrap().len(), 1);
    assert_eq!(
        read("time\n").unwrap_err(),
        "t.csv: there is a header and no row; a header line and at least one row are needed"
    );
    assert!(read("").unwrap_err().contains("the file is empty"));
}

#[test]
fn columns_are_found_or_named() {
    let missing = read("when,steps\n1,2\n").unwrap_err();
    assert_eq!(
        missing,
        "t.csv:1: no known set of columns; say which column is the time; \
         the header has \"when\", \"steps\""
    );
    let columns = Columns {
        time: "when".to_owned(),
        iterations: Some("steps".to_owned()),
        prompt: None,
        images: None,
    };
    let format = TraceFormat {
        columns: Some(columns),
        ..TraceFormat::default()
    };
    assert_eq!(
        read_as("when,steps,extra\n1,2,x\n", &format).unwrap()[0].iterations,
        2
    );
    assert!(
        read_as("when\n1\n", &format)
            .unwrap_err()
            .contains("no column \"steps\"")
    );
    assert!(
        read_as("when,steps,when\n1,2,3\n", &format)
            .unwrap_err()
            .contains("two columns")
    );
}

#[test]
fn a_row_that_does_not_fit_the_header_is_named() {
    assert_eq!(
        read("time,images\n1,1\n2\n").unwrap_err(),
        "t.csv:3: the row has 1 fields, the header 2"
    );
    assert_eq!(
        read("time,images\n1,1,1\n").unwrap_err(),
        "t.csv:2: the row has 3 fields, the header 2"
    );
}

#[test]
fn separators_quotes_and_marks_are_understood() {
    let rows = read("\u{feff}time;images\r\n0;2\r\n1;1\r\n").unwrap();
    assert_eq!((rows.len(), rows[0].images), (2, 2));
    let quoted = read("time,note\n0,\"two\nlines\"\n1,x\n").unwrap();
    assert_eq!(seconds(&quoted), [0.0, 1.0]);
    let after_newline = read("time,note\n0,\"two\nlines\"\nx,x\n").unwrap_err();
    assert!(
        after_newline.starts_with("t.csv:4:1: time is \"x\""),
        "{after_newline}"
    );
}

#[test]
fn times_that_cannot_be_are_refused_with_their_place() {
    for (text, found) in [("NaN", "NaN"), ("-1", "-1"), ("inf", "inf"), ("\"\"", "")] {
        let problem = read(&format!("images,time\n1,0\n1,{text}\n")).unwrap_err();
        let place = format!("t.csv:3:2: time is \"{found}\"; seconds from 0 are needed");
        assert!(problem.starts_with(&place), "{problem}");
    }
    let milliseconds = read("time\n1700000000000\n").unwrap_err();
    assert!(
        milliseconds.contains("looks like milliseconds"),
        "{milliseconds}"
    );
    assert_eq!(
        seconds(&read("time\n1970-01-01 00:00:00\n").unwrap()),
        [0.0]
    );
}

#[test]
fn backwards_times_need_sort_and_equal_ones_keep_their_order() {
    let text = "time,iterations\n5,1\n3,2\n5,3\n3,4\n";
    assert_eq!(
        read(text).unwrap_err(),
        "t.csv:3:1: time is \"3\"; it is before the row above; ask for `sort` if that is meant"
    );
    let format = TraceFormat {
        sort: true,
        ..TraceFormat::default()
    };
    let rows = read_as(text, &format).unwrap();
    let order: Vec<u32> = rows.iter().map(|row| row.iterations).collect();
    assert_eq!(order, [2, 4, 1, 3]);
    assert_eq!(seconds(&rows), [0.0, 0.0, 2.0, 2.0]);
}

#[test]
fn counts_must_be_whole_and_in_range() {
    for bad in ["-1", "1.5", "many", "4294967296"] {
        let problem = read(&format!("time,iterations\n0,{bad}\n")).unwrap_err();
        assert!(
            problem.contains("a whole number from 0 to 4294967295"),
            "{problem}"
        );
    }
    assert!(
        read("time,images\n0,0\n")
            .unwrap_err()
            .contains("from 1 to 1000")
    );
}

#[test]
fn compression_and_rescaling_keep_the_shape() {
    let text = "time\n0\n10\n30\n70\n";
    let with = |compress: f64, rescale: f64| {
        let format = TraceFormat {
            compress,
            rescale,
            ..TraceFormat::default()
        };
        read_as(text, &format).map(|rows| seconds(&rows))
    };
    assert_eq!(with(10.0, 1.0).unwrap(), [0.0, 1.0, 3.0, 7.0]);
    assert_eq!(with(1.0, 0.5).unwrap(), [10.0, 70.0]);
    assert_eq!(with(1.0, 1.5).unwrap(), [0.0, 10.0, 10.0, 30.0, 70.0, 70.0]);
    assert!(with(0.0, 1.0).unwrap_err().contains("compress is 0"));
    assert!(with(1.0, f64::NAN).unwrap_err().contains("rescale is NaN"));
    assert!(
        with(1.0, 1e12)
            .unwrap_err()
            .contains("more than 100000000 requests")
    );
}

#[test]
fn damaged_and_foreign_files_are_refused() {
    let format = TraceFormat::default();
    let of = |bytes: &[u8]| parse("t", bytes, &format).unwrap_err().to_string();
    let packed = gzip(AZURE.as_bytes());
    assert!(of(&packed[..packed.len() - 12]).contains("damaged or cut off"));
    assert!(of(&[&packed[..], b"junk"].concat()).contains("damaged or cut off"));
    assert!(of(&gzip(&packed)).contains("not a text file"));
    assert!(of(b"PK\x03\x04zip").contains("a zip archive"));
    assert!(of(&gzip(&[])).contains("the file is empty"));
}

#[test]
fn a_decompression_bomb_stops_at_its_limit() {
    let bomb = gzip(&[b"time\n".as_slice(), &vec![b'1'; 8 << 20]].concat());
    let problem = parse("bomb.gz", &bomb, &TraceFormat::default()).unwrap_err();
    assert!(
        matches!(problem, TraceProblem::TooLarge { .. }),
        "{problem}"
    );
}
