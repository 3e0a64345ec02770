//! The fluid model: a scenario in steps of expected numbers.

use serde::Serialize;

use super::arrivals::{self, Crowd, Mood, Split};
use super::fleet::Fleet;
use super::{Capacity, TierEstimate, supply};
use crate::scenario::{DemandKind, QuotaWindow, Rules, Scenario};
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
pub(super) struct Flow<'a> {
    pub(super) demand: usize,
    pub(super) tier: usize,
    /// Whether these are the subscribers of a population's demand.
    subscribed: bool,
    crowd: Option<usize>,
    source: &'a DemandKind,
    pub(super) waiting: f64,
    /// Of this step: wanted, let in, served, and neither served nor gone yet.
    pub(super) offered: f64,
    pub(super) admitted: f64,
    pub(super) served: f64,
    pub(super) left: f64,
}

/// Where and when the fleet is loaded most.
#[derive(Clone, Debug, Default)]
pub(super) struct Peak {
    /// Of the group that is loaded most; the queue grows from 1 on.
    pub(super) load: f64,
    /// Middle of its step, in seconds after the start.
    pub(super) at_s: f64,
    /// The demands that load it, sorted.
    pub(super) demands: Vec<usize>,
    /// The pools that they load, sorted.
    pub(super) pools: Vec<usize>,
    /// Replicas in service then, by pool.
    pub(super) replicas: Vec<f64>,
}

/// The state of the model and what it has found.
pub(super) struct Fluid<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) fleet: Fleet<'a>,
    pub(super) flows: Vec<Flow<'a>>,
    crowds: Vec<(usize, Crowd<'a>)>,
    seen: f64,
    /// By site: whether it is so full that it gives a lower quality.
    pub(super) degraded: Vec<bool>,
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
    pub(super) peak: Peak,
    /// By demand: seconds in which it asks and nobody who may serve it is there, while others are.
    pub(super) stranded_s: Vec<f64>,
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
        let fleet = Fleet::new(scenario);
        Self {
            scenario,
            flows,
            crowds,
            seen: 0.0,
            degraded: vec![false; fleet.sites()],
            fleet,
            tiers: scenario
                .tiers
                .iter()
                .map(|tier| named(&tier.name))
                .collect(),
            total: named("all"),
            capacity: Vec::new(),
            needed_s: 0.0,
            possible_s: 0.0,
            peak: Peak::default(),
            stranded_s: vec![0.0; scenario.demands.len()],
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
        self.fleet.look(from, until);
        self.note_load(&self.full_rates(rules, false), from, seconds);
        self.serve(rules, &self.full_rates(rules, true), seconds);
        self.keep_waiting(rules, seconds);
        self.tell_scalers(rules, until);
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

    /// What autoscalers measure.
    fn tell_scalers(&mut self, rules: &Rules, until: SimTime) {
        let mut came = vec![0.0; self.scenario.demands.len()];
        let mut wait = came.clone();
        for flow in &self.flows {
            came[flow.demand] += flow.admitted;
            wait[flow.demand] += flow.waiting;
        }
        self.fleet.tell(rules, until, [&came, &wait]);
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

    pub(super) fn lose(&mut self, tier: usize, lost: Lost) {
        for sum in [&mut self.tiers[tier].lost, &mut self.total.lost] {
            sum.closed += lost.closed;
            sum.quota += lost.quota;
            sum.rate_limit += lost.rate_limit;
            sum.queue_full += lost.queue_full;
            sum.abandoned += lost.abandoned;
        }
    }
}

fn rules_at(scenario: &Scenario, at: SimTime) -> &Rules {
    let after = scenario.rules.partition_point(|entry| entry.0 <= at);
    &scenario.rules[after.saturating_sub(1)].1
}

/// The steps: an equal grid, cut where the operator or an autoscaler does something.
fn edges(scenario: &Scenario) -> Vec<SimTime> {
    let end = scenario.horizon.0;
    let wanted = (scenario.series_interval.0 / STEPS_PER_INTERVAL).max(1);
    let least = (end / MOST_STEPS).max(1);
    let step = wanted.max(least);
    let mut edges: Vec<u64> = (0..end / step).map(|i| i * step).collect();
    for scaler in scenario
        .autoscalers
        .iter()
        .filter(|scaler| scaler.every.0 >= least)
    {
        edges.extend((1..=end / scaler.every.0).map(|i| i * scaler.every.0));
    }
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
