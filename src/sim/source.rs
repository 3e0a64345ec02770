//! Sources of requests that know their rate beforehand: rate curves and traces.
//!
//! Neither needs an event list: within a window the next arrival follows from the last.

use std::sync::Arc;

use crate::random::{Law, Seed, Stream};
use crate::scenario::{Modulation, Process, RateCurve, Rhythm, Trace, TraceRow};
use crate::units::{SimDuration, SimTime};

/// Arrivals with a given rate.
#[derive(Clone, Debug)]
pub(crate) struct RateSource {
    curve: RateCurve,
    rhythm: Rhythm,
    arrivals: Arrivals,
    /// Local time of day at the scenario's start, in seconds.
    local_start_s: f64,
    /// No arrivals outside.
    from: SimTime,
    until: SimTime,
}

#[derive(Clone, Debug)]
enum Arrivals {
    Poisson,
    Steps(Steps),
    Bursts(Bursts),
}

/// Arrivals at given steps of the integral of the rate.
#[derive(Clone, Debug)]
struct Steps {
    /// Law of a step; `None`: always 1.
    law: Option<Law>,
    /// Where the current stretch of constant rate began, the integral of the rate up to there, and
    /// that rate.
    anchor: (SimTime, f64, f64),
    /// The integral at which the next comes; `None` before the first step is drawn.
    next: Option<f64>,
}

/// The state of the modulation; the same at every gateway.
#[derive(Clone, Debug)]
struct Bursts {
    modulation: Modulation,
    state: usize,
    until: SimTime,
    stream: Stream,
}

/// The stream from which the states of a demand's bursts are drawn: one for all gateways, and one for all
/// regions of a demand, so that a burst comes to all of them at once.
pub(crate) fn burst_stream(seed: Seed, demand: &str) -> Stream {
    let name = demand.split('@').next().unwrap_or(demand);
    seed.stream(name, "bursts", 0)
}

impl RateSource {
    pub(crate) fn new(
        (curve, rhythm, process): (RateCurve, Rhythm, Process),
        local_start_s: f64,
        (from, until): (SimTime, SimTime),
        bursts: Stream,
    ) -> Self {
        let steps = |law| {
            Arrivals::Steps(Steps {
                law,
                anchor: (from, 0.0, 0.0),
                next: None,
            })
        };
        let arrivals = match process {
            Process::Poisson => Arrivals::Poisson,
            Process::Even => steps(None),
            Process::Renewal(law) => steps(Some(law)),
            Process::Modulated(modulation) => Arrivals::Bursts(Bursts::new(modulation, bursts)),
        };
        Self {
            curve,
            rhythm,
            arrivals,
            local_start_s,
            from,
            until,
        }
    }

    /// Calls `arrive` for each arrival of [from, until).
    pub(crate) fn generate(
        &mut self,
        from: SimTime,
        until: SimTime,
        stream: &mut Stream,
        mut arrive: impl FnMut(SimTime),
    ) {
        let (from, until) = (from.max(self.from), until.min(self.until));
        let mut at = from;
        while at < until {
            let end = self.stretch_end(at).min(until);
            let rate = self.rate(at);
            at = match &mut self.arrivals {
                Arrivals::Poisson => {
                    self.generate_poisson(1.0, (at, end), stream, &mut arrive);
                    end
                }
                Arrivals::Steps(steps) => {
                    steps.generate(rate, (at, end), stream, &mut arrive);
                    end
                }
                Arrivals::Bursts(bursts) => {
                    bursts.move_to(at);
                    let (factor, end) = (bursts.factor(), end.min(bursts.until));
                    self.generate_poisson(factor, (at, end), stream, &mut arrive);
                    end
                }
            };
        }
    }

    /// The end of the stretch around `at` on which the curve has one piece.
    fn stretch_end(&self, at: SimTime) -> SimTime {
        let next = self.curve.points.partition_point(|point| point.0 <= at);
        self.curve
            .points
            .get(next)
            .map_or(SimTime::NEVER, |point| point.0)
    }

    fn rate(&self, at: SimTime) -> f64 {
        self.curve.at(at) * self.rhythm.factor(self.local_start_s + at.as_s())
    }

