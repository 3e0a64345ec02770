//! A waiting line: who is next, by the queue order in force.
//!
//! Who leaves the line early is not searched for: his ticket goes stale and is skipped when it reaches
//! the head. A line is swept when stale tickets outnumber live ones, so its memory follows the number
//! of those who wait.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::request::{Attempts, Place, Ticket};
use crate::scenario::QueueOrder;
use crate::units::SimTime;

/// Those who wait in front of a replica, or of a whole pool.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    order: Order,
    /// Tickets that are not stale.
    live: usize,
    /// Tickets in all.
    held: usize,
    pushed: u64,
}

#[derive(Clone, Debug)]
enum Order {
    Fcfs(VecDeque<Ticket>),
    Lifo(Vec<Ticket>),
    /// One line for each priority, the first goes first.
    Priority(Vec<VecDeque<Ticket>>),
    Deadline(BinaryHeap<Reverse<(SimTime, u64, Ticket)>>),
}

impl Line {
    pub(crate) fn new(order: QueueOrder) -> Self {
        let order = match order {
            QueueOrder::Fcfs => Order::Fcfs(VecDeque::new()),
            QueueOrder::Lifo => Order::Lifo(Vec::new()),
            QueueOrder::Priority | QueueOrder::Preemptive => Order::Priority(Vec::new()),
            QueueOrder::Deadline => Order::Deadline(BinaryHeap::new()),
        };
        Self {
            order,
            live: 0,
            held: 0,
            pushed: 0,
        }
    }

    /// Number of those who wait.
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// Puts an attempt in its place: last of its priority, by its deadline, or first of all.
    pub(crate) fn push(&mut self, ticket: Ticket, priority: u8, deadline: SimTime) {
        match &mut self.order {
            Order::Fcfs(line) => line.push_back(ticket),
            Order::Lifo(line) => line.push(ticket),
            Order::Priority(lines) => {
                let index = usize::from(priority);
                if lines.len() <= index {
                    lines.resize_with(index + 1, VecDeque::new);
                }
                lines[index].push_back(ticket);
            }
            Order::Deadline(line) => line.push(Reverse((deadline, self.pushed, ticket))),
        }
        self.pushed += 1;
        self.live += 1;
        self.held += 1;
    }

    /// The slot of the next in line, who stays there.
    pub(crate) fn head(&mut self, attempts: &Attempts) -> Option<u32> {
        loop {
            let ticket = self.peek()?;
            match attempts.live(ticket) {
                Some(slot) if attempts.place(slot) == Place::Waiting => return Some(slot),
                _ => self.discard(),
            }
        }
    }

    /// Takes the head, which `head` has just returned, out of the line.
    pub(crate) fn pop_head(&mut self) {
        self.discard();
        self.live -= 1;
    }

    /// Puts an attempt before all others of its priority, in a line that has priorities.
    pub(crate) fn push_first(&mut self, ticket: Ticket, priority: u8) {
        self.push(ticket, priority, SimTime::ZERO);
        if let Order::Priority(lines) = &mut self.order {
            lines[usize::from(priority)].rotate_right(1);
        }
    }

    /// Somebody in the line has left it; the attempt is already freed.
    pub(crate) fn one_left(&mut self, attempts: &Attempts) {
        self.live -= 1;
        if self.held > 2 * self.live + 64 {
            self.sweep(attempts);
        }
    }

    /// Empties the line and gives the slots of all who wait, in their order.
    pub(crate) fn drain(&mut self, attempts: &Attempts) -> Vec<u32> {
        let mut slots = Vec::with_capacity(self.live);
        while let Some(slot) = self.head(attempts) {
            self.pop_head();
            slots.push(slot);
        }
        slots
    }

    fn peek(&self) -> Option<Ticket> {
        match &self.order {
            Order::Fcfs(line) => line.front().copied(),
            Order::Lifo(line) => line.last().copied(),
            Order::Priority(lines) => lines.iter().find_map(|line| line.front().copied()),
            Order::Deadline(line) => line.peek().map(|first| first.0.2),
        }
    }

    fn discard(&mut self) {
        match &mut self.order {
            Order::Fcfs(line) => drop(line.pop_front()),
            Order::Lifo(line) => drop(line.pop()),
            Order::Priority(lines) => {
                if let Some(line) = lines.iter_mut().find(|line| !line.is_empty()) {
                    line.pop_front();
                }
            }
            Order::Deadline(line) => drop(line.pop()),
        }
        self.held -= 1;
    }

    fn sweep(&mut self, attempts: &Attempts) {
        let waits = |ticket: &Ticket| {
            attempts
                .live(*ticket)
                .is_some_and(|slot| attempts.place(slot) == Place::Waiting)
        };
        match &mut self.order {
            Order::Fcfs(line) => line.retain(waits),
            Order::Lifo(line) => line.retain(waits),
            Order::Priority(lines) => lines.iter_mut().for_each(|line| line.retain(waits)),
            Order::Deadline(line) => line.retain(|entry| waits(&entry.0.2)),
        }
        self.held = self.live;
    }
}
