//! A gateway: a fixed part of all users, their quotas, and the requests they send.
//!
//! There are as many gateways as pools, and each has its own users and its own random streams, so
//! gateways run in parallel and the number of threads changes nothing. A gateway makes the requests of
//! a window, refuses those that the rules forbid, and sends the others to pools; at the start of the
//! next window it hears how requests ended.

use std::sync::Arc;

use super::client;
use super::population::{Crowd, Mood, Visitor};
use super::request::{Arrival, Feedback, NOBODY, Request};
use super::routing::Router;
use super::source::{self, RateSource, TraceSource};
use super::tally::{Refusal, TierTally};
use super::users::Users;
use crate::des::Timers;
use crate::random::Stream;
use crate::scenario::{Demand, DemandKind, Process, RateCurve, Rules, Scenario};
use crate::units::SimTime;

/// A fixed part of all users.
pub(crate) struct Gateway {
    scenario: Arc<Scenario>,
    index: u16,
    demands: Vec<Part>,
    /// Users who will go on with their session.
    sessions: Timers<(u16, u32)>,
    /// By tier: requests that the rate limit still lets through, and when that was counted.
    buckets: Vec<(f64, SimTime)>,
    router: Router,
    /// What users want in the current window.
    wishes: Vec<Wish>,
    /// By pool: requests of the current window, in order of time.
    outbox: Vec<Vec<Arrival>>,
    tiers: Vec<TierTally>,
    delivered: u64,
}

/// A demand's part at a gateway.
struct Part {
    source: Source,
    users: Users,
    /// Local time of day at the scenario's start.
    local_start_s: i64,
    arrivals: Stream,
    requests: Stream,
}

enum Source {
    /// With the skew of its users' activity.
    Rate(RateSource, f64),
    Trace(TraceSource),
    Crowd(Box<Crowd>),
    /// Not at this gateway.
    Elsewhere,
}

/// Somebody wants an image.
#[derive(Clone, Copy, Debug)]
struct Wish {
    at: SimTime,
    demand: u16,
    user: u32,
    /// Work and prompt as recorded in a trace; 0: as the demand's work says.
    amount: u32,
    prompt_tokens: u32,
}

/// What a gateway needs to know at the start of a window.
pub(crate) struct Window<'a> {
    pub from: SimTime,
    pub until: SimTime,
    pub rules: &'a Rules,
    /// By pool: load and slots.
    pub pools: &'a [(f64, f64)],
    /// Images being seen per head of the potential of all populations.
    pub seen_per_head: f64,
}

/// People at a gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeopleTally {
    /// Who came or waits for the opening.
    pub interested: u64,
    /// Accounts made.
    pub sign_ups: u64,
    /// Subscriptions made.
    pub subscribers: u64,
    /// Images delivered to users or not to users.
    pub delivered: u64,
}

impl Gateway {
    pub(crate) fn new(scenario: &Arc<Scenario>, index: usize, gateways: usize) -> Self {
        let seed = scenario.seed;
        let part = |demand| Part::new(scenario, demand, index, gateways);
        let demands = 0..scenario.demands.len();
        let regions = scenario
            .pools
            .iter()
            .map(|p| scenario.clusters[p.cluster].region)
            .collect();
        let stream = seed.stream("gateway", "routing", index as u64);
        let saved = scenario.rules[0].1.tiers.iter().map(|tier| {
            tier.rate_limit
                .map_or(0.0, |limit| limit.burst / gateways as f64)
        });
        Self {
            index: index as u16,
            demands: demands.map(part).collect(),
            sessions: Timers::new(scenario.lookahead),
            buckets: saved.map(|tokens| (tokens, SimTime::ZERO)).collect(),
            router: Router::new(regions, gateways, index, stream),
            wishes: Vec::new(),
            outbox: vec![Vec::new(); scenario.pools.len()],
            tiers: vec![TierTally::default(); scenario.tiers.len()],
            delivered: 0,
            scenario: Arc::clone(scenario),
        }
    }

