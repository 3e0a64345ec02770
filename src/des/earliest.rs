//! Which of a fixed set of entities is due first.

use super::sift;
use crate::units::SimTime;

/// One due time for each of n entities, the earliest at hand: a tournament after Knuth (1973), in which
/// eight meet at a time, as many as fill a cache line. When a time is set, its entity plays its matches again,
/// up to the final or the first that ends as it did before: log8(n) at most.
///
/// A player is one word, his time above his number. So a match is the minimum of eight words, and among
/// equals the smallest number wins. For this, times count from an origin; who is due too far from it
/// plays as if he were due at the end of what fits.
#[derive(Clone, Debug)]
pub struct Earliest {
    /// By entity.
    times: Vec<SimTime>,
    /// The earliest.
    first: SimTime,
    /// Who won the final.
    winner: u64,
    /// The final, then round after round down to the first, in which the entities are. Places are
    /// numbered through, and the winner of match m has place m - 1.
    matches: Vec<Match>,
    /// The place of entity 0.
    places_above: usize,
    /// log2 of what no number of an entity reaches.
    bits: u32,
    origin: SimTime,
    /// Times that differ less from the origin fit into a word.
    reach: u64,
}

/// Those who meet.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Match([u64; WAYS]);

const WAYS: usize = 8;
/// Nothing is due for him, or he is nobody.
const NEVER: u64 = u64::MAX;

impl Match {
    #[inline]
    fn winner(&self) -> u64 {
        let [a, b, c, d, e, f, g, h] = self.0;
        let (one, other) = (a.min(b).min(c.min(d)), e.min(f).min(g.min(h)));
        one.min(other)
    }
}

