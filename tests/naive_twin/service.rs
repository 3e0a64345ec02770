//! Replicas and their lines: who is taken when, and how long it takes.

use meltpoint::scenario::{Batching, Dispatch, Drop, PatienceUntil, QueueOrder};

use crate::simulator::{Place, Simulator, Timer, Try};

impl Simulator {
    /// Places in a batch.
    pub(crate) fn places(&self) -> usize {
        match self.rules.policy.batching {
            Batching::Single => 1,
            _ => self.question.batch_limit,
        }
    }

    pub(crate) fn is_static(&self) -> bool {
        matches!(self.rules.policy.batching, Batching::Static { .. })
    }

    // -- where somebody who comes goes ----------------------------------------------------------------

    /// The replica that somebody who comes now is sent to, and whether it takes him at once.
    pub(crate) fn choose(&mut self, which: usize) -> (Option<usize>, bool) {
        let replica = match self.rules.policy.dispatch {
            Dispatch::Central => self.emptiest(),
            _ if self.replicas.is_empty() => None,
            _ => Some(self.choose_line()),
        };
        let Some(index) = replica else {
            return (None, false);
        };
        let line = self.line_of(index);
        let is_first = match self.rules.policy.order {
            // Who waits for his class's limit is in nobody's way.
            QueueOrder::Shares => {
                self.head(line).is_none() && self.next_by_share(line, &[which]).is_some()
            }
            _ => self.lines[line].is_empty(),
        };
        let is_first = is_first && !self.stopped;
        let has_room = if self.is_static() {
            self.replicas[index].is_idle()
        } else {
            self.has_place(index) && self.fits(index, which)
        };
        (replica, is_first && has_room)
    }

    /// Of those with a place the one with the fewest requests; of equals the first.
    pub(crate) fn emptiest(&self) -> Option<usize> {
        let with_place = (0..self.replicas.len()).filter(|&index| self.has_place(index));
        let emptiest = with_place.min_by_key(|&index| self.replicas[index].len());
        emptiest.filter(|_| !self.stopped)
    }

    fn choose_line(&mut self) -> usize {
        let count = self.replicas.len();
        match self.rules.policy.dispatch {
            Dispatch::Central => unreachable!("there is one line"),
            Dispatch::Random => self.draw(count),
            Dispatch::RoundRobin => {
                self.turn = (self.turn + 1) % count;
                self.turn
            }
            Dispatch::PowerOfD(choices) => {
                let draws: Vec<usize> = (0..choices).map(|_| self.draw(count)).collect();
                let shortest = draws.into_iter().min_by_key(|&index| self.held_at(index));
                shortest.unwrap()
            }
            Dispatch::JoinShortest => {
                // Each further equal one is taken with the probability that makes all equally likely.
                let (mut shortest, mut equals) = (0, 1);
                for other in 1..count {
                    if self.held_at(other) < self.held_at(shortest) {
                        (shortest, equals) = (other, 1);
                    } else if self.held_at(other) == self.held_at(shortest) {
                        equals += 1;
                        if self.draw(equals) == 0 {
                            shortest = other;
                        }
                    }
                }
                shortest
            }
        }
    }

    fn draw(&mut self, count: usize) -> usize {
        self.dispatch.below(count as u64) as usize
    }

    fn held_at(&self, index: usize) -> usize {
        self.replicas[index].len() + self.lines[index].len()
    }

    /// Puts somebody who comes on a replica or in line.
    pub(crate) fn place(&mut self, which: usize, replica: Option<usize>, at_once: bool) {
        self.tries[which].replica = replica;
        match replica {
            Some(index) if at_once && !self.is_static() => self.start(index, which),
            _ => {
                self.line_up(which);
                if self.is_static() {
                    self.start_waiting();
                } else if let Some(index) = replica {
                    self.look_again(index);
                }
                if let Some(index) = replica.or(self.is_central().then_some(0)) {
                    self.look_whom_to_interrupt(index);
                }
            }
        }
    }

    // -- lines ----------------------------------------------------------------------------------------

    pub(crate) fn line_of(&self, replica: usize) -> usize {
        if self.is_central() { 0 } else { replica }
    }

