//! Which replica is the emptiest: replicas sorted by the number of requests in their batch.
//!
//! One list of replicas for each number of requests; a replica moves between lists in O(1). Replicas
//! that stand still are in no list.

/// Replicas by the number of requests they hold.
#[derive(Clone, Debug)]
pub(crate) struct Occupancy {
    /// By number of requests: the replicas that hold so many.
    levels: Vec<Vec<u32>>,
    /// By replica: its place within its level; `ABSENT` when it is in none.
    position: Vec<u32>,
    /// No level below has a replica.
    lowest: usize,
}

const ABSENT: u32 = u32::MAX;

impl Occupancy {
    pub(crate) fn new(batch_limit: u32) -> Self {
        let levels = vec![Vec::new(); batch_limit as usize + 1];
        Self {
            levels,
            position: Vec::new(),
            lowest: 0,
        }
    }

    /// Makes room for so many replicas.
    pub(crate) fn grow(&mut self, replicas: usize) {
        self.position
            .resize(replicas.max(self.position.len()), ABSENT);
    }

    /// Puts a replica on its level.
    pub(crate) fn enter(&mut self, replica: u32, level: usize) {
        let index = replica as usize;
        debug_assert_eq!(self.position[index], ABSENT);
        self.position[index] =
            u32::try_from(self.levels[level].len()).expect("under 2^32 replicas");
        self.levels[level].push(replica);
        self.lowest = self.lowest.min(level);
    }

    /// Takes a replica off its level; nothing happens if it is on none.
    pub(crate) fn leave(&mut self, replica: u32, level: usize) {
        let position = std::mem::replace(&mut self.position[replica as usize], ABSENT);
        if position == ABSENT {
            return;
        }
        let list = &mut self.levels[level];
        list.swap_remove(position as usize);
        if let Some(&moved) = list.get(position as usize) {
            self.position[moved as usize] = position;
        }
    }

    /// Moves a replica from one level to another; nothing happens if it is on none.
    pub(crate) fn shift(&mut self, replica: u32, from: usize, to: usize) {
        if from != to && self.position[replica as usize] != ABSENT {
            self.leave(replica, from);
            self.enter(replica, to);
        }
    }

    /// A replica with the fewest requests, if those are less than `limit`.
    pub(crate) fn emptiest(&mut self, limit: usize) -> Option<u32> {
        let limit = limit.min(self.levels.len() - 1);
        while self.lowest < limit && self.levels[self.lowest].is_empty() {
            self.lowest += 1;
        }
        if self.lowest < limit {
            self.levels[self.lowest].last().copied()
        } else {
            None
        }
    }

    /// A replica without any request.
    pub(crate) fn idle(&self) -> Option<u32> {
        self.levels[0].last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_emptiest_replica_has_the_fewest_requests() {
        let mut occupancy = Occupancy::new(2);
        occupancy.grow(2);
        occupancy.enter(0, 0);
        occupancy.enter(1, 0);
        occupancy.shift(1, 0, 1);
        assert_eq!(occupancy.emptiest(2), Some(0));
        occupancy.shift(0, 0, 2);
        assert_eq!(occupancy.emptiest(2), Some(1));
        assert_eq!(occupancy.idle(), None);
        occupancy.shift(1, 1, 2);
        assert_eq!(occupancy.emptiest(2), None);
        occupancy.shift(0, 2, 0);
        assert_eq!(occupancy.emptiest(2), Some(0));
        occupancy.leave(0, 0);
        assert_eq!(occupancy.emptiest(2), None);
    }
}
