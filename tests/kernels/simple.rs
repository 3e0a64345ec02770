//! Shapes of the kernels that treat every element alone.

use meltpoint::gpu::kernels::{Activation, Copy, Fill, Function};

use crate::Case;

/// Lengths: one, odd, prime, a workgroup, more than a row of workgroups of small size.
const LENGTHS: [usize; 5] = [1, 77, 251, 256, 100_003];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for elements in LENGTHS {
        let fill = Fill {
            elements,
            seed: elements as u32,
            scale: 0.5,
            offset: 0.25,
        };
        cases.push(Case::new(format!("of {elements}"), fill));
        cases.push(Case::new(format!("of {elements}"), Copy { elements }));
        for function in [Function::Silu, Function::Gelu] {
            let activation = Activation { elements, function };
            cases.push(Case::new(format!("{function:?} of {elements}"), activation));
        }
    }
    cases
}
