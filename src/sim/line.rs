//! A waiting line: who is next, by the queue order in force.
//!
//! Who leaves the line early is not searched for: his ticket goes stale and is skipped when it reaches
//! the head. A line is swept when stale tickets outnumber live ones, so its memory follows the number
//! of those who wait.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use super::request::{Attempts, Ticket};
use super::share::{Balance, Shares};
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
}

#[derive(Clone, Debug)]
enum Order {
    /// The first come of the first queue that is not empty: one for each priority, or one for all. No queue before
    /// `first` has anybody.
    Queues {
        queues: Vec<VecDeque<Ticket>>,
        first: usize,
        by_priority: bool,
    },
    /// The first come of the tier that is next by its share: one queue for each.
    Shares(Vec<VecDeque<Ticket>>, Box<Balance>),
    Lifo(Vec<Ticket>),
    /// By deadline, then by number.
    Deadline(BinaryHeap<Reverse<(SimTime, u64, Ticket)>>, u64),
}

impl Line {
    pub(crate) fn new(order: QueueOrder) -> Self {
        let queues = |by_priority| Order::Queues {
            queues: vec![VecDeque::new()],
            first: 0,
            by_priority,
        };
        let order = match order {
            QueueOrder::Fcfs => queues(false),
            QueueOrder::Priority | QueueOrder::Preemptive => queues(true),
            QueueOrder::Shares => Order::Shares(Vec::new(), Box::default()),
            QueueOrder::Lifo => Order::Lifo(Vec::new()),
            QueueOrder::Deadline => Order::Deadline(BinaryHeap::new(), 0),
        };
        Self {
            order,
            live: 0,
            held: 0,
        }
    }

    /// Number of those who wait.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// Where tiers have shares: what they are entitled to from now on.
    pub(crate) fn entitle(&mut self, shares: &Arc<Shares>) {
        if let Order::Shares(queues, balance) = &mut self.order {
            balance.entitle(shares);
            queues.resize_with(shares.tiers(), VecDeque::new);
        }
    }

    /// Where tiers have shares: one of a tier has taken a place before this line.
    pub(crate) fn place_taken(&mut self, tier: u8) {
        if let Order::Shares(_, balance) = &mut self.order {
            balance.takes(usize::from(tier));
        }
    }

    /// Where tiers have shares: one of a tier has left a place before this line.
    pub(crate) fn place_left(&mut self, tier: u8) {
        if let Order::Shares(_, balance) = &mut self.order {
            balance.leaves(usize::from(tier));
        }
    }

    /// Where tiers have shares: the tier that has the most for its share, if one for whom somebody waits would have
    /// less even with one place more.
    pub(crate) fn giver(&self, taker: u8) -> Option<u8> {
        match &self.order {
            Order::Shares(_, balance) => balance.giver(usize::from(taker)).map(|tier| tier as u8),
            _ => None,
        }
    }

    /// Where tiers have shares: who has more places than his limit.
    pub(crate) fn over_limit(&self) -> impl Iterator<Item = u8> {
        let balance = match &self.order {
            Order::Shares(_, balance) => Some(balance),
            _ => None,
        };
        let tiers = balance.into_iter().flat_map(|balance| balance.over_limit());
        tiers.map(|tier| tier as u8)
    }

    /// Whether one of a tier who comes now need not wait for somebody else, or for his tier's limit.
    #[inline]
    pub(crate) fn is_open_to(&mut self, tier: u8, attempts: &Attempts) -> bool {
        match &self.order {
            Order::Shares(_, balance) => {
                balance.has_room(usize::from(tier)) && self.head(attempts).is_none()
            }
            _ => self.live == 0,
        }
    }

    /// Puts an attempt in its place: last of its priority or tier, by its deadline, or first of all.
    #[inline]
    pub(crate) fn push(
        &mut self,
        ticket: Ticket,
        tier: u8,
        priority: u8,
        deadline: impl Fn() -> SimTime,
    ) {
        self.live += 1;
        self.held += 1;
        match &mut self.order {
            Order::Queues {
                queues,
                first,
                by_priority,
            } => {
                let index = usize::from(priority) * usize::from(*by_priority);
                if queues.len() <= index {
                    queues.resize_with(index + 1, VecDeque::new);
                }
                queues[index].push_back(ticket);
                *first = index.min(*first);
            }
            Order::Shares(queues, _) => queues[usize::from(tier)].push_back(ticket),
            Order::Lifo(line) => line.push(ticket),
            Order::Deadline(line, pushed) => {
                line.push(Reverse((deadline(), *pushed, ticket)));
                *pushed += 1;
            }
        }
    }

