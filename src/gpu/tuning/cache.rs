//! Tuned tiles as a file: plain text in and out, by whoever opens files.

use serde::{Deserialize, Serialize};

use super::{Identity, Timing, Tuning};
use crate::gpu::kernels::Product;
use crate::gpu::kernels::tiles::Tiles;

/// What `format` says in every file.
const FORMAT: &str = "meltpoint-tiles";
/// The version that is written and read.
const VERSION: u32 = 1;

/// Tiles of products, by where their timings hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cache {
    format: String,
    version: u32,
    sets: Vec<TileSet>,
}

/// What was found on one device with one driver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TileSet {
    /// Where the timings hold.
    #[serde(flatten)]
    pub identity: Identity,
    /// In order of their products.
    pub products: Vec<Entry>,
}

/// The best tiles of a product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Stem of the kernel.
    pub kernel: String,
    /// Rows of the output: of all images.
    pub rows: u64,
    /// Columns of the output.
    pub columns: u64,
    /// Terms of each sum, rounded up to a power of two.
    pub depth_class: u64,
    /// Whether every access is a vector of four.
    pub vectors: bool,
    /// Name of the tiles.
    pub tiles: String,
    /// Seconds of the product in them.
    pub seconds: f64,
    /// Seconds of the product in the tiles that the rule takes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub usual_seconds: Option<f64>,
}

/// Why a text is no list of tuned tiles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTiles {
    /// Another kind of file.
    #[error("it is no list of tuned tiles")]
    Foreign,
    /// A list that is cut off, or was changed by hand.
    #[error("it is damaged: line {line}, column {column}")]
    Damaged {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Another version of the format.
    #[error("it has version {found} of the format, and this program reads version {VERSION}")]
    Version {
        /// What stands there.
        found: u32,
    },
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            sets: Vec::new(),
        }
    }
}

impl Cache {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// What is wrong with it. A text without the name of the format is called foreign, an empty one damaged.
    pub fn read(text: &str) -> Result<Self, NotTiles> {
        let is_ours = text.trim().is_empty() || text.contains(FORMAT);
        let cache: Self = serde_json::from_str(text).map_err(|error| match is_ours {
            true => NotTiles::Damaged {
                line: error.line(),
                column: error.column(),
            },
            false => NotTiles::Foreign,
        })?;
        match (cache.format == FORMAT, cache.version) {
            (false, _) => Err(NotTiles::Foreign),
            (true, VERSION) => Ok(cache),
            (true, found) => Err(NotTiles::Version { found }),
        }
    }

    /// The file: JSON with a newline at its end.
    ///
    /// # Errors
    /// None in practice: every field is a number, a text or a list.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// All that is known, by where it holds.
    #[must_use]
    pub fn sets(&self) -> &[TileSet] {
        &self.sets
    }

    /// The tiles that hold here: none after a change of driver or shader.
    #[must_use]
    pub fn tuning(&self, here: &Identity) -> Tuning {
        let mut tuning = Tuning::default();
        let sets = self.sets.iter().filter(|set| set.identity == *here);
        for entry in sets.flat_map(|set| &set.products) {
            // The hash of the shaders covers the names of tiles, so an unknown one was written by hand.
            if let Some(tiles) = Tiles::named(here.variant, &entry.tiles) {
                tuning.set(entry.product(), tiles);
            }
        }
        tuning
    }

    /// Takes down what was found here. What the same device had with another driver or shader is dropped.
    pub fn keep(
        &mut self,
        here: &Identity,
        product: &Product,
        best: Timing,
        usual_seconds: Option<f64>,
    ) {
        self.sets
            .retain(|set| set.identity == *here || !set.identity.is_of_same_device(here));
        let entry = Entry {
            kernel: product.kernel.clone(),
            rows: product.rows,
            columns: product.columns,
            depth_class: product.depth_class,
            vectors: product.vectors,
            tiles: best.tiles.to_string(),
            seconds: best.seconds,
            usual_seconds,
        };
        let known = self.sets.iter_mut().find(|set| set.identity == *here);
        match known {
            Some(set) => {
                set.products.retain(|known| known.product() != *product);
                set.products.push(entry);
                set.products.sort_by_key(Entry::product);
            }
            None => self.sets.push(TileSet {
                identity: here.clone(),
                products: vec![entry],
            }),
        }
    }
}

