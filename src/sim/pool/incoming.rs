//! Incoming: the arrivals of a window, which come from several gateways, in one order.

use crate::des::Earliest;
use crate::sim::request::Arrival;
use crate::units::SimTime;

/// Who arrives next: by time, equal times in the order of gateways. Each gateway hands over its own in
/// order of time, so at any moment only the first of each compete.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    /// When the next of each gateway arrives.
    next: Earliest,
    /// By gateway: how many have arrived.
    arrived: Vec<usize>,
}

impl Incoming {
    pub(super) fn new(gateways: usize) -> Self {
        Self {
            next: Earliest::new(gateways),
            arrived: vec![0; gateways],
        }
    }

    /// A window begins; all of the last have arrived.
    pub(super) fn begin(&mut self, inbox: &[&[Arrival]]) {
        self.arrived.fill(0);
        for (gateway, arrivals) in inbox.iter().enumerate() {
            if let Some(first) = arrivals.first() {
                self.next.set(gateway, first.at);
            }
        }
    }

    /// When the next arrives; `SimTime::NEVER` when all have arrived.
    #[inline]
    pub(super) fn time(&self) -> SimTime {
        self.next.time()
    }

    /// The next arrives. There must be one.
    #[inline]
    pub(super) fn pop<'a>(&mut self, inbox: &[&'a [Arrival]]) -> &'a Arrival {
        let gateway = self.next.entity();
        let (arrivals, arrived) = (inbox[gateway], &mut self.arrived[gateway]);
        let arrival = &arrivals[*arrived];
        *arrived += 1;
        let next = arrivals.get(*arrived);
        self.next
            .set(gateway, next.map_or(SimTime::NEVER, |next| next.at));
        arrival
    }

    /// By gateway: those who have not arrived.
    pub(super) fn to_come<'a>(
        &self,
        inbox: &'a [&[Arrival]],
    ) -> impl Iterator<Item = &'a [Arrival]> {
        let inbox = inbox.iter().zip(&self.arrived);
        inbox.map(|(arrivals, &arrived)| &arrivals[arrived..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use crate::sim::request::Request;

    #[test]
    fn it_agrees_with_a_stable_sort() {
        let mut stream = Seed(5).stream("sim", "incoming", 0);
        let mut incoming = Incoming::new(3);
        for window in 0..50 {
            let mut boxes = vec![Vec::new(); 3];
            for (gateway, arrivals) in boxes.iter_mut().enumerate() {
                let times = (0..stream.below(20)).map(|_| SimTime(100 * window + stream.below(30)));
                let mut times: Vec<SimTime> = times.collect();
                times.sort_unstable();
                let arrival = |(number, at)| Arrival {
                    at,
                    request: Request {
                        gateway: gateway as u16,
                        ..Request::default()
                    },
                    patience_ns: number,
                };
                arrivals.extend((0..).zip(times).map(arrival));
            }
            let inbox: Vec<&[Arrival]> = boxes.iter().map(Vec::as_slice).collect();
            let mut expected: Vec<Arrival> = boxes.concat();
            expected.sort_by_key(|arrival| arrival.at);
            incoming.begin(&inbox);
            for expected in expected {
                assert_eq!(incoming.time(), expected.at);
                let arrival = incoming.pop(&inbox);
                let (one, other) = (arrival.request.gateway, expected.request.gateway);
                assert_eq!((one, arrival.patience_ns), (other, expected.patience_ns));
            }
            assert_eq!(incoming.time(), SimTime::NEVER);
            assert_eq!(incoming.to_come(&inbox).flatten().count(), 0);
        }
    }
}