impl Earliest {
    /// `entities` entities for which nothing is due.
    #[must_use]
    pub fn new(entities: usize) -> Self {
        let first_round = entities.div_ceil(WAYS).max(1);
        let (mut above, mut round) = (0, 1);
        while round < first_round {
            above += round;
            round *= WAYS;
        }
        let bits = usize::BITS - entities.saturating_sub(1).leading_zeros();
        Self {
            times: vec![SimTime::NEVER; entities],
            first: SimTime::NEVER,
            winner: NEVER,
            matches: vec![Match([NEVER; WAYS]); above + first_round],
            places_above: above * WAYS,
            bits,
            origin: SimTime::ZERO,
            reach: (NEVER >> bits) - 1,
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
        if at >= self.origin {
            self.play(entity, self.player(entity, at));
        } else {
            self.start_anew();
        }
        let since = self.winner >> self.bits;
        if since < self.reach {
            self.first = SimTime(self.origin.0 + since);
        } else {
            self.look_beyond();
        }
    }

    /// The earliest due time; `SimTime::NEVER` when nothing is due.
    #[must_use]
    #[inline]
    pub fn time(&self) -> SimTime {
        self.first
    }

    /// The entity that is due first; among equals the one with the smallest index. Something must be
    /// due.
    #[must_use]
    #[inline]
    pub fn entity(&self) -> usize {
        (self.winner & !(NEVER << self.bits)) as usize
    }

    /// Appends the entities that are due before `until`, as far as times fit into words, of under 2^31. Goes down from the
    /// final round by round, each match in which somebody is due sending the winners among its players.
    pub fn due_before(&self, until: SimTime, due: &mut Vec<u32>) {
        let since = until.0.saturating_sub(self.origin.0).min(self.reach);
        let limit = since << self.bits;
        let (begin, mut above) = (due.len(), 0);
        // First matches, then places in them, which are the matches of the next round.
        due.push(0);
        loop {
            let end = due.len();
            for next in begin..end {
                let index = due[next] as usize;
                let places: [u32; WAYS] = std::array::from_fn(|way| (index * WAYS + way) as u32);
                let players = &self.matches[index].0;
                let is_due = |&place: &u32| players[place as usize % WAYS] < limit;
                sift(due, &places, is_due);
            }
            due.drain(begin..end);
            if above == self.places_above {
                break;
            }
            // Who has place p won match p + 1.
            due[begin..].iter_mut().for_each(|place| *place += 1);
            above = (above + 1) * WAYS;
        }
        let above = self.places_above as u32;
        due[begin..].iter_mut().for_each(|place| *place -= above);
    }

    /// The word of an entity.
    #[inline]
    fn player(&self, entity: usize, at: SimTime) -> u64 {
        let since = (at - self.origin).0;
        if since < self.reach {
            since << self.bits | entity as u64
        } else if at == SimTime::NEVER {
            NEVER
        } else {
            self.reach << self.bits | entity as u64
        }
    }

    /// A player goes through its matches, up to the first that ends as it did before.
    #[inline]
    fn play(&mut self, entity: usize, player: u64) {
        let (mut place, mut player) = (self.places_above + entity, player);
        loop {
            let index = place / WAYS;
            let own = &mut self.matches[index].0[place % WAYS];
            if *own == player {
                return;
            }
            *own = player;
            player = self.matches[index].winner();
            if index == 0 {
                break;
            }
            place = index - 1;
        }
        self.winner = player;
    }

    /// No time that fits is the first.
    fn look_beyond(&mut self) {
        if self.winner == NEVER {
            self.first = SimTime::NEVER;
        } else {
            self.start_anew();
        }
    }

    /// Moves the origin, so that what is due first lies in the middle of what fits, and lets everybody
    /// play.
    #[cold]
    fn start_anew(&mut self) {
        self.first = self.times.iter().copied().min().unwrap_or(SimTime::NEVER);
        if self.first != SimTime::NEVER {
            self.origin = SimTime(self.first.0.saturating_sub(self.reach / 2));
        }
        for entity in 0..self.times.len() {
            self.play(entity, self.player(entity, self.times[entity]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn the_tournament_agrees_with_a_scan() {
        let mut stream = Seed(3).stream("des", "tournament", 0);
        for (entities, reach) in [
            (1_usize, 9),
            (8, 30),
            (9, 30),
            (64, 300),
            (65, 300),
            (2, 50),
            (3, 1 << 40),
            (7, 50),
            (100, 50),
            (500, 5000),
            (500, 1 << 50),
        ] {
            let mut due = Earliest::new(entities);
            let mut times = vec![SimTime::NEVER; entities];
            let mut now = 0;
            for _ in 0..5000 {
                let entity = stream.below(entities as u64) as usize;
                times[entity] = match stream.below(8) {
                    0 => SimTime::NEVER,
                    1 => SimTime(now + stream.below(50 * reach)),
                    _ => SimTime(now + stream.below(reach)),
                };
                due.set(entity, times[entity]);
                let first = (0..entities)
                    .min_by_key(|&i| (times[i], i))
                    .expect("not empty");
                assert_eq!(due.time(), times[first]);
                let until = SimTime(now + stream.below(reach));
                let before = |&entity: &u32| times[entity as usize] < until;
                let mut soon = Vec::new();
                due.due_before(until, &mut soon);
                assert!(soon.into_iter().eq((0..entities as u32).filter(before)));
                if times[first] == SimTime::NEVER {
                    continue;
                }
                assert_eq!(due.entity(), first);
                // As in a simulation, what is due is handled, and time goes on.
                if stream.chance(0.4) {
                    now = times[first].0;
                    times[first] = SimTime(now + stream.below(reach));
                    due.set(first, times[first]);
                }
            }
        }
    }

    #[test]
    fn times_that_do_not_fit_into_a_word_are_in_order_too() {
        let mut due = Earliest::new(500);
        let (near, far) = (SimTime(5), |by: u64| SimTime((1 << 60) + by));
        due.set(7, far(3));
        due.set(400, far(2));
        due.set(3, far(2));
        assert_eq!((due.time(), due.entity()), (far(2), 3));
        due.set(499, near);
        assert_eq!((due.time(), due.entity()), (near, 499));
        due.set(499, SimTime::NEVER);
        due.set(3, SimTime::NEVER);
        assert_eq!((due.time(), due.entity()), (far(2), 400));
        due.set(400, SimTime::NEVER);
        assert_eq!((due.time(), due.entity()), (far(3), 7));
        due.set(7, SimTime::NEVER);
        assert_eq!(due.time(), SimTime::NEVER);
    }

    #[test]
    fn who_is_due_soon_is_known() {
        let mut due = Earliest::new(100);
        (0..100).for_each(|entity| due.set(entity, SimTime(10 * entity as u64)));
        due.set(3, SimTime(500));
        let mut soon = vec![9];
        due.due_before(SimTime(61), &mut soon);
        assert_eq!(soon, [9, 0, 1, 2, 4, 5, 6]);
    }

    #[test]
    fn growing_keeps_what_is_due() {
        let mut due = Earliest::new(2);
        due.set(1, SimTime(5));
        due.grow(50);
        due.set(49, SimTime(7));
        assert_eq!((due.time(), due.entity()), (SimTime(5), 1));
        due.set(1, SimTime::NEVER);
        assert_eq!((due.time(), due.entity()), (SimTime(7), 49));
        due.set(49, SimTime::NEVER);
        assert_eq!(due.time(), SimTime::NEVER);
    }
}
