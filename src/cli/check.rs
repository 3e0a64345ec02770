//! `meltpoint check`: everything that is wrong with a scenario, or that nothing is.

use super::args::Check;
use super::error::Failure;
use super::{load, output};

pub(super) fn run(arguments: &Check) -> Result<u8, Failure> {
    let scenario = load::scenario(&arguments.question)?;
    output::warnings(&scenario.warnings);
    output::result(&format!(
        "{}: valid ({} tiers, {} demands, {} pools, {} chunks, {} to simulate)",
        scenario.name,
        scenario.tiers.len(),
        scenario.demands.len(),
        scenario.pools.len(),
        scenario.chunks.len(),
        scenario.horizon
    ))?;
    Ok(0)
}
