//! Whole models on the device against the same programs through the twins: builders, scratch that is used
//! again, and what adds up over dozens of kernels.

use meltpoint::gpu::device::Device;
use meltpoint::gpu::kernels::Element;
use meltpoint::gpu::model::model;
use meltpoint::gpu::pace::Pace;
use meltpoint::gpu::program::{Program, TensorId};
use meltpoint::gpu::session::{Session, Weights};
use meltpoint::gpu::{Error, Variant};
use meltpoint::random::Seed;

use crate::agreement::random;

/// A program of a small model for a number of images.
pub(crate) struct Whole {
    pub(crate) name: &'static str,
    /// How often it runs, each time on the output of the time before.
    iterations: usize,
    make: fn(usize) -> Program,
}

/// Each kind of block, both kinds of models and of decoders.
pub(crate) const ALL: [Whole; 5] = [
    Whole {
        name: "tiny: all denoise steps with guidance",
        iterations: 4,
        make: |batch| model("tiny").expect("it is built in").denoise(64, batch),
    },
    Whole {
        name: "tiny-joint: a denoise step with text",
        iterations: 1,
        make: |batch| {
            model("tiny-joint")
                .expect("it is built in")
                .denoise(64, batch)
        },
    },
    Whole {
        name: "tiny-tokens: a token with a cache",
        iterations: 1,
        make: |batch| {
            let model = model("tiny-tokens").expect("it is built in");
            model.token_step(128, batch, 201)
        },
    },
    Whole {
        name: "tiny: latents to pixels",
        iterations: 1,
        make: |batch| model("tiny").expect("it is built in").decode(64, batch),
    },
    Whole {
        name: "tiny-tokens: tokens to pixels",
        iterations: 1,
        make: |batch| {
            model("tiny-tokens")
                .expect("it is built in")
                .decode(64, batch)
        },
    },
];

/// Runs every variant that the adapter can.
pub(crate) fn check(device: &Device, whole: &Whole) -> Result<(), String> {
    for variant in device.adapter.capability.variants() {
        let mut weights = Weights::default();
        // Two images, so that a mixed-up stride shows; then one, with the weights that are already there.
        for batch in [2, 1] {
            agree(device, whole, batch, variant, &mut weights)
                .map_err(|text| format!("{} of {batch}: {text}", variant.name()))?;
        }
    }
    Ok(())
}

/// What is compared: the last tensor of real numbers. A token that was drawn would hide how far its logits are
/// off, or differ where two of them are nearly equal.
fn compared(program: &Program) -> TensorId {
    let real = program.steps().iter().rev();
    let mut real = real.filter(|step| step.kernel.output().element == Element::Real);
    real.next().expect("a program computes numbers").output
}

/// Where the output goes before the next iteration.
fn latents(program: &Program) -> TensorId {
    let mut inputs = program.inputs().map(|(id, _)| id);
    let latents = inputs.find(|id| program.tensors()[id.index()].name == "latents");
    latents.expect("what iterates has latents")
}

fn agree(
    device: &Device,
    whole: &Whole,
    batch: usize,
    variant: Variant,
    weights: &mut Weights,
) -> Result<(), String> {
    let program = (whole.make)(batch);
    let precision = variant.precision();
    let mut stream = Seed(2025).stream("whole", variant.name(), 0);
    let mut values = vec![Vec::new(); program.tensors().len()];
    for (id, operand) in program.inputs() {
        values[id.index()] = random(operand, precision, &mut stream);
    }
    let iterations = whole.iterations;
    let got = on_device(device, &program, variant, iterations, &values, weights)
        .map_err(|error| error.to_string())?;
    for iteration in 0..iterations {
        if iteration > 0 {
            values[latents(&program).index()] = values[compared(&program).index()].clone();
        }
        program.twin(precision, &mut values);
    }
    let want = &values[compared(&program).index()];
    let squares: f64 = want.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    let rms = (squares / want.len() as f64).sqrt();
    let errors = got
        .iter()
        .zip(want)
        .map(|(&got, &want)| f64::from(got) - f64::from(want));
    let error = (errors.map(|error| error * error).sum::<f64>() / want.len() as f64).sqrt() / rms;
    // Norms and residuals keep what passes at its size, so errors of kernels, which are independent, add up as
    // squares.
    let steps = program.steps().iter();
    let each = steps.map(|step| step.kernel.tolerance().relative(precision));
    let squares = each.map(|error| error * error).sum::<f64>();
    let allowed = (iterations as f64 * squares).sqrt();
    println!(
        "{:>20} {precision:?} error {error:.2e} of {allowed:.2e} allowed",
        "whole model"
    );
    match error <= allowed && rms > 0.0 {
        true => Ok(()),
        false => Err(format!(
            "root mean square error {error:.2e} of {rms:.2e}, allowed {allowed:.2e}"
        )),
    }
}

fn on_device(
    device: &Device,
    program: &Program,
    variant: Variant,
    iterations: usize,
    values: &[Vec<f32>],
    weights: &mut Weights,
) -> Result<Vec<f32>, Error> {
    let mut pace = Pace::default();
    let session = Session::new(device, program, variant, weights, &mut pace)?;
    for (id, _) in program.inputs() {
        device.write(session.tensor(id), &values[id.index()]);
    }
    for iteration in 0..iterations {
        if iteration > 0 {
            let next = device.read(session.tensor(compared(program)))?;
            device.write(session.tensor(latents(program)), &next);
        }
        pace.learn(device, session.stages())?;
    }
    session.checked_output(device)?;
    device.read(session.tensor(compared(program)))
}
