//! Quantities: a number with its unit in one text, `"45s"`, `"3 images/day"`, `"1.75 USD/GPU-hour"`.
//!
//! A number without its unit is refused where a unit is needed; so is `"5 m"`, which may be metres,
//! months or minutes (`"5m"` and `"5 min"` are minutes). Every quantity has a range.

use serde_json::{Value as Json, json};

use super::cursor::Spot;
use super::form::{Form, mapped};
use super::tree::Value;
use crate::units::SimDuration;

/// Longest time of a scenario: 100 years of 365.25 days, in seconds.
pub(super) const LONGEST_S: f64 = 100.0 * 365.25 * 86_400.0;
/// Most requests of a scenario.
pub(super) const MOST_REQUESTS: f64 = 1e15;
/// The tick of the clock in seconds.
const TICK_S: f64 = 1e-9;

/// A number with a unit, as a multiple of the base unit.
#[derive(Clone, Copy)]
pub(super) struct Quantity {
    /// What it is: `a duration`.
    noun: &'static str,
    /// The base unit, for ranges in messages.
    base: &'static str,
    examples: &'static [&'static str],
    /// The text in base units.
    parse: fn(&str) -> Option<f64>,
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

    /// The same, at least one tick (for durations) or above 0.
    pub(super) fn positive(self) -> Self {
        let low = if self.tick > 0.0 {
            self.tick
        } else {
            f64::MIN_POSITIVE
        };
        Self { low, ..self }
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
    let (base, examples, parse): (_, &'static [&'static str], fn(&str) -> Option<f64>) = match unit
    {
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
}

/// Electrical power in watts.
pub(super) fn power() -> Quantity {
    Quantity {
        noun: "a power",
        base: "W",
        examples: &["700 W", "1.19 kW"],
        parse: |text| in_units(text, &[("W", 1.0), ("kW", 1e3), ("MW", 1e6)]),
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

/// The number at the front of a text, and what follows it without blanks.
fn split_number(text: &str) -> Option<(f64, &str)> {
    let (digits, rest) = split_digits(text)?;
    let number: f64 = digits.replace('_', "").parse().ok()?;
    Some((number, rest.trim_start()))
}

/// The text of the number at the front of a text, and what follows.
fn split_digits(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let run = |from: usize| {
        let digits = bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit() || **b == b'_');
        from + digits.count()
    };
    let sign = usize::from(text.starts_with(['+', '-']));
    let mut end = run(sign);
    if end == sign || bytes[sign] == b'_' {
        return None;
    }
    if bytes.get(end) == Some(&b'.') && run(end + 1) > end + 1 {
        end = run(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = end + 1 + sign;
        if exponent <= bytes.len() && run(exponent) > exponent {
            end = run(exponent);
        }
    }
    Some(text.split_at(end))
}

/// Factors that may stand before a unit: thousand, million, billion.
const MULTIPLES: [(char, f64); 3] = [('k', 1e3), ('M', 1e6), ('B', 1e9)];

/// The factor of a unit, perhaps after `k`, `M` or `B`.
fn factor(unit: &str, units: &[(&str, f64)]) -> Option<f64> {
    let plain = |unit: &str| units.iter().find(|u| u.0 == unit).map(|u| u.1);
    plain(unit).or_else(|| {
        MULTIPLES.iter().find_map(|&(letter, multiple)| {
            let rest = unit.strip_prefix(letter)?;
            (rest.is_empty() || rest.starts_with(' ')).then_some(())?;
            Some(plain(rest.trim_start())? * multiple)
        })
    })
}

fn in_units(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let (number, unit) = split_number(text)?;
    Some(number * factor(unit, units)?)
}

/// Seconds of a unit of time in short or in words.
fn time_unit_s(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        _ => return None,
    })
}

/// `45s`, `2h30m`, `2d 4h`; minutes are `m` only right after the number.
pub(super) fn duration_s(text: &str) -> Option<f64> {
    let (mut total, mut rest, mut smallest) = (0.0, text, f64::INFINITY);
    while !rest.is_empty() {
        let (digits, after) = split_digits(rest)?;
        if total > 0.0 && digits.starts_with(['+', '-']) {
            return None;
        }
        let number: f64 = digits.replace('_', "").parse().ok()?;
        let unit_text = after.trim_start();
        let end = unit_text
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(unit_text.len());
        let (unit, tail) = unit_text.split_at(end);
        if unit == "m" && after.len() != unit_text.len() {
            return None;
        }
        let unit_s = time_unit_s(unit)?;
        // Parts go from large to small: `30m2h` is more likely a slip than a duration.
        if unit_s >= smallest {
            return None;
        }
        smallest = unit_s;
        // A decimal below one is exact only as a quotient: 250 ms is 250 / 1000.
        total += match unit_s < 1.0 {
            true => number / (1.0 / unit_s).round(),
            false => number * unit_s,
        };
        rest = tail.trim_start();
    }
    (smallest < f64::INFINITY).then_some(total)
}

fn signed_duration_s(text: &str) -> Option<f64> {
    match text.strip_prefix('-') {
        Some(rest) if !rest.starts_with(['+', '-']) => Some(-duration_s(rest)?),
        _ => duration_s(text),
    }
}

