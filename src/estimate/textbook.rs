//! Which textbook queue a scenario is, if any, and what its formulas say.
//!
//! It is one only if nothing changes over time, arrivals are Poisson, one pool serves from one queue, and no
//! rule interferes that the formula does not know.

use super::ClosedForm;
use crate::queueing::{
    Bulk, Class, ErlangA, Mdc, Mg1, Mmc, Mmck, ServiceMoments, allen_cunneen_wait, cobham,
    cobham_many_servers, erlang_b,
};
use crate::random::Law;
use crate::scenario::{
    Batching, Client, Demand, DemandKind, Dispatch, PatienceUntil, Process, QueueLimit, QueueOrder,
    Rhythm, Scenario, Work, WorkUnit,
};
use crate::units::SimTime;

/// More servers than this and M/D/c is not solved before a run: its chain grows with them.
const MOST_MDC_SERVERS: u64 = 200;

/// The results that hold for the scenario; none where it is no textbook queue.
pub(super) fn closed_forms(scenario: &Scenario) -> Vec<ClosedForm> {
    let Some(queue) = Queue::of(scenario) else {
        return Vec::new();
    };
    let classes = queue.classes.len();
    match scenario.rules[0].1.policy.batching {
        Batching::Single if classes == 1 => queue.one_class(),
        Batching::Single => queue.by_priority(),
        Batching::Static { minimum: 1, .. } if classes == 1 => queue.in_batches(),
        _ => Vec::new(),
    }
}

/// A scenario without everything that a formula does not know.
struct Queue<'a> {
    /// Arrivals of one tier, the first to be served first.
    classes: Vec<Arrivals<'a>>,
    servers: u64,
    batch_limit: u32,
    queue_limit: QueueLimit,
}

/// The Poisson arrivals of one tier.
struct Arrivals<'a> {
    tier: &'a str,
    client: &'a Client,
    rate_per_s: f64,
    /// Service time in seconds on an otherwise empty replica.
    service_s: Law,
}

impl<'a> Queue<'a> {
    fn of(scenario: &'a Scenario) -> Option<Self> {
        let [(_, rules)] = scenario.rules.as_slice() else {
            return None;
        };
        let [pool] = scenario.pools.as_slice() else {
            return None;
        };
        let [(SimTime::ZERO, replicas)] = *pool.deliveries.as_slice() else {
            return None;
        };
        let policy = &rules.policy;
        let one_line = policy.dispatch == Dispatch::Central || replicas == 1;
        let undisturbed = scenario.outages.is_empty()
            && policy.degradation.is_none()
            && policy.admission.refuse_wait_above.is_none();
        let free = rules
            .tiers
            .iter()
            .all(|tier| tier.open && tier.quota.is_none() && tier.rate_limit.is_none());
        if !(one_line && undisturbed && free && replicas > 0) {
            return None;
        }
        let mut demands: Vec<&Demand> = scenario.demands.iter().collect();
        let single = demands.len() == 1;
        match policy.order {
            QueueOrder::Priority => demands.sort_by_key(|d| rules.tiers[d.tier].priority),
            QueueOrder::Fcfs | QueueOrder::Deadline if single => {}
            _ => return None,
        }
        let priority = |pair: &[&Demand]| {
            rules.tiers[pair[0].tier].priority < rules.tiers[pair[1].tier].priority
        };
        if !demands.windows(2).all(priority) {
            return None;
        }
        let classes = demands
            .into_iter()
            .map(|demand| Arrivals::of(scenario, demand));
        Some(Self {
            classes: classes.collect::<Option<_>>()?,
            servers: u64::from(replicas),
            batch_limit: pool.batch_limit,
            queue_limit: policy.admission.queue_limit,
        })
    }

    /// Requests of one class, one at a time on each server.
    fn one_class(&self) -> Vec<ClosedForm> {
        let arrivals = &self.classes[0];
        let queue = self.mmc(arrivals.rate_per_s, arrivals.service_s.mean());
        let is_exponential = matches!(arrivals.service_s, Law::Exponential { .. });
        let places = self.queue_places();
        match (places, arrivals.client.patience_s) {
            (Some(0), _) if arrivals.client.retry.is_none() => loss(queue),
            (Some(places), None) if is_exponential && arrivals.client.retry.is_none() => {
                finite(queue, self.servers + places)
            }
            (None, Some(Law::Exponential { mean })) if is_exponential && arrivals.just_leaves() => {
                impatient(queue, 1.0 / mean)
            }
            (None, None) if queue.utilisation() < 1.0 => self.unlimited(queue, &arrivals.service_s),
            _ => Vec::new(),
        }
    }

