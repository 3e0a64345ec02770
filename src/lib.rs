//! At what load does a GPU fleet melt, what does the next 100,000-GPU chunk buy, and what does it cost?

pub mod metrics;
pub mod profile;
pub mod random;
pub mod report;
pub mod scenario;
pub mod units;
