//! Programs of the models against published figures, and what the catalog promises.

use std::collections::BTreeMap;

use super::*;
use crate::gpu::kernels::{Element, Fill, Kernel};
use crate::gpu::precision::Precision;
use crate::gpu::program::{Role, TensorId};

/// Largest difference to a published figure: papers round, and count normalisations or leave them out.
const ALLOWED: f64 = 0.01;

fn assert_near(got: f64, published: f64, what: &str) {
    let difference = got / published - 1.0;
    assert!(
        difference.abs() <= ALLOWED,
        "{what}: {got:.4e} against {published:.4e}"
    );
}

/// One iteration at the model's own resolution.
fn iteration(model: &Model, resolution_px: u32) -> Program {
    match model.kind() {
        WorkloadKind::Diffusion => model.denoise(resolution_px, 1),
        WorkloadKind::Autoregressive => model.token_step(resolution_px, 1, 1),
    }
}

#[test]
fn parameters_are_as_many_as_published() {
    let mut seen = 0;
    for model in models() {
        if let Some(published) = model.published.parameters {
            let program = iteration(model, model.resolutions_px[0]);
            assert_near(program.parameters() as f64, published, &model.name);
            seen += 1;
        }
    }
    assert_eq!(seen, 5, "every published model has its figure");
}

#[test]
fn operations_of_a_step_are_as_many_as_published() {
    let mut seen = 0;
    for model in models() {
        for &(px, gflop) in &model.published.gflop_per_sequence {
            let flop = model.denoise(px, 1).work().flop / f64::from(model.sequences_per_image());
            assert_near(flop, gflop * 1e9, &format!("{} at {px}", model.name));
            seen += 1;
        }
    }
    assert!(seen >= 2);
}

#[test]
fn decoders_have_the_published_parameters() {
    let mut seen = 0;
    for decoder in &CATALOG.decoder {
        if let Some(published) = decoder.published_parameters {
            let program = decoder::decode(decoder, 256, 1);
            assert_eq!(program.parameters(), published, "{}", decoder.name);
            seen += 1;
        }
    }
    assert_eq!(seen, 3, "every published decoder has its figure");
}

#[test]
fn what_the_caller_fills_is_never_written_but_caches() {
    for model in models() {
        let px = model.resolutions_px[0];
        let programs = [iteration(model, px), model.decode(px, 1)];
        let steps = programs
            .iter()
            .flat_map(|program| program.steps().iter().map(move |s| (program, s)));
        for (program, step) in steps {
            let spec = &program.tensors()[step.output.index()];
            let is_scratch = spec.role == Role::Scratch;
            assert!(
                is_scratch || step.kernel.updates(),
                "{}: {}",
                model.name,
                spec.name
            );
        }
    }
}

#[test]
fn every_model_has_a_kind_a_source_and_programs_at_all_its_resolutions() {
    for model in models() {
        assert!(model.diffusion.is_some() != model.autoregressive.is_some());
        assert!(!model.source.is_empty() && !model.title.is_empty() && !model.date.is_empty());
        for &px in &model.resolutions_px {
            let program = iteration(model, px);
            assert!(program.work().flop > 0.0);
            let picture = model.decode(px, 1);
            let last = picture.steps().last().expect("a decoder has steps");
            assert_eq!(last.kernel.output().elements, (px * px * 3) as usize);
        }
    }
}

#[test]
fn twice_the_batch_is_twice_the_work_but_the_same_weights() {
    for model in models() {
        let px = model.resolutions_px[0];
        let of = |batch: usize| match model.kind() {
            WorkloadKind::Diffusion => model.denoise(px, batch),
            WorkloadKind::Autoregressive => model.token_step(px, batch, 7),
        };
        let (one, two) = (of(1), of(2));
        assert_eq!(one.parameters(), two.parameters(), "{}", model.name);
        let ratio = two.work().flop / one.work().flop;
        assert!((ratio - 2.0).abs() < 1e-3, "{}: {ratio}", model.name);
        assert!(two.bytes(Precision::F16) < 2 * one.bytes(Precision::F16));
    }
}

/// The figures of `tests/data/tiny_model.py`, an implementation in `NumPy` that shares no code with ours.
#[derive(Deserialize)]
struct Independent {
    denoised: Vec<f32>,
    every_97th_of_picture: Vec<f32>,
    joint_next_latents: Vec<f32>,
    tokens: Vec<f32>,
    last_logits: Vec<f32>,
    every_97th_of_token_picture: Vec<f32>,
}

fn independent() -> Independent {
    let text = include_str!("../../../tests/data/tiny_model.json");
    serde_json::from_str(text).expect("a fixture")
}

