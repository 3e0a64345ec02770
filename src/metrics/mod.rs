//! Observations to numbers: histograms, series, the ledger and the summary of a run.

pub mod summary;
