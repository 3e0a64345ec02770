//! Who works for whom: kinds of work of which each may be done at some sites only, at rates of its own there.
//!
//! Two questions, each a small linear program (the generalised transport problem):
//!
//! - *the load*: the least time r in which all work can be done. With y the time that a site gives to a kind of
//!   work, minimise r where the time given brings all of it and no site gives more than r. For rates that differ by site alone it is the heaviest cut, the largest of needed work over what
//!   may do it, over all sets of kinds (Hall's condition);
//! - *the shares*: how much of each is done where there is too little. All of a level grow together until something
//!   binds: those that it binds stay, the others go on (max-min fairness, Bertsekas and Gallager 1992, 6.5.2). What
//!   binds follows from the prices of the program: in every optimum its sites are used by those that it binds
//!   alone, so they leave it together.
//!
//! Where one site can do all, both are a sum and a quotient, and are computed as such.

mod simplex;

use simplex::Simplex;

/// A price above this binds; the programs are scaled to about one.
const BINDS: f64 = 1e-9;
/// Within this share of its end something has reached it.
const REACHED: f64 = 1e-9;

/// A kind of work.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// Seconds that it would take if all sites that may do it did nothing else; infinite where none may.
    pub needed_s: f64,
    /// By site: the part of that joint rate which is there, 0 where it may not be done; their sum is 1.
    pub parts: Vec<f64>,
    /// Smaller goes first, whatever is left for the others.
    pub level: u8,
    /// How fast it grows among those of its level, in seconds as `needed_s`; where it is `needed_s` for all, all have
    /// the same share.
    pub pull_s: f64,
    /// Index of the party to which it belongs, whose time at each site may be limited.
    pub party: usize,
}

/// The load of sites together, and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// For how long the busiest must work, where work is spread as well as can be.
    pub busy_s: f64,
    /// By flow: whether it binds.
    pub flows: Vec<bool>,
    /// By site: whether it binds: as busy as that, whatever is moved.
    pub sites: Vec<bool>,
}

/// The least time in which so many sites can do all. What nobody may do is left out where there are several.
#[must_use]
pub fn least_load(flows: &[Flow], sites: usize) -> Load {
    if sites <= 1 {
        return Load {
            busy_s: flows.iter().map(|flow| flow.needed_s).sum(),
            flows: vec![true; flows.len()],
            sites: vec![true; sites],
        };
    }
    let growing: Vec<Part> = merged(flows, |flow| flow.needed_s);
    let all_s: f64 = growing.iter().map(|part| part.needed_s).sum();
    if all_s == 0.0 {
        return Load {
            busy_s: 0.0,
            flows: vec![false; flows.len()],
            sites: vec![false; sites],
        };
    }
    let room = Room::new(sites, all_s, &[]);
    let found = room.grow(&[], &growing, f64::INFINITY);
    let mut load = Load {
        busy_s: all_s / found.grown,
        flows: vec![false; flows.len()],
        sites: found.sites,
    };
    for (part, binds) in growing.iter().zip(&found.growing) {
        for &member in &part.members {
            load.flows[member] = *binds;
        }
    }
    load
}

/// By flow: the share of it that is done by so many sites in a time. A party has at most the share of the time of
/// each site that `limits` says; all where the list ends.
#[must_use]
pub fn shares(flows: &[Flow], sites: usize, seconds: f64, limits: &[f64]) -> Vec<f64> {
    let mut levels: Vec<u8> = flows.iter().map(|flow| flow.level).collect();
    levels.sort_unstable();
    levels.dedup();
    let alike = flows.iter().all(|flow| flow.pull_s == flow.needed_s);
    if sites <= 1 && alike && limits.iter().all(|&limit| limit >= 1.0) {
        return of_one_site(flows, &levels, seconds);
    }
    let mut shares = vec![0.0; flows.len()];
    let mut room = Room::new(sites, seconds, limits);
    let mut fixed = Vec::new();
    for level in levels {
        let of_level = |flow: &Flow| {
            if flow.level == level {
                flow.pull_s
            } else {
                0.0
            }
        };
        room.fill(&mut fixed, merged(flows, of_level), &mut shares);
    }
    shares
}

