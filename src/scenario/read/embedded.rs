//! The scenarios that the program carries.

use super::Source;

/// The text of `scenarios/<name>.toml` beside its name.
macro_rules! scenario {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../../scenarios/", $name, ".toml")),
        )
    };
}

/// Name and text of each embedded scenario.
pub const EMBEDDED: [(&str, &str); 7] = [
    scenario!("hello"),
    scenario!("ghibli-week"),
    scenario!("ghibli-no-quota"),
    scenario!("free-on-day-one"),
    scenario!("hundred-k-chunk"),
    scenario!("launch-2022"),
    scenario!("retry-storm"),
];

/// The embedded scenario with this name.
#[must_use]
pub fn embedded(name: &str) -> Option<Source<'static>> {
    let (name, text) = EMBEDDED.into_iter().find(|(other, _)| *other == name)?;
    Some(Source { name, text })
}
