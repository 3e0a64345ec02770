//! Published start-ups by name, each part with where it was read.

use std::sync::LazyLock;

use serde::Deserialize;

use super::StartUp;
use crate::profile::{Provenance, carried};
use crate::random::Law;

const CSV: &str = include_str!("data/start_ups.csv");

/// A part of a published start-up; times in seconds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct StartUpPart {
    /// Name of the start-up.
    pub name: String,
    /// Before or after weights are loaded over the site's link.
    pub stage: Stage,
    low_s: Option<f64>,
    high_s: Option<f64>,
    p50_s: Option<f64>,
    p90_s: Option<f64>,
    p99_s: Option<f64>,
    /// What it is.
    pub what: String,
    /// Where it was read.
    pub source: String,
    /// When it was copied.
    pub date: String,
    /// Class of its numbers.
    pub provenance: Provenance,
}

/// When a part comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Before weights are loaded.
    Before,
    /// After it.
    After,
}

impl StartUpPart {
    /// Even between its bounds; or, of two quantiles, the lognormal law with ln(p90 / p50) = 1.2816
    /// standard deviations of the logarithm.
    #[must_use]
    pub fn law_s(&self) -> Law {
        /// The standard normal quantile of 0.9.
        const Z90: f64 = 1.281_551_565_544_600_4;
        match (self.low_s, self.high_s, self.p50_s, self.p90_s) {
            (Some(low), Some(high), ..) if low < high => Law::Uniform { low, high },
            (Some(value), ..) => Law::Constant { value },
            (_, _, Some(p50), Some(p90)) => {
                let deviation = libm::log(p90 / p50) / Z90;
                let square = deviation * deviation;
                Law::Lognormal {
                    mean: p50 * libm::exp(square / 2.0),
                    variation: libm::sqrt(libm::expm1(square)),
                }
            }
            _ => Law::Constant { value: 0.0 },
        }
    }
}

static PARTS: LazyLock<Vec<StartUpPart>> = LazyLock::new(|| carried::rows(CSV));

/// All parts of the published start-ups.
#[must_use]
pub fn start_up_parts() -> &'static [StartUpPart] {
    &PARTS
}

/// The names of the published start-ups, in the order of the table.
#[must_use]
pub fn start_up_names() -> Vec<&'static str> {
    let mut names: Vec<&str> = PARTS.iter().map(|part| part.name.as_str()).collect();
    names.dedup();
    names
}

/// The published start-up of this name: its weights are in its parts, not loaded over the site's link.
#[must_use]
pub fn published_start_up(name: &str) -> Option<StartUp> {
    let parts = |stage| -> Vec<Law> {
        let of_name = PARTS
            .iter()
            .filter(|part| part.name == name && part.stage == stage);
        of_name.map(StartUpPart::law_s).collect()
    };
    PARTS.iter().any(|part| part.name == name).then(|| StartUp {
        before_s: parts(Stage::Before),
        after_s: parts(Stage::After),
        ..StartUp::constant(0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn every_part_has_a_law_and_a_source() {
        for part in start_up_parts() {
            assert!(part.law_s().mean() > 0.0, "{}", part.what);
            assert!(
                !part.source.is_empty() && part.date.len() == 10,
                "{}",
                part.what
            );
        }
        let cold = published_start_up("llm-70b").expect("it is in the table");
        // 240 to 480, 40 to 45, 30 and 10 seconds.
        assert!((cold.mean_alone_s() - (360.0 + 42.5 + 40.0)).abs() < 1e-9);
    }

    #[test]
    fn laws_have_the_published_quantiles() {
        for part in start_up_parts().iter().filter(|part| part.p50_s.is_some()) {
            let mut stream = Seed(7).stream(&part.name, "quantiles", 0);
            let mut drawn: Vec<f64> = (0..40_000)
                .map(|_| part.law_s().sample(&mut stream))
                .collect();
            drawn.sort_by(f64::total_cmp);
            let near = |share: f64, published: Option<f64>, within: f64| {
                let found = drawn[(share * drawn.len() as f64) as usize];
                let published = published.expect("a quantile");
                assert!(
                    (found / published - 1.0).abs() < within,
                    "{} {found}",
                    part.name
                );
            };
            near(0.5, part.p50_s, 0.02);
            near(0.9, part.p90_s, 0.03);
            // A lognormal law through p50 and p90 has p99 of the right size, no more.
            near(0.99, part.p99_s, 0.4);
        }
    }
}
