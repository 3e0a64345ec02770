//! What a batch of images asks of a device: kernels in order, with the tensors that they read and write.
//!
//! A program is data. The same list is run on a device, through the twins
//! ([`Program::twin`]) and counted ([`Program::work`]), so measured time and roofline talk of the same work.

use super::kernels::{Fill, Kernel, Operand, Work};
use super::precision::Precision;

/// Kernels in order.
#[derive(Debug, Default)]
pub struct Program {
    tensors: Vec<TensorSpec>,
    steps: Vec<Step>,
}

/// A tensor of one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TensorId(usize);

/// What a tensor is for.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorSpec {
    /// Unique within the program; a weight has the same name for every batch size.
    pub name: String,
    /// Length and kind.
    pub operand: Operand,
    /// Who fills it.
    pub role: Role,
}

/// Who fills a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// Seeded pseudo-random numbers, once. Speed does not depend on what they are.
    Weight(Fill),
    /// The caller, before each run.
    Input,
    /// A step of the program.
    Scratch,
}

/// One kernel with its tensors.
#[derive(Debug)]
pub struct Step {
    /// What is computed.
    pub kernel: Box<dyn Kernel>,
    /// From what, in the order of its bindings.
    pub inputs: Vec<TensorId>,
    /// Into what.
    pub output: TensorId,
}

impl TensorId {
    /// Its place in [`Program::tensors`].
    #[must_use]
    pub fn index(self) -> usize {
        self.0
    }
}

impl Program {
    /// Adds a tensor that the caller fills.
    pub fn input(&mut self, name: &str, operand: Operand) -> TensorId {
        self.add(name, operand, Role::Input)
    }

    /// Adds a tensor that a step fills.
    pub fn scratch(&mut self, name: &str, operand: Operand) -> TensorId {
        self.add(name, operand, Role::Scratch)
    }

    /// Adds a weight: `elements` numbers uniform in `offset` +- `scale`, from a seed made of its name.
    pub fn weight(&mut self, name: &str, elements: usize, scale: f32, offset: f32) -> TensorId {
        let fill = Fill {
            elements,
            seed: seed_of(name),
            scale,
            offset,
        };
        self.add(name, Operand::real(elements), Role::Weight(fill))
    }

    fn add(&mut self, name: &str, operand: Operand, role: Role) -> TensorId {
        self.tensors.push(TensorSpec {
            name: name.to_owned(),
            operand,
            role,
        });
        TensorId(self.tensors.len() - 1)
    }

    /// Adds a kernel.
    ///
    /// # Panics
    /// When a tensor is not what the kernel takes: a program is right or is not made.
    pub fn push(&mut self, kernel: impl Kernel + 'static, inputs: &[TensorId], output: TensorId) {
        let operands: Vec<Operand> = inputs.iter().map(|id| self.tensors[id.0].operand).collect();
        assert_eq!(operands, kernel.inputs(), "inputs of {kernel:?}");
        let written = self.tensors[output.0].operand;
        assert_eq!(written, kernel.output(), "output of {kernel:?}");
        assert!(!inputs.contains(&output), "{kernel:?} reads what it writes");
        self.steps.push(Step {
            kernel: Box::new(kernel),
            inputs: inputs.to_vec(),
            output,
        });
    }

    /// Its tensors.
    #[must_use]
    pub fn tensors(&self) -> &[TensorSpec] {
        &self.tensors
    }

    /// What the caller fills.
    pub fn inputs(&self) -> impl Iterator<Item = (TensorId, Operand)> {
        let all = self.tensors.iter().enumerate();
        let inputs = all.filter(|(_, tensor)| tensor.role == Role::Input);
        inputs.map(|(index, tensor)| (TensorId(index), tensor.operand))
    }

    /// Its kernels in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The sum of what its kernels compute and move.
    #[must_use]
    pub fn work(&self) -> Work {
        self.steps.iter().map(|step| step.kernel.work()).sum()
    }

    /// Numbers in its weights.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        let weights = self.tensors.iter().filter(|t| t.role != Role::Input);
        let weights = weights.filter(|tensor| tensor.role != Role::Scratch);
        weights.map(|tensor| tensor.operand.elements as u64).sum()
    }

    /// Bytes of all its tensors on a device.
    #[must_use]
    pub fn bytes(&self, precision: Precision) -> u64 {
        let tensors = self.tensors.iter();
        tensors.map(|tensor| tensor.operand.bytes(precision)).sum()
    }

    /// Runs it through the twins: tensors in and out are by [`TensorId::index`]. Each number that is
    /// stored is rounded to `precision`, as on a device; inputs are what the caller put there.
    pub fn twin(&self, precision: Precision, values: &mut [Vec<f32>]) {
        for (spec, value) in self.tensors.iter().zip(values.iter_mut()) {
            if let Role::Weight(fill) = spec.role {
                value.resize(spec.operand.elements, 0.0);
                fill.twin(&[], value);
                round(precision, value);
            } else if spec.role == Role::Scratch {
                value.resize(spec.operand.elements, f32::NAN);
            }
        }
        for step in &self.steps {
            let mut output = std::mem::take(&mut values[step.output.0]);
            let inputs: Vec<&[f32]> = step.inputs.iter().map(|id| &values[id.0][..]).collect();
            step.kernel.twin(&inputs, &mut output);
            if step.kernel.output().element == super::kernels::Element::Real {
                round(precision, &mut output);
            }
            values[step.output.0] = output;
        }
    }
}

fn round(precision: Precision, values: &mut [f32]) {
    for value in values {
        *value = precision.stored(*value);
    }
}

/// FNV-1a of the name: equal names have equal weights, whatever else the model has.
fn seed_of(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::super::kernels::{Activation, Function};
    use super::*;

    #[test]
    fn a_program_runs_through_its_twins_and_counts_its_work() {
        let mut program = Program::default();
        let x = program.weight("x", 4, 1.0, 0.0);
        let y = program.scratch("y", Operand::real(4));
        let z = program.scratch("z", Operand::real(4));
        let kernel = |function| Activation {
            elements: 4,
            function,
        };
        program.push(kernel(Function::Identity), &[x], y);
        program.push(kernel(Function::Silu), &[y], z);
        let mut values = vec![Vec::new(); 3];
        program.twin(Precision::F32, &mut values);
        assert_eq!(values[y.index()], values[x.index()]);
        let silu: Vec<f32> = values[x.index()]
            .iter()
            .map(|&v| Function::Silu.of(v))
            .collect();
        assert_eq!(values[z.index()], silu);
        assert_eq!(program.parameters(), 4);
        assert_eq!(program.work().read, 8.0);
        assert_eq!(program.bytes(Precision::F16), 48);
    }
}