impl Entry {
    /// Whose tiles they are.
    #[must_use]
    pub fn product(&self) -> Product {
        Product {
            kernel: self.kernel.clone(),
            rows: self.rows,
            columns: self.columns,
            depth_class: self.depth_class,
            vectors: self.vectors,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::Variant;
    use crate::gpu::kernels::{Gemm, Kernel};

    fn here() -> Identity {
        Identity {
            adapter: "a GPU".to_owned(),
            backend: "Vulkan".to_owned(),
            driver: "a driver".to_owned(),
            driver_info: "1.0".to_owned(),
            wgpu: "30".to_owned(),
            variant: Variant::F16,
            shaders: "ab".to_owned(),
        }
    }

    fn product(rows: usize) -> Product {
        Gemm::plain(rows, 64, 32).product().expect("it is one")
    }

    fn best(index: usize) -> Timing {
        Timing {
            tiles: Tiles::candidates(Variant::F16)[index],
            seconds: 1.5e-3,
        }
    }

    fn filled() -> Cache {
        let mut cache = Cache::default();
        cache.keep(&here(), &product(20), best(1), Some(2e-3));
        cache.keep(&here(), &product(10), best(0), None);
        cache
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let cache = filled();
        let again = Cache::read(&cache.to_json().expect("it is text")).expect("it is a list");
        assert_eq!(again, cache);
        let tuning = again.tuning(&here());
        assert_eq!(tuning.of(&Gemm::plain(20, 64, 28)), Some(best(1).tiles));
        assert_eq!(tuning.of(&Gemm::plain(10, 64, 32)), Some(best(0).tiles));
        assert_eq!(tuning.of(&Gemm::plain(11, 64, 32)), None);
        let rows: Vec<u64> = again.sets()[0].products.iter().map(|e| e.rows).collect();
        assert_eq!(rows, [10, 20]);
    }

    #[test]
    fn another_driver_wgpu_shader_or_variant_has_nothing() {
        let cache = filled();
        let none = Tuning::default();
        let changes: [fn(&mut Identity); 6] = [
            |other| other.adapter.push('x'),
            |other| other.driver.push('x'),
            |other| other.driver_info = "1.1".to_owned(),
            |other| other.wgpu = "31".to_owned(),
            |other| other.shaders = "cd".to_owned(),
            |other| other.variant = Variant::F32,
        ];
        for change in changes {
            let mut other = here();
            change(&mut other);
            assert_eq!(cache.tuning(&other), none, "{other:?}");
        }
        assert_ne!(cache.tuning(&here()), none);
    }

    #[test]
    fn a_new_driver_takes_the_place_of_the_old_and_other_devices_stay() {
        let mut cache = filled();
        let other = Identity {
            adapter: "another GPU".to_owned(),
            ..here()
        };
        cache.keep(&other, &product(7), best(2), None);
        let newer = Identity {
            driver_info: "1.1".to_owned(),
            ..here()
        };
        cache.keep(&newer, &product(20), best(2), None);
        assert_eq!(cache.tuning(&here()), Tuning::default());
        assert_eq!(
            cache.tuning(&newer).of(&Gemm::plain(20, 64, 32)),
            Some(best(2).tiles)
        );
        assert_ne!(cache.tuning(&other), Tuning::default());
        // Found once more, it is there once.
        cache.keep(&newer, &product(20), best(1), None);
        assert_eq!(cache.sets()[1].products.len(), 1);
    }

    #[test]
    fn every_cut_of_a_file_is_damage_and_other_files_are_foreign() {
        let text = filled().to_json().expect("it is text");
        for end in 0..text.trim_end().len() {
            let read = Cache::read(&text[..end]);
            assert!(read.is_err(), "cut at {end}: {read:?}");
        }
        let cut = Cache::read(&text[..text.len() / 2]);
        assert!(matches!(cut, Err(NotTiles::Damaged { .. })), "{cut:?}");
        assert!(matches!(Cache::read(""), Err(NotTiles::Damaged { .. })));
        assert_eq!(Cache::read("[fleet]"), Err(NotTiles::Foreign));
        assert_eq!(Cache::read("{\"seed\": 1}"), Err(NotTiles::Foreign));
        let newer = text.replacen("\"version\": 1", "\"version\": 2", 1);
        assert_eq!(Cache::read(&newer), Err(NotTiles::Version { found: 2 }));
    }

    #[test]
    fn tiles_that_nobody_knows_are_left_out() {
        let text = filled().to_json().expect("it is text");
        let name = best(1).tiles.to_string();
        let strange = Cache::read(&text.replace(&name, "lanes 7x7")).expect("it is a list");
        let tuning = strange.tuning(&here());
        assert_eq!(tuning.of(&Gemm::plain(20, 64, 32)), None);
        assert!(tuning.of(&Gemm::plain(10, 64, 32)).is_some());
    }
}