    /// Hears how requests of known users ended, in the order of pools.
    pub(crate) fn hear<'a>(
        &mut self,
        rules: &Rules,
        feedback: impl Iterator<Item = &'a [Feedback]> + Clone,
    ) {
        self.fetch(
            feedback
                .clone()
                .flatten()
                .map(|note| (note.demand, note.user)),
        );
        for note in feedback.flatten() {
            let demand = &self.scenario.demands[usize::from(note.demand)];
            let part = &mut self.demands[usize::from(note.demand)];
            let tier = part.tier_of(demand, note.user);
            if note.delivered {
                self.delivered += 1;
                self.tiers[tier].served_users += u64::from(part.users.served(note.user));
                if let Source::Crowd(crowd) = &mut part.source
                    && let Some(at) = crowd.next_in_session(note.at)
                {
                    self.sessions.set(at, (note.demand, note.user));
                }
            } else if let Some(quota) = rules.tiers[tier].quota {
                part.users
                    .give_back(note.user, quota, note.at, part.local_start_s);
            }
        }
    }

    /// Makes the requests of a window and sends them on their way.
    pub(crate) fn generate(&mut self, window: &Window<'_>) {
        self.outbox.iter_mut().for_each(Vec::clear);
        self.router.look(window.pools);
        self.collect_wishes(window);
        let mut wishes = std::mem::take(&mut self.wishes);
        // Each source is in order of time; the stable sort merges them.
        wishes.sort_by_key(|wish| wish.at);
        self.fetch(wishes.iter().map(|wish| (wish.demand, wish.user)));
        for wish in &wishes {
            self.send(wish, window.rules);
        }
        wishes.clear();
        self.wishes = wishes;
    }

    fn collect_wishes(&mut self, window: &Window<'_>) {
        let (from, until) = (window.from, window.until);
        while self.sessions.time(|_| true) < until
            && let Some(timer) = self.sessions.pop()
        {
            let (demand, user) = timer.what;
            // A think time that ended before its answer was heard of ends now.
            self.wishes
                .push(Wish::new(timer.at.max(from), demand, user));
        }
        for (index, demand) in self.scenario.demands.iter().enumerate() {
            let part = &mut self.demands[index];
            let wishes = &mut self.wishes;
            let index = index as u16;
            let (from, until) = (from.max(demand.from), until.min(demand.until));
            if from >= until {
                continue;
            }
            match &mut part.source {
                Source::Elsewhere => {}
                Source::Rate(source, activity_skew) => {
                    let (users, stream) = (&part.users, &mut part.requests);
                    source.generate(from, until, &mut part.arrivals, |at| {
                        let user = match users.len() {
                            0 => NOBODY,
                            _ => users.pick(stream, *activity_skew),
                        };
                        wishes.push(Wish::new(at, index, user));
                    });
                }
                Source::Trace(source) => source.generate(until, |at, row| {
                    let wish = Wish {
                        amount: row.iterations,
                        prompt_tokens: row.prompt_tokens,
                        ..Wish::new(at, index, NOBODY)
                    };
                    wishes.extend(std::iter::repeat_n(wish, row.images as usize));
                }),
                Source::Crowd(crowd) => {
                    let tiers = &window.rules.tiers;
                    let conversion = crowd.population().conversion_tier;
                    let mood = Mood {
                        seen_per_head: window.seen_per_head,
                        open: tiers[demand.tier].open,
                        subscribable: conversion.is_some_and(|tier| tiers[tier].open),
                    };
                    let users = &mut part.users;
                    let mut returning = Vec::new();
                    crowd.generate(from, until, mood, |at, visitor| match visitor {
                        Visitor::New { subscribed } => {
                            wishes.push(Wish::new(at, index, users.come(subscribed)));
                        }
                        Visitor::Returning => returning.push(at),
                    });
                    if users.len() > 0 {
                        let pick = |at| Wish::new(at, index, crowd.pick(users));
                        wishes.extend(returning.into_iter().map(pick));
                    }
                }
            }
        }
    }

    /// Asks for the words of many users at once. They lie far apart, so one by one each would be waited
    /// for; asked for together, the loads overlap, and whoever needs a word next finds it near.
    fn fetch(&self, users: impl Iterator<Item = (u16, u32)>) {
        let words =
            users.filter_map(|(demand, user)| self.demands[usize::from(demand)].users.word(user));
        std::hint::black_box(words.fold(0, |all, word| all ^ word));
    }

    /// Refuses a wish or sends it to a pool.
    fn send(&mut self, wish: &Wish, rules: &Rules) {
        let demand = &self.scenario.demands[usize::from(wish.demand)];
        let region = demand.region;
        let tier = self.demands[usize::from(wish.demand)].tier_of(demand, wish.user);
        self.tiers[tier].offered += 1;
        if let Some(refusal) = self.refusal(wish, tier, rules) {
            self.tiers[tier].attempts += 1;
            self.tiers[tier].shed[refusal as usize] += 1;
            return;
        }
        let arrival = self.arrival(wish, tier);
        let pool = self.router.choose(rules.policy.routing, region);
        self.outbox[pool].push(arrival);
    }

    fn refusal(&mut self, wish: &Wish, tier: usize, rules: &Rules) -> Option<Refusal> {
        let rules = &rules.tiers[tier];
        if !rules.open {
            return Some(Refusal::Closed);
        }
        if let Some(limit) = rules.rate_limit {
            let share = 1.0 / self.scenario.pools.len() as f64;
            let (tokens, counted) = &mut self.buckets[tier];
            let filled = *tokens + (wish.at - *counted).as_s() * limit.per_s * share;
            *tokens = filled.min((limit.burst * share).max(1.0));
            *counted = wish.at;
            if *tokens < 1.0 {
                return Some(Refusal::RateLimit);
            }
            *tokens -= 1.0;
        }
        if let (Some(quota), true) = (rules.quota, wish.user != NOBODY) {
            let part = &mut self.demands[usize::from(wish.demand)];
            if !part
                .users
                .take(wish.user, quota, wish.at, part.local_start_s)
            {
                return Some(Refusal::Quota);
            }
        }
        None
    }

    /// The request that follows from a wish; its draws come in a fixed order.
    fn arrival(&mut self, wish: &Wish, tier: usize) -> Arrival {
        let demand = &self.scenario.demands[usize::from(wish.demand)];
        let work = &self.scenario.works[demand.work];
        let client = &self.scenario.tiers[tier].client;
        let stream = &mut self.demands[usize::from(wish.demand)].requests;
        let drawn = work.sample_amount(0, stream);
        let prompt = work.prompt_tokens.sample(stream).round() as u32;
        let patience_ns = client::patience_ns(client, stream);
        let silent = client.silent_share > 0.0 && stream.chance(client.silent_share);
        let request = Request {
            first_at: wish.at,
            user: wish.user,
            gateway: self.index,
            demand: wish.demand,
            tier: tier as u8,
            tries: 1,
            amount: if wish.amount > 0 {
                u64::from(wish.amount)
            } else {
                drawn
            },
            prompt_tokens: if wish.prompt_tokens > 0 {
                wish.prompt_tokens
            } else {
                prompt
            },
            silent,
        };
        Arrival {
            at: wish.at,
            request,
            patience_ns,
        }
    }

    /// The requests of the window for a pool.
    pub(crate) fn outbox(&self, pool: usize) -> &[Arrival] {
        &self.outbox[pool]
    }

    pub(crate) fn tiers(&self) -> &[TierTally] {
        &self.tiers
    }

    /// The end of the warm-up: statistics begin anew.
    pub(crate) fn restart_statistics(&mut self) {
        self.tiers.iter_mut().for_each(TierTally::restart);
    }

    /// People of one demand, or of all.
    pub(crate) fn people(&self, demand: Option<usize>) -> PeopleTally {
        let mut people = PeopleTally {
            delivered: self.delivered,
            ..PeopleTally::default()
        };
        for (index, part) in self.demands.iter().enumerate() {
            if demand.is_none_or(|demand| demand == index)
                && let Source::Crowd(crowd) = &part.source
            {
                people.interested += crowd.interested;
                people.sign_ups += crowd.sign_ups;
                people.subscribers += crowd.subscribers;
            }
        }
        people
    }

    /// Users who are kept in memory.
    pub(crate) fn users(&self) -> usize {
        self.demands.iter().map(|part| part.users.len()).sum()
    }
}

