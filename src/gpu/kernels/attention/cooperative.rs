//! Attention on cooperative matrices: the text whose lines repeat for each matrix.

use super::Attention;
use crate::gpu::kernels::matrix::{Place, SIDE, load, multiply, store, zero};
use crate::gpu::kernels::slice::{reader, writer};
use crate::gpu::kernels::{Shader, Slice, prelude};
use crate::gpu::precision::Variant;

/// Widest head: the keys of a tile have to fit workgroup memory and the queries the registers.
const HEAD_DIM_MAX: usize = 256;

/// The most columns of the values of a workgroup; scores are computed anew for the next ones.
const COLUMNS_MAX: usize = 128;

/// The widest head of which a subgroup keeps 32 queries in registers, else 16.
const TWO_BLOCKS_MAX: usize = 80;

/// How many matrices of each kind a subgroup has.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// Blocks of 16 queries.
    blocks: usize,
    /// Matrices across a head.
    dims: usize,
    /// Matrices across the columns of the values.
    columns: usize,
}

/// Matrices across the keys of a tile.
const KEY_BLOCKS: usize = 2;

impl Layout {
    fn of(head_dim: usize) -> Self {
        let dims = head_dim.div_ceil(SIDE);
        Self {
            blocks: if head_dim <= TWO_BLOCKS_MAX { 2 } else { 1 },
            dims,
            columns: dims.min(COLUMNS_MAX / SIDE),
        }
    }

    /// Queries of a workgroup of four subgroups.
    fn queries(self) -> usize {
        4 * SIDE * self.blocks
    }

    /// Workgroups that share the columns of a head.
    fn parts(self) -> usize {
        self.dims.div_ceil(self.columns)
    }

    /// Queries through workgroup memory into matrices, 32 columns at a time; the output starts at zero.
    fn load_queries(self) -> String {
        let mut text = String::new();
        for first in (0..self.dims).step_by(2) {
            text += &format!(
                "for (var unit = index; unit < QUERIES * 8u; unit += WORKGROUP) {{\n\
                 weights[unit / 8u * WEIGHT_PITCH + unit % 8u] = \
                 fetch_query(image, head, first_query, {}u, unit);\n}}\nworkgroupBarrier();\n",
                first * SIDE
            );
            for dim in first..(first + 2).min(self.dims) {
                for block in 0..self.blocks {
                    let name = format!("q{block}_{dim}");
                    text += &load(&name, 'A', "T", &weight_at(block, dim - first));
                }
            }
            text += "workgroupBarrier();\n";
        }
        for block in 0..self.blocks {
            for column in 0..self.columns {
                text += &zero(&format!("o{block}_{column}"));
            }
        }
        text
    }

    /// Keys and values of a tile into registers, while the tile before is worked on.
    fn fetch(self, declare: &str, first_key: &str) -> String {
        let keys = (0..self.dims).map(|i| {
            let unit = i * 128;
            format!("{declare}k{i} = fetch_key(image, kv_head, {first_key}, index + {unit}u);\n")
        });
        let values = (0..self.columns).map(|i| {
            let unit = i * 128;
            format!(
                "{declare}v{i} = fetch_value(image, kv_head, {first_key}, first_column, index + {unit}u);\n"
            )
        });
        keys.chain(values).collect()
    }

    /// From there into workgroup memory.
    fn stage(self) -> String {
        let place = |tile: &str, name: &str, i: usize, width: &str, pitch: &str| {
            let unit = format!("(index + {}u)", i * 128);
            format!(
                "{tile}[{unit} / ({width} / 4u) * {pitch} + {unit} % ({width} / 4u)] = {name}{i};\n"
            )
        };
        let keys = (0..self.dims).map(|i| place("keys_tile", "k", i, "DIM", "KEY_PITCH"));
        let values =
            (0..self.columns).map(|i| place("values_tile", "v", i, "COLUMNS", "VALUE_PITCH"));
        keys.chain(values).collect()
    }

    /// Q K^T into workgroup memory. Keys lie as rows, so a matrix of them is read by columns.
    fn scores(self) -> String {
        let mut text = String::new();
        for key in 0..KEY_BLOCKS {
            for block in 0..self.blocks {
                text += &zero(&format!("s{block}_{key}"));
            }
            for dim in 0..self.dims {
                let from = (
                    "keys_tile",
                    format!("{}u * KEY_PITCH + {}u", key * SIDE, dim * 4),
                );
                text += &load(
                    &format!("k{key}_{dim}"),
                    'B',
                    "",
                    &(from.0, from.1, "KEY_PITCH"),
                );
                for block in 0..self.blocks {
                    text += &multiply(
                        &format!("s{block}_{key}"),
                        &format!("q{block}_{dim}"),
                        &format!("k{key}_{dim}"),
                    );
                }
            }
            for block in 0..self.blocks {
                text += &store(&format!("s{block}_{key}"), &score_place(block, key));
            }
        }
        text
    }

