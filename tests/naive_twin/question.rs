//! What both are asked, and what of either is compared.

use std::fmt;
use std::sync::Arc;

use meltpoint::profile::ServiceCurve;
use meltpoint::random::Law;
use meltpoint::scenario::{
    Client, Demand, DemandKind, Outage, PatienceUntil, Quality, Retry, Rules, Scenario, Tier,
    Trace, TraceRow, Work, WorkUnit,
};
use meltpoint::stats::Histogram;
use meltpoint::units::{SimDuration, SimTime};

/// The name of the quality that is given when a pool is full.
pub(crate) const LOW: &str = "low";
/// By quality: what an image costs, in 1e-6 USD.
pub(crate) const PRICES: [u64; 2] = [3, 1];

/// One pool, what its operator does, and everything that is asked of it.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub lookahead_ns: u64,
    pub warm_up_ns: u64,
    pub batch_limit: usize,
    /// Time of an iteration without context in quarters of a nanosecond, by the size of the batch,
    /// from 1; at least 4.
    pub iteration_quarters: Vec<u64>,
    /// Further time of an iteration for each token of context.
    pub context_token_quarters: u64,
    /// Further time of somebody's first iteration for each token of the prompt.
    pub prompt_token_quarters: u64,
    pub memory_limit: u64,
    /// When how many replicas come into service, by time.
    pub deliveries: Vec<(u64, usize)>,
    pub outages: Vec<Standstill>,
    /// The rules from 0 on, and changes of them by time.
    pub rules: Vec<(u64, Rules)>,
    pub classes: Vec<Class>,
}

/// The pool stands still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standstill {
    pub from: u64,
    pub until: u64,
    pub requeue: bool,
}

/// Requests of one kind, and how their users behave.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub memory: u64,
    pub context_grows: bool,
    /// Iterations at the standard quality where a request does not say, and at the low one if there
    /// is one.
    pub iterations: u32,
    pub low_iterations: Option<u32>,
    pub patience_ns: Option<u64>,
    pub until: PatienceUntil,
    pub silent: bool,
    pub retry: Option<Again>,
    pub requests: Vec<Asked>,
}

/// When somebody tries again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Again {
    pub limit: u32,
    pub after_ns: u64,
    /// Each further delay is twice as long, up to this.
    pub longest_ns: u64,
    /// Retries per first attempt, in quarters.
    pub budget_quarters: Option<u32>,
    pub after_shed: bool,
    pub after_abandoned: bool,
    pub after_failed: bool,
}

/// Some requests at one time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub at: u64,
    pub images: u32,
    /// 0: as its class says.
    pub iterations: u32,
    pub prompt_tokens: u32,
}

/// What became of the requests of a class.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Tally {
    pub offered: u64,
    pub attempts: u64,
    pub admitted: u64,
    pub retries: u64,
    pub completed: u64,
    pub degraded: u64,
    pub list_value_micro_usd: u64,
    pub queue_full: u64,
    pub hopeless: u64,
    pub closed: u64,
    pub abandoned: u64,
    pub failed: u64,
    pub wasted: u64,
    pub in_system: u64,
    pub response: Histogram,
    pub wait: Histogram,
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = |of: &Histogram| (of.count(), of.sum());
        f.debug_struct("Tally")
            .field("offered", &self.offered)
            .field("attempts", &self.attempts)
            .field("admitted", &self.admitted)
            .field("retries", &self.retries)
            .field("completed", &self.completed)
            .field("degraded", &self.degraded)
            .field("queue_full", &self.queue_full)
            .field("hopeless", &self.hopeless)
            .field("abandoned", &self.abandoned)
            .field("failed", &self.failed)
            .field("wasted", &self.wasted)
            .field("in_system", &self.in_system)
            .field("responses", &times(&self.response))
            .field("waits", &times(&self.wait))
            .finish_non_exhaustive()
    }
}

