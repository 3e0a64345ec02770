//! The bill and the table of chunks against arithmetic by hand.

use super::*;
use crate::random::Law;
use crate::scenario::{Arrived, Chunk, Contract, Order, Ownership};
use crate::units::NS_PER_S;

fn scenario() -> Scenario {
    let mut scenario = Scenario::textbook(1.0, Law::Constant { value: 1.0 }, 1, 7200.0);
    scenario.clusters[0].power_usd_per_kwh = 0.1;
    scenario.clusters[0].power_usage_effectiveness = 1.25;
    let chunk = |name: &str, delivered_h: u64, busy_w: f64| Chunk {
        name: name.into(),
        gpus: 3,
        accelerator: "H100".into(),
        vendor: String::new(),
        provider: "Azure".into(),
        term: "on-demand".into(),
        cluster: 0,
        delivered: SimTime(delivered_h * 3600 * NS_PER_S),
        order: Order::on(SimTime(delivered_h * 3600 * NS_PER_S)),
        arrived: Arrived::default(),
        replicas: 3,
        gpus_per_replica: 1,
        usd_per_gpu_hour: 1.111,
        contract: None,
        network_usd_per_gpu_hour: 0.0,
        staff_usd_per_gpu_hour: 0.0,
        purchase_usd_per_gpu: None,
        busy_w_per_gpu: busy_w,
        idle_w_per_gpu: busy_w / 4.0,
    };
    scenario.chunks = vec![chunk("a", 0, 0.0), chunk("b", 1, 1000.0)];
    scenario
}

fn usage() -> Usage {
    Usage {
        until: SimTime::from_s(7200.0),
        utilisation: vec![0.5],
        lost: Vec::new(),
        list_value_micro_usd: vec![42_000],
        images: 2000,
        images_by_quality: vec![QualityImages {
            cluster: 0,
            work: 0,
            index: 0,
            quality: "work standard".into(),
            images: 2000,
        }],
        lost_list_value_usd: 0.0,
        subscribers: vec![0],
        returned_gpu_hours: Vec::new(),
    }
}

fn cents(usd: f64) -> i64 {
    (usd * 100.0).round() as i64
}

#[test]
fn what_is_given_back_costs_neither_rent_nor_power() {
    let usage = Usage {
        returned_gpu_hours: vec![1.5, 2.0],
        ..usage()
    };
    let money = bill(&scenario(), &usage);
    let usd: Vec<f64> = money.costs.iter().map(|line| line.usd).collect();
    // (3 x 2 h - 1.5) x 1.111; (3 x 1 h - 2) x 1.111; (3 - 2) h x 0.625 kW x 1.25 x 0.1.
    assert_eq!(usd, [5.0, 1.11, 0.08]);
}

#[test]
fn a_chunk_in_parts_is_paid_from_each_acceptance_and_draws_power_from_each_start() {
    let mut scenario = scenario();
    let at = |hours: f64| SimTime::from_s(hours * 3600.0);
    let chunk = &mut scenario.chunks[1];
    chunk.arrived.accepted = vec![(at(0.5), 1), (at(1.5), 1)];
    chunk.arrived.powered = vec![(at(1.0), 1)];
    let money = bill(&scenario, &usage());
    let usd: Vec<f64> = money.costs.iter().map(|line| line.usd).collect();
    // (1.5 h + 0.5 h) x 1.111, the third never came; 0.625 kW x 1.25 x 1 h x 0.1.
    assert_eq!(usd, [6.67, 2.22, 0.08]);
}

#[test]
fn a_bill_is_hours_times_prices() {
    let money = bill(&scenario(), &usage());
    let usd: Vec<f64> = money.costs.iter().map(|line| line.usd).collect();
    // 3 x 2 h x 1.111; 3 x 1 h x 1.111; 3 x 0.625 kW x 1.25 x 1 h x 0.1.
    assert_eq!(usd, [6.67, 3.33, 0.23]);
    assert!((money.usd_per_1000_images.expect("images") - 10.23 / 2.0).abs() < 1e-12);
}

#[test]
fn the_total_is_the_sum_of_the_lines_to_the_cent() {
    let money = bill(&scenario(), &usage());
    let sum: i64 = money.costs.iter().map(|line| cents(line.usd)).sum();
    assert_eq!(cents(money.cost_total_usd), sum);
    assert_eq!(format!("{}", money.cost_total_usd), "10.23");
}

