//! Timers: what happens at a time that was set before, unless its reason has gone.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};

use super::{Sorter, sift};
use crate::units::{SimDuration, SimTime};

/// Any number of timers, most of which are far away and many of which will be stale by the time they
/// fall due: a calendar queue (Brown 1988). Far timers lie unsorted in pages of equal length; a page is
/// sorted when its time comes, and what is stale by then is left out.
///
/// Whoever plays a window opens the pages up to its end, then takes timer after timer.
#[derive(Clone, Debug)]
pub struct Timers<T> {
    /// The timers of the open pages by time, from `next` on; equal times in the order of setting.
    open: Vec<(SimTime, T)>,
    next: usize,
    /// Timers that were set for an open page: after all those in `open` with the same time.
    late: BinaryHeap<Reverse<Late<T>>>,
    set_late: u64,
    /// When the first of both falls due.
    due: SimTime,
    /// The next `RING` pages, by number modulo `RING`.
    ring: Box<[Page; RING]>,
    /// The timers of these pages, in blocks: memory follows the number of timers, and what an opened
    /// page leaves is used again while it is near.
    blocks: Vec<(SimTime, T)>,
    /// By block: the next of its page, or the next free one.
    next_block: Vec<u32>,
    free: u32,
    /// Pages beyond, by number.
    far: BTreeMap<u64, Vec<(SimTime, T)>>,
    /// The first page that is not open.
    closed: u64,
    /// log2 of the length of a page in nanoseconds.
    page_bits: u32,
    sorter: Sorter<(SimTime, T)>,
}

/// Pages that are kept at hand.
const RING: usize = 256;
/// Timers in a block.
const BLOCK: usize = 64;
const NONE: u32 = u32::MAX;
/// So many, that places in them fit into 32 bits.
const MOST_BLOCKS: usize = u32::MAX as usize / BLOCK;

/// A page that is not open, as a chain of blocks that are full but for the last.
#[derive(Clone, Copy, Debug, Default)]
struct Page {
    /// Its first block.
    first: u32,
    /// Where its last timer ends in `blocks`; 0: it has none.
    end: u32,
}

impl Page {
    /// Its last block.
    fn last(self) -> Option<usize> {
        self.end.checked_sub(1).map(|last| last as usize / BLOCK)
    }
}

#[derive(Clone, Copy, Debug)]
struct Late<T> {
    at: SimTime,
    sequence: u64,
    what: T,
}

impl<T> Late<T> {
    fn key(&self) -> (SimTime, u64) {
        (self.at, self.sequence)
    }
}

impl<T> PartialEq for Late<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Late<T> {}

impl<T> PartialOrd for Late<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Late<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl<T: Copy> Timers<T> {
    /// No timers; pages are about so long, which changes the speed and nothing else.
    #[must_use]
    pub fn new(page: SimDuration) -> Self {
        Self {
            open: Vec::new(),
            next: 0,
            late: BinaryHeap::new(),
            set_late: 0,
            due: SimTime::NEVER,
            ring: Box::new([Page::default(); RING]),
            blocks: Vec::new(),
            next_block: Vec::new(),
            free: NONE,
            far: BTreeMap::new(),
            closed: 0,
            page_bits: page.0.max(1).ilog2(),
            sorter: Sorter::default(),
        }
    }

    /// Sets a timer.
    #[inline]
    pub fn set(&mut self, at: SimTime, what: T) {
        let number = at.0 >> self.page_bits;
        if number.wrapping_sub(self.closed) >= RING as u64 {
            self.set_elsewhere(number, at, what);
            return;
        }
        let page = number as usize % RING;
        if (self.ring[page].end as usize).is_multiple_of(BLOCK) {
            self.lengthen(page, (at, what));
        }
        let end = &mut self.ring[page].end;
        self.blocks[*end as usize] = (at, what);
        *end += 1;
    }

    /// Gives a page another block.
    fn lengthen(&mut self, page: usize, filling: (SimTime, T)) {
        let block = match self.next_block.get(self.free as usize) {
            Some(&next) => std::mem::replace(&mut self.free, next),
            None => {
                assert!(self.next_block.len() < MOST_BLOCKS, "under 2^32 timers");
                self.next_block.push(NONE);
                self.blocks.resize(self.blocks.len() + BLOCK, filling);
                (self.next_block.len() - 1) as u32
            }
        };
        let page = &mut self.ring[page];
        match page.last() {
            None => page.first = block,
            Some(last) => self.next_block[last] = block,
        }
        page.end = block * BLOCK as u32;
    }