    /// A Poisson process of the stretch's highest rate, thinned to the rate (Lewis and Shedler 1979);
    /// where the rate is constant nothing is thinned and no draw is spent on it.
    fn generate_poisson(
        &self,
        factor: f64,
        (from, until): (SimTime, SimTime),
        stream: &mut Stream,
        arrive: &mut impl FnMut(SimTime),
    ) {
        let last = SimTime(until.0 - 1);
        let highest = self.curve.at(from).max(self.curve.at(last)) * self.rhythm.maximum();
        let is_constant = !self.curve.linear && self.rhythm == Rhythm::Flat;
        let gap_ns = 1e9 / (highest * factor);
        if highest * factor <= 0.0 {
            return;
        }
        let mut elapsed_ns = 0.0;
        loop {
            elapsed_ns += stream.exponential() * gap_ns;
            let at = SimTime(from.0.saturating_add(elapsed_ns as u64));
            if at >= until {
                return;
            }
            if is_constant || stream.chance(self.rate(at) / highest) {
                arrive(at);
            }
        }
    }
}

impl Steps {
    /// The arrivals of a stretch that has this rate. On a stretch of constant rate times are counted
    /// from its beginning, so rounding does not add up; a rate that varies is taken as constant
    /// within a stretch of one window.
    fn generate(
        &mut self,
        rate: f64,
        (from, until): (SimTime, SimTime),
        stream: &mut Stream,
        arrive: &mut impl FnMut(SimTime),
    ) {
        let (began, integral, before) = self.anchor;
        if rate.to_bits() != before.to_bits() {
            self.anchor = (from, integral + (from - began).as_s() * before, rate);
        }
        let (began, integral, rate) = self.anchor;
        if rate <= 0.0 {
            return;
        }
        let mut next = self.next.unwrap_or_else(|| self.step(stream));
        loop {
            let at = began + SimDuration::from_s(((next - integral) / rate).max(0.0));
            if at >= until {
                break;
            }
            arrive(at.max(from));
            next += self.step(stream);
        }
        self.next = Some(next);
    }

    /// From one arrival to the next, with mean 1.
    fn step(&self, stream: &mut Stream) -> f64 {
        self.law.map_or(1.0, |law| law.sample(stream) / law.mean())
    }
}

impl Bursts {
    fn new(modulation: Modulation, mut stream: Stream) -> Self {
        let state = modulation.first(&mut stream);
        let mut bursts = Self {
            modulation,
            state,
            until: SimTime::ZERO,
            stream,
        };
        bursts.stay();
        bursts
    }

    fn factor(&self) -> f64 {
        self.modulation.states[self.state].factor
    }

    /// Draws how long the state that begins now lasts, at least a nanosecond.
    fn stay(&mut self) {
        let stay_s = self.modulation.states[self.state].stay_s;
        let stay = SimDuration::from_s(stay_s.sample(&mut self.stream));
        self.until += stay.max(SimDuration(1));
    }

    /// Goes on to the state that holds at a time.
    fn move_to(&mut self, at: SimTime) {
        while self.until <= at {
            self.state = self.modulation.next(self.state, &mut self.stream);
            self.stay();
        }
    }
}

/// Recorded arrivals.
#[derive(Clone, Debug)]
pub(crate) struct TraceSource {
    trace: Arc<Trace>,
    from: SimTime,
    next: usize,
}

impl TraceSource {
    /// The trace's time 0 is at `from`.
    pub(crate) fn new(trace: Arc<Trace>, from: SimTime) -> Self {
        Self {
            trace,
            from,
            next: 0,
        }
    }

    /// Calls `arrive` for each row before `until`, with its number.
    pub(crate) fn generate(
        &mut self,
        until: SimTime,
        mut arrive: impl FnMut(SimTime, u32, &TraceRow),
    ) {
        while let Some(row) = self.trace.rows.get(self.next) {
            let at = SimTime(self.from.0.saturating_add(row.at.0));
            if at >= until {
                return;
            }
            arrive(at, self.next as u32, row);
            self.next += 1;
        }
    }

