//! Sorting what happens in a short stretch of time, in linear time.

use crate::units::SimTime;

/// Sorts items by time, equal times in the order in which they were: buckets of equal length, about as
/// many as items, then an insertion sort that moves hardly anything (a bucket sort after Isaac and
/// Singleton 1956). It keeps its memory for the next time.
#[derive(Clone, Debug)]
pub struct Sorter<T> {
    copy: Vec<T>,
    ends: Vec<u32>,
}

impl<T> Default for Sorter<T> {
    fn default() -> Self {
        Self {
            copy: Vec::new(),
            ends: Vec::new(),
        }
    }
}

/// With fewer items buckets are not worth it.
const FEW: usize = 24;

impl<T: Copy> Sorter<T> {
    /// Sorts items whose times lie within 2^`bits` ns from `from` on; others cost time, but are sorted too.
    pub fn sort(&mut self, items: &mut [T], from: SimTime, bits: u32, at: impl Fn(&T) -> SimTime) {
        if items.len() >= FEW {
            // One source alone makes them in order.
            if items.is_sorted_by_key(&at) {
                return;
            }
            self.distribute(items, from, bits, &at);
        }
        for index in 1..items.len() {
            let item = items[index];
            if at(&items[index - 1]) <= at(&item) {
                continue;
            }
            let mut hole = index;
            while hole > 0 && at(&items[hole - 1]) > at(&item) {
                items[hole] = items[hole - 1];
                hole -= 1;
            }
            items[hole] = item;
        }
    }

    /// Puts items into the order of their buckets.
    fn distribute(
        &mut self,
        items: &mut [T],
        from: SimTime,
        bits: u32,
        at: &impl Fn(&T) -> SimTime,
    ) {
        let log = items.len().ilog2();
        let last = (1_usize << log) - 1;
        let shift = bits.saturating_sub(log);
        let bucket = |item: &T| ((at(item).0.wrapping_sub(from.0) >> shift) as usize).min(last);
        self.ends.clear();
        self.ends.resize(last + 1, 0);
        let ends = &mut self.ends[..=last];
        for item in &*items {
            ends[bucket(item)] += 1;
        }
        let mut begin = 0;
        for end in &mut *ends {
            begin += std::mem::replace(end, begin);
        }
        self.copy.clear();
        self.copy.extend_from_slice(items);
        for item in &self.copy {
            let end = &mut ends[bucket(item)];
            items[*end as usize] = *item;
            *end += 1;
        }
    }
}

/// log2 of a length of time that covers [`from`, `until`).
#[must_use]
pub fn covering_bits(from: SimTime, until: SimTime) -> u32 {
    u64::BITS - (until - from).0.leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn it_agrees_with_the_stable_sort_of_the_library() {
        let mut stream = Seed(9).stream("des", "sorter", 0);
        let mut sorter = Sorter::default();
        for count in [0, 1, 31, 32, 33, 100, 1000] {
            for width in [1, 7, 1000, 5_000_000_000] {
                let from = SimTime(stream.below(100));
                // One in ten lies outside.
                let mut items: Vec<(SimTime, u32)> = (0..count)
                    .map(|number| {
                        let beyond = if stream.chance(0.1) { 3 * width } else { 0 };
                        (SimTime(from.0 + stream.below(width) + beyond), number)
                    })
                    .collect();
                let mut expected = items.clone();
                expected.sort_by_key(|item| item.0);
                let bits = covering_bits(from, SimTime(from.0 + width));
                sorter.sort(&mut items, from, bits, |item| item.0);
                assert_eq!(items, expected);
            }
        }
    }
}
