//! A program on a device: weights that are made there once, tensors, stages, and an output that is not taken
//! on trust.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::device::{Device, Stage, Tensor};
use super::kernels::{Element, Fill, Kernel, Operand};
use super::pace::Pace;
use super::program::{Program, Role, TensorId, TensorSpec};
use super::tuning::Tuning;
use super::{Error, Variant};

/// Weights on a device by name, shared by the programs of all batch sizes of a model.
#[derive(Debug, Default)]
pub struct Weights {
    by_name: BTreeMap<String, (Fill, Arc<Tensor>)>,
}

/// A program ready to run.
#[derive(Debug)]
pub struct Session {
    tensors: Vec<Arc<Tensor>>,
    stages: Vec<Stage>,
    output: TensorId,
    last_kernel: String,
}

impl Weights {
    /// The tensor of these numbers, filled on the device when it is asked for first.
    fn get(
        &mut self,
        device: &Device,
        variant: Variant,
        name: &str,
        fill: Fill,
        pace: &mut Pace,
    ) -> Result<Arc<Tensor>, Error> {
        match self.by_name.get(name) {
            Some((known, tensor)) if *known == fill && tensor.precision == variant.precision() => {
                Ok(Arc::clone(tensor))
            }
            _ => {
                let operand = Operand::real(fill.elements);
                let tensor = Arc::new(device.tensor(name, operand, variant.precision())?);
                pace.learn(device, &[device.stage(&fill, variant, &[], &tensor)?])?;
                let entry = (fill, Arc::clone(&tensor));
                self.by_name.insert(name.to_owned(), entry);
                Ok(tensor)
            }
        }
    }
}

impl Session {
    /// Puts a program on the device. Its inputs are filled with random numbers of unit scale and with valid
    /// indices, its scratch with NaN; the output is that of the last step.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], [`Error::Shader`], or as the device fails.
    ///
    /// # Panics
    /// When the program has no step.
    pub fn new(
        device: &Device,
        program: &Program,
        variant: Variant,
        weights: &mut Weights,
        pace: &mut Pace,
    ) -> Result<Self, Error> {
        Self::tuned(device, program, variant, &Tuning::default(), weights, pace)
    }

    /// As [`Session::new`], with the tiles of products that are known to be better.
    ///
    /// # Errors
    /// As [`Session::new`].
    ///
    /// # Panics
    /// As [`Session::new`], and when the variant does not have the tiles.
    pub fn tuned(
        device: &Device,
        program: &Program,
        variant: Variant,
        tuning: &Tuning,
        weights: &mut Weights,
        pace: &mut Pace,
    ) -> Result<Self, Error> {
        let precision = variant.precision();
        let mut tensors = Vec::new();
        for (spec, seed) in program.tensors().iter().zip(0..) {
            tensors.push(match spec.role {
                Role::Weight(fill) => weights.get(device, variant, &spec.name, fill, pace)?,
                Role::Input => Arc::new(input(device, spec, seed, variant, pace)?),
                Role::Scratch => {
                    let tensor = device.tensor(&spec.name, spec.operand, precision)?;
                    device.poison(&tensor);
                    Arc::new(tensor)
                }
            });
        }
        let mut stages = Vec::new();
        for step in program.steps() {
            let inputs: Vec<&Tensor> = step.inputs.iter().map(|id| &*tensors[id.index()]).collect();
            let output = &tensors[step.output.index()];
            let kernel = step.kernel.as_ref();
            stages.push(device.stage_in(kernel, variant, tuning.of(kernel), &inputs, output)?);
        }
        let last = program.steps().last().expect("a program has a step");
        Ok(Self {
            tensors,
            stages,
            output: last.output,
            last_kernel: last.kernel.name().to_owned(),
        })
    }

    /// Its stages in order.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// A tensor of the program.
    #[must_use]
    pub fn tensor(&self, id: TensorId) -> &Tensor {
        &self.tensors[id.index()]
    }

    /// Reads the output and refuses one that no model makes: NaN, infinities, or nothing but zeros.
    ///
    /// # Errors
    /// [`Error::Wrong`], or as the device fails.
    pub fn checked_output(&self, device: &Device) -> Result<Vec<f32>, Error> {
        let values = device.read(self.tensor(self.output))?;
        let wrong = |what: String| Error::Wrong {
            kernel: self.last_kernel.clone(),
            what,
        };
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(wrong(format!(
                "{} at element {at} of the output",
                values[at]
            )));
        }
        // Indices of an output token may well be zero.
        let is_real = self.tensor(self.output).operand.element == Element::Real;
        if is_real && values.iter().all(|&value| value == 0.0) {
            return Err(wrong("nothing but zeros".to_owned()));
        }
        Ok(values)
    }
}

/// A tensor that the caller would fill, filled so that every run does real work.
fn input(
    device: &Device,
    spec: &TensorSpec,
    seed: u32,
    variant: Variant,
    pace: &mut Pace,
) -> Result<Tensor, Error> {
    let tensor = device.tensor(&spec.name, spec.operand, variant.precision())?;
    let elements = spec.operand.elements;
    let fill = Fill {
        elements,
        seed,
        scale: 1.0,
        offset: 0.0,
    };
    match spec.operand.element {
        Element::Real => {
            pace.learn(device, &[device.stage(&fill, variant, &[], &tensor)?])?;
        }
        Element::Single => {
            let mut values = vec![0.0; elements];
            fill.twin(&[], &mut values);
            device.write(&tensor, &values);
        }
        Element::Index(bound) => {
            let bound = bound.max(1) as usize;
            let indices: Vec<f32> = (0..elements).map(|i| (i % bound) as f32).collect();
            device.write(&tensor, &indices);
        }
    }
    Ok(tensor)
}
