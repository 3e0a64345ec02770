//! A request on its way: what travels between users and pools, and the attempts a pool holds.

use super::replica::Joiner;
use crate::units::SimTime;

/// The user of demands that do not know their users.
pub(crate) const NOBODY: u32 = u32::MAX;

/// One request as it follows from the user's wish; it stays the same over all attempts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Request {
    /// When the user first asked.
    pub first_at: SimTime,
    /// The user within its gateway's part of the demand, or `NOBODY`.
    pub user: u32,
    /// The gateway through which it came, to which the answer goes.
    pub gateway: u16,
    /// Its demand.
    pub demand: u16,
    /// The tier whose rules hold.
    pub tier: u8,
    /// Attempts so far; it stays at the largest number.
    pub tries: u16,
    /// Iterations (or nanoseconds of service) at the standard quality.
    pub amount: u64,
    /// Prompt tokens.
    pub prompt_tokens: u32,
    /// What else is known of the user.
    pub asker: Asker,
}

/// The user who asks: two answers in one byte, since requests fill cache lines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asker(u8);

impl Asker {
    const SILENT: u8 = 1;
    const SERVED: u8 = 2;

    #[inline]
    pub(crate) fn new(is_silent: bool, was_served: bool) -> Self {
        let silent = Self::SILENT * u8::from(is_silent);
        Self(silent | (Self::SERVED * u8::from(was_served)))
    }

    /// Whether, once out of patience, he leaves without telling.
    #[inline]
    pub(crate) fn is_silent(self) -> bool {
        self.0 & Self::SILENT != 0
    }

    /// Whether he had got an image before he asked.
    #[inline]
    pub(crate) fn was_served(self) -> bool {
        self.0 & Self::SERVED != 0
    }
}

/// A request that a gateway hands to a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// When it reaches the pool.
    pub at: SimTime,
    /// The request.
    pub request: Request,
    /// How long its user waits for the first attempt, in nanoseconds; `u64::MAX`: for ever.
    pub patience_ns: u64,
}

/// What a pool tells the gateway about a request of a known user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Feedback {
    /// When it happened.
    pub at: SimTime,
    /// Whose request.
    pub user: u32,
    /// Of which demand.
    pub demand: u16,
    /// Whether the image was delivered; else it was refused for good and the quota is given back.
    pub delivered: bool,
    /// Whether the user had got an image before he asked.
    pub was_served: bool,
}

impl Feedback {
    /// Whether anything that is kept of the user changes: not when one more image of many was delivered. It is asked
    /// of each, so this takes no branch.
    #[inline]
    pub(crate) fn changes_user(&self) -> bool {
        !(self.delivered & self.was_served)
    }

    /// What a gateway is told, if the user is known.
    #[inline]
    pub(crate) fn new(at: SimTime, request: &Request, delivered: bool) -> Option<Self> {
        (request.user != NOBODY).then_some(Self {
            at,
            user: request.user,
            demand: request.demand,
            delivered,
            was_served: request.asker.was_served(),
        })
    }
}

/// Where an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nowhere: the slot is free.
    Free,
    /// In a line.
    Waiting,
    /// In a replica's batch, or joining it at the next iteration.
    Running,
    /// In a batch, but its user has cancelled: it leaves at the next iteration.
    Cancelled,
}

/// One try at a request, in the pool's slab: one cache line, since it is rarely in the cache when it is
/// needed.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(crate) struct Attempt {
    /// The request.
    pub request: Request,
    /// When this try began.
    pub at: SimTime,
    /// When its user leaves.
    pub leaves_at: SimTime,
    /// Work at the quality it gets.
    pub amount: u64,
    /// Index of that quality.
    pub quality: u8,
    /// Whether its user has gone without telling.
    pub ghost: bool,
    /// Whether it was interrupted and goes on where it stopped.
    pub resumes: bool,
    /// The replica in which it runs or in whose line it waits.
    pub replica: u32,
}

impl Attempt {
    /// Tokens of its prompt and its output; interruptions change nothing about them at the standard quality.
    #[inline]
    pub(crate) fn tokens(&self) -> u64 {
        let output = match self.quality {
            0 => self.request.amount,
            _ => self.amount,
        };
        u64::from(self.request.prompt_tokens).saturating_add(output)
    }

    /// What it brings into a batch; `grows` says whether its context does. What it did before it was interrupted
    /// is context now.
    #[inline]
    pub(crate) fn joiner(&self, slot: u32, grows: bool) -> Joiner {
        let grown = match self.resumes && grows && self.quality == 0 {
            true => self.request.amount - self.amount,
            false => 0,
        };
        let grown = u32::try_from(grown).unwrap_or(u32::MAX);
        Joiner {
            slot,
            amount: self.amount,
            prompt_tokens: self.request.prompt_tokens.saturating_add(grown),
            grows,
        }
    }
}

/// A reference to an attempt that may have ended since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    slot: u32,
    generation: u32,
}

const MARK: u32 = 1 << 31;

const _: () = assert!(
    size_of::<Attempt>() == 64,
    "an attempt fills one cache line"
);

