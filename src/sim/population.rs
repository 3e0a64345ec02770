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
use crate::scenario::Population;
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
    local_start_s: f64,
    think_ns: Sampler,
    stream: Stream,
}

/// What a window is like for a crowd.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mood {
    /// Images being seen per head of the potential of all populations.
    pub seen_per_head: f64,
    /// Whether the tier is open.
    pub open: bool,
    /// Whether the tier to which one can subscribe instead is open.
    pub subscribable: bool,
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

impl Crowd {
    pub(crate) fn new(
        population: &Population,
        share: f64,
        local_start_s: f64,
        stream: Stream,
    ) -> Self {
        Self {
            potential: population.potential * share,
            population: population.clone(),
            interested: 0,
            waiting: 0,
            sign_ups: 0,
            subscribers: 0,
            returning: 0.0,
            local_start_s,
            think_ns: population.think_s.sampler(1e9),
            stream,
        }
    }

    pub(crate) fn population(&self) -> &Population {
        &self.population
    }

    /// Calls `visit` for each first request of a session in [from, until), each kind in order of time.
    pub(crate) fn generate(
        &mut self,
        from: SimTime,
        until: SimTime,
        mood: Mood,
        mut visit: impl FnMut(SimTime, Visitor),
    ) {
        let seconds = (until - from).as_s();
        let middle_s = self.local_start_s + from.as_s() + seconds / 2.0;
        let rhythm = self.population.rhythm.factor(middle_s);
        let hazard =
            self.population.innovation_per_s + self.population.imitation_per_s * mood.seen_per_head;
        // Nobody comes twice: in a window the share 1 - exp(-hazard x time) comes at most.
        let left = (self.potential - self.interested as f64).max(0.0);
        let coming = left * -libm::expm1(-hazard * rhythm * seconds);
        self.come(from, until, coming / seconds, mood, &mut visit);
        if mood.open {
            let leaving =
                self.waiting as f64 * -libm::expm1(-rhythm * seconds / self.population.release_s);
            self.release(from, until, leaving / seconds, &mut visit);
            let sessions = self.returning * self.population.sessions_per_s * rhythm;
            self.flow(from, until, sessions, |_, at| visit(at, Visitor::Returning));
        }
        if let Some(half_life) = self.population.interest_half_life_s {
            self.returning *= libm::exp2(-seconds / half_life);
        }
    }

    /// Picks one of those who have come, by activity.
    pub(crate) fn pick(&mut self, users: usize) -> u32 {
        Users::pick(users, &mut self.stream, self.population.activity_skew)
    }

    /// When the next request of a session follows, if one does.
    pub(crate) fn next_in_session(&mut self, answered: SimTime) -> Option<SimTime> {
        let goes_on = 1.0 - 1.0 / self.population.images_per_session;
        (goes_on > 0.0 && self.stream.chance(goes_on))
            .then(|| answered + SimDuration(self.think_ns.sample_whole(&mut self.stream)))
    }

    fn come(
        &mut self,
        from: SimTime,
        until: SimTime,
        rate: f64,
        mood: Mood,
        visit: &mut impl FnMut(SimTime, Visitor),
    ) {
        self.flow(from, until, rate, |crowd, at| {
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

    fn release(
        &mut self,
        from: SimTime,
        until: SimTime,
        rate: f64,
        visit: &mut impl FnMut(SimTime, Visitor),
    ) {
        self.flow(from, until, rate, |crowd, at| {
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
    fn flow(
        &mut self,
        from: SimTime,
        until: SimTime,
        rate_per_s: f64,
        mut happens: impl FnMut(&mut Self, SimTime),
    ) {
        if rate_per_s <= 0.0 {
            return;
        }
        let gap_ns = 1e9 / rate_per_s;
        let mut elapsed_ns = self.stream.exponential() * gap_ns;
        while elapsed_ns < (until.0 - from.0) as f64 {
            happens(self, SimTime(from.0 + elapsed_ns as u64));
            elapsed_ns += self.stream.exponential() * gap_ns;
        }
    }
}
