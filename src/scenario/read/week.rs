//! A timetable of the week: `{ "08:00" = 500, "sat-sun 10:00" = 200 }`.

use serde_json::{Value as Json, json};

use super::form::{Form, whole_u32};
use super::notes::Spot;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_S: u32 = 86_400;

/// (seconds after Monday 0:00, replicas) by time.
pub(super) type Entries = Vec<(u32, u32)>;

/// Replicas by local time of the week.
pub(super) struct Timetable;

impl Form for Timetable {
    type Out = Entries;
    fn read(&self, spot: &Spot<'_>) -> Option<Entries> {
        let allowed = "a table whose keys are times of day, with days before them or none";
        let Some(table) = spot.node.table().filter(|table| !table.entries.is_empty()) else {
            spot.refuse(allowed, self.example());
            return None;
        };
        let mut entries = Entries::new();
        for (key, replicas) in spot.map(table, &whole_u32("replicas", 1, 100_000_000)) {
            let Some((days, second)) = moment(&key) else {
                spot.refuse(allowed, self.example());
                return None;
            };
            for day in days {
                let at = day * DAY_S + second;
                if entries.iter().any(|entry| entry.0 == at) {
                    let hint = "leave one of the two out, or give it other days";
                    spot.refuse("a timetable that names each time once", hint);
                    return None;
                }
                entries.push((at, replicas));
            }
        }
        entries.sort_unstable();
        Some(entries)
    }
    fn placeholder(&self) -> Entries {
        vec![(0, 1)]
    }
    fn schema(&self) -> Json {
        json!({
            "type": "object",
            "propertyNames": { "pattern": "^([a-z]{3}(-[a-z]{3})? )?[0-9]{2}:[0-9]{2}$" },
            "additionalProperties": super::cursor::annotatable(whole_u32("replicas", 1, 100_000_000).schema()),
            "minProperties": 1,
        })
    }
    fn example(&self) -> String {
        "write it as { \"08:00\" = 500, \"mon-fri 20:00\" = 300, \"sat 10:00\" = 200 }".to_owned()
    }
}

/// `"08:00"`, `"sat 10:00"`, `"fri-mon 20:30"`: days and second of the day.
fn moment(text: &str) -> Option<(Vec<u32>, u32)> {
    let (days, time) = match text.split_once(' ') {
        Some((days, time)) => (Some(days), time),
        None => (None, text),
    };
    let day = |name: &str| {
        DAYS.iter()
            .position(|day| *day == name)
            .map(|day| day as u32)
    };
    let days = match days {
        None => (0..7).collect(),
        Some(days) => match days.split_once('-') {
            None => vec![day(days)?],
            Some((first, last)) => {
                let (first, last) = (day(first)?, day(last)?);
                (0..=(last + 7 - first) % 7)
                    .map(|n| (first + n) % 7)
                    .collect()
            }
        },
    };
    let (hour, minute) = time.split_once(':')?;
    let two = |text: &str, end: u32| {
        let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|&n| is_plain && n < end)
    };
    Some((days, two(hour, 24)? * 3600 + two(minute, 60)? * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_with_and_without_days() {
        assert_eq!(moment("08:30"), Some(((0..7).collect(), 30_600)));
        assert_eq!(moment("sat 00:00"), Some((vec![5], 0)));
        assert_eq!(moment("fri-mon 23:59"), Some((vec![4, 5, 6, 0], 86_340)));
        for wrong in [
            "8:00",
            "24:00",
            "08:60",
            "sam 08:00",
            "mon-xyz 08:00",
            "+1:00",
            "",
            "mon",
        ] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }
}
