//! Attention of all heads of a layer: softmax(Q K^T / sqrt(d)) V, in the flash manner (Dao et al. 2022).

mod cooperative;

use bytemuck::{Pod, Zeroable};

use super::slice::{SliceParams, reader, writer};
use super::{Kernel, Operand, Shader, Slice, Tolerance, Variant, Work, prelude};

/// Each query token of an image attends to all key tokens of the same image. Out comes
/// [images * `query_tokens`, heads * `head_dim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attention {
    /// Images of the batch, twice as many with guidance.
    pub images: usize,
    /// Queries an image.
    pub query_tokens: usize,
    /// Keys and values an image.
    pub key_tokens: usize,
    /// Heads of the queries.
    pub heads: usize,
    /// Heads of keys and values, of which each serves `heads / kv_heads` heads of queries.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Where the queries are, in the first input: columns ordered by head.
    pub query: Slice,
    /// Where the keys are, in the second.
    pub key: Slice,
    /// Where the values are, in the third.
    pub value: Slice,
}

/// Queries of a workgroup, as in the shader.
const QUERIES: usize = 64;

/// The most columns of the values that one workgroup takes; scores are computed anew for the next ones.
const VALUE_COLUMNS_MAX: usize = 256;

/// Vectors of four in workgroup memory, as in the shader.
const TILE_VECTORS: usize = 480;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    query: SliceParams,
    key: SliceParams,
    value: SliceParams,
    query_tokens: u32,
    key_tokens: u32,
    heads: u32,
    heads_per_kv: u32,
    query_tiles: u32,
    score_scale: f32,
    unused: [u32; 2],
}

impl Attention {
    /// WGSL of the parameters.
    const SHARED: &str = include_str!("../../../shaders/shared/attention.wgsl");

    /// Self-attention within a packed product [images * `tokens`, 3 * heads * `head_dim`]: queries, then keys,
    /// then values. Bind the same tensor three times.
    #[must_use]
    pub fn packed(images: usize, tokens: usize, heads: usize, head_dim: usize) -> Self {
        let width = heads * head_dim;
        let packed = Slice::whole(tokens, 3 * width);
        Self {
            images,
            query_tokens: tokens,
            key_tokens: tokens,
            heads,
            kv_heads: heads,
            head_dim,
            query: packed,
            key: packed.from_column(width),
            value: packed.from_column(2 * width),
        }
    }

    fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    fn width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// 1 / sqrt(d) as the device multiplies it.
    fn score_scale(&self) -> f32 {
        (1.0 / libm::sqrt(self.head_dim as f64)) as f32
    }

    /// # Panics
    /// When the shape contradicts itself: a program is right or is not made.
    fn assert_valid(&self) {
        assert!(
            self.kv_heads > 0 && self.heads.is_multiple_of(self.kv_heads),
            "{self:?}"
        );
        assert!(self.key_tokens > 0 && self.head_dim > 0, "{self:?}");
        assert!(
            self.query.holds(self.query_tokens, self.width()),
            "{self:?}"
        );
        assert!(self.key.holds(self.key_tokens, self.kv_width()), "{self:?}");
        assert!(
            self.value.holds(self.key_tokens, self.kv_width()),
            "{self:?}"
        );
    }

    fn params(&self, queries: usize) -> Params {
        Params {
            query: self.query.params(),
            key: self.key.params(),
            value: self.value.params(),
            query_tokens: self.query_tokens as u32,
            key_tokens: self.key_tokens as u32,
            heads: self.heads as u32,
            heads_per_kv: (self.heads / self.kv_heads) as u32,
            query_tiles: self.query_tokens.div_ceil(queries) as u32,
            score_scale: self.score_scale(),
            unused: [0; 2],
        }
    }

    fn vectors(&self, slice: &Slice) -> bool {
        slice.is_aligned() && self.head_dim.is_multiple_of(4)
    }

    /// The text for arithmetic in 32 bits.
    fn plain(&self, variant: Variant) -> Shader {
        let columns = self.head_dim.min(VALUE_COLUMNS_MAX);
        let parts = self.head_dim.div_ceil(columns);
        // Half as many queries for each invocation where they have twice as many columns.
        let rows = if columns > 128 { 2 } else { 4 };
        let vectors = columns.div_ceil(4);
        // Steps of four keys that fit the tile, a power of two.
        let steps = (TILE_VECTORS / (4 * vectors)).clamp(1, 8);
        let steps = 1 << steps.ilog2();
        let constants = format!(
            "const HEAD_DIM = {}u;\nconst COLUMNS = {columns}u;\nconst PARTS = {parts}u;\n\
             const ROWS = {rows}u;\nconst STEPS = {steps}u;\n",
            self.head_dim
        );
        let texts = [
            prelude(variant),
            Slice::SHARED.to_owned(),
            Self::SHARED.to_owned(),
            constants,
            reader("queries", 2, self.vectors(&self.query)),
            reader("keys", 3, self.vectors(&self.key)),
            reader("values", 4, self.vectors(&self.value)),
            writer(5, self.head_dim.is_multiple_of(4)),
            include_str!("../../../shaders/attention.wgsl").to_owned(),
        ];
        let tiles = self.query_tokens.div_ceil(QUERIES);
        Shader {
            source: texts.concat(),
            params: bytemuck::bytes_of(&self.params(QUERIES)).to_vec(),
            workgroups: (self.images * self.heads * parts * tiles) as u32,
        }
    }

