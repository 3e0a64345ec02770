//! What is promised and what is known: `[slo]`, `[market]`, `[fact]` and `[fit]`.

use super::World;
use super::cursor::Cursor;
use super::form::{Flag, Map, choice, list, reference};
use super::moment::Moment;
use super::quantity::{Money, money, people, published, seconds, share};
use crate::scenario::{Fact, FactUse, FitPair, Goal, Market, Metric, Slo};

/// The quantiles that a promise can be about, with their keys.
const QUANTILES: [(&str, f64); 5] = [
    ("response_p50", 0.5),
    ("response_p90", 0.9),
    ("response_p95", 0.95),
    ("response_p99", 0.99),
    ("response_p999", 0.999),
];

pub(super) fn slos(root: &mut Cursor<'_>, world: &World<'_>) -> Vec<Slo> {
    let slos = root.keyed("slo", "A promise about one tier.", |name, at| {
        let tier = at.required("tier", "To whom.", reference("tier", &world.tiers));
        let goal = goal(at);
        let doc = "Whether missing it makes the run fail, or is only reported.";
        let enforced = at.default("enforce", doc, Flag, "true");
        goal.map(|goal| Slo {
            name: name.to_owned(),
            tier,
            goal,
            enforced,
        })
    });
    slos.into_iter().filter_map(|(_, slo)| slo).collect()
}

fn goal(at: &mut Cursor<'_>) -> Option<Goal> {
    let mut goals = Vec::new();
    for (key, quantile) in QUANTILES {
        let doc = "This quantile of the response time of completed requests is at most so long.";
        let limit = at.optional(key, doc, seconds().positive());
        goals.extend(limit.map(|limit_s| Goal::Response { quantile, limit_s }));
    }
    let doc = "At least this share of the requests offered is completed.";
    goals.extend(
        at.optional("completed", doc, share())
            .map(|share| Goal::Completed { share }),
    );
    let doc = "At least this share of the requests offered is completed in time.";
    let goodput = at.optional("goodput", doc, share());
    let within = at.optional(
        "within",
        "The time that `goodput` means.",
        seconds().positive(),
    );
    match (goodput, within) {
        (Some(share), Some(limit_s)) => goals.push(Goal::Goodput { share, limit_s }),
        (None, None) => {}
        (Some(_), None) => at.problem("goodput", "needs `within`", "add `within = \"120s\"`"),
        (None, Some(_)) => at.problem("within", "needs `goodput`", "add `goodput = \"95 %\"`"),
    }
    if goals.len() > 1 || (goals.is_empty() && goodput.is_none() && within.is_none()) {
        at.problem(
            "goodput",
            "or another goal is needed, and only one",
            "write one of response_p50, p90, p95, p99, p999, completed, or goodput with within",
        );
    }
    goals.pop()
}

pub(super) fn market(root: &mut Cursor<'_>, world: &World<'_>) -> Option<Market> {
    let doc = "What is known of the market in an ordinary week before the surge.";
    root.optional_section("market", doc, |at| {
        at.annotated();
        let moment = Moment {
            start_unix_s: world.start_unix_s,
            clamped: true,
        };
        let week = at.required(
            "week",
            "The week that is compared with the one before: [from, to].",
            list(moment, 2, 2),
        );
        if week[0] >= week[1] {
            at.problem("week", "does not end after its begin", "write [from, to]");
        }
        Market {
            weekly_app_users: at.required(
                "weekly_app_users",
                "Active users of the app.",
                people().positive(),
            ),
            weekly_downloads: at.required(
                "weekly_downloads",
                "Downloads of the app.",
                people().positive(),
            ),
            weekly_in_app_usd: at.required(
                "weekly_in_app",
                "What is paid within the app.",
                money(Money::Plain).positive(),
            ),
            app_share: at.required("app_share", "The share of users who use the app.", share()),
            week_from: week[0],
            week_until: week[1],
            subscription_usd: at.required(
                "subscription",
                "What one new subscriber pays at once.",
                money(Money::Plain),
            ),
        }
    })
}

pub(super) fn facts(root: &mut Cursor<'_>) -> Vec<Fact> {
    let facts = root.keyed(
        "fact",
        "A published fact to hold the run against.",
        |name, at| {
            let annotation = at.annotated();
            if annotation.source.is_none() {
                at.problem("source", "is missing", "say where the fact was published");
            }
            Fact {
                name: name.to_owned(),
                metric: at.required(
                    "metric",
                    "What of the run it is held against.",
                    choice(&[
                        ("images", Metric::Images),
                        ("image-users", Metric::ImageUsers),
                        ("sign-ups-peak-hour", Metric::SignUpsPeakHour),
                        ("days-to-million", Metric::DaysToMillion),
                        ("weekly-users-growth", Metric::WeeklyUsersGrowth),
                        ("downloads-growth", Metric::DownloadsGrowth),
                        ("in-app-revenue-growth", Metric::InAppRevenueGrowth),
                    ]),
                ),
                published: at.required("published", "The published value.", published()),
                tolerance: at.default(
                    "tolerance",
                    "Largest relative difference that counts as agreement.",
                    share(),
                    "5 %",
                ),
                used: at.required(
                    "used",
                    "Whether a parameter is fitted to it, or the run predicts it.",
                    choice(&[
                        ("fitted", FactUse::Fitted),
                        ("predicted", FactUse::Predicted),
                    ]),
                ),
                source: annotation.source.unwrap_or_default(),
            }
        },
    );
    facts.into_iter().map(|(_, fact)| fact).collect()
}

pub(super) fn fit(root: &mut Cursor<'_>, world: &World<'_>) -> Vec<FitPair> {
    let doc = "Which parameter, by its dotted path, is fitted to which fact.";
    let pairs = root.optional("fit", doc, Map(reference("fact", &world.facts)));
    let pairs = pairs.unwrap_or_default().into_iter();
    pairs
        .map(|(parameter, fact)| FitPair { parameter, fact })
        .collect()
}
