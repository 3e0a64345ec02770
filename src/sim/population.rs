//! People who see other people's images and come: the part of a population at one gateway.
//!
//! The hazard is common to all gateways and changes from window to window (see `scenario::Population`
//! for the formula); within a window each of the flows below is a Poisson process of constant rate.
//!
//! ```text
//! those who have not come --hazard--> open?  --yes--> first session, then interested
//!                                      |no
//!                                      +--> waiting for the opening --release--> first session ...
//! interested --sessions--> a session      session --another image?--> a request, after thinking
//! ```

use super::users::Users;
use crate::random::{Sampler, Stream};
use crate::scenario::{DemandKind, Population, Rules, Scenario};
use crate::units::{SimDuration, SimTime};

/// The people of one demand at one gateway.
#[derive(Clone, Debug)]
pub(crate) struct Crowd {
    population: Population,
    /// People at this gateway who may come.
    potential: f64,
    /// People who have come or wait for the opening.
    pub interested: u64,
    /// People who wait for the opening.
    pub waiting: u64,
    /// Accounts made.
    pub sign_ups: u64,
    /// Subscriptions made instead of waiting.
    pub subscribers: u64,
    /// People still interested after their first session: an expectation, fading continuously.
    returning: f64,
    /// The chance that another request of a session follows.
    goes_on: f64,
    think_ns: Sampler,
    stream: Stream,
}

/// What a window is like for the people of a demand: the same at every gateway, so it is worked out once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mood {
    /// The window, as far as the demand is active in it.
    from: SimTime,
    until: SimTime,
    seconds: f64,
    rhythm: f64,
    /// The share of those who have not come that comes.
    coming: f64,
    /// The share of those who wait for the opening that comes, once it is open.
    leaving: f64,
    /// The share of interest that is left at the end.
    fading: f64,
    /// Whether the tier is open.
    open: bool,
    /// Whether the tier to which one can subscribe instead is open.
    subscribable: bool,
}

/// Somebody who sends a first request of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visitor {
    /// For the first time; whether he has just subscribed.
    New {
        /// Whether he has just subscribed.
        subscribed: bool,
    },
    /// Again.
    Returning,
}

impl Mood {
    /// Of a demand in [from, until) while `seen_per_head` images are being seen per head of the potential of
    /// all populations; `None` where it has no population or is not active.
    pub(crate) fn new(
        scenario: &Scenario,
        rules: &Rules,
        demand: usize,
        (from, until): (SimTime, SimTime),
        seen_per_head: f64,
    ) -> Option<Self> {
        let local_start_s = local_start_s(scenario, demand) as f64;
        let demand = &scenario.demands[demand];
        let (from, until) = (from.max(demand.from), until.min(demand.until));
        let population = match &demand.kind {
            DemandKind::Population(population) if from < until => population,
            _ => return None,
        };
        let seconds = (until - from).as_s();
        let middle_s = local_start_s + from.as_s() + seconds / 2.0;
        let rhythm = population.rhythm.factor(middle_s);
        let hazard = population.innovation_per_s + population.imitation_per_s * seen_per_head;
        let conversion = population.conversion_tier;
        Some(Self {
            from,
            until,
            seconds,
            rhythm,
            // Nobody comes twice: in a window the share 1 - exp(-hazard x time) comes at most.
            coming: -libm::expm1(-hazard * rhythm * seconds),
            leaving: -libm::expm1(-rhythm * seconds / population.release_s),
            fading: population
                .interest_half_life_s
                .map_or(1.0, |half_life| libm::exp2(-seconds / half_life)),
            open: rules.tiers[demand.tier].open,
            subscribable: conversion.is_some_and(|tier| rules.tiers[tier].open),
        })
    }
}

/// Local time of day at the scenario's start where the users of a demand are.
pub(crate) fn local_start_s(scenario: &Scenario, demand: usize) -> i64 {
    let offset_s = scenario.regions[scenario.demands[demand].region].utc_offset_s;
    (scenario.start_unix_s + offset_s).rem_euclid(86_400)
}

impl Crowd {
    pub(crate) fn new(population: &Population, share: f64, stream: Stream) -> Self {
        Self {
            potential: population.potential * share,
            population: population.clone(),
            interested: 0,
            waiting: 0,
            sign_ups: 0,
            subscribers: 0,
            returning: 0.0,
            goes_on: 1.0 - 1.0 / population.images_per_session,
            think_ns: population.think_s.sampler(1e9),
            stream,
        }
    }

    /// Calls `visit` for each first request of a session in a window, each kind in order of time.
    pub(crate) fn generate(&mut self, mood: &Mood, mut visit: impl FnMut(SimTime, Visitor)) {
        let left = (self.potential - self.interested as f64).max(0.0);
        self.come(left * mood.coming / mood.seconds, mood, &mut visit);
        if mood.open {
            let leaving = self.waiting as f64 * mood.leaving;
            self.release(leaving / mood.seconds, mood, &mut visit);
            let sessions = self.returning * self.population.sessions_per_s * mood.rhythm;
            self.flow(sessions, mood, |_, at| visit(at, Visitor::Returning));
        }
        self.returning *= mood.fading;
    }

    /// Picks one of those who have come, by activity.
    pub(crate) fn pick(&mut self, users: usize) -> u32 {
        Users::pick(users, &mut self.stream, self.population.activity_skew)
    }

    /// When the next request of a session follows, if one does.
    pub(crate) fn next_in_session(&mut self, answered: SimTime) -> Option<SimTime> {
        if self.goes_on <= 0.0 || !self.stream.chance(self.goes_on) {
            return None;
        }
        let think = SimDuration(self.think_ns.sample_whole(&mut self.stream));
        Some(answered + think)
    }

    fn come(&mut self, rate: f64, mood: &Mood, visit: &mut impl FnMut(SimTime, Visitor)) {
        self.flow(rate, mood, |crowd, at| {
            crowd.interested += 1;
            let subscribes = !mood.open
                && mood.subscribable
                && crowd.stream.chance(crowd.population.conversion_share);
            if mood.open || subscribes {
                crowd.subscribers += u64::from(subscribes);
                crowd.first_visit();
                visit(
                    at,
                    Visitor::New {
                        subscribed: subscribes,
                    },
                );
            } else {
                crowd.waiting += 1;
            }
        });
    }

    fn release(&mut self, rate: f64, mood: &Mood, visit: &mut impl FnMut(SimTime, Visitor)) {
        self.flow(rate, mood, |crowd, at| {
            if crowd.waiting > 0 {
                crowd.waiting -= 1;
                crowd.first_visit();
                visit(at, Visitor::New { subscribed: false });
            }
        });
    }

    fn first_visit(&mut self) {
        self.returning += 1.0;
        let newcomer = self.population.newcomer_share;
        self.sign_ups += u64::from(newcomer > 0.0 && self.stream.chance(newcomer));
    }

    /// A Poisson process of constant rate.
    fn flow(&mut self, rate_per_s: f64, mood: &Mood, mut happens: impl FnMut(&mut Self, SimTime)) {
        if rate_per_s <= 0.0 {
            return;
        }
        let (from, length_ns) = (mood.from, (mood.until.0 - mood.from.0) as f64);
        let gap_ns = 1e9 / rate_per_s;
        let mut elapsed_ns = self.stream.exponential() * gap_ns;
        while elapsed_ns < length_ns {
            happens(self, SimTime(from.0 + elapsed_ns as u64));
            elapsed_ns += self.stream.exponential() * gap_ns;
        }
    }
}