/// Inputs by name.
type Inputs = BTreeMap<String, Vec<f32>>;

/// All inputs of a program, filled with the seeds 1, 2, ...
fn seeded(program: &Program) -> Inputs {
    let mut inputs = Inputs::new();
    for ((id, operand), seed) in program.inputs().zip(1..) {
        let fill = Fill {
            elements: operand.elements,
            seed,
            scale: 1.0,
            offset: 0.0,
        };
        let mut input = vec![0.0; operand.elements];
        match operand.element {
            Element::Real | Element::Single => fill.twin(&[], &mut input),
            Element::Index(_) => (0..operand.elements).for_each(|at| input[at] = at as f32),
        }
        inputs.insert(program.tensors()[id.index()].name.clone(), input);
    }
    inputs
}

/// What the last step of a program reads first and what it writes, through the twins. Inputs that steps update,
/// as caches are, come back updated.
fn through_twins(program: &Program, inputs: &mut Inputs) -> [Vec<f32>; 2] {
    let mut values = vec![Vec::new(); program.tensors().len()];
    let name = |id: TensorId| program.tensors()[id.index()].name.as_str();
    for (id, _) in program.inputs() {
        values[id.index()].clone_from(&inputs[name(id)]);
    }
    program.twin(Precision::F32, &mut values);
    for (id, _) in program.inputs() {
        let updated = values[id.index()].clone();
        inputs.insert(name(id).to_owned(), updated);
    }
    let last = program.steps().last().expect("a program has steps");
    [last.inputs[0], last.output].map(|id| values[id.index()].clone())
}

/// The output of a program from inputs of which some are given.
fn outcome(program: &Program, given: &[(&str, &[f32])]) -> Vec<f32> {
    let mut inputs = seeded(program);
    for &(name, values) in given {
        let known = inputs.insert(name.to_owned(), values.to_vec());
        assert_eq!(known.map(|known| known.len()), Some(values.len()), "{name}");
    }
    let [_, output] = through_twins(program, &mut inputs);
    output
}

fn assert_close(got: &[f32], want: &[f32]) {
    assert_eq!(got.len(), want.len());
    let largest = want
        .iter()
        .fold(0.0, |largest: f32, v| largest.max(v.abs()));
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        // Some hundred kernels, each rounding to 24 bits.
        assert!(
            (got - want).abs() < 1e-5 * largest,
            "{at}: {got} against {want}"
        );
    }
}

fn every_97th(values: &[f32]) -> Vec<f32> {
    values.iter().copied().step_by(97).collect()
}

#[test]
fn the_tiny_model_makes_the_picture_that_an_independent_implementation_does() {
    let independent = independent();
    let tiny = model("tiny").expect("it is built in");
    let step = tiny.denoise(64, 1);
    let mut latents = seeded(&step)["latents"].clone();
    for left in (1..=tiny.iterations_per_image(64)).rev() {
        let time = [left as f32; 2];
        latents = outcome(&step, &[("latents", &latents), ("time", &time)]);
    }
    assert_close(&latents, &independent.denoised);
    let picture = outcome(&tiny.decode(64, 1), &[("latents", &latents)]);
    assert_close(&every_97th(&picture), &independent.every_97th_of_picture);
}

#[test]
fn blocks_with_text_compute_what_an_independent_implementation_does() {
    let joint = model("tiny-joint").expect("it is built in");
    let next = outcome(&joint.denoise(64, 1), &[]);
    assert_close(&next, &independent().joint_next_latents);
}

#[test]
fn all_tokens_of_an_image_are_those_that_an_independent_implementation_draws() {
    let independent = independent();
    let tiny = model("tiny-tokens").expect("it is built in");
    let mut inputs = seeded(&tiny.token_step(64, 1, 0));
    // What is not in the caches yet may not be read.
    let caches = inputs.iter_mut().filter(|(name, _)| *name != "tokens");
    caches.for_each(|(_, cache)| cache.fill(f32::NAN));
    let (mut drawn, mut last_logits) = (Vec::new(), Vec::new());
    for context in 0..tiny.iterations_per_image(64) {
        let program = tiny.token_step(64, 1, context as usize);
        let [logits, token] = through_twins(&program, &mut inputs);
        inputs.insert("tokens".to_owned(), vec![token[0]; 2]);
        drawn.extend(token);
        last_logits = logits;
    }
    assert_eq!(drawn, independent.tokens);
    assert_close(&last_logits, &independent.last_logits);
    let picture = outcome(&tiny.decode(64, 1), &[("tokens", &drawn)]);
    assert_close(
        &every_97th(&picture),
        &independent.every_97th_of_token_picture,
    );
}
