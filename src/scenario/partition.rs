//! Partitions: the GPUs of one cluster, divided among products, and what moves them from one to another.
//!
//! GPUs are given and moved in units, each the least common multiple of what a replica of each partition takes.

use super::StartUp;
use crate::units::{SimDuration, SimTime};

/// How the GPUs of a cluster are divided.
#[derive(Clone, Debug, PartialEq)]
pub struct Division {
    /// GPUs of a unit.
    pub unit_gpus: u32,
    /// Sorted by name; one at most trains.
    pub partitions: Vec<Partition>,
    /// What moves units; `None`: nothing does.
    pub moves: Option<Moves>,
}

/// What a product has of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    /// Name.
    pub name: String,
    /// Weight of its part of what is delivered, 0 or more.
    pub share: f64,
    /// What it keeps.
    pub minimum: Minimum,
    /// Index of its pool; `None`: it trains, or the cluster has no replicas.
    pub pool: Option<usize>,
    /// Replicas that a unit makes.
    pub replicas_per_unit: u32,
    /// What a start-up of one of its replicas is made of.
    pub start_up: StartUp,
    /// Set: it serves nobody, but trains.
    pub training: Option<Training>,
    /// Units that are delivered to it: (date, how many), by date.
    pub deliveries: Vec<(SimTime, u32)>,
}

/// What a partition keeps of its cluster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Minimum {
    /// So many GPUs, rounded up to units.
    Gpus(u64),
    /// This share of all that are delivered, rounded up to units.
    Share(f64),
}

/// A job that uses every unit it holds, without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Training {
    /// Its state is kept at whole multiples of this. A unit that is taken away loses what it did since then.
    pub checkpoint_every: SimDuration,
    /// How long all of it stands still when it gets or loses units.
    pub restart: SimDuration,
}

/// What moves units between partitions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moves {
    /// How often it decides.
    pub every: SimDuration,
    /// Over how long it measures.
    pub window: SimDuration,
    /// How old what it measures is.
    pub reaction: SimDuration,
    /// Most units that one decision moves.
    pub step: u32,
    /// Nothing moves while no partition lacks or exceeds more than this share of what it has.
    pub tolerance: f64,
    /// Nothing moves so soon after the last move.
    pub cool_down: SimDuration,
    /// In how many seconds it wants what waits to be worked off; `None`: it does not look at it.
    pub backlog_within_s: Option<f64>,
    /// The load that a unit of a partition that serves is to have where another trains: the rest trains.
    pub target: f64,
}

impl Partition {
    /// Units that it keeps of so many: one at least where it serves.
    fn least(&self, unit_gpus: u32, units: u32) -> u32 {
        let least = match self.minimum {
            Minimum::Gpus(gpus) => gpus.div_ceil(u64::from(unit_gpus)).min(u64::from(u32::MAX)),
            Minimum::Share(share) => whole_above(share * f64::from(units)) as u64,
        };
        (least as u32).max(u32::from(self.training.is_none()))
    }
}

impl Moves {
    /// The units that each is ordered next: a step from what it has towards what is wanted of it, from who has
    /// most too many to who lacks most, the first among equals. Both lists have one sum.
    #[must_use]
    pub fn towards(&self, has: &[u32], wanted: &[u32]) -> Vec<u32> {
        let mut next = has.to_vec();
        let off = |(&has, &wanted): (&u32, &u32)| {
            f64::from(has.abs_diff(wanted)) > self.tolerance * f64::from(has)
        };
        if !has.iter().zip(wanted).any(off) {
            return next;
        }
        let lacking = has
            .iter()
            .zip(wanted)
            .map(|(&has, &wanted)| wanted.saturating_sub(has));
        if lacking.map(u64::from).sum::<u64>() <= u64::from(self.step) {
            return wanted.to_vec();
        }
        for _ in 0..self.step {
            let all = || (0..next.len()).rev();
            let from = all().max_by_key(|&index| next[index].saturating_sub(wanted[index]));
            let to = all().max_by_key(|&index| wanted[index].saturating_sub(next[index]));
            if let (Some(from), Some(to)) = (from, to) {
                next[from] -= 1;
                next[to] += 1;
            }
        }
        next
    }
}

impl Division {
    /// Units that each partition keeps, of so many.
    #[must_use]
    pub fn least(&self, units: u32) -> Vec<u32> {
        let least = |part: &Partition| part.least(self.unit_gpus, units);
        self.partitions.iter().map(least).collect()
    }

