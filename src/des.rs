//! The kernel of discrete-event simulation: what happens next.
//!
//! Two event lists, both totally ordered, so that a run has one order of events on every machine:
//! `Earliest` holds exactly one due time for each of a fixed set of entities (the replicas of a pool)
//! and breaks ties by index; `Timers` holds any number of timers and breaks ties by the order in which
//! they were set. Neither can take an entry back: what no longer holds is recognised by its generation
//! when it falls due.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::units::{SimDuration, SimTime};

/// One due time for each of n entities: a tournament tree. Setting a time costs O(log n) at most, and
/// less where the change does not reach the top; the earliest is read off the root.
#[derive(Clone, Debug)]
pub struct Earliest {
    /// A power of two: leaves are at `leaves..2 * leaves`, the root at 1.
    leaves: usize,
    times: Vec<SimTime>,
}

impl Earliest {
    /// `entities` entities for which nothing is due.
    #[must_use]
    pub fn new(entities: usize) -> Self {
        let leaves = entities.next_power_of_two().max(2);
        Self {
            leaves,
            times: vec![SimTime::NEVER; 2 * leaves],
        }
    }

    /// Makes room for `entities`, keeping what is due.
    pub fn grow(&mut self, entities: usize) {
        if entities > self.leaves {
            let mut grown = Self::new(entities);
            for (entity, &time) in self.times[self.leaves..].iter().enumerate() {
                grown.set(entity, time);
            }
            *self = grown;
        }
    }

    /// Sets the due time of an entity; `SimTime::NEVER` for none.
    pub fn set(&mut self, entity: usize, time: SimTime) {
        let mut node = self.leaves + entity;
        self.times[node] = time;
        while node > 1 {
            node /= 2;
            let earlier = self.times[2 * node].min(self.times[2 * node + 1]);
            if self.times[node] == earlier {
                break;
            }
            self.times[node] = earlier;
        }
    }

    /// The earliest due time; `SimTime::NEVER` when nothing is due.
    #[must_use]
    pub fn time(&self) -> SimTime {
        self.times[1]
    }

    /// The entity that is due first; among equals the one with the smallest index.
    #[must_use]
    pub fn entity(&self) -> usize {
        let mut node = 1;
        while node < self.leaves {
            node = 2 * node + usize::from(self.times[2 * node + 1] < self.times[2 * node]);
        }
        node - self.leaves
    }
}

/// Any number of timers, most of which are far away and many of which will be stale by the time they
/// fall due: a calendar queue (Brown 1988). Far timers lie unsorted in pages of equal length; a page is
/// sorted into a small heap when its time comes, and what is stale by then is left out.
#[derive(Clone, Debug)]
pub struct Timers<T> {
    /// Timers of pages that have been turned.
    near: BinaryHeap<Reverse<Timer<T>>>,
    /// By number: the pages that have not been turned.
    far: BTreeMap<u64, Vec<Timer<T>>>,
    /// The first page that has not been turned.
    next_page: u64,
    page: SimDuration,
    set: u64,
}

/// A timer and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer<T> {
    /// When it falls due.
    pub at: SimTime,
    /// How many were set before: the tie-break.
    sequence: u64,
    /// What it is for.
    pub what: T,
}

impl<T: Ord + Copy> Timers<T> {
    /// No timers; pages have the given length, which changes the speed and nothing else.
    #[must_use]
    pub fn new(page: SimDuration) -> Self {
        let page = SimDuration(page.0.max(1));
        Self {
            near: BinaryHeap::new(),
            far: BTreeMap::new(),
            next_page: 0,
            page,
            set: 0,
        }
    }

    /// Sets a timer.
    pub fn set(&mut self, at: SimTime, what: T) {
        let timer = Timer {
            at,
            sequence: self.set,
            what,
        };
        self.set += 1;
        let page = at.0 / self.page.0;
        if page < self.next_page {
            self.near.push(Reverse(timer));
        } else {
            self.far.entry(page).or_default().push(timer);
        }
    }

