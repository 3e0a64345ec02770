//! The fluid model: a scenario in steps of expected numbers.

use serde::Serialize;

use super::arrivals::{self, Crowd, Mood, Split};
use super::{Capacity, TierEstimate, mean_patience_s, supply};
use crate::scenario::{DemandKind, QueueLimit, QueueOrder, QuotaWindow, Rules, Scenario, Work};
use crate::units::SimTime;

/// Steps in an interval of the series ...
const STEPS_PER_INTERVAL: u64 = 4;
/// ... but not more than this in a run.
const MOST_STEPS: u64 = 20_000;

/// Requests that are lost, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Lost {
    /// The tier was closed.
    pub closed: f64,
    /// The user's quota was used up.
    pub quota: f64,
    /// The tier's rate limit.
    pub rate_limit: f64,
    /// The queue was full, or the wait too long to let anybody in.
    pub queue_full: f64,
    /// The user gave up waiting.
    pub abandoned: f64,
}

impl Lost {
    /// Requests refused for whatever reason.
    #[must_use]
    pub fn shed(&self) -> f64 {
        self.closed + self.quota + self.rate_limit + self.queue_full
    }
}

/// The requests of one demand under the rules of one tier.
#[derive(Clone, Debug)]
struct Flow<'a> {
    demand: usize,
    tier: usize,
    /// Whether these are the subscribers of a population's demand.
    subscribed: bool,
    crowd: Option<usize>,
    source: &'a DemandKind,
    waiting: f64,
    /// Of this step: wanted, let in, served, and neither served nor gone yet.
    offered: f64,
    admitted: f64,
    served: f64,
    left: f64,
}

/// The state of the model and what it has found.
pub(super) struct Fluid<'a> {
    scenario: &'a Scenario,
    flows: Vec<Flow<'a>>,
    crowds: Vec<(usize, Crowd<'a>)>,
    seen: f64,
    degraded: bool,
    /// By tier.
    pub(super) tiers: Vec<TierEstimate>,
    /// All tiers together.
    pub(super) total: TierEstimate,
    /// Changes of the capacity.
    pub(super) capacity: Vec<Capacity>,
    /// Seconds of the whole fleet that the offered work takes.
    pub(super) needed_s: f64,
    /// Seconds in which there is a fleet.
    pub(super) possible_s: f64,
    pub(super) load_peak: f64,
    pub(super) load_peak_at_s: f64,
    pub(super) overloaded_s: f64,
    pub(super) waiting_max: f64,
}

