//! Sizing: the smallest fleet that keeps every promise, what each step to it buys, and how sure that is.
//!
//! One whole number of the scenario is varied, in steps of one replica. It is doubled until all promises
//! hold and then bisected, always on the same seeds, so that sizes differ by their size and not by the
//! luck of their users. The answer is a ladder of sizes with what each costs and earns, beside the
//! fewest GPUs with which any scheduler could do (`bound`).

mod binding;
mod bound;
mod gather;
mod judge;
mod knob;
mod ladder;
mod search;

use serde::Serialize;

pub use bound::Bound;
pub use gather::{Range, plan};
pub use judge::{Certainty, Verdict};
pub use knob::{Knob, NotVariable};
pub use ladder::{Gain, Rung, Step};

use crate::scenario::Input;

/// What was found. Counts and money are of the whole story, whatever share of it was simulated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// Name of the scenario.
    pub scenario: String,
    /// Its question.
    pub question: String,
    /// Dotted path of what is varied.
    pub vary: String,
    /// Unit of its values: `GPUs`, `replicas`, what the scenario says after the number, or nothing.
    pub unit: String,
    /// Why this and nothing else.
    pub why: String,
    /// Its value in the scenario.
    pub present: u64,
    /// The largest value that was allowed.
    pub most: u64,
    /// The seed.
    pub seed: u64,
    /// The share of the story that was simulated.
    pub scale: f64,
    /// Runs of each size.
    pub runs: u64,
    /// When a promise counts as kept.
    pub certainty: Certainty,
    /// What came out.
    pub answer: Answer,
    /// Pairs of values of which the smaller kept all promises and the larger did not: the promises do
    /// not simply get better with the size, and a smaller answer may have been passed over.
    pub reversals: Vec<Reversal>,
    /// Sizes worth a look, smallest first.
    pub ladder: Vec<Rung>,
    /// All values that were run, smallest first, and whether all promises held.
    pub tried: Vec<Tried>,
    /// The fewest with which any scheduler could do; `None`: what is varied brings no capacity.
    pub bound: Option<Bound>,
    /// What keeps requests from their image at the largest size that was run, most first, in words.
    pub binds: Vec<String>,
    /// The prices and times on which the answer rests, with their provenance.
    pub inputs: Vec<Input>,
}

/// What the search came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "found")]
pub enum Answer {
    /// The smallest value that keeps all promises; one replica less misses one, or is not sure to keep it.
    Smallest {
        /// The value.
        value: u64,
        /// GPUs of the whole fleet with it.
        fleet_gpus: u64,
    },
    /// The least value allowed keeps them already.
    Already {
        /// That value.
        value: u64,
        /// GPUs of the whole fleet with it.
        fleet_gpus: u64,
    },
    /// The largest value allowed misses one.
    Never {
        /// That value.
        value: u64,
    },
}

/// A value and a larger one that does worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reversal {
    /// It kept all promises.
    pub held: u64,
    /// It did not.
    pub missed: u64,
}

/// A value that was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// The value.
    pub value: u64,
    /// Whether all promises held.
    pub holds: bool,
}
