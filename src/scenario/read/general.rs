//! The section `[scenario]`: the question, its time span and its randomness.

use super::cursor::Cursor;
use super::form::{Name, choice, mapped, or_word, some, whole, words};
use super::moment::Start;
use super::quantity::{duration, number, positive_duration, share};
use crate::random::Seed;
use crate::scenario::Scenario;
use crate::scenario::runs::{FEWEST_TO_JUDGE, Runs, TARGET_MEASURES, Target, WarmUpRule};
use crate::units::SimDuration;

/// What `[scenario]` says.
pub(super) struct General {
    pub(super) name: String,
    pub(super) question: String,
    pub(super) start_unix_s: i64,
    pub(super) horizon: SimDuration,
    pub(super) warm_up: SimDuration,
    pub(super) warm_up_rule: WarmUpRule,
    pub(super) runs: Runs,
    pub(super) seed: Seed,
    pub(super) scale: f64,
    /// A file of rows for the catalog.
    pub(super) catalog: Option<String>,
    pub(super) lookahead: SimDuration,
    pub(super) series_interval: SimDuration,
}

impl General {
    /// A scenario of which only this is known.
    pub(super) fn scenario(self) -> Scenario {
        Scenario {
            name: self.name,
            question: self.question,
            start_unix_s: self.start_unix_s,
            horizon: self.horizon,
            warm_up: self.warm_up,
            warm_up_rule: self.warm_up_rule,
            runs: self.runs,
            seed: self.seed,
            scale: self.scale,
            lookahead: self.lookahead,
            series_interval: self.series_interval,
            ..Scenario::blank()
        }
    }
}

/// Points that a time series has by default, about.
const SERIES_POINTS: f64 = 200.0;
/// Most points of a time series; its memory grows with them.
const SERIES_POINTS_LIMIT: u64 = 100_000;
/// Most lookahead windows of a run; each costs time even when nothing happens.
const WINDOW_LIMIT: u64 = 100_000_000;

/// Most replications; each leaves its measures in the result.
const REPLICATIONS_LIMIT: u64 = 10_000;
/// Most replications with a target, where the scenario does not say.
const MOST_WITHOUT_A_WORD: &str = "1000";
/// The precisions that can be asked for: half widths as shares of the mean.
const TARGET_FINEST: f64 = 1e-4;
const TARGET_COARSEST: f64 = 0.5;

/// Spacings at which people like to read a time axis, in seconds and as written.
const SPACINGS: [(f64, &str); 24] = [
    (0.001, "1ms"),
    (0.01, "10ms"),
    (0.1, "100ms"),
    (0.2, "200ms"),
    (0.5, "500ms"),
    (1.0, "1s"),
    (2.0, "2s"),
    (5.0, "5s"),
    (10.0, "10s"),
    (15.0, "15s"),
    (30.0, "30s"),
    (60.0, "1min"),
    (120.0, "2min"),
    (300.0, "5min"),
    (600.0, "10min"),
    (900.0, "15min"),
    (1800.0, "30min"),
    (3600.0, "1h"),
    (7200.0, "2h"),
    (10_800.0, "3h"),
    (21_600.0, "6h"),
    (43_200.0, "12h"),
    (86_400.0, "1d"),
    (604_800.0, "1w"),
];

