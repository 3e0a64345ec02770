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

    /// Who heads a line, and the class that has the most for its share, of equals the last, if that is more than his
    /// own has with one place more.
    fn owed(&self, line: usize) -> Option<(usize, usize)> {
        let head = self.head(line)?;
        let of = self.tries[head].class;
        let mut giver = 0;
        for class in 1..self.rules.tiers.len() {
            if self.has(line, class, 0) >= self.has(line, giver, 0) {
                giver = class;
            }
        }
        (self.has(line, giver, 0) > self.has(line, of, 1)).then_some((head, giver))
    }

    fn replicas_of(&self, line: usize) -> Vec<usize> {
        let replicas = 0..self.replicas.len();
        let of = replicas.filter(|&index| self.is_central() || index == line);
        of.collect()
    }

    /// Where somebody fits as things are: where the fewest are, else the first.
    fn free_for(&self, line: usize, head: usize) -> Option<usize> {
        let fits = |&index: &usize| self.has_place(index) && self.fits(index, head);
        let emptiest = self.emptiest().filter(|_| self.is_central());
        let first = self.replicas_of(line).into_iter().find(fits);
        emptiest.filter(fits).or(first)
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

    /// Who of a class on a replica makes room for the head of the line.
    fn gives(&self, index: usize, class: usize, head: usize) -> Option<usize> {
        let last = self.last_of(index, class)?;
        let memory = |which: usize| self.question.classes[self.tries[which].class].memory;
        let replica = &self.replicas[index];
        let others = replica.batch.iter().chain(&replica.joining);
        let others = others.filter(|&&which| which != last);
        let held: u64 = others.map(|&which| memory(which)).sum();
        let fits = held + memory(head) <= self.question.memory_limit;
        fits.then_some(last)
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
        if let Some(free) = self.free_for(line, head) {
            self.replicas[free].touched = true;
            return;
        }
        let mut replicas = self.replicas_of(line);
        if self.is_central() {
            let turn = self.giving_turn.min(replicas.len());
            replicas.rotate_left(turn);
        }
        for index in replicas {
            if self.gives(index, class, head).is_some() {
                self.replicas[index].touched = true;
                if self.is_central() {
                    self.giving_turn = index + 1;
                }
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
            let line = self.line_of(index);
            let looks = self.owed(line).is_some_and(|(head, class)| {
                let gives = self.gives(index, class, head).is_some();
                self.free_for(line, head)
                    .map_or(gives, |free| free == index)
            });
            self.replicas[index].touched |= looks || self.exceeds(index).is_some();
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
            && self.free_for(line, head).is_none()
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
