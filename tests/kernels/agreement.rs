//! One kernel on the device and through its twin, on the same random inputs.

use std::iter::repeat;

use meltpoint::gpu::device::{Device, Part, Tensor};
use meltpoint::gpu::kernels::{Element, Kernel, Operand};
use meltpoint::gpu::{Precision, Tolerance, Variant};
use meltpoint::random::{Seed, Stream};

use crate::{Case, Spread};

/// Runs every variant that the adapter can.
pub(crate) fn check(device: &Device, case: &Case) -> Result<(), String> {
    for variant in device.adapter.capability.variants() {
        agree(device, case, variant).map_err(|text| format!("{}: {text}", variant.name()))?;
    }
    Ok(())
}

fn agree(device: &Device, case: &Case, variant: Variant) -> Result<(), String> {
    let (kernel, precision) = (case.kernel.as_ref(), variant.precision());
    let mut stream = Seed(2025).stream("kernel", kernel.name(), 0);
    let spreads = [case.first].into_iter().chain(repeat(Spread::UNIT));
    let operands = kernel.inputs().into_iter().zip(spreads);
    let inputs: Vec<Vec<f32>> = operands
        .map(|(operand, spread)| numbers(operand, spread, precision, &mut stream))
        .collect();
    let before = match kernel.updates() {
        true => random(kernel.output(), precision, &mut stream),
        false => vec![f32::NAN; kernel.output().elements],
    };
    let mut want = before.clone();
    let slices: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    kernel.twin(&slices, &mut want);
    let got = on_device(device, kernel, variant, &inputs, &before).map_err(|e| e.to_string())?;
    compare(case, precision, &got, &want)
}

fn on_device(
    device: &Device,
    kernel: &dyn Kernel,
    variant: Variant,
    inputs: &[Vec<f32>],
    before: &[f32],
) -> Result<Vec<f32>, meltpoint::gpu::Error> {
    let precision = variant.precision();
    let mut tensors = Vec::new();
    for (operand, values) in kernel.inputs().into_iter().zip(inputs) {
        let tensor = device.tensor("input", operand, precision)?;
        device.write(&tensor, values);
        tensors.push(tensor);
    }
    let output = device.tensor("output", kernel.output(), precision)?;
    device.poison(&output);
    if kernel.updates() {
        device.write(&output, before);
    }
    let inputs: Vec<&Tensor> = tensors.iter().collect();
    let stage = device.stage(kernel, variant, &inputs, &output)?;
    // In two dispatches where there is more than one workgroup: a cut must not show.
    let middle = stage.workgroups / 2;
    let ranges = [0..middle, middle..stage.workgroups];
    let parts = ranges.into_iter().filter(|range| !range.is_empty());
    let parts: Result<Vec<Part>, _> = parts.map(|range| device.part(&stage, range)).collect();
    let parts = parts?;
    device.run(&parts.iter().collect::<Vec<_>>())?;
    device.read(&output)
}

/// Numbers in [-1, 1] as they are stored, or valid indices.
pub(crate) fn random(operand: Operand, precision: Precision, stream: &mut Stream) -> Vec<f32> {
    numbers(operand, Spread::UNIT, precision, stream)
}

fn numbers(
    operand: Operand,
    spread: Spread,
    precision: Precision,
    stream: &mut Stream,
) -> Vec<f32> {
    let real = |unit: f64| spread.middle + spread.half_width * (2.0 * unit as f32 - 1.0);
    let mut one = || match operand.element {
        Element::Real => precision.stored(real(stream.unit())),
        Element::Single => real(stream.unit()),
        Element::Index(bound) => stream.below(u64::from(bound)) as f32,
    };
    (0..operand.elements).map(|_| one()).collect()
}

/// What the kernel states for numbers in [-1, 1], with the errors of its sums magnified.
fn tolerance(case: &Case) -> Tolerance {
    let tolerance = case.kernel.tolerance();
    let magnified = case.first.magnified;
    Tolerance {
        reduction: (tolerance.reduction as f64 * magnified * magnified).ceil() as usize,
        ..tolerance
    }
}

fn compare(case: &Case, precision: Precision, got: &[f32], want: &[f32]) -> Result<(), String> {
    let kernel = case.kernel.as_ref();
    if let Element::Index(_) = kernel.output().element {
        let differ = got.iter().zip(want).position(|(got, want)| got != want);
        return differ.map_or(Ok(()), |at| {
            Err(format!(
                "element {at} is {}, the twin has {}",
                got[at], want[at]
            ))
        });
    }
    let squares: f64 = want.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    let rms = (squares / want.len() as f64).sqrt();
    let stored = match kernel.output().element {
        Element::Single => Precision::F32,
        Element::Real | Element::Index(_) => precision,
    };
    let allowed = tolerance(case).relative(stored);
    let mut worst = (0.0_f64, 0);
    for (at, (&got, &want)) in got.iter().zip(want).enumerate() {
        if !want.is_finite() {
            return Err(format!("the twin itself gave {want} at {at}"));
        }
        let scale = f64::from(want.abs()).max(rms).max(f64::MIN_POSITIVE);
        let error = (f64::from(got) - f64::from(want)).abs() / scale;
        if error.is_nan() || error > worst.0 {
            worst = (if error.is_nan() { f64::INFINITY } else { error }, at);
        }
    }
    let (error, at) = worst;
    println!(
        "{:>20} {precision:?} worst error {error:.2e} of {allowed:.2e} allowed  {kernel:?}",
        kernel.name()
    );
    if error <= allowed {
        return Ok(());
    }
    Err(format!(
        "element {at} is {}, the twin has {} (error {error:.2e}, allowed {allowed:.2e}) in {kernel:?}",
        got[at], want[at]
    ))
}
