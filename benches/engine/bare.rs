//! The least that simulates M/M/100, first come first served: what the engine is measured against.
//!
//! Both have the engine's generator, count in whole nanoseconds, as it does, and draw by inversion: a
//! yardstick does not move with the engine's own sampling. Each gives the sum of all waits in
//! nanoseconds.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, VecDeque};

use meltpoint::random::{Seed, Stream};

use crate::queue::{ARRIVALS_PER_S, SERVERS};

/// An event loop: one binary heap of events, one line, one generator, nothing else.
///
/// The leanest of those that were tried: an event is one word, its time above one bit for its kind, and
/// the event that follows from the first in the heap takes its place, so that the heap is sifted once.
pub(crate) fn event_loop(customers: u64, seed: Seed) -> u64 {
    const ARRIVAL: u64 = 0;
    const DEPARTURE: u64 = 1;
    let mut stream = seed.stream("bench", "bare", 0);
    let mut events = BinaryHeap::with_capacity(SERVERS as usize + 2);
    let mut line = VecDeque::new();
    let (mut free, mut to_come, mut waited) = (SERVERS, customers - 1, 0);
    events.push(Reverse(gap(&mut stream) << 1 | ARRIVAL));
    loop {
        let Some(mut first) = events.peek_mut() else {
            return waited;
        };
        let (now, kind) = (first.0 >> 1, first.0 & 1);
        if kind == ARRIVAL {
            if to_come > 0 {
                to_come -= 1;
                *first = Reverse((now + gap(&mut stream)) << 1 | ARRIVAL);
                drop(first);
            } else {
                PeekMut::pop(first);
            }
            if free > 0 {
                free -= 1;
                events.push(Reverse((now + service(&mut stream)) << 1 | DEPARTURE));
            } else {
                line.push_back(now);
            }
        } else if let Some(came) = line.pop_front() {
            waited += now - came;
            *first = Reverse((now + service(&mut stream)) << 1 | DEPARTURE);
        } else {
            free += 1;
            PeekMut::pop(first);
        }
    }
}

/// No events at all: the recursion of Kiefer and Wolfowitz (1955). Who comes waits for the server that is
/// free first; a heap holds when each will be.
pub(crate) fn recursion(customers: u64, seed: Seed) -> u64 {
    let mut stream = seed.stream("bench", "bare", 0);
    let mut free_at: BinaryHeap<Reverse<u64>> = (0..SERVERS).map(|_| Reverse(0)).collect();
    let (mut now, mut waited) = (0, 0);
    for _ in 0..customers {
        now += gap(&mut stream);
        let Some(mut first) = free_at.peek_mut() else {
            break;
        };
        let begins = first.0.max(now);
        waited += begins - now;
        *first = Reverse(begins + service(&mut stream));
    }
    waited
}

fn gap(stream: &mut Stream) -> u64 {
    (exponential(stream) / ARRIVALS_PER_S * 1e9) as u64
}

fn service(stream: &mut Stream) -> u64 {
    (exponential(stream) * 1e9) as u64
}

fn exponential(stream: &mut Stream) -> f64 {
    -libm::log(stream.unit())
}
