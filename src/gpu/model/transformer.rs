//! One denoise step of a diffusion transformer, whole: patches, time and text, blocks, patches again, sampler.
//!
//! Sequences are images, twice as many with guidance; each has `text` tokens before its `patches` tokens where
//! the model has joint attention. Blocks that know one stream only treat all tokens alike.

mod blocks;

use super::parts::Builder;
use super::{Diffusion, Model};
use crate::gpu::kernels::{
    Activation, Embedding, Function, Gemm, Modulate, Norm, Operand, Patchify, Residual, Sampler,
    Scaling, Slice, Sum, Timestep, Unpatchify,
};
use crate::gpu::program::{Program, TensorId};

/// Added to variances, as in the published models.
const EPSILON: f32 = 1e-6;

/// Width of the sinusoidal embedding of a time, in all these models.
const TIME_WIDTH: usize = 256;

/// Classes of ImageNet and one for none.
const CLASSES: usize = 1001;

/// Pixels of the image to one of the latent, along one side, in all these models.
const DOWNSAMPLING: usize = 8;

/// A step under construction.
struct Denoising<'a> {
    shape: &'a Diffusion,
    sequences: usize,
    /// Image tokens a sequence.
    patches: usize,
    /// Patches along one side.
    side: usize,
    /// What every block is conditioned on, after its activation: [sequences, width].
    condition: TensorId,
    builder: Builder,
}

/// One step for `batch` images.
pub(super) fn denoise(
    model: &Model,
    shape: &Diffusion,
    resolution_px: u32,
    batch: usize,
) -> Program {
    let latent_side = resolution_px as usize / DOWNSAMPLING;
    let side = latent_side / shape.patch;
    let each = model.sequences_per_image() as usize;
    let mut builder = Builder::default();
    let elements = batch * latent_side * latent_side * shape.latent_channels;
    let latents = builder.program.input("latents", Operand::real(elements));
    let condition = condition(&mut builder, shape, batch * each);
    let mut denoising = Denoising {
        shape,
        sequences: batch * each,
        patches: side * side,
        side,
        condition,
        builder,
    };
    let patchify = Patchify {
        images: batch,
        sequences_per_image: each,
        height: latent_side,
        width: latent_side,
        channels: shape.latent_channels,
        patch: shape.patch,
    };
    let x = denoising.embed(patchify, latents);
    let x = blocks::all(&mut denoising, x);
    let predictions = denoising.predict(x, latent_side);
    let mut builder = denoising.builder;
    let next = builder
        .program
        .scratch("next latents", Operand::real(elements));
    // A step of Euler's rule along the flow: what the weights are does not matter for the time it takes.
    let sampler = Sampler {
        elements,
        keep: 1.0,
        move_by: -1.0 / model.iterations_per_image(resolution_px) as f32,
        guidance: model.guidance,
    };
    builder.program.push(sampler, &[latents, predictions], next);
    builder.program
}

/// Time, and class or pooled text, as one vector a sequence, after the activation with which every block begins.
fn condition(builder: &mut Builder, shape: &Diffusion, sequences: usize) -> TensorId {
    let width = shape.width;
    let mut sum = clock(builder, "time", sequences, width);
    if shape.is_guidance_embedded {
        let scale = clock(builder, "guidance", sequences, width);
        sum = add(builder, sequences * width, [sum, scale]);
    }
    let (name, inputs) = match (shape.pooled_width, shape.text_tokens) {
        (0, 0) => ("class", CLASSES),
        (0, _) => return activated(builder, sum, sequences * width),
        (pooled, _) => ("pooled", pooled),
    };
    let other = if inputs == CLASSES {
        let classes = Operand::index(sequences, CLASSES as u32);
        let classes = builder.program.input("classes", classes);
        let table = builder
            .program
            .weight("classes.table", CLASSES * width, 0.05, 0.0);
        let embedding = Embedding {
            tokens: sequences,
            rows: CLASSES,
            columns: width,
        };
        let rows = builder.take(sequences * width);
        builder.program.push(embedding, &[classes, table], rows);
        rows
    } else {
        let pooled = Operand::real(sequences * inputs);
        let pooled = builder.program.input(name, pooled);
        mlp(builder, name, pooled, [sequences, inputs, width])
    };
    let sum = add(builder, sequences * width, [sum, other]);
    activated(builder, sum, sequences * width)
}

