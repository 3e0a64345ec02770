//! Replicas that always have work: jumping from change to change against playing every iteration.
//!
//! Images of 1056 tokens in batches of 16, all asked for at the start; prompts are drawn. Either the 16 of
//! a first batch begin together, and then end together for ever, or they begin spread over an image's
//! time, and then one of 16 is replaced every 66 iterations. There is one replica, or a fleet of them
//! behind one event list. Three ways must give the same departures: the engine's `Replica`, a loop over
//! iterations, and (for one replica) the whole engine with a trace of these images.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

use meltpoint::profile::{Phase, ServiceCurve};
use meltpoint::random::{Law, Seed, Stream};
use meltpoint::scenario::{Batching, DemandKind, Scenario, Trace, TraceRow, WorkUnit};
use meltpoint::sim::Simulation;
use meltpoint::units::{SimDuration, SimTime};

use crate::outcome::Outcome;
use crate::replica::{Joiner, Replica};

const PLACES: usize = 16;
const TOKENS: u64 = 1056;

/// How the first batch begins.
#[derive(Clone, Copy)]
pub(crate) enum Start {
    Together,
    Spread,
}

/// What is asked of the replicas.
#[derive(Clone)]
pub(crate) struct Images {
    pub start: Start,
    pub replicas: u32,
    pub images_each: u64,
    /// Prompt tokens, used in turn.
    prompts: Vec<u32>,
}

impl Images {
    pub(crate) fn new(start: Start, replicas: u32, images_each: u64, seed: Seed) -> Self {
        let law = Law::Lognormal {
            mean: 600.0,
            variation: 0.8,
        };
        let mut stream = seed.stream("bench", "prompts", 0);
        let prompt = |stream: &mut Stream| law.sample(stream).round() as u32;
        Self {
            start,
            replicas,
            images_each,
            prompts: (0..1024).map(|_| prompt(&mut stream)).collect(),
        }
    }

    /// Iterations of the n-th image of a replica.
    fn tokens(&self, image: u64) -> u64 {
        match self.start {
            Start::Spread if image < PLACES as u64 => TOKENS / PLACES as u64 * (image + 1),
            _ => TOKENS,
        }
    }

    fn prompt_tokens(&self, replica: u32, image: u64) -> u32 {
        self.prompts[(u64::from(replica) * 7 + image) as usize % self.prompts.len()]
    }
}

/// Iteration times in whole nanoseconds for every batch, so that a sum of rounded iterations is exact.
fn curve() -> ServiceCurve {
    ServiceCurve::tabulated(&[(1, 0.021), (16, 0.036)], PLACES as u32, 4e-9, 20e-6)
}

/// What a replica does at the end of the time for which it said it was busy: departures are told, and the
/// time until which it is busy next is returned, or none.
pub(crate) trait Plays: Sized {
    fn new(number: u32) -> Self;
    fn play(
        &mut self,
        now: SimTime,
        images: &Images,
        curve: &ServiceCurve,
        left: &mut impl FnMut(SimTime),
    ) -> Option<SimTime>;
}

/// All replicas from the start to the last departure.
fn play<R: Plays>(images: &Images, left: &mut impl FnMut(SimTime)) {
    let curve = curve();
    let mut replicas: Vec<R> = (0..images.replicas).map(R::new).collect();
    let all = (0..images.replicas).map(|number| Reverse((SimTime::ZERO, number)));
    let mut events: BinaryHeap<_> = all.collect();
    while let Some(mut first) = events.peek_mut() {
        let Reverse((now, number)) = *first;
        match replicas[number as usize].play(now, images, &curve, left) {
            Some(next) => first.0.0 = next,
            None => {
                PeekMut::pop(first);
            }
        }
    }
}

/// In closed form, with the engine's own replica.
pub(crate) struct Jumping {
    number: u32,
    replica: Replica,
    next: u64,
}

impl Plays for Jumping {
    fn new(number: u32) -> Self {
        Self {
            number,
            replica: Replica::default(),
            next: 0,
        }
    }

    fn play(
        &mut self,
        now: SimTime,
        images: &Images,
        curve: &ServiceCurve,
        left: &mut impl FnMut(SimTime),
    ) -> Option<SimTime> {
        self.replica.reach(now);
        while self.replica.pop_done().is_some() {
            left(now);
        }
        while self.next < images.images_each && self.replica.len() < PLACES {
            self.replica.join(Joiner {
                slot: self.next as u32,
                amount: images.tokens(self.next),
                prompt_tokens: images.prompt_tokens(self.number, self.next),
                grows: true,
            });
            self.next += 1;
        }
        let busy = !self.replica.is_idle();
        busy.then(|| self.replica.plan(curve))
    }
}

