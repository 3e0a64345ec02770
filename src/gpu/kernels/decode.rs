//! Attention of one new token a sequence against all the tokens before it, whose keys and values are cached.

use bytemuck::{Pod, Zeroable};

use super::slice::{SliceParams, reader, writer};
use super::{Element, Kernel, Operand, Shader, Slice, Tolerance, Variant, Work, prelude};

/// One query a sequence against `context` tokens of a cache. Inputs: queries, keys and values, both
/// [sequences, `tokens_max`, `kv_heads` * `head_dim`]. Out comes [sequences, heads * `head_dim`]; with more than one
/// part, what [`DecodeCombine`] takes: [sequences, heads, parts, `head_dim` + 1] in 32 bits, the part's own
/// result and the logarithm of its sum of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeAttention {
    /// Sequences of the batch, twice as many with guidance.
    pub sequences: usize,
    /// Heads of the queries.
    pub heads: usize,
    /// Heads of keys and values, of which each serves `heads / kv_heads` heads of queries.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Tokens of the cache that count.
    pub context: usize,
    /// Tokens that the cache has room for.
    pub tokens_max: usize,
    /// Where the queries are: one row a sequence.
    pub query: Slice,
    /// Parts into which the context is cut, a workgroup each.
    pub parts: usize,
}

/// Puts the parts of [`DecodeAttention`] together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeCombine {
    /// What came before.
    pub attention: DecodeAttention,
}

/// Workgroups that fill a large GPU several times.
const WORKGROUPS_WANTED: usize = 1024;

/// The fewest tokens that are worth a workgroup: what it scores at once.
const PART_TOKENS_MIN: usize = 256;

/// Invocations of a workgroup of the combination, as in the shader.
const WORKGROUP: usize = 128;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    query: SliceParams,
    heads: u32,
    heads_per_kv: u32,
    context: u32,
    tokens_max: u32,
    parts: u32,
    part_tokens: u32,
    score_scale: f32,
    outputs: u32,
}

impl DecodeAttention {
    /// Into how many parts a context is cut so that few sequences fill a GPU too.
    #[must_use]
    pub fn parts_for(sequences: usize, heads: usize, context: usize) -> usize {
        let wanted = WORKGROUPS_WANTED / (sequences * heads).max(1);
        let parts = wanted.clamp(1, context.div_ceil(PART_TOKENS_MIN).max(1));
        // As many as have something to do.
        context.div_ceil(context.div_ceil(parts).max(1)).max(1)
    }

    fn width(&self) -> usize {
        self.heads * self.head_dim
    }

    fn part_tokens(&self) -> usize {
        self.context.div_ceil(self.parts)
    }

    fn params(&self) -> Params {
        Params {
            query: self.query.params(),
            heads: self.heads as u32,
            heads_per_kv: (self.heads / self.kv_heads) as u32,
            context: self.context as u32,
            tokens_max: self.tokens_max as u32,
            parts: self.parts as u32,
            part_tokens: self.part_tokens() as u32,
            score_scale: self.score_scale(),
            outputs: (self.sequences * self.width()) as u32,
        }
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
        assert!(
            0 < self.context && self.context <= self.tokens_max,
            "{self:?}"
        );
        // Every part has a token.
        assert!(
            self.parts > 0 && (self.parts - 1) * self.part_tokens() < self.context,
            "{self:?}"
        );
        assert!(self.query.holds(1, self.width()), "{self:?}");
    }

