//! One token of an autoregressive image model: a Llama-like transformer with a cache of keys and values (Sun et
//! al. 2024).

use super::parts::Builder;
use super::{Autoregressive, Model};
use crate::gpu::kernels::{
    Append, DecodeAttention, DecodeCombine, Embedding, Function, Gated, Gemm, Kernel, Modulate,
    Norm, Operand, Positions, Residual, Rotary, Sample, Scaling, Slice,
};
use crate::gpu::program::{Program, TensorId};

/// Added to mean squares, as in the published model.
const EPSILON: f32 = 1e-5;

/// A step under construction.
struct TokenStep<'a> {
    shape: &'a Autoregressive,
    sequences: usize,
    /// Tokens of an image along one side.
    side: usize,
    /// Tokens for which the caches have room.
    tokens_max: usize,
    /// Tokens in the caches before this one.
    context: usize,
    builder: Builder,
}

/// The next token of each of `batch` images after `context` tokens, prompt included.
pub(super) fn step(
    model: &Model,
    shape: &Autoregressive,
    resolution_px: u32,
    batch: usize,
    context: usize,
) -> Program {
    let side = (resolution_px / shape.downsampling) as usize;
    let tokens_max = side * side + shape.prompt_tokens as usize;
    let sequences = batch * model.sequences_per_image() as usize;
    let mut step = TokenStep {
        shape,
        sequences,
        side,
        tokens_max,
        context: context.min(tokens_max - 1),
        builder: Builder::default(),
    };
    step.all(model, batch);
    step.builder.program
}

