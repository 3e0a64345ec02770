//! An open device: tensors, compiled kernels, and dispatches that are timed, watched and never panic.
//!
//! wgpu reports errors in three ways, and all end as an [`Error`]: a lost device through its callback, a
//! failed allocation through an error scope, anything else through a handler that is ours (wgpu's own
//! panics).

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindGroupLayoutDescriptor,
    BindGroupLayoutEntry, BindingType, BufferBindingType, BufferDescriptor, BufferUsages,
    ComputePassDescriptor, ComputePipelineDescriptor, DeviceDescriptor, ErrorFilter, Features,
    MapMode, PipelineCompilationOptions, PipelineLayoutDescriptor, PollType, ShaderStages,
};

use super::kernels::tiles::Tiles;
use super::kernels::{Element, Kernel, Operand};
use super::timing::Clock;
use super::{Adapter, Error, Precision, Variant, trusted};

mod raw;

pub(super) use raw::{RawBinding, RawStage};

/// How long a single dispatch may take before the run is given up. A dispatch is cut so as to take a quarter of
/// a second; Windows resets a device after two.
const WATCHDOG_S: f64 = 30.0;

/// The most workgroups in one dimension of a dispatch (the WebGPU default limit).
const WORKGROUPS_PER_ROW: u32 = 65_535;

/// A device with its queue.
#[derive(Debug)]
pub struct Device {
    pub(super) handle: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    /// Which adapter it is.
    pub adapter: Adapter,
    checks: Checks,
    trouble: Arc<Trouble>,
    pipelines: Mutex<BTreeMap<String, Arc<Pipeline>>>,
    clock: Clock,
    /// One pass at a time: the clock has one pair of timestamps, and whoever else polls would take our news.
    turn: Mutex<()>,
}

/// Whether our own shaders run with the checks of bounds and loops that users' shaders always have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// With them, as in tests.
    On,
    /// Without, as in measurements.
    Off,
}

/// What callbacks of wgpu have reported.
#[derive(Debug, Default)]
struct Trouble {
    lost: Mutex<Option<String>>,
    refused: Mutex<Option<String>>,
}

/// Numbers on the device.
#[derive(Debug)]
pub struct Tensor {
    buffer: wgpu::Buffer,
    /// Length and kind.
    pub operand: Operand,
    /// How real numbers are stored.
    pub precision: Precision,
}

#[derive(Debug)]
struct Pipeline {
    handle: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

/// A kernel with its tensors, ready to be dispatched as often as one likes.
#[derive(Debug)]
pub struct Stage {
    name: String,
    /// Kernel, shape, storage and tiles: stages of equal kind take equal time.
    kind: String,
    pipeline: Arc<Pipeline>,
    params: wgpu::Buffer,
    buffers: Vec<wgpu::Buffer>,
    /// Workgroups that cover the output.
    pub workgroups: u32,
}

/// Some workgroups of a stage: one dispatch.
#[derive(Debug)]
pub struct Part {
    name: String,
    pipeline: Arc<Pipeline>,
    bindings: BindGroup,
    count: u32,
}

impl Stage {
    /// Stem of its kernel.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Kernel, shape, storage and tiles: stages of equal kind take equal time.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }
}

impl Device {
    /// Opens an adapter with everything it offers that the kernels can use.
    ///
    /// # Errors
    /// [`Error::NoDevice`] when the driver refuses.
    pub fn open(adapter: Adapter, checks: Checks) -> Result<Self, Error> {
        let optional = Features::SHADER_F16
            | Features::SUBGROUP
            | Features::TIMESTAMP_QUERY
            | Features::EXPERIMENTAL_COOPERATIVE_MATRIX;
        let mut limits = adapter.handle.limits();
        // Limits that no compute shader needs may be beyond what a software driver promises to keep.
        limits.max_immediate_size = 0;
        let descriptor = DeviceDescriptor {
            label: Some("meltpoint"),
            required_features: adapter.handle.features() & optional,
            required_limits: limits,
            experimental_features: trusted::experimental(),
            ..DeviceDescriptor::default()
        };
        let (handle, queue) = pollster::block_on(adapter.handle.request_device(&descriptor))
            .map_err(|cause| Error::NoDevice {
                adapter: adapter.name.clone(),
                cause: cause.to_string(),
            })?;
        let trouble = Arc::new(Trouble::default());
        listen(&handle, &trouble);
        let clock = Clock::new(&handle, &queue, adapter.capability.timestamps);
        Ok(Self {
            handle,
            queue,
            adapter,
            checks,
            trouble,
            pipelines: Mutex::default(),
            clock,
            turn: Mutex::default(),
        })
    }

