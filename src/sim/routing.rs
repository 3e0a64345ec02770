//! Which pool a request goes to, from the pools' loads at the start of the window.
//!
//! Real load balancers see stale loads too. What the gateway itself has sent since then it knows, and
//! takes as its share of what all gateways have sent.

use crate::random::Stream;
use crate::scenario::{Routing, Scenario};
use crate::units::SimDuration;

/// The pools as a gateway sees them in a window.
#[derive(Clone, Debug)]
pub(crate) struct Router {
    /// By demand: where its requests may go.
    choices: Vec<Choice>,
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

/// Where the requests of a demand may go.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// The pools that can do its work in regions that may serve it.
    all: Vec<usize>,
    /// The same by region, the nearest first; only its own region where nothing is known of distances.
    near: Vec<Vec<usize>>,
    /// So many of these regions, from the nearest on, were found full in this window; they stay so, since
    /// within a window loads only grow.
    full: usize,
    /// By pool of the scenario: one way over the network.
    delays: Vec<SimDuration>,
}

impl Choice {
    /// Of a demand of a scenario.
    pub(crate) fn new(scenario: &Scenario, demand: usize) -> Self {
        let demand = &scenario.demands[demand];
        let home = &scenario.regions[demand.region];
        let region_of = |pool: usize| scenario.clusters[scenario.pools[pool].cluster].region;
        let serves = |pool: usize| scenario.pools[pool].can_do(demand.work);
        let pools = 0..scenario.pools.len();
        let may = |pool: &usize| serves(*pool) && home.may_be_served_in(region_of(*pool));
        let all: Vec<usize> = pools.clone().filter(may).collect();
        let mut regions: Vec<usize> = (0..scenario.regions.len()).collect();
        regions.sort_by_key(|&region| (region != demand.region, home.delay_to(region)));
        if !home.knows_distances() {
            regions.truncate(1);
        }
        let there = |region: &usize| {
            let pools = all.iter().copied();
            pools.filter(|&pool| region_of(pool) == *region).collect()
        };
        Self {
            near: regions.iter().map(there).collect(),
            full: 0,
            delays: pools.map(|pool| home.delay_to(region_of(pool))).collect(),
            all,
        }
    }

    /// The least loaded pool of the nearest region in which it has at most the load `enough`; else of all.
    fn nearest(&mut self, loads: &[f64], enough: f64) -> usize {
        while let Some(near) = self.near.get(self.full) {
            match least_loaded(near, loads) {
                Some((pool, load)) if load <= enough => return pool,
                _ => self.full += 1,
            }
        }
        least_loaded(&self.all, loads).map_or(0, |least| least.0)
    }
}

