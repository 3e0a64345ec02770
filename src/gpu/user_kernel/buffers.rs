//! What lies in the buffers of a user's kernel before it runs, and what may be doubted about it afterwards.

use super::check::{Binding, Role, UserKernel};
use super::shape::Scalar;
use crate::random::{Seed, Stream};

/// All random content is drawn from this.
const SEED: Seed = Seed(2025);

/// Bytes of a binding; `None` where they overflow. A binding is a multiple of 16 long, as uniforms must be.
pub(super) fn bytes(kernel: &UserKernel, binding: &Binding, elements: u32) -> Option<u64> {
    let bytes = kernel.shapes.bytes(binding.ty, u64::from(elements))?;
    bytes.checked_next_multiple_of(16)
}

/// What a binding holds before a run.
pub(super) fn content(
    kernel: &UserKernel,
    binding: &Binding,
    elements: u32,
    bytes: u64,
) -> Vec<u8> {
    let length = bytes as usize;
    match binding.role {
        Role::Output => vec![0xff; length],
        Role::Atomic => vec![0; length],
        Role::Uniform => {
            let mut content = vec![0; length];
            content[..4].copy_from_slice(&elements.to_le_bytes());
            content
        }
        Role::Input | Role::Updated => {
            let mut content = vec![0; length];
            let mut stream = SEED.stream("kernel", &binding.name, u64::from(binding.number));
            let mut fill = |at: u64, scalar: Scalar| {
                let at = at as usize;
                let number = number(&mut stream, scalar, u64::from(elements));
                let width = scalar.bytes as usize;
                content[at..at + width].copy_from_slice(&number[..width]);
            };
            kernel
                .shapes
                .each(binding.ty, u64::from(elements), &mut fill);
            content
        }
    }
}

/// A real number in [-1, 1), or a whole one below the bound, in so many bytes.
fn number(stream: &mut Stream, scalar: Scalar, bound: u64) -> [u8; 8] {
    let mut out = [0; 8];
    let real = 2.0 * stream.unit() - 1.0;
    match (scalar.is_float, scalar.bytes) {
        (true, 2) => out[..2].copy_from_slice(&half::f16::from_f64(real).to_le_bytes()),
        (true, 4) => out[..4].copy_from_slice(&(real as f32).to_le_bytes()),
        (true, _) => out.copy_from_slice(&real.to_le_bytes()),
        (false, _) => out = stream.below(bound.max(1)).to_le_bytes(),
    }
    out
}

/// What a kernel left in a binding that it may write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Left {
    numbers: u64,
    poisoned: u64,
    not_a_number: u64,
    zeros: u64,
}

/// What may be doubted about the content of a binding after a run that covered all elements, or not.
pub(super) fn doubts(
    kernel: &UserKernel,
    binding: &Binding,
    elements: u32,
    content: &[u8],
    is_whole: bool,
) -> Vec<String> {
    if matches!(binding.role, Role::Uniform | Role::Input) {
        return Vec::new();
    }
    let mut left = Left::default();
    kernel
        .shapes
        .each(binding.ty, u64::from(elements), &mut |at, scalar| {
            let at = at as usize;
            let Some(bytes) = content.get(at..at + scalar.bytes as usize) else {
                return;
            };
            left.numbers += 1;
            let poisoned = binding.role == Role::Output && bytes.iter().all(|&byte| byte == 0xff);
            left.poisoned += u64::from(poisoned);
            left.not_a_number += u64::from(!poisoned && scalar.is_float && is_nan(bytes));
            left.zeros += u64::from(is_zero(bytes, scalar));
        });
    let all = left.numbers;
    let mut doubts = Vec::new();
    if left.poisoned > 0 && is_whole {
        doubts.push(format!(
            "{} of {all} numbers still hold the poison: not written, or written with all bits set",
            left.poisoned
        ));
    }
    if left.not_a_number > 0 {
        doubts.push(format!("{} of {all} numbers are NaN", left.not_a_number));
    }
    if left.zeros == all {
        doubts.push("nothing but zeros".to_owned());
    }
    doubts
}

/// Zero of either sign.
fn is_zero(bytes: &[u8], scalar: Scalar) -> bool {
    let sign = if scalar.is_float { 0x80 } else { 0 };
    let last = bytes.len().saturating_sub(1);
    let no_bits = |(at, &byte): (usize, &u8)| byte == 0 || at == last && byte == sign;
    bytes.iter().enumerate().all(no_bits)
}

fn is_nan(bytes: &[u8]) -> bool {
    match *bytes {
        [a, b] => half::f16::from_le_bytes([a, b]).is_nan(),
        [a, b, c, d] => f32::from_le_bytes([a, b, c, d]).is_nan(),
        [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]).is_nan(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNEL: &str = "
struct Sample { weight: f32, at: vec3<u32>, rows: mat2x3<f32> }
@group(0) @binding(0) var<storage, read> samples: array<Sample>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;
@group(0) @binding(2) var<uniform> size: vec4<u32>;
@group(0) @binding(4) var<storage, read_write> hits: atomic<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= size.x { return; }
    sums[id.x] = samples[id.x].weight + samples[id.x].rows[1].y + f32(samples[id.x].at.z);
    atomicAdd(&hits, 1u);
}";

    #[test]
    fn inputs_are_random_by_their_type_and_outputs_poisoned() {
        let kernel = UserKernel::read(KERNEL).expect("a good kernel");
        let roles: Vec<Role> = kernel.bindings.iter().map(|b| b.role).collect();
        assert_eq!(
            roles,
            [Role::Input, Role::Uniform, Role::Output, Role::Atomic]
        );
        let sizes: Vec<u64> = kernel
            .bindings
            .iter()
            .map(|binding| bytes(&kernel, binding, 100).expect("it fits"))
            .collect();
        // A sample is 4 bytes, 12 at 16 and two columns of 16 at 32.
        assert_eq!(sizes, [6400, 16, 400, 16]);
        let of = |index: usize| content(&kernel, &kernel.bindings[index], 100, sizes[index]);
        let real = |bytes: &[u8], at: usize| {
            f32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
        };
        let input = of(0);
        assert_eq!(input, of(0), "the same each time");
        for at in [0, 32, 40, 48, 6336, 6336 + 56] {
            let value = real(&input, at);
            assert!(
                (-1.0..1.0).contains(&value) && value != 0.0,
                "{value} at {at}"
            );
        }
        let index = u32::from_le_bytes(input[16..20].try_into().expect("four bytes"));
        assert!(index < 100);
        assert_eq!(of(1)[..5], [100, 0, 0, 0, 0]);
        assert!(of(2).iter().all(|&byte| byte == 0xff));
        assert!(of(3).iter().all(|&byte| byte == 0));
    }

    #[test]
    fn what_was_left_out_is_seen() {
        let kernel = UserKernel::read(KERNEL).expect("a good kernel");
        let output = &kernel.bindings[2];
        let doubts = |content: &[u8], is_whole| doubts(&kernel, output, 100, content, is_whole);
        let mut content = vec![0xff; 400];
        content[..200].copy_from_slice(&1.5_f32.to_le_bytes().repeat(50));
        let found = doubts(&content, true);
        assert!(
            found[0].starts_with("50 of 100 numbers still hold the poison"),
            "{found:?}"
        );
        assert!(doubts(&content, false).is_empty());
        content[..4].copy_from_slice(&f32::from_bits(0x7fc0_0001).to_le_bytes());
        assert_eq!(doubts(&content, false), ["1 of 100 numbers are NaN"]);
        assert_eq!(doubts(&vec![0; 400], true), ["nothing but zeros"]);
    }
}
