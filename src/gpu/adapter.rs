//! Which GPUs there are, what they can do, and which one is meant.

use wgpu::{
    Backend, Backends, CooperativeMatrixProperties, CooperativeScalarType, DeviceType, Features,
    Instance, InstanceDescriptor,
};

use super::{Error, Variant};

/// A GPU as one driver shows it.
#[derive(Debug)]
pub struct Adapter {
    /// wgpu's handle.
    pub(super) handle: wgpu::Adapter,
    /// Its name, as "NVIDIA H200".
    pub name: String,
    /// Who made it, by its PCI number where known.
    pub vendor: String,
    /// Discrete, integrated, virtual, software or other.
    pub kind: Kind,
    /// Vulkan, Metal or DX12.
    pub backend: String,
    /// Driver and its version.
    pub driver: String,
    /// What the driver says of itself.
    pub driver_info: String,
    /// Its place on the bus, as `0000:01:00.0`, where the driver tells.
    pub bus_id: String,
    /// What it can do.
    pub capability: Capability,
}

/// What sort of device an adapter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A card with memory of its own.
    Discrete,
    /// Part of the processor.
    Integrated,
    /// Lent to a virtual machine.
    Virtual,
    /// A program on the processor: right, slow, and no GPU.
    Software,
    /// The driver does not say.
    Other,
}

/// What shaders may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// 16-bit storage and arithmetic.
    pub f16: bool,
    /// 16x16x16 matrices of f16 that accumulate in f32.
    pub cooperative_f16: bool,
    /// Operations across the lanes of a subgroup.
    pub subgroup: bool,
    /// Lanes of a subgroup, least and most.
    pub subgroup_lanes: (u32, u32),
    /// The device writes down when a pass begins and ends.
    pub timestamps: bool,
    /// Largest buffer, in bytes.
    pub buffer_bytes_max: u64,
    /// Workgroup memory, in bytes.
    pub workgroup_bytes_max: u32,
}

/// Workgroup memory that shaders for cooperative matrices may use, in bytes: what NVIDIA has in Vulkan.
const COOPERATIVE_WORKGROUP_BYTES: u32 = 49_152;

impl Capability {
    /// The variants that run on it, the fastest first.
    #[must_use]
    pub fn variants(&self) -> Vec<Variant> {
        let all = [Variant::CooperativeF16, Variant::F16, Variant::F32];
        all.into_iter().filter(|&v| self.runs(v)).collect()
    }

    /// Whether a variant runs on it.
    #[must_use]
    pub fn runs(&self, variant: Variant) -> bool {
        match variant {
            Variant::F32 => true,
            Variant::F16 => self.f16,
            // The shaders give each 32 lanes matrices of their own: other subgroups would cut one in two.
            Variant::CooperativeF16 => {
                self.f16
                    && self.cooperative_f16
                    && self.subgroup_lanes == (32, 32)
                    && self.workgroup_bytes_max >= COOPERATIVE_WORKGROUP_BYTES
            }
        }
    }
}

/// Which adapter the user means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// The most capable: discrete before integrated before virtual before software.
    #[default]
    Best,
    /// By its number in the list, or by a part of its name.
    Named(String),
}

/// All adapters that the drivers of this machine show, the best first. GL is left out: it has no compute
/// shaders worth measuring where Vulkan has none.
#[must_use]
pub fn list() -> Vec<Adapter> {
    let mut descriptor = InstanceDescriptor::new_without_display_handle();
    descriptor.backends = Backends::VULKAN | Backends::METAL | Backends::DX12;
    let instance = Instance::new(descriptor);
    let handles = pollster::block_on(instance.enumerate_adapters(Backends::all()));
    let mut adapters: Vec<Adapter> = handles.into_iter().map(describe).collect();
    adapters.sort_by_key(|adapter| adapter.kind as u8);
    adapters
}

