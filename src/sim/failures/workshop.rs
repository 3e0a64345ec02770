//! The workshop: restarts, repairs by a limited number of crews, and spares.
//!
//! A broken node goes to the workshop while a spare takes its place; when it is repaired it becomes a spare, or takes
//! the place that has waited longest. Without any spares, and for racks, power domains and sites, what is broken is
//! mended where it stands. Crews take what came first.

use std::collections::VecDeque;

use crate::scenario::{RepairClass, Unit};

/// Crews, spares and who waits for them.
pub(super) struct Workshop {
    /// `None`: no limit.
    crews: Option<u32>,
    at_work: u32,
    has_spares: bool,
    spares: u32,
    /// Repairs that wait for a crew, with how long they will take in seconds.
    jobs: VecDeque<(Option<Unit>, f64)>,
    /// Places of nodes that wait for a spare.
    places: VecDeque<Unit>,
}

/// What is done when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Done {
    /// A unit is up: it has started again, or a spare has taken its place.
    Up(Unit),
    /// A crew has repaired something: a unit where it stands, or a node that is to be a spare.
    Repaired(Option<Unit>),
}

/// What begins now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Begun {
    /// It takes so many seconds.
    Known(Done, f64),
    /// A spare is put in the place of a node.
    Swap(Unit),
}

impl Workshop {
    pub(super) fn new(crews: Option<u32>, spares: u32) -> Self {
        Self {
            crews,
            at_work: 0,
            has_spares: spares > 0,
            spares,
            jobs: VecDeque::new(),
            places: VecDeque::new(),
        }
    }

    /// Crews at work.
    pub(super) fn at_work(&self) -> u64 {
        self.at_work.into()
    }

    /// Repairs that wait for a crew.
    pub(super) fn waiting(&self) -> u64 {
        self.jobs.len() as u64
    }

    /// Spares that stand ready.
    pub(super) fn spares(&self) -> u64 {
        self.spares.into()
    }

    /// A unit is down; what begins.
    pub(super) fn bring(&mut self, unit: Unit, class: RepairClass, repair_s: f64) -> Vec<Begun> {
        if class == RepairClass::Restart {
            return vec![Begun::Known(Done::Up(unit), repair_s)];
        }
        let mut begun = Vec::new();
        if self.has_spares && matches!(unit, Unit::Node(_)) {
            self.jobs.push_back((None, repair_s));
            self.places.push_back(unit);
            begun.extend(self.fill_place());
        } else {
            self.jobs.push_back((Some(unit), repair_s));
        }
        begun.extend(self.send_crew());
        begun
    }

    /// A repair is done: which unit is up by it, and what begins.
    pub(super) fn repaired(&mut self, unit: Option<Unit>) -> (Option<Unit>, Vec<Begun>) {
        self.at_work -= 1;
        self.spares += u32::from(unit.is_none());
        let begun = self.fill_place().into_iter().chain(self.send_crew());
        (unit, begun.collect())
    }

    /// A spare for the place that has waited longest.
    fn fill_place(&mut self) -> Option<Begun> {
        let place = self.places.front().filter(|_| self.spares > 0).copied()?;
        self.places.pop_front();
        self.spares -= 1;
        Some(Begun::Swap(place))
    }

    /// A crew for the job that has waited longest.
    fn send_crew(&mut self) -> Option<Begun> {
        let is_free = self.crews.is_none_or(|crews| self.at_work < crews);
        let (unit, repair_s) = self.jobs.front().filter(|_| is_free).copied()?;
        self.jobs.pop_front();
        self.at_work += 1;
        Some(Begun::Known(Done::Repaired(unit), repair_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_crew_repairs_what_broke_first_and_spares_go_where_they_were_missed_first() {
        let mut shop = Workshop::new(Some(1), 1);
        let field = RepairClass::Field;
        let repair = |unit, lasts_s| Begun::Known(Done::Repaired(unit), lasts_s);
        assert_eq!(
            shop.bring(Unit::Node(4), field, 10.0),
            [Begun::Swap(Unit::Node(4)), repair(None, 10.0)]
        );
        assert_eq!(shop.bring(Unit::Node(7), field, 20.0), []);
        assert_eq!(shop.bring(Unit::Rack(0), field, 30.0), []);
        let restart = shop.bring(Unit::Node(1), RepairClass::Restart, 5.0);
        assert_eq!(restart, [Begun::Known(Done::Up(Unit::Node(1)), 5.0)]);
        assert_eq!((shop.waiting(), shop.at_work(), shop.spares()), (2, 1, 0));
        let (up, begun) = shop.repaired(None);
        assert_eq!(up, None);
        assert_eq!(begun, [Begun::Swap(Unit::Node(7)), repair(None, 20.0)]);
        let (_, begun) = shop.repaired(None);
        assert_eq!(begun, [repair(Some(Unit::Rack(0)), 30.0)]);
        assert_eq!(
            shop.repaired(Some(Unit::Rack(0))),
            (Some(Unit::Rack(0)), vec![])
        );
        assert_eq!((shop.at_work(), shop.spares()), (0, 1));
    }
}