/// All of a level have the same share of what the levels before it left.
fn of_one_site(flows: &[Flow], levels: &[u8], seconds: f64) -> Vec<f64> {
    let mut shares = vec![0.0; flows.len()];
    let mut left_s = seconds;
    for &level in levels {
        let group = flows.iter().filter(|flow| flow.level == level);
        let needed_s: f64 = group.map(|flow| flow.needed_s).sum();
        let share = if needed_s <= left_s {
            1.0
        } else {
            left_s / needed_s
        };
        for (flow, of_flow) in flows.iter().zip(&mut shares) {
            if flow.level == level {
                *of_flow = share;
            }
        }
        left_s -= share.min(1.0) * needed_s.min(f64::MAX);
        left_s = left_s.max(0.0);
    }
    shares
}

/// Flows that differ in nothing but size.
#[derive(Clone, Debug)]
struct Part {
    parts: Vec<f64>,
    party: usize,
    needed_s: f64,
    pull_s: f64,
    members: Vec<usize>,
}

impl Part {
    /// How far it may grow.
    fn end(&self) -> f64 {
        self.needed_s / self.pull_s
    }
}

/// The flows with a pull, those alike together; what needs nothing or can be done nowhere is left out.
fn merged(flows: &[Flow], pull_s: impl Fn(&Flow) -> f64) -> Vec<Part> {
    let mut merged: Vec<Part> = Vec::new();
    for (index, flow) in flows.iter().enumerate() {
        let pull_s = pull_s(flow);
        if !(flow.needed_s > 0.0 && flow.needed_s.is_finite() && pull_s > 0.0) {
            continue;
        }
        let end = flow.needed_s / pull_s;
        let is_same = |part: &&mut Part| {
            part.party == flow.party
                && part.parts == flow.parts
                && (part.end() / end - 1.0).abs() <= REACHED
        };
        match merged.iter_mut().find(is_same) {
            Some(part) => {
                part.needed_s += flow.needed_s;
                part.pull_s += pull_s;
                part.members.push(index);
            }
            None => merged.push(Part {
                parts: flow.parts.clone(),
                party: flow.party,
                needed_s: flow.needed_s,
                pull_s,
                members: vec![index],
            }),
        }
    }
    merged
}

/// What sites still can do.
struct Room {
    /// By site: seconds that are free.
    free_s: Vec<f64>,
    /// By party and site: seconds that it may still have, where it is limited.
    limits_s: Vec<Option<Vec<f64>>>,
    seconds: f64,
}

/// How far things grew, and what bound them.
struct Grown {
    grown: f64,
    /// By fixed part, and by growing part: whether it is bound.
    fixed: Vec<bool>,
    growing: Vec<bool>,
    sites: Vec<bool>,
    /// By fixed part, then by growing part, and site: seconds that it has.
    uses_s: Vec<Vec<f64>>,
}

impl Room {
    fn new(sites: usize, seconds: f64, limits: &[f64]) -> Self {
        let limit = |&share: &f64| (share < 1.0).then(|| vec![share * seconds; sites]);
        Self {
            free_s: vec![seconds; sites],
            limits_s: limits.iter().map(limit).collect(),
            seconds,
        }
    }

