//! Transit: requests on their way over the network, or from a pool that was evacuated to another.
//!
//! They belong to no pool, so their gateway counts them as in the system until they arrive.

use super::request::Arrival;
use crate::units::SimTime;

/// Requests on their way, at a gateway.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transit {
    requests: Vec<Passage>,
}

/// A request on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passage {
    /// What arrives when.
    pub arrival: Arrival,
    /// Where; `None`: it is routed when its time comes.
    pub pool: Option<u32>,
    /// Whether its user tries again when he arrives.
    pub retries: bool,
}

impl Transit {
    /// A request sets out.
    pub(crate) fn set_out(&mut self, passage: Passage) {
        self.requests.push(passage);
    }

    /// Takes out who arrives before `until`, in the order in which they set out.
    pub(crate) fn arriving(&mut self, until: SimTime) -> Vec<Passage> {
        if self.requests.is_empty() {
            return Vec::new();
        }
        let arrives = |passage: &mut Passage| passage.arrival.at < until;
        self.requests.extract_if(.., arrives).collect()
    }
}
