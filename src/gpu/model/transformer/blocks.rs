//! The four kinds of blocks, made of the same two halves: attention and MLP, each with its norm before and its
//! gated residual after.

use super::{Denoising, EPSILON};
use crate::gpu::kernels::{
    Append, Attention, Function, Gate, Gemm, Modulate, Norm, Operand, Positions, Residual, Rotary,
    Scaling, Slice, Sum,
};
use crate::gpu::model::BlockKind;
use crate::gpu::program::TensorId;

/// Scale, shift and gate of each half of a block, [sequences, `stride`], in parts as wide as the model.
#[derive(Clone, Copy)]
struct Condition {
    tensor: TensorId,
    stride: usize,
    width: usize,
}

impl Condition {
    /// Scale and shift from this part on: shift, scale, gate is the order of the published models.
    fn scaling(self, part: usize) -> Scaling {
        Scaling::Condition {
            stride: self.stride,
            scale_offset: (part + 1) * self.width,
            shift_offset: part * self.width,
        }
    }

    fn gate(self, part: usize) -> Gate {
        Gate {
            stride: self.stride,
            offset: part * self.width,
        }
    }
}

/// Tokens of one stream: rows of a tensor of its own, which are some rows of each sequence of a joint one.
#[derive(Clone, Copy)]
struct Stream {
    first: usize,
    rows: usize,
}

/// All blocks of a model on its image tokens; text comes in where a block wants it.
pub(super) fn all(denoising: &mut Denoising<'_>, x: TensorId) -> TensorId {
    let shape = denoising.shape;
    let mut image = x;
    let mut text = (shape.text_tokens > 0).then(|| text(denoising));
    let kinds = shape.blocks.iter();
    let kinds: Vec<BlockKind> = kinds
        .flat_map(|blocks| std::iter::repeat_n(blocks.kind, blocks.count))
        .collect();
    let shared = kinds
        .contains(&BlockKind::Cross)
        .then(|| denoising.shared_condition());
    let mut index = 0;
    while index < kinds.len() {
        let name = format!("block.{index}");
        match kinds[index] {
            BlockKind::Adaptive => image = denoising.adaptive(&name, image),
            BlockKind::Cross => {
                let text = text.expect("a test looks that such models have a text");
                let shared = shared.expect("made above where it is needed");
                image = denoising.cross(&name, image, text, shared);
            }
            BlockKind::Joint => {
                let known = text.expect("a test looks that such models have a text");
                let is_last = kinds[index + 1..].is_empty();
                (image, text) = denoising.joint(&name, image, known, is_last);
            }
            BlockKind::Parallel => {
                let known = text.expect("a test looks that such models have a text");
                let run = kinds[index..]
                    .iter()
                    .take_while(|&&kind| kind == BlockKind::Parallel);
                let count = run.count();
                image = denoising.parallels(index, count, image, known);
                index += count - 1;
            }
        }
        index += 1;
    }
    image
}

/// The text as rows of the model's width: through one layer, or through two where all else is cross attention.
fn text(denoising: &mut Denoising<'_>) -> TensorId {
    let shape = denoising.shape;
    let rows = denoising.sequences * shape.text_tokens;
    let builder = &mut denoising.builder;
    let text = Operand::real(rows * shape.text_width);
    let text = builder.program.input("text", text);
    let is_cross = shape.blocks[0].kind == BlockKind::Cross;
    let first = [rows, shape.text_width, shape.width];
    if !is_cross {
        return builder.linear("text.1", text, first, Function::Identity);
    }
    let projected = builder.linear("text.1", text, first, Function::Gelu);
    let second = [rows, shape.width, shape.width];
    let output = builder.linear("text.2", projected, second, Function::Identity);
    builder.give(projected);
    output
}

