//! Numbers for people: three significant digits, a prefix for the thousands, a unit.
//!
//! Files for machines carry full numbers; this is only for tables and figures.

use crate::units::SimDuration;

/// Prefixes for powers of 1000, after the SI.
const PREFIXES: [&str; 6] = ["", " k", " M", " G", " T", " P"];
/// Seconds in a year of 365.25 days: beyond it a time is given in years.
const S_PER_YEAR: f64 = 31_557_600.0;

/// What stands where a quantity is unknown.
pub(super) const UNKNOWN: &str = "-";

/// Three significant digits with a prefix: `0.0123`, `12.3`, `4.57 k`, `130 M`; `1.00e20` beyond.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(0.0001..1e18).contains(&size) {
        return format!("{value:.2e}");
    }
    let mut prefix = 0;
    let mut scaled = value;
    // 999.6 would be written as 1000: it is 1 of the next prefix.
    while scaled.abs() >= 999.5 && prefix + 1 < PREFIXES.len() {
        scaled /= 1000.0;
        prefix += 1;
    }
    format!("{}{}", three_digits(scaled), PREFIXES[prefix])
}

/// Three significant digits of a number under 1000; zeros behind the point are dropped.
fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        99.95.. => 0,
        9.995.. => 1,
        0.9995.. => 2,
        0.0995.. => 3,
        0.00995.. => 4,
        0.000995.. => 5,
        _ => 6,
    };
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A quantity with its unit, in the way one would say it: a time in its two largest units, a share
/// in per cent, money in USD, anything else as a short number with its unit behind it.
pub(super) fn quantity(value: f64, unit: &str) -> String {
    match unit {
        _ if !value.is_finite() => UNKNOWN.to_owned(),
        "s" => duration(value),
        "1" => percent(value),
        "1/s" => format!("{}{}/s", short(value), space_unless_prefixed(value)),
        "" => short(value),
        _ => format!("{} {unit}", short(value)),
    }
}

/// `12 /s`, but `1.2 k/s`.
fn space_unless_prefixed(value: f64) -> &'static str {
    if (999.5..1e18).contains(&value.abs()) {
        ""
    } else {
        " "
    }
}

/// The quantity, or a dash.
pub(super) fn optional(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| quantity(value, unit))
}

/// A share as per cent with at most three significant digits.
pub(super) fn percent(share: f64) -> String {
    match share {
        _ if !share.is_finite() => UNKNOWN.to_owned(),
        0.0 => "0 %".to_owned(),
        _ if share.abs() < 1e-5 => "< 0.001 %".to_owned(),
        _ => format!("{} %", short(share * 100.0)),
    }
}

/// How far a quantity reaches to each side: `12.3 M images`; of a share in points.
pub(super) fn spread(half_width: f64, unit: &str) -> String {
    match unit {
        _ if !half_width.is_finite() => UNKNOWN.to_owned(),
        "1" => format!("{} points", short(half_width * 100.0)),
        _ => quantity(half_width, unit),
    }
}

/// A difference of two quantities, always with its sign: `+12.3 M images`; of two shares in points.
pub(super) fn signed(difference: f64, unit: &str) -> String {
    let size = spread(difference.abs(), unit);
    match difference {
        _ if !difference.is_finite() => UNKNOWN.to_owned(),
        0.0 => size,
        _ if difference > 0.0 => format!("+{size}"),
        _ => format!("−{size}"),
    }
}

/// A relative difference, always with its sign: `+1.4 %`.
pub(super) fn signed_percent(share: f64) -> String {
    match share.is_finite() {
        false => UNKNOWN.to_owned(),
        true if share > 0.0 => format!("+{}", percent(share)),
        true if share < 0.0 => format!("−{}", percent(-share)),
        true => percent(share),
    }
}

/// Three significant digits without a prefix: `0.0482`, `143`, `4820`.
pub(super) fn plain(value: f64) -> String {
    match value.is_finite() {
        false => UNKNOWN.to_owned(),
        true if (1e-5..1e7).contains(&value.abs()) || value == 0.0 => three_digits(value),
        true => format!("{value:.2e}"),
    }
}

/// A rate with its prefix and unit: `143 TFLOP/s`, `7 B/s`.
pub(super) fn rate(value: f64, unit: &str) -> String {
    format!("{}{}{unit}", short(value), space_unless_prefixed(value))
}

/// A time as it was measured, with three significant digits in one unit: `7.02 ms`, `84.1 s`.
pub(super) fn measured_s(seconds: f64) -> String {
    let (factor, unit) = time_unit(seconds);
    format!("{} {unit}", plain(seconds * factor))
}

