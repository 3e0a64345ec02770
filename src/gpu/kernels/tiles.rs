//! How large the tiles of a matrix product are: larger ones reuse more of what they load, smaller ones keep
//! more of a device busy when the product is small.

mod matrices;

use std::fmt;

pub use matrices::Matrices;

use super::{Shader, Variant, prelude};

/// How the outputs of a product are shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tiles {
    /// 8 x 64 outputs a workgroup, each sum in 16 parts: for few rows.
    Stream,
    /// Sums in the registers of 16 x 16 lanes.
    Lanes(Lanes),
    /// Sums in cooperative matrices, only for [`Variant::CooperativeF16`].
    Matrices(Matrices),
}

/// Sums that each of the 16 x 16 lanes of a workgroup keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lanes {
    /// Rows of a lane; the tile has 16 times as many.
    pub rows: u32,
    /// Vectors of four columns of a lane; the tile has 64 times as many columns.
    pub quads: u32,
}

/// Tiles of lanes, the largest first.
const LANES: [Tiles; 4] = [lanes(8, 2), lanes(8, 1), lanes(4, 1), lanes(2, 1)];

/// Tiles of cooperative matrices that are chosen by shape, the largest first.
const MATRICES: [Tiles; 4] = [
    Tiles::Matrices(Matrices::new([2, 2], [4, 4], 32, 2)),
    Tiles::Matrices(Matrices::new([2, 2], [4, 2], 32, 2)),
    Tiles::Matrices(Matrices::new([2, 2], [2, 2], 64, 2)),
    Tiles::Matrices(Matrices::new([2, 2], [1, 2], 64, 2)),
];

/// More of them to try on a device. On large GPUs workgroup memory limits the first of the above (what a subgroup
/// reads for its 64 x 64 sums takes longer than to multiply it), so these have more sums for what they read or write.
const MORE_MATRICES: [Tiles; 5] = [
    Tiles::Matrices(Matrices::new([4, 2], [4, 4], 32, 1)),
    Tiles::Matrices(Matrices::new([2, 4], [4, 4], 32, 1)),
    Tiles::Matrices(Matrices::new([4, 2], [4, 4], 16, 2)),
    Tiles::Matrices(Matrices::new([2, 2], [4, 6], 32, 1)),
    Tiles::Matrices(Matrices::new([2, 2], [4, 4], 32, 1)),
];

/// Fewer workgroups than this leave a large device idle, so a smaller tile is better.
const WORKGROUPS_WANTED: u32 = 256;

/// Up to so many rows the weights are streamed instead of tiled.
const STREAM_ROWS_MAX: usize = 16;

const fn lanes(rows: u32, quads: u32) -> Tiles {
    Tiles::Lanes(Lanes { rows, quads })
}

impl Tiles {
    /// All tiles that a variant has, for who would rather try than reckon.
    #[must_use]
    pub fn candidates(variant: Variant) -> Vec<Self> {
        let matrices = match variant {
            Variant::CooperativeF16 => [&MATRICES[..], &MORE_MATRICES[..]].concat(),
            Variant::F32 | Variant::F16 => Vec::new(),
        };
        [matrices, LANES.to_vec(), vec![Self::Stream]].concat()
    }

    /// The tiles of this name, if the variant has them.
    #[must_use]
    pub fn named(variant: Variant, name: &str) -> Option<Self> {
        let mut candidates = Self::candidates(variant).into_iter();
        candidates.find(|tiles| tiles.to_string() == name)
    }

    /// What is taken unless something better is known: for few rows the stream, else what [`Self::tiled`] says.
    pub(super) fn of(variant: Variant, rows: usize, columns: usize) -> Self {
        match rows <= STREAM_ROWS_MAX {
            true => Self::Stream,
            false => Self::tiled(variant, rows, columns),
        }
    }

