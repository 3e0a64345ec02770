//! Which of a fixed set of entities is due first.

use crate::units::SimTime;

/// One due time for each of n entities, the earliest at hand: a wheel of buckets of equal length after
/// Varghese and Lauck (1987) for what is due soon. What is due later lies in no bucket until the wheel
/// has turned once; it then starts anew, as long as the entities are due apart. Setting a time and
/// finding the next take a few dozen instructions whatever n is.
#[derive(Clone, Debug)]
pub struct Earliest {
    /// By entity.
    times: Vec<SimTime>,
    /// The earliest, and the first entity that is due then.
    first: (SimTime, u32),
    /// By bucket: its first note.
    heads: Vec<u32>,
    /// A bit for each bucket that has notes.
    occupied: Vec<u64>,
    /// No bucket before has notes.
    cursor: usize,
    notes: Vec<Note>,
    /// The first note that is not used.
    free: u32,
    /// Where the first bucket begins, and log2 of the length of a bucket.
    origin: SimTime,
    bits: u32,
}

/// An entity is due at a time, if `times` still says so.
#[derive(Clone, Copy, Debug)]
struct Note {
    at: SimTime,
    entity: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;
const NOBODY: (SimTime, u32) = (SimTime::NEVER, NONE);

impl Earliest {
    /// `entities` entities for which nothing is due.
    #[must_use]
    pub fn new(entities: usize) -> Self {
        let buckets = (4 * entities).next_power_of_two().clamp(64, 1 << 16);
        Self {
            times: vec![SimTime::NEVER; entities],
            first: NOBODY,
            heads: vec![NONE; buckets],
            occupied: vec![0; buckets / 64],
            cursor: buckets,
            notes: Vec::new(),
            free: NONE,
            origin: SimTime::ZERO,
            bits: 0,
        }
    }

    /// Makes room for `entities`, keeping what is due.
    pub fn grow(&mut self, entities: usize) {
        if entities > self.times.len() {
            let mut grown = Self::new(entities);
            grown.times[..self.times.len()].copy_from_slice(&self.times);
            grown.start_anew();
            *self = grown;
        }
    }

    /// Sets the due time of an entity; `SimTime::NEVER` for none.
    #[inline]
    pub fn set(&mut self, entity: usize, at: SimTime) {
        self.times[entity] = at;
        let entity = entity as u32;
        let bucket = (at.0.saturating_sub(self.origin.0) >> self.bits) as usize;
        if bucket < self.heads.len() && at != SimTime::NEVER {
            self.note(bucket, at, entity);
        }
        if (at, entity) < self.first {
            self.first = (at, entity);
        } else if entity == self.first.1 {
            self.find();
        }
    }

    /// The earliest due time; `SimTime::NEVER` when nothing is due.
    #[must_use]
    #[inline]
    pub fn time(&self) -> SimTime {
        self.first.0
    }

    /// The entity that is due first; among equals the one with the smallest index. Something must be
    /// due.
    #[must_use]
    #[inline]
    pub fn entity(&self) -> usize {
        self.first.1 as usize
    }

    /// Calls `each` for entities that are due before `until`, in order of buckets; where the wheel ends
    /// before, not for all of them.
    pub fn each_due(&self, until: SimTime, mut each: impl FnMut(usize)) {
        let last = (until.0.saturating_sub(self.origin.0) >> self.bits) as usize;
        let mut next = self.occupied_from(self.cursor);
        while let Some(bucket) = next.filter(|&bucket| bucket <= last) {
            let mut index = self.heads[bucket];
            while let Some(note) = self.notes.get(index as usize) {
                let entity = note.entity as usize;
                if note.at < until && self.times[entity] == note.at {
                    each(entity);
                }
                index = note.next;
            }
            next = self.occupied_from(bucket + 1);
        }
    }

    #[inline]
    fn note(&mut self, bucket: usize, at: SimTime, entity: u32) {
        let note = Note {
            at,
            entity,
            next: self.heads[bucket],
        };
        let index = self.free;
        if let Some(unused) = self.notes.get_mut(index as usize) {
            self.free = unused.next;
            *unused = note;
            self.heads[bucket] = index;
        } else {
            self.heads[bucket] = self.notes.len() as u32;
            self.notes.push(note);
        }
        self.occupied[bucket / 64] |= 1 << (bucket % 64);
        self.cursor = self.cursor.min(bucket);
    }

    /// Looks for the first, given that it is nobody before the cursor.
    fn find(&mut self) {
        loop {
            let Some(bucket) = self.occupied_from(self.cursor) else {
                self.cursor = self.heads.len();
                self.start_anew();
                return;
            };
            self.cursor = bucket;
            let first = self.first_in(bucket);
            if first != NOBODY {
                self.first = first;
                return;
            }
            self.occupied[bucket / 64] &= !(1 << (bucket % 64));
        }
    }

