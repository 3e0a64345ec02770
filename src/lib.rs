//! At what load does a GPU fleet melt, what does the next 100,000-GPU chunk buy, and what does it cost?

pub mod calibrate;
pub mod cli;
pub mod des;
pub mod economics;
pub mod estimate;
pub mod metrics;
pub mod profile;
pub mod queueing;
pub mod random;
pub mod report;
pub mod scenario;
pub mod sim;
pub mod stats;
pub mod trials;
pub mod units;