/// Every contract and cost that there is.
fn contracts() -> Scenario {
    let mut scenario = scenario();
    scenario.clusters[0].grid_kgco2_per_kwh = Some(0.4);
    let [a, b] = [0, 1].map(|index| scenario.chunks[index].clone());
    let with = |contract, price| Chunk {
        contract: Some(contract),
        usd_per_gpu_hour: price,
        network_usd_per_gpu_hour: 0.013,
        staff_usd_per_gpu_hour: 0.007,
        ..b.clone()
    };
    let take_or_pay = Contract::TakeOrPay {
        years: 1.0,
        committed: 0.8,
    };
    let owned = Contract::Owned(Ownership {
        capex_usd_per_gpu: 50_000.0,
        years: 5.0,
        cost_of_capital: 0.08,
        salvage: 0.1,
    });
    let reserved = Contract::Reserved { years: 3.0 };
    scenario.chunks = vec![
        a,
        with(take_or_pay, 2.0),
        with(owned, 0.0),
        with(reserved, 1.7),
    ];
    scenario
}

#[test]
fn each_contract_costs_what_it_says() {
    let money = bill(&contracts(), &usage());
    let [_, take_or_pay, owned, reserved] = &money.chunks[..] else {
        panic!("four chunks");
    };
    // 3 GPU-hours of which 80 % are committed and half used.
    assert_eq!(take_or_pay.rent_usd, 4.8);
    // Of 8760 h, one has passed.
    assert_eq!(cents(take_or_pay.committed_usd), 4_204_320);
    // (45000 x 0.2504564545668 + 5000 x 0.08) / 8760 h = 1.33225 USD an hour.
    assert_eq!((owned.capital_usd, owned.rent_usd), (4.0, 0.0));
    assert_eq!(reserved.rent_usd, 5.1);
    assert_eq!((reserved.network_usd, reserved.staff_usd), (0.04, 0.02));
    // 3 x 0.625 kW x 1.25 x 1 h, at 0.4 kg a kWh.
    let (mwh, t) = (owned.energy_mwh.unwrap(), owned.carbon_t.unwrap());
    assert!((mwh - 2.343_75e-3).abs() < 1e-15 && (t - 0.9375e-3).abs() < 1e-15);
    // 5.10 + 0.23 + 0.04 + 0.02 USD for 3 GPU-hours.
    let year = reserved.usd_per_chunk_year.unwrap();
    assert!((year / (5.39 / 3.0 * 1e5 * 8760.0) - 1.0).abs() < 1e-12);
}

#[test]
fn parts_add_up_to_the_cent_in_every_direction() {
    let scenario = contracts();
    let usage = Usage {
        lost: vec![0.07],
        utilisation: vec![0.613],
        ..usage()
    };
    let money = bill(&scenario, &usage);
    let sum = |parts: &[f64]| parts.iter().map(|&part| cents(part)).sum::<i64>();
    for row in &money.chunks {
        let time = [row.capital_usd, row.rent_usd, row.power_usd];
        let beside = [row.network_usd, row.staff_usd];
        assert_eq!(sum(&time) + sum(&beside), cents(row.total_usd));
        let did = [row.busy_usd, row.idle_usd, row.failures_usd];
        assert_eq!(sum(&did), sum(&time));
        assert!(row.idle_usd > 0.0 && row.failures_usd > 0.0);
        let qualities: Vec<f64> = row.qualities.iter().map(|q| q.usd).collect();
        assert_eq!(sum(&qualities), cents(row.total_usd));
    }
    let totals: Vec<f64> = money.chunks.iter().map(|row| row.total_usd).collect();
    assert_eq!(sum(&totals), cents(money.cost_total_usd));
    let images: u64 = money.chunks.iter().map(|row| row.images).sum();
    assert_eq!(images, usage.images);
}

#[test]
fn a_chunk_that_is_not_there_yet_costs_nothing() {
    let mut scenario = contracts();
    for chunk in &mut scenario.chunks {
        chunk.delivered = SimTime::from_s(9000.0);
    }
    let money = bill(&scenario, &usage());
    assert_eq!(money.cost_total_usd, 0.0);
    let mut rows = money.chunks.iter();
    assert!(rows.all(|row| row.usd_per_chunk_year.is_none()));
}

