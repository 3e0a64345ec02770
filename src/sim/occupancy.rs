//! Which replica is the emptiest: replicas sorted by the number of requests in their batch.
//!
//! One set of replicas for each number of requests, as bits with a summary above them; a replica moves
//! between sets in O(1), and among the emptiest the one with the smallest index is found with two scans
//! for a bit. Replicas that stand still are in no set.

/// Replicas by the number of requests they hold.
#[derive(Clone, Debug)]
pub(crate) struct Occupancy {
    /// A bit for each replica, level after level, a level being those who hold so many requests.
    words: Vec<u64>,
    /// A bit for each word: whether it is not zero.
    summary: Vec<u64>,
    /// By level: its number of replicas.
    counts: Vec<u32>,
    /// Words of `summary` that a level takes; of `words` it takes 64 times as many.
    stride: usize,
    /// No level below has a replica.
    lowest: usize,
}

impl Occupancy {
    pub(crate) fn new(batch_limit: u32) -> Self {
        Self {
            words: Vec::new(),
            summary: Vec::new(),
            counts: vec![0; batch_limit as usize + 1],
            stride: 0,
            lowest: 0,
        }
    }

    /// Makes room for so many replicas.
    pub(crate) fn grow(&mut self, replicas: usize) {
        let stride = replicas.div_ceil(64 * 64);
        if stride > self.stride {
            self.words = widen(
                &self.words,
                64 * self.stride,
                64 * stride,
                self.counts.len(),
            );
            self.summary = widen(&self.summary, self.stride, stride, self.counts.len());
            self.stride = stride;
        }
    }

    /// Puts a replica, which is on none, on a level.
    #[inline]
    pub(crate) fn enter(&mut self, replica: u32, level: usize) {
        let (word, bit) = self.place(replica, level);
        debug_assert_eq!(self.words[word] & bit, 0);
        self.words[word] |= bit;
        self.summary[word / 64] |= 1 << (word % 64);
        self.counts[level] += 1;
        self.lowest = self.lowest.min(level);
    }

    /// Takes a replica off its level; whether it was there.
    #[inline]
    pub(crate) fn leave(&mut self, replica: u32, level: usize) -> bool {
        let (word, bit) = self.place(replica, level);
        let before = self.words[word];
        if before & bit == 0 {
            return false;
        }
        let after = before & !bit;
        self.words[word] = after;
        self.summary[word / 64] &= !(u64::from(after == 0) << (word % 64));
        self.counts[level] -= 1;
        true
    }

    /// Moves a replica from one level to another; nothing happens if it is on none.
    #[inline]
    pub(crate) fn shift(&mut self, replica: u32, from: usize, to: usize) {
        if from != to && self.leave(replica, from) {
            self.enter(replica, to);
        }
    }

    /// The replica with the fewest requests, if those are less than `limit`; among equals the one with
    /// the smallest index.
    #[inline]
    pub(crate) fn emptiest(&mut self, limit: usize) -> Option<u32> {
        let limit = limit.min(self.counts.len() - 1);
        while self.lowest < limit && self.counts[self.lowest] == 0 {
            self.lowest += 1;
        }
        if self.lowest < limit {
            self.first(self.lowest)
        } else {
            None
        }
    }

    /// The first replica without any request.
    pub(crate) fn idle(&self) -> Option<u32> {
        self.first(0)
    }

    /// The first replica of a level.
    #[inline]
    fn first(&self, level: usize) -> Option<u32> {
        let start = level * self.stride;
        let summary = &self.summary[start..start + self.stride];
        let above = summary.iter().position(|&word| word != 0)?;
        let word = 64 * above + summary[above].trailing_zeros() as usize;
        let bit = self.words[64 * start + word].trailing_zeros();
        Some(64 * word as u32 + bit)
    }

    /// The word of a replica on a level, and its bit there.
    #[inline]
    fn place(&self, replica: u32, level: usize) -> (usize, u64) {
        let word = 64 * self.stride * level + replica as usize / 64;
        (word, 1 << (replica % 64))
    }
}

/// The same levels with more room in each.
fn widen(words: &[u64], from: usize, to: usize, levels: usize) -> Vec<u64> {
    let mut wide = vec![0; to * levels];
    for level in 0..levels {
        wide[level * to..][..from].copy_from_slice(&words[level * from..][..from]);
    }
    wide
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn the_emptiest_replica_has_the_fewest_requests() {
        let mut occupancy = Occupancy::new(2);
        occupancy.grow(2);
        occupancy.enter(0, 0);
        occupancy.enter(1, 0);
        assert_eq!(occupancy.idle(), Some(0));
        occupancy.shift(0, 0, 1);
        assert_eq!(occupancy.emptiest(2), Some(1));
        occupancy.shift(1, 0, 2);
        assert_eq!(occupancy.emptiest(2), Some(0));
        assert_eq!(occupancy.idle(), None);
        occupancy.shift(0, 1, 2);
        assert_eq!(occupancy.emptiest(2), None);
        occupancy.shift(1, 2, 0);
        assert_eq!(occupancy.emptiest(2), Some(1));
        occupancy.leave(1, 0);
        assert_eq!(occupancy.emptiest(2), None);
    }

    /// Against a scan, for so many replicas that words have neighbours and summaries too.
    #[test]
    fn among_the_emptiest_the_first_is_found() {
        let mut stream = Seed(5).stream("occupancy", "test", 0);
        for replicas in [1, 64, 65, 9000] {
            let mut occupancy = Occupancy::new(3);
            occupancy.grow(replicas / 3);
            occupancy.grow(replicas);
            let mut held: Vec<Option<usize>> = vec![None; replicas];
            for _ in 0..3000 {
                let replica = stream.below(replicas as u64) as usize;
                let to = stream.below(4) as usize;
                let index = replica as u32;
                held[replica] = match held[replica] {
                    None => {
                        occupancy.enter(index, to);
                        Some(to)
                    }
                    Some(from) if stream.chance(0.2) => {
                        occupancy.leave(index, from);
                        None
                    }
                    Some(from) => {
                        occupancy.shift(index, from, to);
                        Some(to)
                    }
                };
                let limit = 1 + stream.below(3) as usize;
                let scan = (0..replicas).filter(|&r| held[r].is_some_and(|held| held < limit));
                let first = scan.min_by_key(|&r| held[r]).map(|r| r as u32);
                assert_eq!(occupancy.emptiest(limit), first);
            }
        }
    }
}
