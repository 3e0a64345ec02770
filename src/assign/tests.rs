//! Loads and shares against brute force: all cuts, all corners of the dual, and growth in small steps.

use super::*;
use crate::random::{Seed, Stream};

fn flow(needed_s: f64, speeds: &[f64]) -> Flow {
    let whole: f64 = speeds.iter().sum();
    Flow {
        needed_s: needed_s / whole,
        parts: speeds.iter().map(|speed| speed / whole).collect(),
        level: 0,
        pull_s: needed_s / whole,
        party: 0,
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().min(b.abs()))
}

/// Kinds of work that differ in where they may be done, at sites of some speeds: (work, allowed sites as bits).
struct Cuts {
    speeds: Vec<f64>,
    works: Vec<(f64, u32)>,
}

impl Cuts {
    fn drawn(stream: &mut Stream, sites: u32, works: usize) -> Self {
        let speeds = (0..sites).map(|_| 0.2 + 3.0 * stream.unit());
        let speeds = speeds.collect();
        let one = |stream: &mut Stream| {
            let allowed = 1 + stream.below((1 << sites) - 1) as u32;
            (0.1 + 2.0 * stream.unit(), allowed)
        };
        let works = (0..works).map(|_| one(stream)).collect();
        Self { speeds, works }
    }

    fn flows(&self) -> Vec<Flow> {
        let flow_of = |&(work, allowed): &(f64, u32)| {
            let speeds = self.speeds.iter().enumerate();
            let allowed = speeds.map(|(site, &speed)| match allowed >> site & 1 {
                1 => speed,
                _ => 0.0,
            });
            flow(work, &allowed.collect::<Vec<f64>>())
        };
        self.works.iter().map(flow_of).collect()
    }

    /// Over all sets of works of those in `open`, the heaviest: work over the speed of all open sites that may do any.
    fn heaviest(&self, open: u32, sites: u32) -> (f64, u32, u32) {
        let mut best = (0.0, 0, 0);
        for set in 1..1_u32 << self.works.len() {
            if set & !open != 0 {
                continue;
            }
            let members = (0..self.works.len()).filter(|index| set >> index & 1 == 1);
            let (mut work, mut allowed) = (0.0, 0);
            for index in members {
                work += self.works[index].0;
                allowed |= self.works[index].1 & sites;
            }
            let speeds = self.speeds.iter().enumerate();
            let may = speeds.filter(|(site, _)| allowed >> site & 1 == 1);
            let load = work / may.map(|(_, speed)| speed).sum::<f64>();
            if load > best.0 {
                best = (load, set, allowed);
            }
        }
        best
    }

    /// The heaviest cut leaves with its sites, then the heaviest of the rest, and so on.
    fn shares(&self) -> Vec<f64> {
        let mut shares = vec![1.0; self.works.len()];
        let (mut open, mut sites) = ((1 << self.works.len()) - 1, u32::MAX);
        loop {
            let (load, set, taken) = self.heaviest(open, sites);
            if load <= 1.0 {
                return shares;
            }
            for (index, share) in shares.iter_mut().enumerate() {
                if set >> index & 1 == 1 {
                    *share = 1.0 / load;
                }
            }
            open &= !set;
            sites &= !taken;
        }
    }
}

#[test]
fn the_load_is_that_of_the_heaviest_cut() {
    let mut stream = Seed(5).stream("cuts", "load", 0);
    for round in 0..300 {
        let (sites, works) = (2 + round % 3, 1 + round as usize % 6);
        let cuts = Cuts::drawn(&mut stream, sites, works);
        let found = least_load(&cuts.flows(), sites as usize);
        let (load, set, taken) = cuts.heaviest(u32::MAX >> (32 - works), u32::MAX);
        assert!(near(found.busy_s, load), "{}: {load}", found.busy_s);
        // What binds is a cut of that load, though not the only one where there are several.
        let bits = |binds: &[bool]| (0..).zip(binds).map(|(i, &b)| u32::from(b) << i).sum();
        let (flows, sites): (u32, u32) = (bits(&found.flows), bits(&found.sites));
        assert_eq!((flows, sites), (set, taken), "round {round}");
    }
}

#[test]
fn the_load_of_two_sites_is_the_best_corner_of_the_dual() {
    // With prices p and 1 - p of the sites: the sum of needed work at the cheaper site, at its best p.
    let mut stream = Seed(6).stream("corners", "load", 0);
    for round in 0..300 {
        let draw = |stream: &mut Stream| {
            let speeds = [0.1 + stream.unit(), 0.1 + stream.unit()];
            (2.0 * stream.unit(), speeds)
        };
        let works: Vec<(f64, [f64; 2])> = (0..1 + round % 7).map(|_| draw(&mut stream)).collect();
        let at = |p: f64| -> f64 {
            let cost = |(work, [a, b]): &(f64, [f64; 2])| work * (p / a).min((1.0 - p) / b);
            works.iter().map(cost).sum()
        };
        let corners = works.iter().map(|(_, [a, b])| at(a / (a + b)));
        let best = corners.fold(0.0, f64::max);
        let flows: Vec<Flow> = works.iter().map(|(work, s)| flow(7.0 * work, s)).collect();
        let found = least_load(&flows, 2);
        assert!(near(found.busy_s, 7.0 * best), "{}: {best}", found.busy_s);
    }
}

