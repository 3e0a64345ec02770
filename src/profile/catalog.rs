//! The catalog: accelerators by name, what they are sold and rented for, suppliers; each row with where it
//! was read.
//!
//! The rows are data, in `data/*.csv`. `Catalog` is all of them together, perhaps with a user's own rows
//! laid over them (`overlay`).

mod overlay;
mod prices;
mod providers;
mod purchases;

pub use overlay::{OverlayFormat, OverlayProblem};
pub use prices::{Price, prices};
pub use providers::{Provider, providers};
pub use purchases::{Purchase, purchases};

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::Provenance;
use super::carried::rows;

const CSV: &str = include_str!("data/accelerators.csv");

/// Words in an adapter's name that say that it is not the whole card of that name: another form of it, or
/// a slice.
const ANOTHER_CARD: [&str; 5] = ["laptop", "mobile", "nvl", "mig", "max"];

/// One kind of accelerator.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Accelerator {
    /// Name, as scenarios write it: `H100-SXM-80GB`.
    pub name: String,
    /// Who makes it.
    pub vendor: String,
    /// Memory in 10^9 bytes.
    pub memory_gb: f64,
    /// Memory bandwidth in 10^12 bytes a second.
    pub bandwidth_tb_per_s: f64,
    /// Dense matrix rate at 16 bits, in 10^12 floating-point operations a second.
    pub tflop_per_s_16bit: f64,
    /// The same at 8 bits.
    #[serde(default)]
    pub tflop_per_s_8bit: Option<f64>,
    /// The same at 4 bits.
    #[serde(default)]
    pub tflop_per_s_4bit: Option<f64>,
    /// Specified power in watts.
    #[serde(default)]
    pub power_w: Option<f64>,
    /// When it came.
    pub year: u16,
    /// Sets of words, divided by `;`, that stand in the names that drivers give it.
    #[serde(default, skip_serializing)]
    adapters: String,
    /// Class of its numbers.
    #[serde(default = "assumed")]
    pub provenance: Provenance,
    /// When they were read.
    #[serde(default)]
    pub date: String,
    /// Where.
    #[serde(default)]
    pub source: String,
}

/// The class of a number of which nothing is said.
fn assumed() -> Provenance {
    Provenance::Assumed
}

/// All tables together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Catalog {
    /// What devices can do.
    pub accelerators: Vec<Accelerator>,
    /// What a GPU-hour costs.
    pub prices: Vec<Price>,
    /// Who supplies how many.
    pub providers: Vec<Provider>,
    /// What an accelerator is sold for.
    pub purchases: Vec<Purchase>,
}

impl Catalog {
    /// The rows that the program carries.
    #[must_use]
    pub fn built_in() -> Self {
        Self {
            accelerators: accelerators().to_vec(),
            prices: prices().to_vec(),
            providers: providers().to_vec(),
            purchases: purchases().to_vec(),
        }
    }

    /// The price of an accelerator from a provider under a term.
    #[must_use]
    pub fn price(&self, provider: &str, accelerator: &str, term: &str) -> Option<&Price> {
        let mut all = self.prices.iter();
        all.find(|price| price.is_of(provider, accelerator, term))
    }

    /// What an accelerator is sold for; upper and lower case are one.
    #[must_use]
    pub fn purchase(&self, accelerator: &str) -> Option<&Purchase> {
        let mut all = self.purchases.iter();
        all.find(|purchase| purchase.accelerator.eq_ignore_ascii_case(accelerator))
    }

    /// Who makes an accelerator; upper and lower case are one.
    #[must_use]
    pub fn vendor(&self, accelerator: &str) -> Option<&str> {
        let mut all = self.accelerators.iter();
        let row = all.find(|row| row.name.eq_ignore_ascii_case(accelerator))?;
        Some(&row.vendor)
    }
}

impl Accelerator {
    /// Memory in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        (self.memory_gb * 1e9).round() as u64
    }
}

static ACCELERATORS: LazyLock<Vec<Accelerator>> = LazyLock::new(|| rows(CSV));

/// All accelerators that are known.
#[must_use]
pub fn accelerators() -> &'static [Accelerator] {
    &ACCELERATORS
}

/// The accelerator of this name; upper and lower case are one.
#[must_use]
pub fn accelerator(name: &str) -> Option<&'static Accelerator> {
    let mut all = accelerators().iter();
    all.find(|accelerator| accelerator.name.eq_ignore_ascii_case(name))
}

