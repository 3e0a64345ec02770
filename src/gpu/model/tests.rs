//! Programs of the models against published figures, and what the catalog promises.

use super::*;
use crate::gpu::kernels::{Element, Fill, Kernel};
use crate::gpu::precision::Precision;

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
    for decoder in &CATALOG.decoder {
        if let Some(published) = decoder.published_parameters {
            let program = decoder::decode(decoder, 256, 1);
            assert_near(program.parameters() as f64, published, &decoder.name);
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
    next_latents: Vec<f32>,
    every_97th_of_picture: Vec<f32>,
    joint_next_latents: Vec<f32>,
    logits: Vec<f32>,
    token: Vec<f32>,
}

fn independent() -> Independent {
    let text = include_str!("../../../tests/data/tiny_model.json");
    serde_json::from_str(text).expect("a fixture")
}

/// All tensors of a program that runs through the twins, its inputs filled with the seeds 1, 2, ...
fn through_twins(program: &Program) -> Vec<Vec<f32>> {
    let mut values = vec![Vec::new(); program.tensors().len()];
    for ((id, operand), seed) in program.inputs().zip(1..) {
        let fill = Fill {
            elements: operand.elements,
            seed,
            scale: 1.0,
            offset: 0.0,
        };
        let input = &mut values[id.index()];
        input.resize(operand.elements, 0.0);
        match operand.element {
            Element::Real | Element::Single => fill.twin(&[], input),
            Element::Index(_) => (0..operand.elements).for_each(|at| input[at] = at as f32),
        }
    }
    program.twin(Precision::F32, &mut values);
    values
}

/// The last of them.
fn outcome(program: &Program) -> Vec<f32> {
    let last = program.steps().last().expect("a program has steps");
    through_twins(program).swap_remove(last.output.index())
}

fn assert_close(got: &[f32], want: &[f32]) {
    assert_eq!(got.len(), want.len());
    let largest = want
        .iter()
        .fold(0.0, |largest: f32, v| largest.max(v.abs()));
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        // Some fifty kernels, each rounding to 24 bits.
        assert!(
            (got - want).abs() < 1e-5 * largest,
            "{at}: {got} against {want}"
        );
    }
}

#[test]
fn the_tiny_model_computes_what_an_independent_implementation_does() {
    let independent = independent();
    let tiny = model("tiny").expect("it is built in");
    let next = outcome(&tiny.denoise(64, 1));
    assert_close(&next, &independent.next_latents);
    let picture = outcome(&tiny.decode(64, 1));
    let some: Vec<f32> = picture.iter().copied().step_by(97).collect();
    assert_close(&some, &independent.every_97th_of_picture);
}

#[test]
fn blocks_with_text_compute_what_an_independent_implementation_does() {
    let joint = model("tiny-joint").expect("it is built in");
    let next = outcome(&joint.denoise(64, 1));
    assert_close(&next, &independent().joint_next_latents);
}

#[test]
fn a_token_with_a_cache_is_what_an_independent_implementation_draws() {
    let independent = independent();
    let program = model("tiny-tokens").expect("it is built in");
    let program = program.token_step(64, 1, 5);
    let values = through_twins(&program);
    let draw = program.steps().last().expect("a program has steps");
    assert_close(&values[draw.inputs[0].index()], &independent.logits);
    assert_eq!(values[draw.output.index()], independent.token);
}
