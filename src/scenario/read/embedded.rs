//! The scenarios that the program carries.

use super::Source;

/// Name and text of each embedded scenario.
pub const EMBEDDED: [(&str, &str); 1] = [("hello", include_str!("../../../scenarios/hello.toml"))];

/// The embedded scenario with this name.
#[must_use]
pub fn embedded(name: &str) -> Option<Source<'static>> {
    let (name, text) = EMBEDDED.into_iter().find(|(other, _)| *other == name)?;
    Some(Source { name, text })
}