/// The accelerator that an adapter's name means: `NVIDIA H200` is `H200-SXM-141GB`. All words of one of its
/// sets stand in the name, and no other accelerator has a larger such set. `None` for parts and other
/// forms of a card, which do less.
#[must_use]
pub fn recognise(adapter: &str) -> Option<&'static Accelerator> {
    let adapter = words(adapter);
    if adapter
        .iter()
        .any(|word| ANOTHER_CARD.contains(&word.as_str()))
    {
        return None;
    }
    let fits = |accelerator: &&'static Accelerator| {
        let sets = accelerator.adapters.split(';').map(words);
        let within = sets.filter(|set| set.iter().all(|word| adapter.contains(word)));
        within.map(|set| set.len()).max().unwrap_or(0)
    };
    accelerators()
        .iter()
        .rev()
        .max_by_key(fits)
        .filter(|best| fits(best) > 0)
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric());
    parts
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accelerator_has_a_source_and_numbers_that_can_be() {
        assert!(accelerators().len() > 15);
        for accelerator in accelerators() {
            let name = &accelerator.name;
            assert!(!accelerator.source.is_empty(), "{name}");
            assert!(accelerator.date.starts_with("202"), "{name}");
            assert!((10.0..=1000.0).contains(&accelerator.memory_gb), "{name}");
            assert!(
                (0.1..=30.0).contains(&accelerator.bandwidth_tb_per_s),
                "{name}"
            );
            assert!(
                (50.0..=5000.0).contains(&accelerator.tflop_per_s_16bit),
                "{name}"
            );
            // Narrower numbers are never slower.
            let eight = accelerator.tflop_per_s_8bit.unwrap_or(f64::INFINITY);
            assert!(eight >= accelerator.tflop_per_s_16bit, "{name}");
            let recalled = accelerator.source.starts_with("the vendor's datasheet");
            assert!(
                !recalled || accelerator.provenance == Provenance::Assumed,
                "{name}"
            );
            assert_eq!(
                super::accelerator(name),
                Some(accelerator),
                "{name} is there once"
            );
        }
    }

    #[test]
    fn every_price_has_a_source_and_lies_in_its_range() {
        assert!(prices().len() > 40);
        for price in prices() {
            assert!(
                !price.source.is_empty() && price.date.starts_with("202"),
                "{price:?}"
            );
            assert!((0.1..=20.0).contains(&price.usd_per_gpu_hour), "{price:?}");
            let low = price.low.unwrap_or(price.usd_per_gpu_hour);
            let high = price.high.unwrap_or(price.usd_per_gpu_hour);
            assert!(low <= price.usd_per_gpu_hour && price.usd_per_gpu_hour <= high);
            let recalled = price.source.starts_with("recalled");
            assert!(
                !recalled || price.provenance == Provenance::Assumed,
                "{price:?}"
            );
            let (provider, accelerator, term) = (&price.provider, &price.accelerator, &price.term);
            assert_eq!(
                Catalog::built_in().price(provider, accelerator, term),
                Some(price),
                "it is there once"
            );
        }
    }

    #[test]
    fn every_purchase_price_is_of_a_known_accelerator_and_has_a_source() {
        assert!(purchases().len() > 10);
        let catalog = Catalog::built_in();
        for purchase in purchases() {
            let name = &purchase.accelerator;
            assert!(catalog.vendor(name).is_some(), "{name}");
            assert_eq!(
                catalog.purchase(name),
                Some(purchase),
                "{name} is there once"
            );
            assert!(!purchase.source.is_empty() && purchase.date.starts_with("202"));
            let price = purchase.usd_per_gpu;
            assert!((1000.0..=60_000.0).contains(&price), "{name}");
            assert!(purchase.low.unwrap_or(price) <= price, "{name}");
            assert!(purchase.high.unwrap_or(price) >= price, "{name}");
            let recalled = purchase.source.contains("recalled street");
            assert!(!recalled || purchase.provenance == Provenance::Assumed);
        }
    }

    #[test]
    fn every_supplier_of_the_story_has_prices_and_a_lead_time() {
        let named = [
            "Azure",
            "AWS",
            "Google Cloud",
            "Oracle",
            "CoreWeave",
            "Lambda",
        ];
        for name in named {
            assert!(
                providers().iter().any(|provider| provider.name == name),
                "{name}"
            );
            assert!(
                prices().iter().any(|price| price.provider == name),
                "{name}"
            );
        }
        assert!(
            providers()
                .iter()
                .any(|provider| provider.name == "own build")
        );
        for provider in providers() {
            assert!(provider.gpus_per_month > 0.0);
            let days = [
                provider.lead_days_short,
                provider.lead_days_typical,
                provider.lead_days_long,
            ];
            assert!(days.is_sorted() && days[0] > 0.0, "{provider:?}");
            assert!(!provider.source.is_empty(), "{provider:?}");
        }
    }

    #[test]
    fn adapters_are_recognised_by_the_names_that_drivers_give() {
        let name = |adapter| recognise(adapter).map(|accelerator| accelerator.name.as_str());
        assert_eq!(name("NVIDIA H200"), Some("H200-SXM-141GB"));
        assert_eq!(name("NVIDIA H100 80GB HBM3"), Some("H100-SXM-80GB"));
        assert_eq!(name("NVIDIA H100 PCIe"), Some("H100-PCIe-80GB"));
        assert_eq!(name("NVIDIA A100-SXM4-80GB"), Some("A100-SXM-80GB"));
        assert_eq!(name("NVIDIA L4"), Some("L4"));
        assert_eq!(name("NVIDIA L40S"), Some("L40S"));
        assert_eq!(name("NVIDIA GB200"), Some("GB200-NVL72"));
        assert_eq!(name("AMD Instinct MI300X (RADV GFX942)"), Some("MI300X"));
        for another in [
            "llvmpipe (LLVM 17.0.6, 256 bits)",
            "NVIDIA H200 NVL",
            "NVIDIA GH200 480GB",
            "NVIDIA H100 80GB HBM3 MIG 1g.10gb",
            "NVIDIA GeForce RTX 4090 Laptop GPU",
            "",
        ] {
            assert_eq!(name(another), None, "{another}");
        }
    }
}