impl Denoising<'_> {
    fn image_stream(&self) -> Stream {
        Stream {
            first: self.shape.text_tokens,
            rows: self.patches,
        }
    }

    fn text_stream(&self) -> Stream {
        Stream {
            first: 0,
            rows: self.shape.text_tokens,
        }
    }

    fn joint_rows(&self) -> usize {
        self.shape.text_tokens + self.patches
    }

    /// What a block is conditioned on, `parts` times as wide as the model.
    fn condition(&mut self, name: &str, parts: usize) -> Condition {
        let width = self.width();
        let shape = [self.sequences, width, parts * width];
        let name = format!("{name}.condition");
        let input = self.condition;
        let tensor = self.builder.linear(&name, input, shape, Function::Identity);
        Condition {
            tensor,
            stride: parts * width,
            width,
        }
    }

    /// One projection of the time for all blocks, to which each adds a table of its own (`PixArt`).
    fn shared_condition(&mut self) -> TensorId {
        self.condition("shared", 6).tensor
    }

    /// norm(x) scaled and shifted, of `rows` rows a sequence.
    fn modulate(&mut self, x: TensorId, rows: usize, by: Condition, part: usize) -> TensorId {
        let (images, columns) = (self.sequences, self.width());
        let norm = Modulate {
            images,
            rows_per_image: rows,
            columns,
            input: Slice::whole(rows, columns),
            norm: Norm::Layer,
            scaling: by.scaling(part),
            epsilon: EPSILON,
        };
        let output = self.builder.take(images * rows * columns);
        self.builder.program.push(norm, &[x, by.tensor], output);
        output
    }

    /// A linear layer on each token of `rows` a sequence.
    fn tokens(&self, rows: usize, columns: usize, depth: usize) -> Gemm {
        Gemm {
            bias: true,
            ..Gemm::tokens(self.sequences, rows, columns, depth)
        }
    }

    /// x + gate * (MLP of the normalised x); x is given back.
    fn mlp(
        &mut self,
        name: &str,
        x: TensorId,
        rows: usize,
        by: Condition,
        part: usize,
    ) -> TensorId {
        let (width, hidden) = (self.width(), self.shape.mlp_width);
        let normed = self.modulate(x, rows, by, part);
        let up = Gemm {
            function: Function::Gelu,
            ..self.tokens(rows, hidden, width)
        };
        let inner = self.builder.take(self.sequences * rows * hidden);
        let builder = &mut self.builder;
        builder.gemm(&format!("{name}.up"), up, normed, &[], inner);
        builder.give(normed);
        let down = Gemm {
            gate: Some(by.gate(part + 2)),
            residual: Some(Residual::Whole),
            ..self.tokens(rows, width, hidden)
        };
        let builder = &mut self.builder;
        let output = builder.take(self.sequences * rows * width);
        let others = [x, by.tensor];
        builder.gemm(&format!("{name}.down"), down, inner, &others, output);
        builder.give(inner);
        builder.give(x);
        output
    }

    /// x + gate * (projection of what was attended to); x is given back. `attended` has `from` as its rows.
    fn project(
        &mut self,
        name: &str,
        x: TensorId,
        attended: (TensorId, Slice),
        rows: usize,
        gate: Option<(Condition, usize)>,
    ) -> TensorId {
        let width = self.width();
        let gemm = Gemm {
            input: attended.1,
            gate: gate.map(|(by, part)| by.gate(part)),
            residual: Some(Residual::Whole),
            ..self.tokens(rows, width, width)
        };
        let output = self.builder.take(self.sequences * rows * width);
        let mut others = vec![x];
        others.extend(gate.map(|(by, _)| by.tensor));
        let name = format!("{name}.project");
        self.builder.gemm(&name, gemm, attended.0, &others, output);
        self.builder.give(x);
        output
    }

    /// Self-attention of one stream with scale, shift and gate, then the MLP.
    fn adaptive(&mut self, name: &str, x: TensorId) -> TensorId {
        let by = self.condition(name, 6);
        let x = self.self_attention(name, x, by);
        let x = self.mlp(name, x, self.patches, by, 3);
        self.builder.give(by.tensor);
        x
    }

    fn self_attention(&mut self, name: &str, x: TensorId, by: Condition) -> TensorId {
        let (patches, width, heads) = (self.patches, self.width(), self.shape.heads);
        let normed = self.modulate(x, patches, by, 0);
        let qkv = self.tokens(patches, 3 * width, width);
        let rows = self.sequences * patches;
        let builder = &mut self.builder;
        let packed = builder.take(rows * 3 * width);
        builder.gemm(&format!("{name}.qkv"), qkv, normed, &[], packed);
        builder.give(normed);
        let attended = builder.take(rows * width);
        let attention = Attention::packed(self.sequences, patches, heads, width / heads);
        builder.program.push(attention, &[packed; 3], attended);
        builder.give(packed);
        let whole = Slice::whole(patches, width);
        let x = self.project(name, x, (attended, whole), patches, Some((by, 2)));
        self.builder.give(attended);
        x
    }

    /// Self-attention, cross attention to the text without norm or gate, MLP.
    fn cross(&mut self, name: &str, x: TensorId, text: TensorId, shared: TensorId) -> TensorId {
        let (patches, width, heads) = (self.patches, self.width(), self.shape.heads);
        let stride = 6 * width;
        let builder = &mut self.builder;
        let table = builder.bias(&format!("{name}.table"), stride);
        let tensor = builder.take(self.sequences * stride);
        let sum = Sum {
            elements: self.sequences * stride,
            period: stride,
        };
        builder.program.push(sum, &[shared, table], tensor);
        let by = Condition {
            tensor,
            stride,
            width,
        };
        let x = self.self_attention(name, x, by);

        let text_tokens = self.shape.text_tokens;
        let rows = self.sequences * patches;
        let query = self.builder.take(rows * width);
        let gemm = self.tokens(patches, width, width);
        let label = format!("{name}.cross.query");
        self.builder.gemm(&label, gemm, x, &[], query);
        let gemm = self.tokens(text_tokens, 2 * width, width);
        let pairs = self.builder.take(self.sequences * text_tokens * 2 * width);
        let label = format!("{name}.cross.pairs");
        self.builder.gemm(&label, gemm, text, &[], pairs);
        let packed = Slice::whole(text_tokens, 2 * width);
        let attention = Attention {
            key_tokens: text_tokens,
            query: Slice::whole(patches, width),
            key: packed,
            value: packed.from_column(width),
            ..Attention::packed(self.sequences, patches, heads, width / heads)
        };
        let attended = self.builder.take(rows * width);
        let inputs = [query, pairs, pairs];
        self.builder.program.push(attention, &inputs, attended);
        self.builder.give(query);
        self.builder.give(pairs);
        let whole = Slice::whole(patches, width);
        let label = format!("{name}.cross");
        let x = self.project(&label, x, (attended, whole), patches, None);
        self.builder.give(attended);

        let x = self.mlp(name, x, patches, by, 3);
        self.builder.give(by.tensor);
        x
    }

    /// Queries, keys and values of a stream into its rows of the joint tensor.
    fn join(&mut self, name: &str, x: TensorId, stream: Stream, by: Condition, packed: TensorId) {
        let width = self.width();
        let normed = self.modulate(x, stream.rows, by, 0);
        let gemm = Gemm {
            output: Slice::whole(self.joint_rows(), 3 * width).from_row(stream.first),
            ..self.tokens(stream.rows, 3 * width, width)
        };
        let label = format!("{name}.qkv");
        self.builder.gemm(&label, gemm, normed, &[], packed);
        self.builder.give(normed);
    }

    /// Attention over text and image together.
    fn attend_jointly(&mut self, packed: TensorId, streams: &[(&str, Stream)]) -> TensorId {
        let (rows, width, heads) = (self.joint_rows(), self.width(), self.shape.heads);
        let mut attention = Attention::packed(self.sequences, rows, heads, width / heads);
        let elements = self.sequences * rows * width;
        let mut inputs = [packed; 3];
        if self.shape.rotary.is_some() {
            for (which, place) in [(0, attention.query), (1, attention.key)] {
                let turned = self.builder.take(elements);
                for &(name, stream) in streams {
                    let label = format!("{name}.turn.{which}");
                    self.turn(&label, packed, place, stream, turned);
                }
                inputs[which] = turned;
            }
            attention.query = Slice::whole(rows, width);
            attention.key = attention.query;
        }
        let attended = self.builder.take(elements);
        self.builder.program.push(attention, &inputs, attended);
        for input in &inputs[..2] {
            if *input != packed {
                self.builder.give(*input);
            }
        }
        self.builder.give(packed);
        attended
    }

    /// Normalises the heads of a stream's queries or keys and turns them by their positions.
    fn turn(
        &mut self,
        name: &str,
        packed: TensorId,
        place: Slice,
        stream: Stream,
        turned: TensorId,
    ) {
        let (width, heads) = (self.width(), self.shape.heads);
        let rotary = self.shape.rotary.expect("asked before");
        let kernel = Rotary {
            images: self.sequences,
            tokens: stream.rows,
            heads,
            head_dim: width / heads,
            input: place.from_row(stream.first),
            output: Slice::whole(self.joint_rows(), width).from_row(stream.first),
            norm_epsilon: Some(EPSILON),
            positions: Positions::Grid {
                columns: self.side,
                text_tokens: self.shape.text_tokens,
            },
            first_token: stream.first,
            still: rotary.still,
            base: rotary.base,
        };
        let weight = self.builder.scale(name, width / heads);
        self.builder.program.push(kernel, &[packed, weight], turned);
    }

    /// Text and image with weights of their own and one attention. The last block of a model leaves the text
    /// as it is, since nobody reads it any more.
    fn joint(
        &mut self,
        name: &str,
        image: TensorId,
        text: TensorId,
        is_last: bool,
    ) -> (TensorId, Option<TensorId>) {
        let (image_name, text_name) = (format!("{name}.image"), format!("{name}.text"));
        let (image_stream, text_stream) = (self.image_stream(), self.text_stream());
        let by_image = self.condition(&image_name, 6);
        let by_text = self.condition(&text_name, if is_last { 2 } else { 6 });
        let width = self.width();
        let elements = self.sequences * self.joint_rows() * 3 * width;
        let packed = self.builder.take(elements);
        self.join(&image_name, image, image_stream, by_image, packed);
        self.join(&text_name, text, text_stream, by_text, packed);
        let streams = [(&*text_name, text_stream), (&*image_name, image_stream)];
        let attended = self.attend_jointly(packed, &streams);

        let all = Slice::whole(self.joint_rows(), width);
        let mut finish = |name: &str, x: TensorId, stream: Stream, by: Condition| {
            let from = (attended, all.from_row(stream.first));
            let x = self.project(name, x, from, stream.rows, Some((by, 2)));
            self.mlp(name, x, stream.rows, by, 3)
        };
        let image = finish(&image_name, image, image_stream, by_image);
        let text = match is_last {
            true => None,
            false => Some(finish(&text_name, text, text_stream, by_text)),
        };
        for tensor in [attended, by_image.tensor, by_text.tensor] {
            self.builder.give(tensor);
        }
        (image, text)
    }

    /// Text and image as one stream: attention and MLP side by side on the same normalised rows.
    fn parallels(
        &mut self,
        first: usize,
        count: usize,
        image: TensorId,
        text: TensorId,
    ) -> TensorId {
        let (rows, width) = (self.joint_rows(), self.width());
        let all = Slice::whole(rows, width);
        let (image_stream, text_stream) = (self.image_stream(), self.text_stream());
        let mut x = self.builder.take(self.sequences * rows * width);
        for (tensor, stream) in [(text, text_stream), (image, image_stream)] {
            let output = all.from_row(stream.first);
            let whole = Slice::whole(stream.rows, width);
            self.copy_rows(tensor, whole, x, output, stream.rows);
            self.builder.give(tensor);
        }
        for index in first..first + count {
            x = self.parallel(&format!("block.{index}"), x);
        }
        let image = self.builder.take(self.sequences * self.patches * width);
        let from = all.from_row(image_stream.first);
        let whole = Slice::whole(self.patches, width);
        self.copy_rows(x, from, image, whole, self.patches);
        self.builder.give(x);
        image
    }

    fn copy_rows(
        &mut self,
        from: TensorId,
        input: Slice,
        to: TensorId,
        output: Slice,
        rows: usize,
    ) {
        let append = Append {
            images: self.sequences,
            rows,
            columns: self.width(),
            input,
            output,
        };
        self.builder.program.push(append, &[from], to);
    }

    fn parallel(&mut self, name: &str, x: TensorId) -> TensorId {
        let (rows, width, hidden) = (self.joint_rows(), self.width(), self.shape.mlp_width);
        let by = self.condition(name, 3);
        let normed = self.modulate(x, rows, by, 0);
        let all = self.sequences * rows;
        let packed = self.builder.take(all * 3 * width);
        let qkv = self.tokens(rows, 3 * width, width);
        let label = format!("{name}.qkv");
        self.builder.gemm(&label, qkv, normed, &[], packed);
        let inner = self.builder.take(all * hidden);
        let up = Gemm {
            function: Function::Gelu,
            ..self.tokens(rows, hidden, width)
        };
        let label = format!("{name}.up");
        self.builder.gemm(&label, up, normed, &[], inner);
        self.builder.give(normed);
        let stream = Stream { first: 0, rows };
        let attended = self.attend_jointly(packed, &[(name, stream)]);

        // x + gate * (A + B) as (x + gate * B) + gate * A: two products, each with its residual.
        let down = Gemm {
            gate: Some(by.gate(2)),
            residual: Some(Residual::Whole),
            ..self.tokens(rows, width, hidden)
        };
        let middle = self.builder.take(all * width);
        let label = format!("{name}.down");
        let others = [x, by.tensor];
        self.builder.gemm(&label, down, inner, &others, middle);
        self.builder.give(inner);
        self.builder.give(x);
        let whole = Slice::whole(rows, width);
        let output = self.project(name, middle, (attended, whole), rows, Some((by, 2)));
        self.builder.give(attended);
        self.builder.give(by.tensor);
        output
    }
}
