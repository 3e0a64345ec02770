//! `[autoscaler]` and the parts of `start_up` as they are written.

use meltpoint::random::Law;
use meltpoint::scenario::{self, ScalingRule, Scenario, Settings, Source};
use meltpoint::units::SimDuration;

const FLEET: &str = r#"
[scenario]
question = "Does it follow?"
lasts = "1h"
[region.here]
[client.patient]
[tier.all]
client = "patient"
[work.job]
kind = "service"
service = "1s"
[demand.all]
kind = "rate"
tier = "all"
work = "job"
rate = "10 requests/s"
[cluster.lab]
region = "here"
replicas = 100
start_up = START_UP
[autoscaler.main]
clusters = ["lab"]
minimum = 20
"#;

fn read(start_up: &str, autoscaler: &str, scale: Option<f64>) -> Result<Scenario, String> {
    let text = FLEET.replace("START_UP", start_up) + autoscaler;
    let source = Source {
        name: "it.toml",
        text: &text,
    };
    let settings = Settings {
        scale,
        ..Settings::default()
    };
    let no_file = |_: &str| Err(String::new());
    scenario::read(source, &settings, &no_file).map_err(|problems| {
        let messages = problems
            .0
            .iter()
            .map(|problem| format!("{}; {}", problem.message, problem.hint));
        messages.collect::<Vec<_>>().join("\n")
    })
}

fn rule(autoscaler: &str) -> ScalingRule {
    let scenario = read("\"5min\"", autoscaler, None).unwrap();
    scenario.autoscalers[0].rule.clone()
}

#[test]
fn every_kind_is_read() {
    let threshold = rule("kind = \"threshold\"\nabove = \"90 %\"\nadd = 4");
    let expected = ScalingRule::Threshold {
        above: 0.9,
        below: 0.4,
        add: 4,
        remove: 1,
    };
    assert_eq!(threshold, expected);
    let ScalingRule::Target { staffing, .. } = rule("kind = \"target\"\ntarget = 1\nspare = 1.42")
    else {
        panic!("a target");
    };
    assert!((staffing.target, staffing.spare) == (1.0, 1.42));
    let ScalingRule::Predictive { forecast, .. } = rule("kind = \"predictive\"\nseason = \"1d\"")
    else {
        panic!("a forecast");
    };
    assert_eq!(forecast.season, Some(SimDuration::from_s(86_400.0)));
    let timetable =
        "kind = \"scheduled\"\ntimetable = { \"sat-sun 10:00\" = 30, \"mon 08:30\" = 50 }";
    let ScalingRule::Scheduled { entries, .. } = rule(timetable) else {
        panic!("a timetable");
    };
    let entries: Vec<(u32, u32)> = entries.iter().map(|e| (e.week_s, e.replicas)).collect();
    let day = 86_400;
    assert_eq!(
        entries,
        [(30_600, 50), (5 * day + 36_000, 30), (6 * day + 36_000, 30)]
    );
}

#[test]
fn replicas_scale_and_shares_do_not() {
    let text = "kind = \"threshold\"\nadd = 1\nremove = 30\ninitial = 50\nwarm = 10\nmaximum = 90";
    let scenario = read("\"5min\"", text, Some(0.1)).unwrap();
    let scaler = &scenario.autoscalers[0];
    assert_eq!((scaler.bounds.minimum, scaler.bounds.maximum), (2, 9));
    assert_eq!((scaler.initial, scaler.warm), (5, 1));
    let expected = ScalingRule::Threshold {
        above: 0.8,
        below: 0.4,
        add: 1,
        remove: 3,
    };
    assert_eq!(scaler.rule, expected);
}

#[test]
fn a_start_up_is_a_duration_or_a_name_or_its_parts() {
    let start = |text: &str| {
        let scenario = read(text, "kind = \"target\"", Some(0.5)).unwrap();
        (
            scenario.clusters[0].start_up.clone().unwrap(),
            scenario.pools[0].start_up,
        )
    };
    let (whole, mean) = start("\"5min\"");
    assert_eq!(whole.before_s, [Law::Constant { value: 300.0 }]);
    assert_eq!(mean, SimDuration::from_s(300.0));
    let parts = r#"{ provision = { law = "uniform", low = "45s", high = "60s" }, weights = "80 GB",
        load_bandwidth = "2 GB/s", site_bandwidth = "100 GB/s", warm_up = "20s" }"#;
    let (parts, mean) = start(&parts.replace('\n', ""));
    assert_eq!(mean, SimDuration::from_s(52.5 + 40.0 + 20.0));
    assert!(
        (parts.site_bytes_per_s / 50e9 - 1.0).abs() < 1e-12,
        "the site's link scales"
    );
    let (published, _) = start("\"llm-70b\"");
    assert_eq!(
        published.before_s,
        [Law::Uniform {
            low: 240.0,
            high: 480.0
        }]
    );
    assert_eq!(published.after_s.len(), 3);
}

#[test]
fn more_than_is_delivered_is_doubted() {
    let warnings = |text: &str| read("\"5min\"", text, None).unwrap().warnings;
    assert_eq!(warnings("kind = \"target\"\ninitial = 100").len(), 0);
    let found = warnings("kind = \"target\"\ninitial = 101");
    assert!(found[0].contains("asks for 101 replicas"), "{found:?}");
}

#[test]
fn what_contradicts_itself_is_refused() {
    let two = "kind = \"target\"\n[autoscaler.second]\nkind = \"target\"\nclusters = [\"lab\"]";
    let off = "kind = \"target\"\n[cluster.other]\nregion = \"here\"\nreplicas = 1\nset_up = \"1s\"\n\
               [autoscaler.second]\nkind = \"target\"\nclusters = [\"other\"]";
    for (start_up, text, part) in [
        ("\"5min\"", two, "as another autoscaler does"),
        ("\"5min\"", off, "turns idle replicas off"),
        (
            "\"5min\"",
            "kind = \"target\"\nmaximum = 10",
            "is above `maximum`",
        ),
        (
            "\"5min\"",
            "kind = \"threshold\"\nbelow = 3",
            "is above `above`",
        ),
        ("\"5min\"", "kind = \"tagret\"", "did you mean `target`?"),
        (
            "\"5min\"",
            "kind = \"target\"\nhorizon = \"1min\"",
            "unknown key `horizon`",
        ),
        (
            "\"5min\"",
            "kind = \"scheduled\"",
            "`autoscaler.main.timetable` is missing",
        ),
        (
            "\"5min\"",
            "kind = \"scheduled\"\ntimetable = { \"8:00\" = 3 }",
            "times of day",
        ),
        (
            "\"5min\"",
            "kind = \"scheduled\"\ntimetable = { \"mon 08:00\" = 3, \"mon-tue 08:00\" = 4 }",
            "names each time once",
        ),
        (
            "\"5min\"",
            "kind = \"predictive\"\nevery = \"1 ms\"\nseason = \"1w\"",
            "decisions",
        ),
        (
            "\"5min\"",
            "kind = \"target\"\nevery = \"1 ns\"",
            "decisions of the run",
        ),
        (
            "{ weights = \"80 GB\" }",
            "kind = \"target\"",
            "stands without a bandwidth",
        ),
        ("\"lm-70b\"", "kind = \"target\"", "\"llm-70b\""),
    ] {
        let refused = read(start_up, text, None).expect_err(text);
        assert!(refused.contains(part), "{part} in {refused}");
    }
}