    /// Who waits in a line, in the order in which they will be taken; under LIFO in the reverse of it.
    pub(crate) fn in_order(&self, line: usize) -> Vec<usize> {
        let mut line = self.lines[line].clone();
        let rules = |which: usize| &self.rules.tiers[self.tries[which].class];
        // Of equals the first in line stays the first.
        match self.rules.policy.order {
            QueueOrder::Fcfs | QueueOrder::Lifo => {}
            QueueOrder::Shares => line.sort_by_key(|&which| self.tries[which].class),
            QueueOrder::Priority | QueueOrder::Preemptive => {
                line.sort_by_key(|&which| rules(which).priority)
            }
            QueueOrder::Deadline => {
                line.sort_by_key(|&which| self.tries[which].first_at + rules(which).deadline.0)
            }
        }
        line
    }

    pub(crate) fn head(&self, line: usize) -> Option<usize> {
        let in_order = self.in_order(line);
        match self.rules.policy.order {
            QueueOrder::Lifo => in_order.last().copied(),
            QueueOrder::Shares => self.next_by_share(line, &in_order),
            _ => in_order.first().copied(),
        }
    }

    /// Of the classes that have less than they may, the one with the least for its share with one place more; the
    /// first class among equals, and the first in line of it.
    fn next_by_share(&self, line: usize, in_order: &[usize]) -> Option<usize> {
        let may = |class: usize| self.places_of(line, class) < self.most_places(class);
        let with_one_more =
            |class: usize| (self.places_of(line, class) + 1) as f64 / self.rules.tiers[class].share;
        let class = |which: &usize| self.tries[*which].class;
        let waiting = in_order.iter().filter(|which| may(class(which)));
        waiting.copied().min_by(|one, other| {
            let (one, other) = (class(one), class(other));
            let by_share = with_one_more(one).total_cmp(&with_one_more(other));
            by_share.then(one.cmp(&other))
        })
    }

    /// The most places before a line that a class may hold.
    pub(crate) fn most_places(&self, class: usize) -> usize {
        let places: usize = match self.is_central() {
            true => self.replicas.len() * self.places(),
            false => self.places(),
        };
        let most = (self.rules.tiers[class].places_limit * places as f64) as usize;
        most.max(1)
    }

    /// Places before a line that a class holds, those of users who have told that they go among them.
    pub(crate) fn places_of(&self, line: usize, class: usize) -> usize {
        let replicas = match self.is_central() {
            true => self.replicas.as_slice(),
            false => self.replicas.get(line..=line).unwrap_or_default(),
        };
        let held = replicas
            .iter()
            .flat_map(|replica| replica.batch.iter().chain(&replica.joining));
        held.filter(|&&which| self.tries[which].class == class)
            .count()
    }

    /// The last place in line, for somebody who comes or whose work is lost.
    pub(crate) fn line_up(&mut self, which: usize) {
        let mut line = 0;
        if !self.is_central() {
            // Who was sent to none draws; before there is a replica, all wait in what will be its line.
            let sent_to = self.tries[which].replica;
            let sent_to = sent_to.filter(|&index| index < self.lines.len());
            if self.lines.is_empty() {
                self.lines.push(Vec::new());
            }
            line = sent_to.unwrap_or_else(|| self.draw(self.lines.len()));
            self.tries[which].replica = Some(line);
        }
        self.tries[which].place = Place::Waiting;
        self.lines[line].push(which);
        self.pool.waiting_max = self.pool.waiting_max.max(self.levels().waiting);
        if self.head(line) == Some(which) {
            self.watch_window(line);
        }
    }

    /// Static batching: somebody heads a line; he waits for others for a while.
    fn watch_window(&mut self, line: usize) {
        if let Batching::Static { window, .. } = self.rules.policy.batching
            && let Some(head) = self.head(line)
        {
            let due = self.tries[head].at + window.0;
            if due > self.now {
                self.timers.push((due, Timer::Window(head)));
            }
        }
    }

    /// Somebody out of patience leaves his line.
    pub(crate) fn leave_line(&mut self, which: usize) {
        for line in &mut self.lines {
            line.retain(|&waiting| waiting != which);
        }
        let replica = self.tries[which].replica;
        if self.is_static() {
            self.watch_window(replica.map_or(0, |index| self.line_of(index)));
        }
        let next = if self.is_central() {
            self.emptiest()
        } else {
            replica
        };
        if let Some(index) = next {
            self.look_again(index);
        }
        self.look_who_gives_back(replica.map_or(0, |index| self.line_of(index)));
    }

