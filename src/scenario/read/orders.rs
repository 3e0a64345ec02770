//! How chunks come: the keys of an order within `[chunk]`, `[supplier]`, and the power limit of a site.

use serde_json::{Value as Json, json};

use super::World;
use super::amount::gpus_per_window;
use super::cursor::Cursor;
use super::form::{Form, Pair, list, or_word, some, words};
use super::law::law;
use super::moment::{EarlyMoment, Moment};
use super::notes::Spot;
use super::quantity::{Quantity, power, seconds, share};
use super::tree::Value;
use crate::profile::catalog::Catalog;
use crate::random::Law;
use crate::scenario::{Order, Pace, Supplier};
use crate::units::SimTime;

/// Most stages of a chunk, and most steps of a power limit.
const STAGES_MAX: usize = 100;
/// Largest power of a site in watts.
const SITE_W_MAX: f64 = 1e12;
/// A month: a twelfth of 365.25 days, in seconds.
const MONTH_S: f64 = 365.25 * 86_400.0 / 12.0;

/// `"20_000 GPUs/month"`.
struct PaceForm;

impl Form for PaceForm {
    type Out = Pace;
    fn read(&self, spot: &Spot<'_>) -> Option<Pace> {
        let pace = match &spot.node.value {
            Value::Text(text) => gpus_per_window(text),
            _ => None,
        };
        let fits = |&(gpus, period_s): &(f64, f64)| {
            (1e-6..=1e12).contains(&gpus) && (1.0..=4e9).contains(&period_s)
        };
        let pace = pace.filter(fits);
        if pace.is_none() {
            let allowed = "a number of GPUs in a time, above 0";
            spot.refuse(allowed, format!("write it as {}", self.example()));
        }
        pace.map(|(gpus, period_s)| Pace { gpus, period_s })
    }
    fn placeholder(&self) -> Pace {
        Pace {
            gpus: 1.0,
            period_s: MONTH_S,
        }
    }
    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": "/", "examples": ["20_000 GPUs/month"] })
    }
    fn example(&self) -> String {
        "\"20_000 GPUs/month\", \"5_000 GPUs/week\"".to_owned()
    }
}

fn scaled(pace: Pace, scale: f64) -> Pace {
    Pace {
        gpus: pace.gpus * scale,
        ..pace
    }
}

/// The order of a chunk; `delivered` reads that key where there is no order.
pub(super) fn order(at: &mut Cursor<'_>, world: &World<'_>) -> Order {
    let start_unix_s = world.start_unix_s;
    let ordered_s = at.optional(
        "ordered",
        "When it was ordered, instead of when it is delivered; may lie before the start.",
        EarlyMoment { start_unix_s },
    );
    let lead_time_s = at.optional(
        "lead_time",
        "From the order to the first delivery: a duration, or a law; drawn once a replication.",
        law(seconds()),
    );
    let moment = Moment {
        start_unix_s,
        clamped: true,
    };
    let promised = at.optional(
        "promised",
        "When the supplier said it would come; by default the order and the mean lead time.",
        moment,
    );
    let mut order = match ordered_s {
        Some(ordered_s) => placed(at, ordered_s, lead_time_s, promised),
        None => {
            for key in ["lead_time", "promised"] {
                if at.has(key) {
                    let hint = "add `ordered = ...`, or say only when it is `delivered`";
                    at.problem(key, "needs `ordered`", hint);
                }
            }
            let doc = "When they are there, and paid from.";
            Order::on(at.default("delivered", doc, moment, "0s"))
        }
    };
    parts(at, &mut order, world.scale);
    order
}

/// An order with a date of its own.
fn placed(
    at: &mut Cursor<'_>,
    ordered_s: f64,
    lead_time_s: Option<Law>,
    promised: Option<SimTime>,
) -> Order {
    if at.has("delivered") {
        let hint = "leave out one of them: an order has a `lead_time` instead of a date";
        at.problem("delivered", "stands beside `ordered`", hint);
    }
    at.know("delivered");
    if lead_time_s.is_none() {
        let hint = "add `lead_time = \"90d\"`, or a law as { law = \"lognormal\", mean = \"90d\", variation = 0.3 }";
        at.problem("ordered", "needs `lead_time`", hint);
    }
    let lead_time_s = lead_time_s.unwrap_or(Law::Constant { value: 0.0 });
    Order {
        ordered_s: Some(ordered_s),
        promised_s: promised.map_or(ordered_s + lead_time_s.mean(), SimTime::as_s),
        lead_time_s,
        ..Order::on(SimTime::ZERO)
    }
}

/// Stages, pace and acceptance.
fn parts(at: &mut Cursor<'_>, order: &mut Order, scale: f64) {
    let stages = at.optional(
        "stages",
        "Parts of the chunk, each as [time after the first delivery, share of the GPUs].",
        list(Pair(seconds(), share()), 1, STAGES_MAX),
    );
    if let Some(stages) = stages {
        let sum: f64 = stages.iter().map(|stage| stage.1).sum();
        if (sum - 1.0).abs() > 1e-6 {
            let message = format!("has shares that sum to {sum:.4}, not to 1");
            at.problem("stages", &message, "let the shares sum to 100 %");
        }
        if !stages.is_sorted_by_key(|stage| stage.0) {
            at.problem(
                "stages",
                "goes back in time",
                "sort the stages by their times",
            );
        }
        order.stages = stages;
    }
    let pace = at.optional(
        "pace",
        "At most so many of its GPUs come in a time.",
        PaceForm,
    );
    order.pace = pace.map(|pace| scaled(pace, scale));
    order.failing_share = at
        .optional(
            "acceptance_failures",
            "Share of the GPUs that fail the test of acceptance; they are not paid.",
            share(),
        )
        .unwrap_or(0.0);
    let replaced_s = at.optional(
        "replaced_after",
        "When GPUs that failed come again: a duration, a law, or \"never\", which is the default.",
        or_word("never", None, some(law(seconds()))),
    );
    if replaced_s.is_some() && !at.has("acceptance_failures") {
        let hint = "add `acceptance_failures = \"2 %\"`, or leave it out";
        at.problem("replaced_after", "needs `acceptance_failures`", hint);
    }
    order.replaced_s = replaced_s.flatten();
}

