//! Quantities: a number with its unit in one text, `"45s"`, `"3 images/day"`, `"1.75 USD/GPU-hour"`.
//!
//! A number without its unit is refused where a unit is needed; so is `"5 m"`, which may be metres,
//! months or minutes (`"5m"` and `"5 min"` are minutes). Every quantity has a range.

use serde_json::{Value as Json, json};

use super::amount::{
    duration_s, hazard_per_s, in_units, rate_per_s, signed_duration_s, split_number,
};
use super::form::{Form, mapped};
use super::notes::Spot;
use super::tree::Value;
use crate::scenario::Level;
use crate::units::SimDuration;

/// Longest time of a scenario: 100 years of 365.25 days, in seconds.
pub(super) const LONGEST_S: f64 = 100.0 * 365.25 * 86_400.0;
/// Most requests of a scenario.
pub(super) const MOST_REQUESTS: f64 = 1e15;
/// The tick of the clock in seconds.
const TICK_S: f64 = 1e-9;

/// How a quantity may be written.
type Examples = &'static [&'static str];
/// From text to base units.
type Parse = fn(&str) -> Option<f64>;

/// A number with a unit, as a multiple of the base unit.
#[derive(Clone, Copy)]
pub(super) struct Quantity {
    /// What it is: `a duration`.
    noun: &'static str,
    /// The base unit, for ranges in messages.
    base: &'static str,
    examples: Examples,
    /// The text in base units.
    parse: Parse,
    /// Whether a number without a unit is a value in base units.
    bare: bool,
    low: f64,
    high: f64,
    /// Smallest value that is not 0.
    tick: f64,
}

impl Quantity {
    /// The same, between bounds in base units, both included.
    pub(super) fn within(self, low: f64, high: f64) -> Self {
        Self { low, high, ..self }
    }

    /// The same, with examples that fit its bounds.
    pub(super) fn shown_as(self, examples: Examples) -> Self {
        Self { examples, ..self }
    }

    /// The same, at least one tick (for durations) or above 0.
    pub(super) fn positive(self) -> Self {
        let low = if self.tick > 0.0 {
            self.tick
        } else {
            f64::MIN_POSITIVE
        };
        Self { low, ..self }
    }

    /// The same, above 0 and up to a bound.
    pub(super) fn positive_up_to(self, high: f64) -> Self {
        Self { high, ..self }.positive()
    }

    fn range(&self) -> String {
        let base = match self.base {
            "" => String::new(),
            base => format!(" {base}"),
        };
        let number = |x: f64| match x {
            x if x != 0.0 && !(1e-4..1e7).contains(&x.abs()) => format!("{x:e}"),
            x => x.to_string(),
        };
        if (self.base, self.high) == ("s", LONGEST_S) {
            let low = if self.low == TICK_S { "1 ns" } else { "0 s" };
            return format!("from {low} to 100 years");
        }
        match (self.low, self.high) {
            (f64::MIN_POSITIVE, f64::INFINITY) => "above 0".to_owned(),
            (low, f64::INFINITY) => format!("of at least {}{base}", number(low)),
            (f64::MIN_POSITIVE, high) => format!("above 0 and up to {}{base}", number(high)),
            (low, high) => format!("from {} to {}{base}", number(low), number(high)),
        }
    }
}

impl Form for Quantity {
    type Out = f64;
    fn read(&self, spot: &Spot<'_>) -> Option<f64> {
        let value = match &spot.node.value {
            Value::Integer(number) if self.bare => Some(*number as f64),
            Value::Float(number) if self.bare => Some(*number),
            Value::Text(text) => (self.parse)(text.trim()),
            _ => None,
        };
        let value = value.filter(|value| {
            value.is_finite()
                && (self.low..=self.high).contains(value)
                && (*value == 0.0 || value.abs() >= self.tick)
        });
        if value.is_none() {
            let forms = self.example();
            let hint = match &spot.node.value {
                Value::Text(text) if text.trim_end().ends_with(" m") => {
                    format!("write minutes as \"5min\" or \"5m\"; accepted: {forms}")
                }
                Value::Integer(_) | Value::Float(_) if !self.bare => {
                    format!("write the number with its unit: {forms}")
                }
                _ => format!("accepted: {forms}"),
            };
            spot.refuse(&format!("{} {}", self.noun, self.range()), hint);
        }
        value
    }
    fn placeholder(&self) -> f64 {
        1.0_f64.clamp(self.low, self.high)
    }
    fn schema(&self) -> Json {
        let text = json!({ "type": "string", "pattern": "[0-9]", "examples": self.examples });
        match self.bare {
            true => json!({ "anyOf": [{ "type": "number" }, text] }),
            false => text,
        }
    }
    fn example(&self) -> String {
        let quoted: Vec<String> = self.examples.iter().map(|e| format!("\"{e}\"")).collect();
        match self.bare {
            true => format!("{} or a bare number", quoted.join(", ")),
            false => quoted.join(", "),
        }
    }
}