impl TokenStep<'_> {
    fn all(&mut self, model: &Model, batch: usize) {
        let (sequences, width) = (self.sequences, self.shape.width);
        let vocabulary = self.shape.vocabulary;
        let builder = &mut self.builder;
        let indices = Operand::index(sequences, vocabulary as u32);
        let indices = builder.program.input("tokens", indices);
        let table = builder
            .program
            .weight("embedding", vocabulary * width, 1.0, 0.0);
        let mut x = builder.take(sequences * width);
        let embedding = Embedding {
            tokens: sequences,
            rows: vocabulary,
            columns: width,
        };
        builder.program.push(embedding, &[indices, table], x);
        for layer in 0..self.shape.layers {
            x = self.layer(&format!("layer.{layer}"), x);
        }
        let normed = self.norm("out.norm", x);
        let builder = &mut self.builder;
        let logits = builder.take(sequences * vocabulary);
        let gemm = Gemm::plain(sequences, vocabulary, width);
        builder.gemm("out", gemm, normed, &[], logits);
        let sample = Sample {
            images: batch,
            vocabulary,
            guidance: model.guidance,
            temperature: 1.0,
            // Other noise for each token, or an image would soon repeat itself.
            seed: self.context as u32,
        };
        let next = builder.program.scratch("next tokens", sample.output());
        builder.program.push(sample, &[logits], next);
    }

    fn norm(&mut self, name: &str, x: TensorId) -> TensorId {
        let (sequences, width) = (self.sequences, self.shape.width);
        let norm = Modulate {
            images: sequences,
            rows_per_image: 1,
            columns: width,
            input: Slice::whole(1, width),
            norm: Norm::Rms,
            scaling: Scaling::Weight,
            epsilon: EPSILON,
        };
        let weight = self.builder.scale(name, width);
        let output = self.builder.take(sequences * width);
        self.builder.program.push(norm, &[x, weight], output);
        output
    }

    fn layer(&mut self, name: &str, x: TensorId) -> TensorId {
        let (sequences, width) = (self.sequences, self.shape.width);
        let attended = self.attention(name, x);
        let project = Gemm {
            residual: Some(Residual::Whole),
            ..Gemm::plain(sequences, width, width)
        };
        let middle = self.builder.take(sequences * width);
        let label = format!("{name}.project");
        self.builder.gemm(&label, project, attended, &[x], middle);
        self.builder.give(attended);
        self.builder.give(x);

        let normed = self.norm(&format!("{name}.norm-2"), middle);
        let builder = &mut self.builder;
        let hidden = self.shape.mlp_width;
        let both = builder.take(sequences * 2 * hidden);
        let up = Gemm::plain(sequences, 2 * hidden, width);
        builder.gemm(&format!("{name}.up"), up, normed, &[], both);
        builder.give(normed);
        let gated = builder.take(sequences * hidden);
        let gate = Gated {
            rows: sequences,
            columns: hidden,
        };
        builder.program.push(gate, &[both], gated);
        builder.give(both);
        let down = Gemm {
            residual: Some(Residual::Whole),
            function: Function::Identity,
            ..Gemm::plain(sequences, width, hidden)
        };
        let output = builder.take(sequences * width);
        builder.gemm(&format!("{name}.down"), down, gated, &[middle], output);
        builder.give(gated);
        builder.give(middle);
        output
    }

    /// Projects, turns, writes key and value into the caches, and attends to all that is there.
    fn attention(&mut self, name: &str, x: TensorId) -> TensorId {
        let (sequences, width) = (self.sequences, self.shape.width);
        let normed = self.norm(&format!("{name}.norm-1"), x);
        let builder = &mut self.builder;
        let packed = builder.take(sequences * 3 * width);
        let qkv = Gemm::plain(sequences, 3 * width, width);
        builder.gemm(&format!("{name}.qkv"), qkv, normed, &[], packed);
        builder.give(normed);

        let slice = Slice::whole(1, 3 * width);
        let cache = Slice::whole(self.tokens_max, width);
        let elements = Operand::real(sequences * self.tokens_max * width);
        let keys = builder.program.input(&format!("{name}.keys"), elements);
        let values = builder.program.input(&format!("{name}.values"), elements);
        let heads = self.shape.heads;
        let turn = Rotary {
            images: sequences,
            tokens: 1,
            heads,
            head_dim: width / heads,
            input: slice,
            output: Slice::whole(1, width),
            norm_epsilon: None,
            positions: Positions::Grid {
                columns: self.side,
                text_tokens: self.shape.prompt_tokens as usize,
            },
            first_token: self.context,
            still: 0,
            base: self.shape.rotary_base,
        };
        let query = builder.take(sequences * width);
        builder.program.push(turn, &[packed], query);
        let into_cache = Rotary {
            input: slice.from_column(width),
            output: cache.from_row(self.context),
            ..turn
        };
        builder.program.push(into_cache, &[packed], keys);
        let append = Append {
            images: sequences,
            rows: 1,
            columns: width,
            input: slice.from_column(2 * width),
            output: cache.from_row(self.context),
        };
        builder.program.push(append, &[packed], values);
        builder.give(packed);

        let attended = self.attend(name, query, keys, values);
        self.builder.give(query);
        attended
    }

    /// Attention of the new token to itself and all before it, in parts where there are few sequences.
    fn attend(
        &mut self,
        name: &str,
        query: TensorId,
        keys: TensorId,
        values: TensorId,
    ) -> TensorId {
        let (sequences, width, heads) = (self.sequences, self.shape.width, self.shape.heads);
        let context = self.context + 1;
        let attention = DecodeAttention {
            sequences,
            heads,
            kv_heads: heads,
            head_dim: width / heads,
            context,
            tokens_max: self.tokens_max,
            query: Slice::whole(1, width),
            parts: DecodeAttention::parts_for(sequences, heads, context),
        };
        let builder = &mut self.builder;
        let attended = builder.take(sequences * width);
        let inputs = [query, keys, values];
        if attention.parts == 1 {
            builder.program.push(attention, &inputs, attended);
            return attended;
        }
        let label = format!("{name}.partial");
        let partial = builder.program.scratch(&label, attention.output());
        builder.program.push(attention, &inputs, partial);
        let combine = DecodeCombine { attention };
        builder.program.push(combine, &[partial], attended);
        attended
    }
}