    /// The largest tiles of which there are enough and that are not mostly beyond the edge, else the smallest.
    pub(super) fn tiled(variant: Variant, rows: usize, columns: usize) -> Self {
        let all = match variant {
            Variant::CooperativeF16 => MATRICES,
            Variant::F32 | Variant::F16 => LANES,
        };
        let fits = |tiles: &&Self| {
            let (down, across) = tiles.extent();
            tiles.workgroups(rows, columns) >= WORKGROUPS_WANTED
                && 2 * rows > down
                && 2 * columns > across
        };
        let smallest = all[all.len() - 1];
        all.iter().find(fits).copied().unwrap_or(smallest)
    }

    /// Rows and columns of outputs of a workgroup.
    fn extent(self) -> (usize, usize) {
        let (rows, columns) = match self {
            Self::Stream => (8, 64),
            Self::Lanes(lanes) => (16 * lanes.rows, 64 * lanes.quads),
            Self::Matrices(matrices) => matrices.extent(),
        };
        (rows as usize, columns as usize)
    }

    /// Workgroups that cover so many outputs.
    fn workgroups(self, rows: usize, columns: usize) -> u32 {
        let (down, across) = self.extent();
        (rows.div_ceil(down) * columns.div_ceil(across)) as u32
    }

    /// A shader from these tiles, what they are loaded from and finished with, and the shape.
    ///
    /// # Panics
    /// When the variant does not have these tiles.
    pub(super) fn shader(
        self,
        variant: Variant,
        access: &str,
        params: &[u8],
        (rows, columns): (usize, usize),
    ) -> Shader {
        let is_possible = Self::candidates(variant).contains(&self);
        assert!(is_possible, "{variant} has no tiles of {self}");
        Shader {
            source: prelude(variant) + access + &self.text(),
            params: params.to_vec(),
            workgroups: self.workgroups(rows, columns),
        }
    }

    fn text(self) -> String {
        let bands = include_str!("../../../shaders/shared/bands.wgsl");
        match self {
            Self::Stream => include_str!("../../../shaders/gemm_skinny.wgsl").to_owned(),
            Self::Lanes(Lanes { rows, quads }) => format!(
                "const ROWS_PER_LANE: u32 = {rows}u;\nconst QUADS_PER_LANE: u32 = {quads}u;\n{bands}{}",
                include_str!("../../../shaders/shared/tiles.wgsl")
            ),
            Self::Matrices(matrices) => matrices.text() + bands,
        }
    }
}

impl fmt::Display for Tiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, columns) = self.extent();
        match self {
            Self::Stream => write!(f, "stream {rows}x{columns}"),
            Self::Lanes(_) => write!(f, "lanes {rows}x{columns}"),
            Self::Matrices(matrices) => write!(f, "{matrices}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_as_large_as_leaves_enough_of_them() {
        let of = |variant, rows, columns| Tiles::of(variant, rows, columns).extent();
        assert_eq!(of(Variant::F32, 8192, 8192), (128, 128));
        assert_eq!(of(Variant::F32, 17, 64), (32, 64));
        assert_eq!(of(Variant::F16, 16, 8192), (8, 64));
        assert_eq!(of(Variant::CooperativeF16, 8192, 8192), (128, 128));
        assert_eq!(of(Variant::CooperativeF16, 1024, 1024), (64, 64));
        assert_eq!(of(Variant::CooperativeF16, 512, 512), (32, 64));
        // 32 columns would fill a quarter of the wide tiles.
        assert_eq!(of(Variant::CooperativeF16, 65_536, 32), (32, 64));
    }

    #[test]
    fn tiles_that_are_chosen_are_tried_too_and_have_names_of_their_own() {
        let candidates = Tiles::candidates(Variant::CooperativeF16);
        assert!(MATRICES.iter().all(|tiles| candidates.contains(tiles)));
        let mut names: Vec<String> = candidates.iter().map(Tiles::to_string).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), candidates.len());
    }
}
