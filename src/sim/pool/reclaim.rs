//! Reclaim: a tier that has more than its share gives a place back at the end of the iteration.
//!
//! Somebody waits, no place that he fits in is free, and the tier that has the most for its share has more than his
//! tier would have with one place more: then of that tier the last to have come is interrupted, where memory then
//! suffices for who takes his place. Everybody who is interrupted for somebody is replaced by him at that instant, so
//! there are no more of them than places are needed; `share` says why nobody takes the place back. Where one line
//! serves all, the replicas give in turn. Who exceeds his limit, because it was lowered or the pool has become smaller,
//! gives back what exceeds it, whoever waits. A replica that takes nobody more gives nothing back.

use std::ops::Range;

use super::Pool;
use crate::sim::request::Place;

impl Pool {
    /// Of a tier on a replica the last to have come, among equals the one with the most left to do.
    fn last_of(&self, index: usize, tier: u8) -> Option<u32> {
        let is_of = |&slot: &u32| {
            self.attempts.place(slot) == Place::Running
                && self.attempts.get(slot).request.tier == tier
        };
        let members = self.replicas[index].members().filter(is_of);
        members.max_by_key(|&slot| self.attempts.get(slot).at)
    }

    /// Who of a tier gives his place, and with it his memory, to the head of the line.
    fn gives_back(&self, index: usize, tier: u8, head: u32) -> Option<u32> {
        // At the end of an iteration places may be free that are not on record as such yet.
        let is_free = self.replicas[index].len() < self.places && self.fits(index, head);
        if is_free || !self.takes_requests(index) {
            return None;
        }
        let last = self.last_of(index, tier)?;
        self.fits_instead(index, head, last).then_some(last)
    }

    /// The replicas that a line serves.
    fn replicas_of(&self, line: usize) -> Range<usize> {
        match self.terms.is_central {
            true => 0..self.replicas.len(),
            false => line..self.replicas.len().min(line + 1),
        }
    }

    /// A replica that has a place in which the head of a line fits.
    fn free_for(&mut self, line: usize, head: u32) -> Option<usize> {
        if self.terms.is_central {
            let emptiest = self.occupancy.emptiest(self.places)? as usize;
            if self.fits(emptiest, head) {
                return Some(emptiest);
            }
        }
        self.replicas_of(line).find(|&index| {
            self.replicas[index].len() < self.places
                && self.is_ready(index)
                && self.fits(index, head)
        })
    }

    /// The head of a line, and the tier that owes it a place.
    fn owed(&mut self, line: usize) -> Option<(u32, u8)> {
        let head = self.lines.get_mut(line)?.head(&self.attempts)?;
        let taker = self.attempts.get(head).request.tier;
        Some((head, self.lines[line].giver(taker)?))
    }

    /// Whether places are reclaimed now.
    fn reclaims(&self) -> bool {
        self.terms.is_shared && self.terms.is_preemptive && !self.stopped
    }

    /// Somebody has come to wait, or the head of a line has changed: if a tier owes it a place, a replica looks at its
    /// batch at the end of the iteration.
    pub(super) fn reclaim_soon(&mut self, line: usize) {
        if !self.reclaims() {
            return;
        }
        let Some((head, giver)) = self.owed(line) else {
            return;
        };
        if let Some(free) = self.free_for(line, head) {
            self.look_soon(free);
            return;
        }
        let replicas = self.replicas_of(line);
        let turn = self.giving_turn.min(replicas.end).max(replicas.start);
        let mut in_turn = (turn..replicas.end).chain(replicas.start..turn);
        if let Some(index) = in_turn.find(|&index| self.gives_back(index, giver, head).is_some()) {
            if self.terms.is_central {
                self.giving_turn = index + 1;
            }
            self.look_soon(index);
        }
    }

    /// The rules or the replicas have changed: all who hold what is owed, or who exceed a limit, look at their batches.
    pub(super) fn reclaim_soon_anywhere(&mut self) {
        if !self.reclaims() {
            return;
        }
        for line in 0..self.lines.len() {
            let owed = self.owed(line);
            let free = owed.and_then(|(head, _)| self.free_for(line, head));
            for index in self.replicas_of(line) {
                let gives =
                    owed.is_some_and(|(head, giver)| self.gives_back(index, giver, head).is_some());
                let looks = free.map_or(gives, |free| free == index);
                if looks || self.exceeds(index).is_some() {
                    self.look_soon(index);
                }
            }
        }
    }

    /// Who on a replica is the last of a tier that exceeds its limit.
    fn exceeds(&self, index: usize) -> Option<u32> {
        if !self.takes_requests(index) {
            return None;
        }
        let line = self.lines.get(self.line_of(Some(index as u32)))?;
        line.over_limit().find_map(|tier| self.last_of(index, tier))
    }

    fn look_soon(&mut self, index: usize) {
        if let Some(time) = self.replicas[index].change_soon(self.clock, &self.curve) {
            self.changes.set(index, time);
        }
    }

    /// At the end of an iteration: what exceeds a limit and what is owed is given back.
    pub(super) fn reclaim(&mut self, index: usize) {
        while let Some(last) = self.exceeds(index) {
            self.interrupt_one(index, last);
        }
        let line = self.line_of(Some(index as u32));
        while let Some((head, giver)) = self.owed(line)
            && self.free_for(line, head).is_none()
            && let Some(last) = self.gives_back(index, giver, head)
        {
            if self.drops(index, head, Some(last)) {
                self.drop_head(line, head);
                continue;
            }
            self.interrupt_one(index, last);
            if let Some(next) = self.take_next(index) {
                self.begin(index, next);
                self.join(index, next);
            }
        }
    }
}