    /// When the first that is not stale falls due; `SimTime::NEVER` when there is none. `holds` says
    /// what is not stale; a timer that is stale once is stale for ever.
    pub fn time(&mut self, holds: impl Fn(&T) -> bool) -> SimTime {
        loop {
            while let Some(Reverse(first)) = self.near.peek() {
                if holds(&first.what) {
                    return first.at;
                }
                self.near.pop();
            }
            let Some((number, mut page)) = self.far.pop_first() else {
                return SimTime::NEVER;
            };
            page.retain(|timer| holds(&timer.what));
            self.next_page = number + 1;
            self.near = page.into_iter().map(Reverse).collect();
        }
    }

    /// Takes the first, which `time` has just found; among those due at the same time the one that was
    /// set first.
    pub fn pop(&mut self) -> Option<Timer<T>> {
        self.near.pop().map(|first| first.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn the_tree_agrees_with_a_scan() {
        let mut stream = Seed(3).stream("des", "tree", 0);
        for entities in [1_usize, 2, 3, 7, 100] {
            let mut tree = Earliest::new(entities);
            let mut times = vec![SimTime::NEVER; entities];
            for _ in 0..2000 {
                let entity = stream.below(entities as u64) as usize;
                times[entity] = match stream.below(4) {
                    0 => SimTime::NEVER,
                    _ => SimTime(stream.below(50)),
                };
                tree.set(entity, times[entity]);
                let first = (0..entities)
                    .min_by_key(|&i| (times[i], i))
                    .expect("not empty");
                assert_eq!(tree.time(), times[first]);
                if times[first] != SimTime::NEVER {
                    assert_eq!(tree.entity(), first);
                }
            }
        }
    }

    #[test]
    fn growing_keeps_what_is_due() {
        let mut tree = Earliest::new(2);
        tree.set(1, SimTime(5));
        tree.grow(50);
        tree.set(49, SimTime(7));
        assert_eq!((tree.time(), tree.entity()), (SimTime(5), 1));
    }

    #[test]
    fn equal_times_keep_the_order_in_which_they_were_set() {
        for page in [1, 3, 100] {
            let mut timers = Timers::new(SimDuration(page));
            for what in [9_u32, 3, 7] {
                timers.set(SimTime(4), what);
            }
            timers.set(SimTime(2), 1);
            timers.set(SimTime(4), 8);
            let next = || {
                let due = timers.time(|_| true) < SimTime::NEVER;
                due.then(|| timers.pop()).flatten().map(|timer| timer.what)
            };
            assert_eq!(
                std::iter::from_fn(next).collect::<Vec<_>>(),
                [1, 9, 3, 7, 8]
            );
        }
    }

    #[test]
    fn the_calendar_agrees_with_a_sorted_list() {
        let mut stream = Seed(4).stream("des", "calendar", 0);
        let mut timers = Timers::new(SimDuration(10));
        let mut list: Vec<(u64, u64, u64)> = Vec::new();
        let (mut now, mut sequence) = (0, 0);
        for _ in 0..5000 {
            if stream.chance(0.55) {
                let (at, what) = (now + stream.below(80), stream.below(7));
                timers.set(SimTime(at), what);
                list.push((at, sequence, what));
                sequence += 1;
                continue;
            }
            // What is odd is stale.
            list.retain(|timer| timer.2 % 2 == 0);
            list.sort_unstable();
            let first = list
                .first()
                .map_or(SimTime::NEVER, |timer| SimTime(timer.0));
            assert_eq!(timers.time(|what| what % 2 == 0), first);
            if first < SimTime::NEVER {
                let (at, _, what) = list.remove(0);
                assert_eq!(
                    timers.pop().map(|timer| (timer.at.0, timer.what)),
                    Some((at, what))
                );
                now = at;
            }
        }
    }
}