impl Wish {
    fn new(at: SimTime, demand: u16, user: u32) -> Self {
        Self {
            at,
            demand,
            user,
            amount: 0,
            prompt_tokens: 0,
        }
    }
}

impl Part {
    fn new(scenario: &Scenario, index: usize, gateway: usize, gateways: usize) -> Self {
        let demand = &scenario.demands[index];
        let offset_s = scenario.regions[demand.region].utc_offset_s;
        let local_start_s = (scenario.start_unix_s + offset_s).rem_euclid(86_400);
        let stream = |purpose| scenario.seed.stream(&demand.name, purpose, gateway as u64);
        let share = 1.0 / gateways as f64;
        let mut users = Users::default();
        let source = match &demand.kind {
            DemandKind::Population(population) => {
                let stream = stream("population");
                let crowd = Crowd::new(population, share, local_start_s as f64, stream);
                Source::Crowd(Box::new(crowd))
            }
            DemandKind::Trace(trace) if gateway == 0 => {
                Source::Trace(TraceSource::new(Arc::clone(trace), demand.from))
            }
            DemandKind::Rate {
                curve,
                rhythm,
                process,
                users: known,
                activity_skew,
            } => {
                let own = |all: u64| (all + gateway as u64) / gateways as u64;
                users = Users::with_all(known.map_or(0, own) as usize);
                // Only Poisson arrivals are what they were when several gateways make them.
                let share = match process {
                    Process::Poisson | Process::Modulated(_) => share,
                    Process::Even | Process::Renewal(_) => f64::from(gateway == 0),
                };
                let points = curve
                    .points
                    .iter()
                    .map(|&(at, rate)| (at, rate * share))
                    .collect();
                let curve = RateCurve {
                    points,
                    linear: curve.linear,
                };
                let within = (demand.from, demand.until);
                let local_start_s = local_start_s as f64;
                let bursts = source::burst_stream(scenario.seed, &demand.name);
                let shape = (curve, rhythm.clone(), process.clone());
                let source = RateSource::new(shape, local_start_s, within, bursts);
                Source::Rate(source, *activity_skew)
            }
            DemandKind::Trace(_) => Source::Elsewhere,
        };
        Self {
            source,
            users,
            local_start_s,
            arrivals: stream("arrivals"),
            requests: stream("requests"),
        }
    }

    /// The tier whose rules hold for a user.
    fn tier_of(&self, demand: &Demand, user: u32) -> usize {
        match &self.source {
            Source::Crowd(crowd) if user != NOBODY && self.users.is_subscribed(user) => {
                crowd.population().conversion_tier.unwrap_or(demand.tier)
            }
            _ => demand.tier,
        }
    }
}
