//! Parts of the world: `[region]`.

use super::World;
use super::cursor::Cursor;
use super::form::{Map, list, reference};
use super::problem::{advice, shown};
use super::quantity::{duration, utc_offset};
use crate::scenario::Region;
use crate::units::SimDuration;

/// Longest way over the network.
const DELAY_MAX: SimDuration = SimDuration(60_000_000_000);

/// A region before the others have said how far they are from it.
struct Part {
    region: Region,
    /// One way to others, by index.
    said: Vec<(usize, SimDuration)>,
}

pub(super) fn regions(root: &mut Cursor<'_>, world: &World<'_>) -> Vec<Region> {
    let parts = root.keyed("region", "A part of the world.", |name, at| {
        at.annotated();
        Part {
            region: Region {
                name: name.to_owned(),
                utc_offset_s: at
                    .default("utc_offset", "Local time minus UTC.", utc_offset(), "0h")
                    .round() as i64,
                delays: vec![SimDuration::ZERO; world.regions.len()],
                served_in: served_in(at, world),
            },
            said: delays(at, world),
        }
    });
    let parts: Vec<Part> = parts.into_iter().map(|(_, part)| part).collect();
    let said = |from: usize, to: usize| {
        let ways = &parts.get(from)?.said;
        ways.iter().find(|way| way.0 == to).map(|way| way.1)
    };
    let delay = |from, to| said(from, to).or_else(|| said(to, from));
    let count = world.regions.len();
    let all = parts.iter().enumerate().map(|(from, part)| Region {
        delays: (0..count)
            .map(|to| delay(from, to).unwrap_or(SimDuration::ZERO))
            .collect(),
        ..part.region.clone()
    });
    all.collect()
}

/// The index of a region that a key of a table names; a problem is noted where there is none.
pub(super) fn index_of(at: &Cursor<'_>, key: &str, name: &str, world: &World<'_>) -> Option<usize> {
    let index = world.regions.iter().position(|region| region == name);
    if index.is_none() {
        let known = world.regions.iter().map(String::as_str);
        let message = format!("names \"{}\", which is no region", shown(name));
        at.problem(key, &message, advice(name, known));
    }
    index
}

/// One way over the network, by index of the region.
fn delays(at: &mut Cursor<'_>, world: &World<'_>) -> Vec<(usize, SimDuration)> {
    let doc = "One way over the network from its users to sites in regions, its own among them; the way \
               back takes as long unless that region says otherwise. What is not said is 0 s.";
    let said = at
        .optional("delay", doc, Map(duration()))
        .unwrap_or_default();
    let mut delays = Vec::new();
    for (name, delay) in said {
        let index = index_of(at, "delay", &name, world);
        delays.extend(index.map(|index| (index, delay)));
        if delay > DELAY_MAX {
            let message = format!("is {delay} to \"{}\", more than {DELAY_MAX}", shown(&name));
            at.problem(
                "delay",
                &message,
                "a way around the world takes about 0.15 s",
            );
        }
    }
    delays
}

/// By region: whether what its users ask for may be served there.
fn served_in(at: &mut Cursor<'_>, world: &World<'_>) -> Vec<bool> {
    let doc = "Where data must stay: the regions in which requests of its users may be served; by default all.";
    let some = at.optional(
        "served_in",
        doc,
        list(reference("region", &world.regions), 1, 1000),
    );
    let may = |region: usize| some.as_ref().is_none_or(|some| some.contains(&region));
    (0..world.regions.len()).map(may).collect()
}
