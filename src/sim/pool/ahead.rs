//! Ahead: what the next few hundred events will need is asked for together.
//!
//! At full scale nothing that a request needs is in the cache. One by one each word would be waited for when its
//! turn comes; asked for in a loop, the loads overlap. Where one word says where the next lies, the first must be
//! near before the second can be asked for, so this goes stage by stage: attempts, replicas, batches, and the
//! attempts in them.

use super::Pool;
use crate::sim::request::{Arrival, Place, Ticket};
use crate::units::{SimDuration, SimTime};

/// Who is asked for; the memory is used again.
#[derive(Clone, Debug, Default)]
pub(super) struct Ahead {
    slots: Vec<u32>,
    replicas: Vec<u32>,
}

/// So many attempts are near anyhow.
const NEAR: usize = 4096;
/// What so many arrivals bring about fits into the cache next to a core.
const ARRIVALS: usize = 256;
/// More seldom leave a replica in that time.
const LEAVING: usize = 3;

impl Pool {
    /// Asks for who will leave, start or lose patience before `until`, or for the first of them. Returns until
    /// when this suffices.
    pub(super) fn fetch(&mut self, until: SimTime, inbox: &[&[Arrival]]) -> SimTime {
        if self.attempts.len() < NEAR {
            return until;
        }
        let is_first = self.incoming.is_first();
        // In a window people arrive at about the same rate throughout.
        let waiting: usize = self.incoming.waiting(inbox).map(<[_]>::len).sum();
        let parts = waiting.div_ceil(ARRIVALS).max(1) as u64;
        let until = self.clock + SimDuration((until - self.clock).0.div_ceil(parts));
        let coming = self.incoming.waiting(inbox).flat_map(|arrivals| {
            let soon = |arrival: &&Arrival| arrival.at < until;
            arrivals.iter().take_while(soon)
        });
        let coming = coming.fold(0, |all, arrival| all ^ arrival.patience_ns);
        let mut ahead = std::mem::take(&mut self.ahead);
        let seen = self.fetch_attempts(is_first, until, &mut ahead)
            ^ self.fetch_batches(until, &mut ahead);
        std::hint::black_box(seen ^ coming);
        self.ahead = ahead;
        until
    }

    /// Those who start or lose patience; of the latter who runs names his replica, whose batch changes early.
    fn fetch_attempts(&self, is_first: bool, until: SimTime, ahead: &mut Ahead) -> u64 {
        ahead.slots.clear();
        ahead.replicas.clear();
        let losing = self.timers.upcoming(until).map(|due| due.ticket());
        ahead.slots.extend(losing.map(Ticket::slot));
        let count = ahead.slots.len();
        // What is next in line was asked for the last time, unless this is the first.
        let known = if is_first { 0 } else { ARRIVALS };
        let line = self.lines.iter().take(1);
        let starting = line.flat_map(|line| line.upcoming(known, 3 * ARRIVALS - known));
        ahead.slots.extend(starting.map(Ticket::slot));
        let seen = self.attempts.fetch(&ahead.slots);
        let losing = ahead.slots[..count].iter();
        let running = losing.filter(|&&slot| self.attempts.place(slot) == Place::Running);
        let replicas = running.map(|&slot| self.attempts.get(slot).replica);
        ahead.replicas.extend(replicas);
        seen
    }

    /// Replicas whose batch changes, and who is in it: all whose state is looked at, those who leave.
    fn fetch_batches(&self, until: SimTime, ahead: &mut Ahead) -> u64 {
        let early = ahead.replicas.len();
        let due = &mut ahead.replicas;
        self.changes
            .each_due(until, |replica| due.push(replica as u32));
        let replica = |&index: &u32| &self.replicas[index as usize];
        let mut seen = due
            .iter()
            .map(replica)
            .fold(0, |all, replica| all ^ replica.word());
        let (early, due) = ahead.replicas.split_at(early);
        ahead.slots.clear();
        let all = |index: &u32| replica(index).members();
        ahead.slots.extend(early.iter().flat_map(all));
        seen ^= self.attempts.fetch_states(&ahead.slots);
        ahead.slots.clear();
        let leaving = |index: &u32| replica(index).leaving(LEAVING);
        ahead.slots.extend(due.iter().flat_map(leaving));
        seen ^ self.attempts.fetch(&ahead.slots)
    }
}
