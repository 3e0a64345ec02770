//! Numbers with units as text, and what they are in base units. `None`: the text is no such thing.

/// The number at the front of a text, and what follows it without blanks.
pub(super) fn split_number(text: &str) -> Option<(f64, &str)> {
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

pub(super) fn in_units(text: &str, units: &[(&str, f64)]) -> Option<f64> {
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

pub(super) fn signed_duration_s(text: &str) -> Option<f64> {
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

/// How many GPUs in how many seconds: `20_000 GPUs/month`, a month being a twelfth of 365.25 days.
pub(super) fn gpus_per_window(text: &str) -> Option<(f64, f64)> {
    const YEAR_S: f64 = 365.25 * 86_400.0;
    let (gpus, window) = text.split_once('/')?;
    let gpus = in_units(gpus.trim(), &[("GPUs", 1.0), ("GPU", 1.0)])?;
    let window = match window.trim() {
        "month" => YEAR_S / 12.0,
        "year" => YEAR_S,
        other => window_s(other)?,
    };
    Some((gpus, window))
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

pub(super) fn rate_per_s(text: &str) -> Option<f64> {
    let (counted, window) = text.split_once('/')?;
    Some(in_units(counted.trim(), &COUNTED)? / window_s(window)?)
}

pub(super) fn hazard_per_s(text: &str) -> Option<f64> {
    let (chance, window) = text.split_once('/')?;
    Some(in_units(chance.trim(), &[("", 1.0), ("%", 0.01)])? / window_s(window)?)
}

/// How many images per window: `"50 images/3h"`; whether the window is a calendar day.
/// `0.173 /GPU-year`, `6.5 /1000 node-days`: so many failures in so many years, days or hours of so many units, a
/// second of one unit; `noun` is what a unit is called.
pub(super) fn failures_per_s(text: &str, noun: &str) -> Option<f64> {
    let (failures, rest) = split_number(text)?;
    let rest = rest.strip_prefix('/')?.trim_start();
    let (count, unit) = split_number(rest).unwrap_or((1.0, rest));
    let time = match unit.strip_prefix(noun) {
        Some(time) => time.strip_prefix('-')?,
        None => unit,
    };
    let time_s = match time {
        "year" | "years" => 365.25 * 86_400.0,
        time => time_unit_s(time)?,
    };
    Some(failures / (count * time_s))
}

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
    fn gpus_have_a_count_and_a_window() {
        let week = 604_800.0;
        assert_eq!(gpus_per_window("5_000 GPUs/week"), Some((5000.0, week)));
        assert_eq!(gpus_per_window("20 k GPUs/month"), Some((2e4, 2_629_800.0)));
        assert_eq!(gpus_per_window("1 GPU/2w"), Some((1.0, 2.0 * week)));
        for wrong in [
            "5_000/week",
            "5_000 GPUs",
            "5_000 GPUs/",
            "GPUs/week",
            "5 images/week",
        ] {
            assert_eq!(gpus_per_window(wrong), None, "{wrong}");
        }
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
