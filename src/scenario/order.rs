//! Orders: what was promised of a chunk, and by which laws it comes.

use crate::random::Law;
use crate::units::SimTime;

/// How a chunk comes: an order, a lead time, stages, a test of acceptance.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// When it was ordered, in seconds from the start, before it if negative; `None`: it comes at a fixed date.
    pub ordered_s: Option<f64>,
    /// From the order to the first delivery, in seconds; for a fixed date from the start.
    pub lead_time_s: Law,
    /// When the supplier said it would come, in seconds from the start.
    pub promised_s: f64,
    /// Parts of the chunk: (seconds after the first delivery, share); shares sum to 1.
    pub stages: Vec<(f64, f64)>,
    /// At most so many GPUs a time.
    pub pace: Option<Pace>,
    /// Share of the GPUs that fail the test at acceptance, 0..=1.
    pub failing_share: f64,
    /// After how many seconds those are replaced; `None`: never.
    pub replaced_s: Option<Law>,
}

/// At most so many GPUs in a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// GPUs of one lot.
    pub gpus: f64,
    /// Seconds from one lot to the next.
    pub period_s: f64,
}

/// Who hands over no more than a pace to all chunks that name it together.
#[derive(Clone, Debug, PartialEq)]
pub struct Supplier {
    /// Name, as chunks give it in `provider`.
    pub name: String,
    /// What it can deliver.
    pub deliverable: Pace,
}

impl Order {
    /// Everything at a fixed date.
    #[must_use]
    pub fn on(date: SimTime) -> Self {
        let s = date.as_s();
        Self {
            ordered_s: None,
            lead_time_s: Law::Constant { value: s },
            promised_s: s,
            stages: vec![(0.0, 1.0)],
            pace: None,
            failing_share: 0.0,
            replaced_s: None,
        }
    }

    /// Whether it comes in one piece at a fixed date, if nobody else delays it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.ordered_s.is_none()
            && self.stages.len() == 1
            && self.pace.is_none()
            && self.failing_share <= 0.0
    }

    /// Whether chance decides when or how much of it comes.
    #[must_use]
    pub fn is_random(&self) -> bool {
        let replaced = self.replaced_s.is_some_and(|law| !law.is_constant());
        !self.lead_time_s.is_constant() || self.failing_share > 0.0 || replaced
    }
}

/// What has become of a chunk: when how many of its GPUs came. Each list is by date.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrived {
    /// Passed the test, and paid from then on.
    pub accepted: Vec<(SimTime, u64)>,
    /// Failed it.
    pub refused: Vec<(SimTime, u64)>,
    /// Of those accepted: under power. At a site with a power limit in whole replicas, elsewhere all of them.
    pub powered: Vec<(SimTime, u64)>,
}

/// The sum up to a date.
#[must_use]
pub fn up_to(list: &[(SimTime, u64)], date: SimTime) -> u64 {
    let until = list.iter().take_while(|entry| entry.0 <= date);
    until.map(|entry| entry.1).sum()
}