    /// The output times the factor of each query, through the place of the scores.
    fn rescale(self) -> String {
        let mut text = String::new();
        for column in 0..self.columns {
            for block in 0..self.blocks {
                text += &store(&format!("o{block}_{column}"), &score_place(block, 0));
            }
            text += "workgroupBarrier();\n\
                     for (var i = part * 4u / LANES; i < (part + 1u) * 4u / LANES; i++) {\n\
                     scores[row * SCORE_PITCH + i] *= factor;\n}\nworkgroupBarrier();\n";
            for block in 0..self.blocks {
                let at = score_at(block, 0);
                text += &format!(
                    "let to{block}_{column} = {at};\no{block}_{column} = \
                     coopLoadT<coop_mat16x16<f32, C>>(&scores[to{block}_{column}], SCORE_PITCH);\n"
                );
            }
            text += "workgroupBarrier();\n";
        }
        text
    }

    /// P V onto the output.
    fn products(self) -> String {
        let mut text = String::new();
        for block in 0..self.blocks {
            for key in 0..KEY_BLOCKS {
                text += &load(&format!("p{block}_{key}"), 'A', "T", &weight_at(block, key));
            }
        }
        for column in 0..self.columns {
            for key in 0..KEY_BLOCKS {
                let at = format!("{}u * VALUE_PITCH + {}u", key * SIDE, column * 4);
                let name = format!("v{key}_{column}");
                text += &load(&name, 'B', "T", &("values_tile", at, "VALUE_PITCH"));
                for block in 0..self.blocks {
                    text += &multiply(
                        &format!("o{block}_{column}"),
                        &format!("p{block}_{key}"),
                        &name,
                    );
                }
            }
        }
        text
    }

    /// The output over the sum of weights, through the place of the scores.
    fn result(self) -> String {
        let mut text = String::new();
        for column in 0..self.columns {
            for block in 0..self.blocks {
                text += &store(&format!("o{block}_{column}"), &score_place(block, 0));
            }
            text += &format!(
                "workgroupBarrier();\n\
                 for (var i = part * 4u / LANES; i < (part + 1u) * 4u / LANES; i++) {{\n\
                 let column = first_column + {}u + i * 4u;\n\
                 if token < params.query_tokens && column < HEAD_DIM {{\n\
                 write(start + column, HEAD_DIM - column, scores[row * SCORE_PITCH + i] / sum);\n\
                 }}\n}}\nworkgroupBarrier();\n",
                column * SIDE
            );
        }
        text
    }
}

fn weight_at(block: usize, matrix: usize) -> Place {
    let at = format!(
        "(first_row + {}u) * WEIGHT_PITCH + {}u",
        block * SIDE,
        matrix * 4
    );
    ("weights", at, "WEIGHT_PITCH")
}

fn score_at(block: usize, matrix: usize) -> String {
    format!(
        "(first_row + {}u) * SCORE_PITCH + {}u",
        block * SIDE,
        matrix * 4
    )
}

fn score_place(block: usize, matrix: usize) -> Place {
    ("scores", score_at(block, matrix), "SCORE_PITCH")
}

impl Attention {
    /// Whether heads are of a width for which there is this text.
    pub(super) fn is_cooperative(&self) -> bool {
        self.head_dim.is_multiple_of(8) && self.head_dim <= HEAD_DIM_MAX
    }

    /// The text for cooperative matrices. It needs up to 40 KiB of workgroup memory.
    pub(super) fn cooperative(&self) -> Shader {
        let layout = Layout::of(self.head_dim);
        let constants = format!(
            "const HEAD_DIM = {}u;\nconst DIM = {}u;\nconst COLUMNS = {}u;\nconst PARTS = {}u;\n\
             const BLOCKS = {}u;\n",
            self.head_dim,
            layout.dims * SIDE,
            layout.columns * SIDE,
            layout.parts(),
            layout.blocks
        );
        let body = include_str!("../../../../shaders/attention_cooperative.wgsl");
        let body = [
            ("// @queries\n", layout.load_queries()),
            ("// @first_fetch\n", layout.fetch("var ", "0u")),
            ("// @stage\n", layout.stage()),
            ("// @fetch\n", layout.fetch("", "first_key + KEYS")),
            ("// @scores\n", layout.scores()),
            ("// @rescale\n", layout.rescale()),
            ("// @products\n", layout.products()),
            ("// @result\n", layout.result()),
        ]
        .iter()
        .fold(body.to_owned(), |text, (mark, lines)| {
            text.replacen(mark, lines, 1)
        });
        let texts = [
            prelude(Variant::CooperativeF16),
            Slice::SHARED.to_owned(),
            Self::SHARED.to_owned(),
            constants,
            reader("queries", 2, self.vectors(&self.query)),
            reader("keys", 3, self.vectors(&self.key)),
            reader("values", 4, self.vectors(&self.value)),
            writer(5, self.head_dim.is_multiple_of(4)),
            body,
        ];
        let tiles = self.query_tokens.div_ceil(layout.queries());
        Shader {
            source: texts.concat(),
            params: bytemuck::bytes_of(&self.params(layout.queries())).to_vec(),
            workgroups: (self.images * self.heads * layout.parts() * tiles) as u32,
        }
    }
}
