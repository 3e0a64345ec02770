//! Start-ups of a cluster's replicas: the machine, loading the weights over a shared link, warming up.
//!
//! All who load at once share the site's bandwidth evenly, none faster than its own: with n of them each has
//! min(own, site / n). What one that has loaded all along would have is `attained`, and a load ends where
//! `attained` reaches what it was at its begin plus the weights; so of equal loads who began first ends first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::random::{Law, Stream};
use crate::scenario::StartUp;
use crate::units::{SimDuration, SimTime};

/// A replica of a pool.
pub(super) type Replica = (usize, u32);

/// What goes on at a cluster.
#[derive(Clone, Debug)]
pub(super) struct Starts {
    rule: StartUp,
    /// By pool: what differs in a partition. All load over one link, as `rule` says.
    own: BTreeMap<usize, StartUp>,
    stream: Stream,
    now: SimTime,
    /// Provisioned at.
    provisioning: BTreeSet<(SimTime, Replica)>,
    /// In the order in which they end: `attained` at their end.
    loading: VecDeque<(f64, Replica)>,
    /// Bytes that one who loads all along has loaded.
    attained: f64,
    /// Warm at.
    warming: BTreeSet<(SimTime, Replica)>,
}

impl Starts {
    pub(super) fn new(rule: StartUp, stream: Stream) -> Self {
        Self {
            rule,
            own: BTreeMap::new(),
            stream,
            now: SimTime::ZERO,
            provisioning: BTreeSet::new(),
            loading: VecDeque::new(),
            attained: 0.0,
            warming: BTreeSet::new(),
        }
    }

    /// The replicas of a pool start up in their own way.
    pub(super) fn set_own(&mut self, pool: usize, rule: StartUp) {
        if rule.weights_bytes > 0 {
            // Partitions share one link; a cluster that loads nothing itself says nothing of it.
            self.rule.bytes_per_s = rule.bytes_per_s;
            self.rule.site_bytes_per_s = rule.site_bytes_per_s;
        }
        self.own.insert(pool, rule);
    }

    fn rule_of(&self, replica: Replica) -> &StartUp {
        self.own.get(&replica.0).unwrap_or(&self.rule)
    }

    /// A replica begins to start; `now` is not before what has been played.
    pub(super) fn begin(&mut self, replica: Replica, now: SimTime) {
        let parts_s = self.rule_of(replica).before_s.clone();
        let takes = sum(&parts_s, &mut self.stream);
        self.provisioning.insert((now + takes, replica));
    }

    /// A start is given up.
    pub(super) fn cancel(&mut self, replica: Replica) {
        self.provisioning.retain(|entry| entry.1 != replica);
        self.loading.retain(|entry| entry.1 != replica);
        self.warming.retain(|entry| entry.1 != replica);
    }

    /// When something happens next.
    pub(super) fn next(&self) -> SimTime {
        let first = |set: &BTreeSet<(SimTime, Replica)>| {
            set.first().map_or(SimTime::NEVER, |entry| entry.0)
        };
        first(&self.provisioning)
            .min(first(&self.warming))
            .min(self.loaded_at())
    }

    /// When the first who loads will have loaded: the instant of the clock at or after it.
    fn loaded_at(&self) -> SimTime {
        let Some(&(end, _)) = self.loading.front() else {
            return SimTime::NEVER;
        };
        let ns = libm::ceil((end - self.attained).max(0.0) / self.rate() * 1e9);
        self.now + SimDuration(ns as u64)
    }

    /// Bytes a second of each who loads.
    fn rate(&self) -> f64 {
        let sharing = self.loading.len().max(1) as f64;
        self.rule
            .bytes_per_s
            .min(self.rule.site_bytes_per_s / sharing)
    }

    /// Plays up to `until`; the replicas that became ready, in order.
    pub(super) fn play(&mut self, until: SimTime) -> Vec<Replica> {
        let mut ready = Vec::new();
        loop {
            let at = self.next();
            if at > until {
                break;
            }
            let is_loaded = at == self.loaded_at();
            self.load_until(at);
            if is_loaded {
                self.end_first_load();
            } else if self.provisioning.first().is_some_and(|entry| entry.0 == at) {
                let replica = self.provisioning.pop_first().map(|entry| entry.1);
                replica.into_iter().for_each(|replica| self.load(replica));
            } else {
                ready.extend(self.warming.pop_first().map(|entry| entry.1));
            }
        }
        self.load_until(until);
        ready
    }

    fn load_until(&mut self, at: SimTime) {
        if !self.loading.is_empty() {
            self.attained += self.rate() * at.since(self.now).as_s();
        }
        self.now = at.max(self.now);
    }

