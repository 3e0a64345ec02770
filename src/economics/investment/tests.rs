//! The loop against closed forms, and each direction of its feedback.

use super::*;
use crate::finance::{geometric_sum, growth};
use crate::scenario::Vendor;

const DEVICE: Device = Device {
    images_per_gpu_hour: 100.0,
    usd_per_image: 0.04,
};

/// A service that grows in a market without end, with more GPUs than it needs.
fn unlimited() -> Investment {
    Investment {
        months: 24,
        users: 1e6,
        growth: 0.1,
        market_users: 1e300,
        leave_unserved: 0.2,
        subscribers: 50_000.0,
        join: 0.002,
        churn: 0.04,
        subscription_usd_per_month: 20.0,
        images_per_user: 2.0,
        image_share: 0.5,
        utilisation: 0.6,
        fleet_gpus: 1e6,
        chunk_gpus: 100_000.0,
        contract_usd_per_year: 1.5e9,
        lead_months: 3,
        supply_gpus: 1000.0,
        capex_usd_per_gpu: 50_000.0,
        cash_usd: 1e9,
        valuation_usd: 1e9,
        raised_usd: 1e8,
        round_every_months: 6,
        runway_months: 12.0,
        other_costs: 0.3,
        vendors: vec![
            Vendor {
                name: "a".into(),
                share: 1.0 / 3.0,
                usd_per_gpu: 30_000.01,
            },
            Vendor {
                name: "b".into(),
                share: 2.0 / 3.0,
                usd_per_gpu: 20_000.07,
            },
        ],
        ..Investment::default()
    }
}

/// A service that needs more than twice its fleet, and more money than it earns for the rest.
fn scarce() -> Investment {
    Investment {
        fleet_gpus: 400.0,
        images_per_user: 20.0,
        leave_unserved: 0.05,
        market_users: 1e8,
        ..unlimited()
    }
}

fn sum(months: &[Month], of: fn(&Month) -> f64) -> f64 {
    months.iter().map(of).sum()
}

#[test]
fn growth_without_a_limit_is_a_geometric_series() {
    let input = unlimited();
    let months = run(&input, DEVICE);
    for month in &months {
        let exact = input.users * growth(input.growth, f64::from(month.month - 1));
        assert!((month.users / exact - 1.0).abs() < 1e-12, "{month:?}");
        assert_eq!(month.served_share, 1.0);
    }
    let images = geometric_sum(input.users * input.images_per_user, 1.1, 24.0);
    let sum = sum(&months, |month| month.wanted_images);
    assert!((sum / images - 1.0).abs() < 1e-12);
}

#[test]
fn subscribers_follow_the_solution_of_their_recurrence() {
    // S' = a S + j U' with a = 1 - c - j and U' = q U: the solution is p U + a^n (S0 - p U0), where
    // p (q - a) = j q.
    let mut input = unlimited();
    input.subscribers = 10_000.0;
    let (a, q) = (1.0 - input.churn - input.join, 1.0 + input.growth);
    for month in run(&input, DEVICE) {
        let n = f64::from(month.month - 1);
        // The churn and the joining are of the subscribers before, the others of the users after.
        let p = input.join * q / (q - a);
        let exact = p * month.users + growth(a - 1.0, n) * (input.subscribers - p * input.users);
        assert!((month.subscribers / exact - 1.0).abs() < 1e-9, "{month:?}");
    }
}

#[test]
fn the_cash_of_every_month_is_that_of_the_last_and_what_was_paid() {
    let input = scarce();
    let cents = |usd: f64| (usd * 100.0).round() as i128;
    let (mut lab, mut cloud) = (cents(input.cash_usd), 0);
    let mut ordered = 0.0;
    for month in run(&input, DEVICE) {
        lab += cents(month.revenue_usd) + cents(month.raised_usd)
            - cents(month.cloud_revenue_usd)
            - cents(month.other_costs_usd);
        let makers: i128 = month.makers_usd.iter().map(|&usd| cents(usd)).sum();
        cloud += cents(month.cloud_revenue_usd) - makers - cents(month.building_usd);
        assert_eq!(lab, cents(month.cash_usd), "month {}", month.month);
        assert_eq!(cloud, cents(month.cloud_balance_usd));
        let capex = cents(month.ordered_gpus * input.capex_usd_per_gpu);
        assert_eq!(makers + cents(month.building_usd), capex);
        ordered += month.ordered_gpus;
    }
    assert!(ordered > 0.0);
}

