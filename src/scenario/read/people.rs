//! Who asks: `[tier]` and `[client]`.

use serde_json::{Value as Json, json};

use super::World;
use super::amount::images_per_window;
use super::cursor::Cursor;
use super::form::{Flag, Form, choice, list, or_word, reference, some, whole, whole_u32};
use super::law::law;
use super::notes::Spot;
use super::quantity::{Money, money, number, positive_duration, rate, seconds, share};
use super::tree::Value;
use crate::scenario::{
    Client, PatienceUntil, Quota, QuotaWindow, RateLimit, Retry, Tier, TierRules,
};
use crate::units::{NS_PER_DAY, SimDuration};

pub(super) fn clients(root: &mut Cursor<'_>) -> Vec<Client> {
    let clients = root.keyed("client", "How users wait and retry.", |_, at| client(at));
    clients.into_iter().map(|(_, client)| client).collect()
}

fn client(at: &mut Cursor<'_>) -> Client {
    at.annotated();
    Client {
        patience_s: at.default(
            "patience",
            "How long a user waits for one attempt: a duration, a law of durations, or \"forever\".",
            or_word("forever", None, some(law(seconds().positive()))),
            "forever",
        ),
        until: at.default(
            "until",
            "What ends the waiting: the start of service, or the answer.",
            choice(&[("done", PatienceUntil::Done), ("start", PatienceUntil::Start)]),
            "done",
        ),
        silent_share: at.default(
            "silent_share",
            "The share of those who leave without telling: their work is done all the same.",
            share(),
            "0 %",
        ),
        retry: at.optional_section(
            "retry",
            "What users do after an attempt that brought nothing; without it they give up.",
            retry,
        ),
    }
}

fn retry(at: &mut Cursor<'_>) -> Retry {
    let after = at.default(
        "after",
        "After what users retry.",
        list(
            choice(&[("shed", 0), ("abandoned", 1), ("failed", 2)]),
            1,
            3,
        ),
        "[\"shed\", \"abandoned\", \"failed\"]",
    );
    Retry {
        limit: at.default(
            "limit",
            "Retries after the first attempt: a number, or \"forever\".",
            or_word("forever", u32::MAX, whole_u32("", 0, 1_000_000)),
            "3",
        ),
        backoff: at.default(
            "backoff",
            "Delay before the first retry: a duration, or a law of durations.",
            law(seconds()),
            "1s",
        ),
        factor: at.default(
            "factor",
            "Each further delay is so many times longer.",
            number(1.0, 100.0),
            "2",
        ),
        longest_s: at.default(
            "longest",
            "But no delay is longer.",
            seconds().positive(),
            "10min",
        ),
        jitter: at.default(
            "jitter",
            "Each delay is multiplied with a uniform draw from 1 - jitter to 1 + jitter.",
            share(),
            "0.5",
        ),
        budget: at.default(
            "budget",
            "Retries per first attempt that all clients together allow themselves, or \"none\".",
            or_word("none", None, some(share().within(0.0, 100.0))),
            "none",
        ),
        after_shed: after.contains(&0),
        after_abandoned: after.contains(&1),
        after_failed: after.contains(&2),
    }
}

/// A tier with the name of its client still to be looked up.
pub(super) struct TierParts {
    pub(super) name: String,
    pub(super) client: usize,
    subscription_usd_per_month: f64,
    pays_per_image: bool,
    pub(super) rules: TierRules,
}

impl TierParts {
    pub(super) fn tier(&self, clients: &[Client]) -> Tier {
        Tier {
            name: self.name.clone(),
            client: clients[self.client].clone(),
            subscription_usd_per_month: self.subscription_usd_per_month,
            pays_per_image: self.pays_per_image,
        }
    }
}