/// A length of time in seconds.
pub(super) fn seconds() -> Quantity {
    Quantity {
        noun: "a duration",
        base: "s",
        examples: &["45s", "1.5h", "2h30m", "9d", "2w", "250 ms", "10 us"],
        parse: duration_s,
        bare: false,
        low: 0.0,
        high: LONGEST_S,
        tick: TICK_S,
    }
}

/// A length of time on the simulated clock.
pub(super) fn duration() -> impl Form<Out = SimDuration> {
    mapped(seconds(), SimDuration::from_s)
}

/// A length of time on the simulated clock, at least one tick of it.
pub(super) fn positive_duration() -> impl Form<Out = SimDuration> {
    mapped(seconds().positive(), SimDuration::from_s)
}

/// A cost in time that is added up many times, so it may be a part of a nanosecond.
pub(super) fn fine_seconds() -> Quantity {
    Quantity {
        examples: &["4 ns", "0.25 ns", "20 us"],
        high: 1e6,
        tick: 0.0,
        ..seconds()
    }
}

/// Local time minus UTC, in seconds.
pub(super) fn utc_offset() -> Quantity {
    Quantity {
        noun: "a difference to UTC",
        examples: &["-6h", "5h30m"],
        parse: signed_duration_s,
        low: -14.0 * 3600.0,
        high: 14.0 * 3600.0,
        ..seconds()
    }
}

/// Events a second.
pub(super) fn rate() -> Quantity {
    Quantity {
        noun: "a rate",
        base: "requests/s",
        examples: &[
            "900 requests/s",
            "3 images/day",
            "50 images/3h",
            "1.2 k requests/s",
        ],
        parse: rate_per_s,
        bare: false,
        low: 0.0,
        high: MOST_REQUESTS,
        tick: 0.0,
    }
}

/// A chance per second.
pub(super) fn hazard() -> Quantity {
    Quantity {
        noun: "a rate per person",
        base: "/s",
        examples: &["0.9/day", "0.1 %/day", "2/h"],
        parse: hazard_per_s,
        bare: false,
        low: 0.0,
        high: 1e6,
        tick: 0.0,
    }
}

/// Failures a second of each unit of a level; at most one.
pub(super) fn failure_rate(level: Level) -> Quantity {
    let examples: Examples = match level {
        Level::Gpu => &["0.173 /GPU-year", "419 /884736 GPU-days"],
        Level::Node => &["6.5 /1000 node-days", "0.1 /node-year"],
        Level::Rack => &["0.1 /rack-year"],
        Level::PowerDomain => &["0.1 /domain-year"],
        Level::Site => &["0.1 /site-year"],
    };
    Quantity {
        noun: "a rate of failures",
        base: "/s",
        examples,
        parse: super::failures::parse_rate(level),
        bare: false,
        low: f64::MIN_POSITIVE,
        high: 1.0,
        tick: 0.0,
    }
}

/// A share or another pure ratio: `"30 %"` or `0.3`.
pub(super) fn share() -> Quantity {
    Quantity {
        noun: "a share",
        base: "",
        examples: &["30 %"],
        parse: |text| match split_number(text)? {
            (number, "%") => Some(number / 100.0),
            _ => None,
        },
        bare: true,
        low: 0.0,
        high: 1.0,
        tick: 0.0,
    }
}

/// A pure number.
pub(super) fn number(low: f64, high: f64) -> Quantity {
    Quantity {
        noun: "a number",
        ..share()
    }
    .within(low, high)
}

/// Money, or money per something.
pub(super) fn money(unit: Money) -> Quantity {
    let (base, examples, parse): (_, Examples, Parse) = match unit {
        Money::Plain => ("USD", &["20 USD", "25 M USD"], |text| {
            in_units(text, &[("USD", 1.0)])
        }),
        Money::PerGpuHour => ("USD/GPU-hour", &["1.75 USD/GPU-hour"], |text| {
            in_units(text, &[("USD/GPU-hour", 1.0), ("USD/GPU-h", 1.0)])
        }),
        Money::PerMonth => ("USD/month", &["20 USD/month"], |text| {
            in_units(text, &[("USD/month", 1.0), ("USD/year", 1.0 / 12.0)])
        }),
        Money::PerImage => (
            "USD/image",
            &["0.042 USD/image", "42 USD/1000 images"],
            |text| {
                in_units(
                    text,
                    &[
                        ("USD/image", 1.0),
                        ("USD/request", 1.0),
                        ("USD/1000 images", 1e-3),
                    ],
                )
            },
        ),
        Money::PerKwh => ("USD/kWh", &["0.08 USD/kWh"], |text| {
            in_units(text, &[("USD/kWh", 1.0), ("USD/MWh", 1e-3)])
        }),
        Money::PerGpu => ("USD/GPU", &["30000 USD/GPU"], |text| {
            in_units(text, &[("USD/GPU", 1.0)])
        }),
    };
    Quantity {
        noun: "a price",
        base,
        examples,
        parse,
        bare: false,
        low: 0.0,
        high: match unit {
            Money::Plain => 1e12,
            _ => 1e6,
        },
        tick: 0.0,
    }
}

