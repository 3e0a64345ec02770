//! Which pool a request goes to, from the pools' loads at the start of the window.
//!
//! Real load balancers see stale loads too. What the gateway itself has sent since then it knows, and
//! takes as its share of what all gateways have sent.

use crate::random::Stream;
use crate::scenario::Routing;

/// The pools as a gateway sees them in a window.
#[derive(Clone, Debug)]
pub(crate) struct Router {
    /// By region: the pools in it.
    near: Vec<Vec<usize>>,
    /// All pools.
    all: Vec<usize>,
    /// By pool: places in batches; 0 for a pool that stands still.
    slots: Vec<f64>,
    /// By pool: attempts over slots at the start of the window, and what was sent since.
    loads: Vec<f64>,
    /// By pool: what a request adds to its load, each standing for those of the other gateways too.
    steps: Vec<f64>,
    gateways: f64,
    turn: usize,
    stream: Stream,
}

impl Router {
    /// `regions` tells the region of each pool.
    pub(crate) fn new(regions: &[usize], gateways: usize, turn: usize, stream: Stream) -> Self {
        let pools = regions.len();
        let count = regions.iter().max().map_or(0, |&last| last + 1);
        let mut near = vec![Vec::new(); count];
        for (pool, &region) in regions.iter().enumerate() {
            near[region].push(pool);
        }
        Self {
            near,
            all: (0..pools).collect(),
            slots: vec![0.0; pools],
            loads: vec![0.0; pools],
            steps: vec![0.0; pools],
            gateways: gateways as f64,
            turn,
            stream,
        }
    }

    /// A window begins: (load, slots) by pool.
    pub(crate) fn look(&mut self, pools: &[(f64, f64)]) {
        for (pool, &(load, slots)) in pools.iter().enumerate() {
            self.loads[pool] = load;
            self.slots[pool] = slots;
            self.steps[pool] = self.gateways / slots.max(1.0);
        }
    }

    /// The pool for a request from a region.
    pub(crate) fn choose(&mut self, routing: Routing, region: usize) -> usize {
        let count = self.loads.len();
        if count == 1 {
            return 0;
        }
        let pool = match routing {
            Routing::Random => self.in_proportion_to_slots(),
            Routing::RoundRobin => {
                self.turn = (self.turn + 1) % count;
                self.turn
            }
            Routing::PowerOfD(choices) => {
                let mut best = self.draw();
                for _ in 1..choices {
                    let other = self.draw();
                    if self.loads[other] < self.loads[best] {
                        best = other;
                    }
                }
                best
            }
            Routing::LeastLoaded => self.least_loaded(&self.all).unwrap_or(0),
            Routing::Nearest { spill_above } => {
                let near = self.near.get(region);
                let near = near.and_then(|near| self.least_loaded(near));
                match near {
                    Some(near) if self.loads[near] <= spill_above => near,
                    _ => self.least_loaded(&self.all).unwrap_or(0),
                }
            }
        };
        self.loads[pool] += self.steps[pool];
        pool
    }

    fn draw(&mut self) -> usize {
        self.stream.below(self.loads.len() as u64) as usize
    }

    fn in_proportion_to_slots(&mut self) -> usize {
        let total: f64 = self.slots.iter().sum();
        if total <= 0.0 {
            return self.draw();
        }
        let mut point = self.stream.unit() * total;
        for (pool, &slots) in self.slots.iter().enumerate() {
            point -= slots;
            if point < 0.0 {
                return pool;
            }
        }
        self.loads.len() - 1
    }

    /// The least loaded of some, the first among equals.
    #[inline]
    fn least_loaded(&self, pools: &[usize]) -> Option<usize> {
        let (&first, others) = pools.split_first()?;
        let best = others
            .iter()
            .fold((first, self.loads[first]), |best, &pool| {
                let load = self.loads[pool];
                if load < best.1 { (pool, load) } else { best }
            });
        Some(best.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn router(regions: &[usize], pools: &[(f64, f64)]) -> Router {
        let mut router = Router::new(regions, 1, 0, Seed(1).stream("router", "test", 0));
        router.look(pools);
        router
    }

    #[test]
    fn the_nearest_spills_over_when_it_is_full() {
        let routing = Routing::Nearest { spill_above: 1.0 };
        let mut near = router(&[0, 1], &[(0.9, 100.0), (0.1, 100.0)]);
        assert_eq!(near.choose(routing, 0), 0);
        let mut full = router(&[0, 1], &[(1.2, 100.0), (0.1, 100.0)]);
        assert_eq!(full.choose(routing, 0), 1);
        let mut down = router(&[0, 1], &[(f64::INFINITY, 0.0), (0.5, 100.0)]);
        assert_eq!(down.choose(routing, 0), 1);
    }

    #[test]
    fn the_least_loaded_takes_what_was_sent_into_account() {
        let mut router = router(&[0, 0], &[(0.50, 10.0), (0.55, 10.0)]);
        let chosen: Vec<usize> = (0..4)
            .map(|_| router.choose(Routing::LeastLoaded, 0))
            .collect();
        assert_eq!(chosen, [0, 1, 0, 1]);
    }

    #[test]
    fn random_is_in_proportion_to_slots() {
        let mut router = router(&[0, 0], &[(0.0, 30.0), (0.0, 10.0)]);
        let first = (0..4000)
            .filter(|_| router.choose(Routing::Random, 0) == 0)
            .count();
        assert!((first as f64 - 3000.0).abs() < 140.0, "{first} of 4000");
    }
}
