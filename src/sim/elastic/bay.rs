//! The replicas of one pool as the operator sees them, and what brings them to what is ordered.

use super::Pool;
use super::start::{Replica, Starts};
use crate::units::SimTime;

/// What a delivered replica does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing: it is released.
    Off,
    /// It starts up.
    Starting,
    /// It is ready and kept so.
    Warm,
    /// It was ready and is about to serve.
    Rising,
    /// It serves.
    Serving,
    /// It ends its batch and takes nobody new.
    Draining,
}

const STATES: usize = 6;

/// The replicas of a pool.
#[derive(Clone, Debug)]
pub(super) struct Bay {
    /// Index of the pool.
    pub(super) pool: usize,
    /// Index of its cluster.
    pub(super) cluster: usize,
    pub(super) gpus_per_replica: u32,
    states: Vec<State>,
    counts: [u32; STATES],
    /// Replicas that are to serve.
    pub(super) target: u32,
    /// Replicas that are to be ready beside them.
    pub(super) warm: u32,
}

impl Bay {
    pub(super) fn new(pool: usize, cluster: usize, gpus_per_replica: u32) -> Self {
        Self {
            pool,
            cluster,
            gpus_per_replica,
            states: Vec::new(),
            counts: [0; STATES],
            target: 0,
            warm: 0,
        }
    }

    /// Replicas delivered.
    pub(super) fn delivered(&self) -> u32 {
        self.states.len() as u32
    }

    /// Replicas in a state.
    pub(super) fn count(&self, state: State) -> u32 {
        self.counts[state as usize]
    }

    /// So many more are delivered; they are off.
    pub(super) fn deliver(&mut self, replicas: u32) {
        self.states
            .resize(self.states.len() + replicas as usize, State::Off);
        self.counts[State::Off as usize] += replicas;
    }

    fn turn(&mut self, index: u32, to: State) {
        let state = &mut self.states[index as usize];
        self.counts[*state as usize] -= 1;
        self.counts[to as usize] += 1;
        *state = to;
    }

    /// The first `most` replicas in a state.
    fn first(&self, state: State, most: u32) -> Vec<u32> {
        let indices = 0..self.delivered();
        let of_state = indices.filter(|&index| self.states[index as usize] == state);
        of_state.take(most as usize).collect()
    }

    /// The last `most` replicas in a state.
    fn last(&self, state: State, most: u32) -> Vec<u32> {
        let indices = (0..self.delivered()).rev();
        let of_state = indices.filter(|&index| self.states[index as usize] == state);
        of_state.take(most as usize).collect()
    }

    /// At the start: what is ordered serves, what is kept ready is ready.
    pub(super) fn begin(&mut self, pool: &mut Pool) {
        for index in self.first(State::Off, self.target) {
            self.serve(index, pool);
        }
        for index in self.first(State::Off, self.warm) {
            self.turn(index, State::Warm);
        }
    }

    fn serve(&mut self, index: u32, pool: &mut Pool) {
        self.turn(index, State::Serving);
        pool.bring_in(index as usize);
    }

    /// A replica has started up: it serves, or is kept ready.
    pub(super) fn started(&mut self, index: u32, pool: &mut Pool) {
        if self.count(State::Serving) + self.count(State::Rising) < self.target {
            self.serve(index, pool);
        } else {
            self.turn(index, State::Warm);
        }
    }

    /// A ready replica has come as far as to serve.
    pub(super) fn risen(&mut self, index: u32, pool: &mut Pool) {
        self.serve(index, pool);
    }

    /// Those who have ended their last batch are kept ready, or released.
    pub(super) fn collect_drained(&mut self, pool: &Pool) {
        if self.count(State::Draining) == 0 {
            return;
        }
        for index in self.first(State::Draining, u32::MAX) {
            if pool.is_out(index as usize) {
                let ready = self.count(State::Warm) + self.count(State::Starting);
                let unmet = self.target.saturating_sub(self.present());
                let keeps = ready < self.warm + unmet;
                self.turn(index, if keeps { State::Warm } else { State::Off });
            }
        }
    }

    /// Replicas that hold their GPUs.
    pub(super) fn held(&self) -> u32 {
        self.delivered() - self.count(State::Off)
    }

    /// So many who drain serve on.
    pub(super) fn recall(&mut self, most: u32, pool: &mut Pool) {
        for index in self.first(State::Draining, most) {
            self.serve(index, pool);
        }
    }

    /// Whether a replica is about to serve.
    pub(super) fn is_rising(&self, index: u32) -> bool {
        self.states[index as usize] == State::Rising
    }