impl<'a> Fluid<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        let (mut flows, mut crowds) = (Vec::new(), Vec::new());
        for (index, demand) in scenario.demands.iter().enumerate() {
            let mut flow = Flow {
                demand: index,
                tier: demand.tier,
                subscribed: false,
                crowd: None,
                source: &demand.kind,
                waiting: 0.0,
                offered: 0.0,
                admitted: 0.0,
                served: 0.0,
                left: 0.0,
            };
            if let DemandKind::Population(population) = &demand.kind {
                let local_start_s = arrivals::local_start_s(scenario, demand);
                flow.crowd = Some(crowds.len());
                crowds.push((index, Crowd::new(population, local_start_s)));
                if let Some(tier) = population.conversion_tier {
                    flows.push(Flow {
                        tier,
                        subscribed: true,
                        ..flow.clone()
                    });
                }
            }
            flows.push(flow);
        }
        let named = |name: &str| TierEstimate {
            name: name.to_owned(),
            ..TierEstimate::default()
        };
        Self {
            scenario,
            flows,
            crowds,
            seen: 0.0,
            degraded: false,
            tiers: scenario
                .tiers
                .iter()
                .map(|tier| named(&tier.name))
                .collect(),
            total: named("all"),
            capacity: Vec::new(),
            needed_s: 0.0,
            possible_s: 0.0,
            load_peak: 0.0,
            load_peak_at_s: 0.0,
            overloaded_s: 0.0,
            waiting_max: 0.0,
        }
    }

    /// Plays the whole scenario.
    pub(super) fn run(&mut self) {
        let edges = edges(self.scenario);
        for pair in edges.windows(2) {
            self.step(pair[0], pair[1]);
        }
        for flow in &self.flows {
            self.tiers[flow.tier].waiting += flow.waiting;
            self.total.waiting += flow.waiting;
        }
    }

    /// People who have come or wait for an opening.
    pub(super) fn interested(&self) -> f64 {
        let people = self.crowds.iter().map(|(_, crowd)| crowd.interested);
        people.fold(0.0, |sum, count| sum + count)
    }

    fn step(&mut self, from: SimTime, until: SimTime) {
        let rules = rules_at(self.scenario, from);
        let seconds = (until - from).as_s();
        self.offer(rules, from, until);
        self.note_peaks(from.as_s() + 0.5 * seconds, seconds);
        self.admit(rules, seconds);
        self.note_load(&self.full_rates(rules, from, false), from, seconds);
        self.serve(rules, &self.full_rates(rules, from, self.degraded), seconds);
        self.keep_waiting(rules, from, seconds);
        self.spread(seconds);
    }

    /// What users want.
    fn offer(&mut self, rules: &Rules, from: SimTime, until: SimTime) {
        let mut wanted = vec![Split::default(); self.crowds.len()];
        let seen_per_head = self.seen / self.scenario.potential().max(1.0);
        for ((index, crowd), wanted) in self.crowds.iter_mut().zip(&mut wanted) {
            let demand = &self.scenario.demands[*index];
            let DemandKind::Population(population) = &demand.kind else {
                continue;
            };
            let (from, until) = (from.max(demand.from), until.min(demand.until));
            if from < until {
                let subscribable = population.conversion_tier;
                *wanted = crowd.requests(
                    from,
                    until,
                    Mood {
                        seen_per_head,
                        open: rules.tiers[demand.tier].open,
                        subscribable: subscribable.is_some_and(|tier| rules.tiers[tier].open),
                    },
                );
            }
        }
        for flow in &mut self.flows {
            let demand = &self.scenario.demands[flow.demand];
            flow.offered = match (flow.source, flow.crowd) {
                (
                    DemandKind::Rate {
                        curve,
                        rhythm,
                        process,
                        ..
                    },
                    _,
                ) => {
                    let local_start_s = arrivals::local_start_s(self.scenario, demand);
                    let shape = (curve, rhythm, process);
                    arrivals::requests_of_rate(demand, shape, local_start_s, (from, until))
                }
                (DemandKind::Trace(_), _) => arrivals::requests_of_trace(demand, (from, until)),
                (DemandKind::Population(_), Some(crowd)) if flow.subscribed => {
                    wanted[crowd].subscribed
                }
                (DemandKind::Population(_), crowd) => crowd.map_or(0.0, |c| wanted[c].own),
            };
        }
    }

    fn note_peaks(&mut self, middle_s: f64, seconds: f64) {
        let mut by_tier = vec![0.0; self.tiers.len()];
        for flow in &self.flows {
            by_tier[flow.tier] += flow.offered;
        }
        let all = by_tier.iter().sum();
        let pairs = self.tiers.iter_mut().zip(by_tier);
        for (tier, offered) in pairs.chain([(&mut self.total, all)]) {
            tier.offered += offered;
            if offered / seconds > tier.peak_per_s {
                tier.peak_per_s = offered / seconds;
                tier.peak_at_s = middle_s;
            }
        }
    }

    /// What the rules let in.
    fn admit(&mut self, rules: &Rules, seconds: f64) {
        for index in 0..self.flows.len() {
            let flow = &self.flows[index];
            let tier = flow.tier;
            let of_tier = &rules.tiers[tier];
            let mut lost = Lost::default();
            let mut admitted = flow.offered;
            if of_tier.open {
                if let Some(limit) = of_tier.rate_limit {
                    let same = self.flows.iter().filter(|other| other.tier == tier);
                    let all: f64 = same.map(|other| other.offered).sum();
                    let share = (limit.per_s * seconds / all.max(1e-300)).min(1.0);
                    lost.rate_limit = admitted * (1.0 - share);
                    admitted *= share;
                }
                lost.quota = admitted * (1.0 - self.quota_share(rules, index, seconds));
                admitted -= lost.quota;
            } else {
                lost.closed = admitted;
                admitted = 0.0;
            }
            self.flows[index].admitted = admitted;
            self.lose(tier, lost);
        }
    }

    /// The share of a flow's requests that quotas let pass. A session ends with the first refusal: with
    /// one session in a window it has min(G, q + 1) requests of which min(G, q) pass, G being geometric.
    fn quota_share(&self, rules: &Rules, index: usize, seconds: f64) -> f64 {
        let flow = &self.flows[index];
        let Some(quota) = rules.tiers[flow.tier].quota else {
            return 1.0;
        };
        let images = f64::from(quota.images);
        let window_s = match quota.window {
            QuotaWindow::CalendarDay => 86_400.0,
            QuotaWindow::Sliding(length) => length.as_s(),
        };
        match (flow.source, flow.crowd) {
            (DemandKind::Population(_), Some(crowd)) => {
                let goes_on = 1.0 - 1.0 / self.crowds[crowd].1.images_per_session().max(1.0);
                let upto = |most: f64| 1.0 - libm::pow(goes_on, most);
                upto(images) / upto(images + 1.0)
            }
            (DemandKind::Rate { users, .. }, _) => users.map_or(1.0, |users| {
                let allowed = users as f64 * images * seconds / window_s;
                (allowed / flow.offered.max(1e-300)).min(1.0)
            }),
            _ => 1.0,
        }
    }

    /// By flow: images a second if the whole fleet did nothing else, at the standard or at the
    /// degraded quality.
    fn full_rates(&self, rules: &Rules, at: SimTime, degraded: bool) -> Vec<f64> {
        let given_instead = rules.policy.degradation.as_ref().filter(|_| degraded);
        let quality_of = |work: &Work| {
            let name = given_instead.map(|degradation| degradation.quality.as_str());
            name.and_then(|name| work.quality(name)).unwrap_or(0)
        };
        let rate = |flow: &Flow<'_>| {
            let work = &self.scenario.works[self.scenario.demands[flow.demand].work];
            supply::rate_per_s(self.scenario, rules, at, (work, quality_of(work)))
        };
        self.flows.iter().map(rate).collect()
    }

    fn note_load(&mut self, rates: &[f64], from: SimTime, seconds: f64) {
        let time = |count: fn(&Flow<'_>) -> f64| -> f64 {
            let flows = self.flows.iter().zip(rates);
            flows.map(|(flow, rate)| busy_s(count(flow), *rate)).sum()
        };
        let (needed_s, admitted_s) = (time(|f| f.offered), time(|f| f.admitted));
        let offered: f64 = self.flows.iter().map(|flow| flow.offered).sum();
        // Without demand the first kind of work stands for the mix.
        let images_per_s = if needed_s > 0.0 && needed_s.is_finite() {
            offered / needed_s
        } else {
            rates.first().copied().unwrap_or(0.0)
        };
        let pools = 0..self.scenario.pools.len();
        let replicas = pools
            .map(|pool| supply::replicas(self.scenario, pool, from))
            .sum();
        let last = self.capacity.last();
        let unchanged = last.is_some_and(|last| {
            last.replicas == replicas
                && (last.images_per_s - images_per_s).abs() <= 0.01 * last.images_per_s
        });
        if !unchanged {
            self.capacity.push(Capacity {
                from_s: from.as_s(),
                replicas,
                images_per_s,
            });
        }
        if admitted_s > seconds {
            self.overloaded_s += seconds;
        }
        if images_per_s > 0.0 {
            self.needed_s += needed_s;
            self.possible_s += seconds;
            if needed_s / seconds > self.load_peak {
                self.load_peak = needed_s / seconds;
                self.load_peak_at_s = from.as_s() + 0.5 * seconds;
            }
        }
    }

    /// What the fleet makes of those who wait and those who come: all at the same share, or by
    /// priority.
    fn serve(&mut self, rules: &Rules, rates: &[f64], seconds: f64) {
        let priority = |flow: &Flow<'_>| match rules.policy.order {
            QueueOrder::Priority | QueueOrder::Preemptive => rules.tiers[flow.tier].priority,
            QueueOrder::Fcfs | QueueOrder::Shares | QueueOrder::Lifo | QueueOrder::Deadline => 0,
        };
        let mut levels: Vec<u8> = self.flows.iter().map(priority).collect();
        levels.sort_unstable();
        levels.dedup();
        let mut left_s = seconds;
        for level in levels {
            let flows = self.flows.iter_mut().zip(rates);
            let mut group: Vec<_> = flows.filter(|(flow, _)| priority(flow) == level).collect();
            let wanted_s: f64 = group
                .iter()
                .map(|(flow, rate)| busy_s(flow.waiting + flow.admitted, **rate))
                .sum();
            let share = if wanted_s <= left_s {
                1.0
            } else {
                left_s / wanted_s
            };
            for (flow, _) in &mut group {
                let all = flow.waiting + flow.admitted;
                flow.served = share * all;
                flow.left = all - flow.served;
            }
            left_s -= share.min(1.0) * wanted_s.min(f64::MAX);
            left_s = left_s.max(0.0);
        }
        for flow in &self.flows {
            self.tiers[flow.tier].completed += flow.served;
            self.total.completed += flow.served;
        }
    }

    /// Who is left waits, as far as patience lasts and the queue has room.
    ///
    /// With w waiting before, r left after service and mean patience m, the number that waits follows
    /// dw/dt = (r - w) / step - w / m, so it settles at what comes in a patience however long the step.
    fn keep_waiting(&mut self, rules: &Rules, from: SimTime, seconds: f64) {
        let slots = supply::slots(self.scenario, rules, from);
        let patient = |flow: &Flow<'_>| {
            let Some(mean_s) = mean_patience_s(self.scenario, flow.tier) else {
                return flow.left;
            };
            let mean_s = mean_s.max(1e-9);
            let gone = -libm::expm1(-seconds / mean_s);
            let coming = flow.left - flow.waiting;
            let waiting = flow.waiting * (1.0 - gone) + coming * gone * mean_s / seconds;
            waiting.clamp(0.0, flow.left)
        };
        let waiting: Vec<f64> = self.flows.iter().map(patient).collect();
        let room = self.room(rules, slots, seconds);
        let kept = (room / waiting.iter().sum::<f64>().max(1e-300)).min(1.0);
        for (index, waiting) in waiting.into_iter().enumerate() {
            let flow = &mut self.flows[index];
            let lost = Lost {
                queue_full: flow.left * (1.0 - kept),
                abandoned: (flow.left - waiting) * kept,
                ..Lost::default()
            };
            flow.waiting = waiting * kept;
            let tier = flow.tier;
            self.lose(tier, lost);
        }
        let waiting: f64 = self.flows.iter().map(|flow| flow.waiting).sum();
        self.waiting_max = self.waiting_max.max(waiting);
        if let Some(degradation) = &rules.policy.degradation {
            let per_slot = waiting / slots.max(1.0);
            self.degraded =
                per_slot > degradation.above || (self.degraded && per_slot >= degradation.below);
        }
    }

    /// Requests that may wait.
    fn room(&self, rules: &Rules, slots: f64, seconds: f64) -> f64 {
        let admission = rules.policy.admission;
        let queue = match admission.queue_limit {
            QueueLimit::None => f64::INFINITY,
            QueueLimit::Requests(requests) => requests as f64 * self.scenario.pools.len() as f64,
            QueueLimit::PerSlot(requests) => requests * slots,
        };
        let served: f64 = self.flows.iter().map(|flow| flow.served).sum();
        let wait = admission.refuse_wait_above;
        queue.min(wait.map_or(f64::INFINITY, |wait| wait.as_s() * served / seconds))
    }

    /// Delivered images are seen, and those who got them think of the next.
    fn spread(&mut self, seconds: f64) {
        let half_life_s = self
            .scenario
            .demands
            .iter()
            .find_map(|demand| match &demand.kind {
                DemandKind::Population(population) => population.seen_half_life_s,
                DemandKind::Rate { .. } | DemandKind::Trace(_) => None,
            });
        if let Some(half_life_s) = half_life_s {
            self.seen *= libm::exp2(-seconds / half_life_s);
        }
        for flow in &self.flows {
            self.seen += flow.served;
            if let Some(crowd) = flow.crowd {
                let images = if flow.subscribed {
                    Split {
                        own: 0.0,
                        subscribed: flow.served,
                    }
                } else {
                    Split {
                        own: flow.served,
                        subscribed: 0.0,
                    }
                };
                self.crowds[crowd].1.delivered(images);
            }
        }
    }

    fn lose(&mut self, tier: usize, lost: Lost) {
        for sum in [&mut self.tiers[tier].lost, &mut self.total.lost] {
            sum.closed += lost.closed;
            sum.quota += lost.quota;
            sum.rate_limit += lost.rate_limit;
            sum.queue_full += lost.queue_full;
            sum.abandoned += lost.abandoned;
        }
    }
}