    /// What measures the time of a pass.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether nothing has gone wrong behind our back.
    ///
    /// # Errors
    /// [`Error::Lost`], [`Error::Refused`].
    pub fn check(&self) -> Result<(), Error> {
        match (taken(&self.trouble.lost), taken(&self.trouble.refused)) {
            (Some(reason), _) => Err(Error::Lost { reason }),
            (None, Some(text)) => Err(self.refused(text)),
            (None, None) => Ok(()),
        }
    }

    /// A command was refused; a lost device refuses all of them, and says so only when it is asked.
    fn refused(&self, text: String) -> Error {
        drop(self.handle.poll(PollType::Poll));
        match taken(&self.trouble.lost) {
            Some(reason) => Error::Lost { reason },
            None => Error::Refused { text },
        }
    }

    /// Gives the device up, as if it had been lost: a test hook for what happens then.
    pub fn destroy(&self) {
        self.handle.destroy();
    }

    /// Room for a tensor, with whatever was there before.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] with the size that was too much.
    pub fn tensor(
        &self,
        what: &str,
        operand: Operand,
        precision: Precision,
    ) -> Result<Tensor, Error> {
        let bytes = operand.bytes(precision);
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        Ok(Tensor {
            buffer: self.buffer(what, bytes, usage)?,
            operand,
            precision,
        })
    }

    fn buffer(&self, what: &str, bytes: u64, usage: BufferUsages) -> Result<wgpu::Buffer, Error> {
        let out_of_memory = |limit| Error::OutOfMemory {
            what: what.to_owned(),
            bytes,
            limit,
        };
        let limit = self.adapter.capability.buffer_bytes_max;
        if bytes > limit {
            return Err(out_of_memory(Some(limit)));
        }
        let memory = self.handle.push_error_scope(ErrorFilter::OutOfMemory);
        let validation = self.handle.push_error_scope(ErrorFilter::Validation);
        let buffer = self.handle.create_buffer(&BufferDescriptor {
            label: Some(what),
            size: bytes.max(16),
            usage,
            mapped_at_creation: false,
        });
        let refused = pollster::block_on(validation.pop());
        let exhausted = pollster::block_on(memory.pop());
        self.check()?;
        match (exhausted, refused) {
            (Some(_), _) => Err(out_of_memory(None)),
            (None, Some(error)) => Err(self.refused(error.to_string())),
            (None, None) => Ok(buffer),
        }
    }

    /// Writes numbers, rounded to the tensor's storage.
    pub fn write(&self, tensor: &Tensor, values: &[f32]) {
        let bytes: Vec<u8> = match (tensor.operand.element, tensor.precision) {
            (Element::Index(_), _) => words(values.iter().map(|&v| (v as u32).to_le_bytes())),
            (Element::Real, Precision::F32) | (Element::Single, _) => {
                words(values.iter().map(|v| v.to_le_bytes()))
            }
            (Element::Real, Precision::F16) => {
                let halves = values.iter().map(|&v| half::f16::from_f32(v));
                words(halves.map(half::f16::to_le_bytes))
            }
        };
        self.write_bytes(&tensor.buffer, bytes);
    }

    /// Makes every element NaN (or no valid index), so that what a kernel leaves out shows.
    pub fn poison(&self, tensor: &Tensor) {
        let bytes = tensor.operand.bytes(tensor.precision) as usize;
        self.write_bytes(&tensor.buffer, vec![0xff; bytes]);
    }

    fn write_bytes(&self, buffer: &wgpu::Buffer, mut bytes: Vec<u8>) {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        self.queue.write_buffer(buffer, 0, &bytes);
    }

    /// Reads a tensor back.
    ///
    /// # Errors
    /// As the device fails.
    pub fn read(&self, tensor: &Tensor) -> Result<Vec<f32>, Error> {
        let bytes = tensor.operand.bytes(tensor.precision);
        let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        let staging = self.buffer("what is read back", bytes, usage)?;
        let mut encoder = self.handle.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&tensor.buffer, 0, &staging, 0, bytes);
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.queue.submit([encoder.finish()]);
        let bytes = self.mapped(&staging)?;
        let elements = tensor.operand.elements;
        Ok(match (tensor.operand.element, tensor.precision) {
            (Element::Index(_), _) => array::<4>(&bytes, elements)
                .map(|word| u32::from_le_bytes(word) as f32)
                .collect(),
            (Element::Real, Precision::F32) | (Element::Single, _) => array::<4>(&bytes, elements)
                .map(f32::from_le_bytes)
                .collect(),
            (Element::Real, Precision::F16) => array::<2>(&bytes, elements)
                .map(|word| half::f16::from_le_bytes(word).to_f32())
                .collect(),
        })
    }