impl Question {
    /// The question in the words of the engine: a trace for each class.
    pub(crate) fn scenario(&self, horizon_ns: u64) -> Scenario {
        let mut scenario = Scenario::textbook(1.0, constant(1.0), 1, 1.0);
        scenario.horizon = SimDuration(horizon_ns);
        scenario.lookahead = SimDuration(self.lookahead_ns);
        scenario.warm_up = SimDuration(self.warm_up_ns);
        let timed = |(at, rules): &(u64, Rules)| (SimTime(*at), rules.clone());
        scenario.rules = self.rules.iter().map(timed).collect();
        let outage = |of: &Standstill| Outage {
            pool: 0,
            from: SimTime(of.from),
            until: SimTime(of.until),
            requeue: of.requeue,
            evacuate: false,
        };
        scenario.outages = self.outages.iter().map(outage).collect();
        let pool = &mut scenario.pools[0];
        pool.batch_limit = self.batch_limit as u32;
        pool.profile.memory_bytes = Some(self.memory_limit);
        pool.profile.curve = self.curve();
        let delivery = |&(at, replicas): &(u64, usize)| (SimTime(at), replicas as u32);
        pool.deliveries = self.deliveries.iter().map(delivery).collect();
        let templates = (
            scenario.tiers.remove(0),
            scenario.works.remove(0),
            scenario.demands.remove(0),
        );
        for class in &self.classes {
            let (tier, work, demand) = templates.clone();
            scenario.demands.push(Demand {
                tier: scenario.tiers.len(),
                work: scenario.works.len(),
                kind: DemandKind::Trace(Arc::new(class.trace())),
                ..demand
            });
            scenario.tiers.push(Tier {
                client: class.client(),
                ..tier
            });
            scenario.works.push(class.work(work));
        }
        scenario
    }

    fn curve(&self) -> ServiceCurve {
        let points = self.iteration_quarters.iter().zip(1..);
        let points: Vec<(u32, f64)> = points.map(|(&time, n)| (n, quarters(time))).collect();
        ServiceCurve::tabulated(
            &points,
            self.batch_limit as u32,
            quarters(self.context_token_quarters),
            quarters(self.prompt_token_quarters),
        )
    }
}

impl Class {
    fn client(&self) -> Client {
        let retry = |again: Again| Retry {
            limit: again.limit,
            backoff: constant(seconds(again.after_ns)),
            factor: 2.0,
            longest_s: seconds(again.longest_ns),
            jitter: 0.0,
            budget: again.budget_quarters.map(|share| f64::from(share) / 4.0),
            after_shed: again.after_shed,
            after_abandoned: again.after_abandoned,
            after_failed: again.after_failed,
        };
        Client {
            patience_s: self.patience_ns.map(|ns| constant(seconds(ns))),
            until: self.until,
            silent_share: f64::from(u8::from(self.silent)),
            retry: self.retry.map(retry),
        }
    }

    fn work(&self, template: Work) -> Work {
        let quality = |name: &str, iterations: u32, price: u64| Quality {
            name: name.into(),
            amount: constant(f64::from(iterations)),
            usd_per_image: price as f64 * 1e-6,
        };
        let mut qualities = vec![quality("standard", self.iterations, PRICES[0])];
        let low = self.low_iterations;
        qualities.extend(low.map(|iterations| quality(LOW, iterations, PRICES[1])));
        Work {
            unit: WorkUnit::Iterations,
            qualities,
            memory_bytes: self.memory,
            context_grows: self.context_grows,
            ..template
        }
    }

    fn trace(&self) -> Trace {
        let row = |asked: &Asked| TraceRow {
            at: SimTime(asked.at),
            iterations: asked.iterations,
            prompt_tokens: asked.prompt_tokens,
            images: asked.images,
        };
        Trace {
            name: String::new(),
            rows: self.requests.iter().map(row).collect(),
        }
    }
}

fn constant(value: f64) -> Law {
    Law::Constant { value }
}

fn seconds(ns: u64) -> f64 {
    ns as f64 * 1e-9
}

fn quarters(of_a_nanosecond: u64) -> f64 {
    of_a_nanosecond as f64 * 0.25e-9
}
