//! A whole autoscaled queue against a naive twin: recorded requests, one line, replicas in a list that is
//! looked through at each event.

use std::collections::VecDeque;
use std::sync::Arc;

use meltpoint::profile::ServiceCurve;
use meltpoint::random::{Law, Seed, Stream};
use meltpoint::scenario::{DemandKind, ScalingRule, Scenario, Trace, TraceRow, WorkUnit};
use meltpoint::units::{NS_PER_S, SimDuration, SimTime};

use crate::question::{autoscaler, play, scaled, start};

const REPLICAS: usize = 12;
const HORIZON: u64 = 4000 * NS_PER_S;

#[derive(Clone, Copy, PartialEq)]
enum Does {
    Nothing,
    Starts(u64),
    Serves,
    Drains,
}

/// What the twin knows; all times in ns.
struct Twin {
    above: f64,
    below: f64,
    step: usize,
    start_up: u64,
    /// Seconds of a replica that a request is taken for.
    cost_s: f64,
    does: Vec<Does>,
    busy_until: Vec<Option<u64>>,
    line: VecDeque<(u64, u64)>,
    target: usize,
    waits: Vec<u64>,
    /// Replicas x ns that served, started and drained.
    levels: [u128; 3],
    turns: [u64; 2],
}

impl Twin {
    fn count(&self, is: impl Fn(Does) -> bool) -> usize {
        self.does.iter().filter(|does| is(**does)).count()
    }

    fn serving(&self) -> usize {
        self.count(|does| does == Does::Serves)
    }

    fn starting(&self) -> usize {
        self.count(|does| matches!(does, Does::Starts(_)))
    }

    /// Whoever is idle and serves takes the next in line.
    fn fill(&mut self, now: u64) {
        for replica in 0..REPLICAS {
            if self.does[replica] == Does::Serves && self.busy_until[replica].is_none() {
                let Some((came, takes)) = self.line.pop_front() else {
                    return;
                };
                self.waits.push(now - came);
                self.busy_until[replica] = Some(now + takes);
            }
        }
    }

    /// Ends of service before arrivals, in order of time, up to `until`, which is not played any more.
    fn window(&mut self, until: u64, arrivals: &mut VecDeque<(u64, u64)>) -> u64 {
        let mut came = 0;
        loop {
            let ends = self
                .busy_until
                .iter()
                .flatten()
                .min()
                .copied()
                .unwrap_or(u64::MAX);
            let comes = arrivals.front().map_or(u64::MAX, |arrival| arrival.0);
            let now = ends.min(comes);
            if now >= until {
                return came;
            }
            if ends == now {
                let free = self
                    .busy_until
                    .iter_mut()
                    .find(|end| **end == Some(now))
                    .unwrap();
                *free = None;
            } else {
                self.line.extend(arrivals.pop_front());
                came += 1;
            }
            self.fill(now);
        }
    }

    /// What the operator does at the end of a window.
    fn act(&mut self, now: u64, load: Option<f64>) {
        for replica in 0..REPLICAS {
            let is_empty = self.busy_until[replica].is_none();
            if self.does[replica] == Does::Drains && is_empty {
                self.does[replica] = Does::Nothing;
            }
            if self.does[replica] == Does::Starts(now) {
                self.does[replica] = Does::Serves;
            }
        }
        if let Some(load) = load {
            let before = self.target;
            if load > self.above * before as f64 {
                self.target = (before + self.step).min(REPLICAS);
            } else if load < self.below * before as f64 {
                self.target = before.saturating_sub(self.step).max(1);
            }
            self.turns[0] += u64::from(self.target > before);
            self.turns[1] += u64::from(self.target < before);
        }
        while self.serving() > self.target {
            let serves = |&replica: &usize| self.does[replica] == Does::Serves;
            let idle = (0..REPLICAS)
                .rev()
                .filter(serves)
                .find(|&r| self.busy_until[r].is_none());
            let replica = idle.or((0..REPLICAS).rev().find(serves)).unwrap();
            self.does[replica] = match idle {
                Some(_) => Does::Nothing,
                None => Does::Drains,
            };
        }
        while self.serving() + self.starting() > self.target {
            let starts = |&replica: &usize| matches!(self.does[replica], Does::Starts(_));
            let replica = (0..REPLICAS).rev().find(starts).unwrap();
            self.does[replica] = Does::Nothing;
        }
        while self.serving() + self.starting() < self.target {
            let Some(replica) = (0..REPLICAS).find(|&r| self.does[r] == Does::Nothing) else {
                break;
            };
            self.does[replica] = Does::Starts(now + self.start_up);
        }
        self.fill(now);
    }