/// The ends of an interval of times in one unit: `6.98 to 7.04 ms`.
pub(super) fn measured_interval_s(low_s: f64, high_s: f64) -> String {
    let (factor, unit) = time_unit(high_s);
    format!(
        "{} to {} {unit}",
        plain(low_s * factor),
        plain(high_s * factor)
    )
}

/// The unit in which a time has one to three digits before its point, and its number in a second.
fn time_unit(seconds: f64) -> (f64, &'static str) {
    match seconds {
        _ if seconds >= 0.9995 => (1.0, "s"),
        _ if seconds >= 0.000_999_5 => (1e3, "ms"),
        _ => (1e6, "us"),
    }
}

/// A time in seconds in its two largest units; in years when it is longer than one.
fn duration(seconds: f64) -> String {
    match seconds {
        0.0 => "0 s".to_owned(),
        _ if seconds < 0.0 => format!("−{}", duration(-seconds)),
        _ if seconds >= S_PER_YEAR => format!("{} years", short(seconds / S_PER_YEAR)),
        // Whole seconds are enough from a minute on, tenths from ten seconds on.
        _ if seconds >= 60.0 => SimDuration::from_s(seconds.round()).to_string(),
        _ => SimDuration::from_s(seconds).to_string(),
    }
}

/// A count in full with a thin grouping: `1 234 567`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Dollars and cents in full: `12 445 440.00`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-integer `as` saturates, and cents beyond 2^53 are no longer exact anyway"
)]
pub(super) fn cents(usd: f64) -> String {
    let cents = (usd.abs() * 100.0).round() as u64;
    let sign = if usd < 0.0 && cents > 0 { "−" } else { "" };
    format!("{sign}{}.{:02}", grouped(cents / 100), cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_have_three_digits_and_a_prefix() {
        let shown = [0.0, 0.0004, 0.0123, 0.5, 12.34, 999.7].map(short);
        assert_eq!(shown, ["0", "0.0004", "0.0123", "0.5", "12.3", "1 k"]);
        let shown = [4567.0, 130e6, 1e20, -1500.0].map(short);
        assert_eq!(shown, ["4.57 k", "130 M", "1.00e20", "-1.5 k"]);
    }

    #[test]
    fn quantities_carry_their_unit() {
        assert_eq!(quantity(7830.0, "s"), "2 h 10 m");
        assert_eq!(quantity(0.4567, "1"), "45.7 %");
        assert_eq!(quantity(1234.0, "1/s"), "1.23 k/s");
        assert_eq!(quantity(7.0, "1/s"), "7 /s");
        assert_eq!(quantity(7e8, "images"), "700 M images");
        assert_eq!(optional(None, "s"), "-");
        assert_eq!(quantity(f64::NAN, "s"), "-");
        assert_eq!(quantity(1e300, "s"), "3.17e292 years");
    }

    #[test]
    fn measured_times_have_three_digits_in_one_unit() {
        let shown = [84.06, 0.007_024, 0.99999, 2.5e-6, 4e-9].map(measured_s);
        assert_eq!(shown, ["84.1 s", "7.02 ms", "1 s", "2.5 us", "0.004 us"]);
        assert_eq!(measured_interval_s(0.000_98, 0.00104), "0.98 to 1.04 ms");
        assert_eq!(rate(4e14, "FLOP/s"), "400 TFLOP/s");
        assert_eq!(rate(7.0, "B/s"), "7 B/s");
        assert_eq!(
            [4820.4, 0.04821, f64::NAN].map(plain),
            ["4820", "0.0482", "-"]
        );
    }

    #[test]
    fn differences_carry_their_sign() {
        assert_eq!(signed_percent(0.014), "+1.4 %");
        assert_eq!(signed_percent(-0.5), "−50 %");
        assert_eq!(signed_percent(0.0), "0 %");
        assert_eq!(signed(-7e8, "images"), "−700 M images");
        assert_eq!(signed(0.042, "1"), "+4.2 points");
        assert_eq!(signed(0.0, "s"), "0 s");
    }

    #[test]
    fn money_and_counts_are_written_in_full() {
        assert_eq!(cents(12_445_440.0), "12 445 440.00");
        assert_eq!(cents(-0.05), "−0.05");
        assert_eq!(cents(-0.001), "0.00");
        assert_eq!(grouped(100), "100");
        assert_eq!(grouped(1_234_567), "1 234 567");
    }
}
