//! Tiles of cooperative matrices: the text whose lines repeat for each matrix and for each staged vector.

use std::fmt;

use crate::gpu::kernels::matrix::{Place, SIDE, load, multiply, store, zero};

/// Lanes of a subgroup.
const LANES: u32 = 32;

/// Workgroup memory that a tile may take, in bytes: what NVIDIA has in Vulkan.
const BYTES_MAX: u32 = 49_152;

/// Sums of a workgroup as matrices of 16 x 16, and how terms are staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Matrices {
    /// Subgroups of 32 lanes, down and across the tile.
    pub subgroups: [u32; 2],
    /// Matrices of a subgroup, down and across.
    pub matrices: [u32; 2],
    /// Terms that are staged at a time: 16, 32 or 64.
    pub depth: u32,
    /// Copies of the staged slices: with two, one is filled while the other is multiplied.
    pub stages: u32,
}

impl Matrices {
    pub(super) const fn new(
        subgroups: [u32; 2],
        matrices: [u32; 2],
        depth: u32,
        stages: u32,
    ) -> Self {
        Self {
            subgroups,
            matrices,
            depth,
            stages,
        }
    }

    /// Rows and columns of outputs of a workgroup.
    pub(super) fn extent(self) -> (u32, u32) {
        let [rows, columns] = [0, 1].map(|i| SIDE as u32 * self.subgroups[i] * self.matrices[i]);
        (rows, columns)
    }

    fn lanes(self) -> u32 {
        LANES * self.subgroups[0] * self.subgroups[1]
    }

    /// Bytes of workgroup memory with strips of so many matrices. Rows are padded by 16 bytes.
    fn bytes(self, strip: u32) -> u32 {
        let (rows, columns) = self.extent();
        let staged = rows * (2 * self.depth + 16) + self.depth * (2 * columns + 16);
        let strips = self.lanes() / LANES * SIDE as u32 * (64 * strip + 16);
        self.stages * staged + strips
    }

    /// Matrices side by side in a strip: as many as there is room for, since each strip costs two barriers.
    fn strip(self) -> u32 {
        let across = self.matrices[1];
        let fits = |&strip: &u32| across.is_multiple_of(strip) && self.bytes(strip) <= BYTES_MAX;
        (1..=across).rev().find(fits).unwrap_or(1)
    }

    /// Vectors of A and of B that a lane stages.
    fn units(self) -> [u32; 2] {
        let (rows, columns) = self.extent();
        [rows, columns].map(|side| (side * self.depth / 4).div_ceil(self.lanes()))
    }

    /// The whole text but for the order of tiles.
    pub(super) fn text(self) -> String {
        let (rows, columns) = self.extent();
        let constants = [
            ("WORKGROUP", self.lanes()),
            ("ROW_TILE", rows),
            ("COLUMN_TILE", columns),
            ("DEPTH_TILE", self.depth),
            ("STAGES", self.stages),
            ("SUBGROUPS_DOWN", self.subgroups[0]),
            ("SUBGROUPS_ACROSS", self.subgroups[1]),
            ("STRIP_MATRICES", self.strip()),
        ];
        let constants = constants.map(|(name, value)| format!("const {name}: u32 = {value}u;\n"));
        let body = include_str!("../../../../shaders/shared/matrices.wgsl");
        let lines = [
            ("// @begin\n", self.begin()),
            ("// @fetch\n", self.fetch()),
            ("// @multiply\n", self.multiply()),
            ("// @stage\n", self.stage()),
            ("// @finish\n", self.finish()),
        ];
        let body = lines.iter().fold(body.to_owned(), |text, (mark, lines)| {
            text.replace(mark, lines)
        });
        constants.concat() + &body
    }

    /// Names of all sums of a subgroup.
    fn sums(self) -> impl Iterator<Item = String> {
        let [down, across] = self.matrices;
        (0..down).flat_map(move |row| (0..across).map(move |column| sum(row, column)))
    }