pub(super) fn read(root: &mut Cursor<'_>, file_stem: &str) -> General {
    root.section(
        "scenario",
        "The question, its time span and its randomness.",
        |at| {
            let name = at.computed(
                "name",
                "Short name, also of the result folder; by default that of the file.",
                Name,
                file_stem,
            );
            let question = at.default("question", "The question in one sentence.", words(), "\"\"");
            let start_unix_s = at.default(
                "start",
                "The date at which the scenario starts.",
                Start,
                "2025-01-01T00:00Z",
            );
            let horizon = at.required("lasts", "How long the scenario lasts.", positive_duration());
            let doc = "What is left out of the statistics at the start; \"auto\": found by MSER-5 on five \
                       pilot runs, for a load that becomes steady.";
            let warm_up = at.default("warm_up", doc, or_word("auto", None, some(duration())), "0s");
            let general = General {
                name,
                question,
                start_unix_s,
                horizon,
                warm_up: warm_up.unwrap_or(SimDuration::ZERO),
                warm_up_rule: match warm_up {
                    Some(_) => WarmUpRule::Stated,
                    None => WarmUpRule::Auto,
                },
                runs: runs(at),
                seed: at.default(
                    "seed",
                    "All randomness follows from this number.",
                    mapped(whole("", 0, u64::MAX), Seed),
                    "2025",
                ),
                catalog: at.optional(
                    "catalog",
                    "A CSV or TOML file of rows to lay over those of the catalog.",
                    words(),
                ),
                scale: at.default(
                    "scale",
                    "The share of users, requests and GPUs that is simulated.",
                    number(1e-9, 1000.0),
                    "1",
                ),
                lookahead: at.default(
                    "lookahead",
                    "How stale the state is that a router sees; the pools run apart for so long.",
                    positive_duration(),
                    "1s",
                ),
                series_interval: at.computed(
                    "series_interval",
                    "Spacing of the time series; by default about a 200th of the time span.",
                    positive_duration(),
                    spacing(horizon),
                ),
            };
            check(at, &general);
            general
        },
    )
}

/// How often the scenario is run.
fn runs(at: &mut Cursor<'_>) -> Runs {
    let doc = "Run until the 95 % confidence interval is at most so wide to each side of its mean, \
               relative to it; `replications` is then the most.";
    let target_ci = at.optional(
        "target_ci",
        doc,
        share()
            .within(TARGET_FINEST, TARGET_COARSEST)
            .shown_as(&["1 %"]),
    );
    let doc = "What `target_ci` is about, over all tiers; \"main\": response_mean and goodput.";
    let measures = at.default("target_metric", doc, choice(&TARGET_MEASURES), "main");
    let (most, target) = match target_ci {
        None => ("1", None),
        Some(relative_half_width) => {
            let target = Target {
                relative_half_width,
                measures,
            };
            (MOST_WITHOUT_A_WORD, Some(target))
        }
    };
    let doc = "Independent runs, each with a seed of its own; by default 1, and up to 1000 with \
               `target_ci`.";
    let form = whole("", 1, REPLICATIONS_LIMIT);
    let replications = at.computed("replications", doc, form, most);
    if target.is_some() && replications < FEWEST_TO_JUDGE {
        let message = format!("is {replications}, too few to judge `target_ci` by");
        let hint = format!("allow at least {FEWEST_TO_JUDGE}, or leave out `target_ci`");
        at.problem("replications", &message, hint);
    }
    if target.is_none() && at.has("target_metric") {
        at.problem(
            "target_metric",
            "needs `target_ci`",
            "add `target_ci = \"1 %\"`",
        );
    }
    Runs {
        replications,
        target,
    }
}

fn check(at: &Cursor<'_>, general: &General) {
    let horizon = general.horizon;
    if general.warm_up >= horizon {
        at.problem(
            "warm_up",
            "is as long as `lasts`",
            "leave time after the warm-up",
        );
    }
    if horizon.0 / general.series_interval.0.max(1) > SERIES_POINTS_LIMIT {
        let message = format!("gives more than {SERIES_POINTS_LIMIT} points in `lasts`");
        at.problem("series_interval", &message, "make it longer");
    }
    if horizon.0 / general.lookahead.0.max(1) > WINDOW_LIMIT {
        let message = format!("divides `lasts` into more than {WINDOW_LIMIT} windows");
        at.problem("lookahead", &message, "make it longer, or `lasts` shorter");
    }
}

/// The spacing nearest to a 200th of the horizon, in ratio.
fn spacing(horizon: SimDuration) -> &'static str {
    let wanted = horizon.as_s() / SERIES_POINTS;
    let distance = |s: f64| libm::fabs(libm::log(s / wanted));
    SPACINGS
        .iter()
        .min_by(|a, b| distance(a.0).total_cmp(&distance(b.0)))
        .map_or("1s", |nearest| nearest.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_have_a_readable_spacing() {
        let of = |s| spacing(SimDuration::from_s(s));
        assert_eq!(of(864_000.0), "1h");
        assert_eq!(of(600.0), "2s");
        assert_eq!(of(0.0), "1ms");
    }
}
