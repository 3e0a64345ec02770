//! Which textbook queue a scenario is, if any, and what its formulas say.
//!
//! It is one only if nothing changes over time, one pool serves, and no rule interferes that the formula does
//! not know.

use super::ClosedForm;
use super::forms::{self, Model};
use super::theory::Quantity::{self, MeanInSystem, MeanResponse, MeanWait};
use crate::queueing::{
    Bulk, Class, ErlangA, GiMc, Mdc, Mg1, Mmc, Mmck, ServiceMoments, allen_cunneen_wait,
    batching_window, bursts, cobham, cobham_many_servers, constant_transform, erlang_c,
    erlang_transform, join_shortest_of_two_in_system, power_of_d_response, preemptive_resume,
    retrial, setup_wait,
};
use crate::random::Law;
use crate::scenario::{
    Batching, Client, Demand, DemandKind, Dispatch, Modulation, PatienceUntil, Process, QueueLimit,
    QueueOrder, Rhythm, Scenario, SetUp, Work, WorkUnit,
};
use crate::units::{SimDuration, SimTime};

/// More servers than this and M/D/c is not solved before a run: its chain grows with them.
const MOST_MDC_SERVERS: u64 = 200;
/// Chance of waiting below which nobody waits.
const NEVER: f64 = 1e-9;
/// From so many servers on, the limit of many holds for random choices between them.
const MANY: u64 = 100;

/// The results that hold for the scenario; none where it is no textbook queue.
pub(super) fn closed_forms(scenario: &Scenario) -> Vec<ClosedForm> {
    let Some(queue) = Queue::of(scenario) else {
        return Vec::new();
    };
    let one_class = queue.classes.len() == 1;
    match scenario.rules[0].1.policy.batching {
        Batching::Continuous if queue.batch_limit > 1 && one_class => queue.sharing(scenario),
        Batching::Continuous if queue.batch_limit > 1 => Vec::new(),
        Batching::Single | Batching::Continuous if !one_class => queue.by_priority(),
        Batching::Single | Batching::Continuous => queue.one_class(),
        Batching::Static { minimum, window } if one_class => {
            queue.in_batches(scenario, minimum, window)
        }
        Batching::Static { .. } => Vec::new(),
    }
}

/// A scenario without everything that a formula does not know.
struct Queue<'a> {
    /// Arrivals of one tier, the first to be served first.
    classes: Vec<Arrivals<'a>>,
    servers: u64,
    batch_limit: u32,
    queue_limit: QueueLimit,
    order: QueueOrder,
    dispatch: Dispatch,
    set_up: Option<SetUp>,
}

