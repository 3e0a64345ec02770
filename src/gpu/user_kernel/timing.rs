//! A user's kernel on a device: more workgroups step by step, one run that is looked at, then samples.

use std::sync::Arc;

use serde::Serialize;
use wgpu::BufferBindingType;

use super::buffers;
use super::check::{BadKernel, Role, UserKernel};
use super::patience::{Without, patiently};
use crate::gpu::Error;
use crate::gpu::adapter::{Adapter, Kind};
use crate::gpu::device::{Checks, Device, RawBinding, RawStage};
use crate::gpu::pace::DISPATCH_S_MAX;
use crate::gpu::sampling::Rule;
use crate::profile::measured::{Clock, Rate};

/// Elements where nobody says how many.
const ELEMENTS: u32 = 1 << 22;
/// Workgroups along x, the WebGPU default limit.
const WORKGROUPS_MAX: u32 = 65_535;
/// Bytes of one binding; its content is made on the host.
const BINDING_BYTES_MAX: u64 = 1 << 30;
/// How long a driver may compile, in seconds.
const COMPILING_S_MAX: f64 = 60.0;
/// When there are enough samples.
const RULE: Rule = Rule {
    warm_up_s: 0.2,
    samples_min: 6,
    samples_max: 50,
    budget_s: 2.0,
};

/// What is asked of a kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Elements of arrays without a length; `None`: as many as one row of workgroups covers, at most 2^22.
    pub elements: Option<u32>,
}

/// What a kernel took.
#[derive(Clone, Debug, Serialize)]
pub struct UserTiming {
    /// Name of the device.
    pub device: String,
    /// Name and version of its driver.
    pub driver: String,
    /// Whether a processor played the GPU.
    pub software: bool,
    /// Whose clock.
    pub clock: Clock,
    /// Name of the kernel.
    pub kernel: String,
    /// Elements of arrays without a length.
    pub elements: u32,
    /// Invocations of a workgroup along x, y and z.
    pub workgroup_size: [u32; 3],
    /// Workgroups that cover all elements.
    pub workgroups_wanted: u32,
    /// Workgroups of the dispatch that was timed.
    pub workgroups: u32,
    /// Seconds of one dispatch.
    pub dispatch_s: Rate,
    /// Bytes of all bindings, or of the part of them that the workgroups cover.
    pub bytes: f64,
    /// `bytes` over the median time, in bytes a second.
    pub bytes_per_s: f64,
    /// Its buffers.
    pub bindings: Vec<BindingReport>,
    /// What may be doubted.
    pub doubts: Vec<String>,
}

/// A buffer of the kernel.
#[derive(Clone, Debug, Serialize)]
pub struct BindingReport {
    /// Its number in group 0.
    pub binding: u32,
    /// Its name in the text.
    pub name: String,
    /// What it is used for.
    pub role: Role,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Why there is no time.
#[derive(Debug)]
pub enum Failure {
    /// The kernel is at fault.
    Kernel(BadKernel),
    /// The device is.
    Device(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Shader { text, .. } => Self::Kernel(BadKernel::new(text, None, "")),
            error => Self::Device(error),
        }
    }
}

/// Times a kernel on an adapter, always with the checks of bounds and loops.
///
/// # Errors
/// [`Failure::Kernel`] where the device's compiler refuses it, else as the device fails.
pub fn measure(
    adapter: Adapter,
    kernel: &UserKernel,
    name: &str,
    wish: Wish,
) -> Result<UserTiming, Failure> {
    let device = Arc::new(Device::open(adapter, Checks::On)?);
    let per_group = kernel.workgroup_size.iter().map(|&n| u64::from(n));
    let per_group = per_group.fold(1, u64::saturating_mul).max(1);
    let row = u32::try_from(per_group.saturating_mul(u64::from(WORKGROUPS_MAX)));
    let elements = wish
        .elements
        .unwrap_or(ELEMENTS.min(row.unwrap_or(ELEMENTS)));
    let wanted = u64::from(elements).div_ceil(per_group);
    let mut run = Run::new(&device, kernel, name, elements)?;
    let wanted = wanted as u32;
    let workgroups = run.grow(wanted.min(WORKGROUPS_MAX))?;
    run.fill();
    let part = run.stage.part(workgroups);
    device.run(&[&part])?;
    let mut doubts = run.doubts(workgroups >= wanted)?;
    let samples = RULE.sample(|| device.run(&[&part]))?;
    let dispatch_s = Rate::of(samples.seconds).ok_or_else(|| Error::Wrong {
        kernel: name.to_owned(),
        what: "a time of zero".to_owned(),
    })?;
    let share = f64::from(workgroups) / f64::from(wanted.max(1));
    let bytes = run.reports.iter().map(|report| report.bytes).sum::<u64>() as f64 * share;
    if workgroups < wanted {
        let why = match wanted > WORKGROUPS_MAX && workgroups == WORKGROUPS_MAX {
            true => format!("a row has at most {WORKGROUPS_MAX}"),
            false => format!("more were predicted to take over {DISPATCH_S_MAX} s"),
        };
        doubts.insert(
            0,
            format!("only {workgroups} of {wanted} workgroups were run: {why}"),
        );
    }
    if dispatch_s.noisy {
        let spread = dispatch_s.spread * 100.0;
        doubts.push(format!(
            "the times spread by {spread:.1} %: the device was busy with something else, or its clock changed"
        ));
    }
    let clock = match device.clock().is_on_device() {
        true => Clock::Timestamps,
        false => Clock::Wall,
    };
    Ok(UserTiming {
        device: device.adapter.name.clone(),
        driver: format!("{} {}", device.adapter.driver, device.adapter.driver_info),
        software: device.adapter.kind == Kind::Software,
        clock,
        kernel: name.to_owned(),
        elements,
        workgroup_size: kernel.workgroup_size,
        workgroups_wanted: wanted,
        workgroups,
        bytes_per_s: bytes / dispatch_s.median,
        dispatch_s,
        bytes,
        bindings: run.reports,
        doubts,
    })
}

