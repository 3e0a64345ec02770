//! How chunks arrive, against closed forms: the mean of a lead time, k of n at acceptance, the arithmetic of a
//! supplier's allocation and of a site's power, and what is paid.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use meltpoint::queueing::k_out_of_n;
use meltpoint::scenario::{Scenario, Settings, Source, read, up_to};
use meltpoint::stats::{confidence_interval, student_t_quantile};
use meltpoint::trials;
use meltpoint::units::SimTime;

const REPLICATIONS: u64 = 20;
/// Chunks of one law, so that a replication is a mean over many draws.
const CHUNKS: u32 = 50;
const DAY_S: f64 = 86_400.0;
const MONTH_DAYS: f64 = 365.25 / 12.0;

/// A small service, 400 days long, whose site is `site`, with these tables.
fn scenario(site: &str, more: &str) -> Scenario {
    let text = format!(
        "[scenario]\nquestion = \"When does it come?\"\nstart = \"2025-04-01T00:00Z\"\nlasts = \"400d\"\n\
         lookahead = \"1d\"\n[region.us]\n[client.person]\npatience = \"60s\"\n[tier.free]\nclient = \"person\"\n\
         [work.image]\nkind = \"service\"\nservice = \"10s\"\n[demand.free]\ntier = \"free\"\nwork = \"image\"\n\
         kind = \"rate\"\nrate = \"0.001 requests/s\"\n\
         [profile.node]\naccelerator = \"any\"\ngpus_per_replica = 8\niteration_time = \"10 s\"\n\
         [cluster.site]\nregion = \"us\"\n{site}\n{more}"
    );
    let source = Source {
        name: "arrivals.toml",
        text: &text,
    };
    let no_files = |_: &str| Err("no files".to_owned());
    match read(source, &Settings::default(), &no_files) {
        Ok(scenario) => scenario,
        Err(problems) => panic!("{problems}"),
    }
}

/// A chunk with these keys.
fn chunk(name: &str, gpus: u64, keys: &str) -> String {
    format!("[chunk.{name}]\ngpus = {gpus}\naccelerator = \"any\"\ncluster = \"site\"\n{keys}\n")
}

/// The dates in days and the GPUs of a list.
fn days(list: &[(SimTime, u64)]) -> Vec<(f64, u64)> {
    let day = |at: SimTime| (at.as_s() / DAY_S * 1e6).round() / 1e6;
    list.iter().map(|&(at, gpus)| (day(at), gpus)).collect()
}

/// The mean over the replications is `exact`, by Student's t at 99.9 %, and known to `relative`.
fn agrees(values: &[f64], exact: f64, relative: f64) {
    let interval = confidence_interval(values, 0.999).expect("values that differ");
    let t = student_t_quantile(0.9995, values.len() as f64 - 1.0);
    assert!(t > 3.5, "twenty replications");
    assert!(
        (interval.mean - exact).abs() <= interval.half_width,
        "{interval:?}, exact {exact}"
    );
    assert!(interval.half_width <= relative * exact, "{interval:?}");
}

#[test]
fn the_mean_arrival_is_the_order_and_the_mean_of_the_lead_time() {
    let laws = [
        (
            "{ law = \"lognormal\", mean = \"90d\", variation = 0.4 }",
            90.0,
        ),
        (
            "{ law = \"uniform\", low = \"60d\", high = \"180d\" }",
            120.0,
        ),
        (
            "{ law = \"two-point\", share_first = 0.8, first = \"80d\", second = \"200d\" }",
            104.0,
        ),
    ];
    for (law, mean_days) in laws {
        let mut chunks = String::new();
        for k in 0..CHUNKS {
            let keys = format!("ordered = \"2025-04-11T00:00Z\"\nlead_time = {law}");
            chunks += &chunk(&format!("n{k}"), 8, &keys);
        }
        let scenario = scenario("replicas = 1", &chunks);
        assert!((scenario.chunks[0].order.promised_s / DAY_S - 10.0 - mean_days).abs() < 1e-9);
        let replication = |number| {
            let chunks = scenario.replication(number).chunks;
            let arrived = chunks.iter().map(|chunk| chunk.delivered.as_s() / DAY_S);
            arrived.sum::<f64>() / f64::from(CHUNKS)
        };
        let means: Vec<f64> = (1..=REPLICATIONS).map(replication).collect();
        agrees(&means, 10.0 + mean_days, 0.1);
        let expected = scenario.expected_chunks()[0].delivered.as_s() / DAY_S;
        assert!((expected - 10.0 - mean_days).abs() < 1e-6, "{expected}");
    }
}