    /// Hands out `units` more by the shares, beside what each partition has; who has less than it is to keep
    /// comes first.
    #[must_use]
    pub fn hand_out(&self, has: &[u32], units: u32) -> Vec<u32> {
        let held = has.iter().fold(0_u32, |sum, &has| sum.saturating_add(has));
        let total = held.saturating_add(units);
        let shares: Vec<f64> = self.partitions.iter().map(|part| part.share).collect();
        let least = self.least(total).into_iter();
        let floors: Vec<u32> = least.zip(has).map(|(least, &has)| least.max(has)).collect();
        match floors.iter().map(|&floor| u64::from(floor)).sum::<u64>() <= u64::from(total) {
            true => apportion(total, &shares, &floors),
            false => {
                let floors: Vec<f64> = floors.iter().map(|&floor| f64::from(floor)).collect();
                apportion(total, &floors, has)
            }
        }
    }

    /// Hands out units as they come, each time (date, units of a chunk before and after).
    pub(super) fn deliver(&mut self, units: &[(SimTime, u32, u32)]) {
        let mut has = vec![0; self.partitions.len()];
        let mut deliveries = vec![Vec::new(); has.len()];
        for &(at, before, after) in units {
            let now = self.hand_out(&has, after - before);
            for (index, deliveries) in deliveries.iter_mut().enumerate() {
                if now[index] > has[index] {
                    deliveries.push((at, now[index] - has[index]));
                }
            }
            has = now;
        }
        for (part, deliveries) in self.partitions.iter_mut().zip(deliveries) {
            part.deliveries = deliveries;
        }
    }

    /// The units that each partition is to have of `total`, given by partition its load in units; the entry of
    /// one that trains is not looked at.
    ///
    /// Where one trains, each other gets load / target, rounded up, and it gets the rest. Where that is not
    /// enough, or nothing trains, who serves shares what there is in proportion to the loads.
    #[must_use]
    pub fn wanted(&self, total: u32, loads: &[f64], target: f64) -> Vec<u32> {
        let least = self.least(total);
        let trains = self
            .partitions
            .iter()
            .position(|part| part.training.is_some());
        let load = |index: usize| match Some(index) == trains {
            true => 0.0,
            false => loads[index].max(0.0),
        };
        let loads: Vec<f64> = (0..loads.len()).map(load).collect();
        let Some(trains) = trains else {
            return apportion(total, &loads, &least);
        };
        let need = |(&load, &least): (&f64, &u32)| (whole_above(load / target) as u32).max(least);
        let mut needs: Vec<u32> = loads.iter().zip(&least).map(need).collect();
        needs[trains] = 0;
        let sum: u64 = needs.iter().map(|&need| u64::from(need)).sum();
        if sum + u64::from(least[trains]) > u64::from(total) {
            return apportion(total, &loads, &least);
        }
        needs[trains] = total - sum as u32;
        needs
    }
}

/// The whole number at or above, but for the rounding of a float.
fn whole_above(value: f64) -> f64 {
    const ROUNDING: f64 = 1e-9;
    libm::ceil(value * (1.0 - ROUNDING)).clamp(0.0, f64::from(u32::MAX))
}