pub(super) fn tiers(root: &mut Cursor<'_>, world: &World<'_>) -> Vec<TierParts> {
    let tiers = root.keyed(
        "tier",
        "A class of users with the same rights.",
        |name, at| {
            at.annotated();
            TierParts {
                name: name.to_owned(),
                client: at.required(
                    "client",
                    "How its users wait.",
                    reference("client", &world.clients),
                ),
                subscription_usd_per_month: at.default(
                    "subscription",
                    "What a subscriber pays.",
                    money(Money::PerMonth),
                    "0 USD/month",
                ),
                pays_per_image: at.default(
                    "pays_per_image",
                    "Whether each image is paid for, at the price of its quality.",
                    Flag,
                    "false",
                ),
                rules: rules(at, world.scale),
            }
        },
    );
    tiers.into_iter().map(|(_, tier)| tier).collect()
}

fn rules(at: &mut Cursor<'_>, scale: f64) -> TierRules {
    TierRules {
        open: at.default("open", "Whether its users are served at all.", Flag, "true"),
        priority: at.default(
            "priority",
            "Smaller goes first where the queue's order is \"priority\".",
            super::form::mapped(whole("", 0, 255), |number| number as u8),
            "1",
        ),
        quota: quota(at),
        rate_limit: rate_limit(at, scale),
        deadline: at.default(
            "deadline",
            "Time in which an answer is due, for the order \"deadline\"; or \"none\".",
            or_word("none", SimDuration::FOREVER, positive_duration()),
            "none",
        ),
        share: at.default(
            "share",
            "Weight among the tiers where the queue's order is \"shares\": what is free goes to who has the fewest \
             places for it.",
            number(1e-6, 1e6),
            "1",
        ),
        places_limit: at.default(
            "places_limit",
            "Most places that it may have there, of those of a pool.",
            share().positive(),
            "100 %",
        ),
    }
}

fn quota(at: &mut Cursor<'_>) -> Option<Quota> {
    let (images, window_s, per_day) = at.default(
        "quota",
        "Images that each user may have in a window, or \"none\".",
        or_word("none", None, some(QuotaForm)),
        "none",
    )?;
    let calendar = at.computed(
        "quota_window",
        "Whether the window is the user's calendar day or slides; \"per day\" is a calendar day.",
        choice(&[("calendar", true), ("sliding", false)]),
        if per_day { "calendar" } else { "sliding" },
    );
    let length = SimDuration::from_s(window_s);
    if calendar && length.0 != NS_PER_DAY {
        at.problem(
            "quota_window",
            "is \"calendar\", but the quota is not per day",
            "use \"sliding\"",
        );
    }
    let window = match calendar {
        true => QuotaWindow::CalendarDay,
        false => QuotaWindow::Sliding(length),
    };
    Some(Quota { images, window })
}

fn rate_limit(at: &mut Cursor<'_>, scale: f64) -> Option<RateLimit> {
    let per_s = at.default(
        "rate_limit",
        "Requests that all users of the tier together may make, or \"none\".",
        or_word("none", None, some(rate().positive())),
        "none",
    );
    let burst = at.optional(
        "burst",
        "Requests of the rate limit that can be saved up; by default those of a second.",
        number(1.0, 1e15),
    );
    let per_s = per_s? * scale;
    let burst = burst.map_or(per_s, |burst| burst * scale).max(1.0);
    Some(RateLimit { per_s, burst })
}

/// Images in a window: how many, its seconds, and whether it is written as a day.
struct QuotaForm;

impl Form for QuotaForm {
    type Out = (u8, f64, bool);
    fn read(&self, spot: &Spot<'_>) -> Option<Self::Out> {
        let quota = match &spot.node.value {
            Value::Text(text) => images_per_window(text),
            _ => None,
        };
        if quota.is_none() {
            spot.refuse(
                "1 to 200 images in a window of time",
                "write it as \"3 images/day\" or \"50 images/3h\", or \"none\"",
            );
        }
        quota
    }
    fn placeholder(&self) -> Self::Out {
        (1, 86_400.0, true)
    }
    fn schema(&self) -> Json {
        json!({
            "type": "string",
            "pattern": "^ *[0-9]+ *images? */",
            "examples": ["3 images/day", "50 images/3h"],
        })
    }
}