    /// Who heads the line has changed: a replica that runs takes him at the end of its iteration, where
    /// he fits. Where one line serves all, only the emptiest looks.
    fn look_again(&mut self, index: usize) {
        if self.stopped || self.is_static() || index >= self.replicas.len() {
            return;
        }
        let head = self.head(self.line_of(index));
        if self.has_place(index) && head.is_some_and(|head| self.fits(index, head)) {
            self.replicas[index].touched = true;
        }
    }

    pub(crate) fn has_place(&self, index: usize) -> bool {
        self.replicas[index].len() < self.places()
    }

    pub(crate) fn fits(&self, index: usize, which: usize) -> bool {
        let memory = |which: usize| self.question.classes[self.tries[which].class].memory;
        let replica = &self.replicas[index];
        let held = replica.batch.iter().chain(&replica.joining);
        let held: u64 = held.map(|&member| memory(member)).sum();
        held + memory(which) <= self.question.memory_limit
    }

    // -- who is taken from the lines ------------------------------------------------------------------

    /// Whoever can be taken now is.
    pub(crate) fn start_waiting(&mut self) {
        if self.stopped {
            return;
        }
        if !self.is_central() {
            (0..self.replicas.len()).for_each(|index| self.start_on(index));
        } else if self.is_static() {
            // Every idle replica looks, until one finds that those who wait are too few.
            while let Some(idle) = self.replicas.iter().position(|replica| replica.is_idle()) {
                self.start_on(idle);
                if self.replicas[idle].is_idle() {
                    break;
                }
            }
        } else {
            while let Some(index) = self.emptiest()
                && let Some(which) = self.take_next(index)
            {
                self.start(index, which);
            }
        }
    }

    /// A replica takes what it can from its line.
    fn start_on(&mut self, index: usize) {
        if self.replicas[index].is_idle() {
            self.fill(index);
            self.begin_phase(index);
            return;
        }
        while !self.is_static()
            && self.has_place(index)
            && let Some(which) = self.take_next(index)
        {
            self.start(index, which);
        }
    }

    /// Puts somebody on a replica that has room: at once, or at the end of the running iteration.
    fn start(&mut self, index: usize, which: usize) {
        if self.replicas[index].is_idle() {
            self.join(index, which);
            self.begin_phase(index);
        } else {
            self.tries[which].place = Place::Running;
            self.tries[which].replica = Some(index);
            self.replicas[index].joining.push(which);
            self.replicas[index].touched = true;
        }
    }

    fn fill_static(&mut self, index: usize) {
        let Batching::Static { minimum, window } = self.rules.policy.batching else {
            unreachable!("only called under static batching");
        };
        let line = self.line_of(index);
        let Some(head) = self.head(line) else { return };
        let waited = self.now - self.tries[head].at;
        if self.lines[line].len() < minimum as usize && waited < window.0 {
            return;
        }
        while self.replicas[index].len() < self.question.batch_limit
            && let Some(which) = self.take_next(index)
        {
            self.join(index, which);
        }
        // All leave with the last; who has less to do would have left before him.
        let mut batch = std::mem::take(&mut self.replicas[index].batch);
        batch.sort_by_key(|&which| self.tries[which].work - self.tries[which].iterations_done);
        if let Some(&last) = batch.last() {
            let longest = self.tries[last].work - self.tries[last].iterations_done;
            for &which in &batch {
                self.tries[which].leaves_after = self.tries[which].iterations_done + longest;
            }
            self.pool.batches += 1;
            self.pool.batched += batch.len() as u64;
        }
        self.replicas[index].batch = batch;
        self.watch_window(line);
    }

    /// Takes the next out of the line whom the replica has room for; who is to be dropped is.
    pub(crate) fn take_next(&mut self, index: usize) -> Option<usize> {
        let line = self.line_of(index);
        loop {
            let head = self.head(line)?;
            if !self.fits(index, head) {
                return None;
            }
            if !self.is_dropped(index, head, None) {
                self.lines[line].retain(|&waiting| waiting != head);
                return Some(head);
            }
            self.drop_from_line(line, head);
        }
    }