/// The arrivals of one tier.
struct Arrivals<'a> {
    tier: &'a str,
    client: &'a Client,
    rate_per_s: f64,
    process: &'a Process,
    /// Service time in seconds on an otherwise empty replica, where it has a law with a name.
    service_s: Option<Law>,
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
        let undisturbed = scenario.outages.is_empty()
            && scenario.autoscalers.is_empty()
            && scenario.clusters[pool.cluster].reliability.is_none()
            && scenario.clusters[pool.cluster].division.is_none()
            && policy.degradation.is_none()
            && policy.admission.refuse_wait_above.is_none();
        let free = rules
            .tiers
            .iter()
            .all(|tier| tier.open && tier.quota.is_none() && tier.rate_limit.is_none());
        if !(undisturbed && free && replicas > 0) {
            return None;
        }
        let mut demands: Vec<&Demand> = scenario.demands.iter().collect();
        let single = demands.len() == 1;
        match policy.order {
            QueueOrder::Priority | QueueOrder::Preemptive => {
                demands.sort_by_key(|d| rules.tiers[d.tier].priority)
            }
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
            order: policy.order,
            dispatch: match replicas {
                1 => Dispatch::Central,
                _ => policy.dispatch,
            },
            set_up: pool.set_up,
        })
    }

    /// Requests of one class, one at a time on each server.
    fn one_class(&self) -> Vec<ClosedForm> {
        let arrivals = &self.classes[0];
        let Some(service_s) = arrivals.service_s else {
            return Vec::new();
        };
        let queue = self.mmc(arrivals.rate_per_s, service_s.mean());
        let is_exponential = matches!(service_s, Law::Exponential { .. });
        let places = self.queue_places();
        if self.set_up.is_some() {
            return self.with_set_up(queue, &service_s);
        }
        let endless = places.is_none() && arrivals.client.patience_s.is_none();
        if self.dispatch != Dispatch::Central || *arrivals.process != Process::Poisson {
            let steady = endless && queue.utilisation() < 1.0;
            return match arrivals.process {
                _ if !steady => Vec::new(),
                Process::Poisson => self.dealt(queue, &service_s),
                _ if !is_exponential || self.dispatch != Dispatch::Central => Vec::new(),
                Process::Even => renewals(queue, &Law::Constant { value: 1.0 }),
                Process::Renewal(gap) => renewals(queue, gap),
                Process::Modulated(modulation) => in_bursts(queue, modulation, arrivals.rate_per_s),
            };
        }
        let retry = arrivals.client.retry;
        match (places, arrivals.client.patience_s) {
            (Some(0), _) if retry.is_none() => forms::loss(queue),
            (Some(0), None) if is_exponential && queue.utilisation() < 1.0 => retry
                .filter(|retry| {
                    retry.limit == u32::MAX
                        && retry.after_shed
                        && retry.factor == 1.0
                        && retry.jitter == 0.0
                        && retry.budget.is_none()
                        && matches!(retry.backoff, Law::Exponential { .. })
                })
                .and_then(|retry| retrial(queue, 1.0 / retry.backoff.mean()))
                .map_or_else(Vec::new, |found| {
                    forms::retried(found, self.servers, service_s.mean())
                }),
            (Some(places), None) if is_exponential && retry.is_none() => {
                forms::finite(Mmck::new(queue, self.servers + places))
            }
            (None, Some(Law::Exponential { mean })) if is_exponential && arrivals.just_leaves() => {
                forms::impatient(ErlangA::new(queue, 1.0 / mean))
            }
            (None, None) if queue.utilisation() < 1.0 => self.unlimited(queue, &service_s),
            _ => Vec::new(),
        }
    }

    /// One server that goes off when nobody is there.
    fn with_set_up(&self, queue: Mmc, service_s: &Law) -> Vec<ClosedForm> {
        let arrivals = &self.classes[0];
        let plain = self.servers == 1
            && self.queue_places().is_none()
            && arrivals.client.patience_s.is_none()
            && *arrivals.process == Process::Poisson
            && queue.utilisation() < 1.0;
        let set_up = self
            .set_up
            .filter(|rule| plain && rule.keep_warm == SimDuration::ZERO);
        set_up.map_or_else(Vec::new, |rule| {
            let queue = Mg1 {
                arrival_rate: queue.arrival_rate,
                service: ServiceMoments::of(service_s),
            };
            let takes = ServiceMoments::of(&rule.law_s);
            forms::set_up(queue, setup_wait(queue, takes.mean, takes.second))
        })
    }

    /// Poisson arrivals that are dealt to a line at each server.
    fn dealt(&self, queue: Mmc, service_s: &Law) -> Vec<ClosedForm> {
        let (rate, mean_s) = (queue.arrival_rate, service_s.mean());
        let each = rate / self.servers as f64;
        let is_exponential = matches!(service_s, Law::Exponential { .. });
        let response = |model: Model, response_s: f64| {
            model.gives([
                (MeanWait, response_s - mean_s),
                (MeanResponse, response_s),
                (MeanInSystem, rate * response_s),
            ])
        };
        match self.dispatch {
            Dispatch::Random | Dispatch::PowerOfD(1) => {
                let one = Mg1 {
                    arrival_rate: each,
                    service: ServiceMoments::of(service_s),
                };
                let model = Model("M/G/1 at each server", "Pollaczek 1930; Khinchine 1932");
                response(model, one.mean_response())
            }
            Dispatch::RoundRobin if is_exponential => {
                let stages = self.servers as u32;
                let found = GiMc::new(|s| erlang_transform(each, stages, s), 1.0 / mean_s, 1);
                forms::renewals(found, 1, mean_s)
            }
            Dispatch::JoinShortest if is_exponential && self.servers == 2 => {
                let in_system = join_shortest_of_two_in_system(rate * mean_s);
                let model = Model("the shorter of two queues", "Flatto and McKean 1977");
                response(model, in_system / rate)
            }
            Dispatch::PowerOfD(choices) if is_exponential && self.servers >= MANY => {
                let services = power_of_d_response(each * mean_s, choices);
                let source = "Vvedenskaya et al. 1996; Mitzenmacher 2001";
                let model = Model("the shortest of d queues, many servers", source);
                response(model, services * mean_s)
            }
            _ => Vec::new(),
        }
    }

    /// Nobody is refused and nobody leaves.
    fn unlimited(&self, queue: Mmc, service_s: &Law) -> Vec<ClosedForm> {
        if erlang_c(queue.offered(), self.servers) < NEVER {
            return forms::plenty(queue.offered(), service_s.mean());
        }
        let constant = service_s.is_constant() && self.servers <= MOST_MDC_SERVERS;
        let solved =
            constant.then(|| Mdc::new(queue.arrival_rate, service_s.mean(), self.servers as usize));
        if let Some(Some(queue)) = solved {
            return forms::constant_service(&queue);
        }
        if matches!(service_s, Law::Exponential { .. }) {
            return forms::exponential_service(queue);
        }
        let moments = ServiceMoments::of(service_s);
        if self.servers == 1 {
            return forms::general_service(Mg1 {
                arrival_rate: queue.arrival_rate,
                service: moments,
            });
        }
        let wait_s = allen_cunneen_wait(queue, 1.0, service_s.squared_variation());
        Model("M/G/c, approximated", "Allen 1990 (Allen-Cunneen)")
            .gives([(MeanWait, wait_s), (MeanResponse, wait_s + moments.mean)])
    }

    /// Classes that go before each other.
    fn by_priority(&self) -> Vec<ClosedForm> {
        let laws: Option<Vec<Law>> = self.classes.iter().map(|class| class.service_s).collect();
        let plain = |class: &Arrivals<'_>| {
            class.client.patience_s.is_none() && *class.process == Process::Poisson
        };
        let unlimited = self.queue_places().is_none() && self.set_up.is_none();
        let central = self.dispatch == Dispatch::Central;
        let Some(laws) = laws.filter(|_| unlimited && central && self.classes.iter().all(plain))
        else {
            return Vec::new();
        };
        let rates: Vec<f64> = self.classes.iter().map(|class| class.rate_per_s).collect();
        let busy = rates.iter().zip(&laws).map(|(rate, law)| rate * law.mean());
        if busy.sum::<f64>() >= self.servers as f64 {
            return Vec::new();
        }
        let class = |(&arrival_rate, law): (&f64, &Law)| Class {
            arrival_rate,
            service: ServiceMoments::of(law),
        };
        let classes: Vec<Class> = rates.iter().zip(&laws).map(class).collect();
        let alike = laws.iter().all(|law| *law == laws[0]);
        let exponential = alike && matches!(laws[0], Law::Exponential { .. });
        let preempts = self.order == QueueOrder::Preemptive;
        let (times, model) = match self.servers {
            1 if preempts => (
                preemptive_resume(&classes),
                Model("M/G/1, preemptive-resume", "Gross et al. 2008, 3.4.3"),
            ),
            1 => (
                cobham(&classes),
                Model("M/G/1 with priorities", "Cobham 1954"),
            ),
            servers if exponential && !preempts => (
                cobham_many_servers(&rates, 1.0 / laws[0].mean(), servers),
                Model("M/M/c with priorities", "Kella and Yechiali 1985"),
            ),
            _ => return Vec::new(),
        };
        let named = self.classes.iter().zip(times).flat_map(|(class, times)| {
            // Who is interrupted waits again, which a run does not count as the wait to start.
            let wait = (!preempts).then(|| model.form(Some(class.tier), MeanWait, times.wait));
            let response = model.form(Some(class.tier), Quantity::MeanResponse, times.response);
            wait.into_iter().chain([response])
        });
        named.collect()
    }

    /// One server that takes all who wait, up to its batch limit, or plenty of servers whose batches wait
    /// for company.
    fn in_batches(
        &self,
        scenario: &Scenario,
        minimum: u32,
        window: SimDuration,
    ) -> Vec<ClosedForm> {
        let arrivals = &self.classes[0];
        let plain = self.queue_places().is_none()
            && self.set_up.is_none()
            && self.dispatch == Dispatch::Central
            && arrivals.client.patience_s.is_none()
            && *arrivals.process == Process::Poisson;
        let Some(time) = batch_time(scenario).filter(|_| plain) else {
            return Vec::new();
        };
        let (rate, largest) = (arrivals.rate_per_s, self.batch_limit);
        if self.servers == 1 && (minimum == 1 || window == SimDuration::FOREVER) {
            if rate * time(largest) >= f64::from(largest) {
                return Vec::new();
            }
            let bulk = Bulk {
                arrival_rate: rate,
                smallest: minimum as usize,
                largest: Some(largest as usize),
            };
            let found = bulk.solve(|n| time(n as u32));
            return found.map_or_else(Vec::new, forms::fixed_batches);
        }
        let level = time(1) == time(largest);
        if minimum != largest || window == SimDuration::FOREVER || !level {
            return Vec::new();
        }
        let found = batching_window(rate, window.as_s(), Some(u64::from(largest)));
        let offered = rate / found.mean_batch * time(1);
        match offered < self.servers as f64 && erlang_c(offered, self.servers) < NEVER {
            true => forms::waiting_batches(found, time(1)),
            false => Vec::new(),
        }
    }

    /// One replica whose batch of n shares c places: an iteration takes max(1, n / c) of the shortest.
    fn sharing(&self, scenario: &Scenario) -> Vec<ClosedForm> {
        let arrivals = &self.classes[0];
        let work = &scenario.works[scenario.demands[0].work];
        let curve = &scenario.pools[0].profile.curve;
        let time = |n: u32| curve.iteration_s(n, 0.0);
        let flat = |n: &u32| (time(*n) / time(1) - 1.0).abs() < 1e-9;
        let places = (1..=self.batch_limit).take_while(flat).last().unwrap_or(1);
        let is_shared = |n: u32| {
            let wanted = time(1) * f64::from(n) / f64::from(places);
            (time(n) / wanted - 1.0).abs() < 1e-6
        };
        let plain = self.servers == 1
            && self.queue_places().is_none()
            && self.set_up.is_none()
            && arrivals.client.patience_s.is_none()
            && *arrivals.process == Process::Poisson
            && work.unit == WorkUnit::Iterations
            && !work.context_grows
            && work.prompt_tokens == (Law::Constant { value: 0.0 })
            && places < self.batch_limit
            && (places..=self.batch_limit).all(is_shared);
        let queue = Mmc {
            arrival_rate: arrivals.rate_per_s,
            service_rate: 1.0 / (work.qualities[0].amount.mean() * time(1)),
            servers: u64::from(places),
        };
        match plain && queue.utilisation() < 1.0 {
            true => forms::shared(queue.mean_in_system(), queue.arrival_rate),
            false => Vec::new(),
        }
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
    fn of(scenario: &'a Scenario, demand: &'a Demand) -> Option<Self> {
        let DemandKind::Rate {
            curve,
            rhythm: Rhythm::Flat,
            process,
            ..
        } = &demand.kind
        else {
            return None;
        };
        let level = curve.at(SimTime::ZERO);
        let is_level = curve.points.iter().all(|point| point.1 == level);
        let is_lasting = demand.from == SimTime::ZERO && demand.until.0 >= scenario.horizon.0;
        let rate_per_s = level * process.mean_factor();
        if !(is_level && is_lasting && rate_per_s > 0.0) {
            return None;
        }
        let tier = &scenario.tiers[demand.tier];
        Some(Self {
            tier: &tier.name,
            client: &tier.client,
            rate_per_s,
            process,
            service_s: service_s(scenario, &scenario.works[demand.work]),
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

/// The time of a batch of each size, where all requests need equally much.
fn batch_time(scenario: &Scenario) -> Option<impl Fn(u32) -> f64> {
    let work = &scenario.works[scenario.demands[0].work];
    let amount = work.qualities.first()?.amount;
    let steps = match work.unit {
        WorkUnit::ServiceTime => amount.mean() * 1e9,
        WorkUnit::Iterations => amount.mean().round(),
    };
    let curve = &scenario.pools[0].profile.curve;
    let plain = amount.is_constant()
        && !work.context_grows
        && work.prompt_tokens == (Law::Constant { value: 0.0 });
    plain.then_some(move |n: u32| steps * curve.iteration_s(n, 0.0))
}

/// Arrivals whose gaps have a law with a known transform.
fn renewals(queue: Mmc, gap: &Law) -> Vec<ClosedForm> {
    let rate = queue.arrival_rate;
    let solve = |transform: &dyn Fn(f64) -> f64| {
        let found = GiMc::new(transform, queue.service_rate, queue.servers);
        forms::renewals(found, queue.servers, 1.0 / queue.service_rate)
    };
    match *gap {
        Law::Constant { .. } => solve(&|s| constant_transform(rate, s)),
        Law::Exponential { .. } => solve(&|s| rate / (rate + s)),
        Law::Erlang { stages, .. } => solve(&|s| erlang_transform(rate, stages, s)),
        Law::HyperExponential {
            share_first,
            mean_first,
            mean_second,
        } => {
            let unit = rate * gap.mean();
            let part = |mean: f64, s: f64| 1.0 / (1.0 + s * mean / unit);
            solve(&|s| {
                share_first * part(mean_first, s) + (1.0 - share_first) * part(mean_second, s)
            })
        }
        _ => Vec::new(),
    }
}

/// Bursts of two states that last for exponential times.
fn in_bursts(queue: Mmc, modulation: &Modulation, mean_rate: f64) -> Vec<ClosedForm> {
    let [first, second] = modulation.states.as_slice() else {
        return Vec::new();
    };
    let (Law::Exponential { mean: stay }, Law::Exponential { mean: other }) =
        (first.stay_s, second.stay_s)
    else {
        return Vec::new();
    };
    let level = mean_rate / modulation.mean_factor();
    let rates = [level * first.factor, level * second.factor];
    let leaves = [1.0 / stay, 1.0 / other];
    bursts(rates, leaves, queue.service_rate, queue.servers).map_or_else(Vec::new, |found| {
        forms::in_bursts(found, 1.0 / queue.service_rate)
    })
}