/// Iteration by iteration.
pub(crate) struct Stepping {
    number: u32,
    batch: Vec<Member>,
    next: u64,
}

/// A request in a batch that is played iteration by iteration.
struct Member {
    tokens_left: u64,
    context_tokens: u64,
    /// To be computed in its first iteration.
    prompt_tokens: u64,
}

impl Plays for Stepping {
    fn new(number: u32) -> Self {
        Self {
            number,
            batch: Vec::with_capacity(PLACES),
            next: 0,
        }
    }

    fn play(
        &mut self,
        now: SimTime,
        images: &Images,
        curve: &ServiceCurve,
        left: &mut impl FnMut(SimTime),
    ) -> Option<SimTime> {
        for member in &mut self.batch {
            member.tokens_left -= 1;
            member.context_tokens += 1;
            member.prompt_tokens = 0;
        }
        self.batch.retain(|member| {
            if member.tokens_left == 0 {
                left(now);
            }
            member.tokens_left > 0
        });
        while self.next < images.images_each && self.batch.len() < PLACES {
            let prompt_tokens = u64::from(images.prompt_tokens(self.number, self.next));
            self.batch.push(Member {
                tokens_left: images.tokens(self.next),
                context_tokens: prompt_tokens,
                prompt_tokens,
            });
            self.next += 1;
        }
        let of_all = |tokens: fn(&Member) -> u64| self.batch.iter().map(tokens).sum();
        let phase = Phase {
            batch: self.batch.len() as u32,
            context: of_all(|member| member.context_tokens),
            growing: self.batch.len() as u32,
            prompt_tokens: of_all(|member| member.prompt_tokens),
        };
        let busy = !self.batch.is_empty();
        busy.then(|| now + curve.elapsed(phase, 1))
    }
}

/// Plays so many times.
pub(crate) fn measure<R: Plays>(images: &Images, times: u64) -> Outcome {
    measured(times, || {
        let (mut count, mut sum_ns) = (0, 0_u64);
        play::<R>(images, &mut |at| {
            count += 1;
            sum_ns = sum_ns.wrapping_add(at.0);
        });
        (count, sum_ns)
    })
}

fn measured(times: u64, play: impl Fn() -> (u64, u64)) -> Outcome {
    let (outcome, sum_ns) = Outcome::of(|| {
        let played = (0..times).map(|_| play());
        played.fold((0, 0), |(count, _), (more, sum_ns)| (count + more, sum_ns))
    });
    Outcome {
        departures_ns: Some(sum_ns),
        ..outcome
    }
}

/// The whole engine on a trace of the images of one replica, so many times.
pub(crate) fn whole_engine(images: &Images, times: u64) -> Outcome {
    assert_eq!(images.replicas, 1);
    let scenario = Arc::new(scenario(images));
    let end = SimTime::ZERO + scenario.horizon;
    measured(times, || {
        let mut simulation = Simulation::new(&scenario, false);
        while simulation.clock() < end {
            simulation.advance(end);
        }
        let tier = &simulation.tiers()[0];
        // All were asked for at time 0: a response time is a departure time.
        (tier.completed, tier.response.sum() as u64)
    })
}

fn scenario(images: &Images) -> Scenario {
    let mut end = SimTime::ZERO;
    play::<Jumping>(images, &mut |at| end = at);
    let mut scenario = Scenario::textbook(1.0, Law::Constant { value: 1.0 }, 1, 1.0);
    scenario.horizon = SimDuration(end.0 + 1);
    scenario.lookahead = SimDuration::from_s(1000.0);
    scenario.series_interval = scenario.horizon;
    scenario.rules[0].1.policy.batching = Batching::Continuous;
    scenario.pools[0].batch_limit = PLACES as u32;
    scenario.pools[0].profile.curve = curve();
    scenario.works[0].unit = WorkUnit::Iterations;
    scenario.works[0].context_grows = true;
    let row = |image| TraceRow {
        at: SimTime::ZERO,
        iterations: images.tokens(image) as u32,
        prompt_tokens: images.prompt_tokens(0, image),
        images: 1,
    };
    scenario.demands[0].kind = DemandKind::Trace(Arc::new(Trace {
        name: String::new(),
        rows: (0..images.images_each).map(row).collect(),
    }));
    scenario
}

/// Every departure of the two ways, one by one.
pub(crate) fn check() {
    for start in [Start::Together, Start::Spread] {
        let images = Images::new(start, 10, 500, Seed(1));
        let (mut jumped, mut stepped) = (Vec::new(), Vec::new());
        play::<Jumping>(&images, &mut |at| jumped.push(at));
        play::<Stepping>(&images, &mut |at| stepped.push(at));
        assert_eq!(jumped.len(), 5000);
        assert!(jumped == stepped, "departures differ");
    }
}
