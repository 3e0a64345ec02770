//! Tiers that share: who has less than his share gets it, what one leaves the others borrow, and limits hold.

use meltpoint::estimate::Estimate;
use meltpoint::random::Law;
use meltpoint::scenario::{QueueOrder, Scenario};

use crate::question::{agree, also, two_sites};

/// A place is a server of one request here, so nothing but edges and chance is left.
const TOLERANCE: f64 = 0.015;

/// Three tiers of which two ask for more than all: 10 of 100 servers, 90 and 90, at shares of 3, 2 and 1.
fn three_tiers() -> Scenario {
    let mut scenario = two_sites(10.0, 50, 50);
    scenario.works[0].qualities[0].amount = Law::Exponential { mean: 1.0 };
    also(&mut scenario, "second", 90.0, [0, 0, 1]);
    also(&mut scenario, "third", 90.0, [1, 0, 2]);
    let (_, rules) = &mut scenario.rules[0];
    rules.policy.order = QueueOrder::Shares;
    for (tier, share) in rules.tiers.iter_mut().zip([3.0, 2.0, 1.0]) {
        tier.share = share;
    }
    scenario
}

fn per_s(found: &Estimate) -> Vec<f64> {
    let tiers = found.tiers.iter();
    tiers.map(|tier| tier.completed / 800.0).collect()
}

fn are_near(found: &[f64], exact: [f64; 3]) -> bool {
    let off = found.iter().zip(exact).map(|(a, b)| (a / b - 1.0).abs());
    off.fold(0.0, f64::max) < 0.01
}

#[test]
fn a_full_fleet_is_divided_by_shares_and_what_one_leaves_is_borrowed() {
    let found = per_s(&agree(&three_tiers(), TOLERANCE));
    // The first needs a tenth; the others have the rest two to one.
    assert!(are_near(&found, [10.0, 60.0, 30.0]), "{found:?}");
}

#[test]
fn a_tier_at_its_limit_leaves_the_rest_to_others() {
    let mut scenario = three_tiers();
    scenario.rules[0].1.tiers[1].places_limit = 0.2;
    let found = per_s(&agree(&scenario, TOLERANCE));
    assert!(are_near(&found, [10.0, 20.0, 70.0]), "{found:?}");
}

#[test]
fn shares_hold_where_a_tier_may_be_served() {
    // The first two may be served here alone. What the first leaves here is the second's, for the third has more than
    // his share with the other site alone.
    let mut scenario = three_tiers();
    scenario.regions[0].served_in = vec![true, false];
    let found = per_s(&agree(&scenario, TOLERANCE));
    assert!(are_near(&found, [10.0, 40.0, 50.0]), "{found:?}");
}