/// What money is paid for.
#[derive(Clone, Copy)]
pub(super) enum Money {
    Plain,
    PerGpuHour,
    PerMonth,
    PerImage,
    PerKwh,
    PerGpu,
}

/// A number of GPUs that need not be whole.
pub(super) fn gpu_count() -> Quantity {
    Quantity {
        noun: "a number of GPUs",
        base: "GPUs",
        examples: &["100000 GPUs", "100 k GPUs"],
        parse: |text| in_units(text, &[("GPUs", 1.0)]),
        bare: true,
        ..rate()
    }
}

/// What a kWh of a grid emits, in kg of CO2 equivalent.
pub(super) fn grid_intensity() -> Quantity {
    Quantity {
        noun: "a grid intensity",
        base: "kgCO2/kWh",
        examples: &["0.38 kgCO2/kWh", "380 gCO2/kWh"],
        parse: |text| in_units(text, &[("kgCO2/kWh", 1.0), ("gCO2/kWh", 1e-3)]),
        high: 10.0,
        ..rate()
    }
}

/// Electrical power in watts.
pub(super) fn power() -> Quantity {
    Quantity {
        noun: "a power",
        base: "W",
        examples: &["700 W", "1.19 kW"],
        parse: |text| in_units(text, &[("W", 1.0), ("kW", 1e3), ("MW", 1e6), ("GW", 1e9)]),
        high: 1e6,
        ..rate()
    }
}

/// Accelerator memory in bytes, whole.
pub(super) fn bytes() -> impl Form<Out = u64> {
    let quantity = Quantity {
        noun: "an amount of memory",
        base: "bytes",
        examples: &["1.2 GiB", "900 MB", "0 B"],
        parse: |text| in_units(text, &BYTES),
        high: 1e18,
        ..rate()
    };
    mapped(quantity, |bytes| bytes.round() as u64)
}

/// How fast bytes come.
pub(super) fn bytes_per_s() -> Quantity {
    Quantity {
        noun: "a bandwidth",
        base: "bytes/s",
        examples: &["2 GB/s", "900 MB/s"],
        parse: |text| in_units(text.strip_suffix("/s")?, &BYTES),
        ..rate()
    }
    .within(1.0, 1e18)
}

const BYTES: [(&str, f64); 9] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
];

/// A number of people or things that need not be whole.
pub(super) fn people() -> Quantity {
    Quantity {
        noun: "a number of people",
        base: "",
        examples: &["20 M users", "1.5 B users", "500 k users"],
        parse: |text| {
            in_units(
                text,
                &[("users", 1.0), ("user", 1.0), ("people", 1.0), ("", 1.0)],
            )
        },
        bare: true,
        high: 1e11,
        ..rate()
    }
}

/// An amount of work, in tokens or in steps.
pub(super) fn iterations() -> Quantity {
    Quantity {
        noun: "a number of tokens or steps",
        base: "",
        examples: &["1056 tokens", "30 steps"],
        parse: |text| {
            in_units(
                text,
                &[
                    ("tokens", 1.0),
                    ("token", 1.0),
                    ("steps", 1.0),
                    ("step", 1.0),
                    ("", 1.0),
                ],
            )
        },
        bare: true,
        high: 1e9,
        ..rate()
    }
}

/// Waiting requests for each place in the batches.
pub(super) fn per_slot() -> Quantity {
    Quantity {
        noun: "a number of waiting requests per slot",
        base: "per slot",
        examples: &["3 per slot"],
        parse: |text| in_units(text, &[("per slot", 1.0)]),
        high: 1e9,
        ..rate()
    }
}

/// The value of a published fact, in the unit of its metric.
pub(super) fn published() -> Quantity {
    Quantity {
        noun: "a published value",
        base: "",
        examples: &["130 M users", "700 M images", "5 days", "11 %"],
        parse: |text| {
            in_units(
                text,
                &[
                    ("users", 1.0),
                    ("images", 1.0),
                    ("sign-ups", 1.0),
                    ("days", 1.0),
                    ("%", 0.01),
                ],
            )
        },
        bare: false,
        low: f64::MIN_POSITIVE,
        high: 1e15,
        tick: 0.0,
    }
}