    pub(crate) fn drop_from_line(&mut self, line: usize, head: usize) {
        self.lines[line].retain(|&waiting| waiting != head);
        self.leave_pool(head);
        if !self.tries[head].ghost {
            self.ended_without_image(head, |again| again.after_shed, |t| &mut t.hopeless);
        }
    }

    /// Whether somebody is dropped who would start as things are, or in the place of somebody.
    pub(crate) fn is_dropped(&self, index: usize, which: usize, instead_of: Option<usize>) -> bool {
        let of = self.tries[which];
        let waits_for_answer = self.question.classes[of.class].until == PatienceUntil::Done;
        match self.rules.policy.drop {
            Drop::Nothing => false,
            Drop::Stale => of.ghost,
            Drop::Hopeless => {
                of.ghost
                    || waits_for_answer && self.would_end(index, which, instead_of) > of.leaves_at
            }
        }
    }

    /// When somebody would be done who joins the batch as it is, or without one of it, when he can.
    fn would_end(&self, index: usize, which: usize, instead_of: Option<usize>) -> u64 {
        let replica = &self.replicas[index];
        let stay = |member: &&usize| Some(**member) != instead_of;
        let is_within = !replica.batch.is_empty() && replica.began < self.now;
        let (joins_at, played) = if is_within {
            (replica.ends, 1)
        } else {
            (self.now, 0)
        };
        let quarters = |later: u64| -> u64 {
            let members = replica.batch.iter().filter(stay);
            let members = members.map(|&member| (member, played + later));
            self.iteration_quarters(members.chain([(which, later)]))
        };
        let left = self.tries[which].work - self.tries[which].iterations_done;
        joins_at + (0..left).map(quarters).sum::<u64>() / 4
    }

    // -- who is interrupted ---------------------------------------------------------------------------

    fn is_preemptive(&self) -> bool {
        self.rules.policy.order == QueueOrder::Preemptive && !self.is_static()
    }

    /// Who runs on a full replica and makes room for somebody of a better class: of the worst class who
    /// came last; of equals with the most left to do.
    fn makes_room(&self, index: usize, head: usize) -> Option<usize> {
        let rank = |which: usize| self.rules.tiers[self.tries[which].class].priority;
        let memory = |which: usize| self.question.classes[self.tries[which].class].memory;
        let batch = self.replicas[index].batch.iter().copied();
        let batch = batch.filter(|&which| !self.tries[which].cancelled);
        let last = batch.max_by_key(|&which| {
            let of = &self.tries[which];
            (rank(which), of.at, of.leaves_after - of.iterations_done)
        })?;
        let members = self.replicas[index].batch.iter();
        let others = members.chain(&self.replicas[index].joining);
        let others = others.filter(|&&which| which != last);
        let held: u64 = others.map(|&which| memory(which)).sum();
        let fits = held + memory(head) <= self.question.memory_limit;
        (!self.has_place(index) && rank(last) > rank(head) && fits).then_some(last)
    }

    /// Somebody has come, or a batch or the rules have changed: if the head of the line goes before
    /// somebody who runs, the last of all those makes room at the end of his iteration.
    pub(crate) fn look_whom_to_interrupt(&mut self, index: usize) {
        if self.rules.policy.order == QueueOrder::Shares {
            self.look_who_gives_back(self.line_of(index));
        }
        if self.stopped || !self.is_preemptive() {
            return;
        }
        let Some(head) = self.head(self.line_of(index)) else {
            return;
        };
        let replicas = 0..self.replicas.len();
        let last = replicas
            .filter(|&other| self.is_central() || other == index)
            .filter_map(|other| {
                let last = self.tries[self.makes_room(other, head)?];
                Some((self.rules.tiers[last.class].priority, last.at, other))
            })
            .max();
        if let Some((.., other)) = last {
            self.replicas[other].touched = true;
        }
    }

    /// The end of an iteration: who goes after the head of the line makes room, and is the first of his
    /// class in line.
    fn interrupt(&mut self, index: usize) {
        self.replicas[index].began = self.now;
        self.give_back(index);
        let line = self.line_of(index);
        while self.is_preemptive()
            && let Some(head) = self.head(line)
            && let Some(last) = self.makes_room(index, head)
        {
            self.interrupt_one(index, last);
            if let Some(next) = self.take_next(index) {
                self.join(index, next);
            }
        }
    }