#[test]
fn replicas_after_acceptance_are_k_of_n_of_the_binomial_law() {
    let mut chunks = String::new();
    for k in 0..CHUNKS {
        chunks += &chunk(&format!("n{k}"), 72, "acceptance_failures = \"2 %\"");
    }
    let scenario = scenario("profile = \"node\"\nreplicas = 1", &chunks);
    // All nine replicas need all 72 GPUs; eight of nine are left with eight failures.
    for (replicas, gpus, relative) in [(9, 72, 0.5), (8, 64, 0.01)] {
        let replication = |number| {
            let chunks = scenario.replication(number).chunks;
            let enough = chunks.iter().filter(|chunk| {
                let passed: u64 = chunk.arrived.accepted.iter().map(|entry| entry.1).sum();
                let refused: u64 = chunk.arrived.refused.iter().map(|entry| entry.1).sum();
                assert_eq!(passed + refused, 72);
                passed / 8 >= replicas
            });
            enough.count() as f64 / f64::from(CHUNKS)
        };
        let shares: Vec<f64> = (1..=REPLICATIONS).map(replication).collect();
        let exact = k_out_of_n(gpus, 72, 0.98);
        match shares.iter().all(|share| (share - 1.0).abs() < 1e-12) {
            true => assert!((1.0 - exact) * 20.0 * 50.0 < 3.0, "{exact}"),
            false => agrees(&shares, exact, relative),
        }
    }
}

#[test]
fn replicas_in_service_are_whole_and_what_fails_comes_later_or_never() {
    let keys = "acceptance_failures = \"5 %\"\nreplaced_after = \"30d\"\ndelivered = \"10d\"";
    let later = scenario("profile = \"node\"\nreplicas = 1", &chunk("a", 8000, keys));
    let arrived = &later.chunks[0].arrived;
    let [(first, passed), (second, replaced)] = days(&arrived.accepted)[..] else {
        panic!("{arrived:?}");
    };
    assert!((first - 10.0).abs() + (second - 40.0).abs() < 1e-6);
    assert_eq!(passed + replaced, 8000);
    assert_eq!(
        up_to(&arrived.refused, SimTime::from_s(11.0 * DAY_S)),
        replaced
    );
    let brought: Vec<u32> = later.pools[0].deliveries.iter().map(|d| d.1).collect();
    assert_eq!(
        brought,
        [1, (passed / 8) as u32, 1000 - (passed / 8) as u32]
    );
    let never = scenario(
        "profile = \"node\"\nreplicas = 1",
        &chunk(
            "a",
            8000,
            "acceptance_failures = \"5 %\"\ndelivered = \"10d\"",
        ),
    );
    assert_eq!(days(&never.chunks[0].arrived.accepted), [(10.0, passed)]);
    // The mean over the GPUs of the hours for which they were paid.
    let end = SimTime::from_s(40.0 * DAY_S);
    let hours = passed as f64 * 30.0 * 24.0 / 8000.0;
    assert!((later.chunks[0].paid_hours(end) / hours - 1.0).abs() < 1e-12);
}

