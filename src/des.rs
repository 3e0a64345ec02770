//! The kernel of discrete-event simulation: what happens next.
//!
//! Two event lists, both totally ordered, so that a run has one order of events on every machine:
//! `Earliest` holds exactly one due time for each of a fixed set of entities (the replicas of a pool)
//! and breaks ties by index; `Timers` holds any number of timers and breaks ties by the order in which
//! they were set. Neither can take an entry back: what no longer holds is recognised by its generation
//! when it falls due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::units::SimTime;

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

/// Any number of timers.
#[derive(Clone, Debug)]
pub struct Timers<T> {
    heap: BinaryHeap<Reverse<Timer<T>>>,
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

impl<T: Ord + Copy> Default for Timers<T> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            set: 0,
        }
    }
}

impl<T: Ord + Copy> Timers<T> {
    /// Sets a timer.
    pub fn set(&mut self, at: SimTime, what: T) {
        self.heap.push(Reverse(Timer {
            at,
            sequence: self.set,
            what,
        }));
        self.set += 1;
    }

    /// When the first falls due; `SimTime::NEVER` when none is set.
    #[must_use]
    pub fn time(&self) -> SimTime {
        self.heap.peek().map_or(SimTime::NEVER, |first| first.0.at)
    }

    /// Takes the first; among those due at the same time the one that was set first.
    pub fn pop(&mut self) -> Option<Timer<T>> {
        self.heap.pop().map(|first| first.0)
    }

    /// Takes the first if it falls due before `time`.
    pub fn pop_before(&mut self, time: SimTime) -> Option<Timer<T>> {
        if self.time() < time { self.pop() } else { None }
    }

    /// Number of timers set, stale ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
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
        let mut timers = Timers::default();
        for what in [9_u32, 3, 7] {
            timers.set(SimTime(4), what);
        }
        timers.set(SimTime(2), 1);
        let order: Vec<u32> = std::iter::from_fn(|| timers.pop())
            .map(|t| t.what)
            .collect();
        assert_eq!(order, [1, 9, 3, 7]);
    }
}