    /// Nobody is refused and nobody leaves.
    fn unlimited(&self, queue: Mmc, service_s: &Law) -> Vec<ClosedForm> {
        let constant = service_s.is_constant() && self.servers <= MOST_MDC_SERVERS;
        let solved =
            constant.then(|| Mdc::new(queue.arrival_rate, service_s.mean(), self.servers as usize));
        if let Some(Some(queue)) = solved {
            return constant_service(&queue);
        }
        if matches!(service_s, Law::Exponential { .. }) {
            return exponential_service(queue);
        }
        let moments = ServiceMoments::of(service_s);
        if self.servers == 1 {
            return general_service(Mg1 {
                arrival_rate: queue.arrival_rate,
                service: moments,
            });
        }
        let wait_s = allen_cunneen_wait(queue, 1.0, service_s.squared_variation());
        let model = Model("M/G/c, approximated", "Allen 1990 (Allen-Cunneen)");
        vec![
            model.time("mean wait", wait_s),
            model.time("mean response", wait_s + moments.mean),
        ]
    }

    /// Classes that go before each other.
    fn by_priority(&self) -> Vec<ClosedForm> {
        let patient = |class: &Arrivals<'_>| class.client.patience_s.is_none();
        let load: f64 = self
            .classes
            .iter()
            .map(|class| class.rate_per_s * class.service_s.mean() / self.servers as f64)
            .sum();
        if self.queue_places().is_some() || !self.classes.iter().all(patient) || load >= 1.0 {
            return Vec::new();
        }
        let first = &self.classes[0].service_s;
        let alike = self.classes.iter().all(|class| class.service_s == *first);
        let (times, model) = if self.servers == 1 {
            let classes = self.classes.iter().map(|class| Class {
                arrival_rate: class.rate_per_s,
                service: ServiceMoments::of(&class.service_s),
            });
            let times = cobham(&classes.collect::<Vec<_>>());
            (times, Model("M/G/1 with priorities", "Cobham 1954"))
        } else if alike && matches!(first, Law::Exponential { .. }) {
            let rates: Vec<f64> = self.classes.iter().map(|class| class.rate_per_s).collect();
            let times = cobham_many_servers(&rates, 1.0 / first.mean(), self.servers);
            (
                times,
                Model("M/M/c with priorities", "Kella and Yechiali 1985"),
            )
        } else {
            return Vec::new();
        };
        let named = self.classes.iter().zip(times).flat_map(|(class, times)| {
            [
                model.time(&format!("mean wait of {}", class.tier), times.wait),
                model.time(&format!("mean response of {}", class.tier), times.response),
            ]
        });
        named.collect()
    }

    /// One server that takes all who wait, up to its batch limit.
    fn in_batches(&self) -> Vec<ClosedForm> {
        let arrivals = &self.classes[0];
        let plain = self.servers == 1
            && self.queue_places().is_none()
            && arrivals.client.patience_s.is_none()
            && arrivals.service_s.is_constant();
        let seconds = arrivals.service_s.mean();
        let full = arrivals.rate_per_s * seconds >= f64::from(self.batch_limit);
        if !plain || full {
            return Vec::new();
        }
        let bulk = Bulk {
            arrival_rate: arrivals.rate_per_s,
            smallest: 1,
            largest: Some(self.batch_limit as usize),
        };
        let Some(found) = bulk.solve(|_| seconds) else {
            return Vec::new();
        };
        let model = Model("M/D^[1,b]/1", "Bailey 1954; Chaudhry and Templeton 1983");
        vec![
            model.time("mean wait", found.mean_wait),
            model.time("mean response", found.mean_response),
            model.number("mean batch", found.mean_batch),
            model.share("utilisation", found.utilisation),
        ]
    }

    /// Places in the queue; `None`: any number.
    fn queue_places(&self) -> Option<u64> {
        match self.queue_limit {
            QueueLimit::None => None,
            QueueLimit::Requests(requests) => Some(requests),
            QueueLimit::PerSlot(requests) => Some((requests * self.servers as f64) as u64),
        }
    }

    fn mmc(&self, arrival_rate: f64, service_s: f64) -> Mmc {
        Mmc {
            arrival_rate,
            service_rate: 1.0 / service_s,
            servers: self.servers,
        }
    }
}

impl<'a> Arrivals<'a> {
    fn of(scenario: &'a Scenario, demand: &Demand) -> Option<Self> {
        let DemandKind::Rate {
            curve,
            rhythm: Rhythm::Flat,
            process: Process::Poisson,
            ..
        } = &demand.kind
        else {
            return None;
        };
        let rate_per_s = curve.at(SimTime::ZERO);
        let is_level = curve.points.iter().all(|point| point.1 == rate_per_s);
        let is_lasting = demand.from == SimTime::ZERO && demand.until.0 >= scenario.horizon.0;
        if !(is_level && is_lasting && rate_per_s > 0.0) {
            return None;
        }
        let tier = &scenario.tiers[demand.tier];
        Some(Self {
            tier: &tier.name,
            client: &tier.client,
            rate_per_s,
            service_s: service_s(scenario, &scenario.works[demand.work])?,
        })
    }