/// The length of a window as it stands after `/`: `s`, `day`, `3h`.
fn window_s(text: &str) -> Option<f64> {
    match text.trim() {
        unit if unit.starts_with(|c: char| c.is_ascii_digit()) => duration_s(unit),
        unit => time_unit_s(unit),
    }
    .filter(|&window| window > 0.0)
}

const COUNTED: [(&str, f64); 14] = [
    ("requests", 1.0),
    ("request", 1.0),
    ("images", 1.0),
    ("image", 1.0),
    ("messages", 1.0),
    ("message", 1.0),
    ("sessions", 1.0),
    ("session", 1.0),
    ("users", 1.0),
    ("user", 1.0),
    ("jobs", 1.0),
    ("job", 1.0),
    ("sign-ups", 1.0),
    ("sign-up", 1.0),
];

fn rate_per_s(text: &str) -> Option<f64> {
    let (counted, window) = text.split_once('/')?;
    Some(in_units(counted.trim(), &COUNTED)? / window_s(window)?)
}

fn hazard_per_s(text: &str) -> Option<f64> {
    let (chance, window) = text.split_once('/')?;
    Some(in_units(chance.trim(), &[("", 1.0), ("%", 0.01)])? / window_s(window)?)
}

/// How many images per window: `"50 images/3h"`; whether the window is a calendar day.
pub(super) fn images_per_window(text: &str) -> Option<(u8, f64, bool)> {
    let (images, window) = text.split_once('/')?;
    let images = whole_number(images, "images").or_else(|| whole_number(images, "image"))?;
    let images = u8::try_from(images)
        .ok()
        .filter(|images| (1..=200).contains(images))?;
    let calendar = matches!(window.trim(), "day" | "d");
    Some((images, window_s(window)?, calendar))
}

/// A whole number with its noun, exactly: `24_000`, `20 M users`, `1.5 k`.
pub(super) fn whole_number(text: &str, noun: &str) -> Option<i128> {
    let (digits, rest) = split_digits(text.trim())?;
    let rest = rest.trim_start();
    let multiple = factor(rest, &[("", 1.0), (noun, 1.0)])? as i128;
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let mantissa = mantissa.replace('_', "");
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((&mantissa, ""));
    let number: i128 = format!("{whole}{fraction}").parse().ok()?;
    let number = number.checked_mul(multiple)?;
    let shift = exponent - i32::try_from(fraction.len()).ok()?;
    let power = 10_i128.checked_pow(shift.unsigned_abs())?;
    match shift >= 0 {
        true => number.checked_mul(power),
        false => (number % power == 0).then_some(number / power),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_all_their_forms() {
        for (text, s) in [
            ("45s", 45.0),
            ("1.5h", 5400.0),
            ("2h30m", 9000.0),
            ("2d 4h", 187_200.0),
            ("9d", 777_600.0),
            ("250 ms", 0.25),
            ("10 us", 1e-5),
            ("5 ns", 5e-9),
            ("5min", 300.0),
            ("5m", 300.0),
            ("1e3 s", 1000.0),
            ("0s", 0.0),
        ] {
            assert_eq!(duration_s(text), Some(s), "{text}");
        }
    }

    #[test]
    fn what_is_ambiguous_or_no_duration_is_refused() {
        for text in [
            "", "5", "5 m", "5mo", "P1Y", "s", "1h-5m", "1h1h", "5m2h", "nan s", "inf s", "._s",
        ] {
            assert_eq!(duration_s(text), None, "{text}");
        }
        assert_eq!(duration_s("1e400s"), Some(f64::INFINITY));
    }

    #[test]
    fn whole_numbers_are_exact() {
        assert_eq!(whole_number("20 M users", "users"), Some(20_000_000));
        assert_eq!(whole_number("1.5 B", "users"), Some(1_500_000_000));
        assert_eq!(
            whole_number("9_007_199_254_740_993", ""),
            Some(9_007_199_254_740_993)
        );
        assert_eq!(whole_number("1.5 users", "users"), None);
        assert_eq!(whole_number("1e40", ""), None);
        assert_eq!(whole_number("5 users", "requests"), None);
    }

    #[test]
    fn rates_have_a_count_and_a_window() {
        let near = |text: &str, per_s: f64| {
            let read = rate_per_s(text).unwrap();
            assert!((read - per_s).abs() <= 1e-12 * per_s, "{text}: {read}");
        };
        near("900 requests/s", 900.0);
        near("3 images/day", 3.0 / 86_400.0);
        near("50 images/3h", 50.0 / 10_800.0);
        near("1.2 k requests/s", 1200.0);
        assert_eq!(rate_per_s("900"), None);
        assert_eq!(rate_per_s("900/s"), None);
        assert_eq!(rate_per_s("900 requests/0s"), None);
        assert_eq!(
            images_per_window("50 images/3h"),
            Some((50, 10_800.0, false))
        );
        assert_eq!(images_per_window("3 images/day"), Some((3, 86_400.0, true)));
        assert_eq!(images_per_window("201 images/day"), None);
    }
}