/// All attempts of a pool; slots are used again, so memory follows the number in the system.
///
/// Timers and lines ask of most attempts only whether they are still there, long after the attempt has
/// left the cache: what answers that lies apart, eight to a cache line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts {
    slots: Vec<Attempt>,
    states: Vec<State>,
    free: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    /// Raised whenever the slot is freed: a ticket with an older one is stale.
    generation: u32,
    place: Place,
}

impl Ticket {
    /// With a mark, which tells it from the same ticket without.
    pub(crate) fn marked(self) -> Self {
        Self {
            slot: self.slot | MARK,
            ..self
        }
    }

    /// Without a mark.
    #[inline]
    pub(crate) fn unmarked(self) -> Self {
        Self {
            slot: self.slot & !MARK,
            ..self
        }
    }

    /// The slot, whoever is in it now.
    #[inline]
    pub(crate) fn slot(self) -> u32 {
        self.slot
    }
}

impl Attempts {
    /// Takes in a first or further try at a request, at a place. It is written where it will lie: a copy
    /// would be waited for by whoever reads it next.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        request: &Request,
        at: SimTime,
        place: Place,
    ) -> (u32, &mut Attempt) {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.grow(),
        };
        self.states[slot as usize].place = place;
        let attempt = &mut self.slots[slot as usize];
        attempt.request = *request;
        attempt.at = at;
        attempt.leaves_at = SimTime::NEVER;
        attempt.amount = request.amount;
        attempt.quality = 0;
        attempt.ghost = false;
        attempt.resumes = false;
        attempt.replica = u32::MAX;
        (slot, attempt)
    }

    #[cold]
    fn grow(&mut self) -> u32 {
        let slot = self.slots.len() as u32;
        assert!(slot < MARK, "under 2^31 attempts in a pool");
        self.slots.push(Attempt::default());
        self.states.push(State {
            generation: 0,
            place: Place::Free,
        });
        slot
    }

    /// Frees a slot; every ticket to it is stale from now on. What was in it, and where.
    #[inline]
    pub(crate) fn remove(&mut self, slot: u32) -> (&Attempt, Place) {
        let state = &mut self.states[slot as usize];
        debug_assert_ne!(state.place, Place::Free, "slot {slot} is freed twice");
        let place = std::mem::replace(&mut state.place, Place::Free);
        state.generation = state.generation.wrapping_add(1);
        self.free.push(slot);
        (&self.slots[slot as usize], place)
    }

    #[inline]
    pub(crate) fn get(&self, slot: u32) -> &Attempt {
        &self.slots[slot as usize]
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: u32) -> &mut Attempt {
        &mut self.slots[slot as usize]
    }

    /// Where an attempt is.
    #[inline]
    pub(crate) fn place(&self, slot: u32) -> Place {
        self.states[slot as usize].place
    }

    #[inline]
    pub(crate) fn set_place(&mut self, slot: u32, place: Place) {
        self.states[slot as usize].place = place;
    }

    /// An attempt is given a place on a replica.
    #[inline]
    pub(crate) fn begin(&mut self, slot: u32, replica: u32) -> &Attempt {
        self.states[slot as usize].place = Place::Running;
        let attempt = &mut self.slots[slot as usize];
        attempt.replica = replica;
        attempt
    }

    /// A ticket to the attempt that is in the slot now.
    #[inline]
    pub(crate) fn ticket(&self, slot: u32) -> Ticket {
        Ticket {
            slot,
            generation: self.states[slot as usize].generation,
        }
    }

    /// The slot of a ticket, unless the attempt has ended.
    #[inline]
    pub(crate) fn live(&self, ticket: Ticket) -> Option<u32> {
        (self.states[ticket.slot as usize].generation == ticket.generation).then_some(ticket.slot)
    }

    /// The slot of a ticket, if its attempt is waiting in a line.
    #[inline]
    pub(crate) fn waiting(&self, ticket: Ticket) -> Option<u32> {
        let state = self.states[ticket.slot as usize];
        let waits = state.generation == ticket.generation && state.place == Place::Waiting;
        waits.then_some(ticket.slot)
    }

    /// Slots, used or free.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Something of each of these slots, for whoever only wants them near: asked for together, the
    /// loads overlap.
    #[inline]
    pub(crate) fn fetch(&self, slots: &[u32]) -> u64 {
        let states = slots.iter().map(|&slot| &self.states[slot as usize]);
        let seen = states.fold(0, |all, state| all ^ u64::from(state.generation));
        let attempts = slots.iter().map(|&slot| &self.slots[slot as usize]);
        attempts.fold(seen, |all, attempt| all ^ attempt.amount)
    }

    /// The slots of the attempts at a place.
    pub(crate) fn slots_at(&self, place: Place) -> Vec<u32> {
        let states = (0..).zip(&self.states);
        let there = states.filter(|(_, state)| state.place == place);
        there.map(|(slot, _)| slot).collect()
    }

    /// Attempts that are somewhere, and where.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Place, &Attempt)> {
        let places = self.states.iter().map(|state| state.place);
        places
            .zip(&self.slots)
            .filter(|(place, _)| *place != Place::Free)
    }
}
