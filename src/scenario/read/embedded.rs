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
pub const EMBEDDED: [(&str, &str); 17] = [
    scenario!("hello"),
    scenario!("ghibli-week"),
    scenario!("ghibli-no-quota"),
    scenario!("free-on-day-one"),
    scenario!("hundred-k-chunk"),
    scenario!("shared-fleet"),
    scenario!("moved-fleet"),
    scenario!("bad-week"),
    scenario!("hundred-k-orders"),
    scenario!("vendor-mix"),
    scenario!("cloud-race"),
    scenario!("investment-loop"),
    scenario!("launch-2022"),
    scenario!("retry-storm"),
    scenario!("replay-chat"),
    scenario!("replay-images"),
    scenario!("autoscaled-launch"),
];

/// The embedded scenario with this name.
#[must_use]
pub fn embedded(name: &str) -> Option<Source<'static>> {
    let (name, text) = EMBEDDED.into_iter().find(|(other, _)| *other == name)?;
    Some(Source { name, text })
}

/// Name and bytes of each trace that the program carries.
const TRACES: [(&str, &[u8]); 2] = [
    (
        "traces/AzureLLMInferenceTrace_conv.csv.gz",
        include_bytes!("../../../scenarios/traces/AzureLLMInferenceTrace_conv.csv.gz"),
    ),
    (
        "traces/sample-images.csv",
        include_bytes!("../../../scenarios/traces/sample-images.csv"),
    ),
];

/// The bytes of an embedded trace, by the name that scenarios give it.
#[must_use]
pub fn embedded_trace(name: &str) -> Option<&'static [u8]> {
    TRACES
        .into_iter()
        .find(|(other, _)| *other == name)
        .map(|(_, bytes)| bytes)
}
