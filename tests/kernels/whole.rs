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

/// A program of a small model.
pub(crate) struct Whole {
    pub(crate) name: &'static str,
    make: fn() -> Program,
}

/// Each kind of block, both kinds of models, the decoder; two images, so that a mixed-up stride shows.
pub(crate) const ALL: [Whole; 4] = [
    Whole {
        name: "tiny: a denoise step with guidance",
        make: || model("tiny").expect("it is built in").denoise(64, 2),
    },
    Whole {
        name: "tiny-joint: a denoise step with text",
        make: || model("tiny-joint").expect("it is built in").denoise(64, 2),
    },
    Whole {
        name: "tiny-tokens: a token with a cache",
        make: || {
            let model = model("tiny-tokens").expect("it is built in");
            model.token_step(128, 2, 201)
        },
    },
    Whole {
        name: "tiny: latents to pixels",
        make: || model("tiny").expect("it is built in").decode(64, 2),
    },
];

/// Runs every variant that the adapter can.
pub(crate) fn check(device: &Device, whole: &Whole) -> Result<(), String> {
    let program = (whole.make)();
    for variant in device.adapter.capability.variants() {
        agree(device, &program, variant).map_err(|text| format!("{}: {text}", variant.name()))?;
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

fn agree(device: &Device, program: &Program, variant: Variant) -> Result<(), String> {
    let precision = variant.precision();
    let mut stream = Seed(2025).stream("whole", variant.name(), 0);
    let mut values = vec![Vec::new(); program.tensors().len()];
    for (id, operand) in program.inputs() {
        values[id.index()] = random(operand, precision, &mut stream);
    }
    let got = on_device(device, program, variant, &values).map_err(|error| error.to_string())?;
    program.twin(precision, &mut values);
    let want = &values[compared(program).index()];
    let squares: f64 = want.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    let rms = (squares / want.len() as f64).sqrt();
    let errors = got
        .iter()
        .zip(want)
        .map(|(&got, &want)| f64::from(got) - f64::from(want));
    let error = (errors.map(|error| error * error).sum::<f64>() / want.len() as f64).sqrt() / rms;
    // Norms and residuals keep what passes at its size, so errors of kernels add up at worst.
    let steps = program.steps().iter();
    let allowed: f64 = steps
        .map(|step| step.kernel.tolerance().relative(precision))
        .sum();
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
    values: &[Vec<f32>],
) -> Result<Vec<f32>, Error> {
    let mut pace = Pace::default();
    let mut weights = Weights::default();
    let session = Session::new(device, program, variant, &mut weights, &mut pace)?;
    for (id, _) in program.inputs() {
        device.write(session.tensor(id), &values[id.index()]);
    }
    pace.learn(device, session.stages())?;
    session.checked_output(device)?;
    device.read(session.tensor(compared(program)))
}