    /// The rows of A that a lane stages, room for what it fetches, and sums at zero.
    fn begin(self) -> String {
        let [left, right] = self.units();
        let mut text = String::new();
        for i in 0..left {
            let unit = i * self.lanes();
            text += &format!(
                "let row{i} = row_at(origin.x + (index + {unit}u) / DEPTH_QUADS);\nvar a{i} = Real4();\n"
            );
        }
        for i in 0..right {
            text += &format!("var b{i} = Real4();\n");
        }
        text + &self.sums().map(|sum| zero(&sum)).collect::<String>()
    }

    /// Slices from `term` on, from memory into registers.
    fn fetch(self) -> String {
        let [left, right] = self.units();
        let left = (0..left).map(|i| format!("a{i} = left(row{i}, left_term);\n"));
        let right = (0..right).map(|i| {
            let unit = format!("(index + {}u)", i * self.lanes());
            format!(
                "b{i} = right(term + {unit} / COLUMN_QUADS, origin.y + {unit} % COLUMN_QUADS * 4u);\n"
            )
        });
        left.chain(right).collect()
    }

    /// From there into workgroup memory.
    fn stage(self) -> String {
        let (rows, columns) = self.extent();
        let [left, right] = self.units();
        let left = (0..left).map(|i| self.place("a", i, "left", "DEPTH_QUADS", rows * self.depth));
        let right =
            (0..right).map(|i| self.place("b", i, "right", "COLUMN_QUADS", columns * self.depth));
        left.chain(right).collect()
    }

    fn place(self, name: &str, i: u32, side: &str, quads: &str, elements: u32) -> String {
        let unit = format!("(index + {}u)", i * self.lanes());
        let upper = side.to_uppercase();
        let line = format!(
            "{side}_tile[stage * {upper}_STAGE + {unit} / {quads} * {upper}_PITCH + {unit} % {quads}] = {name}{i};\n"
        );
        // Some lanes may have nothing more to stage.
        match (i + 1) * self.lanes() * 4 > elements {
            true => format!("if {unit} < {}u {{\n{line}}}\n", elements / 4),
            false => line,
        }
    }

    /// Products of the staged slices, 16 terms at a time: all matrices of A, then one of B after the other.
    fn multiply(self) -> String {
        let [down, across] = self.matrices;
        let (step, mut text) = (SIDE as u32, String::new());
        for term in (0..self.depth).step_by(SIDE) {
            for row in 0..down {
                let at = format!("left_from + {}u * LEFT_PITCH + {}u", row * step, term / 4);
                let place: Place = ("left_tile", at, "LEFT_PITCH");
                text += &load(&format!("a{term}_{row}"), 'A', "T", &place);
            }
            for column in 0..across {
                let at = format!(
                    "right_from + {term}u * RIGHT_PITCH + {}u",
                    column * step / 4
                );
                let name = format!("b{term}_{column}");
                text += &load(&name, 'B', "T", &("right_tile", at, "RIGHT_PITCH"));
                for row in 0..down {
                    text += &multiply(&sum(row, column), &format!("a{term}_{row}"), &name);
                }
            }
        }
        text
    }

    /// Sums through the strips to the output.
    fn finish(self) -> String {
        let [down, across] = self.matrices;
        let (step, width, mut text) = (SIDE as u32, self.strip(), String::new());
        for row in 0..down {
            for first in (0..across).step_by(width as usize) {
                for i in 0..width {
                    let place: Place = ("strips", format!("strip + {}u", i * 4), "STRIP_PITCH");
                    text += &store(&sum(row, first + i), &place);
                }
                text += &format!(
                    "workgroupBarrier();\nfinish_strip(strip, index % 32u, \
                     origin.x + own_row + {}u, origin.y + own_column + {}u);\nworkgroupBarrier();\n",
                    row * step,
                    first * step
                );
            }
        }
        text
    }
}

fn sum(row: u32, column: u32) -> String {
    format!("c{row}_{column}")
}

impl fmt::Display for Matrices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, columns) = self.extent();
        let [down, across] = self.subgroups;
        write!(
            f,
            "matrices {rows}x{columns}x{} by {down}x{across}, stages {}",
            self.depth, self.stages
        )
    }
}