    /// The bytes of a buffer that can be mapped, once all that was submitted is done. Call it in one's turn.
    pub(super) fn mapped(&self, staging: &wgpu::Buffer) -> Result<Vec<u8>, Error> {
        staging.slice(..).map_async(MapMode::Read, |_| {});
        self.wait("reading back")?;
        let range = staging.slice(..).get_mapped_range();
        let bytes = range.map_err(|error| self.refused(error.to_string()))?;
        Ok(bytes.to_vec())
    }

    /// Compiles a kernel, or takes it as compiled before, and ties it to its tensors.
    ///
    /// # Errors
    /// [`Error::Shader`] when it does not compile; [`Error::OutOfMemory`].
    ///
    /// # Panics
    /// When a tensor has another length than the kernel says: a bug of the caller.
    pub fn stage(
        &self,
        kernel: &dyn Kernel,
        variant: Variant,
        inputs: &[&Tensor],
        output: &Tensor,
    ) -> Result<Stage, Error> {
        self.stage_in(kernel, variant, None, inputs, output)
    }

    /// As [`Device::stage`], a product in these tiles.
    ///
    /// # Errors
    /// As [`Device::stage`].
    ///
    /// # Panics
    /// As [`Device::stage`], and when the variant does not have the tiles.
    pub fn stage_in(
        &self,
        kernel: &dyn Kernel,
        variant: Variant,
        tiles: Option<Tiles>,
        inputs: &[&Tensor],
        output: &Tensor,
    ) -> Result<Stage, Error> {
        let operands: Vec<Operand> = inputs.iter().map(|tensor| tensor.operand).collect();
        assert_eq!(operands, kernel.inputs(), "inputs of {kernel:?}");
        assert_eq!(output.operand, kernel.output(), "output of {kernel:?}");
        let shader = match tiles {
            Some(tiles) => kernel.shader_with(variant, tiles),
            None => kernel.shader(variant),
        };
        let pipeline = self.pipeline(kernel.name(), &shader.source, inputs.len(), self.checks)?;
        let usage = BufferUsages::UNIFORM | BufferUsages::COPY_DST;
        let params = self.buffer("parameters", shader.params.len() as u64, usage)?;
        self.write_bytes(&params, shader.params);
        let tensors = inputs.iter().chain([&output]);
        Ok(Stage {
            name: kernel.name().to_owned(),
            kind: format!("{kernel:?} {variant} {tiles:?}"),
            pipeline,
            params,
            buffers: tensors.map(|tensor| tensor.buffer.clone()).collect(),
            workgroups: shader.workgroups,
        })
    }

    /// A compiled shader with `inputs` read-only tensors and one output.
    fn pipeline(
        &self,
        name: &str,
        source: &str,
        inputs: usize,
        checks: Checks,
    ) -> Result<Arc<Pipeline>, Error> {
        let mut known = self
            .pipelines
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = known.get(source) {
            return Ok(Arc::clone(pipeline));
        }
        let pipeline = Arc::new(self.compile(name, source, &entries(inputs), checks)?);
        known.insert(source.to_owned(), Arc::clone(&pipeline));
        Ok(pipeline)
    }

    fn compile(
        &self,
        name: &str,
        source: &str,
        entries: &[BindGroupLayoutEntry],
        checks: Checks,
    ) -> Result<Pipeline, Error> {
        let validation = self.handle.push_error_scope(ErrorFilter::Validation);
        let internal = self.handle.push_error_scope(ErrorFilter::Internal);
        let pipeline = self.assemble(name, source, entries, checks);
        let errors = [
            pollster::block_on(internal.pop()),
            pollster::block_on(validation.pop()),
        ];
        self.check()?;
        match errors.into_iter().flatten().next() {
            None => Ok(pipeline),
            Some(error) => Err(Error::Shader {
                kernel: name.to_owned(),
                text: error.to_string(),
            }),
        }
    }

