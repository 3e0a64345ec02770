//! The program in a folder of its own.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

/// A scenario that is done at once: one queue, half an hour.
pub(crate) const HELLO: &str = include_str!("../../scenarios/hello.toml");

/// Everything that a result folder holds, by name; `run-info.json`, which tells how long it took, apart.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A folder in which the program is run.
pub(crate) struct Room {
    folder: tempfile::TempDir,
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None`: killed by a signal.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) out: String,
    /// What it said beside.
    pub(crate) err: String,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Room {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// One with a scenario in `it.toml`.
    pub(crate) fn with(scenario: &str) -> Self {
        let room = Self::new();
        room.write("it.toml", scenario);
        room
    }

    /// The path of a name in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).expect("a temporary file");
    }

    /// The program, about to run here.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meltpoint"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program here.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Ended {
        run_to_end(&mut self.command(arguments))
    }

    /// Runs it, and expects it to be done without an error.
    #[track_caller]
    pub(crate) fn done<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        ended
    }

    /// Runs it, expects exit code 2, these parts in the message, and nothing left behind.
    #[track_caller]
    pub(crate) fn refused<A: AsRef<OsStr>>(&self, arguments: &[A], parts: &[&str]) -> Ended {
        let before = self.names();
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(2), "{}{}", ended.out, ended.err);
        for part in parts {
            assert!(ended.err.contains(part), "no {part:?} in: {}", ended.err);
        }
        assert_eq!(ended.out, "", "stdout holds results only");
        assert_eq!(self.names(), before, "nothing is written");
        ended
    }

    /// Names of what is here, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        Self::entries(self.folder.path())
    }

    /// Names of what is in a folder, sorted.
    pub(crate) fn entries(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is there");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// All files of a result folder but `run-info.json`.
    pub(crate) fn files(&self, result: &str) -> Files {
        let mut files = Files::new();
        let root = self.path(result);
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a result folder") {
                let path = entry.expect("an entry of it").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(&root).expect("it is below");
                let name = name.to_string_lossy().into_owned();
                if name != "run-info.json" {
                    files.insert(name, fs::read(&path).expect("a result file"));
                }
            }
        }
        files
    }

    /// `result.json` of a result folder.
    pub(crate) fn result(&self, result: &str) -> Json {
        let text = fs::read_to_string(self.path(result).join("result.json"));
        serde_json::from_str(&text.expect("a result")).expect("it is JSON")
    }

    /// The rows of a table of a result folder: by column, as text.
    pub(crate) fn table(&self, result: &str, name: &str) -> Vec<BTreeMap<String, String>> {
        let path = self.path(result).join(name);
        let mut reader = csv::Reader::from_path(path).expect("a table");
        let rows = reader.deserialize();
        rows.map(|row| row.expect("a row as wide as its header"))
            .collect()
    }
}

/// Runs a command to its end.
pub(crate) fn run_to_end(command: &mut Command) -> Ended {
    let started = Instant::now();
    let output = command.output().expect("the program starts");
    finished(output, started)
}

/// What came of a command that was started at `started`.
pub(crate) fn finished(output: Output, started: Instant) -> Ended {
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
        err: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        took: started.elapsed(),
    }
}

/// Which files of two results differ.
#[track_caller]
pub(crate) fn assert_same(first: &Files, second: &Files, what: &str) {
    assert!(first.len() > 15, "only {} files", first.len());
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(first), names(second), "{what}");
    let differing: Vec<&String> = first
        .iter()
        .filter(|(name, bytes)| second[*name] != **bytes)
        .map(|(name, _)| name)
        .collect();
    assert!(differing.is_empty(), "{what}: {differing:?} differ");
}

/// `--set` for each value.
pub(crate) fn with_sets<'a>(arguments: &[&'a str], sets: &[&'a str]) -> Vec<&'a str> {
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    arguments.iter().copied().chain(sets).collect()
}

/// Whether the path of a program of the system is there.
pub(crate) fn path_exists(path: &str) -> bool {
    Path::new(path).exists()
}
