//! Held against history: published facts beside what the run gave.

use super::Recorder;
use super::summary::{FactResult, People};
use crate::scenario::{Fact, Market, Metric, Scenario};

/// Every fact of the scenario beside the run. Counts of a scaled run are extended to the whole.
pub(super) fn facts(
    scenario: &Scenario,
    recorder: &Recorder,
    people: &People,
    images: u64,
) -> Vec<FactResult> {
    let result = |fact: &Fact| {
        let run = value(fact.metric, scenario, recorder, people, images);
        let is_growth = unit(fact.metric) == "1";
        let difference = run.map(|run| match is_growth {
            true => run - fact.published,
            false => (run - fact.published) / fact.published,
        });
        // A growth rate differs by points: its tolerance is a share of the published growth.
        let tolerance = if is_growth {
            fact.tolerance * fact.published
        } else {
            fact.tolerance
        };
        FactResult {
            name: fact.name.clone(),
            published: fact.published,
            run,
            unit: unit(fact.metric).into(),
            difference,
            tolerance,
            agrees: difference.map(|difference| difference.abs() <= tolerance),
            used: fact.used,
            source: fact.source.clone(),
        }
    };
    scenario.facts.iter().map(result).collect()
}

/// The unit in which a metric is published.
fn unit(metric: Metric) -> &'static str {
    match metric {
        Metric::ImageUsers => "users",
        Metric::Images => "images",
        Metric::SignUpsPeakHour => "users/h",
        Metric::DaysToMillion => "days",
        Metric::WeeklyUsersGrowth | Metric::DownloadsGrowth | Metric::InAppRevenueGrowth => "1",
    }
}

/// What the run gave; `None` where it did not get so far.
///
/// People who come in the market's week download the app if they are new, and are active in it if
/// they are new or were dormant, with the share of users who use the app; who subscribes in it pays
/// there. Each is compared with an ordinary week.
fn value(
    metric: Metric,
    scenario: &Scenario,
    recorder: &Recorder,
    people: &People,
    images: u64,
) -> Option<f64> {
    let whole = |count: u64| count as f64 / scenario.scale;
    match metric {
        Metric::ImageUsers => Some(whole(people.served)),
        Metric::Images => Some(whole(images)),
        Metric::SignUpsPeakHour => Some(whole(people.sign_ups_peak_hour)),
        Metric::DaysToMillion => people.days_to_million,
        Metric::WeeklyUsersGrowth => growth(scenario, recorder, |week, market| {
            (week.newcomers + week.dormant) * market.app_share / market.weekly_app_users
        }),
        Metric::DownloadsGrowth => growth(scenario, recorder, |week, market| {
            week.newcomers * market.app_share / market.weekly_downloads
        }),
        Metric::InAppRevenueGrowth => growth(scenario, recorder, |week, market| {
            week.subscribers * market.app_share * market.subscription_usd / market.weekly_in_app_usd
        }),
    }
}

fn growth(
    scenario: &Scenario,
    recorder: &Recorder,
    part: impl Fn(&super::recorder::CameInWeek, &Market) -> f64,
) -> Option<f64> {
    let market = scenario.market.as_ref()?;
    let came = recorder.came_in_week(scenario)?;
    Some(came.iter().map(|week| part(week, market)).sum::<f64>() / scenario.scale)
}
