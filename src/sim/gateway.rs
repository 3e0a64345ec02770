//! A gateway: a fixed part of all users, their quotas, and the requests they send.
//!
//! There are as many gateways as pools, and each has its own users and its own random streams, so
//! gateways run in parallel and the number of threads changes nothing. A gateway makes the requests of
//! a window, refuses those that the rules forbid, and sends the others to pools; at the start of the
//! next window it hears how requests ended.

use std::sync::Arc;

use super::gate::{Bucket, Gate};
use super::population::{Crowd, Mood, Visitor, local_start_s};
use super::request::{Arrival, Asker, Feedback, NOBODY, Request};
use super::routing::{Choice, Router};
use super::source::{self, RateSource, TraceSource};
use super::tally::TierTally;
use super::transit::{Passage, Transit};
use super::users::Users;
use crate::des::{Sorter, Timers, covering_bits, sift};
use crate::random::{Sampler, Stream};
use crate::scenario::{DemandKind, Process, RateCurve, Routing, Rules, Scenario, TraceRow};
use crate::units::SimTime;

/// The words of so many users fit into the cache next to a core.
const TOGETHER: usize = 256;

/// A fixed part of all users.
pub(crate) struct Gateway {
    scenario: Arc<Scenario>,
    index: u16,
    demands: Vec<Part>,
    /// Users who will go on with their session.
    sessions: Timers<(u16, u32)>,
    /// By tier.
    buckets: Vec<Bucket>,
    router: Router,
    routing: Routing,
    /// Who is still on his way when a window ends.
    transit: Transit,
    /// What users want in the current window.
    wishes: Vec<Wish>,
    sorter: Sorter<Wish>,
    /// For arrivals that overtake others.
    overtaking: Sorter<Arrival>,
    /// When somebody comes back in it: the memory is used again.
    returning: Vec<SimTime>,
    /// What is heard that changes a user: the memory is used again.
    changes: Vec<Feedback>,
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
    /// The rules for those who have not subscribed and for those who have.
    gates: [Gate; 2],
    /// Iterations (or nanoseconds of service) that a request asks for.
    amount: Sampler,
    prompt_tokens: Sampler,
    arrivals: Stream,
    requests: Stream,
    /// By pool: requests sent.
    sent: Vec<u64>,
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
    /// The user within the demand, or the row of its trace. A trace knows no users, so looking for such a user
    /// finds none.
    who: u32,
}