    fn play(&mut self, mut arrivals: VecDeque<(u64, u64)>, lookahead: u64, every: u64) {
        let (mut now, mut came) = (0, 0);
        while now < HORIZON {
            let after = |step: u64| (now / step + 1) * step;
            let starts = self.does.iter().filter_map(|does| match does {
                Does::Starts(at) => Some(*at),
                _ => None,
            });
            let ready = starts.min().unwrap_or(u64::MAX);
            let until = after(lookahead).min(after(every)).min(ready).min(HORIZON);
            came += self.window(until, &mut arrivals);
            let passed = u128::from(until - now);
            let drains = self.count(|does| does == Does::Drains);
            let counts = [self.serving(), self.starting(), drains];
            for (level, count) in self.levels.iter_mut().zip(counts) {
                *level += count as u128 * passed;
            }
            now = until;
            let decides = now.is_multiple_of(every);
            let seconds = every as f64 / NS_PER_S as f64;
            let load = decides.then(|| came as f64 * self.cost_s / seconds);
            if decides {
                came = 0;
            }
            self.act(now, load);
        }
    }
}

/// Recorded requests: when, and how many seconds each takes; their rate swings.
fn requests(stream: &mut Stream) -> Vec<(u64, u64)> {
    let mut at = 0;
    let mut requests = Vec::new();
    while at < HORIZON {
        let swing = if (at / (500 * NS_PER_S)).is_multiple_of(2) {
            1
        } else {
            4
        };
        at += 1 + stream.below(10 * NS_PER_S / swing);
        requests.push((at, 1 + stream.below(9)));
    }
    requests
}

#[test]
fn an_autoscaled_queue_is_its_naive_twin_to_the_nanosecond() {
    let mut turned = 0;
    for case in 0..40 {
        let mut stream = Seed(case).stream("twin", "cases", 0);
        let requests = requests(&mut stream);
        let step = 1 + stream.below(3);
        let (lookahead, every) = (
            NS_PER_S * (1 + stream.below(9)),
            NS_PER_S * (5 + stream.below(60)),
        );
        let start_up = 1 + stream.below(90 * NS_PER_S);

        let mean = Law::Constant { value: 5.0 };
        let mut scenario = Scenario::textbook(1.0, mean, REPLICAS as u32, 4000.0);
        scenario.lookahead = SimDuration(lookahead);
        scenario.works[0].unit = WorkUnit::Iterations;
        scenario.pools[0].profile.curve = ServiceCurve::tabulated(&[(1, 1.0)], 1, 0.0, 0.0);
        let row = |&(at, seconds): &(u64, u64)| TraceRow {
            at: SimTime(at),
            iterations: u32::try_from(seconds).unwrap(),
            prompt_tokens: 0,
            images: 1,
        };
        scenario.demands[0].kind = DemandKind::Trace(Arc::new(Trace {
            name: String::new(),
            rows: requests.iter().map(row).collect(),
        }));
        let step_replicas = u32::try_from(step).unwrap();
        let rule = ScalingRule::Threshold {
            above: 0.8,
            below: 0.5,
            add: step_replicas,
            remove: step_replicas,
        };
        let every_s = every as f64 / NS_PER_S as f64;
        let scaler = autoscaler(rule, every_s, 2);
        let mut run = start(scaled(scenario, scaler, start_up as f64 / NS_PER_S as f64));
        play(&mut run, 4000.0);

        let mut twin = Twin {
            above: 0.8,
            below: 0.5,
            step: step as usize,
            start_up,
            cost_s: 5.0,
            does: vec![Does::Nothing; REPLICAS],
            busy_until: vec![None; REPLICAS],
            line: VecDeque::new(),
            target: 2,
            waits: Vec::new(),
            levels: [0; 3],
            turns: [0; 2],
        };
        twin.does[..2].fill(Does::Serves);
        let arrivals = requests
            .iter()
            .map(|&(at, seconds)| (at, seconds * NS_PER_S));
        twin.play(arrivals.collect(), lookahead, every);

        let tally = run.autoscalers().next().unwrap();
        let levels = [tally.serving_ns, tally.starting_ns, tally.draining_ns];
        assert_eq!([tally.ups, tally.downs], twin.turns, "case {case}");
        assert_eq!(levels, twin.levels, "case {case}");
        let tier = &run.tiers()[0];
        let mean = |times: &[u64]| times.iter().sum::<u64>() as f64 / times.len() as f64 / 1e9;
        assert_eq!(tier.wait.count(), twin.waits.len() as u64, "case {case}");
        let waited = tier.wait.mean_s().unwrap();
        assert!(
            (waited - mean(&twin.waits)).abs() < 1e-9 * (1.0 + waited),
            "case {case}"
        );
        turned += twin.turns[0] + twin.turns[1];
    }
    assert!(turned > 400, "{turned} turns");
}