    /// A row.
    pub(crate) fn row(&self, number: u32) -> &TraceRow {
        &self.trace.rows[number as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::RateState;

    fn arrivals(curve: RateCurve, rhythm: Rhythm, process: Process, until_s: f64) -> Vec<f64> {
        let ends = (SimTime::ZERO, SimTime::NEVER);
        let mut stream = Seed(5).stream("source", "test", 0);
        let bursts = burst_stream(Seed(5), "test");
        let mut source = RateSource::new((curve, rhythm, process), 0.0, ends, bursts);
        let mut times = Vec::new();
        let mut from = SimTime::ZERO;
        while from < SimTime::from_s(until_s) {
            let until = SimTime(from.0 + 700_000_000);
            source.generate(
                from,
                until.min(SimTime::from_s(until_s)),
                &mut stream,
                |at| {
                    times.push(at.as_s());
                },
            );
            from = until;
        }
        times
    }

    #[test]
    fn even_arrivals_come_when_the_integral_of_the_rate_is_whole() {
        let points = vec![(SimTime::ZERO, 2.0), (SimTime::from_s(2.0), 4.0)];
        let curve = RateCurve {
            points,
            linear: false,
        };
        let times = arrivals(curve, Rhythm::Flat, Process::Even, 3.1);
        assert_eq!(times, [0.5, 1.0, 1.5, 2.0, 2.25, 2.5, 2.75, 3.0]);
    }

    /// The count of a Poisson process over its integral, within five standard deviations.
    #[test]
    fn poisson_arrivals_follow_the_integral_of_the_rate() {
        let ramp = vec![(SimTime::ZERO, 0.0), (SimTime::from_s(50.0), 400.0)];
        let ramp = RateCurve {
            points: ramp,
            linear: true,
        };
        let wave = Rhythm::Cosine {
            amplitude: 0.6,
            peak_s: 5.0,
            period_s: 10.0,
        };
        let cases = [
            (flat(200.0), Rhythm::Flat),
            (flat(200.0), wave),
            (ramp, Rhythm::Flat),
        ];
        for (curve, rhythm) in cases {
            let times = arrivals(curve, rhythm, Process::Poisson, 50.0);
            assert!(times.is_sorted());
            assert!(
                (times.len() as f64 - 10_000.0).abs() < 500.0,
                "{} arrivals",
                times.len()
            );
        }
    }

    fn flat(rate: f64) -> RateCurve {
        RateCurve {
            points: vec![(SimTime::ZERO, rate)],
            linear: false,
        }
    }

    /// The variance of the counts in windows of a length over their mean.
    fn dispersion(times: &[f64], until_s: f64, window_s: f64) -> f64 {
        let mut counts = vec![0.0; (until_s / window_s) as usize];
        for time in times {
            if let Some(count) = counts.get_mut((time / window_s) as usize) {
                *count += 1.0;
            }
        }
        let n = counts.len() as f64;
        let mean = counts.iter().sum::<f64>() / n;
        counts.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / n / mean
    }

    /// The index of dispersion for counts of a two-state process (Fischer and Meier-Hellstern 1993), with
    /// r the rate at which states are left, both together: 1 + 2 q1 q2 (a1 - a2)^2 / ((q1 + q2)^2
    /// (q1 a2 + q2 a1)) (1 - (1 - e^(-r t)) / (r t)).
    #[test]
    fn bursts_have_their_index_of_dispersion() {
        let (rates, leaves, window_s, until_s) = ([16.0, 2.0], [0.1, 0.05], 5.0, 400_000.0);
        let states = [0, 1].map(|i: usize| RateState {
            factor: rates[i],
            stay_s: Law::Exponential {
                mean: 1.0 / leaves[i],
            },
            next: vec![i as f64, 1.0 - i as f64],
        });
        let modulation = Modulation {
            states: states.into(),
        };
        let process = Process::Modulated(modulation);
        let times = arrivals(flat(1.0), Rhythm::Flat, process, until_s);
        let both: f64 = leaves.iter().sum();
        let decay = 1.0 - libm::exp(-both * window_s);
        let flow = leaves[0] * rates[1] + leaves[1] * rates[0];
        let exact = 1.0
            + 2.0 * leaves[0] * leaves[1] * 14.0 * 14.0 / (both * both * flow)
                * (1.0 - decay / (both * window_s));
        let mean = times.len() as f64 / until_s;
        assert!((mean / (flow / both) - 1.0).abs() < 0.02, "mean {mean}");
        let found = dispersion(&times, until_s, window_s);
        assert!(
            (found / exact - 1.0).abs() < 0.03,
            "{found}, exactly {exact}"
        );
    }

    /// In the long run the counts of a renewal process have the squared variation of a gap as their
    /// index of dispersion (Cox 1962).
    #[test]
    fn renewals_have_the_rate_and_the_variation_of_their_gaps() {
        let gap = Law::Erlang {
            mean: 7.0,
            stages: 4,
        };
        let times = arrivals(flat(5.0), Rhythm::Flat, Process::Renewal(gap), 200_000.0);
        assert!((times.len() as f64 / 1e6 - 1.0).abs() < 0.005);
        let found = dispersion(&times, 200_000.0, 100.0);
        assert!((found / 0.25 - 1.0).abs() < 0.15, "{found}");
    }
}
