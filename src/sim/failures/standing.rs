//! Which replicas stand where, and how many reasons keep each from serving.

use std::ops::Range;

use crate::scenario::{Interrupted, Topology};
use crate::sim::pool::{Hit, Pool};

/// The replicas of a cluster in the order of their delivery.
pub(super) struct Standing {
    topology: Topology,
    places: Vec<Place>,
    down: u64,
    maintained: u64,
}

#[derive(Clone, Copy)]
struct Place {
    pool: u32,
    index: u32,
    /// Units that are down and in which it stands.
    down: u16,
    planned: Planned,
}

/// How far planned work on a replica is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Planned {
    /// None is going on.
    Nothing,
    /// It takes nobody more.
    Drains,
    /// It is worked on.
    Out,
}

impl Place {
    fn serves(self) -> bool {
        self.down == 0 && self.planned != Planned::Out
    }
}

impl Standing {
    pub(super) fn new(topology: Topology) -> Self {
        Self {
            topology,
            places: Vec::new(),
            down: 0,
            maintained: 0,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.places.len() as u64
    }

    /// Replicas that are down because something failed.
    pub(super) fn down(&self) -> u64 {
        self.down
    }

    /// Replicas that only planned work keeps from serving.
    pub(super) fn maintained(&self) -> u64 {
        self.maintained
    }

    /// So many more, of a pool.
    pub(super) fn deliver(&mut self, pool: usize, count: u32) {
        let pool = pool as u32;
        let there = self.places.iter().rev().filter(|place| place.pool == pool);
        let first = there.map(|place| place.index + 1).max().unwrap_or(0);
        self.places
            .extend((first..first + count).map(|index| Place {
                pool,
                index,
                down: 0,
                planned: Planned::Nothing,
            }));
    }

    /// One more reason keeps a range of replicas from serving.
    pub(super) fn hold(
        &mut self,
        range: Range<u64>,
        running: Interrupted,
        pools: &mut [Pool],
    ) -> Hit {
        self.change(range, running, pools, |place| place.down += 1)
    }

    /// One reason less.
    pub(super) fn release(&mut self, range: Range<u64>, pools: &mut [Pool]) {
        self.change(range, Interrupted::Requeued, pools, |place| place.down -= 1);
    }

    /// Planned work on a range of replicas comes so far.
    pub(super) fn plan(
        &mut self,
        range: Range<u64>,
        planned: Planned,
        running: Interrupted,
        pools: &mut [Pool],
    ) -> Hit {
        self.change(range, running, pools, |place| place.planned = planned)
    }

    /// Changes replicas, and tells their pools what follows.
    fn change(
        &mut self,
        range: Range<u64>,
        running: Interrupted,
        pools: &mut [Pool],
        change: impl Fn(&mut Place),
    ) -> Hit {
        let mut hit = Hit::default();
        let places = &mut self.places[range.start as usize..range.end as usize];
        for of_pool in places.chunk_by_mut(|a, b| a.pool == b.pool) {
            let pool = &mut pools[of_pool[0].pool as usize];
            let (mut falls, mut closes, mut rises) = (Vec::new(), Vec::new(), Vec::new());
            for place in of_pool {
                let before = *place;
                change(place);
                self.down = self.down - u64::from(before.down > 0) + u64::from(place.down > 0);
                let only = |place: Place| u64::from(place.down == 0 && !place.serves());
                self.maintained = self.maintained - only(before) + only(*place);
                let index = place.index as usize;
                match (before.serves(), place.serves(), place.planned) {
                    (true, false, _) => falls.push(index),
                    (_, true, Planned::Drains) => closes.push(index),
                    (false, true, _) => rises.push(index),
                    _ => {}
                }
            }
            if !falls.is_empty() {
                let part = pool.take_down(&falls, running);
                hit.lost += part.lost;
                hit.requeued += part.requeued;
            }
            if !closes.is_empty() {
                pool.close(&closes);
            }
            if !rises.is_empty() {
                pool.release(&rises);
            }
        }
        hit
    }

    /// Replicas that are worked on together: at most so many, and whole nodes where several share one.
    pub(super) fn group(&self, at_most: u64) -> u64 {
        self.topology.whole_nodes(at_most)
    }
}