    fn set_elsewhere(&mut self, page: u64, at: SimTime, what: T) {
        if page < self.closed {
            let sequence = self.set_late;
            self.set_late += 1;
            self.late.push(Reverse(Late { at, sequence, what }));
            self.due = self.due.min(at);
        } else {
            self.far.entry(page).or_default().push((at, what));
        }
    }

    /// Opens every page that begins before `until`, without the timers for which `holds` is false:
    /// they are stale, and for ever.
    pub fn open_until(&mut self, until: SimTime, holds: impl Fn(&T) -> bool) {
        while self.closed << self.page_bits < until.0 {
            self.open_page(&holds);
        }
    }

    fn open_page(&mut self, holds: &impl Fn(&T) -> bool) {
        self.open.drain(..self.next);
        self.next = 0;
        let from = self.open.len();
        // What lies far was set before anything in the ring could be.
        if let Some(far) = self.far.remove(&self.closed) {
            sift(&mut self.open, &far, |timer| holds(&timer.1));
        }
        let page = std::mem::take(&mut self.ring[self.closed as usize % RING]);
        let last = page.last();
        let mut next = last.map(|_| page.first as usize);
        while let Some(block) = next {
            let is_last = last == Some(block);
            let end = match is_last {
                true => page.end as usize,
                false => (block + 1) * BLOCK,
            };
            let block_timers = &self.blocks[block * BLOCK..end];
            sift(&mut self.open, block_timers, |timer| holds(&timer.1));
            let after = std::mem::replace(&mut self.next_block[block], self.free);
            self.free = block as u32;
            next = (!is_last).then_some(after as usize);
        }
        let begins = SimTime(self.closed << self.page_bits);
        let page = &mut self.open[from..];
        self.sorter
            .sort(page, begins, self.page_bits, |timer| timer.0);
        self.closed += 1;
        self.due = self.first_due();
    }

    /// Timers that are set. They are counted, so this takes a while.
    #[must_use]
    pub fn count(&self) -> usize {
        let near: usize = self.ring.iter().map(|page| self.count_in(*page)).sum();
        let far: usize = self.far.values().map(Vec::len).sum();
        self.open.len() - self.next + self.late.len() + near + far
    }

    fn count_in(&self, page: Page) -> usize {
        let Some(last) = page.last() else {
            return 0;
        };
        let (mut full, mut block) = (0, page.first as usize);
        while block != last {
            full += BLOCK;
            block = self.next_block[block] as usize;
        }
        full + page.end as usize - last * BLOCK
    }

    /// Takes out all timers, in the order in which they fall due.
    pub fn drain(&mut self) -> Vec<(SimTime, T)> {
        let empty = Self {
            closed: self.closed,
            page_bits: self.page_bits,
            ..Self::new(SimDuration(1))
        };
        let mut all = std::mem::replace(self, empty);
        (0..RING).for_each(|_| all.open_page(&|_| true));
        let mut drained: Vec<(SimTime, T)> = std::iter::from_fn(|| all.pop()).collect();
        let ring = drained.len();
        drained.extend(all.far.into_values().flatten());
        drained[ring..].sort_by_key(|timer| timer.0);
        drained
    }

    /// Those in the open pages that fall due before `until`, but for a few.
    pub fn upcoming(&self, until: SimTime) -> &[(SimTime, T)] {
        let open = &self.open[self.next..];
        &open[..open.partition_point(|timer| timer.0 < until)]
    }

    /// When the first timer of the open pages falls due; `SimTime::NEVER` when there is none.
    #[must_use]
    #[inline]
    pub fn time(&self) -> SimTime {
        self.due
    }

    fn first_due(&self) -> SimTime {
        let open = self.open.get(self.next).map(|timer| timer.0);
        let late = self.late.peek().map(|Reverse(late)| late.at);
        let never = SimTime::NEVER;
        open.unwrap_or(never).min(late.unwrap_or(never))
    }

    /// Takes the first timer of the open pages; among those due at the same time the one that was set
    /// first.
    pub fn pop(&mut self) -> Option<(SimTime, T)> {
        let first = match self.open.get(self.next) {
            Some(&open) if open.0 <= self.due => {
                self.next += 1;
                Some(open)
            }
            _ => self.pop_late(),
        };
        self.due = self.first_due();
        first
    }

