//! How large the tiles of a matrix product are: larger ones reuse more of what they load, smaller ones keep
//! more of a device busy when the product is small.

/// The text that computes a tile.
pub(super) const SHARED: &str = include_str!("../../../shaders/shared/tiles.wgsl");

/// Sums that each of the 16 x 16 lanes of a workgroup keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tiles {
    /// Rows of a lane; the tile has 16 times as many.
    pub rows_per_lane: u32,
    /// Vectors of four columns of a lane; the tile has 64 times as many columns.
    pub quads_per_lane: u32,
}

/// All tiles that are tried, the largest first.
pub const CANDIDATES: [Tiles; 4] = [
    Tiles::new(8, 2),
    Tiles::new(8, 1),
    Tiles::new(4, 1),
    Tiles::new(2, 1),
];

/// Fewer workgroups than this leave a large device idle, so a smaller tile is better.
const WORKGROUPS_WANTED: u32 = 256;

impl Tiles {
    const fn new(rows_per_lane: u32, quads_per_lane: u32) -> Self {
        Self {
            rows_per_lane,
            quads_per_lane,
        }
    }

    /// The largest tiles of which there are enough, else the smallest.
    #[must_use]
    pub fn of(rows: usize, columns: usize) -> Self {
        let enough = |tiles: &&Self| tiles.workgroups(rows, columns) >= WORKGROUPS_WANTED;
        let smallest = CANDIDATES[CANDIDATES.len() - 1];
        CANDIDATES.iter().find(enough).copied().unwrap_or(smallest)
    }

    /// Workgroups that cover so many outputs.
    #[must_use]
    pub fn workgroups(self, rows: usize, columns: usize) -> u32 {
        let down = rows.div_ceil(16 * self.rows_per_lane as usize);
        let across = columns.div_ceil(64 * self.quads_per_lane as usize);
        (down * across) as u32
    }

    /// Constants of the shader.
    pub(super) fn constants(self) -> String {
        format!(
            "const ROWS_PER_LANE: u32 = {}u;\nconst QUADS_PER_LANE: u32 = {}u;\n",
            self.rows_per_lane, self.quads_per_lane
        )
    }
}
