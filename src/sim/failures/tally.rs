//! What is counted of failures, by cause and by cluster.

use crate::sim::tally::Gauge;
use crate::units::SimTime;

/// What one cause, or planned work, did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CauseTally {
    /// How often it struck something that was up.
    pub failures: u64,
    /// Replicas in what was struck, those among them that were down already too.
    pub replicas: u64,
    /// Attempts that failed.
    pub lost: u64,
    /// Attempts that had to start again.
    pub requeued: u64,
}

/// What happened to a cluster since the start or the end of the warm-up; integrals over nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailureTally {
    /// By cause.
    pub causes: Vec<CauseTally>,
    /// What planned work did.
    pub planned: CauseTally,
    /// Replicas delivered x ns.
    pub installed_ns: u128,
    /// Replicas that were down because something failed x ns.
    pub down_ns: u128,
    /// Replicas that only planned work kept from serving x ns.
    pub maintained_ns: u128,
    /// Crews at work x ns.
    pub at_work_ns: u128,
    /// Repairs that waited for a crew x ns.
    pub waiting_ns: u128,
    /// Most replicas down at once.
    pub down_max: u64,
    /// Spares that took the place of a broken node.
    pub swaps: u64,
    /// Fewest spares that stood ready.
    pub spares_least: u64,
}

/// The counts of a cluster while it runs.
pub(super) struct Counts {
    pub causes: Vec<CauseTally>,
    pub planned: CauseTally,
    pub installed: Gauge,
    pub down: Gauge,
    pub maintained: Gauge,
    pub at_work: Gauge,
    pub waiting: Gauge,
    pub down_max: u64,
    pub swaps: u64,
    pub spares_least: u64,
    /// The integrals of what was before the statistics began.
    before: [u128; 5],
}

impl Counts {
    pub(super) fn new(causes: usize) -> Self {
        Self {
            causes: vec![CauseTally::default(); causes],
            planned: CauseTally::default(),
            installed: Gauge::default(),
            down: Gauge::default(),
            maintained: Gauge::default(),
            at_work: Gauge::default(),
            waiting: Gauge::default(),
            down_max: 0,
            swaps: 0,
            spares_least: u64::MAX,
            before: [0; 5],
        }
    }

    fn integrals(&self, now: SimTime) -> [u128; 5] {
        let gauges = [
            self.installed,
            self.down,
            self.maintained,
            self.at_work,
            self.waiting,
        ];
        gauges.map(|gauge| gauge.integral_ns(now))
    }

    pub(super) fn restart(&mut self, now: SimTime) {
        self.before = self.integrals(now);
        self.causes.fill(CauseTally::default());
        self.planned = CauseTally::default();
        self.swaps = 0;
    }

    pub(super) fn tally(&self, now: SimTime) -> FailureTally {
        let all = self.integrals(now);
        let since = |index: usize| all[index] - self.before[index];
        FailureTally {
            causes: self.causes.clone(),
            planned: self.planned,
            installed_ns: since(0),
            down_ns: since(1),
            maintained_ns: since(2),
            at_work_ns: since(3),
            waiting_ns: since(4),
            down_max: self.down_max,
            swaps: self.swaps,
            spares_least: self.spares_least,
        }
    }
}