    fn pop_late(&mut self) -> Option<(SimTime, T)> {
        self.late.pop().map(|Reverse(late)| (late.at, late.what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn equal_times_keep_the_order_in_which_they_were_set() {
        for page in [1, 3, 100] {
            let mut timers = Timers::new(SimDuration(page));
            for what in [9_u32, 3, 7] {
                timers.set(SimTime(4), what);
            }
            timers.set(SimTime(2), 1);
            timers.set(SimTime(4), 8);
            timers.open_until(SimTime(5), |_| true);
            timers.set(SimTime(4), 0);
            let next = || timers.pop().map(|timer| timer.1);
            assert_eq!(
                std::iter::from_fn(next).collect::<Vec<_>>(),
                [1, 9, 3, 7, 8, 0]
            );
        }
    }

    /// Pages of several blocks, whole and not, side by side; then again in blocks that others have left.
    #[test]
    fn pages_of_many_timers_are_kept_apart() {
        let mut timers = Timers::new(SimDuration(1024));
        for round in 0..3 {
            let from = 3 * 1024 * round;
            for count in [63, 64, 65, 128, 129] {
                let both =
                    (0..count).flat_map(|number| [(from + 7, number), (from + 1030, number)]);
                both.for_each(|(at, number)| timers.set(SimTime(at), number));
            }
            let each = 63 + 64 + 65 + 128 + 129;
            assert_eq!(timers.count(), 2 * each);
            let expected: Vec<u64> = [63, 64, 65, 128, 129]
                .into_iter()
                .flat_map(|n| 0..n)
                .collect();
            for at in [from + 7, from + 1030] {
                timers.open_until(SimTime(at + 1), |_| true);
                let next =
                    || (timers.time() == SimTime(at)).then(|| timers.pop().expect("it is due").1);
                assert_eq!(std::iter::from_fn(next).collect::<Vec<_>>(), expected);
            }
            assert_eq!((timers.count(), timers.time()), (0, SimTime::NEVER));
        }
    }

    #[test]
    fn all_that_are_set_are_drained_in_order() {
        let mut timers = Timers::new(SimDuration(8));
        timers.open_until(SimTime(20), |_| true);
        // Late, in the ring, far, and two at one time.
        for (at, what) in [(30, 1), (10, 2), (100_000, 3), (30, 4), (25, 5)] {
            timers.set(SimTime(at), what);
        }
        assert_eq!(timers.count(), 5);
        let order: Vec<u32> = timers.drain().iter().map(|timer| timer.1).collect();
        assert_eq!(order, [2, 5, 1, 4, 3]);
        assert_eq!(timers.count(), 0);
        timers.set(SimTime(40), 6);
        timers.open_until(SimTime(50), |_| true);
        assert_eq!(timers.pop(), Some((SimTime(40), 6)));
    }

    #[test]
    fn the_calendar_agrees_with_a_sorted_list() {
        let mut stream = Seed(4).stream("des", "calendar", 0);
        let mut timers = Timers::new(SimDuration(10));
        let mut list: Vec<(u64, u64, u64)> = Vec::new();
        let (mut from, mut sequence) = (0, 0);
        for _ in 0..3000 {
            let until = from + 1 + stream.below(25);
            // What is odd is stale when its page is opened, and may be dropped.
            timers.open_until(SimTime(until), |what| what % 2 == 0);
            let mut now = from;
            for _ in 0..=stream.below(5) {
                // Some far beyond the ring.
                let reach = if stream.chance(0.1) { 5000 } else { 80 };
                let (at, what) = (now + stream.below(reach), stream.below(7));
                timers.set(SimTime(at), what);
                list.push((at, sequence, what));
                sequence += 1;
                list.sort_unstable();
                while timers.time() < SimTime(until) {
                    let (at, what) = timers.pop().expect("it is due");
                    if what % 2 == 1 {
                        continue;
                    }
                    let first = list.iter().position(|timer| timer.2 % 2 == 0);
                    let (expected, _, which) = list.remove(first.expect("one is left"));
                    assert_eq!((at.0, what), (expected, which));
                    now = at.0;
                }
            }
            list.retain(|timer| timer.2 % 2 == 0);
            assert!(list.iter().all(|timer| timer.0 >= until || sequence == 0));
            from = until;
        }
        assert!(sequence > 5000);
    }
}
