//! Rules: what the operator does with a request, and what the client does about it.
//!
//! `Rules` is everything that an entry of the timeline may change while the run goes on.

use crate::random::Law;
use crate::units::SimDuration;

/// The rules in force during a part of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// By tier.
    pub tiers: Vec<TierRules>,
    /// For all.
    pub policy: Policy,
}

/// What one tier may do.
#[derive(Clone, Debug, PartialEq)]
pub struct TierRules {
    /// Whether its users are served at all.
    pub open: bool,
    /// Smaller goes first under `QueueOrder::Priority`.
    pub priority: u8,
    /// Images each user may have.
    pub quota: Option<Quota>,
    /// Requests all users of the tier together may make.
    pub rate_limit: Option<RateLimit>,
    /// Time in which an answer is due, for `QueueOrder::Deadline`.
    pub deadline: SimDuration,
    /// Weight among the tiers under `QueueOrder::Shares`, above 0.
    pub share: f64,
    /// Most places that it may have there, as a share of all before a line: 0 < it <= 1.
    pub places_limit: f64,
}

/// A user's allowance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Images, 1..=200.
    pub images: u8,
    /// In which window.
    pub window: QuotaWindow,
}

/// How a quota's window runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaWindow {
    /// From local midnight to local midnight.
    CalendarDay,
    /// A sliding window of this length, by the two-counter method: the count of the running interval
    /// plus that of the one before, weighted with the part of it that still lies in the window.
    Sliding(
        /// Its length.
        SimDuration,
    ),
}

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Tokens a second.
    pub per_s: f64,
    /// Tokens that can be saved up.
    pub burst: f64,
}

/// The operator's decisions.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Who may enter the queue.
    pub admission: Admission,
    /// Who is next.
    pub order: QueueOrder,
    /// When borrowed places come back under `QueueOrder::Shares`.
    pub reclaim: Reclaim,
    /// What is dropped at the head of the queue.
    pub drop: Drop,
    /// How a replica fills its batch.
    pub batching: Batching,
    /// Which pool a request goes to.
    pub routing: Routing,
    /// Which replica of the pool it goes to.
    pub dispatch: Dispatch,
    /// What is given instead when the pool is full.
    pub degradation: Option<Degradation>,
}

/// Who may enter the queue of a pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Admission {
    /// Most waiting requests.
    pub queue_limit: QueueLimit,
    /// Refuse when the expected wait (waiting requests over the pool's full rate) is longer.
    pub refuse_wait_above: Option<SimDuration>,
}

/// Most waiting requests of a pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum QueueLimit {
    /// No limit.
    None,
    /// So many; 0 is a loss system.
    Requests(
        /// Waiting requests.
        u64,
    ),
    /// So many for each place in the batches of the pool's replicas.
    PerSlot(
        /// Waiting requests a slot.
        f64,
    ),
}

/// Who is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueOrder {
    /// First come, first served.
    Fcfs,
    /// By the tier's priority, first come first served within it; nobody running is interrupted.
    Priority,
    /// The same, but who goes before somebody who runs takes his place at the end of the iteration; the
    /// interrupted later goes on where he stopped.
    Preemptive,
    /// The tier that has the fewest places for its share, first come first served within it: who is alone borrows
    /// all up to his limit, and gives back as `Policy::reclaim` says.
    Shares,
    /// Newest first.
    Lifo,
    /// Earliest deadline first.
    Deadline,
}

/// When places that were borrowed come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reclaim {
    /// As the requests on them end.
    AtEnd,
    /// At the end of the running iteration, as soon as a tier waits that would have less for its share even with
    /// one place more, or when a limit was lowered; the interrupted later goes on where he stopped.
    Interrupt,
}

/// What is dropped when it would start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// Nothing.
    Nothing,
    /// Attempts whose client has silently gone.
    Stale,
    /// Attempts that cannot be done before their client goes.
    Hopeless,
}

/// How a replica fills its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batching {
    /// One request at a time.
    Single,
    /// A batch starts when `minimum` wait or the next in line has waited for `window`, takes what waits up
    /// to the pool's batch limit, and leaves as a whole.
    Static {
        /// Smallest batch, at least 1.
        minimum: u32,
        /// Longest time that the next in line waits for others.
        window: SimDuration,
    },
    /// Requests join at the next iteration and leave when their own work is done.
    Continuous,
}

impl Batching {
    /// Places in the batch of a replica that takes at most so many requests.
    #[must_use]
    pub fn places(&self, batch_limit: u32) -> u32 {
        match self {
            Self::Single => 1,
            Self::Static { .. } | Self::Continuous => batch_limit,
        }
    }
}

/// Which pool a request goes to; the loads are those of the start of the lookahead window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Routing {
    /// Any, in proportion to its slots.
    Random,
    /// In turn.
    RoundRobin,
    /// The less loaded of so many random ones.
    PowerOfD(
        /// Choices, at least 1.
        u32,
    ),
    /// The least loaded.
    LeastLoaded,
    /// The least loaded of the user's own region, unless its load is above the limit: then of all.
    Nearest {
        /// Requests in the pool over its slots.
        spill_above: f64,
    },
}

/// Which replica of a pool a request goes to, from the replicas' state at that instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispatch {
    /// One queue in front of all; the emptiest replica with room takes the next, of equals the first.
    Central,
    /// A queue at each replica: a random one.
    Random,
    /// A queue at each replica: in turn.
    RoundRobin,
    /// A queue at each replica: the shortest of so many random ones.
    PowerOfD(
        /// Choices, at least 1.
        u32,
    ),
    /// A queue at each replica: the shortest of all, ties at random.
    JoinShortest,
}

/// A lower quality while a pool is full.
#[derive(Clone, Debug, PartialEq)]
pub struct Degradation {
    /// Name of the quality given instead.
    pub quality: String,
    /// It starts when the waiting requests per slot exceed this ...
    pub above: f64,
    /// ... and ends when they fall below this.
    pub below: f64,
}

/// How users wait and retry.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// Seconds a user waits for one attempt; `None`: for ever.
    pub patience_s: Option<Law>,
    /// What ends the waiting.
    pub until: PatienceUntil,
    /// The share of those who leave without telling: their work is done all the same.
    pub silent_share: f64,
    /// What happens after an attempt that brought nothing; `None`: the user gives up.
    pub retry: Option<Retry>,
}

/// What ends the waiting of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatienceUntil {
    /// The start of service.
    Start,
    /// The answer.
    Done,
}

/// Retries with exponential backoff.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// Retries after the first attempt; `u32::MAX`: for ever.
    pub limit: u32,
    /// Delay before the first retry, in seconds.
    pub backoff: Law,
    /// Each further delay is so many times longer, at least 1.
    pub factor: f64,
    /// But not longer than this, in seconds.
    pub longest_s: f64,
    /// Each delay is multiplied with a uniform draw from 1 - jitter ..= 1 + jitter.
    pub jitter: f64,
    /// Retries per first attempt that all clients together allow themselves; `None`: no budget.
    pub budget: Option<f64>,
    /// Whether one retries after a refusal.
    pub after_shed: bool,
    /// Whether one retries after giving up waiting.
    pub after_abandoned: bool,
    /// Whether one retries after a failure.
    pub after_failed: bool,
}