/// A supplier before the catalog was asked.
pub(super) struct SupplierParts {
    /// Its table.
    pub(super) table: String,
    /// Its name in chunks.
    pub(super) name: String,
    deliverable: Option<Pace>,
}

pub(super) fn suppliers(root: &mut Cursor<'_>) -> Vec<SupplierParts> {
    let doc = "Who can deliver only so much to all chunks that name it as their provider.";
    let suppliers = root.keyed("supplier", doc, |name, at| {
        at.annotated();
        SupplierParts {
            table: name.to_owned(),
            name: at.computed(
                "provider",
                "The name that chunks give it in `provider`.",
                words(),
                &format!("{:?}", name),
            ),
            deliverable: at.required(
                "deliverable",
                "At most so many GPUs come from it in a time, first ready first served; \"catalog\": as the catalog says.",
                or_word("catalog", None, some(PaceForm)),
            ),
        }
    });
    suppliers
        .into_iter()
        .map(|(_, supplier)| supplier)
        .collect()
}

/// The suppliers with what the catalog knows of them.
pub(super) fn known(
    notes: &super::notes::Notes,
    catalog: &Catalog,
    parts: Vec<SupplierParts>,
    scale: f64,
) -> Vec<Supplier> {
    let mut known: Vec<Supplier> = Vec::new();
    for part in parts {
        let path = format!("supplier.{}.deliverable", part.table);
        if known.iter().any(|other| other.name == part.name) {
            let message = format!(
                "two suppliers are of the provider \"{}\"",
                super::problem::shown(&part.name)
            );
            notes.problem_at(&path, message, "leave out one of them");
        }
        let pace = part.deliverable.or_else(|| {
            let mut all = catalog.providers.iter();
            let row = all.find(|row| row.name.eq_ignore_ascii_case(&part.name));
            let Some(row) = row else {
                let message = format!(
                    "the catalog has no provider \"{}\"",
                    super::problem::shown(&part.name)
                );
                let names = catalog.providers.iter().map(|row| row.name.as_str());
                notes.problem_at(&path, message, super::problem::advice(&part.name, names));
                return None;
            };
            let value = format!("{} GPUs/month", row.gpus_per_month);
            notes.restate(
                &path,
                value,
                row.provenance,
                format!("catalog: {}", row.source),
            );
            Some(Pace {
                gpus: row.gpus_per_month,
                period_s: MONTH_S,
            })
        });
        known.extend(pace.map(|pace| Supplier {
            name: part.name,
            deliverable: scaled(pace, scale),
        }));
    }
    known
}

/// `"150 MW"`, or `[["0s", "50 MW"], ["90d", "150 MW"]]`.
struct PowerLimit(Moment);

impl PowerLimit {
    fn watts() -> Quantity {
        power().positive_up_to(SITE_W_MAX)
    }

    fn steps(&self) -> impl Form<Out = Vec<(SimTime, f64)>> {
        list(Pair(self.0, Self::watts()), 1, STAGES_MAX)
    }
}

impl Form for PowerLimit {
    type Out = Vec<(SimTime, f64)>;
    fn read(&self, spot: &Spot<'_>) -> Option<Self::Out> {
        let Value::List(_) = spot.node.value else {
            return Self::watts()
                .read(spot)
                .map(|watts| vec![(SimTime::ZERO, watts)]);
        };
        let steps = self.steps().read(spot)?;
        if !steps.is_sorted_by(|one, next| one.0 < next.0 && one.1 <= next.1) {
            let hint = "sort the steps by date; a limit may grow, but not fall";
            spot.refuse("steps in the order of time that never fall", hint);
            return None;
        }
        Some(steps)
    }
    fn placeholder(&self) -> Self::Out {
        Vec::new()
    }
    fn schema(&self) -> Json {
        json!({ "anyOf": [Self::watts().schema(), self.steps().schema()] })
    }
    fn example(&self) -> String {
        "\"150 MW\" or [[\"0s\", \"50 MW\"], [\"90d\", \"150 MW\"]]".to_owned()
    }
}

/// The power limit of a site, at the scale of the scenario.
pub(super) fn power_limits_w(at: &mut Cursor<'_>, world: &World<'_>) -> Vec<(SimTime, f64)> {
    let moment = Moment {
        start_unix_s: world.start_unix_s,
        clamped: true,
    };
    let doc = "Power that the site may draw, PUE included, perhaps in steps: GPUs beyond stand dark until there is room.";
    let steps = at.optional("power_limit", doc, PowerLimit(moment));
    let steps = steps.unwrap_or_default().into_iter();
    steps.map(|(at, watts)| (at, watts * world.scale)).collect()
}
