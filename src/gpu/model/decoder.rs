//! From latents, or tokens that stand for them, to pixels: residual blocks of convolutions with attention in the
//! middle, and upsampling (Rombach et al. 2022; Esser et al. 2021 for tokens).

use super::Decoder;
use super::parts::Builder;
use crate::gpu::kernels::{
    Attention, Convolution, Embedding, Function, Gemm, GroupNorm, GroupStatistics, Grouped, Kernel,
    Operand, Residual,
};
use crate::gpu::program::{Program, TensorId};

/// Added to variances, as in the published models.
const EPSILON: f32 = 1e-6;

/// Channels of a picture.
const RGB: usize = 3;

/// A feature map under way.
#[derive(Clone, Copy)]
struct Map {
    tensor: TensorId,
    side: usize,
    channels: usize,
}

struct Decoding<'a> {
    shape: &'a Decoder,
    images: usize,
    builder: Builder,
}

/// Latents of `images` to pictures of `resolution` pixels a side, [image, y, x, channel].
pub(super) fn decode(shape: &Decoder, resolution: usize, images: usize) -> Program {
    let side = resolution >> (shape.stages.len() - 1);
    let mut builder = Builder::default();
    let latents = latents(&mut builder, shape, images * side * side);
    let mut decoding = Decoding {
        shape,
        images,
        builder,
    };
    let map = Map {
        tensor: latents,
        side,
        channels: shape.latent_channels,
    };
    decoding.all(map);
    decoding.builder.program
}

/// What is decoded: handed in as it is, or rows of a table by the tokens that are handed in. `LlamaGen` normalises
/// its table whenever it is read; once would do, so that is not a part of the work.
fn latents(builder: &mut Builder, shape: &Decoder, pixels: usize) -> TensorId {
    let elements = pixels * shape.latent_channels;
    let Some(rows) = shape.codebook else {
        return builder.program.input("latents", Operand::real(elements));
    };
    let columns = shape.latent_channels;
    let tokens = Operand::index(pixels, rows as u32);
    let tokens = builder.program.input("tokens", tokens);
    let table = builder.program.weight("codebook", rows * columns, 1.0, 0.0);
    let embedding = Embedding {
        tokens: pixels,
        rows,
        columns,
    };
    let latents = builder.take(elements);
    builder.program.push(embedding, &[tokens, table], latents);
    latents
}

