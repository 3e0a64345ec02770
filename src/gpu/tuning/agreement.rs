//! Whether tiles are not only fast but right on a device: drivers have bugs, above all in what few programs use.

use crate::gpu::device::Device;
use crate::gpu::kernels::tiles::Tiles;
use crate::gpu::kernels::{Gemm, Kernel};
use crate::gpu::operands::Operands;
use crate::gpu::{Error, Precision, Variant};

/// More than one tile in each direction, and no multiple of any.
const SHAPE: [usize; 3] = [300, 260, 200];

/// Whether a small product in these tiles is what its twin says, within the kernel's own tolerance.
pub(super) fn agrees(device: &Device, variant: Variant, tiles: Tiles) -> Result<bool, Error> {
    let [rows, columns, depth] = SHAPE;
    let product = Gemm::plain(rows, columns, depth);
    let operands = Operands::random(device, &product, variant)?;
    device.poison(operands.output());
    let stage = operands.stage(device, &product, variant, Some(tiles))?;
    device.run(&[&device.part(&stage, 0..stage.workgroups)?])?;
    let got = device.read(operands.output())?;
    let mut inputs = Vec::new();
    for tensor in operands.inputs() {
        inputs.push(device.read(tensor)?);
    }
    let mut want = vec![0.0; product.output().elements];
    let slices: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    product.twin(&slices, &mut want);
    Ok(is_near(&product, variant.precision(), &got, &want))
}

fn is_near(product: &Gemm, precision: Precision, got: &[f32], want: &[f32]) -> bool {
    let squares: f64 = want.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    let rms = (squares / want.len() as f64).sqrt();
    let allowed = product.tolerance().relative(precision);
    let mut pairs = got.iter().zip(want);
    pairs.all(|(&got, &want)| {
        let scale = f64::from(want.abs()).max(rms);
        // NaN is not near anything.
        (f64::from(got) - f64::from(want)).abs() <= allowed * scale
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_number_is_enough() {
        let product = Gemm::plain(1, 4, 8);
        let want = [1.0, -2.0, 3.0, 0.0];
        let near = |got: [f32; 4]| is_near(&product, Precision::F32, &got, &want);
        assert!(near(want));
        assert!(near([1.000_000_1, -2.0, 3.0, 1e-7]));
        assert!(!near([1.001, -2.0, 3.0, 0.0]));
        assert!(!near([1.0, -2.0, 3.0, f32::NAN]));
    }
}