    /// The result of some tokens and the logarithm of the sum of their weights.
    fn attend(
        &self,
        sequence: usize,
        head: usize,
        part: usize,
        inputs: &[&[f32]],
    ) -> (Vec<f64>, f64) {
        let dim = self.head_dim;
        let at = self.query.at(sequence, 0) + head * dim;
        let query = &inputs[0][at..at + dim];
        let kv_head = head / (self.heads / self.kv_heads);
        let first = part * self.part_tokens();
        let tokens = first..(first + self.part_tokens()).min(self.context);
        let cached = |tensor: usize, token: usize| {
            let at = ((sequence * self.tokens_max + token) * self.kv_heads + kv_head) * dim;
            inputs[tensor][at..at + dim].iter().map(|&v| f64::from(v))
        };
        let scores: Vec<f64> = tokens
            .clone()
            .map(|token| {
                let products = query.iter().zip(cached(1, token));
                let dot: f64 = products.map(|(&q, k)| f64::from(q) * k).sum();
                dot * f64::from(self.score_scale())
            })
            .collect();
        let peak = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = scores.iter().map(|score| libm::exp(score - peak)).sum();
        let mut row = vec![0.0; dim];
        for (token, score) in tokens.zip(&scores) {
            let weight = libm::exp(score - peak) / sum;
            let elements = row.iter_mut().zip(cached(2, token));
            elements.for_each(|(element, value)| *element += weight * value);
        }
        (row, peak + libm::log(sum))
    }

    fn partial(&self) -> Operand {
        Operand::single(self.sequences * self.heads * self.parts * (self.head_dim + 1))
    }
}

impl Kernel for DecodeAttention {
    fn name(&self) -> &'static str {
        "decode_attention"
    }

    fn work(&self) -> Work {
        let scores = (self.sequences * self.heads * self.context) as f64;
        let cached = (self.sequences * self.context * self.kv_heads * self.head_dim) as f64;
        Work {
            // As in `Attention`.
            flop: scores * (4.0 * self.head_dim as f64 + 4.0),
            read: (self.sequences * self.width()) as f64 + 2.0 * cached,
            written: self.output().elements as f64,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        let cache = self.sequences * self.tokens_max * self.kv_heads * self.head_dim;
        let query = Operand::real(self.query.elements(self.sequences));
        vec![query, Operand::real(cache), Operand::real(cache)]
    }

    fn output(&self) -> Operand {
        match self.parts {
            1 => Operand::real(self.sequences * self.width()),
            _ => self.partial(),
        }
    }

    fn shader(&self, variant: Variant) -> Shader {
        self.assert_valid();
        let whole = self.head_dim.is_multiple_of(4);
        let partial = self.output().element == Element::Single;
        let output = match partial {
            true => include_str!("../../../shaders/shared/decode_partial.wgsl").to_owned(),
            false => writer(5, whole) + include_str!("../../../shaders/shared/decode_final.wgsl"),
        };
        let texts = [
            prelude(variant),
            Slice::SHARED.to_owned(),
            format!("const HEAD_DIM = {}u;\n", self.head_dim),
            include_str!("../../../shaders/shared/decode.wgsl").to_owned(),
            reader("queries", 2, whole && self.query.is_aligned()),
            reader("keys", 3, whole),
            reader("values", 4, whole),
            output,
            include_str!("../../../shaders/decode_attention.wgsl").to_owned(),
        ];
        Shader {
            source: texts.concat(),
            params: bytemuck::bytes_of(&self.params()).to_vec(),
            workgroups: (self.sequences * self.heads * self.parts) as u32,
        }
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: self.part_tokens() + self.head_dim,
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        self.assert_valid();
        let width = self.output().elements / (self.sequences * self.heads * self.parts);
        for (index, out) in output.chunks_exact_mut(width).enumerate() {
            let part = index % self.parts;
            let head = index / self.parts % self.heads;
            let sequence = index / self.parts / self.heads;
            let (row, logarithm) = self.attend(sequence, head, part, inputs);
            let all = row.into_iter().chain([logarithm]);
            out.iter_mut()
                .zip(all)
                .for_each(|(to, from)| *to = from as f32);
        }
    }
}

