//! Fixed batches: static batching, where a batch starts as a whole and leaves as a whole.

use super::{Due, Pool};
use crate::scenario::Batching;
use crate::units::SimTime;

impl Pool {
    /// Starts a batch on an idle replica, if enough wait or the next in line has waited long enough.
    pub(super) fn fill_static(&mut self, index: usize) {
        let Batching::Static { minimum, window } = self.rules.policy.batching else {
            return;
        };
        if !self.replicas[index].is_idle() {
            return;
        }
        let line = self.line_of(Some(index as u32));
        let Some(head) = self.lines[line].head(&self.attempts) else {
            return;
        };
        let waited = self.clock - self.attempts.get(head).at;
        if self.lines[line].len() < minimum as usize && waited < window {
            return;
        }
        let mut taken = 0;
        while taken < self.batch_limit {
            let Some(slot) = self.take_next(index) else {
                break;
            };
            self.begin(index, slot);
            self.join(index, slot);
            taken += 1;
        }
        self.replicas[index].leave_together();
        self.tally.batches += u64::from(taken > 0);
        self.tally.batched += taken as u64;
        self.watch_window(line);
    }

    /// Static batching: wakes up when the first in line has waited for others long enough.
    pub(super) fn watch_window(&mut self, line: usize) {
        let Batching::Static { window, .. } = self.rules.policy.batching else {
            return;
        };
        let Some(head) = self.lines[line].head(&self.attempts) else {
            return;
        };
        let due = self.attempts.get(head).at + window;
        if due > self.clock && due != SimTime::NEVER {
            self.timers
                .set(due, Due::window(self.attempts.ticket(head)));
        }
    }
}
