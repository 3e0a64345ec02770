//! Ahead: what the next few hundred events will need is asked for together.
//!
//! At full scale nothing that a request needs is in the cache. One by one each word would be waited for when its
//! turn comes; asked for in a loop, the loads overlap. Where one word says where the next lies, the first must be
//! near before the second can be asked for, so this goes stage by stage: attempts, replicas, batches, and the
//! attempts in them.

use super::Pool;
use crate::des::sift;
use crate::sim::replica::Replica;
use crate::sim::request::{Arrival, Place, Ticket};
use crate::units::{SimDuration, SimTime};

/// Who is asked for; the memory is used again.
#[derive(Clone, Debug, Default)]
pub(super) struct Ahead {
    slots: Vec<u32>,
    /// Of those who lose patience, who runs.
    running: Vec<u32>,
    replicas: Vec<u32>,
}

/// So many attempts are near anyhow.
const NEAR: usize = 4096;
/// What so many arrivals bring about fits into the cache next to a core.
const ARRIVALS: usize = 128;
/// Tickets in a line whose attempt has left it, and replicas that two leave.
const SPARE: usize = 16;

impl Pool {
    /// Asks for who will leave, start or lose patience in [from, until), or for the first of them. Returns until
    /// when this suffices.
    pub(super) fn fetch(&mut self, from: SimTime, until: SimTime, inbox: &[&[Arrival]]) -> SimTime {
        if self.attempts.len() < NEAR {
            return until;
        }
        // In a window people arrive at about the same rate throughout.
        let waiting: usize = self.incoming.to_come(inbox).map(<[_]>::len).sum();
        let parts = waiting.div_ceil(ARRIVALS).max(1) as u64;
        let until = from + SimDuration((until - from).0.div_ceil(parts));
        let coming = self.incoming.to_come(inbox).flat_map(|arrivals| {
            let soon = |arrival: &&Arrival| arrival.at < until;
            arrivals.iter().take_while(soon)
        });
        let coming = coming.fold(0, |all, arrival| all ^ arrival.patience_ns);
        let mut ahead = std::mem::take(&mut self.ahead);
        let seen = self.fetch_losing(until, &mut ahead)
            ^ self.fetch_batches(until, &mut ahead)
            ^ self.fetch_starting(&mut ahead);
        std::hint::black_box(seen ^ coming);
        self.ahead = ahead;
        until
    }

    /// Those who lose patience; who runs names his replica, whose batch changes early.
    fn fetch_losing(&self, until: SimTime, ahead: &mut Ahead) -> u64 {
        let losing = self.timers.upcoming(until).iter();
        ahead.slots.clear();
        ahead
            .slots
            .extend(losing.map(|(_, due)| due.ticket().slot()));
        let seen = self.attempts.fetch(&ahead.slots);
        let runs = |&slot: &u32| self.attempts.place(slot) == Place::Running;
        ahead.running.clear();
        sift(&mut ahead.running, &ahead.slots, runs);
        let running = ahead.running.iter();
        ahead.replicas.clear();
        let replicas = running.map(|&slot| self.attempts.get(slot).replica);
        ahead.replicas.extend(replicas);
        seen
    }

    /// Replicas whose batch changes; their batches: where somebody cancels, all who might be it, else both ends; and
    /// who leaves.
    fn fetch_batches(&self, until: SimTime, ahead: &mut Ahead) -> u64 {
        let early = ahead.replicas.len();
        self.changes.due_before(until, &mut ahead.replicas);
        let replica = |&index: &u32| &self.replicas[index as usize];
        let replicas = ahead.replicas.iter().map(replica);
        let mut seen = replicas
            .clone()
            .fold(0, |all, replica| all ^ replica.word());
        seen ^= replicas.fold(0, |all, replica| all ^ replica.ends());
        let (early, due) = ahead.replicas.split_at(early);
        let all = early.iter().map(replica).flat_map(Replica::members);
        seen ^= all.fold(0, |all, slot| all ^ u64::from(slot));
        ahead.slots.clear();
        for due in due.iter().map(replica) {
            ahead.slots.extend_from_slice(&due.leaving());
        }
        seen ^ self.attempts.fetch(&ahead.slots)
    }

    /// Those who start where others leave.
    fn fetch_starting(&self, ahead: &mut Ahead) -> u64 {
        let Some(line) = self.lines.first().filter(|_| self.terms.is_central) else {
            return 0;
        };
        ahead.slots.clear();
        let starting = line.upcoming(ahead.replicas.len() + SPARE);
        ahead.slots.extend(starting.map(Ticket::slot));
        self.attempts.fetch(&ahead.slots)
    }
}
