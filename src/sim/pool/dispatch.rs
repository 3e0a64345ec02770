//! Dispatch: which replica's line an attempt joins, where each replica has its own.

use super::Pool;
use crate::scenario::Dispatch;

impl Pool {
    /// Which replica's line an attempt joins, where each has its own; one must serve.
    pub(super) fn choose_replica(&mut self) -> u32 {
        let count = self.serving();
        let chosen = match self.rules.policy.dispatch {
            Dispatch::Central | Dispatch::Random => self.draw(count),
            Dispatch::RoundRobin => {
                self.turn = (self.turn + 1) % count;
                self.serving_at(self.turn)
            }
            Dispatch::PowerOfD(choices) => {
                let mut best = self.draw(count);
                for _ in 1..choices {
                    let other = self.draw(count);
                    if self.held_at(other) < self.held_at(best) {
                        best = other;
                    }
                }
                best
            }
            Dispatch::JoinShortest => self.shortest(),
        };
        chosen as u32
    }

    /// The replica that holds the fewest attempts, any of them when there are several.
    fn shortest(&mut self) -> usize {
        let (mut best, mut ties) = (self.serving_at(0), 1_u64);
        for number in 1..self.serving() {
            let other = self.serving_at(number);
            match self.held_at(other).cmp(&self.held_at(best)) {
                std::cmp::Ordering::Less => (best, ties) = (other, 1),
                std::cmp::Ordering::Equal => {
                    ties += 1;
                    if self.dispatch_stream.below(ties) == 0 {
                        best = other;
                    }
                }
                std::cmp::Ordering::Greater => {}
            }
        }
        best
    }

    /// Attempts on a replica and in its line.
    fn held_at(&self, index: usize) -> usize {
        self.replicas[index].len() + self.lines[index].len()
    }

    /// Any of those that serve.
    fn draw(&mut self, count: usize) -> usize {
        let number = self.dispatch_stream.below(count as u64) as usize;
        self.serving_at(number)
    }
}
