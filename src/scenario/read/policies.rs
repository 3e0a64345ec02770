//! What the operator does: `[policy]`.

use serde_json::{Value as Json, json};

use super::World;
use super::cursor::Cursor;
use super::form::{Form, choice, or_word, some, whole_u32, words};
use super::notes::Spot;
use super::quantity::{number, per_slot, positive_duration};
use super::tree::Value;
use super::word_or_table::{WordOrTable, Words};
use crate::scenario::{
    Admission, Batching, Degradation, Dispatch, Drop, Policy, QueueLimit, QueueOrder, Reclaim,
    Routing,
};
use crate::units::SimDuration;

pub(super) fn policy(root: &mut Cursor<'_>, world: &World<'_>) -> Policy {
    root.section("policy", "What the operator does with requests.", |at| Policy {
        order: at.default(
            "order",
            "Who is next: first come first served, by tier, by tier and in the place of who runs, newest \
             first, or earliest deadline first.",
            choice(&[
                ("fcfs", QueueOrder::Fcfs),
                ("priority", QueueOrder::Priority),
                ("preemptive", QueueOrder::Preemptive),
                ("shares", QueueOrder::Shares),
                ("lifo", QueueOrder::Lifo),
                ("deadline", QueueOrder::Deadline),
            ]),
            "fcfs",
        ),
        reclaim: at.default(
            "reclaim",
            "Where order = \"shares\": when borrowed places come back, as their requests end, or at the end of the \
             running iteration for a tier that waits and would have less for its share even with one place more; \
             then whoever exceeds a lowered limit gives back too. The interrupted waits first of his tier and goes \
             on where he stopped; what is cached of his context is lost, and is computed anew as a longer prompt. \
             Fixed batches are not interrupted.",
            choice(&[
                ("at-end", Reclaim::AtEnd),
                ("interrupt", Reclaim::Interrupt),
            ]),
            "at-end",
        ),
        drop: at.default(
            "drop",
            "What is dropped when it would start: nothing, attempts whose client has silently gone, \
             or attempts that cannot be done before their client goes.",
            choice(&[
                ("nothing", Drop::Nothing),
                ("stale", Drop::Stale),
                ("hopeless", Drop::Hopeless),
            ]),
            "nothing",
        ),
        batching: at.default(
            "batching",
            "How a replica fills its batch: one request at a time, joining at each iteration, or in \
             fixed batches.",
            WordOrTable(&BATCHING),
            "continuous",
        ),
        routing: at.default(
            "routing",
            "Which pool a request goes to.",
            WordOrTable(&ROUTING),
            "least-loaded",
        ),
        dispatch: at.default(
            "dispatch",
            "Which replica of the pool it goes to: one queue in front of all, or a queue at each.",
            WordOrTable(&DISPATCH),
            "central",
        ),
        admission: at.section("admission", "Who may enter a queue.", |at| admission(at, world.scale)),
        degradation: at
            .optional_section("degradation", "What is given instead when a pool is full.", degradation)
            .flatten(),
    })
}

fn admission(at: &mut Cursor<'_>, scale: f64) -> Admission {
    Admission {
        queue_limit: at.default(
            "queue_limit",
            "Most waiting requests of a pool: a number, \"3 per slot\" of its batches, or \"none\".",
            or_word("none", QueueLimit::None, QueueLimitForm { scale }),
            "none",
        ),
        refuse_wait_above: at.default(
            "refuse_wait_above",
            "Refuse when the expected wait is longer; or \"none\".",
            or_word("none", None, some(positive_duration())),
            "none",
        ),
    }
}

fn degradation(at: &mut Cursor<'_>) -> Option<Degradation> {
    let quality = at.required(
        "quality",
        "The quality given instead, or \"none\".",
        words(),
    );
    let above = at.default(
        "above",
        "It starts when the waiting requests per slot exceed this.",
        number(0.0, 1e9),
        "2",
    );
    let below = at.default(
        "below",
        "It ends when they fall below this.",
        number(0.0, 1e9),
        "1",
    );
    if below > above {
        at.problem(
            "below",
            "is larger than `above`",
            "make it smaller, so that the switch rests",
        );
    }
    (quality != "none").then_some(Degradation {
        quality,
        above,
        below,
    })
}

/// Most waiting requests; an absolute number is scaled with the scenario.
struct QueueLimitForm {
    scale: f64,
}

impl Form for QueueLimitForm {
    type Out = QueueLimit;
    fn read(&self, spot: &Spot<'_>) -> Option<QueueLimit> {
        if let Value::Text(text) = &spot.node.value
            && text.contains("per slot")
        {
            return per_slot().read(spot).map(QueueLimit::PerSlot);
        }
        let limit = super::form::whole("requests", 0, 1_000_000_000_000).read(spot)?;
        let scaled = (limit as f64 * self.scale).round() as u64;
        Some(QueueLimit::Requests(scaled.max(limit.min(1))))
    }
    fn placeholder(&self) -> QueueLimit {
        QueueLimit::None
    }
    fn schema(&self) -> Json {
        json!({ "anyOf": [per_slot().schema(), { "type": "integer", "minimum": 0 }] })
    }
}

const BATCHING: Words<Batching> = Words {
    plain: &[
        ("continuous", Batching::Continuous),
        ("single", Batching::Single),
    ],
    tables: &[("static", "Fixed batches.", |at| Batching::Static {
        minimum: at.required("minimum", "Smallest batch.", whole_u32("", 1, 65_536)),
        window: at.default(
            "window",
            "Longest time that the first waits for others; or \"forever\".",
            or_word("forever", SimDuration::FOREVER, positive_duration()),
            "forever",
        ),
    })],
};

const ROUTING: Words<Routing> = Words {
    plain: &[
        ("random", Routing::Random),
        ("round-robin", Routing::RoundRobin),
        ("least-loaded", Routing::LeastLoaded),
    ],
    tables: &[
        ("power-of-d", "The less loaded of some random ones.", |at| {
            Routing::PowerOfD(at.default("choices", CHOICES, whole_u32("", 1, 1000), "2"))
        }),
        (
            "nearest",
            "The user's own region, unless it is too full.",
            |at| Routing::Nearest {
                spill_above: at.required(
                    "spill_above",
                    "Load of the own region, in requests per slot, above which others are used.",
                    number(0.0, 1e9),
                ),
            },
        ),
    ],
};

const DISPATCH: Words<Dispatch> = Words {
    plain: &[
        ("central", Dispatch::Central),
        ("random", Dispatch::Random),
        ("round-robin", Dispatch::RoundRobin),
        ("join-shortest", Dispatch::JoinShortest),
    ],
    tables: &[(
        "power-of-d",
        "The shortest queue of some random ones.",
        |at| Dispatch::PowerOfD(at.default("choices", CHOICES, whole_u32("", 1, 1000), "2")),
    )],
};

const CHOICES: &str = "How many are looked at.";
