//! Which tiles a product gets where trying has shown better ones than the rule of [`Tiles`] would take.
//!
//! ```text
//!  program --search--> Tuning --Session::tuned--> stages
//!             |  ^
//!             v  |  a file, by adapter, driver, wgpu, variant and text of the shaders
//!            Cache
//! ```

mod agreement;
mod cache;
mod identity;
mod search;
mod tuner;

pub use cache::{Cache, Entry, NotTiles, TileSet};
pub use identity::Identity;
pub use search::{Timing, fastest, timings};
pub(super) use tuner::usual;
pub use tuner::{Found, Tuner};

use std::collections::BTreeMap;

use super::kernels::tiles::Tiles;
use super::kernels::{Kernel, Product};

/// Tiles by product; products that are not in it get those that the rule takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tuning {
    by_product: BTreeMap<Product, Tiles>,
}

impl Tuning {
    /// The tiles that are known for a kernel.
    #[must_use]
    pub fn of(&self, kernel: &dyn Kernel) -> Option<Tiles> {
        let product = kernel.product()?;
        self.by_product.get(&product).copied()
    }

    /// Whether the best tiles of a product are known.
    #[must_use]
    pub fn knows(&self, product: &Product) -> bool {
        self.by_product.contains_key(product)
    }

    /// Takes down the tiles of a product.
    pub fn set(&mut self, product: Product, tiles: Tiles) {
        self.by_product.insert(product, tiles);
    }
}
