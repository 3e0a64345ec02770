//! What is counted of a divided cluster.

/// What became of the GPUs of a divided cluster: levels over time in GPUs x ns, since the start or the end of the
/// warm-up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DivisionTally {
    /// All that are delivered.
    pub gpu_ns: u128,
    /// Those that nobody held: too few for a unit.
    pub free_gpu_ns: u128,
    /// GPUs delivered by now.
    pub gpus: u64,
    /// By partition, in the order of the scenario.
    pub partitions: Vec<PartitionTally>,
}

/// What a partition had; the GPUs of one that trains count as if they served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionTally {
    /// GPUs that served x ns.
    pub serving_gpu_ns: u128,
    /// GPUs that started up x ns.
    pub starting_gpu_ns: u128,
    /// GPUs that ended their last batch x ns.
    pub draining_gpu_ns: u128,
    /// GPUs that trained x ns.
    pub trained_gpu_ns: u128,
    /// Training of GPUs x ns that was lost.
    pub lost_gpu_ns: u128,
    /// GPUs of a training that stood still x ns.
    pub stalled_gpu_ns: u128,
    /// Offered load in GPUs x ns, rounded by the window.
    pub load_gpu_ns: u128,
    /// Units that were ordered for it.
    pub moved_in: u64,
    /// Units that were ordered away from it.
    pub moved_out: u64,
    /// GPUs that served at first.
    pub gpus_first: u64,
    /// Fewest that served.
    pub gpus_least: u64,
    /// Most that served.
    pub gpus_most: u64,
    /// GPUs that serve now.
    pub gpus: u64,
}

impl PartitionTally {
    /// What was added since `before`; the fewest, the most and the first are since then by themselves.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            serving_gpu_ns: self.serving_gpu_ns - before.serving_gpu_ns,
            starting_gpu_ns: self.starting_gpu_ns - before.starting_gpu_ns,
            draining_gpu_ns: self.draining_gpu_ns - before.draining_gpu_ns,
            trained_gpu_ns: self.trained_gpu_ns - before.trained_gpu_ns,
            lost_gpu_ns: self.lost_gpu_ns - before.lost_gpu_ns,
            stalled_gpu_ns: self.stalled_gpu_ns - before.stalled_gpu_ns,
            load_gpu_ns: self.load_gpu_ns - before.load_gpu_ns,
            moved_in: self.moved_in - before.moved_in,
            moved_out: self.moved_out - before.moved_out,
            ..*self
        }
    }
}
