//! The scenario language, from outside: what is read, what is refused, and how it is said.

use meltpoint::scenario::{
    DemandKind, EMBEDDED, Problems, Scenario, Settings, Source, embedded, json_schema, read,
};

fn no_files(name: &str) -> Result<Vec<u8>, String> {
    Err(format!("{name}: no such file"))
}

fn read_with(text: &str, sets: &[&str]) -> Result<Scenario, Problems> {
    let settings = Settings {
        sets: sets.iter().map(|set| (*set).to_owned()).collect(),
        ..Settings::default()
    };
    read(
        Source {
            name: "test.toml",
            text,
        },
        &settings,
        &no_files,
    )
}

fn hello() -> &'static str {
    embedded("hello").unwrap().text
}

#[test]
fn every_embedded_scenario_is_valid() {
    for (name, text) in EMBEDDED {
        let source = Source { name, text };
        match read(source, &Settings::default(), &no_files) {
            Ok(scenario) => {
                assert_eq!(scenario.name, name);
                assert_eq!(scenario.warnings, Vec::<String>::new(), "{name}");
                assert!(!scenario.question.is_empty(), "{name}");
            }
            Err(problems) => panic!("{name}:\n{problems}"),
        }
    }
}

#[test]
fn hello_means_what_it_says() {
    let scenario = read_with(hello(), &[]).unwrap();
    assert_eq!(scenario.pools.len(), 1);
    assert_eq!(scenario.pools[0].deliveries[0].1, 6);
    let DemandKind::Rate { curve, .. } = &scenario.demands[0].kind else {
        panic!("a rate");
    };
    assert_eq!(curve.points.len(), 3);
    assert_eq!(curve.points[1].1, 20.0);
}