    /// Those who serve or are about to.
    fn present(&self) -> u32 {
        self.count(State::Serving) + self.count(State::Rising)
    }

    /// Brings the replicas to what is ordered, as far as they are delivered; those who rise from being
    /// ready are in `rising`.
    pub(super) fn follow(
        &mut self,
        now: SimTime,
        pool: &mut Pool,
        starts: &mut Starts,
        rising: &mut Vec<Replica>,
    ) {
        let lacking = self.target.saturating_sub(self.present());
        for index in self.first(State::Warm, lacking) {
            self.turn(index, State::Rising);
            rising.push((self.pool, index));
        }
        self.drain(pool);
        let coming = self.present() + self.count(State::Starting);
        let held = coming + self.count(State::Warm);
        let needed = self.target + self.warm;
        let to_serve = self.target.saturating_sub(coming);
        let to_keep = needed.saturating_sub(held + self.count(State::Draining));
        for index in self.first(State::Off, to_serve.max(to_keep)) {
            self.turn(index, State::Starting);
            starts.begin((self.pool, index), now);
        }
        self.release(held.saturating_sub(needed), starts);
    }

    /// Who serves beyond what is ordered drains: first those who have nothing to do, then the last.
    fn drain(&mut self, pool: &mut Pool) {
        let beyond = self.present().saturating_sub(self.target);
        if beyond == 0 {
            return;
        }
        for index in self.last(State::Rising, beyond) {
            self.turn(index, State::Warm);
        }
        let beyond = self.present().saturating_sub(self.target) as usize;
        let serving = self.last(State::Serving, u32::MAX);
        let (idle, busy): (Vec<u32>, Vec<u32>) = serving
            .into_iter()
            .partition(|&index| pool.is_idle(index as usize));
        for index in idle.into_iter().chain(busy).take(beyond) {
            self.turn(index, State::Draining);
            pool.drain(index as usize);
        }
        self.collect_drained(pool);
    }

    /// So many are not needed: starts are given up, the latest first, then ready ones are released.
    fn release(&mut self, excess: u32, starts: &mut Starts) {
        let given_up = self.last(State::Starting, excess);
        for &index in &given_up {
            self.turn(index, State::Off);
            starts.cancel((self.pool, index));
        }
        for index in self.last(State::Warm, excess - given_up.len() as u32) {
            self.turn(index, State::Off);
        }
    }
}

/// Orders `total` replicas of some bays in proportion to what they have; each keeps one as long as there
/// are enough. A change of the total moves no replica from one bay to another.
pub(super) fn share_out(bays: &mut [Bay], total: u32) {
    for bay in bays.iter_mut() {
        bay.target = bay.target.min(bay.delivered());
    }
    let ordered: u32 = bays.iter().map(|bay| bay.target).sum();
    // Each has its part after the highest averages of D'Hondt: the next goes where there would be least
    // for each delivered one.
    let part = |target: u32, bay: &Bay| f64::from(target) / f64::from(bay.delivered().max(1));
    for _ in ordered..total {
        let open = bays.iter_mut().filter(|bay| bay.target < bay.delivered());
        let key = |bay: &Bay| (bay.target > 0, part(bay.target + 1, bay));
        match open.min_by(|a, b| compare(key(a), key(b))) {
            Some(bay) => bay.target += 1,
            None => return,
        }
    }
    for _ in total..ordered {
        let key = |bay: &Bay| (bay.target > 1, part(bay.target, bay));
        let most = bays.iter_mut().max_by(|a, b| compare(key(a), key(b)));
        if let Some(bay) = most {
            bay.target = bay.target.saturating_sub(1);
        }
    }
}

fn compare(a: (bool, f64), b: (bool, f64)) -> std::cmp::Ordering {
    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bays(delivered: &[u32]) -> Vec<Bay> {
        let bay = |(index, &replicas): (usize, &u32)| {
            let mut bay = Bay::new(index, 0, 8);
            bay.deliver(replicas);
            bay
        };
        delivered.iter().enumerate().map(bay).collect()
    }

    #[test]
    fn replicas_are_shared_out_in_proportion_and_each_bay_keeps_one() {
        let mut bays = bays(&[100, 50, 3]);
        let mut shares = |total| {
            share_out(&mut bays, total);
            bays.iter().map(|bay| bay.target).collect::<Vec<_>>()
        };
        assert_eq!(shares(3), [1, 1, 1]);
        assert_eq!(shares(76), [50, 25, 1]);
        assert_eq!(shares(153), [100, 50, 3]);
        assert_eq!(shares(1000), [100, 50, 3]);
        assert_eq!(shares(30), [20, 9, 1]);
        assert_eq!(shares(3), [1, 1, 1]);
    }
}
