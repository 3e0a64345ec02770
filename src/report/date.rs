//! Dates for reports, always UTC.

use jiff::Timestamp;
use jiff::fmt::strtime;

/// The point `seconds` after the start, in seconds since 1970 UTC.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float-to-integer `as` saturates"
)]
pub(super) fn unix_s(start_unix_s: i64, seconds: f64) -> i64 {
    start_unix_s.saturating_add(seconds.round() as i64)
}

/// `2025-03-25T14:30:00Z`.
pub(super) fn iso(unix_s: i64) -> String {
    format(unix_s, "%Y-%m-%dT%H:%M:%SZ")
}

/// `25 Mar`.
fn day(unix_s: i64) -> String {
    format(unix_s, "%-d %b")
}

/// `25 Mar 14:30`.
pub(super) fn minute(unix_s: i64) -> String {
    format(unix_s, "%-d %b %H:%M")
}

/// `2025-03-25 14:30`.
pub(super) fn iso_minute(unix_s: i64) -> String {
    format(unix_s, "%Y-%m-%d %H:%M")
}

/// `14:30:00`.
fn second(unix_s: i64) -> String {
    format(unix_s, "%H:%M:%S")
}

/// `2025-03-25`.
pub(super) fn full_day(unix_s: i64) -> String {
    format(unix_s, "%Y-%m-%d")
}

/// Distances between the marks of a time axis in seconds: a second to ten years.
const STEPS_S: [i64; 24] = [
    1,
    5,
    10,
    30,
    60,
    300,
    600,
    1800,
    3600,
    7200,
    10_800,
    21_600,
    43_200,
    DAY_S,
    2 * DAY_S,
    3 * DAY_S,
    7 * DAY_S,
    14 * DAY_S,
    28 * DAY_S,
    91 * DAY_S,
    182 * DAY_S,
    365 * DAY_S,
    1826 * DAY_S,
    3652 * DAY_S,
];
const DAY_S: i64 = 86_400;

/// Marks for a time axis that begins at `start_unix_s` and lasts `length_s`: at round times, at most
/// `most` of them, with their labels. None where even ten-year marks are too many.
pub(super) fn ticks(start_unix_s: i64, length_s: f64, most: usize) -> Vec<(i64, String)> {
    let fits = |&&step_s: &&i64| length_s / step_s as f64 <= most as f64;
    let Some(&step_s) = STEPS_S.iter().find(fits) else {
        return vec![];
    };
    let label = match step_s {
        ..60 => second,
        60..DAY_S => minute,
        DAY_S..=15_724_800 => day,
        _ => full_day,
    };
    let end_unix_s = unix_s(start_unix_s, length_s);
    let first = start_unix_s.div_euclid(step_s).saturating_mul(step_s);
    (0..=most as i64 + 1)
        .map(|index| first.saturating_add(index * step_s))
        .filter(|at| (start_unix_s..=end_unix_s).contains(at))
        .map(|at| (at, label(at)))
        .collect()
}

/// Points beyond the calendar (years -9999 to 9999) show as its end.
fn format(unix_s: i64, pattern: &str) -> String {
    let end = if unix_s < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    let point = Timestamp::from_second(unix_s).unwrap_or(end);
    strtime::format(pattern, point).expect("the patterns of this module are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_utc() {
        let point = unix_s(1_742_922_000, 1800.0);
        assert_eq!(iso(point), "2025-03-25T17:30:00Z");
        assert_eq!(day(point), "25 Mar");
        assert_eq!(minute(point), "25 Mar 17:30");
        assert_eq!(second(point), "17:30:00");
    }

    #[test]
    fn time_axes_have_marks_at_round_times() {
        let ten_days = ticks(1_742_922_000, 864_000.0, 12);
        assert_eq!(ten_days.len(), 10);
        assert_eq!(ten_days[0].1, "26 Mar");
        let two_hours = ticks(1_742_922_000, 7200.0, 5);
        assert_eq!(two_hours[1].1, "25 Mar 17:30");
        assert!(ticks(0, 1e300, 10).is_empty());
        assert!(ticks(0, 10.0, 0).is_empty());
    }

    #[test]
    fn points_beyond_the_calendar_show_as_its_end() {
        assert_eq!(full_day(unix_s(0, 1e300)), "9999-12-30");
        assert_eq!(full_day(i64::MIN), "-9999-01-02");
    }
}