#[test]
fn better_images_cost_more_in_proportion_to_their_work() {
    let mut scenario = contracts();
    let mut better = scenario.works[0].qualities[0].clone();
    better.amount = Law::Constant { value: 3.0 };
    scenario.works[0].qualities.push(better);
    let mut usage = usage();
    usage.images_by_quality.push(QualityImages {
        index: 1,
        quality: "work better".into(),
        images: 1000,
        ..usage.images_by_quality[0].clone()
    });
    // Dear enough that cents do not matter.
    scenario.chunks.truncate(1);
    scenario.chunks[0].usd_per_gpu_hour = 1e6;
    let money = bill(&scenario, &usage);
    let [plain, better] = &money.chunks[0].qualities[..] else {
        panic!("two qualities");
    };
    let ratio = better.usd_per_1000_images / plain.usd_per_1000_images;
    assert!((ratio - 3.0).abs() < 1e-6, "{ratio}");
}

/// The four contracts, from two providers and two vendors, whose prices the catalog gives.
fn supplied() -> Scenario {
    let mut scenario = contracts();
    let from = [
        ("Azure", "NVIDIA", Some(30_000.0)),
        ("Oracle", "AMD", Some(15_000.005)),
        ("Azure", "NVIDIA", None),
        ("Oracle", "", None),
    ];
    for (chunk, (provider, vendor, usd)) in scenario.chunks.iter_mut().zip(from) {
        chunk.provider = provider.into();
        chunk.vendor = vendor.into();
        chunk.purchase_usd_per_gpu = usd;
    }
    scenario
}

#[test]
fn suppliers_add_up_to_the_chunks_in_both_groupings() {
    let money = bill(&supplied(), &usage());
    let of = |kind: SupplierKind| -> Vec<&SupplierCost> {
        let rows = money.suppliers.iter();
        rows.filter(|row| row.kind == kind).collect()
    };
    let names = |kind| -> Vec<&str> { of(kind).iter().map(|row| &*row.name).collect() };
    assert_eq!(names(SupplierKind::Provider), ["Azure", "Oracle"]);
    assert_eq!(names(SupplierKind::Vendor), ["NVIDIA", "AMD", "unknown"]);
    for kind in [SupplierKind::Provider, SupplierKind::Vendor] {
        let rows = of(kind);
        let total: i64 = rows.iter().map(|row| cents(row.total_usd)).sum();
        assert_eq!(total, cents(money.cost_total_usd));
        let rent: i64 = rows.iter().map(|row| cents(row.rent_usd)).sum();
        let of_chunks: i64 = money.chunks.iter().map(|row| cents(row.rent_usd)).sum();
        assert_eq!(rent, of_chunks);
        assert_eq!(rows.iter().map(|row| row.images).sum::<u64>(), 2000);
        assert_eq!(rows.iter().map(|row| row.gpus).sum::<u64>(), 12);
        // 3 x 30 000 and 3 x 15 000.005, each in whole cents.
        let sold: i64 = rows.iter().filter_map(|r| r.purchase_usd).map(cents).sum();
        assert_eq!(sold, 13_500_002);
    }
    let [azure, oracle] = of(SupplierKind::Provider)[..] else {
        panic!("two providers");
    };
    // 3 x 2 h x 1.111; 4.80 of the take-or-pay contract and 5.10 of the reserved one.
    assert_eq!((azure.rent_usd, oracle.rent_usd), (6.67, 9.9));
    assert_eq!(of(SupplierKind::Vendor)[2].purchase_usd, None);
}

#[test]
fn who_is_paid_changes_no_cost() {
    let asked = bill(&supplied(), &usage());
    let plain = bill(&contracts(), &usage());
    assert!(plain.suppliers.is_empty());
    assert!(plain.chunks.iter().all(|row| row.vendor.is_empty()));
    assert_eq!(plain.cost_total_usd, asked.cost_total_usd);
}

#[test]
fn a_provider_has_what_arrived_up_to_now() {
    let mut scenario = supplied();
    let at = |hours: f64| SimTime::from_s(hours * 3600.0);
    scenario.chunks[0].arrived.accepted = vec![(at(0.5), 2), (at(3.0), 1)];
    scenario.chunks[2].delivered = at(3.0);
    let money = bill(&scenario, &usage());
    let azure = &money.suppliers[0];
    assert_eq!((azure.gpus, azure.arrived_gpus), (6, 2));
}