/// A kernel with its buffers on a device.
struct Run<'a> {
    device: &'a Device,
    kernel: &'a UserKernel,
    elements: u32,
    buffers: Vec<RawBinding>,
    reports: Vec<BindingReport>,
    stage: RawStage,
}

impl<'a> Run<'a> {
    fn new(
        device: &'a Arc<Device>,
        kernel: &'a UserKernel,
        name: &str,
        elements: u32,
    ) -> Result<Self, Failure> {
        let mut buffers = Vec::new();
        let mut reports = Vec::new();
        for binding in &kernel.bindings {
            let bytes = buffers::bytes(kernel, binding, elements).unwrap_or(u64::MAX);
            if bytes > BINDING_BYTES_MAX {
                return Err(Failure::Device(Error::OutOfMemory {
                    what: format!("binding {} (`{}`)", binding.number, binding.name),
                    bytes,
                    limit: Some(BINDING_BYTES_MAX),
                }));
            }
            let kind = match binding.role {
                Role::Uniform => BufferBindingType::Uniform,
                _ => BufferBindingType::Storage {
                    read_only: !binding.is_writable,
                },
            };
            buffers.push(RawBinding {
                number: binding.number,
                kind,
                buffer: device.raw_buffer(&binding.name, bytes, kind)?,
            });
            reports.push(BindingReport {
                binding: binding.number,
                name: binding.name.clone(),
                role: binding.role,
                bytes,
            });
        }
        let stage = compiled(device, kernel, name, &buffers)?;
        let run = Self {
            device,
            kernel,
            elements,
            buffers,
            reports,
            stage,
        };
        run.fill();
        Ok(run)
    }

    /// Puts into all buffers what they hold before a run.
    fn fill(&self) {
        let bindings = self.kernel.bindings.iter().zip(&self.buffers);
        for (binding, raw) in bindings {
            let bytes = raw.buffer.size();
            let content = buffers::content(self.kernel, binding, self.elements, bytes);
            self.device.raw_write(&raw.buffer, content);
        }
    }

    /// Runs one workgroup, two, four ..., up to `wanted`, as long as the next dispatch is predicted to be short;
    /// how many that are.
    fn grow(&mut self, wanted: u32) -> Result<u32, Error> {
        let mut workgroups = 1.min(wanted);
        loop {
            let seconds = self.device.run(&[&self.stage.part(workgroups)])?;
            let next = workgroups.saturating_mul(2).min(wanted);
            let predicted_s = seconds * f64::from(next) / f64::from(workgroups);
            if next == workgroups || predicted_s > DISPATCH_S_MAX {
                return Ok(workgroups);
            }
            workgroups = next;
        }
    }

    fn doubts(&self, is_whole: bool) -> Result<Vec<String>, Error> {
        let mut doubts = Vec::new();
        for (binding, raw) in self.kernel.bindings.iter().zip(&self.buffers) {
            if matches!(binding.role, Role::Uniform | Role::Input) {
                continue;
            }
            let content = self.device.raw_read(&raw.buffer)?;
            let found = buffers::doubts(self.kernel, binding, self.elements, &content, is_whole);
            let named = found
                .iter()
                .map(|doubt| format!("`{}`: {doubt}", binding.name));
            doubts.extend(named);
        }
        Ok(doubts)
    }
}

/// The stage, compiled where a compiler may need much stack, panic or not come back.
fn compiled(
    device: &Arc<Device>,
    kernel: &UserKernel,
    name: &str,
    buffers: &[RawBinding],
) -> Result<RawStage, Failure> {
    let (device, source) = (Arc::clone(device), kernel.source.clone());
    let (label, bindings) = (name.to_owned(), buffers.to_vec());
    let compile = move || device.raw_stage(&label, &source, &bindings);
    let failed = |message: &str| {
        let hint = "it is valid WGSL: try it in parts";
        Failure::Kernel(BadKernel::new(message, None, hint))
    };
    match patiently(COMPILING_S_MAX, compile) {
        Ok(stage) => Ok(stage?),
        Err(Without::Panicked) => Err(failed("the shader compiler failed on this kernel")),
        Err(Without::NoThread) => Err(failed("the system gave no thread to compile it on")),
        Err(Without::Late(limit_s)) => Err(Failure::Device(Error::Stuck {
            kernel: format!("the compiler of {name}"),
            limit_s,
        })),
    }
}