#[test]
fn a_supplier_hands_over_its_allocation_first_ready_first_served() {
    let of =
        |name: &str, gpus, more: &str| chunk(name, gpus, &format!("provider = \"Few\"\n{more}"));
    let chunks = of("big", 100_000, "delivered = \"10d\"")
        + &of(
            "late",
            10_000,
            "ordered = \"2025-04-01T00:00Z\"\nlead_time = \"20d\"",
        )
        + &chunk("other", 100_000, "provider = \"Many\"\ndelivered = \"10d\"")
        + "[supplier.few]\nprovider = \"Few\"\ndeliverable = \"20_000 GPUs/month\"\n";
    let scenario = scenario("replicas = 1", &chunks);
    let lots = |chunk: usize| days(&scenario.chunks[chunk].arrived.accepted);
    let month = |k: f64| ((10.0 + k * MONTH_DAYS) * 1e6).round() / 1e6;
    let five = [0.0, 1.0, 2.0, 3.0, 4.0].map(|k| (month(k), 20_000));
    assert_eq!(lots(0), five);
    assert_eq!(
        lots(1),
        [(month(5.0), 10_000)],
        "after whoever was ready before"
    );
    assert_eq!(
        lots(2),
        [(10.0, 100_000)],
        "another supplier is not concerned"
    );
}

#[test]
fn stages_and_a_pace_bring_a_chunk_in_parts() {
    let staged = "delivered = \"10d\"\nstages = [[\"0d\", \"25 %\"], [\"30d\", \"75 %\"]]";
    let chunks = chunk(
        "paced",
        12_000,
        "delivered = \"7d\"\npace = \"5_000 GPUs/week\"",
    ) + &chunk("staged", 1001, staged);
    let scenario = scenario("replicas = 1\nstart_up = \"2d\"", &chunks);
    let lots = |chunk: usize| days(&scenario.chunks[chunk].arrived.accepted);
    assert_eq!(lots(0), [(7.0, 5000), (14.0, 5000), (21.0, 2000)]);
    assert_eq!(lots(1), [(10.0, 250), (40.0, 751)]);
    let served: Vec<(f64, u32)> = scenario.pools[0]
        .deliveries
        .iter()
        .map(|&(at, replicas)| (at.as_s() / DAY_S, replicas))
        .collect();
    let expected = [
        (0.0, 1),
        (9.0, 5000),
        (12.0, 250),
        (16.0, 5000),
        (23.0, 2000),
        (42.0, 751),
    ];
    assert_eq!(served, expected);
}

#[test]
fn gpus_beyond_the_power_of_the_site_stand_dark_until_there_is_room() {
    // 1.25 kW x 1.2 = 1.5 kW a GPU: 150 MW are 100,000 GPUs.
    let keys = |more: &str| format!("busy_power = \"1.25 kW\"\n{more}");
    let chunks = chunk("a", 80_000, &keys("")) + &chunk("b", 60_000, &keys("delivered = \"10d\""));
    let fixed = scenario("pue = 1.2\npower_limit = \"150 MW\"", &chunks);
    let powered = |scenario: &Scenario, chunk: usize| days(&scenario.chunks[chunk].arrived.powered);
    assert_eq!(powered(&fixed, 0), [(0.0, 80_000)]);
    assert_eq!(powered(&fixed, 1), [(10.0, 20_000)]);
    let steps = "pue = 1.2\npower_limit = [[\"0s\", \"60 MW\"], [\"50d\", \"150 MW\"], [\"90d\", \"1 GW\"]]";
    let grown = scenario(steps, &chunks);
    assert_eq!(powered(&grown, 0), [(0.0, 40_000), (50.0, 40_000)]);
    assert_eq!(powered(&grown, 1), [(50.0, 20_000), (90.0, 40_000)]);
    // Whoever stands dark is paid, but draws no power.
    let end = SimTime::from_s(100.0 * DAY_S);
    let second = &grown.chunks[1];
    assert!((second.paid_hours(end) - 90.0 * 24.0).abs() < 1e-9);
    let hours = (20.0 * 50.0 + 40.0 * 10.0) / 60.0 * 24.0;
    assert!((second.powered_hours(end) - hours).abs() < 1e-9);
}

#[test]
fn a_chunk_more_changes_nobodys_date() {
    let keys = "ordered = \"2025-04-01T00:00Z\"\nlead_time = { law = \"exponential\", mean = \"50d\" }\nacceptance_failures = \"10 %\"";
    let (one, other) = (chunk("m", 1000, keys), chunk("a", 1000, keys));
    let alone = scenario("replicas = 1", &one);
    let both = scenario("replicas = 1", &(other + &one));
    for number in 0..5 {
        let (alone, both) = (alone.replication(number), both.replication(number));
        assert_eq!(alone.chunks[0].arrived, both.chunks[1].arrived);
        assert_ne!(both.chunks[0].arrived, both.chunks[1].arrived);
    }
    assert_eq!(
        alone.replication(0).chunks[0].arrived,
        alone.chunks[0].arrived
    );
    assert_ne!(
        alone.replication(1).chunks[0].arrived,
        alone.chunks[0].arrived
    );
}