#[test]
fn the_shares_are_those_of_the_heaviest_cuts_in_turn() {
    let mut stream = Seed(7).stream("cuts", "shares", 0);
    let mut partial = 0;
    for round in 0..300 {
        let (sites, works) = (2 + round % 3, 1 + round as usize % 6);
        let cuts = Cuts::drawn(&mut stream, sites, works);
        let found = shares(&cuts.flows(), sites as usize, 1.0, &[]);
        let wanted = cuts.shares();
        let all = found.iter().zip(&wanted).all(|(a, b)| near(*a, *b));
        assert!(all, "round {round}: {found:?}, {wanted:?}");
        let levels = wanted.windows(2).any(|pair| pair[0] != pair[1]);
        partial += u32::from(levels);
    }
    assert!(partial > 50, "{partial} of 300 had several levels");
}

#[test]
fn one_site_by_the_program_is_the_sum_and_the_quotient() {
    let mut stream = Seed(8).stream("one", "shares", 0);
    for _ in 0..100 {
        let draw = |stream: &mut Stream| Flow {
            level: stream.below(3) as u8,
            ..flow(stream.unit(), &[1.0])
        };
        let flows: Vec<Flow> = (0..5).map(|_| draw(&mut stream)).collect();
        let mut two = flows.clone();
        two.iter_mut().for_each(|flow| flow.parts.push(0.0));
        let (one, other) = (shares(&flows, 1, 1.0, &[]), shares(&two, 2, 1.0, &[]));
        let all = one.iter().zip(&other).all(|(a, b)| near(*a, *b));
        assert!(all, "{one:?}, {other:?}");
        let loads = [least_load(&flows, 1).busy_s, least_load(&two, 2).busy_s];
        assert!(near(loads[0], loads[1]), "{loads:?}");
    }
}

#[test]
fn a_later_level_has_what_the_first_leaves_however_that_is_moved() {
    // The first may go to both sites, the second to one: the first makes room for it.
    let first = flow(0.9, &[1.0, 1.0]);
    let second = Flow {
        level: 1,
        ..flow(1.5, &[1.0, 0.0])
    };
    let found = shares(&[first, second], 2, 1.0, &[]);
    assert!(
        near(found[0], 1.0) && near(found[1], 1.0 / 1.5),
        "{found:?}"
    );
}

#[test]
fn weights_and_limits_hold_and_what_is_left_is_borrowed() {
    let party = |party: usize, needed_s: f64, weight: f64| Flow {
        party,
        pull_s: weight,
        ..flow(needed_s, &[1.0])
    };
    let of = |flows: &[Flow], limits: &[f64]| -> Vec<f64> {
        let found = shares(flows, 1, 1.0, limits);
        let both = found.iter().zip(flows);
        both.map(|(share, flow)| share * flow.needed_s).collect()
    };
    let flows = [party(0, 0.1, 5.0), party(1, 2.0, 3.0), party(2, 2.0, 2.0)];
    // The first needs less than its half; the others split the rest three to two.
    let found = of(&flows, &[]);
    assert!(
        near(found[0], 0.1) && near(found[1], 0.54) && near(found[2], 0.36),
        "{found:?}"
    );
    // At a limit of a fifth, what the second may not have goes to the third.
    let found = of(&flows, &[1.0, 0.2]);
    assert!(near(found[1], 0.2) && near(found[2], 0.7), "{found:?}");
}

#[test]
fn what_nobody_can_do_has_no_share_and_takes_none() {
    let nowhere = Flow {
        needed_s: f64::INFINITY,
        parts: vec![0.0, 0.0],
        pull_s: f64::INFINITY,
        ..flow(1.0, &[1.0, 1.0])
    };
    let flows = [nowhere, flow(1.0, &[1.0, 1.0])];
    assert_eq!(shares(&flows, 2, 1.0, &[]), [0.0, 1.0]);
    let found = least_load(&flows, 2);
    assert!(near(found.busy_s, 0.5));
    assert_eq!(found.flows, [false, true]);
}

#[test]
fn nobody_can_have_more_but_from_who_has_less() {
    // Rates of any kind at three sites, some of them none: the definition of max-min, by the load.
    let mut stream = Seed(9).stream("rates", "shares", 0);
    let mut raised = 0;
    for round in 0..200 {
        let draw = |stream: &mut Stream| {
            let mut speeds = [0.0; 3].map(|_| match stream.below(3) {
                0 => 0.0,
                _ => 0.1 + stream.unit(),
            });
            speeds[stream.below(3) as usize] += 0.1;
            flow(1.5 * stream.unit(), &speeds)
        };
        let flows: Vec<Flow> = (0..2 + round % 5).map(|_| draw(&mut stream)).collect();
        let found = shares(&flows, 3, 1.0, &[]);
        let busy_s = |shares: &[f64]| {
            let parts = flows.iter().zip(shares);
            let done = |(flow, share): (&Flow, &f64)| Flow {
                needed_s: share * flow.needed_s,
                ..flow.clone()
            };
            least_load(&parts.map(done).collect::<Vec<Flow>>(), 3).busy_s
        };
        assert!(busy_s(&found) <= 1.0 + 1e-9, "round {round}: {found:?}");
        for (index, &share) in found.iter().enumerate() {
            if share < 1.0 {
                let mut more: Vec<f64> = found.iter().map(|other| other.min(share)).collect();
                more[index] *= 1.01;
                assert!(busy_s(&more) > 1.0, "round {round}: {index} of {found:?}");
                raised += 1;
            }
        }
    }
    assert!(raised > 200, "{raised} had too little");
}