/// What a gateway needs to know at the start of a window.
pub(crate) struct Window<'a> {
    pub from: SimTime,
    pub until: SimTime,
    /// By pool: load and slots.
    pub pools: &'a [(f64, f64)],
    /// By demand, where it has a population that is active.
    pub moods: &'a [Option<Mood>],
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
        let pools = scenario.pools.len();
        let choices = demands.clone().map(|demand| Choice::new(scenario, demand));
        let stream = seed.stream("gateway", "routing", index as u64);
        let rules = &scenario.rules[0].1;
        let bucket = |tier: &crate::scenario::TierRules| Bucket::new(tier.rate_limit, gateways);
        Self {
            index: index as u16,
            demands: demands.map(part).collect(),
            sessions: Timers::new(scenario.lookahead),
            buckets: rules.tiers.iter().map(bucket).collect(),
            router: Router::new(choices.collect(), pools, index, stream),
            routing: rules.policy.routing,
            transit: Transit::default(),
            wishes: Vec::new(),
            sorter: Sorter::default(),
            overtaking: Sorter::default(),
            returning: Vec::new(),
            changes: Vec::new(),
            outbox: vec![Vec::new(); pools],
            tiers: vec![TierTally::default(); scenario.tiers.len()],
            delivered: 0,
            scenario: Arc::clone(scenario),
        }
    }

    /// New rules hold from now on.
    pub(crate) fn apply(&mut self, rules: &Rules) {
        let gateways = self.scenario.pools.len();
        for (bucket, tier) in self.buckets.iter_mut().zip(&rules.tiers) {
            bucket.apply(tier.rate_limit, gateways);
        }
        for (index, part) in self.demands.iter_mut().enumerate() {
            part.gates = gates(&self.scenario, rules, index, part.local_start_s);
        }
        self.routing = rules.policy.routing;
    }

    /// Hears how requests of known users ended, in the order of pools.
    pub(crate) fn hear<'a>(&mut self, feedback: impl Iterator<Item = &'a [Feedback]> + Clone) {
        let mut changes = std::mem::take(&mut self.changes);
        for notes in feedback.clone() {
            sift(&mut changes, notes, Feedback::changes_user);
        }
        for notes in changes.chunks(TOGETHER) {
            self.fetch(notes.iter().map(|note| (note.demand, note.user)));
            notes.iter().for_each(|note| self.change_user(note));
        }
        changes.clear();
        self.changes = changes;
        let notes = feedback.flatten();
        let delivered = notes.filter(|note| note.delivered);
        delivered.for_each(|note| self.go_on(note));
    }

    /// What is kept of a user changes: he has got an image, or gets one of his quota back.
    fn change_user(&mut self, note: &Feedback) {
        let part = &mut self.demands[usize::from(note.demand)];
        if let Some(user) = part.users.get_mut(note.user) {
            let gate = &mut part.gates[usize::from(user.is_subscribed())];
            if note.delivered {
                self.tiers[gate.tier].served_users += u64::from(user.served());
            } else if let Some(allowance) = &mut gate.allowance {
                user.give_back(allowance, note.at);
            }
        }
    }

    /// An image was delivered, after which its user may want another.
    fn go_on(&mut self, note: &Feedback) {
        let part = &mut self.demands[usize::from(note.demand)];
        self.delivered += 1;
        if let Source::Crowd(crowd) = &mut part.source
            && let Some(at) = crowd.next_in_session(note.at)
        {
            self.sessions.set(at, (note.demand, note.user));
        }
    }

    /// Makes the requests of a window and sends them on their way.
    pub(crate) fn generate(&mut self, window: &Window<'_>) {
        self.outbox.iter_mut().for_each(Vec::clear);
        self.router.look(window.pools);
        self.collect_wishes(window);
        let mut wishes = std::mem::take(&mut self.wishes);
        let bits = covering_bits(window.from, window.until);
        self.sorter
            .sort(&mut wishes, window.from, bits, |wish| wish.at);
        self.let_arrive(window.until);
        for wishes in wishes.chunks(TOGETHER) {
            self.fetch(wishes.iter().map(|wish| (wish.demand, wish.who)));
            wishes.iter().for_each(|wish| self.send(wish, window.until));
        }
        wishes.clear();
        self.wishes = wishes;
        self.put_in_order(window);
    }

    /// Ways of different lengths mix up arrivals that were sent in order.
    fn put_in_order(&mut self, window: &Window<'_>) {
        let bits = covering_bits(window.from, window.until);
        for arrivals in &mut self.outbox {
            self.overtaking
                .sort(arrivals, window.from, bits, |arrival| arrival.at);
        }
    }

    fn collect_wishes(&mut self, window: &Window<'_>) {
        let (from, until) = (window.from, window.until);
        self.sessions.open_until(until, |_| true);
        while self.sessions.time() < until
            && let Some((at, (demand, user))) = self.sessions.pop()
        {
            // A think time that ended before its answer was heard of ends now.
            self.wishes.push(Wish::new(at.max(from), demand, user));
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
                            count => Users::pick(count, stream, *activity_skew),
                        };
                        wishes.push(Wish::new(at, index, user));
                    });
                }
                Source::Trace(source) => source.generate(until, |at, number, row| {
                    let wish = Wish::new(at, index, number);
                    wishes.extend(std::iter::repeat_n(wish, row.images as usize));
                }),
                Source::Crowd(crowd) => {
                    let Some(mood) = &window.moods[usize::from(index)] else {
                        continue;
                    };
                    let users = &mut part.users;
                    let returning = &mut self.returning;
                    crowd.generate(mood, |at, visitor| match visitor {
                        Visitor::New { subscribed } => {
                            wishes.push(Wish::new(at, index, users.come(subscribed)));
                        }
                        Visitor::Returning => returning.push(at),
                    });
                    // Who has come is known, so somebody is there to come back.
                    for &at in &self.returning {
                        wishes.push(Wish::new(at, index, crowd.pick(users.len())));
                    }
                    self.returning.clear();
                }
            }
        }
    }

    /// Asks for the words of many users at once. They lie far apart, so one by one each would be waited
    /// for; asked for together, the loads overlap, and whoever needs a word next finds it near.
    fn fetch(&self, users: impl Iterator<Item = (u16, u32)>) {
        let users =
            users.filter_map(|(demand, user)| self.demands[usize::from(demand)].users.get(user));
        std::hint::black_box(users.fold(0, |all, user| all ^ user.word()));
    }

    /// Refuses a wish or sends it to a pool; the draws of a request come in a fixed order.
    fn send(&mut self, wish: &Wish, until: SimTime) {
        let part = &mut self.demands[usize::from(wish.demand)];
        let user = part.users.get_mut(wish.who);
        let before = user.as_deref().copied().unwrap_or_default();
        let subscribed = before.is_subscribed();
        let gate = &mut part.gates[usize::from(subscribed)];
        let tally = &mut self.tiers[gate.tier];
        tally.offered += 1;
        if let Some(refusal) = gate.refusal(wish.at, user, &mut self.buckets[gate.tier]) {
            tally.attempts += 1;
            tally.shed[refusal as usize] += 1;
            return;
        }
        let amount = part.amount.sample_whole(&mut part.requests).max(1);
        let prompt_tokens = (part.prompt_tokens.sample(&mut part.requests) + 0.5) as u32;
        let (patience_ns, silent) = gate.patience(&mut part.requests);
        let (user, amount, prompt_tokens) = match &part.source {
            Source::Trace(trace) => recorded(trace.row(wish.who), amount, prompt_tokens),
            _ => (wish.who, amount, prompt_tokens),
        };
        let (pool, delay) = self.router.choose(self.routing, usize::from(wish.demand));
        part.sent[pool] += 1;
        let arrival = Arrival {
            at: wish.at + delay,
            request: Request {
                first_at: wish.at,
                user,
                gateway: self.index,
                demand: wish.demand,
                tier: gate.tier as u8,
                tries: 1,
                amount,
                prompt_tokens,
                asker: Asker::new(silent, before.was_served()),
            },
            // A user does not wait longer because the way is longer.
            patience_ns: match patience_ns {
                u64::MAX => u64::MAX,
                patience_ns => patience_ns.saturating_sub(delay.0),
            },
        };
        if arrival.at < until {
            self.outbox[pool].push(arrival);
        } else {
            self.set_out(Passage {
                arrival,
                pool: Some(pool as u32),
                retries: false,
            });
        }
    }

    /// A request is on its way, and in the system.
    pub(crate) fn set_out(&mut self, passage: Passage) {
        let tier = usize::from(passage.arrival.request.tier);
        self.tiers[tier].in_system += 1;
        self.transit.set_out(passage);
    }

    /// Who was on his way arrives in this window.
    fn let_arrive(&mut self, until: SimTime) {
        for passage in self.transit.arriving(until) {
            let Passage { arrival, pool, .. } = passage;
            let request = &arrival.request;
            let tally = &mut self.tiers[usize::from(request.tier)];
            tally.in_system -= 1;
            tally.retries += u64::from(passage.retries);
            let route = || {
                self.router
                    .choose(self.routing, usize::from(request.demand))
                    .0
            };
            let pool = pool.map_or_else(route, |pool| pool as usize);
            self.outbox[pool].push(arrival);
        }
    }

    /// By demand and pool: requests sent since the start or the end of the warm-up.
    pub(crate) fn sent(&self) -> impl Iterator<Item = &[u64]> {
        self.demands.iter().map(|part| part.sent.as_slice())
    }

    /// The requests of the window for a pool, in order of time.
    pub(crate) fn outbox(&self, pool: usize) -> &[Arrival] {
        &self.outbox[pool]
    }

    pub(crate) fn tiers(&self) -> &[TierTally] {
        &self.tiers
    }

    /// The end of the warm-up: statistics begin anew.
    pub(crate) fn restart_statistics(&mut self) {
        self.tiers.iter_mut().for_each(TierTally::restart);
        self.demands.iter_mut().for_each(|part| part.sent.fill(0));
    }

    /// Images delivered to users.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered
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
    fn new(at: SimTime, demand: u16, who: u32) -> Self {
        Self { at, demand, who }
    }
}

