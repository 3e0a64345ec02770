//! Numbers and texts out of the JSON of the oracles; a test fails where they are not there.

use serde_json::Value;

/// All numbers of a value with their paths: `/classes/0/Wq`.
pub(crate) fn flatten(value: &Value, path: String, into: &mut Vec<(String, f64)>) {
    match value {
        Value::Number(number) => into.push((path, number.as_f64().unwrap())),
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| flatten(value, format!("{path}/{key}"), into)),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(i, value)| flatten(value, format!("{path}/{i}"), into)),
        _ => {}
    }
}

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
