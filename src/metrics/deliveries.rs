//! What became of the orders: when each chunk came, and how much of it is in service.

use super::summary::DeliverySummary;
use crate::scenario::{Chunk, Scenario, up_to};
use crate::units::SimTime;

/// The chunks of a scenario that says how they come, as they stand at a date; of another none.
#[must_use]
pub fn deliveries(scenario: &Scenario, chunks: &[Chunk], until: SimTime) -> Vec<DeliverySummary> {
    match scenario.says_how_chunks_come() {
        true => chunks.iter().map(|chunk| delivery(chunk, until)).collect(),
        false => Vec::new(),
    }
}

fn delivery(chunk: &Chunk, until: SimTime) -> DeliverySummary {
    let arrived = &chunk.arrived;
    let mut come = arrived.accepted.iter().map(|entry| entry.0);
    let first = come.next().filter(|first| *first <= until);
    let last = come.take_while(|at| *at <= until).last().or(first);
    let accepted = up_to(&arrived.accepted, until);
    let powered = up_to(&arrived.powered, until);
    DeliverySummary {
        chunk: chunk.name.clone(),
        provider: chunk.provider.clone(),
        accelerator: chunk.accelerator.clone(),
        gpus: chunk.gpus,
        ordered_s: chunk.order.ordered_s,
        promised_s: chunk.order.promised_s,
        first_s: first.map(SimTime::as_s),
        last_s: last.map(SimTime::as_s),
        powered_gpus: powered,
        dark_gpus: accepted - powered,
        refused_gpus: up_to(&arrived.refused, until),
        missing_gpus: chunk.gpus - accepted,
    }
}
