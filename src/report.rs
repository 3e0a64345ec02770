//! The answer made readable: from a `Summary` to bytes and text, one file a format.
//!
//! Everything here is a function of plain data. It computes nothing new but layout, opens no file and
//! prints nothing. What is shown is made once and written by each format that shows it: `frame` holds
//! the tables for machines (CSV and Parquet), `answer` the words and tables for people (terminal and
//! Markdown), `figure` the figures (SVG and PNG). A new format is one new file.

#[cfg(feature = "gpu")]
mod adapters;
mod answer;
mod catalog;
mod chart;
mod chunks;
mod compare;
mod csv;
mod date;
mod deliveries;
mod elastic;
mod escape;
mod estimate;
mod failures;
mod figure;
mod frame;
mod grid;
mod inputs;
mod investment;
mod json;
mod markdown;
mod measured;
mod measured_compare;
mod number;
mod paint;
mod parquet;
mod partitions;
mod plan;
mod replications;
mod suppliers;
mod table;
#[cfg(feature = "gpu")]
mod user_kernel;

#[cfg(test)]
mod fixture;

#[cfg(feature = "gpu")]
pub use adapters::{measurable_json, measurable_markdown, measurable_table};
pub use catalog::{CatalogTable, catalog_csv, catalog_json, catalog_table};
pub use compare::{
    Comparison, Row, Side, compare, comparison_csv, comparison_json, comparison_markdown,
    comparison_table,
};
pub use csv::{
    autoscalers_csv, chunks_csv, facts_csv, intervals_csv, money_csv, partitions_csv, pools_csv,
    replications_csv, series_csv, summary_csv, suppliers_csv, tiers_csv,
};
pub use escape::{printable_path, printable_text};
pub use estimate::{estimate_json, estimate_table};
pub use figure::{Figure, figures, investment_figure, measured_figure};
pub use inputs::{inputs_json, inputs_table};
pub use investment::{investment_csv, investment_json, investment_markdown, investment_table};
pub use json::{ReadProblem, parse_result, result_json, result_schema};
pub use markdown::summary_markdown;
pub use measured::{measured_csv, measured_markdown, measured_table};
pub use measured_compare::{
    Incomparable, MeasuredComparison, compare_measured, measured_comparison_csv,
    measured_comparison_json, measured_comparison_markdown, measured_comparison_table,
};
pub use paint::Style;
pub use parquet::{series_parquet, tiers_parquet};
pub use plan::{plan_csv, plan_json, plan_markdown, plan_table};
pub use table::summary_table;
#[cfg(feature = "gpu")]
pub use user_kernel::{user_timing_json, user_timing_table};
