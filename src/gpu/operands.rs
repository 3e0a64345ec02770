//! The tensors of a kernel that runs alone: random inputs, and room for the output.

use super::device::{Device, Stage, Tensor};
use super::kernels::tiles::Tiles;
use super::kernels::{Fill, Kernel};
use super::pace::Pace;
use super::{Error, Variant};

/// Inputs and output of one kernel.
#[derive(Debug)]
pub struct Operands {
    inputs: Vec<Tensor>,
    output: Tensor,
}

impl Operands {
    /// Inputs uniform in [-1, 1], each from a seed of its own. The kernel may have no whole numbers among them.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], or as the device fails.
    pub fn random(device: &Device, kernel: &dyn Kernel, variant: Variant) -> Result<Self, Error> {
        let precision = variant.precision();
        let mut pace = Pace::default();
        let mut inputs = Vec::new();
        for (operand, seed) in kernel.inputs().into_iter().zip(1..) {
            let tensor = device.tensor(kernel.name(), operand, precision)?;
            let fill = Fill {
                elements: operand.elements,
                seed,
                scale: 1.0,
                offset: 0.0,
            };
            pace.learn(device, &[device.stage(&fill, variant, &[], &tensor)?])?;
            inputs.push(tensor);
        }
        let output = device.tensor(kernel.name(), kernel.output(), precision)?;
        Ok(Self { inputs, output })
    }

    /// The kernel on these tensors, a product in the tiles that are named.
    ///
    /// # Errors
    /// As [`Device::stage`].
    pub fn stage(
        &self,
        device: &Device,
        kernel: &dyn Kernel,
        variant: Variant,
        tiles: Option<Tiles>,
    ) -> Result<Stage, Error> {
        let inputs: Vec<&Tensor> = self.inputs.iter().collect();
        device.stage_in(kernel, variant, tiles, &inputs, &self.output)
    }

    /// Its inputs in order.
    #[must_use]
    pub fn inputs(&self) -> &[Tensor] {
        &self.inputs
    }

    /// Its output.
    #[must_use]
    pub fn output(&self) -> &Tensor {
        &self.output
    }
}