    /// Softmax of one query's scores times the values.
    fn attend(&self, image: usize, token: usize, head: usize, inputs: &[&[f32]]) -> Vec<f64> {
        let dim = self.head_dim;
        let kv_column = head / (self.heads / self.kv_heads) * dim;
        let at = self.query.at(image, token) + head * dim;
        let query = &inputs[0][at..at + dim];
        let scores: Vec<f64> = (0..self.key_tokens)
            .map(|key| {
                let at = self.key.at(image, key) + kv_column;
                let key = &inputs[1][at..at + dim];
                let products = query.iter().zip(key);
                let dot: f64 = products.map(|(&q, &k)| f64::from(q) * f64::from(k)).sum();
                dot * f64::from(self.score_scale())
            })
            .collect();
        let peak = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        let mut row = vec![0.0; dim];
        for (key, score) in scores.iter().enumerate() {
            let weight = libm::exp(score - peak);
            sum += weight;
            let at = self.value.at(image, key) + kv_column;
            for (element, &value) in row.iter_mut().zip(&inputs[2][at..at + dim]) {
                *element += weight * f64::from(value);
            }
        }
        row.iter().map(|element| element / sum).collect()
    }
}

impl Kernel for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn work(&self) -> Work {
        let scores = (self.images * self.heads * self.query_tokens * self.key_tokens) as f64;
        let written = (self.images * self.query_tokens * self.width()) as f64;
        let keys = (self.images * self.key_tokens * self.kv_width()) as f64;
        Work {
            // Two products of matrices, and for each score a scaling, a comparison, an exponential, a sum.
            flop: scores * (4.0 * self.head_dim as f64 + 4.0),
            read: written + 2.0 * keys,
            written,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        let slices = [self.query, self.key, self.value];
        let elements = slices.map(|slice| slice.elements(self.images));
        elements.map(Operand::real).to_vec()
    }

    fn output(&self) -> Operand {
        Operand::real(self.images * self.query_tokens * self.width())
    }

    fn shader(&self, variant: Variant) -> Shader {
        self.assert_valid();
        match variant {
            Variant::CooperativeF16 if self.is_cooperative() => self.cooperative(),
            Variant::F32 | Variant::F16 | Variant::CooperativeF16 => self.plain(variant),
        }
    }

    /// One rounding is the output's. The cooperative variant also rounds the weights: independent errors of
    /// 0.41 u each (the standard deviation over a binade), of which 4 standard deviations are two more.
    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: self.key_tokens + self.head_dim,
            roundings: 3,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        self.assert_valid();
        let mut rows = output.chunks_exact_mut(self.head_dim);
        for image in 0..self.images {
            for token in 0..self.query_tokens {
                for head in 0..self.heads {
                    let row = self.attend(image, token, head, inputs);
                    let out = rows.next().into_iter().flatten();
                    out.zip(row).for_each(|(to, from)| *to = from as f32);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_give_the_mean_of_the_values_and_a_far_key_its_own() {
        let kernel = Attention {
            query: Slice::whole(1, 2),
            key: Slice::whole(3, 2),
            value: Slice::whole(3, 2),
            key_tokens: 3,
            ..Attention::packed(1, 1, 1, 2)
        };
        let values = [1.0, 10.0, 2.0, 20.0, 6.0, 60.0];
        let mut output = [0.0; 2];
        kernel.twin(&[&[1.0, 0.0], &[0.5; 6], &values], &mut output);
        assert_eq!(output, [3.0, 30.0]);
        // Scores 0, 0 and 1000 / sqrt(2): the first two weigh e^-707.
        let keys = [0.0, 0.0, 0.0, 0.0, 1000.0, 0.0];
        kernel.twin(&[&[1.0, 0.0], &keys, &values], &mut output);
        assert_eq!(output, [6.0, 60.0]);
    }

    #[test]
    fn a_head_attends_with_its_own_columns_and_the_keys_of_its_group() {
        // Two heads of queries share one of keys; scores ln 3 * (1, 0) and ln 3 * (0, 1) after scaling by 1.
        let kernel = Attention {
            images: 1,
            query_tokens: 1,
            key_tokens: 2,
            heads: 2,
            kv_heads: 1,
            head_dim: 1,
            query: Slice::whole(1, 2),
            key: Slice::whole(2, 1),
            value: Slice::whole(2, 1),
        };
        let mut output = [0.0; 2];
        let ln3 = 1.098_612_3;
        kernel.twin(&[&[ln3, -ln3], &[1.0, 0.0], &[4.0, 8.0]], &mut output);
        // Weights 3/4 and 1/4, then 1/4 and 3/4.
        assert!(
            (output[0] - 5.0).abs() < 1e-6 && (output[1] - 7.0).abs() < 1e-6,
            "{output:?}"
        );
        // Two products of two numbers and four operations a score, for two heads and two keys.
        assert_eq!(kernel.work().flop, 4.0 * 8.0);
        assert_eq!(kernel.work().read, 6.0);
    }
}