    /// Lets `growing` grow together until each is bound or done; what is done joins `fixed`, for it may still be
    /// moved to other sites.
    fn fill(&mut self, fixed: &mut Vec<Part>, mut growing: Vec<Part>, shares: &mut [f64]) {
        while !growing.is_empty() {
            let end = growing.iter().map(Part::end).fold(f64::INFINITY, f64::min);
            let found = self.grow(fixed, &growing, end);
            let at_end = found.grown >= end * (1.0 - REACHED);
            let any_bound = found.growing.contains(&true);
            let count = fixed.len();
            let mut still = Vec::new();
            let mut done = Vec::new();
            for (index, part) in growing.into_iter().enumerate() {
                let is_done = at_end && part.end() <= end * (1.0 + REACHED);
                let is_bound = !at_end && (found.growing[index] || !any_bound);
                if is_done || is_bound {
                    let share = match is_done {
                        true => 1.0,
                        false => (found.grown / part.end()).min(1.0),
                    };
                    part.members
                        .iter()
                        .for_each(|&member| shares[member] = share);
                }
                if is_done {
                    done.push(part);
                } else if is_bound {
                    self.take(part.party, &found.uses_s[count + index]);
                } else {
                    still.push(part);
                }
            }
            if !at_end {
                let mut index = 0;
                fixed.retain(|part| {
                    let is_bound = found.fixed[index];
                    if is_bound {
                        self.take(part.party, &found.uses_s[index]);
                    }
                    index += 1;
                    !is_bound
                });
            }
            fixed.extend(done);
            growing = still;
        }
    }

    /// A part that is bound has its time for good.
    fn take(&mut self, party: usize, uses_s: &[f64]) {
        let limits = self.limits_s.get_mut(party).and_then(Option::as_mut);
        let rows = std::iter::once(&mut self.free_s).chain(limits);
        for row in rows {
            for (left_s, used_s) in row.iter_mut().zip(uses_s) {
                *left_s = (*left_s - used_s).max(0.0);
            }
        }
    }

    /// The most, up to `end`, by which all that grows can grow beside what is fixed.
    fn grow(&self, fixed: &[Part], growing: &[Part], end: f64) -> Grown {
        let sites = self.free_s.len();
        let count = fixed.len() + growing.len();
        let all = || fixed.iter().chain(growing).enumerate();
        // Variables: time by part and site, then how far what grows has grown and what is fixed is done.
        let (grown, done) = (count * sites, count * sites + 1);
        let mut program = Simplex::new(done + 1);
        let scale = growing.iter().map(|part| part.pull_s).fold(0.0, f64::max) / self.seconds;
        let rows: Vec<usize> = all()
            .map(|(index, part)| {
                let (target, needed_s) = match index < fixed.len() {
                    true => (done, part.needed_s),
                    false => (grown, part.pull_s / scale),
                };
                let times = part.parts.iter().enumerate();
                let mut row: Vec<(usize, f64)> = times
                    .map(|(site, &rate)| (index * sites + site, -rate))
                    .collect();
                row.push((target, needed_s / self.seconds));
                program.limit(&row, 0.0)
            })
            .collect();
        let limit = |program: &mut Simplex, site: usize, of: &dyn Fn(&Part) -> bool, s: f64| {
            let parts = all().filter(|(_, part)| part.parts[site] > 0.0 && of(part));
            let row: Vec<(usize, f64)> = parts.map(|(i, _)| (i * sites + site, 1.0)).collect();
            program.limit(&row, s / self.seconds)
        };
        let busy: Vec<usize> = (0..sites)
            .map(|site| limit(&mut program, site, &|_| true, self.free_s[site]))
            .collect();
        for (party, limits_s) in self.limits_s.iter().enumerate() {
            for (site, &limit_s) in limits_s.iter().flatten().enumerate() {
                limit(&mut program, site, &|part| part.party == party, limit_s);
            }
        }
        program.limit(&[(done, 1.0)], 1.0);
        if end.is_finite() {
            program.limit(&[(grown, 1.0)], end * scale);
        }
        program.maximise(&[done, grown]);
        let binds = |row: &usize| program.price(*row) > BINDS;
        let use_s = |index: usize| -> Vec<f64> {
            let times = 0..sites;
            times
                .map(|site| program.value(index * sites + site) * self.seconds)
                .collect()
        };
        Grown {
            grown: program.value(grown) / scale,
            fixed: rows[..fixed.len()].iter().map(binds).collect(),
            growing: rows[fixed.len()..].iter().map(binds).collect(),
            sites: busy.iter().map(binds).collect(),
            uses_s: (0..count).map(use_s).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