    /// The first bucket with notes from one on.
    #[inline]
    fn occupied_from(&self, bucket: usize) -> Option<usize> {
        let mut word = bucket / 64;
        let mut bits = self.occupied.get(word)? & (u64::MAX << (bucket % 64));
        while bits == 0 {
            word += 1;
            bits = *self.occupied.get(word)?;
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }

    /// The first in a bucket; notes that no longer hold are taken out on the way.
    #[inline]
    fn first_in(&mut self, bucket: usize) -> (SimTime, u32) {
        let mut first = NOBODY;
        let (mut kept, mut index) = (NONE, self.heads[bucket]);
        while let Some(&note) = self.notes.get(index as usize) {
            if self.times[note.entity as usize] == note.at {
                first = first.min((note.at, note.entity));
                kept = index;
            } else {
                if kept == NONE {
                    self.heads[bucket] = note.next;
                } else {
                    self.notes[kept as usize].next = note.next;
                }
                self.notes[index as usize].next = self.free;
                self.free = index;
            }
            index = note.next;
        }
        first
    }

    /// The wheel has turned: it begins at what is due first now, and reaches twice as far as what is due
    /// lies behind that on average.
    #[cold]
    fn start_anew(&mut self) {
        self.first = NOBODY;
        let due = |time: &SimTime| *time != SimTime::NEVER;
        let Some(&origin) = self.times.iter().filter(|time| due(time)).min() else {
            return;
        };
        let (mut behind, mut count) = (0_u128, 0_u128);
        for &time in self.times.iter().filter(|time| due(time)) {
            behind += u128::from((time - origin).0);
            count += 1;
        }
        let reach = 2 * behind / count / self.heads.len() as u128;
        self.origin = origin;
        // Less than 2^64 / 64, so that no bucket is numbered beyond what a shift can give.
        self.bits = u128::BITS - reach.leading_zeros();
        for entity in 0..self.times.len() {
            let at = self.times[entity];
            let bucket = ((at.0 - origin.0) >> self.bits) as usize;
            if at != SimTime::NEVER && bucket < self.heads.len() {
                self.note(bucket, at, entity as u32);
                self.first = self.first.min((at, entity as u32));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn the_wheel_agrees_with_a_scan() {
        let mut stream = Seed(3).stream("des", "wheel", 0);
        for (entities, reach) in [
            (1_usize, 9),
            (2, 50),
            (3, 1 << 40),
            (7, 50),
            (100, 50),
            (500, 5000),
        ] {
            let mut wheel = Earliest::new(entities);
            let mut times = vec![SimTime::NEVER; entities];
            let mut now = 0;
            for _ in 0..5000 {
                let entity = stream.below(entities as u64) as usize;
                times[entity] = match stream.below(8) {
                    0 => SimTime::NEVER,
                    1 => SimTime(now + stream.below(50 * reach)),
                    _ => SimTime(now + stream.below(reach)),
                };
                wheel.set(entity, times[entity]);
                let first = (0..entities)
                    .min_by_key(|&i| (times[i], i))
                    .expect("not empty");
                assert_eq!(wheel.time(), times[first]);
                if times[first] == SimTime::NEVER {
                    continue;
                }
                assert_eq!(wheel.entity(), first);
                // As in a simulation, what is due is handled, and time goes on.
                if stream.chance(0.4) {
                    now = times[first].0;
                    times[first] = SimTime(now + stream.below(reach));
                    wheel.set(first, times[first]);
                }
            }
        }
    }

    #[test]
    fn who_is_due_soon_is_known() {
        let mut wheel = Earliest::new(100);
        (0..100).for_each(|entity| wheel.set(entity, SimTime(10 * entity as u64)));
        wheel.set(3, SimTime(500));
        let mut due = Vec::new();
        wheel.each_due(SimTime(61), |entity| due.push(entity));
        due.sort_unstable();
        assert_eq!(due, [0, 1, 2, 4, 5, 6]);
    }

    #[test]
    fn growing_keeps_what_is_due() {
        let mut wheel = Earliest::new(2);
        wheel.set(1, SimTime(5));
        wheel.grow(50);
        wheel.set(49, SimTime(7));
        assert_eq!((wheel.time(), wheel.entity()), (SimTime(5), 1));
        wheel.set(1, SimTime::NEVER);
        assert_eq!((wheel.time(), wheel.entity()), (SimTime(7), 49));
        wheel.set(49, SimTime::NEVER);
        assert_eq!(wheel.time(), SimTime::NEVER);
    }
}