    /// Whether a client who loses patience while waiting goes for good and says so.
    fn just_leaves(&self) -> bool {
        self.client.until == PatienceUntil::Start
            && self.client.silent_share == 0.0
            && self.client.retry.is_none()
    }
}

/// The law of the service time in seconds, where it has a name.
fn service_s(scenario: &Scenario, work: &Work) -> Option<Law> {
    let amount = work.qualities.first()?.amount;
    match work.unit {
        WorkUnit::ServiceTime => Some(amount),
        WorkUnit::Iterations if amount.is_constant() && work.prompt_tokens.is_constant() => {
            let batch_of_one = matches!(scenario.rules[0].1.policy.batching, Batching::Single);
            batch_of_one.then(|| Law::Constant {
                value: work.alone_s(&scenario.pools[0].profile.curve, 0),
            })
        }
        WorkUnit::Iterations => None,
    }
}

/// The name and the source of a formula.
#[derive(Clone, Copy)]
struct Model(&'static str, &'static str);

impl Model {
    fn form(self, what: &str, value: f64, unit: &'static str) -> ClosedForm {
        ClosedForm {
            name: self.0,
            reference: self.1,
            what: what.to_owned(),
            value,
            unit,
        }
    }

    fn time(self, what: &str, seconds: f64) -> ClosedForm {
        self.form(what, seconds, "s")
    }

    fn share(self, what: &str, value: f64) -> ClosedForm {
        self.form(what, value, "1")
    }

    fn number(self, what: &str, value: f64) -> ClosedForm {
        self.form(what, value, "requests")
    }
}

fn loss(queue: Mmc) -> Vec<ClosedForm> {
    let blocked = erlang_b(queue.offered(), queue.servers);
    vec![Model("M/G/c/c (Erlang B)", "Erlang 1917").share("share refused", blocked)]
}

fn finite(queue: Mmc, places: u64) -> Vec<ClosedForm> {
    let found = Mmck::new(queue, places);
    let model = Model("M/M/c/K", "Gross et al. 2008, 3.5");
    vec![
        model.share("share refused", found.p_block),
        model.time("mean wait", found.mean_wait),
        model.time("mean response", found.mean_response),
        model.number("mean queue", found.mean_queue),
        model.share("utilisation", found.utilisation),
    ]
}

fn impatient(queue: Mmc, abandonment_rate: f64) -> Vec<ClosedForm> {
    let found = ErlangA::new(queue, abandonment_rate);
    let model = Model("M/M/c+M (Erlang A)", "Palm 1957; Garnett et al. 2002");
    vec![
        model.share("share that waits", found.p_wait),
        model.share("share that gives up", found.p_abandon),
        model.time("mean wait", found.mean_wait),
        model.number("mean queue", found.mean_queue),
        model.share("utilisation", found.utilisation),
    ]
}

fn exponential_service(queue: Mmc) -> Vec<ClosedForm> {
    let model = Model("M/M/c (Erlang C)", "Erlang 1917; Gross et al. 2008, 3.3");
    vec![
        model.share("share that waits", queue.p_wait()),
        model.time("mean wait", queue.mean_wait()),
        model.time("mean response", queue.mean_response()),
        model.time("p99 wait", queue.wait_quantile(0.99)),
        model.time("p99 response", queue.response_quantile(0.99)),
        model.number("mean queue", queue.mean_queue()),
        model.share("utilisation", queue.utilisation()),
    ]
}

fn constant_service(queue: &Mdc) -> Vec<ClosedForm> {
    let model = Model("M/D/c", "Crommelin 1932; Franx 2001");
    vec![
        model.share("share that waits", queue.p_wait()),
        model.time("mean wait", queue.mean_wait()),
        model.time("mean response", queue.mean_response()),
        model.time("p99 wait", queue.wait_quantile(0.99)),
        model.number("mean queue", queue.mean_queue()),
    ]
}

fn general_service(queue: Mg1) -> Vec<ClosedForm> {
    let model = Model(
        "M/G/1 (Pollaczek-Khinchine)",
        "Pollaczek 1930; Khinchine 1932",
    );
    vec![
        model.time("mean wait", queue.mean_wait()),
        model.time("mean response", queue.mean_response()),
        model.number("mean queue", queue.mean_queue()),
        model.share("utilisation", queue.utilisation()),
    ]
}
