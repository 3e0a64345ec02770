//! Stages from WGSL that is not ours: its own bindings, its own workgroups, bytes in and out.

use std::sync::{Arc, PoisonError};

use wgpu::{BindGroup, BindGroupDescriptor, BindGroupEntry, BufferBindingType, BufferUsages};

use super::{Checks, Device, Part, Pipeline, layout_entry};
use crate::gpu::Error;

/// A buffer by the number under which the shader knows it.
#[derive(Clone, Debug)]
pub(in crate::gpu) struct RawBinding {
    pub(in crate::gpu) number: u32,
    pub(in crate::gpu) kind: BufferBindingType,
    pub(in crate::gpu) buffer: wgpu::Buffer,
}

/// A compiled shader with its buffers.
#[derive(Debug)]
pub(in crate::gpu) struct RawStage {
    name: String,
    pipeline: Arc<Pipeline>,
    bindings: BindGroup,
}

impl RawStage {
    /// The dispatch of so many workgroups, at most 65,535, along x.
    pub(in crate::gpu) fn part(&self, workgroups: u32) -> Part {
        Part {
            name: self.name.clone(),
            pipeline: Arc::clone(&self.pipeline),
            bindings: self.bindings.clone(),
            count: workgroups,
        }
    }
}

impl Device {
    /// Room for so many bytes.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] with the size that was too much.
    pub(in crate::gpu) fn raw_buffer(
        &self,
        what: &str,
        bytes: u64,
        kind: BufferBindingType,
    ) -> Result<wgpu::Buffer, Error> {
        let usage = match kind {
            BufferBindingType::Uniform => BufferUsages::UNIFORM,
            BufferBindingType::Storage { .. } => BufferUsages::STORAGE,
        };
        let usage = usage | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        self.buffer(what, bytes, usage)
    }

    /// Writes bytes to the start of a buffer.
    pub(in crate::gpu) fn raw_write(&self, buffer: &wgpu::Buffer, bytes: Vec<u8>) {
        self.write_bytes(buffer, bytes);
    }

    /// Reads a buffer back.
    ///
    /// # Errors
    /// As the device fails.
    pub(in crate::gpu) fn raw_read(&self, buffer: &wgpu::Buffer) -> Result<Vec<u8>, Error> {
        let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        let staging = self.buffer("what is read back", buffer.size(), usage)?;
        let mut encoder = self.handle.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, buffer.size());
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.queue.submit([encoder.finish()]);
        self.mapped(&staging)
    }

    /// Compiles a shader with the checks on and ties it to its buffers.
    ///
    /// # Errors
    /// [`Error::Shader`] when it does not compile or its bindings do not fit.
    pub(in crate::gpu) fn raw_stage(
        &self,
        name: &str,
        source: &str,
        bindings: &[RawBinding],
    ) -> Result<RawStage, Error> {
        let layout: Vec<_> = bindings
            .iter()
            .map(|binding| layout_entry(binding.number, binding.kind))
            .collect();
        let pipeline = self.compile(name, source, &layout, Checks::On)?;
        let entries: Vec<BindGroupEntry<'_>> = bindings
            .iter()
            .map(|binding| BindGroupEntry {
                binding: binding.number,
                resource: binding.buffer.as_entire_binding(),
            })
            .collect();
        let bindings = self.handle.create_bind_group(&BindGroupDescriptor {
            label: Some(name),
            layout: &pipeline.layout,
            entries: &entries,
        });
        self.check()?;
        Ok(RawStage {
            name: name.to_owned(),
            pipeline: Arc::new(pipeline),
            bindings,
        })
    }
}
