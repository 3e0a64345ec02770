//! The time of a pass: by the device's own timestamps where it has them, else from submission to the end.

#![expect(
    clippy::disallowed_methods,
    reason = "measuring is what this room is for; the wall clock is the fallback"
)]

use std::time::Instant;

use wgpu::{
    Buffer, BufferDescriptor, BufferUsages, CommandEncoder, ComputePassTimestampWrites, QuerySet,
    QuerySetDescriptor, QueryType,
};

use super::{Device, Error};

/// What measures the time of a pass.
#[derive(Debug)]
pub struct Clock {
    timestamps: Option<Timestamps>,
}

#[derive(Debug)]
struct Timestamps {
    /// When a pass began and when it ended, in ticks.
    queries: QuerySet,
    resolved: Buffer,
    staging: Buffer,
    tick_ns: f64,
}

/// A moment on the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Started(Instant);

impl Started {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// Seconds since then.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Two timestamps of eight bytes.
const TIMESTAMP_BYTES: u64 = 16;

impl Clock {
    pub(super) fn new(device: &wgpu::Device, queue: &wgpu::Queue, has_timestamps: bool) -> Self {
        let buffer = |usage| {
            device.create_buffer(&BufferDescriptor {
                label: Some("timestamps"),
                size: TIMESTAMP_BYTES,
                usage,
                mapped_at_creation: false,
            })
        };
        let timestamps = has_timestamps.then(|| Timestamps {
            queries: device.create_query_set(&QuerySetDescriptor {
                label: Some("timestamps"),
                ty: QueryType::Timestamp,
                count: 2,
            }),
            resolved: buffer(BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC),
            staging: buffer(BufferUsages::MAP_READ | BufferUsages::COPY_DST),
            tick_ns: f64::from(queue.get_timestamp_period()),
        });
        Self { timestamps }
    }

    /// Whether times come from the device.
    #[must_use]
    pub fn is_on_device(&self) -> bool {
        self.timestamps.is_some()
    }

    pub(super) fn writes(&self) -> Option<ComputePassTimestampWrites<'_>> {
        let timestamps = self.timestamps.as_ref()?;
        Some(ComputePassTimestampWrites {
            query_set: &timestamps.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        })
    }

    pub(super) fn resolve(&self, encoder: &mut CommandEncoder) {
        if let Some(timestamps) = &self.timestamps {
            encoder.resolve_query_set(&timestamps.queries, 0..2, &timestamps.resolved, 0);
            let (from, to) = (&timestamps.resolved, &timestamps.staging);
            encoder.copy_buffer_to_buffer(from, 0, to, 0, TIMESTAMP_BYTES);
        }
    }

    pub(super) fn start(&self) -> Started {
        Started::now()
    }

    /// Seconds of the pass that has just ended. Timestamps that make no sense (some drivers write zeros)
    /// give way to the wall clock.
    pub(super) fn read(&self, device: &Device, wall_s: f64) -> Result<f64, Error> {
        let Some(timestamps) = &self.timestamps else {
            return Ok(wall_s);
        };
        let bytes = device.mapped(&timestamps.staging)?;
        timestamps.staging.unmap();
        let (words, _) = bytes.as_chunks::<8>();
        let ticks: Vec<u64> = words.iter().map(|&word| u64::from_le_bytes(word)).collect();
        let elapsed_s = match ticks[..] {
            [begin, end] if begin > 0 && end > begin => {
                (end - begin) as f64 * timestamps.tick_ns * 1e-9
            }
            _ => wall_s,
        };
        Ok(elapsed_s.min(wall_s))
    }
}