/// The adapter that is meant.
///
/// # Errors
/// [`Error::NoAdapter`] without any, [`Error::UnknownAdapter`] when none fits.
pub fn choose(wanted: &Wanted) -> Result<Adapter, Error> {
    let mut adapters = list();
    if adapters.is_empty() {
        return Err(Error::NoAdapter);
    }
    let Wanted::Named(text) = wanted else {
        return Ok(adapters.remove(0));
    };
    let lower = text.to_lowercase();
    let fits = |adapter: &Adapter| adapter.name.to_lowercase().contains(&lower);
    let index = match text.parse::<usize>() {
        Ok(number) => (number < adapters.len()).then_some(number),
        Err(_) => adapters.iter().position(fits),
    };
    match index {
        Some(index) => Ok(adapters.swap_remove(index)),
        None => Err(Error::UnknownAdapter {
            wanted: text.clone(),
            available: names(&adapters),
        }),
    }
}

/// `0 "llvmpipe", 1 "NVIDIA H200"`.
fn names(adapters: &[Adapter]) -> String {
    let named = adapters.iter().enumerate();
    let named: Vec<String> = named
        .map(|(number, adapter)| format!("{number} \"{}\"", adapter.name))
        .collect();
    named.join(", ")
}

fn describe(handle: wgpu::Adapter) -> Adapter {
    let info = handle.get_info();
    let capability = capability(&handle);
    Adapter {
        name: info.name,
        vendor: vendor(info.vendor),
        kind: match info.device_type {
            DeviceType::DiscreteGpu => Kind::Discrete,
            DeviceType::IntegratedGpu => Kind::Integrated,
            DeviceType::VirtualGpu => Kind::Virtual,
            DeviceType::Cpu => Kind::Software,
            DeviceType::Other => Kind::Other,
        },
        backend: match info.backend {
            Backend::Vulkan => "Vulkan".to_owned(),
            Backend::Metal => "Metal".to_owned(),
            Backend::Dx12 => "DX12".to_owned(),
            other => format!("{other:?}"),
        },
        driver: info.driver,
        driver_info: info.driver_info,
        bus_id: info.device_pci_bus_id,
        capability,
        handle,
    }
}

fn capability(handle: &wgpu::Adapter) -> Capability {
    let (features, limits, info) = (handle.features(), handle.limits(), handle.get_info());
    let matrices = features.contains(Features::EXPERIMENTAL_COOPERATIVE_MATRIX);
    let shapes = if matrices {
        handle.cooperative_matrix_properties()
    } else {
        Vec::new()
    };
    Capability {
        f16: features.contains(Features::SHADER_F16),
        cooperative_f16: shapes.iter().any(is_16_cubed),
        subgroup: features.contains(Features::SUBGROUP),
        subgroup_lanes: (info.subgroup_min_size, info.subgroup_max_size),
        timestamps: features.contains(Features::TIMESTAMP_QUERY),
        buffer_bytes_max: limits
            .max_buffer_size
            .min(limits.max_storage_buffer_binding_size),
        workgroup_bytes_max: limits.max_compute_workgroup_storage_size,
    }
}

fn is_16_cubed(shape: &CooperativeMatrixProperties) -> bool {
    (shape.m_size, shape.n_size, shape.k_size) == (16, 16, 16)
        && shape.ab_type == CooperativeScalarType::F16
        && shape.cr_type == CooperativeScalarType::F32
}

/// Names of PCI vendors (pcisig.com); Mesa's software drivers use a Khronos number.
fn vendor(id: u32) -> String {
    match id {
        0x10de => "NVIDIA".to_owned(),
        0x1002 => "AMD".to_owned(),
        0x8086 => "Intel".to_owned(),
        0x106b => "Apple".to_owned(),
        0x5143 => "Qualcomm".to_owned(),
        0x13b5 => "Arm".to_owned(),
        0x1414 => "Microsoft".to_owned(),
        0x10005 => "Mesa".to_owned(),
        other => format!("{other:#06x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cooperative_shaders_want_subgroups_of_32_and_their_workgroup_memory() {
        let capability = Capability {
            f16: true,
            cooperative_f16: true,
            subgroup: true,
            subgroup_lanes: (32, 32),
            timestamps: true,
            buffer_bytes_max: 1 << 30,
            workgroup_bytes_max: 49_152,
        };
        assert_eq!(capability.variants().len(), 3);
        let wide = Capability {
            subgroup_lanes: (64, 64),
            ..capability.clone()
        };
        let small = Capability {
            workgroup_bytes_max: 32_768,
            ..capability
        };
        let rest = [Variant::F16, Variant::F32];
        assert_eq!(
            (wide.variants(), small.variants()),
            (rest.to_vec(), rest.to_vec())
        );
    }
}