    /// Somebody who runs is the first of his class in line.
    pub(crate) fn interrupt_one(&mut self, index: usize, last: usize) {
        let line = self.line_of(index);
        self.replicas[index].batch.retain(|&which| which != last);
        self.lines[line].insert(0, last);
        let of = &mut self.tries[last];
        of.place = Place::Waiting;
        of.resumes = true;
        // In a batch that leaves as a whole he may have stayed for longer than his work takes.
        of.iterations_done = of.iterations_done.min(of.work - 1);
        of.joined_done = of.iterations_done;
    }

    // -- iterations -----------------------------------------------------------------------------------

    pub(crate) fn end_iteration(&mut self, index: usize) {
        if self.now == self.replicas[index].ends {
            let ended = self.running_quarters(index);
            self.replicas[index].since_then_quarters += ended;
            for &member in &self.replicas[index].batch {
                self.tries[member].iterations_done += 1;
            }
        }
        let leaves = |of: Try| of.iterations_done == of.leaves_after || of.cancelled;
        let batch = self.replicas[index].batch.clone();
        let (leaving, staying): (Vec<usize>, Vec<usize>) = batch
            .into_iter()
            .partition(|&member| leaves(self.tries[member]));
        let joining = std::mem::take(&mut self.replicas[index].joining);
        if leaving.is_empty() && joining.is_empty() && !self.replicas[index].touched {
            self.begin_iteration(index);
            return;
        }
        self.replicas[index].batch = staying;
        leaving
            .into_iter()
            .for_each(|member| self.leave_batch(member));
        for joiner in joining {
            if self.tries[joiner].cancelled {
                self.leave_batch(joiner);
            } else {
                self.join(index, joiner);
            }
        }
        self.interrupt(index);
        self.fill(index);
        self.begin_phase(index);
        self.look_whom_to_interrupt(index);
    }

    /// Fills the free places from the line; the next iteration begins now.
    fn fill(&mut self, index: usize) {
        self.replicas[index].began = self.now;
        if self.is_static() {
            if self.replicas[index].is_idle() {
                self.fill_static(index);
            }
            return;
        }
        while self.has_place(index)
            && let Some(which) = self.take_next(index)
        {
            self.join(index, which);
        }
    }

    pub(crate) fn join(&mut self, index: usize, which: usize) {
        let of = &mut self.tries[which];
        of.place = Place::Running;
        of.replica = Some(index);
        of.leaves_after = of.work;
        of.joined_done = of.iterations_done;
        if !of.resumes {
            self.tallies[of.class].wait.record(self.now - of.at);
        }
        self.replicas[index].batch.push(which);
    }

    /// The batch has changed: time is counted from now.
    fn begin_phase(&mut self, index: usize) {
        let replica = &mut self.replicas[index];
        replica.touched = false;
        replica.changed = self.now;
        replica.since_then_quarters = 0;
        self.begin_iteration(index);
    }

    fn begin_iteration(&mut self, index: usize) {
        let length = self.running_quarters(index);
        let replica = &mut self.replicas[index];
        replica.began = self.now;
        replica.ends = replica.changed + (replica.since_then_quarters + length) / 4;
    }

    fn running_quarters(&self, index: usize) -> u64 {
        let batch = &self.replicas[index].batch;
        self.iteration_quarters(batch.iter().map(|&member| (member, 0)))
    }

    /// Time of an iteration of a batch whose members have done so many more iterations than now.
    fn iteration_quarters(&self, batch: impl Iterator<Item = (usize, u64)>) -> u64 {
        let (mut quarters, mut size) = (0, 0);
        for (member, later) in batch {
            size += 1;
            let of = &self.tries[member];
            let prompt = u64::from(of.asked.prompt_tokens);
            let done = of.iterations_done + later;
            let grows = self.question.classes[of.class].context_grows;
            // Who goes on at the low quality has the context of his prompt only.
            let grows_from = if of.is_low { of.joined_done } else { 0 };
            let context = prompt + if grows { done - grows_from } else { 0 };
            quarters += self.question.context_token_quarters * context;
            if done == of.joined_done {
                quarters += self.question.prompt_token_quarters * context;
            }
        }
        match size {
            0 => 0,
            _ => quarters + self.question.iteration_quarters[size - 1],
        }
    }
}