impl Decoding<'_> {
    fn all(&mut self, latents: Map) {
        let mut map = latents;
        if let Some(channels) = self.shape.entry_channels {
            map = self.convolve("entry", map, self.plain(map, channels, 1), None);
        }
        let channels = self.shape.stages[0];
        map = self.convolve("in", map, self.plain(map, channels, 3), None);
        map = self.residual_block("middle.0", map, channels);
        map = self.attention("middle.attention", map);
        map = self.residual_block("middle.1", map, channels);
        let last = self.shape.stages.len() - 1;
        for (stage, &channels) in self.shape.stages.iter().enumerate() {
            for block in 0..self.shape.blocks {
                let name = format!("stage.{stage}.{block}");
                map = self.residual_block(&name, map, channels);
                if stage == 0 && self.shape.has_attention_below {
                    map = self.attention(&format!("{name}.attention"), map);
                }
            }
            if stage < last {
                let doubled = Map {
                    side: 2 * map.side,
                    ..map
                };
                let convolution = Convolution {
                    upsampled: true,
                    ..self.plain(doubled, channels, 3)
                };
                map = self.convolve(&format!("stage.{stage}.up"), map, convolution, None);
            }
        }
        let normed = self.normalise("out.norm", map, Function::Silu);
        self.convolve("out", normed, self.plain(normed, RGB, 3), None);
    }

    /// A convolution that keeps the size and does nothing else.
    fn plain(&self, map: Map, output_channels: usize, side: usize) -> Convolution {
        Convolution {
            images: self.images,
            height: map.side,
            width: map.side,
            input_channels: map.channels,
            output_channels,
            side,
            upsampled: false,
            function: Function::Identity,
            residual: false,
        }
    }

    /// Convolves a map, and gives it back unless it is still a residual of somebody's.
    fn convolve(
        &mut self,
        name: &str,
        map: Map,
        convolution: Convolution,
        residual: Option<Map>,
    ) -> Map {
        let [from, to] = [convolution.input_channels, convolution.output_channels];
        let builder = &mut self.builder;
        let pixels = self.images * convolution.height * convolution.width;
        let output = builder.take(pixels * to);
        let terms = convolution.side * convolution.side * from;
        let weight = builder.matrix(&format!("{name}.weight"), terms, to);
        let bias = builder.bias(&format!("{name}.bias"), to);
        let mut inputs = vec![map.tensor, weight, bias];
        inputs.extend(residual.map(|map| map.tensor));
        let convolution = Convolution {
            residual: residual.is_some(),
            ..convolution
        };
        builder.program.push(convolution, &inputs, output);
        builder.give(map.tensor);
        if let Some(residual) = residual {
            builder.give(residual.tensor);
        }
        Map {
            tensor: output,
            side: convolution.height,
            channels: to,
        }
    }

    /// Group norm and a function; the map stays.
    fn normalise(&mut self, name: &str, map: Map, function: Function) -> Map {
        let tensor = Grouped {
            images: self.images,
            pixels: map.side * map.side,
            channels: map.channels,
            groups: self.shape.groups,
        };
        let builder = &mut self.builder;
        let statistics = GroupStatistics { tensor };
        let moments = statistics.output();
        let moments = builder.program.scratch(&format!("{name}.moments"), moments);
        builder.program.push(statistics, &[map.tensor], moments);
        let weight = builder.scale(&format!("{name}.weight"), map.channels);
        let bias = builder.bias(&format!("{name}.bias"), map.channels);
        let output = builder.take(self.images * tensor.pixels * map.channels);
        let norm = GroupNorm {
            tensor,
            function,
            epsilon: EPSILON,
        };
        let inputs = [map.tensor, moments, weight, bias];
        builder.program.push(norm, &inputs, output);
        Map {
            tensor: output,
            ..map
        }
    }

    /// x + f(f(x)), f normalising, activating and convolving; x by a 1x1 convolution where channels change.
    fn residual_block(&mut self, name: &str, map: Map, channels: usize) -> Map {
        let normed = self.normalise(&format!("{name}.norm-1"), map, Function::Silu);
        let first = self.plain(normed, channels, 3);
        let inner = self.convolve(&format!("{name}.1"), normed, first, None);
        let normed = self.normalise(&format!("{name}.norm-2"), inner, Function::Silu);
        self.builder.give(inner.tensor);
        let shortcut = if map.channels == channels {
            map
        } else {
            let convolution = self.plain(map, channels, 1);
            self.convolve(&format!("{name}.shortcut"), map, convolution, None)
        };
        let second = self.plain(normed, channels, 3);
        self.convolve(&format!("{name}.2"), normed, second, Some(shortcut))
    }

    /// Every pixel attends to all of its image, in one head as wide as the map.
    fn attention(&mut self, name: &str, map: Map) -> Map {
        let (pixels, channels) = (map.side * map.side, map.channels);
        let normed = self.normalise(&format!("{name}.norm"), map, Function::Identity);
        let rows = self.images * pixels;
        let shape = [rows, channels, 3 * channels];
        let builder = &mut self.builder;
        let packed = builder.linear(
            &format!("{name}.qkv"),
            normed.tensor,
            shape,
            Function::Identity,
        );
        builder.give(normed.tensor);
        let attended = builder.take(rows * channels);
        let attention = Attention::packed(self.images, pixels, 1, channels);
        builder.program.push(attention, &[packed; 3], attended);
        builder.give(packed);
        let gemm = Gemm {
            bias: true,
            residual: Some(Residual::Whole),
            ..Gemm::plain(rows, channels, channels)
        };
        let output = builder.take(rows * channels);
        let others = [map.tensor];
        builder.gemm(&format!("{name}.out"), gemm, attended, &others, output);
        builder.give(attended);
        builder.give(map.tensor);
        Map {
            tensor: output,
            ..map
        }
    }
}