/// The user, the work and the prompt of a trace's row; where it has 0, as the demand's work says.
fn recorded(row: &TraceRow, amount: u64, prompt_tokens: u32) -> (u32, u64, u32) {
    let amount = match row.iterations {
        0 => amount,
        iterations => u64::from(iterations),
    };
    let prompt_tokens = match row.prompt_tokens {
        0 => prompt_tokens,
        tokens => tokens,
    };
    (NOBODY, amount, prompt_tokens)
}

impl Part {
    fn new(scenario: &Scenario, index: usize, gateway: usize, gateways: usize) -> Self {
        let demand = &scenario.demands[index];
        let local_start_s = local_start_s(scenario, index);
        let stream = |purpose| scenario.seed.stream(&demand.name, purpose, gateway as u64);
        let share = 1.0 / gateways as f64;
        let mut users = Users::default();
        let source = match &demand.kind {
            DemandKind::Population(population) => {
                let stream = stream("population");
                Source::Crowd(Box::new(Crowd::new(population, share, stream)))
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
        let work = &scenario.works[demand.work];
        Self {
            source,
            users,
            local_start_s,
            gates: gates(scenario, &scenario.rules[0].1, index, local_start_s),
            amount: work.amount_sampler(0),
            prompt_tokens: work.prompt_tokens.sampler(1.0),
            arrivals: stream("arrivals"),
            requests: stream("requests"),
            sent: vec![0; scenario.pools.len()],
        }
    }
}

/// The gates of a demand: for those who have not subscribed and for those who have.
fn gates(scenario: &Scenario, rules: &Rules, demand: usize, local_start_s: i64) -> [Gate; 2] {
    let demand = &scenario.demands[demand];
    let subscribed = match &demand.kind {
        DemandKind::Population(population) => population.conversion_tier,
        _ => None,
    };
    let gate = |tier| Gate::new(scenario, rules, tier, local_start_s);
    [gate(demand.tier), gate(subscribed.unwrap_or(demand.tier))]
}
