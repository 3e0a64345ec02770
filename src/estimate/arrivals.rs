//! Expected requests of each kind of demand.

use crate::scenario::{Demand, DemandKind, Population, Process, RateCurve, Rhythm, Scenario};
use crate::units::SimTime;

/// Longest stretch over which an hourly rhythm is integrated at once, in seconds.
const RHYTHM_STRETCH_S: f64 = 900.0;
/// Stretches into which a cycle of a cosine is cut.
const STRETCHES_PER_CYCLE: f64 = 12.0;
/// Most stretches in a step: the cycles are then so short that they average out.
const MOST_STRETCHES: f64 = 64.0;

/// Local time at the start of the scenario in a demand's region, in seconds after midnight.
pub(super) fn local_start_s(scenario: &Scenario, demand: &Demand) -> f64 {
    let offset_s = scenario.regions[demand.region].utc_offset_s;
    (scenario.start_unix_s + offset_s).rem_euclid(86_400) as f64
}

/// The integral of curve x rhythm over the part of [from, until) in which the demand is on, exact for a
/// curve without rhythm, times the mean factor of the process.
pub(super) fn requests_of_rate(
    demand: &Demand,
    (curve, rhythm, process): (&RateCurve, &Rhythm, &Process),
    local_start_s: f64,
    (from, until): (SimTime, SimTime),
) -> f64 {
    let (from, until) = (from.max(demand.from), until.min(demand.until));
    let mut edges = vec![from];
    let within = curve.points.iter().map(|point| point.0);
    edges.extend(within.filter(|&at| from < at && at < until));
    edges.push(until);
    let rate = |s: f64| curve.at(SimTime::from_s(s)) * rhythm.factor(local_start_s + s);
    let requests: f64 = edges
        .windows(2)
        .filter(|pair| pair[0] < pair[1])
        .map(|pair| {
            let (start, end) = (pair[0].as_s(), pair[1].as_s());
            let parts = ((end - start) / stretch_s(rhythm)).ceil();
            integral(start, end, parts.clamp(1.0, MOST_STRETCHES), rate)
        })
        .sum();
    requests * process.mean_factor()
}

/// Length over which a rhythm is nearly a polynomial.
fn stretch_s(rhythm: &Rhythm) -> f64 {
    match rhythm {
        Rhythm::Flat => f64::INFINITY,
        Rhythm::Cosine { period_s, .. } => period_s / STRETCHES_PER_CYCLE,
        Rhythm::Hourly(_) => RHYTHM_STRETCH_S,
    }
}

/// Gauss and Legendre's rule with two points on each of `parts` parts: exact for straight lines, and it
/// never looks at an edge, where the rate may jump.
fn integral(start: f64, end: f64, parts: f64, rate: impl Fn(f64) -> f64) -> f64 {
    let half = 0.5 * (end - start) / parts;
    let offset = half / libm::sqrt(3.0);
    (0..parts as u64)
        .map(|i| {
            let middle = start + half * (2 * i + 1) as f64;
            half * (rate(middle - offset) + rate(middle + offset))
        })
        .sum()
}

/// The images of a trace in [from, until); the trace starts at the demand's start.
pub(super) fn requests_of_trace(demand: &Demand, (from, until): (SimTime, SimTime)) -> f64 {
    let DemandKind::Trace(trace) = &demand.kind else {
        return 0.0;
    };
    let until = until.min(demand.until);
    let index = |at: SimTime| {
        let shifted = SimTime(at.0.saturating_sub(demand.from.0));
        trace.rows.partition_point(|row| row.at < shifted)
    };
    let (first, last) = (index(from), index(until));
    let images = trace.rows[first..last.max(first)].iter();
    images.map(|row| f64::from(row.images)).sum()
}

