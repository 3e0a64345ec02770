//! The search through one measurement: what is known beforehand, what is tried, how long that may take.

use std::collections::BTreeMap;

use super::agreement::agrees;
use super::{Cache, Identity, Timing, Tuning, fastest, timings};
use crate::gpu::kernels::tiles::Tiles;
use crate::gpu::kernels::{Kernel, Product, Work};
use crate::gpu::program::Program;
use crate::gpu::timing::Started;
use crate::gpu::{Device, Error, Variant};
use crate::profile::measured::TilesBy;

/// Who knows tiles, and finds those that nobody knows yet.
#[derive(Debug, Default)]
pub struct Tuner {
    cache: Cache,
    wants_search: bool,
    here: Option<Identity>,
    /// Of this device, from the cache and from the search.
    tuning: Tuning,
    /// What the search has found.
    found: BTreeMap<Product, Found>,
    /// Products that did not fit into memory alone, or have no tiles that are right.
    hopeless: Vec<Product>,
    /// Whether tiles are right on this device.
    trusted: BTreeMap<Tiles, bool>,
    budget_s: f64,
    spent_s: f64,
}

/// Operations that a GPU does while it moves a number to or from memory, roughly: only the order of the search depends
/// on it.
const FLOP_PER_ELEMENT: f64 = 100.0;

/// What the search has found for a product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The tiles that are taken, and their time.
    pub best: Timing,
    /// The time of those that the rule takes.
    pub usual_seconds: Option<f64>,
}

impl Tuner {
    /// One that knows what is in a cache, and searches for the rest if that is wanted.
    #[must_use]
    pub fn new(cache: Cache, wants_search: bool) -> Self {
        Self {
            cache,
            wants_search,
            ..Self::default()
        }
    }

    /// Starts on a device: a search may take so many seconds in all.
    pub(in crate::gpu) fn begin(&mut self, here: Identity, budget_s: f64) {
        self.tuning = self.cache.tuning(&here);
        self.here = Some(here);
        self.budget_s = budget_s;
    }

    /// Whether it searches for what it does not know.
    #[must_use]
    pub fn wants_search(&self) -> bool {
        self.wants_search
    }

    /// Ends the search, as when the device was lost: a candidate may have been what it did not survive.
    pub(in crate::gpu) fn give_up(&mut self) {
        self.wants_search = false;
    }

    /// The tiles that are known by now.
    #[must_use]
    pub fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    /// What is to be kept: what was known, and what the search has found.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// What the search has found, by product.
    #[must_use]
    pub fn found(&self) -> &BTreeMap<Product, Found> {
        &self.found
    }

    /// Seconds that the search has taken.
    #[must_use]
    pub fn spent_s(&self) -> f64 {
        self.spent_s
    }

    /// Who chose the tiles of a product.
    #[must_use]
    pub fn origin(&self, product: &Product) -> TilesBy {
        match (self.found.contains_key(product), self.tuning.knows(product)) {
            (true, _) => TilesBy::Search,
            (false, true) => TilesBy::Cache,
            (false, false) => TilesBy::Rule,
        }
    }

    /// Kernels of a program whose products are to be searched for, each product once, first what takes longest.
    pub(in crate::gpu) fn wanted<'a>(&self, program: &'a Program) -> Vec<&'a dyn Kernel> {
        if !self.wants_search {
            return Vec::new();
        }
        let mut costs: BTreeMap<Product, (f64, &dyn Kernel)> = BTreeMap::new();
        for step in program.steps() {
            let kernel = step.kernel.as_ref();
            let product = kernel.product();
            if let Some(product) = product.filter(|product| self.is_unknown(product)) {
                costs.entry(product).or_insert((0.0, kernel)).0 += cost(kernel.work());
            }
        }
        let mut all: Vec<(f64, &dyn Kernel)> = costs.into_values().collect();
        all.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        all.into_iter().map(|(_, kernel)| kernel).collect()
    }

    fn is_unknown(&self, product: &Product) -> bool {
        !self.tuning.knows(product) && !self.hopeless.contains(product)
    }

    /// Finds the tiles of one kernel, if its product is unknown and there is time left. `tell` is asked again and again
    /// whether to go on.
    ///
    /// # Errors
    /// As the device fails, and whatever `tell` fails with.
    pub(in crate::gpu) fn search(
        &mut self,
        device: &Device,
        kernel: &dyn Kernel,
        variant: Variant,
        tell: &mut dyn FnMut() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let is_over = !self.wants_search || self.spent_s >= self.budget_s;
        let Some(product) = kernel.product().filter(|p| !is_over && self.is_unknown(p)) else {
            return Ok(());
        };
        let started = Started::now();
        let usual = usual(kernel, variant);
        let outcome = match timings(device, kernel, variant, usual, tell) {
            // It may fit beside others and not in a tensor of its own; the measurement itself will tell.
            Err(Error::OutOfMemory { .. }) => Ok(None),
            Err(error) => Err(error),
            Ok(timings) => self.best(device, variant, usual, timings),
        };
        self.spent_s += started.seconds();
        match outcome? {
            Some(found) => self.keep(product, found),
            None => self.hopeless.push(product),
        }
        Ok(())
    }

    /// The fastest tiles that are right.
    fn best(
        &mut self,
        device: &Device,
        variant: Variant,
        usual: Option<Tiles>,
        mut timings: Vec<Timing>,
    ) -> Result<Option<Found>, Error> {
        let known = timings.iter().find(|timing| Some(timing.tiles) == usual);
        let usual_seconds = known.map(|timing| timing.seconds);
        while let Some(best) = fastest(&timings, usual) {
            let is_right = match self.trusted.get(&best.tiles) {
                Some(is_right) => *is_right,
                None => agrees(device, variant, best.tiles)?,
            };
            self.trusted.insert(best.tiles, is_right);
            if is_right {
                return Ok(Some(Found {
                    best,
                    usual_seconds,
                }));
            }
            timings.retain(|timing| timing.tiles != best.tiles);
        }
        Ok(None)
    }

    fn keep(&mut self, product: Product, found: Found) {
        self.tuning.set(product.clone(), found.best.tiles);
        if let Some(here) = &self.here {
            self.cache
                .keep(here, &product, found.best, found.usual_seconds);
        }
        self.found.insert(product, found);
    }
}

/// What a kernel costs, in operations.
fn cost(work: Work) -> f64 {
    work.flop + FLOP_PER_ELEMENT * (work.read + work.written)
}

/// The candidate that the rule takes: the one with the text that is compiled unasked.
pub(in crate::gpu) fn usual(kernel: &dyn Kernel, variant: Variant) -> Option<Tiles> {
    kernel.product()?;
    let text = kernel.shader(variant).source;
    let mut candidates = Tiles::candidates(variant).into_iter();
    candidates.find(|&tiles| kernel.shader_with(variant, tiles).source == text)
}