/// Shares out `total` in proportion to weights, none below its least: by the smallest divisors (Adams), which
/// keeps the largest weight for each one shared out as small as it can be. Where all weights are 0, they count
/// alike; where the least are more than there is, they are the weights.
#[must_use]
pub fn apportion(total: u32, weights: &[f64], least: &[u32]) -> Vec<u32> {
    let sum = |parts: &[u32]| parts.iter().map(|&part| u64::from(part)).sum::<u64>();
    if sum(least) > u64::from(total) {
        let weights: Vec<f64> = least.iter().map(|&least| f64::from(least)).collect();
        return apportion(total, &weights, &vec![0; least.len()]);
    }
    let equal = vec![1.0; weights.len()];
    let weights = match weights.iter().any(|&weight| weight > 0.0) {
        true => weights,
        false => &equal,
    };
    let at = |quota: f64| -> Vec<u32> {
        let part = |(&weight, &least): (&f64, &u32)| {
            (libm::ceil(weight * quota).min(f64::from(u32::MAX)) as u32).max(least)
        };
        weights.iter().zip(least).map(part).collect()
    };
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let (mut low, mut high) = (0.0, (f64::from(total) + 1.0) / largest);
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        match sum(&at(middle)) <= u64::from(total) {
            true => low = middle,
            false => high = middle,
        }
    }
    let mut parts = at(low);
    // What is left is a tie: the first come first.
    for _ in sum(&parts)..u64::from(total) {
        let pressed = |index: usize| weights[index] / f64::from(parts[index]);
        let some = (0..parts.len()).filter(|&index| weights[index] > 0.0);
        let most = some.reduce(|most, index| match pressed(index) > pressed(most) {
            true => index,
            false => most,
        });
        most.into_iter().for_each(|most| parts[most] += 1);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One by one to whoever has most for each that it has.
    fn one_by_one(total: u32, weights: &[f64], least: &[u32]) -> Vec<u32> {
        let mut parts = least.to_vec();
        while parts.iter().sum::<u32>() < total {
            let mut most = 0;
            for index in 1..parts.len() {
                let pressed = |index: usize| weights[index] / f64::from(parts[index]);
                if pressed(index) > pressed(most) {
                    most = index;
                }
            }
            parts[most] += 1;
        }
        parts
    }

    #[test]
    fn a_whole_proportion_is_kept_and_nobody_falls_below_its_least() {
        assert_eq!(apportion(10, &[5.0, 3.0, 2.0], &[0, 0, 0]), [5, 3, 2]);
        assert_eq!(apportion(10, &[95.0, 5.0], &[0, 0]), [9, 1]);
        assert_eq!(apportion(10, &[1.0, 0.0], &[0, 4]), [6, 4]);
        assert_eq!(apportion(4, &[0.0, 0.0], &[0, 0]), [2, 2]);
        assert_eq!(apportion(3, &[1.0, 1.0], &[4, 2]), [2, 1]);
        assert_eq!(apportion(0, &[1.0, 1.0], &[0, 0]), [0, 0]);
    }

    fn moves(step: u32, tolerance: f64) -> Moves {
        let minute = SimDuration::from_s(60.0);
        Moves {
            every: minute,
            window: minute,
            reaction: SimDuration::ZERO,
            step,
            tolerance,
            cool_down: SimDuration::ZERO,
            backlog_within_s: None,
            target: 1.0,
        }
    }

    #[test]
    fn a_step_goes_from_who_has_most_too_many_to_who_lacks_most() {
        let step = |most, has: &[u32], wanted: &[u32]| moves(most, 0.0).towards(has, wanted);
        assert_eq!(step(1, &[10, 5, 1], &[6, 4, 6]), [9, 5, 2]);
        assert_eq!(step(4, &[10, 5, 1], &[6, 4, 6]), [6, 5, 5]);
        assert_eq!(step(5, &[10, 5, 1], &[6, 4, 6]), [6, 4, 6]);
        assert_eq!(step(u32::MAX, &[3, 3], &[3, 3]), [3, 3]);
        // A tenth of ten is tolerated, of two it is not.
        assert_eq!(moves(9, 0.1).towards(&[10, 20], &[11, 19]), [10, 20]);
        assert_eq!(moves(9, 0.1).towards(&[2, 28], &[3, 27]), [3, 27]);
    }

    #[test]
    fn a_job_gets_what_is_left_and_keeps_its_minimum() {
        let part = |training: bool, minimum: u64| Partition {
            name: String::new(),
            share: 1.0,
            minimum: Minimum::Gpus(minimum),
            pool: None,
            replicas_per_unit: 1,
            start_up: StartUp::default(),
            training: training.then_some(Training {
                checkpoint_every: SimDuration::from_s(60.0),
                restart: SimDuration::ZERO,
            }),
            deliveries: Vec::new(),
        };
        let division = Division {
            unit_gpus: 8,
            partitions: vec![part(false, 0), part(true, 33), part(false, 24)],
            moves: None,
        };
        assert_eq!(division.least(100), [1, 5, 3]);
        assert_eq!(division.wanted(100, &[40.0, 0.0, 8.0], 0.8), [50, 40, 10]);
        assert_eq!(division.wanted(100, &[0.0, 99.0, 0.0], 0.8), [1, 96, 3]);
        // Both want 100 units of the 95 that are not kept, in proportion 3 to 1.
        assert_eq!(division.wanted(100, &[60.0, 0.0, 20.0], 0.8), [71, 5, 24]);
        // What comes goes first to who has less than he keeps.
        assert_eq!(division.hand_out(&[0, 0, 0], 9), [1, 5, 3]);
        assert_eq!(division.hand_out(&[1, 5, 3], 6), [5, 5, 5]);
    }

    #[test]
    fn shares_are_what_giving_one_by_one_makes_of_them() {
        let mut stream = crate::random::Seed(3).stream("apportion", "test", 0);
        for _ in 0..2000 {
            let count = 1 + stream.below(5) as usize;
            let weights: Vec<f64> = (0..count).map(|_| stream.unit() * 50.0).collect();
            let least: Vec<u32> = (0..count).map(|_| stream.below(6) as u32).collect();
            let total = least.iter().sum::<u32>() + stream.below(200) as u32;
            assert_eq!(
                apportion(total, &weights, &least),
                one_by_one(total, &weights, &least),
                "{total} by {weights:?} above {least:?}"
            );
        }
    }
}