/// The people of a population, as expected numbers; the flows are those of `sim`'s crowd.
#[derive(Clone, Debug)]
pub(super) struct Crowd<'a> {
    population: &'a Population,
    local_start_s: f64,
    /// People who have come or wait for the opening.
    pub(super) interested: f64,
    waiting: f64,
    /// People who have sent a first request, by the tier whose rules hold for them.
    came: Split,
    /// Those of them who are still interested.
    returning: f64,
    /// People between two images of a session.
    thinking: Split,
}

/// A number by the tier whose rules hold: the demand's own, or the one subscribed to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Split {
    pub(super) own: f64,
    pub(super) subscribed: f64,
}

/// What a step of the fluid model is like for a crowd.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mood {
    /// Images being seen per head of the potential of all populations.
    pub(super) seen_per_head: f64,
    /// Whether the tier is open.
    pub(super) open: bool,
    /// Whether the tier to which one can subscribe instead is open.
    pub(super) subscribable: bool,
}

impl<'a> Crowd<'a> {
    pub(super) fn new(population: &'a Population, local_start_s: f64) -> Self {
        Self {
            population,
            local_start_s,
            interested: 0.0,
            waiting: 0.0,
            came: Split::default(),
            returning: 0.0,
            thinking: Split::default(),
        }
    }

    /// Expected requests in [from, until).
    pub(super) fn requests(&mut self, from: SimTime, until: SimTime, mood: Mood) -> Split {
        let population = self.population;
        let seconds = (until - from).as_s();
        let middle_s = self.local_start_s + from.as_s() + 0.5 * seconds;
        let rhythm = population.rhythm.factor(middle_s);
        let hazard = population.innovation_per_s + population.imitation_per_s * mood.seen_per_head;
        let left = (population.potential - self.interested).max(0.0);
        let coming = left * -libm::expm1(-hazard * rhythm * seconds);
        self.interested += coming;
        let mut requests = self.go_on(seconds);
        let mut first = Split::default();
        if mood.open {
            first.own = coming;
            let released = self.waiting * -libm::expm1(-rhythm * seconds / population.release_s);
            self.waiting -= released;
            first.own += released;
            self.add_sessions(seconds, rhythm, &mut requests);
        } else {
            if mood.subscribable {
                first.subscribed = coming * population.conversion_share;
            }
            self.waiting += coming - first.subscribed;
        }
        self.fade(seconds);
        self.came.own += first.own;
        self.came.subscribed += first.subscribed;
        self.returning += first.own + first.subscribed;
        requests.own += first.own;
        requests.subscribed += first.subscribed;
        requests
    }

    /// Those who have got an image think, and go on with the chance that a session has another.
    pub(super) fn delivered(&mut self, images: Split) {
        let goes_on = 1.0 - 1.0 / self.population.images_per_session.max(1.0);
        self.thinking.own += goes_on * images.own;
        self.thinking.subscribed += goes_on * images.subscribed;
    }

    /// Mean images in a session.
    pub(super) fn images_per_session(&self) -> f64 {
        self.population.images_per_session
    }

    /// The next requests of running sessions.
    fn go_on(&mut self, seconds: f64) -> Split {
        let think_s = self.population.think_s.mean().max(1e-9);
        let share = -libm::expm1(-seconds / think_s);
        let next = Split {
            own: share * self.thinking.own,
            subscribed: share * self.thinking.subscribed,
        };
        self.thinking.own -= next.own;
        self.thinking.subscribed -= next.subscribed;
        next
    }

    /// Further sessions of those who have come, spread over the tiers like the people.
    fn add_sessions(&self, seconds: f64, rhythm: f64, requests: &mut Split) {
        let came = self.came.own + self.came.subscribed;
        if came > 0.0 {
            let per_head =
                self.returning * self.population.sessions_per_s * rhythm * seconds / came;
            requests.own += per_head * self.came.own;
            requests.subscribed += per_head * self.came.subscribed;
        }
    }

    fn fade(&mut self, seconds: f64) {
        if let Some(half_life_s) = self.population.interest_half_life_s {
            self.returning *= libm::exp2(-seconds / half_life_s);
        }
    }
}