impl Kernel for DecodeCombine {
    fn name(&self) -> &'static str {
        "decode_combine"
    }

    fn work(&self) -> Work {
        let read = self.attention.partial().elements as f64;
        Work {
            flop: 4.0 * read,
            read,
            written: self.output().elements as f64,
        }
    }

    fn inputs(&self) -> Vec<Operand> {
        vec![self.attention.partial()]
    }

    fn output(&self) -> Operand {
        Operand::real(self.attention.sequences * self.attention.width())
    }

    fn shader(&self, variant: Variant) -> Shader {
        let texts = [
            prelude(variant),
            Slice::SHARED.to_owned(),
            format!("const HEAD_DIM = {}u;\n", self.attention.head_dim),
            include_str!("../../../shaders/shared/decode.wgsl").to_owned(),
            include_str!("../../../shaders/decode_combine.wgsl").to_owned(),
        ];
        Shader {
            source: texts.concat(),
            params: bytemuck::bytes_of(&self.attention.params()).to_vec(),
            workgroups: self.output().elements.div_ceil(WORKGROUP) as u32,
        }
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance {
            reduction: self.attention.parts,
            roundings: 1,
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        let dim = self.attention.head_dim;
        let rows = inputs[0].chunks_exact(self.attention.parts * (dim + 1));
        for (parts, out) in rows.zip(output.chunks_exact_mut(dim)) {
            let parts: Vec<&[f32]> = parts.chunks_exact(dim + 1).collect();
            let peak = parts
                .iter()
                .map(|part| part[dim])
                .fold(f32::NEG_INFINITY, f32::max);
            let weight = |part: &[f32]| libm::exp(f64::from(part[dim]) - f64::from(peak));
            let sum: f64 = parts.iter().map(|part| weight(part)).sum();
            for (column, to) in out.iter_mut().enumerate() {
                let terms = parts
                    .iter()
                    .map(|part| weight(part) * f64::from(part[column]));
                *to = (terms.sum::<f64>() / sum) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Attention;
    use super::*;

    #[test]
    fn parts_put_together_are_attention_to_the_valid_tokens() {
        let whole = DecodeAttention {
            sequences: 2,
            heads: 4,
            kv_heads: 2,
            head_dim: 3,
            context: 7,
            tokens_max: 9,
            query: Slice::whole(1, 12),
            parts: 1,
        };
        let attention = Attention {
            images: 2,
            query_tokens: 1,
            key_tokens: 7,
            heads: 4,
            kv_heads: 2,
            head_dim: 3,
            query: Slice::whole(1, 12),
            key: Slice::whole(9, 6),
            value: Slice::whole(9, 6),
        };
        let numbers = |count: usize, step: usize| -> Vec<f32> {
            (0..count)
                .map(|at| (at * step % 19) as f32 / 9.0 - 1.0)
                .collect()
        };
        let (query, key, value) = (numbers(24, 5), numbers(108, 7), numbers(108, 11));
        let inputs: [&[f32]; 3] = [&query, &key, &value];
        let [mut want, mut one, mut two] = [[0.0; 24]; 3];
        attention.twin(&inputs, &mut want);
        whole.twin(&inputs, &mut one);
        assert_eq!(one, want);
        let cut = DecodeAttention { parts: 3, ..whole };
        let mut partial = vec![0.0; cut.output().elements];
        cut.twin(&inputs, &mut partial);
        DecodeCombine { attention: cut }.twin(&[&partial], &mut two);
        let apart = two.iter().zip(want).map(|(a, b)| (a - b).abs());
        assert!(apart.fold(0.0, f32::max) < 1e-6, "{two:?} {want:?}");
    }

    #[test]
    fn few_sequences_are_cut_and_every_part_has_tokens() {
        assert_eq!(DecodeAttention::parts_for(64, 20, 1024), 1);
        assert_eq!(DecodeAttention::parts_for(1, 20, 1024), 4);
        assert_eq!(DecodeAttention::parts_for(1, 1, 1), 1);
        for context in 1..2000 {
            let parts = DecodeAttention::parts_for(2, 16, context);
            assert!(
                (parts - 1) * context.div_ceil(parts) < context,
                "{context}: {parts}"
            );
        }
    }
}