/// Seconds of the whole fleet for so many requests; none for none, however slow the fleet.
fn busy_s(requests: f64, rate_per_s: f64) -> f64 {
    if requests > 0.0 {
        requests / rate_per_s
    } else {
        0.0
    }
}

fn rules_at(scenario: &Scenario, at: SimTime) -> &Rules {
    let after = scenario.rules.partition_point(|entry| entry.0 <= at);
    &scenario.rules[after.saturating_sub(1)].1
}

/// The steps: an equal grid, cut where the operator does something.
fn edges(scenario: &Scenario) -> Vec<SimTime> {
    let end = scenario.horizon.0;
    let wanted = (scenario.series_interval.0 / STEPS_PER_INTERVAL).max(1);
    let step = wanted.max(end / MOST_STEPS).max(1);
    let mut edges: Vec<u64> = (0..end / step).map(|i| i * step).collect();
    edges.push(end);
    edges.push(0);
    edges.extend(scenario.rules.iter().map(|entry| entry.0.0));
    for pool in &scenario.pools {
        let deliveries = pool.deliveries.iter();
        edges.extend(deliveries.map(|delivery| supply::serves_from(scenario, pool, delivery.0).0));
    }
    edges.extend(scenario.outages.iter().flat_map(|o| [o.from.0, o.until.0]));
    edges.retain(|&at| at <= end);
    edges.sort_unstable();
    edges.dedup();
    edges.into_iter().map(SimTime).collect()
}