    fn load(&mut self, replica: Replica) {
        let weights_bytes = self.rule_of(replica).weights_bytes;
        if weights_bytes == 0 {
            self.warm_up(replica);
            return;
        }
        if self.loading.is_empty() {
            self.attained = 0.0;
        }
        let end = self.attained + weights_bytes as f64;
        let place = self.loading.partition_point(|other| other.0 <= end);
        self.loading.insert(place, (end, replica));
    }

    fn end_first_load(&mut self) {
        if let Some((end, replica)) = self.loading.pop_front() {
            // The clock is whole nanoseconds, so a little more may have been reckoned.
            self.attained = self.attained.max(end);
            self.warm_up(replica);
        }
    }

    fn warm_up(&mut self, replica: Replica) {
        let parts_s = self.rule_of(replica).after_s.clone();
        let takes = sum(&parts_s, &mut self.stream);
        self.warming.insert((self.now + takes, replica));
    }
}

/// Parts that come one after the other.
fn sum(parts_s: &[Law], stream: &mut Stream) -> SimDuration {
    let each = parts_s.iter().map(|part| part.sample(stream));
    SimDuration::from_s(each.sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn starts(provision_s: f64, own: f64, site: f64, warm_up_s: f64) -> Starts {
        let rule = StartUp {
            before_s: vec![Law::Constant { value: provision_s }],
            weights_bytes: 80_000_000_000,
            bytes_per_s: own,
            site_bytes_per_s: site,
            after_s: vec![Law::Constant { value: warm_up_s }],
        };
        Starts::new(rule, Seed(1).stream("here", "start-up", 0))
    }

    /// When each of the replicas 0.. that begin at these seconds is ready.
    fn ready_s(mut starts: Starts, begins: &[f64]) -> Vec<f64> {
        let mut at = vec![f64::NAN; begins.len()];
        let mut begun = 0;
        loop {
            let begin = begins
                .get(begun)
                .map_or(SimTime::NEVER, |&s| SimTime::from_s(s));
            let next = starts.next().min(begin);
            if next == SimTime::NEVER {
                return at;
            }
            for (_, replica) in starts.play(next) {
                at[replica as usize] = next.as_s();
            }
            if next == begin {
                starts.begin((0, begun as u32), next);
                begun += 1;
            }
        }
    }

    fn assert_near(found: &[f64], expected: &[f64]) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
    }

    #[test]
    fn the_parts_of_a_start_add_up() {
        let alone = starts(50.0, 2e9, f64::INFINITY, 20.0);
        assert!((alone.rule.mean_alone_s() - 110.0).abs() < 1e-12);
        assert_near(&ready_s(alone, &[0.0, 7.0]), &[110.0, 117.0]);
    }

    #[test]
    fn who_loads_at_once_shares_the_sites_link() {
        // Four at 4 GB/s together have 1 GB/s each: 80 s.
        let at_once = ready_s(starts(0.0, 2e9, 4e9, 0.0), &[0.0; 4]);
        assert_near(&at_once, &[80.0; 4]);
        // Alone for 20 s at 2 GB/s, then both at 1.5: the first has 40 GB left and takes 26.67 s; by then
        // the second has 40 GB and goes on at 2 GB/s for 20 s.
        let one_later = ready_s(starts(0.0, 2e9, 3e9, 0.0), &[0.0, 20.0]);
        assert_near(&one_later, &[20.0 + 80.0 / 3.0, 40.0 + 80.0 / 3.0]);
    }

    #[test]
    fn who_loads_less_over_the_same_link_ends_first() {
        // 80 GB and 20 GB at 1 GB/s each: the second is done after 20 s, the first has 60 GB left at 2 GB/s.
        let mut starts = starts(0.0, 2e9, 2e9, 0.0);
        let small = StartUp {
            weights_bytes: 20_000_000_000,
            ..starts.rule.clone()
        };
        starts.set_own(1, small);
        starts.begin((0, 0), SimTime::ZERO);
        starts.begin((1, 0), SimTime::ZERO);
        assert_eq!(starts.play(SimTime::from_s(20.000_001)), [(1, 0)]);
        assert_eq!(starts.play(SimTime::from_s(49.999)), []);
        assert_eq!(starts.play(SimTime::from_s(50.000_001)), [(0, 0)]);
    }

    #[test]
    fn a_start_given_up_leaves_its_share_to_the_others() {
        let mut starts = starts(0.0, 2e9, 2e9, 0.0);
        starts.begin((0, 0), SimTime::ZERO);
        starts.begin((0, 1), SimTime::ZERO);
        assert_eq!(starts.play(SimTime::from_s(20.0)), []);
        starts.cancel((0, 0));
        // 20 GB are loaded, 60 GB are left at 2 GB/s.
        assert_eq!(starts.play(SimTime::from_s(49.999)), []);
        assert_eq!(starts.play(SimTime::from_s(50.000_001)), [(0, 1)]);
    }
}