#[test]
fn every_replication_runs_also_where_nothing_comes_in_time() {
    // Most times all comes at once, else long after the end; or hardly anything passes the test.
    let late = "ordered = \"0s\"\nlead_time = { law = \"two-point\", share_first = 0.6, first = \"1d\", second = \"900d\" }";
    let broken = "delivered = \"1d\"\nacceptance_failures = \"90 %\"\nreplaced_after = \"5d\"";
    let mut nobody = 0;
    for (keys, gpus) in [(late, 2), (broken, 2)] {
        let scenario = scenario("pools = 2", &chunk("only", gpus, keys));
        for number in 0..8 {
            let one = Arc::new(scenario.replication(number));
            let trial = trials::run(&one, 1, &mut |_| ControlFlow::Continue(()));
            let summary = trial.summary;
            let delivery = &summary.deliveries[0];
            let accounted = delivery.powered_gpus + delivery.dark_gpus + delivery.missing_gpus;
            assert_eq!(accounted, gpus);
            nobody += u32::from(delivery.first_s.is_none());
            assert_eq!(delivery.first_s.is_none(), summary.total.completed == 0);
        }
    }
    assert!(
        (1..16).contains(&nobody),
        "{nobody} of 16 runs had nobody to serve"
    );
}

#[test]
fn a_price_from_the_catalog_comes_with_its_source() {
    let keys = "provider = \"Lambda\"\nterm = \"on-demand\"\nprice = \"catalog\"";
    let mut text = String::new();
    writeln!(
        text,
        "[chunk.a]\ngpus = 8\naccelerator = \"H100-SXM-80GB\"\ncluster = \"site\"\n{keys}"
    )
    .expect("text");
    let scenario = scenario("", &text);
    let catalog = meltpoint::profile::catalog::Catalog::built_in();
    let price = catalog.price("Lambda", "H100-SXM-80GB", "on-demand");
    let price = price.expect("it is in the catalog");
    assert!((scenario.chunks[0].usd_per_gpu_hour - price.usd_per_gpu_hour).abs() < 1e-12);
    let mut inputs = scenario.inputs.iter();
    let input = inputs
        .find(|input| input.path == "chunk.a.price")
        .expect("it is an input");
    assert_eq!(input.value, "3.99 USD/GPU-hour");
    assert_eq!(input.provenance, Some(price.provenance));
    assert!(
        input
            .source
            .as_ref()
            .is_some_and(|source| source.contains(&price.source))
    );
}

#[test]
fn a_file_of_the_users_goes_before_the_catalog() {
    let text = "extends = \"hello\"\n[scenario]\ncatalog = \"mine.csv\"\n[chunk.a]\ngpus = 8\ncluster = \"lab\"\n\
                accelerator = \"H100-SXM-80GB\"\nprovider = \"Mine\"\nterm = \"spot\"\nprice = \"catalog\"\n";
    let source = Source {
        name: "mine.toml",
        text,
    };
    let with = |row: &'static str| {
        let files = move |_: &str| {
            let header = "provider,accelerator,term,usd_per_gpu_hour,source\n";
            Ok(format!("{header}{row}\n").into_bytes())
        };
        read(source, &Settings::default(), &files)
    };
    let scenario = with("Mine,H100-SXM-80GB,spot,1.25,a letter").expect("it has a price");
    assert!((scenario.chunks[0].usd_per_gpu_hour - 1.25).abs() < 1e-12);
    let problems = with("Mine,H100-SXM-80GB,spot,cheap,a letter").map(|_| ());
    let message = problems.expect_err("it has none").to_string();
    assert!(message.contains("mine.csv:2:"), "{message}");
    assert!(message.contains("\"cheap\""), "{message}");
}
