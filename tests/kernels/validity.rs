//! Every shader text of every case, in all variants and on no device: it parses, validates, becomes SPIR-V with and
//! without checks of bounds, keeps to the limits, and its parameters lie without gaps, as those in Rust do (`Pod`),
//! and are as long.

use meltpoint::gpu::Variant;
use meltpoint::gpu::kernels::Shader;
use naga::back::spv;
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{Handle, Type, TypeInner};

use crate::Case;

/// Workgroup memory that any WebGPU device has.
const WORKGROUP_BYTES: u32 = 16_384;

/// What devices with cooperative matrices have (NVIDIA's limit in Vulkan; others have more).
const COOPERATIVE_WORKGROUP_BYTES: u32 = 49_152;

/// Invocations of a workgroup that any WebGPU device can.
const INVOCATIONS_MAX: u32 = 256;

pub(crate) fn check(case: &Case) -> Result<(), String> {
    for variant in [Variant::F32, Variant::F16, Variant::CooperativeF16] {
        let shader = case.kernel.shader(variant);
        let text = |cause| format!("{}: {cause}\n{}", variant.name(), numbered(&shader.source));
        valid(&shader, variant).map_err(text)?;
    }
    Ok(())
}

fn valid(shader: &Shader, variant: Variant) -> Result<(), String> {
    let module = naga::front::wgsl::parse_str(&shader.source)
        .map_err(|error| error.emit_to_string(&shader.source))?;
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::all());
    let info = validator
        .validate(&module)
        .map_err(|error| error.emit_to_string(&shader.source))?;
    for policy in [BoundsCheckPolicy::Restrict, BoundsCheckPolicy::Unchecked] {
        let options = spv::Options {
            lang_version: (1, 6),
            bounds_check_policies: BoundsCheckPolicies {
                index: policy,
                buffer: policy,
                image_load: policy,
                binding_array: policy,
            },
            force_loop_bounding: policy == BoundsCheckPolicy::Restrict,
            ..spv::Options::default()
        };
        spv::write_vec(&module, &info, &options, None).map_err(|error| error.to_string())?;
    }
    limits(&module, variant)?;
    let params = module.global_variables.iter().find(|(_, variable)| {
        let at = variable.binding.map(|place| (place.group, place.binding));
        at == Some((0, 1))
    });
    let (_, params) = params.ok_or("no parameters at binding 1")?;
    without_gaps(&module, params.ty)?;
    let bytes = module.types[params.ty].inner.size(module.to_ctx());
    if bytes as usize == shader.params.len() {
        return Ok(());
    }
    Err(format!(
        "Params has {bytes} bytes, in Rust {}",
        shader.params.len()
    ))
}

/// That each field starts where the one before it ends, in structures within too.
fn without_gaps(module: &naga::Module, structure: Handle<Type>) -> Result<(), String> {
    let structure = &module.types[structure];
    let TypeInner::Struct { members, span } = &structure.inner else {
        return Ok(());
    };
    let mut end = 0;
    for member in members {
        if member.offset != end {
            return Err(format!(
                "{:?} starts at {}, not {end}",
                member.name, member.offset
            ));
        }
        without_gaps(module, member.ty)?;
        end += module.types[member.ty].inner.size(module.to_ctx());
    }
    if end == *span {
        return Ok(());
    }
    Err(format!("{:?} ends at {span}, not {end}", structure.name))
}

fn limits(module: &naga::Module, variant: Variant) -> Result<(), String> {
    let allowed = match variant {
        Variant::CooperativeF16 => COOPERATIVE_WORKGROUP_BYTES,
        Variant::F32 | Variant::F16 => WORKGROUP_BYTES,
    };
    let globals = module.global_variables.iter();
    let shared = globals.filter(|(_, one)| one.space == naga::AddressSpace::WorkGroup);
    let bytes: u32 = shared
        .map(|(_, one)| module.types[one.ty].inner.size(module.to_ctx()))
        .sum();
    if bytes > allowed {
        return Err(format!(
            "{bytes} bytes of workgroup memory, allowed {allowed}"
        ));
    }
    let [x, y, z] = module.entry_points[0].workgroup_size;
    if x * y * z > INVOCATIONS_MAX {
        return Err(format!(
            "{} invocations, allowed {INVOCATIONS_MAX}",
            x * y * z
        ));
    }
    Ok(())
}

fn numbered(source: &str) -> String {
    let lines = source.lines().zip(1..);
    lines
        .map(|(line, number)| format!("{number:4} {line}\n"))
        .collect()
}
