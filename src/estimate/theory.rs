//! Theory beside simulation: what a closed form says, and what a run of the same scenario gave.

use super::{ClosedForm, closed_forms};
use crate::metrics::summary::{Summary, Theory};
use crate::scenario::Scenario;

/// A quantity that closed forms give and runs measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Share of the admitted that have to wait.
    Waits,
    /// Share of all attempts that is refused.
    Refused,
    /// Share of the time, and so of first attempts, in which all servers are busy.
    AllBusy,
    /// Share of all attempts that is given up.
    GivenUp,
    /// Mean wait of those who are served.
    MeanWait,
    /// Mean wait of all, those who give up too.
    MeanWaitOfAll,
    /// Mean wait of those who have to wait.
    MeanWaitOfWaiting,
    /// Standard deviation of the wait.
    WaitDeviation,
    /// 99 % of the wait.
    WaitP99,
    /// Mean response time.
    MeanResponse,
    /// 99 % of the response time.
    ResponseP99,
    /// Mean number waiting.
    MeanQueue,
    /// Mean number waiting or served.
    MeanInSystem,
    /// Standard deviation of the number waiting or served.
    InSystemDeviation,
    /// Mean number between two attempts.
    MeanOrbit,
    /// Mean requests in a batch when it starts.
    MeanBatch,
    /// Share of the servers' time that is worked.
    Utilisation,
    /// Share of time in which everything in which a replica of a cluster stands is up.
    Availability,
    /// Mean time from one failure in a cluster to the next.
    BetweenFailures,
}

impl Quantity {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Waits => "share that waits",
            Self::Refused => "share refused",
            Self::AllBusy => "first attempts refused",
            Self::GivenUp => "share that gives up",
            Self::MeanWait => "mean wait",
            Self::MeanWaitOfAll => "mean wait of all",
            Self::MeanWaitOfWaiting => "mean wait of who waits",
            Self::WaitDeviation => "deviation of the wait",
            Self::WaitP99 => "p99 wait",
            Self::MeanResponse => "mean response",
            Self::ResponseP99 => "p99 response",
            Self::MeanQueue => "mean queue",
            Self::MeanInSystem => "mean in system",
            Self::InSystemDeviation => "deviation in system",
            Self::MeanOrbit => "mean orbit",
            Self::MeanBatch => "mean batch",
            Self::Utilisation => "utilisation",
            Self::Availability => "availability",
            Self::BetweenFailures => "time between failures",
        }
    }

    /// `s`, `requests` or `1`.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Waits
            | Self::Refused
            | Self::AllBusy
            | Self::GivenUp
            | Self::Utilisation
            | Self::Availability => "1",
            Self::MeanWait
            | Self::MeanWaitOfAll
            | Self::MeanWaitOfWaiting
            | Self::WaitDeviation
            | Self::WaitP99
            | Self::MeanResponse
            | Self::ResponseP99
            | Self::BetweenFailures => "s",
            Self::MeanQueue
            | Self::MeanInSystem
            | Self::InSystemDeviation
            | Self::MeanOrbit
            | Self::MeanBatch => "requests",
        }
    }

    /// What a run of one pool gave for it, of one tier or of all; or of one cluster. `None` where it gave nothing.
    fn of_run(self, summary: &Summary, name: Option<&str>) -> Option<f64> {
        let site = || summary.sites.iter().find(|site| Some(&*site.name) == name);
        match self {
            Self::Availability => site()?.availability,
            Self::BetweenFailures => site()?.between_failures_s,
            _ => self.of_queue(summary, name),
        }
    }

    fn of_queue(self, summary: &Summary, tier: Option<&str>) -> Option<f64> {
        let named = |name: &str| summary.tiers.iter().find(|tier| tier.name == name);
        let of = tier.map_or(Some(&summary.total), named)?;
        let pool = summary.pools.first()?;
        let attempts = (of.attempts > 0).then_some(of.attempts as f64);
        match self {
            Self::Waits => of.waited_share,
            Self::Refused => attempts.map(|all| 1.0 - of.admitted as f64 / all),
            Self::AllBusy => Some(pool.all_busy_share),
            Self::GivenUp => attempts.map(|all| of.abandoned as f64 / all),
            Self::MeanWait => of.wait_s.mean,
            Self::MeanWaitOfAll => attempts.map(|all| pool.waiting_mean * summary.measured_s / all),
            Self::MeanWaitOfWaiting => {
                let share = of.waited_share.filter(|&share| share > 0.0)?;
                Some(of.wait_s.mean? / share)
            }
            Self::WaitDeviation => of.wait_s.deviation,
            Self::WaitP99 => of.wait_s.p99,
            Self::MeanResponse => of.response_s.mean,
            Self::ResponseP99 => of.response_s.p99,
            Self::MeanQueue => Some(pool.waiting_mean),
            Self::MeanInSystem => Some(pool.in_pool_mean),
            Self::InSystemDeviation => Some(pool.in_pool_deviation),
            Self::MeanOrbit => Some(pool.in_orbit_mean),
            Self::MeanBatch => pool.batch_start_mean,
            Self::Utilisation => pool.utilisation,
            Self::Availability | Self::BetweenFailures => None,
        }
    }
}

/// The closed forms that hold for a scenario, each beside what a run of it gave. They hold for the long
/// run, so a short one, or one without a warm-up, differs.
#[must_use]
pub fn theory(scenario: &Scenario, summary: &Summary) -> Vec<Theory> {
    let beside = |form: ClosedForm| Theory {
        simulated: form.quantity.of_run(summary, form.of.as_deref()),
        what: form.what,
        model: form.name.into(),
        reference: form.reference.into(),
        exact: form.value,
        unit: form.unit.into(),
    };
    let forms = closed_forms(scenario).into_iter();
    forms.map(beside).collect()
}
