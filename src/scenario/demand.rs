//! Demand: when requests come, from whom, and how much work each one is.

use std::sync::Arc;

use super::Process;
use crate::profile::{Phase, ServiceCurve};
use crate::random::{Law, Sampler, Stream};
use crate::units::SimTime;

/// A source of requests in one region.
#[derive(Clone, Debug)]
pub struct Demand {
    /// `free@americas`: the table's name and, where it names several regions, the region.
    pub name: String,
    /// Index of the tier whose rules hold.
    pub tier: usize,
    /// Index of the work each request asks for.
    pub work: usize,
    /// Index of the region in which the users are.
    pub region: usize,
    /// No requests before.
    pub from: SimTime,
    /// No requests from here on.
    pub until: SimTime,
    /// How requests come about.
    pub kind: DemandKind,
}

/// How requests come about.
#[derive(Clone, Debug)]
pub enum DemandKind {
    /// A given rate.
    Rate {
        /// Requests a second over time.
        curve: RateCurve,
        /// The daily shape that multiplies the curve.
        rhythm: Rhythm,
        /// How arrivals fall around the rate.
        process: Process,
        /// Number of users who share the requests, where a quota needs to know them.
        users: Option<u64>,
        /// Zipf exponent of the users' activity, 0 (all alike) up to below 1.
        activity_skew: f64,
    },
    /// Recorded requests, replayed at their own times.
    Trace(Arc<Trace>),
    /// People who see other people's images and come.
    Population(Population),
}

/// A rate over time.
#[derive(Clone, Debug, PartialEq)]
pub struct RateCurve {
    /// (time, requests a second), by time; the last value holds on.
    pub points: Vec<(SimTime, f64)>,
    /// Whether the rate runs straight from point to point; else it jumps at each point.
    pub linear: bool,
}

impl RateCurve {
    /// The rate at `time`; before the first point its value.
    #[must_use]
    pub fn at(&self, time: SimTime) -> f64 {
        let after = self.points.partition_point(|point| point.0 <= time);
        let Some(&(t0, r0)) = self.points.get(after.saturating_sub(1)) else {
            return 0.0;
        };
        match self.points.get(after) {
            Some(&(t1, r1)) if self.linear && time >= t0 && t1 > t0 => {
                r0 + (r1 - r0) * (time.since(t0).as_s() / t1.since(t0).as_s())
            }
            _ => r0,
        }
    }
}

/// The shape of a day, as a factor with mean 1 around the rate.
#[derive(Clone, Debug, PartialEq)]
pub enum Rhythm {
    /// No shape.
    Flat,
    /// 1 + amplitude x cos(2 pi (local time - peak) / period).
    Cosine {
        /// 0..=1.
        amplitude: f64,
        /// Local time of the maximum, seconds after midnight (after the start for other periods).
        peak_s: f64,
        /// Length of the cycle in seconds; 86,400 for a day.
        period_s: f64,
    },
    /// One factor for each local hour, constant within it.
    Hourly(
        /// 24 factors with mean 1.
        Box<[f64; 24]>,
    ),
}

impl Rhythm {
    /// The factor at a local time given in seconds since some local midnight.
    #[must_use]
    pub fn factor(&self, local_s: f64) -> f64 {
        match self {
            Self::Flat => 1.0,
            Self::Cosine {
                amplitude,
                peak_s,
                period_s,
            } => {
                let angle = 2.0 * std::f64::consts::PI * (local_s - peak_s) / period_s;
                1.0 + amplitude * libm::cos(angle)
            }
            Self::Hourly(factors) => {
                let hour = libm::floor(local_s / 3600.0) as i64;
                factors[hour.rem_euclid(24) as usize]
            }
        }
    }

    /// The largest factor.
    #[must_use]
    pub fn maximum(&self) -> f64 {
        match self {
            Self::Flat => 1.0,
            Self::Cosine { amplitude, .. } => 1.0 + amplitude,
            Self::Hourly(factors) => factors.iter().copied().fold(0.0, f64::max),
        }
    }
}

/// People who may come to want images: diffusion after Bass (1969), fed by what was really delivered.
///
/// Of those who have not come yet, each comes with hazard
/// `innovation + imitation x (images that are being seen) / (potential of all populations)`, where an
/// image is being seen from its delivery on, with the given half-life. So a melting fleet slows its own
/// surge. Who comes while the tier is closed waits, and comes within `release` of its opening.
#[derive(Clone, Debug)]
pub struct Population {
    /// People who may come.
    pub potential: f64,
    /// Hazard of coming by oneself, per second.
    pub innovation_per_s: f64,
    /// Hazard per second for each delivered image per head of the potential.
    pub imitation_per_s: f64,
    /// For how long a delivered image is seen by others; `None`: for ever.
    pub seen_half_life_s: Option<f64>,
    /// Mean time in seconds after the opening until somebody who waited for it comes.
    pub release_s: f64,
    /// Mean images in a session, at least 1; the number is geometric.
    pub images_per_session: f64,
    /// Seconds between an answer and the user's next request.
    pub think_s: Law,
    /// Further sessions per second of somebody who has come and is still interested.
    pub sessions_per_s: f64,
    /// For how long one stays interested; `None`: for ever.
    pub interest_half_life_s: Option<f64>,
    /// Zipf exponent of the users' activity, 0 (all alike) up to below 1.
    pub activity_skew: f64,
    /// The daily shape of coming and of sessions.
    pub rhythm: Rhythm,
    /// The share of those who come that has no account yet: they sign up at their first request.
    pub newcomer_share: f64,
    /// The share of those who come that has an account but was not active in the weeks before.
    pub dormant_share: f64,
    /// The share of those who come while the tier is closed that subscribes instead of waiting ...
    pub conversion_share: f64,
    /// ... to this tier, whose rules hold for them from then on.
    pub conversion_tier: Option<usize>,
}

