//! How arrivals fall around a rate: `process = "even"`, or a table with settings.

use super::cursor::{Cursor, describe};
use super::form::{Form, list};
use super::law::law;
use super::notes::Spot;
use super::quantity::{number, seconds};
use super::word_or_table::{WordOrTable, Words};
use crate::random::Law;
use crate::scenario::{Modulation, Process, RateState};

/// Most states of a modulation.
const MOST_STATES: usize = 20;
/// Largest factor on a rate.
const LARGEST_FACTOR: f64 = 1e6;

/// Reads a process.
pub(super) fn process() -> WordOrTable<Process> {
    WordOrTable(&PROCESS)
}

const PROCESS: Words<Process> = Words {
    plain: &[("poisson", Process::Poisson), ("even", Process::Even)],
    tables: &[
        (
            "modulated",
            "Independent users whose rate changes at random.",
            |at| Process::Modulated(modulation(at)),
        ),
        ("renewal", "Times between arrivals with a law.", |at| {
            Process::Renewal(at.required(
                "gap",
                "Law of the time between two arrivals; only its shape counts, the rate gives its mean.",
                law(seconds().positive()),
            ))
        }),
    ],
};

fn modulation(at: &mut Cursor<'_>) -> Modulation {
    let states = at.required(
        "states",
        "The states, each with a factor for the rate and how long it lasts.",
        list(StateForm, 2, MOST_STATES),
    );
    let count = states.len();
    let state = |(index, parts): (usize, StateParts)| RateState {
        factor: parts.factor,
        stay_s: parts.stay_s,
        next: chances(parts.next, index, count),
    };
    let wrong = states
        .iter()
        .any(|state| !state.next.is_empty() && state.next.len() != count);
    let states = states.into_iter().enumerate().map(state).collect();
    let modulation = Modulation { states };
    if wrong {
        let message = "have a `next` of another length";
        at.problem("states", message, "give it one number for each state");
    } else if count > 0 && !modulation.shares().iter().all(|share| *share > 0.0) {
        let message = "are not all reached from each other";
        at.problem("states", message, "let `next` lead from each to the others");
    }
    modulation
}

/// The chances of the next state: as given, without staying, or else the next in the list.
fn chances(given: Vec<f64>, index: usize, count: usize) -> Vec<f64> {
    let mut next = given;
    if next.is_empty() {
        next = vec![0.0; count];
        next[(index + 1) % count] = 1.0;
    }
    next.resize(count, 0.0);
    next[index] = 0.0;
    let total: f64 = next.iter().sum();
    next.iter_mut().for_each(|chance| *chance /= total);
    next
}

/// A state as it is written.
struct StateParts {
    factor: f64,
    stay_s: Law,
    next: Vec<f64>,
}

/// Reads a state.
struct StateForm;

fn state(at: &mut Cursor<'_>) -> StateParts {
    StateParts {
        factor: at.required(
            "factor",
            "What the rate is multiplied with; 0: nobody comes.",
            number(0.0, LARGEST_FACTOR),
        ),
        stay_s: at.required(
            "stay",
            "How long the state lasts: a duration, or a law.",
            law(seconds().positive()),
        ),
        next: at
            .optional(
                "next",
                "Weight of each state to be the next, its own left out; without it the next in the list.",
                list(number(0.0, 1e9), 2, MOST_STATES),
            )
            .unwrap_or_default(),
    }
}

impl Form for StateForm {
    type Out = StateParts;
    fn read(&self, spot: &Spot<'_>) -> Option<StateParts> {
        let Some(table) = spot.node.table() else {
            let hint =
                "write it as { factor = 4, stay = { law = \"exponential\", mean = \"10s\" } }";
            spot.refuse("a table", hint);
            return None;
        };
        let mut cursor = spot.cursor(table);
        let parts = state(&mut cursor);
        cursor.finish();
        Some(parts)
    }
    fn placeholder(&self) -> StateParts {
        StateParts {
            factor: 1.0,
            stay_s: Law::Constant { value: 1.0 },
            next: Vec::new(),
        }
    }
    fn schema(&self) -> serde_json::Value {
        describe(state).0
    }
}