/// A time as a vector of the model's width.
fn clock(builder: &mut Builder, name: &str, sequences: usize, width: usize) -> TensorId {
    let times = builder.program.input(name, Operand::single(sequences));
    let waves = builder.take(sequences * TIME_WIDTH);
    let timestep = Timestep {
        sequences,
        size: TIME_WIDTH,
        base: 10_000.0,
    };
    builder.program.push(timestep, &[times], waves);
    let out = mlp(builder, name, waves, [sequences, TIME_WIDTH, width]);
    builder.give(waves);
    out
}

/// Two linear layers with SiLU between.
fn mlp(builder: &mut Builder, name: &str, input: TensorId, shape: [usize; 3]) -> TensorId {
    let [rows, inputs, width] = shape;
    let first = [rows, inputs, width];
    let hidden = builder.linear(&format!("{name}.1"), input, first, Function::Silu);
    let second = [rows, width, width];
    let output = builder.linear(&format!("{name}.2"), hidden, second, Function::Identity);
    builder.give(hidden);
    output
}

/// The sum of two tensors of one length, which are given back.
fn add(builder: &mut Builder, elements: usize, terms: [TensorId; 2]) -> TensorId {
    let sum = builder.take(elements);
    let period = elements;
    builder.program.push(Sum { elements, period }, &terms, sum);
    terms.into_iter().for_each(|term| builder.give(term));
    sum
}

fn activated(builder: &mut Builder, input: TensorId, elements: usize) -> TensorId {
    let output = builder.take(elements);
    let activation = Activation {
        elements,
        function: Function::Silu,
    };
    builder.program.push(activation, &[input], output);
    builder.give(input);
    output
}

impl Denoising<'_> {
    fn width(&self) -> usize {
        self.shape.width
    }

    /// Latents to rows of the model's width, with the embedding of their positions.
    fn embed(&mut self, patchify: Patchify, latents: TensorId) -> TensorId {
        let depth = patchify.patch * patchify.patch * patchify.channels;
        let rows = self.sequences * self.patches;
        let builder = &mut self.builder;
        let tokens = builder.take(rows * depth);
        builder.program.push(patchify, &[latents], tokens);
        let width = self.shape.width;
        // Where positions are turned into queries and keys, nothing is added here.
        let has_positions = self.shape.rotary.is_none();
        let gemm = Gemm {
            bias: true,
            residual: has_positions.then_some(Residual::Repeated),
            ..Gemm::tokens(self.sequences, self.patches, width, depth)
        };
        let positions = has_positions.then(|| {
            let elements = self.patches * width;
            let name = format!("positions.{}", self.patches);
            // A fixed table of sines in the published models: an input, not a parameter.
            builder.program.input(&name, Operand::real(elements))
        });
        let x = builder.take(rows * width);
        let others: Vec<TensorId> = positions.into_iter().collect();
        builder.gemm("patches", gemm, tokens, &others, x);
        builder.give(tokens);
        x
    }

    /// Scale and shift by time, then each row back to a patch of what is predicted.
    fn predict(&mut self, x: TensorId, latent_side: usize) -> TensorId {
        let (sequences, patches, width) = (self.sequences, self.patches, self.width());
        let shape = [sequences, width, 2 * width];
        let builder = &mut self.builder;
        let condition = builder.linear("out.condition", self.condition, shape, Function::Identity);
        let normed = builder.take(sequences * patches * width);
        let norm = Modulate {
            images: sequences,
            rows_per_image: patches,
            columns: width,
            input: Slice::whole(patches, width),
            norm: Norm::Layer,
            scaling: Scaling::Condition {
                stride: 2 * width,
                scale_offset: width,
                shift_offset: 0,
            },
            epsilon: EPSILON,
        };
        builder.program.push(norm, &[x, condition], normed);
        builder.give(condition);
        builder.give(x);
        let patch = self.shape.patch;
        let columns = patch * patch * self.shape.predicted_channels;
        let rows = [sequences * patches, width, columns];
        let tokens = builder.linear("out", normed, rows, Function::Identity);
        builder.give(normed);
        let unpatchify = Unpatchify {
            images: sequences,
            height: latent_side,
            width: latent_side,
            channels: self.shape.latent_channels,
            token_channels: self.shape.predicted_channels,
            patch,
        };
        let elements = sequences * latent_side * latent_side * self.shape.latent_channels;
        let predictions = builder.take(elements);
        builder.program.push(unpatchify, &[tokens], predictions);
        builder.give(tokens);
        predictions
    }
}