/// Recorded requests by time.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// File name, for reports.
    pub name: String,
    /// The rows in the order of their times; equal times in the order of the file.
    pub rows: Vec<TraceRow>,
}

/// One recorded request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRow {
    /// When it came.
    pub at: SimTime,
    /// Its iterations (steps or output tokens) for one image; 0: as the demand's work says.
    pub iterations: u32,
    /// Its prompt tokens.
    pub prompt_tokens: u32,
    /// How many images it asks for: each is one request at the same time.
    pub images: u32,
}

/// What a request asks for.
#[derive(Clone, Debug)]
pub struct Work {
    /// Name: image, chat, sdxl ...
    pub name: String,
    /// What one unit of the amount is.
    pub unit: WorkUnit,
    /// Variants by falling quality; requests ask for the first, degradation may give another.
    pub qualities: Vec<Quality>,
    /// Tokens of the prompt, computed when the request joins a batch.
    pub prompt_tokens: Law,
    /// Bytes of accelerator memory that a running request holds.
    pub memory_bytes: u64,
    /// Further bytes for each token of its prompt and its output (the KV cache), reserved when it gets a place.
    pub memory_bytes_per_token: u64,
    /// Whether the context grows by one token an iteration (autoregressive) or not (diffusion).
    pub context_grows: bool,
}

/// What the amount of work counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkUnit {
    /// Iterations of the model: denoise steps or output tokens; their time is the profile's.
    Iterations,
    /// Seconds of service, for queueing models, where service has a law and no model runs: counted in
    /// iterations of a nanosecond, with `ServiceCurve::service_time` as the curve.
    ServiceTime,
}

/// A variant of the work.
#[derive(Clone, Debug)]
pub struct Quality {
    /// low, medium, high ...
    pub name: String,
    /// Iterations (or seconds of service) of one image.
    pub amount: Law,
    /// USD that a paying request is charged.
    pub usd_per_image: f64,
}

impl Quality {
    /// The price in whole micro-dollars, so that sums do not depend on their order.
    #[must_use]
    pub fn micro_usd_per_image(&self) -> u64 {
        (self.usd_per_image * 1e6).round() as u64
    }
}

impl Work {
    /// The index of the quality with this name.
    #[must_use]
    pub fn quality(&self, name: &str) -> Option<usize> {
        self.qualities
            .iter()
            .position(|quality| quality.name == name)
    }

    /// Bytes of accelerator memory that a request of the mean prompt and amount at the standard quality holds.
    #[must_use]
    pub fn mean_memory_bytes(&self) -> u64 {
        let tokens = self.prompt_tokens.mean() + self.qualities[0].amount.mean();
        let cache = (self.memory_bytes_per_token as f64 * tokens).round() as u64;
        self.memory_bytes.saturating_add(cache)
    }

    /// Draws the amount of one request at a quality: whole iterations, or nanoseconds of service.
    pub fn sample_amount(&self, quality: usize, stream: &mut Stream) -> u64 {
        self.amount_sampler(quality).sample_whole(stream).max(1)
    }

    /// Draws of the amount at a quality, in iterations or nanoseconds of service.
    #[must_use]
    pub fn amount_sampler(&self, quality: usize) -> Sampler {
        let amount = self.qualities[quality].amount;
        amount.sampler(self.units_per_amount())
    }

    /// Requests a second of one replica whose batch is always full: n requests leave in the time of
    /// their iterations, at a context of the prompt and half the output on average, and of their n
    /// prompts.
    #[must_use]
    pub fn rate_per_s(&self, curve: &ServiceCurve, batch: u32, quality: usize) -> f64 {
        let amount = self.qualities[quality].amount.mean() * self.units_per_amount();
        let prompt = self.prompt_tokens.mean();
        let context = if self.context_grows {
            prompt + amount / 2.0
        } else {
            prompt
        };
        let n = f64::from(batch);
        let seconds = amount * curve.iteration_s(batch, n * context) + n * curve.prompt_s(prompt);
        n / seconds
    }

    /// Response time in seconds of a request that finds an empty replica, at the mean amount.
    #[must_use]
    pub fn alone_s(&self, curve: &ServiceCurve, quality: usize) -> f64 {
        let amount = self.qualities[quality].amount.mean() * self.units_per_amount();
        let prompt = self.prompt_tokens.mean().round() as u64;
        let growing = u32::from(self.context_grows);
        let phase = Phase {
            batch: 1,
            context: prompt,
            growing,
            prompt_tokens: prompt,
        };
        curve.elapsed(phase, amount.round() as u64).as_s()
    }

    fn units_per_amount(&self) -> f64 {
        match self.unit {
            WorkUnit::Iterations => 1.0,
            WorkUnit::ServiceTime => 1e9,
        }
    }
}