#[test]
fn orders_arrive_after_their_lead_time_and_none_is_lost() {
    let input = scarce();
    let months = run(&input, DEVICE);
    let mut fleet = input.fleet_gpus;
    for (index, month) in months.iter().enumerate() {
        let arriving = index.checked_sub(3).map_or(0.0, |i| months[i].ordered_gpus);
        assert_eq!(month.delivered_gpus, arriving);
        fleet += arriving;
        assert_eq!(month.fleet_gpus, fleet);
        assert!(month.ordered_gpus <= input.supply_gpus);
    }
}

#[test]
fn more_money_buys_more_capacity_and_more_capacity_more_users() {
    let poor = Investment {
        raised_usd: 0.0,
        cash_usd: 1e6,
        ..scarce()
    };
    let (poor, rich) = (run(&poor, DEVICE), run(&scarce(), DEVICE));
    let end = |months: &[Month], of: fn(&Month) -> f64| of(months.last().expect("months"));
    for of in [
        |month: &Month| month.fleet_gpus,
        |month: &Month| month.users,
        |month: &Month| month.revenue_usd,
    ] {
        assert!(end(&rich, of) > 1.1 * end(&poor, of));
    }
}

#[test]
fn more_growth_raises_the_valuation_and_with_it_what_is_raised_and_ordered() {
    let slow = Investment {
        images_per_user: 60.0,
        cash_usd: 0.0,
        raised_usd: 5e6,
        round_every_months: 3,
        // All revenue is spent, so that it buys GPUs only by way of the valuation.
        other_costs: 1.0,
        supply_gpus: 1e6,
        ..scarce()
    };
    let fast = Investment {
        join: 0.01,
        ..slow.clone()
    };
    let (slow, fast) = (run(&slow, DEVICE), run(&fast, DEVICE));
    for of in [
        |month: &Month| month.valuation_usd,
        |month: &Month| month.raised_usd,
        |month: &Month| month.ordered_gpus,
    ] {
        let (fast, slow) = (sum(&fast, of), sum(&slow, of));
        assert!(fast > 1.1 * slow, "{fast} {slow}");
    }
}

#[test]
fn with_a_fixed_fleet_the_loop_comes_to_rest_where_it_was_foreseen() {
    for fleet_gpus in [100.0, 20_000.0] {
        let input = Investment {
            months: 1200,
            fleet_gpus,
            supply_gpus: 0.0,
            market_users: 3e7,
            ..unlimited()
        };
        let rest = rest(&input, DEVICE, fleet_gpus).expect("it grows");
        let months = run(&input, DEVICE);
        let end = months.last().expect("months");
        assert!((end.users / rest.users - 1.0).abs() < 1e-9, "{rest:?}");
        assert!((end.subscribers / rest.subscribers - 1.0).abs() < 1e-9);
        assert!((end.served_share - rest.served_share).abs() < 1e-9);
        // The small fleet limits, the large one leaves it to the market.
        assert_eq!(rest.served_share < 1.0, fleet_gpus == 100.0);
    }
}

#[test]
fn what_is_missed_is_worth_what_the_price_list_says() {
    let first = &run(&scarce(), DEVICE)[0];
    // 400 GPUs x 730 h x 0.6, of the 1e6 x 20 / (100 x 0.5) GPU-hours needed.
    assert!((first.served_share - 175_200.0 / 400_000.0).abs() < 1e-12);
    let worth = first.served_list_usd + first.missed_list_usd;
    assert!((worth / (2e7 * 0.04) - 1.0).abs() < 1e-12);
    let share = first.served_list_usd / worth;
    assert!((share - first.served_share).abs() < 1e-12);
}

#[test]
fn a_contract_of_two_billion_is_paid_at_2_28_usd_a_gpu_hour() {
    let input = Investment {
        contract_usd_per_year: 2e9,
        committed: 1.0,
        fleet_gpus: 100_000.0,
        ..unlimited()
    };
    assert!((links::price_usd_per_gpu_hour(&input) - 2.283_105_022_8).abs() < 1e-9);
    let year = sum(&run(&input, DEVICE)[..3], |month| month.cloud_revenue_usd) * 4.0;
    assert!((year / 2e9 - 1.0).abs() < 1e-10, "{year}");
}

#[test]
fn effects_are_ranked_and_move_the_right_way() {
    let input = Investment {
        supply_gpus: 100.0,
        ..scarce()
    };
    let effects = sensitivities(&input, DEVICE);
    assert_eq!(effects.len(), 24);
    let spans: Vec<f64> = effects.iter().map(Effect::span).collect();
    assert!(spans.windows(2).all(|pair| pair[0] >= pair[1]));
    let of = |name: &str| {
        let found = effects.iter().find(|effect| effect.input == name);
        found.expect("an effect")
    };
    assert!(of("subscription").revenue[1] > 0.0 && of("subscription").revenue[0] < 0.0);
    assert!(of("churn").revenue[1] < 0.0);
    assert!(of("supply").fleet[1] > 0.0);
}
