//! Who gives back what he has borrowed.

use meltpoint::scenario::{QueueOrder, Reclaim};

use crate::simulator::Simulator;

impl Simulator {
    fn reclaims(&self) -> bool {
        let policy = &self.rules.policy;
        policy.order == QueueOrder::Shares
            && policy.reclaim == Reclaim::Interrupt
            && !self.is_static()
    }

    /// Places of a class before a line for its share, with so many more.
    fn has(&self, line: usize, class: usize, more: usize) -> f64 {
        (self.places_of(line, class) + more) as f64 / self.rules.tiers[class].share
    }

    /// Who heads a line without a place being free for him, if some class has more for its share than his own has with
    /// one place more; and the class that has the most, of equals the last.
    fn owed(&self, line: usize) -> Option<(usize, usize)> {
        let head = self.head(line)?;
        let of = self.tries[head].class;
        let mut giver = 0;
        for class in 1..self.rules.tiers.len() {
            if self.has(line, class, 0) >= self.has(line, giver, 0) {
                giver = class;
            }
        }
        if self.has(line, giver, 0) <= self.has(line, of, 1) {
            return None;
        }
        let emptiest = self.emptiest().filter(|_| self.is_central());
        match emptiest {
            Some(free) if self.fits(free, head) => None,
            _ => Some((head, giver)),
        }
    }

    /// Of a class on a replica who came last; of equals with the most left to do.
    fn last_of(&self, index: usize, class: usize) -> Option<usize> {
        let batch = self.replicas[index].batch.iter().copied();
        let of = batch.filter(|&which| {
            let of = &self.tries[which];
            of.class == class && !of.cancelled
        });
        of.max_by_key(|&which| {
            let of = &self.tries[which];
            (of.at, of.leaves_after - of.iterations_done)
        })
    }

    /// Who of a class on a full replica makes room for the head of the line.
    fn gives(&self, index: usize, class: usize, head: usize) -> Option<usize> {
        let last = self.last_of(index, class)?;
        let memory = |which: usize| self.question.classes[self.tries[which].class].memory;
        let replica = &self.replicas[index];
        let others = replica.batch.iter().chain(&replica.joining);
        let others = others.filter(|&&which| which != last);
        let held: u64 = others.map(|&which| memory(which)).sum();
        let fits = held + memory(head) <= self.question.memory_limit;
        (!self.has_place(index) && fits).then_some(last)
    }

    /// Somebody on a replica whose class has more places than it may.
    fn exceeds(&self, index: usize) -> Option<usize> {
        let line = self.line_of(index);
        let classes = 0..self.rules.tiers.len();
        let over = classes.filter(|&class| self.places_of(line, class) > self.most_places(class));
        over.filter_map(|class| self.last_of(index, class)).next()
    }

    /// The head of a line has changed: the replica whose turn it is looks at its batch.
    pub(crate) fn look_who_gives_back(&mut self, line: usize) {
        if self.stopped || !self.reclaims() || line >= self.lines.len() {
            return;
        }
        let Some((head, class)) = self.owed(line) else {
            return;
        };
        let count = self.replicas.len();
        if !self.is_central() {
            if line < count && self.gives(line, class, head).is_some() {
                self.replicas[line].touched = true;
            }
            return;
        }
        for step in 0..count {
            let index = (self.giving_turn + step) % count;
            if self.gives(index, class, head).is_some() {
                self.replicas[index].touched = true;
                self.giving_turn = index + 1;
                return;
            }
        }
    }

    /// Everything may have changed: whoever has something to give back looks.
    pub(crate) fn look_who_gives_back_anywhere(&mut self) {
        if self.stopped || !self.reclaims() {
            return;
        }
        for index in 0..self.replicas.len() {
            let owed = self.owed(self.line_of(index));
            let gives = owed.and_then(|(head, class)| self.gives(index, class, head));
            if gives.is_some() || self.exceeds(index).is_some() {
                self.replicas[index].touched = true;
            }
        }
    }

    /// The end of an iteration.
    pub(crate) fn give_back(&mut self, index: usize) {
        while self.reclaims()
            && let Some(last) = self.exceeds(index)
        {
            self.interrupt_one(index, last);
        }
        let line = self.line_of(index);
        while self.reclaims()
            && let Some((head, class)) = self.owed(line)
            && let Some(last) = self.gives(index, class, head)
        {
            if self.is_dropped(index, head, Some(last)) {
                self.drop_from_line(line, head);
                continue;
            }
            self.interrupt_one(index, last);
            let next = self.take_next(index);
            assert_eq!(next, Some(head), "nobody is interrupted for nobody");
            self.join(index, head);
        }
    }
}
