//! Image models as shapes: from a name, a resolution and a batch to the program of one iteration.
//!
//! Shapes are data (`data/models.toml`), each with its source. A diffusion model iterates in denoise steps
//! over all tokens of an image ([`Model::denoise`]), an autoregressive one in tokens ([`Model::token_step`]);
//! both end with a decoder to pixels ([`Model::decode`]). FLOP and bytes are what the program says.

mod decoder;
mod parts;
mod tokens;
mod transformer;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use serde::Deserialize;

use super::program::Program;
use crate::profile::Provenance;
use crate::profile::measured::WorkloadKind;

/// A model's shape.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    name: String,
    /// In words.
    pub title: String,
    /// Where the shape was published.
    pub source: String,
    /// When that was.
    pub date: String,
    /// What the shape rests on.
    pub provenance: Provenance,
    /// Width and height of images that it makes, in pixels; the first is its own.
    pub resolutions_px: Vec<u32>,
    /// Denoise steps of an image; none for autoregressive models.
    steps: Option<u32>,
    /// Scale of classifier-free guidance, which doubles the sequences; `None`: without.
    guidance: Option<f32>,
    diffusion: Option<Diffusion>,
    autoregressive: Option<Autoregressive>,
    /// Figures that the program of the shape must come out with.
    #[serde(default)]
    published: Published,
}

/// A transformer over the patches of a latent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Diffusion {
    latent_channels: usize,
    /// Channels that a token predicts for each pixel: more than the latent's where a variance is learnt.
    predicted_channels: usize,
    patch: usize,
    width: usize,
    heads: usize,
    mlp_width: usize,
    blocks: Vec<Blocks>,
    /// Tokens of the text; 0: conditioned on a class.
    #[serde(default)]
    text_tokens: usize,
    #[serde(default)]
    text_width: usize,
    /// Width of the one vector that sums up the text; 0: there is none.
    #[serde(default)]
    pooled_width: usize,
    /// Whether the scale of guidance is an input, instead of a second sequence.
    #[serde(default)]
    is_guidance_embedded: bool,
    /// Rotary positions and normalised queries and keys in joint and parallel blocks.
    rotary: Option<RotaryShape>,
    decoder: String,
}

/// Blocks of one kind that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Blocks {
    kind: BlockKind,
    count: usize,
}

/// How a block is conditioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum BlockKind {
    /// Scale, shift and gate from time and class (`DiT`).
    Adaptive,
    /// The same for all blocks but a table, and cross attention to the text (`PixArt`).
    Cross,
    /// Text and image in streams of their own with joint attention (SD3, FLUX).
    Joint,
    /// One stream, attention and MLP side by side (FLUX).
    Parallel,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct RotaryShape {
    /// Columns of a head that are not turned.
    still: usize,
    base: f64,
}

/// A transformer that makes one token after the other.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Autoregressive {
    width: usize,
    heads: usize,
    layers: usize,
    mlp_width: usize,
    vocabulary: usize,
    /// Pixels a token, along one side.
    downsampling: u32,
    prompt_tokens: u32,
    rotary_base: f64,
    decoder: String,
}

/// From latents to pixels.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decoder {
    name: String,
    source: String,
    date: String,
    provenance: Provenance,
    latent_channels: usize,
    /// Rows of the table that turns tokens into latents; `None`: latents are what comes in.
    codebook: Option<usize>,
    /// Channels behind a 1x1 convolution of the latent, where that comes first.
    entry_channels: Option<usize>,
    /// Whether attention follows each residual block of the lowest stage, and not only those of the middle.
    #[serde(default)]
    has_attention_below: bool,
    stages: Vec<usize>,
    blocks: usize,
    groups: usize,
    published_parameters: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    parameters: Option<f64>,
    /// Pixels and 10^9 FLOP of one sequence.
    #[serde(default)]
    gflop_per_sequence: Vec<(u32, f64)>,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalog {
    model: Vec<Model>,
    decoder: Vec<Decoder>,
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let text = include_str!("data/models.toml");
    toml_edit::de::from_str(text).expect("the models that are built in can be read")
});

/// All models that are built in.
#[must_use]
pub fn models() -> &'static [Model] {
    &CATALOG.model
}

/// The model of this name.
#[must_use]
pub fn model(name: &str) -> Option<&'static Model> {
    models().iter().find(|model| model.name == name)
}

impl Model {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it makes an image.
    #[must_use]
    pub fn kind(&self) -> WorkloadKind {
        match self.autoregressive {
            Some(_) => WorkloadKind::Autoregressive,
            None => WorkloadKind::Diffusion,
        }
    }

    /// Denoise steps or tokens of an image.
    #[must_use]
    pub fn iterations_per_image(&self, resolution_px: u32) -> u32 {
        match &self.autoregressive {
            Some(shape) => {
                let side = resolution_px / shape.downsampling;
                side * side
            }
            None => self.steps.unwrap_or(1),
        }
    }

    /// Sequences that each image brings into an iteration: 2 with guidance.
    #[must_use]
    pub fn sequences_per_image(&self) -> u32 {
        if self.guidance.is_some() { 2 } else { 1 }
    }

    /// One denoise step of a batch of images.
    ///
    /// # Panics
    /// When it is not a diffusion model, or makes no images of this resolution.
    #[must_use]
    pub fn denoise(&self, resolution_px: u32, batch: usize) -> Program {
        let shape = self.diffusion.as_ref().expect("a diffusion model");
        self.assert_resolution(resolution_px);
        transformer::denoise(self, shape, resolution_px, batch)
    }

    /// One token of each of a batch of images, with `context` tokens of each image in the cache before.
    ///
    /// # Panics
    /// When it is not autoregressive, or makes no images of this resolution.
    #[must_use]
    pub fn token_step(&self, resolution_px: u32, batch: usize, context: usize) -> Program {
        let shape = self
            .autoregressive
            .as_ref()
            .expect("an autoregressive model");
        self.assert_resolution(resolution_px);
        tokens::step(self, shape, resolution_px, batch, context)
    }

    /// A batch of latents, or of the tokens that stand for them, to pixels.
    ///
    /// # Panics
    /// When it makes no images of this resolution.
    #[must_use]
    pub fn decode(&self, resolution_px: u32, batch: usize) -> Program {
        self.assert_resolution(resolution_px);
        decoder::decode(self.decoder(), resolution_px as usize, batch)
    }

    fn decoder(&self) -> &'static Decoder {
        let name = match (&self.diffusion, &self.autoregressive) {
            (Some(shape), _) => &shape.decoder,
            (None, Some(shape)) => &shape.decoder,
            (None, None) => unreachable!("a test looks that each model is of one kind"),
        };
        let mut all = CATALOG.decoder.iter();
        all.find(|decoder| decoder.name == *name)
            .expect("a test looks that each model has its decoder")
    }

    fn assert_resolution(&self, resolution_px: u32) {
        let known = self.resolutions_px.contains(&resolution_px);
        assert!(
            known,
            "{} makes no images of {resolution_px} pixels",
            self.name
        );
    }
}
