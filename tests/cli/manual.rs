//! Help, completions, man pages and schemas: all from one definition.

use serde_json::Value as Json;

use crate::program::Room;

const COMMANDS: [&str; 15] = [
    "simulate",
    "check",
    "explain",
    "report",
    "compare",
    "measure",
    "plan",
    "invest",
    "fit",
    "scenarios",
    "init",
    "config",
    "schema",
    "completions",
    "man",
];

#[test]
fn help_names_every_command_and_exit_code() {
    let room = Room::new();
    let help = room.done(&["--help"]).out;
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command}")), "no {command}");
        assert!(!room.done(&[command, "--help"]).out.is_empty());
    }
    assert!(help.contains("Exit codes: 0"), "{help}");
    assert!(room.done(&["--version"]).out.starts_with("meltpoint "));
}

#[test]
fn completions_are_there_for_every_shell() {
    let room = Room::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = room.done(&["completions", shell]).out;
        assert!(
            script.contains("simulate") && script.contains("scale"),
            "{shell}"
        );
    }
}

#[test]
fn every_command_has_a_man_page() {
    let room = Room::new();
    assert!(room.done(&["man"]).out.contains(".TH meltpoint 1"));
    room.done(&["man", "--out", "pages"]);
    assert!(room.path("pages/meltpoint.1").is_file());
    for command in COMMANDS {
        assert!(
            room.path(&format!("pages/meltpoint-{command}.1")).is_file(),
            "{command}"
        );
    }
}

#[test]
fn both_schemas_are_json_schemas() {
    let room = Room::new();
    for of in ["scenario", "result"] {
        let text = room.done(&["schema", of]).out;
        let schema: Json = serde_json::from_str(&text).expect("it is JSON");
        jsonschema::meta::validate(&schema).expect("it is a JSON Schema");
        assert!(schema["$schema"].is_string());
        assert_eq!(schema["type"], "object");
    }
}

#[test]
fn a_command_that_is_none_is_answered_with_help() {
    let room = Room::new();
    room.refused(&["simulat"], &["simulate", "--help"]);
    let nothing: [&str; 0] = [];
    assert_eq!(room.run(&nothing).code, Some(2));
}
