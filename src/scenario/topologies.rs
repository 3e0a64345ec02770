//! How GPUs stand in nodes, racks and power domains, by accelerator, where a cluster does not say it.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Topology;
use crate::profile::{Provenance, carried};

const CSV: &str = include_str!("data/topology.csv");

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PublishedTopology {
    /// How the names of its accelerators begin; empty: all others.
    pub accelerator: String,
    /// GPUs of a node.
    pub gpus_per_node: u32,
    /// Nodes of a rack.
    pub nodes_per_rack: u32,
    /// Racks of a power domain.
    pub racks_per_power_domain: u32,
    /// Class of its numbers.
    pub provenance: Provenance,
    /// When they were written down.
    pub date: String,
    /// What they rest on.
    pub source: String,
}

static ROWS: LazyLock<Vec<PublishedTopology>> = LazyLock::new(|| carried::rows(CSV));

/// The row of an accelerator: of those whose name its own begins with, the longest.
///
/// # Panics
///
/// If the table has no row for all others; it has.
#[must_use]
pub fn published_topology(accelerator: &str) -> &'static PublishedTopology {
    ROWS.iter()
        .filter(|row| accelerator.starts_with(&row.accelerator))
        .max_by_key(|row| row.accelerator.len())
        .expect("the empty name fits all")
}

impl PublishedTopology {
    /// For replicas of so many GPUs.
    #[must_use]
    pub fn topology(&self, gpus_per_replica: u32) -> Topology {
        Topology {
            gpus_per_replica,
            gpus_per_node: self.gpus_per_node,
            nodes_per_rack: self.nodes_per_rack,
            nodes_per_power_domain: self.nodes_per_rack * self.racks_per_power_domain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accelerator_stands_somewhere_and_every_row_says_why() {
        assert_eq!(published_topology("H100-SXM-80GB").gpus_per_node, 8);
        let wide = published_topology("GB200-NVL72").topology(72);
        assert_eq!((wide.nodes_per_replica(), wide.nodes_per_rack), (18, 18));
        for row in ROWS.iter() {
            assert!(!row.source.is_empty() && row.date.len() == 10);
        }
    }
}
