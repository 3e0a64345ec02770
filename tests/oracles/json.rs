//! Numbers, texts and laws out of the JSON of the oracles; a test fails where they are not there.

use meltpoint::random::Law;
use serde_json::Value;

/// The text at a key.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

/// The number at a key.
pub(crate) fn number(value: &Value, key: &str) -> f64 {
    let found = value[key].as_f64();
    found.unwrap_or_else(|| panic!("{key} of {value}"))
}

/// The numbers of a list.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap();
    list.iter().map(|v| v.as_f64().unwrap()).collect()
}

/// A service law, by its `kind`.
#[allow(
    dead_code,
    reason = "the closed forms need it, the simulation writes laws as text"
)]
pub(crate) fn law(service: &Value) -> Law {
    let n = |key| number(service, key);
    match text(service, "kind") {
        "det" => Law::Constant { value: n("mean") },
        "exp" => Law::Exponential { mean: n("mean") },
        "erlang" => Law::Erlang {
            mean: n("mean"),
            stages: n("k") as u32,
        },
        "hyper2" => Law::HyperExponential {
            share_first: n("p"),
            mean_first: n("m1"),
            mean_second: n("m2"),
        },
        "lognormal" => Law::Lognormal {
            mean: n("mean"),
            variation: n("cv"),
        },
        "uniform" => Law::Uniform {
            low: n("a"),
            high: n("b"),
        },
        "pareto" => Law::Pareto {
            minimum: n("xm"),
            shape: n("alpha"),
        },
        "twopoint" => Law::TwoPoint {
            share_first: n("p"),
            first: n("a"),
            second: n("b"),
        },
        other => panic!("law {other}"),
    }
}
