//! Sources of requests that know their rate beforehand: rate curves and traces.
//!
//! Neither needs an event list: within a window the next arrival follows from the last.

use std::sync::Arc;

use crate::random::Stream;
use crate::scenario::{Process, RateCurve, Rhythm, Trace, TraceRow};
use crate::units::SimTime;

/// Arrivals with a given rate.
#[derive(Clone, Debug)]
pub(crate) struct RateSource {
    curve: RateCurve,
    rhythm: Rhythm,
    process: Process,
    /// Local time of day at the scenario's start, in seconds.
    local_start_s: f64,
    /// No arrivals outside.
    from: SimTime,
    until: SimTime,
    /// Even arrivals: where the current stretch of constant rate began, the integral of the rate
    /// up to there, and that rate.
    anchor: (SimTime, f64, f64),
    /// Even arrivals: number of the next, counted from 1.
    next: u64,
}

impl RateSource {
    pub(crate) fn new(
        curve: RateCurve,
        rhythm: Rhythm,
        process: Process,
        local_start_s: f64,
        (from, until): (SimTime, SimTime),
    ) -> Self {
        let anchor = (from, 0.0, 0.0);
        Self {
            curve,
            rhythm,
            process,
            local_start_s,
            from,
            until,
            anchor,
            next: 1,
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
            match self.process {
                Process::Even => self.generate_evenly(at, end, &mut arrive),
                Process::Poisson => self.generate_poisson(at, end, stream, &mut arrive),
            }
            at = end;
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
        from: SimTime,
        until: SimTime,
        stream: &mut Stream,
        arrive: &mut impl FnMut(SimTime),
    ) {
        let last = SimTime(until.0 - 1);
        let highest = self.curve.at(from).max(self.curve.at(last)) * self.rhythm.maximum();
        let is_constant = !self.curve.linear && self.rhythm == Rhythm::Flat;
        let gap_ns = 1e9 / highest;
        if highest <= 0.0 {
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

    /// The k-th arrival when the integral of the rate reaches k. On a stretch of constant rate times
    /// are counted from its beginning, so rounding does not add up; a rate that varies is taken as
    /// constant within a stretch of one window.
    fn generate_evenly(&mut self, from: SimTime, until: SimTime, arrive: &mut impl FnMut(SimTime)) {
        let rate = self.rate(from);
        let (began, integral, before) = self.anchor;
        if rate.to_bits() != before.to_bits() {
            self.anchor = (from, integral + (from - began).as_s() * before, rate);
        }
        let (began, integral, rate) = self.anchor;
        if rate <= 0.0 {
            return;
        }
        loop {
            let at =
                began + crate::units::SimDuration::from_s((self.next as f64 - integral) / rate);
            if at >= until {
                return;
            }
            arrive(at.max(from));
            self.next += 1;
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

    /// Calls `arrive` for each row before `until`.
    pub(crate) fn generate(&mut self, until: SimTime, mut arrive: impl FnMut(SimTime, &TraceRow)) {
        while let Some(row) = self.trace.rows.get(self.next) {
            let at = SimTime(self.from.0.saturating_add(row.at.0));
            if at >= until {
                return;
            }
            arrive(at, row);
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn arrivals(curve: RateCurve, rhythm: Rhythm, process: Process, until_s: f64) -> Vec<f64> {
        let ends = (SimTime::ZERO, SimTime::NEVER);
        let mut source = RateSource::new(curve, rhythm, process, 0.0, ends);
        let mut stream = Seed(5).stream("source", "test", 0);
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
        let flat = |rate| RateCurve {
            points: vec![(SimTime::ZERO, rate)],
            linear: false,
        };
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
}
