//! Points of time: a UTC date, `2025-03-27T17:00Z`, or a duration from the start, `"2d 4h"`.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::amount::duration_s;
use super::form::Form;
use super::notes::Spot;
use super::quantity::LONGEST_S;
use super::tree::Value;
use crate::units::SimTime;

/// The start of a scenario, in seconds since 1970 UTC.
pub(super) struct Start;

impl Form for Start {
    type Out = i64;
    fn read(&self, spot: &Spot<'_>) -> Option<i64> {
        let (Value::Text(text) | Value::Date(text)) = &spot.node.value else {
            spot.refuse("a date in UTC", "write it as \"2025-03-25T00:00Z\"");
            return None;
        };
        let start = text.parse::<Timestamp>().ok().map(Timestamp::as_second);
        if start.is_none() {
            spot.refuse(
                "a date with a time and its offset to UTC",
                "write it as \"2025-03-25T00:00Z\"; the Z says that it is UTC",
            );
        }
        start
    }
    fn placeholder(&self) -> i64 {
        0
    }
    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]{4}-", "examples": ["2025-03-25T00:00Z"] })
    }
    fn example(&self) -> String {
        "\"2025-03-25T00:00Z\"".to_owned()
    }
}

/// A point of simulated time.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    /// The start in seconds since 1970 UTC.
    pub(super) start_unix_s: i64,
    /// Whether a date before the start is allowed and means the start.
    pub(super) clamped: bool,
}

impl Moment {
    /// Seconds from the start.
    fn offset_s(self, text: &str) -> Option<f64> {
        if let Ok(date) = text.parse::<Timestamp>() {
            let whole = date.as_second().checked_sub(self.start_unix_s)?;
            return Some(whole as f64 + f64::from(date.subsec_nanosecond()) * 1e-9);
        }
        duration_s(text)
    }
}

/// A point of time in seconds from the start, before it if negative.
#[derive(Clone, Copy)]
pub(super) struct EarlyMoment {
    /// The start in seconds since 1970 UTC.
    pub(super) start_unix_s: i64,
}

impl EarlyMoment {
    fn moment(self) -> Moment {
        Moment {
            start_unix_s: self.start_unix_s,
            clamped: true,
        }
    }
}

impl Form for EarlyMoment {
    type Out = f64;
    fn read(&self, spot: &Spot<'_>) -> Option<f64> {
        // Everything that is no moment at all is refused there; what is early has its own bound.
        self.moment().read(spot)?;
        let (Value::Text(text) | Value::Date(text)) = &spot.node.value else {
            return None;
        };
        let s = self.moment().offset_s(text.trim())?;
        if s < -LONGEST_S {
            spot.refuse("at most 100 years before the start", "write another date");
            return None;
        }
        Some(s)
    }
    fn placeholder(&self) -> f64 {
        0.0
    }
    fn schema(&self) -> Json {
        self.moment().schema()
    }
    fn example(&self) -> String {
        self.moment().example()
    }
}

impl Form for Moment {
    type Out = SimTime;
    fn read(&self, spot: &Spot<'_>) -> Option<SimTime> {
        let hint =
            "write a UTC date as \"2025-03-27T17:00Z\", or a duration from the start as \"2d 4h\"";
        let (Value::Text(text) | Value::Date(text)) = &spot.node.value else {
            spot.refuse("a date or a duration from the start", hint);
            return None;
        };
        match self.offset_s(text.trim()) {
            Some(s) if (0.0..=LONGEST_S).contains(&s) => Some(SimTime::from_s(s)),
            Some(s) if s < 0.0 && self.clamped => Some(SimTime::ZERO),
            Some(_) => {
                let start = Timestamp::from_second(self.start_unix_s).unwrap_or_default();
                spot.refuse(
                    &format!("between the start, {start}, and 100 years later"),
                    hint,
                );
                None
            }
            None => {
                spot.refuse("a date or a duration from the start", hint);
                None
            }
        }
    }
    fn placeholder(&self) -> SimTime {
        SimTime::ZERO
    }
    fn schema(&self) -> Json {
        json!({
            "type": "string",
            "pattern": "[0-9]",
            "examples": ["2025-03-27T17:00Z", "2d 4h", "60s"],
        })
    }
    fn example(&self) -> String {
        "\"2025-03-27T17:00Z\" or \"2d 4h\" (from the start)".to_owned()
    }
}
