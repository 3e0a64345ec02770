//! What the fleet makes of those who come, in a step of the fluid model: its load, who is served, who waits.

use super::fluid::{Flow, Fluid, Lost, Peak};
use super::{Capacity, mean_patience_s};
use crate::assign::{self, least_load};
use crate::scenario::{QueueLimit, QueueOrder, Rules, Work};
use crate::units::SimTime;

/// A fleet that follows its load has another capacity when it has changed by this share.
const SCALED_BY: f64 = 0.1;

impl Fluid<'_> {
    /// By flow and site: images a second if it did nothing else, at the standard or at the quality that it gives.
    pub(super) fn full_rates(&self, rules: &Rules, as_given: bool) -> Vec<Vec<f64>> {
        let lower = rules.policy.degradation.as_ref().filter(|_| as_given);
        let quality = |site: usize, work: &Work| {
            let lower = lower.filter(|_| self.degraded[site]);
            let name = lower.map(|degradation| degradation.quality.as_str());
            name.and_then(|name| work.quality(name)).unwrap_or(0)
        };
        let flows = self.flows.iter();
        flows
            .map(|flow| self.fleet.rates(rules, flow.demand, quality))
            .collect()
    }

    pub(super) fn note_load(&mut self, rates: &[Vec<f64>], from: SimTime, seconds: f64) {
        let load = |count: fn(&Flow<'_>) -> f64| {
            let flows = self.flows.iter().zip(rates);
            let flows: Vec<assign::Flow> = flows
                .map(|(flow, rates)| work_of(count(flow), rates))
                .collect();
            least_load(&flows, self.fleet.sites())
        };
        let (offered, admitted) = (load(|flow| flow.offered), load(|flow| flow.admitted));
        let needed_s = offered.busy_s;
        let served_somewhere = |rates: &&Vec<f64>| rates.iter().any(|&rate| rate > 0.0);
        let several = self.fleet.sites() > 1;
        let mut asked = 0.0;
        for (flow, rates) in self.flows.iter().zip(rates) {
            if several && flow.offered > 0.0 && !served_somewhere(&rates) {
                self.stranded_s[flow.demand] += seconds;
            } else {
                asked += flow.offered;
            }
        }
        // Without demand the first kind of work that is served stands for the mix.
        let images_per_s = if needed_s > 0.0 && needed_s.is_finite() {
            asked / needed_s
        } else {
            let first = rates.iter().find(served_somewhere);
            first.map_or(0.0, |rates| rates.iter().sum())
        };
        self.note_capacity(from, images_per_s);
        if admitted.busy_s > seconds {
            self.overloaded_s += seconds;
            self.fleet.was_short(from, seconds);
        }
        if images_per_s > 0.0 {
            self.needed_s += needed_s;
            self.possible_s += seconds;
            if needed_s / seconds > self.peak.load {
                let flows = self.flows.iter().zip(&offered.flows);
                let binding = flows.filter(|(_, binds)| **binds);
                let mut demands: Vec<usize> = binding.map(|(flow, _)| flow.demand).collect();
                demands.sort_unstable();
                demands.dedup();
                let mut pools = self.fleet.pools_of(&offered.sites);
                pools.sort_unstable();
                self.peak = Peak {
                    load: needed_s / seconds,
                    at_s: from.as_s() + 0.5 * seconds,
                    demands,
                    pools,
                    replicas: self.fleet.replicas().to_vec(),
                };
            }
        }
    }

    fn note_capacity(&mut self, from: SimTime, images_per_s: f64) {
        let replicas: f64 = self.fleet.replicas().iter().sum();
        let replicas = libm::round(replicas) as u64;
        let last = self.capacity.last();
        let unchanged = last.is_some_and(|last| {
            let off = |a: f64, b: f64, share: f64| (a - b).abs() > share * b;
            match self.fleet.scaled.is_empty() {
                true => last.replicas == replicas && !off(images_per_s, last.images_per_s, 0.01),
                // It changes all the time.
                false => {
                    !off(replicas as f64, last.replicas as f64, SCALED_BY)
                        && !off(images_per_s, last.images_per_s, SCALED_BY)
                }
            }
        });
        if !unchanged {
            self.capacity.push(Capacity {
                from_s: from.as_s(),
                replicas,
                images_per_s,
            });
        }
    }

    /// What the fleet makes of those who wait and those who come: all at the same share, by priority, or by
    /// the shares of their tiers.
    pub(super) fn serve(&mut self, rules: &Rules, rates: &[Vec<f64>], seconds: f64) {
        let flows = self.flows.iter().zip(rates);
        let mut works: Vec<assign::Flow> = flows
            .map(|(flow, rates)| work_of(flow.waiting + flow.admitted, rates))
            .collect();
        let mut limits = Vec::new();
        match rules.policy.order {
            QueueOrder::Priority | QueueOrder::Preemptive => {
                for (work, flow) in works.iter_mut().zip(&self.flows) {
                    work.level = rules.tiers[flow.tier].priority;
                }
            }
            QueueOrder::Shares => {
                self.entitle(rules, &mut works);
                limits.extend(rules.tiers.iter().map(|tier| tier.places_limit));
            }
            QueueOrder::Fcfs | QueueOrder::Lifo | QueueOrder::Deadline => {}
        }
        let shares = assign::shares(&works, self.fleet.sites(), seconds, &limits);
        for (flow, share) in self.flows.iter_mut().zip(shares) {
            let all = flow.waiting + flow.admitted;
            flow.served = share * all;
            flow.left = all - flow.served;
        }
        for flow in &self.flows {
            self.tiers[flow.tier].completed += flow.served;
            self.total.completed += flow.served;
        }
    }

    /// Each tier has places, and with them time, by its share; its flows divide that by what they need.
    fn entitle(&self, rules: &Rules, works: &mut [assign::Flow]) {
        let mut needed_s = vec![0.0; rules.tiers.len()];
        let finite_s = |work: &assign::Flow| Some(work.needed_s).filter(|s| s.is_finite());
        for (work, flow) in works.iter().zip(&self.flows) {
            needed_s[flow.tier] += finite_s(work).unwrap_or(0.0);
        }
        for (work, flow) in works.iter_mut().zip(&self.flows) {
            work.party = flow.tier;
            let part = finite_s(work).unwrap_or(0.0) / needed_s[flow.tier].max(1e-300);
            work.pull_s = rules.tiers[flow.tier].share * part;
        }
    }

    /// Who is left waits, as far as patience lasts and the queue has room.
    ///
    /// With w waiting before, r left after service and mean patience m, the number that waits follows
    /// dw/dt = (r - w) / step - w / m, so it settles at what comes in a patience however long the step.
    pub(super) fn keep_waiting(&mut self, rules: &Rules, seconds: f64) {
        let slots = self.fleet.slots(rules);
        let patient = |flow: &Flow<'_>| {
            let Some(mean_s) = mean_patience_s(self.scenario, flow.tier) else {
                return flow.left;
            };
            let mean_s = mean_s.max(1e-9);
            let gone = -libm::expm1(-seconds / mean_s);
            let coming = flow.left - flow.waiting;
            let waiting = flow.waiting * (1.0 - gone) + coming * gone * mean_s / seconds;
            waiting.clamp(0.0, flow.left)
        };
        let waiting: Vec<f64> = self.flows.iter().map(patient).collect();
        let parts = self.parts(&slots);
        let room = self.room(rules, &slots, &parts, seconds);
        let kept: Vec<f64> = at_sites(&waiting, &parts)
            .iter()
            .zip(room)
            .map(|(waiting, room)| (room / waiting.max(1e-300)).min(1.0))
            .collect();
        for (index, waiting) in waiting.into_iter().enumerate() {
            let kept = parts[index].iter().zip(&kept);
            let kept = kept.map(|(part, kept)| part * kept).sum::<f64>().min(1.0);
            let flow = &mut self.flows[index];
            let lost = Lost {
                queue_full: flow.left * (1.0 - kept),
                abandoned: (flow.left - waiting) * kept,
                ..Lost::default()
            };
            flow.waiting = waiting * kept;
            let tier = flow.tier;
            self.lose(tier, lost);
        }
        let waiting: Vec<f64> = self.flows.iter().map(|flow| flow.waiting).collect();
        self.waiting_max = self.waiting_max.max(waiting.iter().sum());
        if let Some(degradation) = &rules.policy.degradation {
            let both = at_sites(&waiting, &parts).into_iter().zip(&slots);
            for ((waiting, slots), degraded) in both.zip(&mut self.degraded) {
                let per_slot = waiting / slots.max(1.0);
                *degraded =
                    per_slot > degradation.above || (*degraded && per_slot >= degradation.below);
            }
        }
    }

    /// By flow and site: the part of those who wait that waits there; by places, where there are any.
    fn parts(&self, slots: &[f64]) -> Vec<Vec<f64>> {
        let of_flow = |flow: &Flow<'_>| -> Vec<f64> {
            let may = self.fleet.may(flow.demand);
            let both = || slots.iter().zip(may).filter(|(_, may)| **may);
            let (all, count) = (both().map(|(slots, _)| slots).sum::<f64>(), both().count());
            let part = |(&slots, &may): (&f64, &bool)| match (may, all > 0.0) {
                (false, _) => 0.0,
                (true, true) => slots / all,
                (true, false) => 1.0 / count as f64,
            };
            slots.iter().zip(may).map(part).collect()
        };
        self.flows.iter().map(of_flow).collect()
    }

    /// By site: requests that may wait there.
    fn room(&self, rules: &Rules, slots: &[f64], parts: &[Vec<f64>], seconds: f64) -> Vec<f64> {
        let admission = rules.policy.admission;
        let served: Vec<f64> = self.flows.iter().map(|flow| flow.served).collect();
        let of_site = |(site, served): (usize, f64)| {
            let queue = match admission.queue_limit {
                QueueLimit::None => f64::INFINITY,
                QueueLimit::Requests(requests) => requests as f64 * self.fleet.pools(site) as f64,
                QueueLimit::PerSlot(requests) => requests * slots[site],
            };
            let wait = admission.refuse_wait_above;
            queue.min(wait.map_or(f64::INFINITY, |wait| wait.as_s() * served / seconds))
        };
        let served = at_sites(&served, parts).into_iter();
        served.enumerate().map(of_site).collect()
    }
}

/// By site: the sum over flows of the parts that are there.
fn at_sites(of_flows: &[f64], parts: &[Vec<f64>]) -> Vec<f64> {
    let sites = parts.first().map_or(0, Vec::len);
    let both = || of_flows.iter().zip(parts);
    let at = |site: usize| both().map(|(count, parts)| count * parts[site]).sum();
    (0..sites).map(at).collect()
}

/// So many requests as work, given the full rate by site.
fn work_of(requests: f64, rates: &[f64]) -> assign::Flow {
    let whole: f64 = rates.iter().sum();
    // None need nothing, however slow the fleet.
    let needed_s = match requests > 0.0 {
        true => requests / whole,
        false => 0.0,
    };
    let part = |&rate: &f64| if whole > 0.0 { rate / whole } else { 0.0 };
    assign::Flow {
        needed_s,
        parts: rates.iter().map(part).collect(),
        level: 0,
        pull_s: needed_s,
        party: 0,
    }
}