impl Router {
    /// With the choices by demand, for so many pools.
    pub(crate) fn new(choices: Vec<Choice>, pools: usize, turn: usize, stream: Stream) -> Self {
        Self {
            choices,
            slots: vec![0.0; pools],
            loads: vec![0.0; pools],
            steps: vec![0.0; pools],
            // There are as many gateways as pools.
            gateways: pools as f64,
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
        self.choices.iter_mut().for_each(|choice| choice.full = 0);
    }

    /// The pool for a request of a demand, and its way there.
    pub(crate) fn choose(&mut self, routing: Routing, demand: usize) -> (usize, SimDuration) {
        let choice = &mut self.choices[demand];
        let pools = &choice.all;
        let count = pools.len();
        if count == 1 {
            return (pools[0], choice.delays[pools[0]]);
        }
        let pool = match routing {
            Routing::Random => in_proportion_to_slots(pools, &self.slots, &mut self.stream),
            Routing::RoundRobin => {
                self.turn = (self.turn + 1) % count;
                pools[self.turn]
            }
            Routing::PowerOfD(choices) => {
                let mut best = draw(pools, &mut self.stream);
                for _ in 1..choices {
                    let other = draw(pools, &mut self.stream);
                    if self.loads[other] < self.loads[best] {
                        best = other;
                    }
                }
                best
            }
            Routing::LeastLoaded => least_loaded(pools, &self.loads).map_or(0, |least| least.0),
            Routing::Nearest { spill_above } => choice.nearest(&self.loads, spill_above),
        };
        self.loads[pool] += self.steps[pool];
        (pool, choice.delays[pool])
    }
}

/// The least loaded of some and its load, the first among equals.
#[inline]
fn least_loaded(pools: &[usize], loads: &[f64]) -> Option<(usize, f64)> {
    let (&first, others) = pools.split_first()?;
    let first = (first, loads[first]);
    Some(others.iter().fold(first, |least, &pool| {
        let load = loads[pool];
        if load < least.1 { (pool, load) } else { least }
    }))
}

fn draw(pools: &[usize], stream: &mut Stream) -> usize {
    pools[stream.below(pools.len() as u64) as usize]
}

fn in_proportion_to_slots(pools: &[usize], slots: &[f64], stream: &mut Stream) -> usize {
    let total: f64 = pools.iter().map(|&pool| slots[pool]).sum();
    if total <= 0.0 {
        return draw(pools, stream);
    }
    let mut point = stream.unit() * total;
    for &pool in pools {
        point -= slots[pool];
        if point < 0.0 {
            return pool;
        }
    }
    pools[pools.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Law, Seed};

    /// Pools in regions, as they are seen from each region; `delays_ms` are the ways from region 0.
    fn router(regions: &[usize], delays_ms: &[u64], pools: &[(f64, f64)]) -> Router {
        let service = Law::Constant { value: 1.0 };
        let mut scenario = Scenario::textbook(1.0, service, 1, 1.0);
        let count = regions.len();
        let ms = |ms: &u64| SimDuration(ms * 1_000_000);
        scenario.regions[0].delays = delays_ms.iter().map(ms).collect();
        scenario.regions = vec![scenario.regions[0].clone(); count];
        scenario.clusters = vec![scenario.clusters[0].clone(); count];
        scenario.pools = vec![scenario.pools[0].clone(); count];
        for (index, &region) in regions.iter().enumerate() {
            scenario.clusters[index].region = region;
            scenario.pools[index].cluster = index;
        }
        let choice = Choice::new(&scenario, 0);
        let stream = Seed(1).stream("router", "test", 0);
        let mut router = Router::new(vec![choice], count, 0, stream);
        router.gateways = 1.0;
        router.look(pools);
        router
    }

    #[test]
    fn the_nearest_spills_over_when_it_is_full() {
        let choose = |pools: &[(f64, f64)]| {
            let mut router = router(&[0, 1], &[0, 0], pools);
            router.choose(Routing::Nearest { spill_above: 1.0 }, 0).0
        };
        assert_eq!(choose(&[(0.9, 100.0), (0.1, 100.0)]), 0);
        assert_eq!(choose(&[(1.2, 100.0), (0.1, 100.0)]), 1);
        assert_eq!(choose(&[(f64::INFINITY, 0.0), (0.5, 100.0)]), 1);
    }

    #[test]
    fn where_distances_are_known_it_spills_over_to_the_next_nearest() {
        let choose = |loads: [f64; 3]| {
            let mut router = router(&[0, 1, 2], &[1, 90, 40], &loads.map(|load| (load, 100.0)));
            let (pool, delay) = router.choose(Routing::Nearest { spill_above: 1.0 }, 0);
            (pool, delay.0 / 1_000_000)
        };
        assert_eq!(choose([0.9, 0.1, 0.5]), (0, 1));
        assert_eq!(choose([1.2, 0.1, 0.5]), (2, 40));
        assert_eq!(choose([1.2, 0.1, 1.5]), (1, 90));
        // Full everywhere: the least loaded, however far.
        assert_eq!(choose([1.6, 1.4, 1.5]), (1, 90));
    }

    #[test]
    fn the_least_loaded_takes_what_was_sent_into_account() {
        let mut router = router(&[0, 0], &[0, 0], &[(0.50, 10.0), (0.55, 10.0)]);
        let chosen: Vec<usize> = (0..4)
            .map(|_| router.choose(Routing::LeastLoaded, 0).0)
            .collect();
        assert_eq!(chosen, [0, 1, 0, 1]);
    }

    #[test]
    fn random_is_in_proportion_to_slots() {
        let mut router = router(&[0, 0], &[0, 0], &[(0.0, 30.0), (0.0, 10.0)]);
        let first = (0..4000)
            .filter(|_| router.choose(Routing::Random, 0).0 == 0)
            .count();
        assert!((first as f64 - 3000.0).abs() < 140.0, "{first} of 4000");
    }
}
