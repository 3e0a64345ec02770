//! How a trace writes its times: date-times or seconds, exact to the nanosecond.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Seconds from here on (the year 5138) are taken for a finer unit.
const TOO_LATE_S: i128 = 100_000_000_000;

const NS_PER_S: i128 = 1_000_000_000;

const DATE_TIME: &str = "a date-time like 2023-11-16 18:15:46.68 is needed, as in the first row";
const SECONDS: &str = "seconds from 0 are needed, or a date-time like 2023-11-16 18:15:46.68";
const FINER: &str = "seconds are needed; this looks like milliseconds or a finer unit: divide by 1000 \
                     or more first";

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// Date-times: UTC, or with an offset.
    Dates,
    /// Seconds since any point.
    Seconds,
}

impl Clock {
    /// The way in which `text` is written.
    pub(super) fn of(text: &str) -> Self {
        match date_ns(text) {
            Some(_) => Self::Dates,
            None => Self::Seconds,
        }
    }

    /// Nanoseconds on this clock, or what is allowed instead.
    pub(super) fn read(self, text: &str) -> Result<i128, &'static str> {
        match self {
            Self::Dates => date_ns(text).ok_or(DATE_TIME),
            Self::Seconds => match seconds_ns(text) {
                Some(ns) if ns >= TOO_LATE_S * NS_PER_S => Err(FINER),
                Some(ns) => Ok(ns),
                None => Err(SECONDS),
            },
        }
    }
}

/// Nanoseconds since 1970 of a date-time; one without an offset is UTC.
fn date_ns(text: &str) -> Option<i128> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_nanosecond());
    }
    let date_time = text.parse::<DateTime>().ok()?;
    let timestamp = TimeZone::UTC.to_timestamp(date_time).ok()?;
    Some(timestamp.as_nanosecond())
}

/// Nanoseconds of a number of seconds that is not negative. Digits are taken as they are, for a double
/// keeps only a fraction of a microsecond of today's seconds since 1970.
fn seconds_ns(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) {
        let whole: i128 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        let nine = format!("{fraction:0<9}");
        let fraction_ns: i128 = nine[..9].parse().ok()?;
        return whole.checked_mul(NS_PER_S)?.checked_add(fraction_ns);
    }
    let seconds: f64 = text.parse().ok()?;
    let in_range = seconds >= 0.0 && seconds < 2.0 * TOO_LATE_S as f64;
    if seconds.is_finite() && seconds >= 0.0 && !in_range {
        return Some(TOO_LATE_S * NS_PER_S);
    }
    let duration = SignedDuration::try_from_secs_f64(seconds).ok()?;
    in_range.then(|| duration.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact_to_the_nanosecond() {
        assert_eq!(
            seconds_ns("1700000000.123456789"),
            Some(1_700_000_000_123_456_789)
        );
        assert_eq!(seconds_ns("0.5"), Some(500_000_000));
        assert_eq!(seconds_ns(".25"), Some(250_000_000));
        assert_eq!(seconds_ns("1e3"), Some(1000 * NS_PER_S));
        assert_eq!(date_ns("1970-01-01 00:00:01.5"), Some(1_500_000_000));
        assert_eq!(date_ns("1970-01-01T02:00:00+02:00"), Some(0));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "NaN", "inf", "-inf", "-3", "", ".", "1,5", "soon", "-0.1", "0x10",
        ] {
            assert_eq!(Clock::Seconds.read(text), Err(SECONDS), "{text}");
        }
        for text in [
            "1700000000000",
            "1.7e12",
            "1e300",
            "170000000000000000000000",
        ] {
            assert_eq!(Clock::Seconds.read(text), Err(FINER), "{text}");
        }
        assert_eq!(Clock::Dates.read("17"), Err(DATE_TIME));
        assert_eq!(Clock::Dates.read("2023-02-30 00:00:00"), Err(DATE_TIME));
    }
}