    /// The slot of the next in line, who stays there.
    #[inline]
    pub(crate) fn head(&mut self, attempts: &Attempts) -> Option<u32> {
        // Mostly nobody waits where not all are busy; tickets that are stale stay then.
        while self.live > 0 {
            let slot = attempts.waiting(self.peek()?);
            if slot.is_some() {
                return slot;
            }
            self.discard();
        }
        None
    }

    /// Takes the head, which `head` has just returned, out of the line.
    #[inline]
    pub(crate) fn pop_head(&mut self) {
        self.discard();
        self.live -= 1;
    }

    /// Puts an attempt before all others of its priority or tier, in a line that has priorities or shares.
    pub(crate) fn push_first(&mut self, ticket: Ticket, tier: u8, priority: u8) {
        self.push(ticket, tier, priority, || SimTime::ZERO);
        match &mut self.order {
            Order::Queues { queues, .. } => queues[usize::from(priority)].rotate_right(1),
            Order::Shares(queues, _) => queues[usize::from(tier)].rotate_right(1),
            Order::Lifo(_) | Order::Deadline(..) => {}
        }
    }

    /// Somebody in the line has left it; the attempt is already freed.
    pub(crate) fn one_left(&mut self, attempts: &Attempts) {
        self.live -= 1;
        if self.held > 2 * self.live + 64 {
            self.sweep(attempts);
        }
    }

    /// Empties the line and gives the slots of all who wait, in the order in which they would line up
    /// again: under LIFO the newest last.
    pub(crate) fn drain(&mut self, attempts: &Attempts) -> Vec<u32> {
        let mut slots = Vec::with_capacity(self.live);
        if let Order::Shares(queues, _) = &mut self.order {
            // Those at their limit too.
            let tickets = queues.iter_mut().flat_map(|queue| queue.drain(..));
            slots.extend(tickets.filter_map(|ticket| attempts.waiting(ticket)));
            (self.live, self.held) = (0, 0);
        }
        while let Some(slot) = self.head(attempts) {
            self.pop_head();
            slots.push(slot);
        }
        if matches!(self.order, Order::Lifo(_)) {
            slots.reverse();
        }
        slots
    }

    /// So many tickets from the head on, whoever may come in between.
    pub(crate) fn upcoming(&self, count: usize) -> impl Iterator<Item = Ticket> {
        let queues = match &self.order {
            Order::Queues { queues, .. } | Order::Shares(queues, _) => queues.as_slice(),
            Order::Lifo(_) | Order::Deadline(..) => &[],
        };
        queues.iter().flatten().copied().take(count)
    }

    /// The first ticket, stale or not; where queues go by priority, the next time begins at its queue.
    #[inline]
    fn peek(&mut self) -> Option<Ticket> {
        match &mut self.order {
            Order::Queues { queues, first, .. } => loop {
                let ticket = queues[*first].front();
                if ticket.is_some() || *first + 1 == queues.len() {
                    return ticket.copied();
                }
                *first += 1;
            },
            Order::Shares(queues, balance) => {
                let next = balance.next(|tier| !queues[tier].is_empty())?;
                queues[next].front().copied()
            }
            Order::Lifo(line) => line.last().copied(),
            Order::Deadline(line, _) => line.peek().map(|first| first.0.2),
        }
    }

    /// Takes out what `peek` has just returned.
    #[inline]
    fn discard(&mut self) {
        self.held -= 1;
        match &mut self.order {
            Order::Queues { queues, first, .. } => drop(queues[*first].pop_front()),
            Order::Shares(queues, balance) => {
                if let Some(next) = balance.next(|tier| !queues[tier].is_empty()) {
                    queues[next].pop_front();
                }
            }
            Order::Lifo(line) => drop(line.pop()),
            Order::Deadline(line, _) => drop(line.pop()),
        }
    }

    fn sweep(&mut self, attempts: &Attempts) {
        let waits = |ticket: &Ticket| attempts.waiting(*ticket).is_some();
        match &mut self.order {
            Order::Queues { queues, .. } | Order::Shares(queues, _) => {
                queues.iter_mut().for_each(|line| line.retain(waits));
            }
            Order::Lifo(line) => line.retain(waits),
            Order::Deadline(line, _) => line.retain(|entry| waits(&entry.0.2)),
        }
        self.held = self.live;
    }
}