    fn assemble(
        &self,
        name: &str,
        source: &str,
        entries: &[BindGroupLayoutEntry],
        checks: Checks,
    ) -> Pipeline {
        let module = match checks {
            Checks::On => self
                .handle
                .create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: Some(name),
                    source: wgpu::ShaderSource::Wgsl(source.into()),
                }),
            Checks::Off => trusted::unchecked(&self.handle, name, source),
        };
        let descriptor = BindGroupLayoutDescriptor {
            label: Some(name),
            entries,
        };
        let layout = self.handle.create_bind_group_layout(&descriptor);
        let pipeline_layout = self
            .handle
            .create_pipeline_layout(&PipelineLayoutDescriptor {
                label: Some(name),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            });
        let handle = self
            .handle
            .create_compute_pipeline(&ComputePipelineDescriptor {
                label: Some(name),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: PipelineCompilationOptions {
                    // Kernels write what they read; a zero would only hide that one did not.
                    zero_initialize_workgroup_memory: checks == Checks::On,
                    ..PipelineCompilationOptions::default()
                },
                cache: None,
            });
        Pipeline { handle, layout }
    }

    /// The dispatch of some workgroups of a stage.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], or as the device fails.
    pub fn part(&self, stage: &Stage, workgroups: Range<u32>) -> Result<Part, Error> {
        let usage = BufferUsages::UNIFORM | BufferUsages::COPY_DST;
        let range = self.buffer("a range of workgroups", 16, usage)?;
        let words = [workgroups.start, workgroups.end, 0, 0];
        self.queue
            .write_buffer(&range, 0, bytemuck::cast_slice(&words));
        let all = [&range, &stage.params].into_iter().chain(&stage.buffers);
        let entries: Vec<BindGroupEntry<'_>> = all
            .zip(0..)
            .map(|(buffer, binding)| BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let bindings = self.handle.create_bind_group(&BindGroupDescriptor {
            label: Some(&stage.name),
            layout: &stage.pipeline.layout,
            entries: &entries,
        });
        self.check()?;
        Ok(Part {
            name: stage.name.clone(),
            pipeline: Arc::clone(&stage.pipeline),
            bindings,
            count: workgroups.len() as u32,
        })
    }

    /// Dispatches parts one after the other, waits for them and returns the seconds they took on the
    /// device's clock, or on ours where it has none.
    ///
    /// # Errors
    /// [`Error::Stuck`] by the watchdog, [`Error::Lost`], [`Error::Refused`].
    pub fn run(&self, parts: &[&Part]) -> Result<f64, Error> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.check()?;
        let mut encoder = self.handle.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor {
                label: Some("meltpoint"),
                timestamp_writes: self.clock.writes(),
            });
            for part in parts {
                pass.set_pipeline(&part.pipeline.handle);
                pass.set_bind_group(0, &part.bindings, &[]);
                let rows = part.count.div_ceil(WORKGROUPS_PER_ROW).max(1);
                pass.dispatch_workgroups(part.count.div_ceil(rows), rows, 1);
            }
        }
        self.clock.resolve(&mut encoder);
        let commands = encoder.finish();
        let started = self.clock.start();
        self.queue.submit([commands]);
        self.wait(parts.first().map_or("nothing", |part| &part.name))?;
        let wall_s = started.seconds();
        self.clock.read(self, wall_s)
    }

    /// Waits for all that was submitted.
    fn wait(&self, what: &str) -> Result<(), Error> {
        let outcome = self.handle.poll(PollType::Wait {
            submission_index: None,
            timeout: Some(Duration::from_secs_f64(WATCHDOG_S)),
        });
        self.check()?;
        match outcome {
            Ok(_) => Ok(()),
            Err(wgpu::PollError::Timeout) => {
                // Dropping a device waits for what it is at: one that hangs is kept until the process ends.
                std::mem::forget((self.handle.clone(), self.queue.clone()));
                Err(Error::Stuck {
                    kernel: what.to_owned(),
                    limit_s: WATCHDOG_S,
                })
            }
            Err(error) => Err(self.refused(error.to_string())),
        }
    }
}

fn listen(device: &wgpu::Device, trouble: &Arc<Trouble>) {
    let lost = Arc::clone(trouble);
    device.set_device_lost_callback(move |reason, message| {
        note(&lost.lost, format!("{reason:?}: {message}"));
    });
    let refused = Arc::clone(trouble);
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        note(&refused.refused, error.to_string());
    }));
}

/// The first report stays: later ones follow from it.
fn note(place: &Mutex<Option<String>>, text: String) {
    place
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert(text);
}

fn taken(place: &Mutex<Option<String>>) -> Option<String> {
    let place = place.lock().unwrap_or_else(PoisonError::into_inner);
    place.clone()
}

/// Range and parameters, inputs, output.
fn entries(inputs: usize) -> Vec<BindGroupLayoutEntry> {
    let uniform = BufferBindingType::Uniform;
    [uniform, uniform]
        .into_iter()
        .chain((0..inputs).map(|_| BufferBindingType::Storage { read_only: true }))
        .chain([BufferBindingType::Storage { read_only: false }])
        .zip(0..)
        .map(|(ty, binding)| layout_entry(binding, ty))
        .collect()
}

fn layout_entry(binding: u32, ty: BufferBindingType) -> BindGroupLayoutEntry {
    BindGroupLayoutEntry {
        binding,
        visibility: ShaderStages::COMPUTE,
        ty: BindingType::Buffer {
            ty,
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    }
}

fn words<const N: usize>(all: impl Iterator<Item = [u8; N]>) -> Vec<u8> {
    all.flatten().collect()
}

fn array<const N: usize>(bytes: &[u8], count: usize) -> impl Iterator<Item = [u8; N]> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().copied().take(count)
}
